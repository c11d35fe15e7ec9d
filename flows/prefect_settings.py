"""Settings Prefect must find in the environment before it is first imported.

What the environment already says is kept. Otherwise Prefect keeps its database in OUT/prefect (not in the user's home),
sends nothing to anybody, and says nothing that Rothbook says better itself.
"""

from __future__ import annotations

import os
from pathlib import Path

_QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_LOGGING_LOG_PRINTS": "false",
}

#: How many seconds a temporary server may take to start.
PATIENCE = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
_OWN_SERVER = {
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
    PATIENCE: "120",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}


def prepare(out: Path, logging_level: str) -> None:
    """Set what Prefect needs for a run into `out`; without an API address it starts a server of its own."""
    settings = dict(_QUIET, PREFECT_LOGGING_LEVEL=logging_level)
    if "PREFECT_API_URL" not in os.environ:
        settings |= _OWN_SERVER
        home = out.resolve() / "prefect"
        settings["PREFECT_HOME"] = str(home)
        # Prefect keeps the exception of a failed run even where results are not persisted.
        settings["PREFECT_RESULTS_LOCAL_STORAGE_PATH"] = str(home / "storage")
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    if "PREFECT_HOME" in os.environ:
        Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
