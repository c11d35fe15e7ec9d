"""Whether there has been a good run lately: the check that needs no Prefect server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


def last_good(out: Path) -> datetime | None:
    """When `OUT/latest` last moved (UTC), or None before the first good run."""
    try:
        moved = (out / "latest").lstat().st_mtime
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(moved, UTC)


def overdue(out: Path, hours: int, now: datetime) -> str | None:
    """What is wrong, in a sentence, if no run has been good since `hours` hours before `now`; else None."""
    good = last_good(out)
    if good is None:
        return "there has been no good run yet"
    age = now - good
    if age <= timedelta(hours=hours):
        return None
    return f"the newest good run is {age // timedelta(hours=1)} hours old; more than {hours} is too old"
