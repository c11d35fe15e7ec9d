"""Profiles of nested formats (OFX, Flex XML): the same declarative codes and labels, plus who wrote a file.

The TOML files are in `schemas/structured/`; a typo raises `schemas.profile.ProfileError` naming file and key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from schemas.profile import Profile, ProfileError, parse

STRUCTURED = Path(__file__).parent / "structured"


@dataclass(frozen=True)
class Institution:
    """A custodian as its OFX files name it. `memo_code`: starts of a MEMO that belong to a transaction's code."""

    custodian: str
    org: tuple[str, ...]
    fid: tuple[str, ...]
    broker: tuple[str, ...]
    memo_code: re.Pattern[str] | None = None


@dataclass(frozen=True, eq=False)
class TreeProfile:
    """A nested format: its codes and labels, the institutions that write it, the elements and attributes known."""

    profile: Profile
    institutions: tuple[Institution, ...]
    elements: dict[str, tuple[str, ...]]


@cache
def tree_profile(name: str) -> TreeProfile:
    """The profile in `schemas/structured/<name>.toml`; raises `ProfileError` if it isn't one."""
    path = STRUCTURED / f"{name}.toml"
    return parse_tree(path.name, tomllib.loads(path.read_text(encoding="utf-8")))


@cache
def of_custodian(name: str, custodian: str) -> Profile:
    """The profile of a format as one custodian writes it: `ofx-fidelity`."""
    return replace(tree_profile(name).profile, name=f"{name}-{custodian}", custodian=custodian)


def parse_tree(file: str, table: dict[str, Any]) -> TreeProfile:
    """The profile a TOML table describes; raises `ProfileError` naming `file` and the key."""
    rest = {key: value for key, value in table.items() if key not in ("institution", "elements")}
    institutions = tuple(_institution(file, n, t) for n, t in enumerate(table.get("institution", []), 1))
    elements = {tag: tuple(attributes) for tag, attributes in table.get("elements", {}).items()}
    return TreeProfile(parse(file, rest), institutions, elements)


def _institution(file: str, number: int, table: dict[str, Any]) -> Institution:
    known = {"custodian", "org", "fid", "broker", "memo_code"}
    wrong = [*sorted(table.keys() - known), *sorted({"custodian", "org", "fid", "broker"} - table.keys())]
    if wrong:
        raise ProfileError(f"{file}: institution[{number}].{wrong[0]}: is not a key of an institution, or is missing")
    memo = table.get("memo_code")
    return Institution(
        custodian=table["custodian"], org=tuple(table["org"]), fid=tuple(table["fid"]), broker=tuple(table["broker"]),
        memo_code=re.compile(memo) if memo else None,
    )  # fmt: skip
