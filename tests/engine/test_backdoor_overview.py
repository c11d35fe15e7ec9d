"""Where a person stands with the backdoor Roth, one small book for each standing; 2026: $7,500, MAGI out of range."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.book import Book

D = Decimal


def _book(pre_tax: int = 0, **profile: Any) -> Book:
    book = Book().person("P1", 2026, **{"marginal_tax_rate": "0.35", **profile})
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    return book.ira("T", pre_tax).ira("R", 0, kind="roth_ira")


def _contributed(book: Book) -> Book:
    return book.event("T", "2026-02-01", "contribution", 7500, tax_year=2026)


def _row(book: Book, as_of: str = "2026-12-01") -> dict[str, Any]:
    (row,) = book.compute(as_of=as_of)["backdoor_overview"].iter_rows(named=True)
    return row


@pytest.mark.parametrize(
    ("standing", "book", "as_of"),
    [
        pytest.param("ready", _book(), "2026-12-01", id="income closes the direct way, no pre-tax money"),
        pytest.param("blocked", _book(30_000), "2026-12-01", id="pre-tax money"),
        pytest.param("direct", _book(30_000, roth_magi=50_000), "2026-12-01", id="income allows it all"),
        pytest.param("convert next", _contributed(_book(7500)), "2026-12-01", id="contributed, not converted"),
        pytest.param("done", _contributed(_book(0)).convert("2026-03-02", 7500), "2026-12-01", id="converted"),
        pytest.param("unknown", _book(roth_magi=None), "2026-12-01", id="no MAGI"),
        pytest.param("unknown", Book().person().ira("T", None), "2026-12-01", id="an IRA without a value"),
        pytest.param("no room", _book(compensation=0), "2026-12-01", id="no compensation"),
        pytest.param("closed", _book(), "2027-04-16", id="the day after the due date"),
        pytest.param("ready", _book(), "2027-04-15", id="the due date"),
    ],
)
def test_standing(standing: str, book: Book, as_of: str) -> None:
    row = _row(book, as_of)
    assert row["standing"] == standing
    if standing == "unknown":
        assert [row[n] for n in ("room", "direct_roth_room", "taxable_if_done", "tax_if_done")] == [None] * 4


def test_blocked_says_what_doing_it_now_would_tax() -> None:
    """7,500 with 30,000 pre-tax: 7,500 / 37,500 is free, so 7,500 - 1,500 = 6,000 is taxable; at 35% 2,100."""
    row = _row(_book(30_000))
    assert (row["room"], row["pool_value"], row["basis"], row["pre_tax"]) == (7500, 30_000, 0, 30_000)
    assert (row["taxable_if_done"], row["tax_if_done"]) == (D("6000.00"), D("2100.00"))
    assert _row(_book(30_000, marginal_tax_rate=None))["tax_if_done"] is None
    assert str(row["due_date"]) == "2027-04-15"


def test_what_came_out_this_year_shares_the_new_basis() -> None:
    """10,000 was converted, 30,000 is left, all pre-tax. With 7,500 more in and out 7,500 of 47,500 is basis:
    17,500 x 7,500 / 47,500 = 2,763.16 is free, 14,736.84 is taxed: 4,736.84 more. At 35% 1,657.89.
    """
    row = _row(_book(30_000).convert("2026-03-02", 10_000))
    assert (row["standing"], row["taxable_if_done"], row["tax_if_done"]) == ("blocked", D("4736.84"), D("1657.89"))
    assert row["ways_out"].startswith(
        "Leave the conversion as it is: taxed on $10,000, and on $4,736.84 more with the room of $7,500\n"
    )


def test_ways_out_are_said_cheapest_first() -> None:
    book = (
        _book(30_000)
        .add("plans", plan_id="A")
        .add("plan_contributions", person_id="P1", plan_id="A", tax_year=2026, as_of="2026-11-30")
    )
    lines = _row(book)["ways_out"].split("\n")
    assert lines[0] == "Reverse rollover of $30,000: taxed on $0 by December 31, 2026"
    assert "Accept: taxed on $6,000" in lines
    assert lines[-1].startswith("Convert everything, $37,500: taxed on $30,000")
