"""How closed every DuckDB of a run is: nothing from the network, no file outside the run, no Python variable."""

from __future__ import annotations

from pathlib import Path

import duckdb

#: Settings every connection is made with.
CLOSED = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}


def connect(spill: Path | None = None, **settings: str | int) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB made with those settings; what doesn't fit into memory goes to `spill`, or nowhere."""
    return duckdb.connect(":memory:", config={**settings, **CLOSED, "temp_directory": str(spill or "")})


def confine(con: duckdb.DuckDBPyConnection, *folders: Path | str) -> None:
    """From now on `con` reads and writes in `folders` only, and no setting can be changed any more.

    A folder may be the URL of one whose storage was shown to `con` before (`transforms.places`).
    """
    con.execute("set allowed_directories = ?", [[f"{folder}/" for folder in folders]])
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
