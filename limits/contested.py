"""The contested rules: one switch each, in `contested.toml` beside this file.

A rule has a key, the choice Rothbook computes with, every choice there is, and why. The engine reads the switches as a
one-row table `choices`; nothing else in the code decides between them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).with_name("contested.toml")


@dataclass(frozen=True)
class Rule:
    """One contested rule: its switch, every position of the switch, and the authority for each side."""

    key: str
    choice: str
    choices: tuple[str, ...]
    question: str
    why: str
    authority: str


@lru_cache
def rules() -> tuple[Rule, ...]:
    """Every contested rule. Raises ValueError where a choice is not one of the rule's choices."""
    raw = tomllib.loads(FILE.read_text(encoding="utf-8"))["rule"]
    found = tuple(Rule(**{**r, "choices": tuple(r["choices"])}) for r in raw)
    for rule in found:
        _check(rule, rule.choice)
    return found


def choices(other: Mapping[str, str] | None = None) -> dict[str, str]:
    """The position of every switch, `other` in place of the file's. Raises ValueError for an unknown one."""
    known = {rule.key: rule for rule in rules()}
    for key, choice in (other or {}).items():
        if key not in known:
            raise ValueError(f"there is no contested rule '{key}'; limits/contested.toml has {', '.join(known)}")
        _check(known[key], choice)
    return {key: rule.choice for key, rule in known.items()} | dict(other or {})


def _check(rule: Rule, choice: str) -> None:
    if choice not in rule.choices:
        raise ValueError(f"contested rule '{rule.key}' can't be '{choice}'; it is one of {', '.join(rule.choices)}")
