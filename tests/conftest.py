"""Settings every test runs under: hypothesis keeps no examples between runs, Prefect tells nobody anything."""

import os

from hypothesis import settings

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

settings.register_profile("rothbook", deadline=None, derandomize=True, database=None)
settings.load_profile("rothbook")
