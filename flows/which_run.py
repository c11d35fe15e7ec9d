"""Which run somebody means: by its id, by an as-of date, or `latest` and `previous`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from flows.errors import UsageError
from flows.run_folder import latest, newest, published


def find(out: Path, text: str) -> Path:
    """The folder of the run `text` names; raises `UsageError` where there is none any more.

    An as-of date is its newest run; `previous` the newest of an earlier as-of date than `latest`'s.
    """
    newest_now = newest(out)
    if text == "latest":
        return newest_now
    runs = published(out)
    if text == "previous":
        runs, day = [run for run in runs if not facts(run).get("looks_back")], facts(newest_now)["as_of"]
        fitting = [run for run in runs if facts(run)["as_of"] < day]
    elif _is_day(text):
        fitting = [run for run in runs if facts(run)["as_of"] == text]
    else:
        fitting = [run for run in runs if run.name == text]
    if not fitting:
        raise UsageError(
            f"there is no run '{text}' in {out}; say a run id (folders in {out / 'runs'}), an as-of date, 'latest' or "
            "'previous'. A run that was purged can be made again: rothbook run --as-of DATE"
        )
    return fitting[-1]


def facts(run: Path) -> dict[str, Any]:
    """What run.json says."""
    found: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return found


def nights(out: Path) -> list[tuple[str, Path]]:
    """The newest run of every as-of date that wasn't a look back, up to `latest`: date and folder, oldest first."""
    last = latest(out)
    runs = [run for run in published(out) if not facts(run).get("looks_back")] if last else []
    return sorted({facts(run)["as_of"]: run for run in runs}.items())


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
