"""The page of awkward people says what the engine says, and no one on it is COMPUTED through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.awkward_people import PEOPLE, TABLES, page

PAGE = Path(__file__).parents[2] / "docs" / "awkward-people.md"


def test_the_page_is_what_the_engine_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("title", PEOPLE)
def test_everyone_on_the_page_is_unknown_or_under_review(title: str) -> None:
    results = PEOPLE[title]().compute()
    statuses = {row["status"] for name in TABLES for row in results[name].iter_rows(named=True)}
    assert statuses & {"UNKNOWN", "REVIEW"}
