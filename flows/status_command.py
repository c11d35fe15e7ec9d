"""`rothbook status`: how things stand. Exit code 0: nothing needs a person; 1: something does; 2: usage."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    status = commands.add_parser("status", help="the last runs, files awaited, rows set aside, what needs a person")
    status.add_argument("--out", metavar="DIR", type=Path, help="folder of archive, quarantine and runs")
    status.add_argument(
        "--config", metavar="FILE", type=Path, help="take OUT from this file, and when a night is overdue"
    )
    status.add_argument("--last", metavar="N", type=int, default=10, help="how many runs to list (default: 10)")
    status.add_argument("--format", choices=("text", "json"), default="text")
    status.set_defaults(command=_status)


def _status(asked: argparse.Namespace) -> int:
    from flows import config

    settings = config.load(asked.config) if asked.config else config.from_environment()
    out: Path | None = asked.out or settings.folders.out
    hours = settings.schedule.overdue_after_hours if asked.config else None
    if out is None:
        raise UsageError("status needs --out, or --config with [folders] out")
    from flows import status

    found = status.look(out, datetime.now(UTC), overdue_after_hours=hours, last=asked.last)
    print(status.as_json(found) if asked.format == "json" else status.as_text(found))
    return found.exit_code
