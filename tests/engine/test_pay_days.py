"""Pay days still to come, as payroll shows them: by the room that mega_room_open spreads over them."""

from __future__ import annotations

import polars as pl
import pytest

from tests.book import Book


def _told(days: list[str], as_of: str) -> tuple[str, str]:
    """Deadline and action of the room: 72,000 - 24,500 - 1,000 of after-tax money on each of `days`."""
    book = Book().add("persons", person_id="P1", tax_id="h1").add("tax_profiles", person_id="P1", tax_year=2026)
    book.add("plans", plan_id="L1")
    book.add("plan_sources", source_column="A", money_source="after_tax_contributions")
    book.add(
        "plan_contributions", person_id="P1", plan_id="L1", tax_year=2026, as_of="2026-05-31", pre_tax_deferrals=24_500
    )
    for day in days:
        book.add("payroll_contributions", owner_tax_id="h1", pay_date=day, source_column="A", amount=1_000)
    found = book.compute(as_of=as_of)["findings"].filter(pl.col("rule") == "mega_room_open").row(0, named=True)
    return str(found["deadline"]), found["action"]


@pytest.mark.parametrize(
    ("days", "as_of", "deadline", "said"),
    [
        # Fridays; December 4, 11, 18 and 25 are to come: 42,500 / 4
        (
            ["2026-10-30", "2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27"],
            "2026-12-01", "2026-12-25", ("about $10,625 on each of 4 pay days left, before the last payroll "
            "of 2026 (December 25, 2026, as payroll runs weekly)"),
        ),
        # the 15th and the month's end, a day early before a weekend; then December 13 to 15 and 30: 2 left
        (
            ["2026-09-30", "2026-10-15", "2026-10-30", "2026-11-13", "2026-11-30"],
            "2026-12-01", "2026-12-30", ("about $21,250 on each of 2 pay days left, before the last payroll of 2026 "
            "(December 30, 2026, as payroll runs twice a month)"),
        ),
        # the 25th: October, November and December are to come
        (
            ["2026-05-25", "2026-06-25", "2026-07-24", "2026-08-25", "2026-09-25"],
            "2026-10-01", "2026-12-25", "as payroll runs monthly)",
        ),
    ],
)  # fmt: skip
def test_rhythms(days: list[str], as_of: str, deadline: str, said: str) -> None:
    found_deadline, action = _told(days, as_of)
    assert found_deadline == deadline
    assert said in action


@pytest.mark.parametrize(
    ("days", "as_of"),
    [
        # four pay days show three gaps: too few to tell a rhythm by
        (["2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27"], "2026-12-01"),
        # one week was left out
        (["2026-10-23", "2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27"], "2026-12-01"),
        # the last one is 46 days old: the file no longer comes, or the client no longer works there
        (["2026-09-18", "2026-09-25", "2026-10-02", "2026-10-09", "2026-10-16"], "2026-12-01"),
    ],
)
def test_no_rhythm_is_guessed(days: list[str], as_of: str) -> None:
    deadline, action = _told(days, as_of)
    assert deadline == "2026-12-31"
    assert "pay days left" not in action
    assert "as payroll runs" not in action


def test_the_last_day_of_45_is_still_fresh() -> None:
    deadline, _ = _told(["2026-09-18", "2026-09-25", "2026-10-02", "2026-10-09", "2026-10-17"], "2026-12-01")
    assert deadline == "2026-12-26"
