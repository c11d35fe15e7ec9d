"""What one check of `rothbook doctor` is, and what it looks at."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from flows import config
from flows.errors import ROOT

Level = Literal["ok", "warn", "fail"]
#: Permission bits of everybody but the owner.
OTHERS = 0o077


@dataclass(frozen=True)
class Check:
    """One line: `what` was looked at, what was found, and how to put it right if need be."""

    level: Level
    what: str
    found: str
    fix: str | None = None


@dataclass(frozen=True)
class Patient:
    """What the checks look at."""

    settings: config.Settings
    today: date
    #: None where no configuration was named.
    path: Path | None = None
    lock: Path = ROOT / "requirements.lock"


def mode(path: Path) -> int:
    """Permission bits; none for what has gone in the meantime."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
