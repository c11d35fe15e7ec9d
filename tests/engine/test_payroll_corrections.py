"""Negative payroll rows correct earlier ones: they net out against money that is there, and never below nought."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.book import Book


def _book(base: int, *amounts: int) -> Book:
    """After-tax money: `base` as of January 31, then one payroll row a month."""
    book = Book().person("P1", 2026).add("plans", plan_id="L1")
    book.rows["persons"][0]["tax_id"] = "key-of-P1"
    book.add("plan_contributions", person_id="P1", plan_id="L1", tax_year=2026, as_of="2026-01-31",
             after_tax_contributions=base)  # fmt: skip
    book.add("plan_sources", recordkeeper="rk", recordkeeper_plan="P", plan_id="L1", source_column="AT",
             money_source="after_tax_contributions")  # fmt: skip
    for month, amount in enumerate(amounts, 2):
        book.add("payroll_contributions", recordkeeper="rk", recordkeeper_plan="P", owner_tax_id="key-of-P1",
                 pay_date=f"2026-{month:02}-15", source_column="AT", amount=amount, profile="payroll")  # fmt: skip
    return book


@pytest.mark.parametrize(
    ("base", "amounts", "used"), [(0, (1000, -250), 750), (500, (-500,), 0), (500, (-200, 100), 400)]
)
def test_a_negative_row_nets_out_against_what_it_corrects(base: int, amounts: tuple[int, ...], used: int) -> None:
    row = _book(base, *amounts).compute()["mega_backdoor"].row(0, named=True)
    assert (row["status"], row["annual_additions"]) == ("COMPUTED", Decimal(used))


def test_a_negative_row_with_nothing_to_correct_is_unknown() -> None:
    row = _book(100, -250).compute()["mega_backdoor"].row(0, named=True)
    assert (row["status"], row["annual_additions"], row["room"]) == ("UNKNOWN", None, None)
