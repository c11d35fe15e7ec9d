"""A custodian calls every payment out a distribution; the firm's row of that account, day and amount says which one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.book import Book

CUSTODIAN = {"profile": "fidelity-history"}
DAY = "2026-05-04"
Row = tuple[str, str, int, dict[str, Any]]


def _told(kind: str = "distribution", amount: int = 5_000, day: str = DAY) -> Row:
    return day, kind, amount, CUSTODIAN


def _said(kind: str, amount: int = 5_000, day: str = DAY) -> Row:
    return day, kind, amount, {}


def _line_7(*rows: Row) -> Decimal | None:
    """Line 7 of an owner of 76 whose IRA has these rows."""
    book = Book().person(birth_date="1950-03-03").ira("T", 95_000).ira("R", 1_000, kind="rollover_ira")
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    for day, kind, amount, more in rows:
        book.event("T", day, kind, amount, **more)
    line: Decimal | None = book.compute()["form_8606"]["line_7"].item()
    return line


@pytest.mark.parametrize(
    ("rows", "line_7"),
    [
        pytest.param((_told(), _said("qcd"), _told(amount=900)), 900, id="a gift to charity is on no line 7"),
        pytest.param((_told(), _said("rmd")), 5_000, id="a minimum counts once"),
        pytest.param((_told(), _said("distribution")), 5_000, id="the same words count once"),
        pytest.param((_told(), _said("qcd", day="2026-05-05")), 5_000, id="another day is another payment"),
        pytest.param((_told(), _said("qcd", amount=4_999)), 5_000, id="another amount is another payment"),
        pytest.param((_told(), _told(), _said("qcd")), 5_000, id="one of two payments alike is named"),
        pytest.param((_told(), _told(), _said("qcd"), _said("distribution")), 5_000, id="both are named, each once"),
        pytest.param((_told(), _said("qcd"), _said("distribution")), 5_000, id="the same words come first"),
        pytest.param((_told("rmd"), _said("qcd")), 5_000, id="what the custodian does name stays"),
        pytest.param((_told(), _said("withholding")), 10_000, id="tax withheld is a row of its own"),
        pytest.param((_told(), _said("contribution")), 5_000, id="money in names no payment out"),
    ],
)
def test_line_7(rows: tuple[Row, ...], line_7: int) -> None:
    assert _line_7(*rows) == line_7


def test_a_rollover_the_custodian_calls_a_distribution_is_paired() -> None:
    book = Book().person().ira("T", 95_000).ira("R", 6_000, kind="rollover_ira")
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    book.event("T", DAY, "distribution", 5_000, **CUSTODIAN).event("T", DAY, "rollover_out", 5_000)
    results = book.event("R", "2026-05-20", "rollover_in", 5_000).compute()
    assert results["event_pairs"].select("kind", "state", "out_amount").rows() == [
        ("rollover", "paired", Decimal(5_000))
    ]
    assert results["form_8606"]["line_7"].item() in (None, 0)
