"""Forms 5498 and 1099-R against the book: box by box, with the tolerance of each, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.book import Book

D = Decimal


def _book() -> Book:
    """2025 with a December 31 value of 50,000 in T; a Roth IRA R at another custodian."""
    book = Book().person(tax_year=2025).ira("T", 50_000, as_of="2025-12-31")
    book.ira("R", 9_000, kind="roth_ira", as_of="2025-12-31", custodian="othercust")
    return book.add("ira_basis", person_id="P1", tax_year=2024, basis=0)


def _rows(book: Book, as_of: str = "2026-08-01") -> dict[tuple[Any, ...], dict[str, Any]]:
    found = book.compute(as_of=as_of, tax_years=(2025,))["reconciliation"]
    return {(r["account_key"], r["form"], r["box"]): r for r in found.to_dicts()}


def _row(book: Book, form: str, box: str, account: str | None = "testcust:T") -> tuple[Any, ...]:
    row = _rows(book)[account, form, box]
    return row["form_amount"], row["book_amount"], row["difference"], row["state"]


@pytest.mark.parametrize(
    ("box_5", "state"),
    [("50000", "agrees"), ("50250", "agrees"), ("50251.26", "agrees"), ("50251.27", "differs"), ("49748", "differs")],
)
def test_fair_market_value_may_be_half_a_percent_off(box_5: str, state: str) -> None:
    """0.5% of 50,251.26 is 251.26 (half up), of 49,748 it is 248.74."""
    book = _book().add("form_5498", account_number="T", tax_year=2025, box_5_fair_market_value=box_5)
    assert _row(book, "5498", "5") == (D(box_5), D(50_000), D(box_5) - 50_000, state)


def test_contributions_go_by_the_year_they_are_for_to_the_cent() -> None:
    book = _book().event("T", "2025-03-01", "contribution", 7_000, tax_year=2024)
    book.event("T", "2026-03-01", "contribution", 6_500, tax_year=2025)
    book.add("form_5498", account_number="T", tax_year=2025, box_1_ira_contributions="6500.01")
    assert _row(book, "5498", "1") == (D("6500.01"), D(6_500), D("0.01"), "differs")


@pytest.mark.parametrize(
    ("box", "column", "kind", "account"),
    [
        ("2", "box_2_rollover_contributions", "rollover_in", "traditional_ira"),
        ("2", "box_2_rollover_contributions", "plan_rollover_in", "traditional_ira"),
        ("3", "box_3_roth_conversion", "roth_conversion_in", "roth_ira"),
        ("4", "box_4_recharacterized", "recharacterization_in", "traditional_ira"),
        ("8", "box_8_sep", "employer_contribution", "sep_ira"),
        ("9", "box_9_simple", "contribution", "simple_ira"),
        ("10", "box_10_roth", "contribution", "roth_ira"),
    ],
)
def test_each_box_has_its_events(box: str, column: str, kind: str, account: str) -> None:
    book = _book().ira("X", 0, kind=account, as_of="2025-12-31").event("X", "2025-05-02", kind, 300)
    book.add("form_5498", account_number="X", tax_year=2025, **{column: 300})
    rows = _rows(book)
    assert rows["testcust:X", "5498", box]["state"] == "agrees"
    assert {key[2] for key, row in rows.items() if key[0] == "testcust:X" and row["book_amount"] == 300} == {box}


def test_gross_is_net_and_withholding_rows_and_box_4_the_federal_ones() -> None:
    """25,500 net, 3,000 federal and 1,500 state: 30,000 gross."""
    book = _book().event("T", "2025-05-02", "distribution", 25_500).event("T", "2025-05-02", "withholding", 3_000)
    book.event("T", "2025-05-02", "withholding", 1_500, custodian_code="STATE TAX W/H", profile="fidelity-history")
    book.add("form_1099r", account_number="T", tax_year=2025, box_1_gross=30_000, box_4_federal_withheld=3_000,
             box_7_ira=True)  # fmt: skip
    assert _row(book, "1099-R", "1") == (D(30_000), D(30_000), D(0), "agrees")
    assert _row(book, "1099-R", "4") == (D(3_000), D(3_000), D(0), "agrees")
    assert _rows(book)["testcust:T", "1099-R", "7 IRA"]["state"] == "agrees"


def test_a_gross_conversion_row_is_not_counted_twice() -> None:
    book = (
        _book().event("T", "2025-05-02", "roth_conversion_out", 10_000).event("T", "2025-05-02", "withholding", 1_000)
    )
    book.event("R", "2025-05-02", "roth_conversion_in", 9_000, custodian="othercust")
    book.add("form_1099r", account_number="T", tax_year=2025, box_1_gross=10_000, box_7_codes="2")
    assert _row(book, "1099-R", "1")[3] == "agrees"


def test_codes_of_one_account_add_up_and_n_and_r_are_recharacterizations() -> None:
    book = _book().event("T", "2025-05-02", "distribution", 400)
    book.event("T", "2025-06-02", "recharacterization_out", 600)
    book.add("form_1099r", account_number="T", tax_year=2025, box_1_gross=400, box_7_codes="7")
    book.add("form_1099r", account_number="T", tax_year=2025, box_1_gross=610, box_7_codes="N")
    assert _row(book, "1099-R", "1") == (D(1_010), D(1_000), D(10), "differs")
    assert _row(book, "1099-R", "1 N/R") == (D(610), D(600), D(10), "differs")


def test_a_form_without_a_custodian_finds_its_account_by_the_number() -> None:
    book = _book().event("R", "2025-05-02", "roth_conversion_in", 500, custodian="othercust")
    book.add("form_5498", custodian=None, account_number="R", tax_year=2025, box_3_roth_conversion=500,
             box_7_type="roth", profile="irs-pub1220")  # fmt: skip
    rows = _rows(book)
    assert rows["othercust:R", "5498", "3"]["state"] == "agrees"
    assert rows["othercust:R", "5498", "7"]["state"] == "agrees"
    assert (rows[None, "5498", "3"]["form_amount"], rows[None, "5498", "3"]["state"]) == (500, "agrees")


def test_an_account_without_transactions_is_not_known_to_have_had_none() -> None:
    book = _book().add("form_5498", account_number="T", tax_year=2025, box_1_ira_contributions=7_000)
    assert _row(book, "5498", "1") == (D(7_000), None, None, "book_missing")


def test_the_same_form_from_two_sources_counts_once_and_the_corrected_one_wins() -> None:
    book = _book().event("T", "2025-05-02", "distribution", 400)
    book.add("form_1099r", account_number="T", tax_year=2025, box_1_gross=399, box_7_codes="7")
    book.add("form_1099r", custodian=None, account_number="T", tax_year=2025, box_1_gross=400, box_7_codes="7",
             corrected=True, profile="irs-pub1220")  # fmt: skip
    assert _row(book, "1099-R", "1") == (D(400), D(400), D(0), "agrees")


@pytest.mark.parametrize(("as_of", "told"), [("2026-01-31", False), ("2026-02-01", True)])
def test_an_absent_1099r_is_told_once_it_is_due(as_of: str, told: bool) -> None:
    book = _book().event("T", "2025-05-02", "distribution", 400).ira("X", 0, as_of="2025-12-31")
    book.event("X", "2025-05-02", "distribution", 50).add(
        "form_1099r", account_number="X", tax_year=2025, box_1_gross=50
    )
    row = _rows(book, as_of).get(("testcust:T", "1099-R", "1"))
    assert (row is not None and row["state"] == "form_missing") is told


def test_no_form_is_missing_where_the_custodian_sent_none() -> None:
    assert _rows(_book().event("T", "2025-05-02", "distribution", 400)) == {}


def test_after_tax_basis_of_direct_rollovers() -> None:
    book = _book().add("accounts", account_number="K", account_type="401k", person_id="P1")
    book.event("T", "2025-05-02", "after_tax_rollover_in", 5_990)
    book.add("form_1099r", account_number="K", tax_year=2025, box_1_gross=6_010, box_5_basis=6_000, box_7_codes="G")
    assert _row(book, "1099-R", "5 G/H", None) == (D(6_000), D(5_990), D(10), "differs")


def test_the_value_that_box_5_replaced_is_said() -> None:
    book = _book().add("form_5498", account_number="T", tax_year=2025, box_5_fair_market_value=52_000)
    pool = book.compute(as_of="2026-08-01", tax_years=(2025,))["ira_aggregation"].filter(pl.col("in_pool"))
    assert pool["market_value"].to_list() == [D(52_000)]
    assert "box 5; the balance of that day said $50,000" in pool["why"][0]


@pytest.mark.parametrize(
    ("said", "state"),
    [("Roth IRA", "agrees"), ("roth", "agrees"), ("Traditional", "differs"), ("SIMPLE", "differs"),
     ("n/a", "not_comparable")],
)  # fmt: skip
def test_the_kind_of_ira_in_words(said: str, state: str) -> None:
    book = _book().add("form_5498", custodian="othercust", account_number="R", tax_year=2025, box_7_type=said)
    assert _rows(book)["othercust:R", "5498", "7"]["state"] == state
