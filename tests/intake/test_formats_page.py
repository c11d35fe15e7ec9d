"""The page of formats is the profiles: nothing added by hand, nothing forgotten; and a profile must say its grade."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from schemas.formats import page
from schemas.profile import PROFILES, ProfileError, parse
from schemas.trees import STRUCTURED

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_page_is_what_the_profiles_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m schemas.formats > docs/formats.md"


def test_the_first_column_names_every_profile_once() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == sorted(p.stem for folder in (PROFILES, STRUCTURED) for p in folder.glob("*.toml"))


def test_every_row_has_every_cell() -> None:
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {rows[0].count("|")}


def table(**change: Any) -> dict[str, Any]:
    return {**tomllib.loads((PROFILES / "apex-ext765.toml").read_text(encoding="utf-8")), **change}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grade": "K"}, "grade: expected one of A, B, C"),
        ({"load": "some"}, "load: expected one of full"),
        ({"version": [{"layout": "new"}]}, r"version\[1\].header: is missing"),
        ({"keep_out": [{"why": "ours", "where": {"tax_id": "("}}]}, r"keep_out\[1\].where.tax_id: not a regular"),
        ({"described": [{"code": "X", "description": "y", "type": "gift"}]}, r"described\[1\].type: expected one of"),
    ],
    ids=["grade", "load", "version", "keep_out", "described"],
)
def test_a_typo_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=r"^mine\.toml: " + message):
        parse("mine.toml", table(**change))


def test_a_profile_without_a_grade_is_none() -> None:
    without = table()
    del without["grade"]
    with pytest.raises(ProfileError, match=r"^mine\.toml: grade: is missing"):
        parse("mine.toml", without)


def test_a_field_of_a_later_line_lies_behind_the_lines_before_it() -> None:
    activity = tomllib.loads((PROFILES / "dst-fanmail-dfa.toml").read_text(encoding="utf-8"))
    section = parse("dst-fanmail-dfa.toml", activity).sections[0]
    assert (section.slices["account"], section.slices["stated_year"]) == ((42, 61), (327, 330))
    activity["section"][0]["fields"]["account"] = [1, 2, 3, 4]
    with pytest.raises(ProfileError, match=r"fields\.account: expected \[first, last\] or \[line, first, last\]"):
        parse("dst-fanmail-dfa.toml", activity)
