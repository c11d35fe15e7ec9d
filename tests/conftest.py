"""Settings every test runs under: hypothesis keeps no examples between runs, Prefect tells nobody anything."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"

settings.register_profile("rothbook", deadline=None, derandomize=True, database=None)
settings.load_profile("rothbook")


@pytest.fixture(autouse=True)
def environment_as_it_was() -> Iterator[None]:
    """Nobody's firm key outlives the test it was made for: a command run in this process hands its key on to the
    stages through the environment, where `monkeypatch` doesn't know of it, and the next test would hash under it.
    """
    before = dict(os.environ)
    yield
    for name in [name for name in os.environ if name.startswith("ROTHBOOK_") and name not in before]:
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if name.startswith("ROTHBOOK_")})
