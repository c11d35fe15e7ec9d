"""`rothbook doctor`: is everything in place for the next night? Exit code 0: yes; 1: with warnings; 2: no."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    doctor = commands.add_parser(
        "doctor", help="check configuration, folders, key, disk, limits, versions; exit 0, 1, 2"
    )
    doctor.add_argument("--config", metavar="FILE", type=Path)
    doctor.add_argument("--format", choices=("text", "json"), default="text")
    doctor.set_defaults(command=_doctor)


def _doctor(asked: argparse.Namespace) -> int:
    from flows import doctor

    checks = doctor.examine(asked.config, date.today())  # noqa: DTZ011 - the machine's own calendar day is meant
    print(doctor.as_json(checks) if asked.format == "json" else doctor.as_text(checks))
    return doctor.exit_code(checks)
