"""The one configuration file, `flows/rothbook.toml` or a copy of it, as a frozen value."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import UsageError

DEFAULT = Path(__file__).with_name("rothbook.toml")

_SETTINGS: dict[str, dict[str, type]] = {
    "schedule": {"cron": str, "timezone": str},
    "folders": {"inbox": str, "out": str},
    "intake": {"settle_seconds": float},
    "prefect": {"artifacts": bool},
}
_OPTIONAL: dict[str, dict[str, type]] = {"intake": {"pgp_home": str}, "folders": {"shared": str}}


@dataclass(frozen=True)
class Config:
    """When the nightly run starts, where its folders are, how long a file must have been still, and gpg's key ring."""

    cron: str
    timezone: str
    inbox: Path
    out: Path
    settle_seconds: float
    artifacts: bool
    pgp_home: Path | None = None
    shared: Path | None = None


def load(path: Path = DEFAULT) -> Config:
    """The configuration in `path`; a missing, unknown or mistyped setting is refused by name."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"can't read the configuration file {path}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    _check(path, raw)
    schedule, folders, pgp_home = raw["schedule"], raw["folders"], raw["intake"].get("pgp_home")
    return Config(
        cron=schedule["cron"],
        timezone=schedule["timezone"],
        inbox=Path(folders["inbox"]),
        out=Path(folders["out"]),
        settle_seconds=raw["intake"]["settle_seconds"],
        artifacts=raw["prefect"]["artifacts"],
        pgp_home=Path(pgp_home) if pgp_home else None,
        shared=Path(folders["shared"]) if "shared" in folders else None,
    )


def _check(path: Path, raw: dict[str, Any]) -> None:
    for section in raw.keys() | _SETTINGS.keys():
        known, given = _SETTINGS.get(section, {}), raw.get(section, {})
        if not known or not isinstance(given, dict):
            raise UsageError(f"{path}: there is no section [{section}]; sections are {', '.join(_SETTINGS)}")
        optional = {name: kind for name, kind in _OPTIONAL.get(section, {}).items() if name in given}
        known = known | optional
        for name in given.keys() | known.keys():
            if name not in known:
                raise UsageError(f"{path}: [{section}] has no setting '{name}'; it has {', '.join(known)}")
            if type(given.get(name)) is not known[name]:
                raise UsageError(f"{path}: [{section}] needs '{name}' as a {known[name].__name__}")
