"""`rothbook overdue`: is there a good run that is new enough? For cron or a monitor; needs no Prefect server."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

_FINE, _OVERDUE = 0, 3


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    overdue = commands.add_parser("overdue", help="exit with 3 if there has been no good run for too long")
    overdue.add_argument("--out", metavar="DIR", type=Path, help="folder of archive, quarantine and runs")
    overdue.add_argument("--config", metavar="FILE", type=Path, help="take folder and hours from this file")
    overdue.add_argument("--hours", metavar="N", type=int, help="how old the newest good run may be")
    overdue.set_defaults(command=_overdue)


def _overdue(asked: argparse.Namespace) -> int:
    from flows import config, overdue

    stated = config.load(asked.config) if asked.config else config.from_environment()
    out: Path | None = asked.out or stated.folders.out
    if out is None:
        raise UsageError("overdue needs --out, or --config with it")
    hours: int = stated.schedule.overdue_after_hours if asked.hours is None else asked.hours
    trouble = overdue.overdue(out, hours, datetime.now(UTC))
    if trouble:
        print(f"rothbook: {trouble}", file=sys.stderr)
        return _OVERDUE
    print(f"the newest good run is new enough: {overdue.last_good(out):%Y-%m-%d %H:%M} UTC")
    return _FINE
