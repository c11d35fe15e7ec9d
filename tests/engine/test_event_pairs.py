"""Legs of one move of money: paired across accounts and custodians, counted once, by the traditional side's amount."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.book import Book

D = Decimal


def _book(tax_year: int = 2026) -> Book:
    """A pool of 50,000 in T, an empty U, and a Roth IRA R at another custodian; no basis."""
    book = Book().person(tax_year=tax_year).ira("T", 50_000).ira("U", 0)
    book.ira("R", 0, kind="roth_ira", custodian="othercust")
    return book.add("ira_basis", person_id="P1", tax_year=tax_year - 1, basis=0)


def _arrive(book: Book, day: str, amount: Any, kind: str = "roth_conversion_in", **more: Any) -> Book:
    return book.event("R", day, kind, amount, custodian="othercust", **more)


def _lines(book: Book, **run: Any) -> tuple[str, Any, Any]:
    form = book.compute(**run)["form_8606"].row(0, named=True)
    return form["status"], form["line_7"], form["line_8"]


def _pairs(book: Book, **run: Any) -> list[dict[str, Any]]:
    return book.compute(**run)["event_pairs"].sort("left_on", "arrived_on").to_dicts()


def test_a_conversion_reported_by_two_custodians_counts_once() -> None:
    book = _arrive(_book().event("T", "2026-03-02", "roth_conversion_out", 10_000), "2026-03-05", 10_000)
    results = book.compute()
    pair = results["event_pairs"].row(0, named=True)
    assert results["event_pairs"].height == 1
    assert (pair["state"], pair["how_paired"], pair["days_open"]) == ("paired", "same amount", 3)
    assert (pair["out_account_key"], pair["in_account_key"]) == ("testcust:T", "othercust:R")
    assert results["form_8606"].row(0, named=True)["line_8"] == 10_000


@pytest.mark.parametrize("withholding", [(1000,), (600, 400)])
def test_withholding_inside_the_out_row_is_line_7_and_the_rest_line_8(withholding: tuple[int, ...]) -> None:
    """Out 10,000, in 9,000, 1,000 withheld: the out row was gross."""
    book = _arrive(_book().event("T", "2026-03-02", "roth_conversion_out", 10_000), "2026-03-05", 9_000)
    for amount in withholding:
        book.event("T", "2026-03-02", "withholding", amount)
    results = book.compute()
    form, pair = (results[name].row(0, named=True) for name in ("form_8606", "event_pairs"))
    assert (form["line_7"], form["line_8"], form["line_18"]) == (1_000, 9_000, 9_000)
    assert (pair["out_amount"], pair["withheld"], pair["counted_amount"]) == (10_000, 1_000, 9_000)
    assert pair["how_paired"] == "amount net of withholding"


def test_withholding_beside_the_out_row_gives_the_same_lines() -> None:
    """Out 9,000, in 9,000, 1,000 withheld: each row is a cash leg."""
    book = _arrive(_book().event("T", "2026-03-02", "roth_conversion_out", 9_000), "2026-03-05", 9_000)
    assert _lines(book.event("T", "2026-03-02", "withholding", 1_000)) == ("COMPUTED", 1_000, 9_000)


def test_the_balance_is_carried_forward_by_what_really_left() -> None:
    """50,000 on February 1, then 10,000 gross of which 1,000 tax: 40,000 is left, not 39,000."""
    book = Book().person().ira("T", 50_000, as_of="2026-02-01").add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    book.ira("R", 0, kind="roth_ira", custodian="othercust").event("T", "2026-03-02", "roth_conversion_out", 10_000)
    _arrive(book.event("T", "2026-03-02", "withholding", 1_000), "2026-03-05", 9_000)
    pool = book.compute()["ira_aggregation"].filter(pl.col("in_pool"))
    assert pool["market_value"].to_list() == [D("40000.00")]


def test_a_conversion_over_the_year_end_is_the_year_it_left() -> None:
    book = _book(2025).event("T", "2025-12-30", "roth_conversion_out", 10_000)
    book.add("balances", account_number="T", as_of="2025-12-31", market_value=40_000)
    book.add("balances", account_number="U", as_of="2025-12-31", market_value=0)
    book.add("tax_profiles", person_id="P1", tax_year=2026).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    _arrive(book, "2026-01-03", 10_000)
    forms = book.compute(tax_years=(2025, 2026))["form_8606"].sort("tax_year").to_dicts()
    assert [(f["tax_year"], f["status"], f["line_8"]) for f in forms] == [
        (2025, "COMPUTED", D(10_000)), (2026, "COMPUTED", None)]  # fmt: skip


def test_a_transfer_into_a_roth_ira_is_a_conversion_that_must_be_stated() -> None:
    book = _book().event("T", "2026-03-02", "trustee_transfer_out", 9_000)
    results = _arrive(book, "2026-03-04", 9_000, "trustee_transfer_in").compute()
    form = results["form_8606"].row(0, named=True)
    assert form["status"] == "UNKNOWN"
    assert form["reasons"][0].startswith("transfer_into_roth: $9,000 left testcust ...T")
    assert results["event_pairs"]["kind"].to_list() == ["conversion_in_fact"]


def test_one_custodian_says_conversion_and_the_other_transfer() -> None:
    book = _book().event("T", "2026-03-02", "roth_conversion_out", 9_000)
    results = _arrive(book, "2026-03-04", 9_000, "trustee_transfer_in").compute()
    assert results["form_8606"].row(0, named=True)["line_8"] == 9_000
    assert "conversion_leg_missing" not in results["findings"]["rule"].to_list()


def test_the_account_a_row_names_decides_between_equal_amounts() -> None:
    book = _book().event("T", "2026-03-02", "trustee_transfer_out", 700).ira("V", 0)
    book.event("U", "2026-03-02", "trustee_transfer_out", 700).ira("W", 0)
    book.event("V", "2026-03-03", "trustee_transfer_in", 700, counter_account_number="U")
    book.event("W", "2026-03-03", "trustee_transfer_in", 700)
    found = {(p["out_account_key"], p["in_account_key"], p["how_paired"]) for p in _pairs(book)}
    assert found == {
        ("testcust:U", "testcust:V", "counter account named"), ("testcust:T", "testcust:W", "same amount")}  # fmt: skip


def test_a_row_that_names_another_account_is_not_paired() -> None:
    book = _book().event("T", "2026-03-02", "trustee_transfer_out", 700, counter_account_number="W").ira("W", 0)
    book.event("U", "2026-03-03", "trustee_transfer_in", 700)
    assert [p["state"] for p in _pairs(book)] == ["unpaired", "unpaired"]


def test_an_earlier_leg_that_never_arrived_leaves_later_pairs_alone() -> None:
    book = _book().event("T", "2025-01-05", "rollover_out", 500)
    book.event("T", "2026-06-05", "rollover_out", 500).event("U", "2026-07-05", "rollover_in", 500)
    assert [(p["left_on"], p["state"]) for p in _pairs(book)] == [
        (date(2025, 1, 5), "unpaired"), (date(2026, 6, 5), "paired")]  # fmt: skip


@pytest.mark.parametrize(("back", "state"), [("2026-05-01", "paired"), ("2026-05-02", "unpaired")])
def test_the_sixtieth_day(back: str, state: str) -> None:
    """Out on March 2: the sixtieth day after is May 1."""
    book = _book().event("T", "2026-03-02", "rollover_out", 500).event("U", back, "rollover_in", 500)
    assert _pairs(book)[0]["state"] == state


@pytest.mark.parametrize(("as_of", "state"), [("2026-03-11", "waiting"), ("2026-03-12", "unpaired")])
def test_a_leg_waits_ten_days(as_of: str, state: str) -> None:
    assert _pairs(_book().event("T", "2026-03-02", "trustee_transfer_out", 500), as_of=as_of)[0]["state"] == state


def test_identical_moves_pair_one_to_one() -> None:
    book = _book()
    for _ in range(3):
        _arrive(book.event("T", "2026-03-02", "roth_conversion_out", 500), "2026-03-02", 500)
    pairs = _pairs(_arrive(book, "2026-03-02", 500))
    assert sorted(p["state"] for p in pairs) == ["paired"] * 3 + ["unpaired"]
    assert len({p["in_event_id"] for p in pairs}) == 4


def test_legs_of_two_people_never_pair() -> None:
    book = _book().event("T", "2026-03-02", "trustee_transfer_out", 500)
    book.person("P2").ira("Z", 0, person_id="P2").event("Z", "2026-03-02", "trustee_transfer_in", 500)
    assert [p["state"] for p in _pairs(book)] == ["unpaired", "unpaired"]


def test_a_cancelled_contribution_nets_out_with_the_row_it_names() -> None:
    book = _book().event("T", "2026-03-02", "contribution", 500, transaction_id="A")
    book.event("T", "2026-03-02", "contribution", 500, transaction_id="B")
    book.event("T", "2026-04-01", "contribution", 500, transaction_id="C", cancels_transaction_id="A")
    assert book.compute()["ira_limits"]["traditional_contributions"].to_list() == [D("500.00")]


def test_a_cancel_takes_back_the_same_tax_year_only() -> None:
    book = _book().event("T", "2026-03-02", "contribution", 500, tax_year=2025)
    book.event("T", "2026-03-09", "contribution", 500, reverses="CODE", tax_year=2026)
    limits = book.compute()["ira_limits"].row(0, named=True)
    assert limits["status"] == "UNKNOWN"
    assert limits["reasons"][0].startswith("cancelled_row_missing")


def test_a_cancel_before_its_row_takes_nothing_back() -> None:
    book = _book().event("T", "2026-03-02", "contribution", 500, reverses="CODE")
    book.event("T", "2026-03-09", "contribution", 500)
    assert "cancelled_row_missing" in book.compute()["findings"]["rule"].to_list()


def test_a_cancelled_conversion_is_not_a_leg() -> None:
    book = _book().event("T", "2026-03-02", "roth_conversion_out", 500)
    book.event("T", "2026-03-03", "roth_conversion_out", 500, reverses="CODE")
    results = book.compute()
    assert results["event_pairs"].is_empty()
    assert results["form_8606"].row(0, named=True)["line_8"] is None


def test_a_conversion_with_the_sign_of_the_other_leg_is_taken_back() -> None:
    """A custodian's row into the traditional IRA takes back the one out of it; only what stands is line 8."""
    book = _book().event("T", "2026-03-02", "roth_conversion_out", 500, profile="fidelity-history")
    book.event("T", "2026-03-03", "roth_conversion_in", 500, profile="fidelity-history")
    book.event("T", "2026-03-04", "roth_conversion_out", 700, profile="fidelity-history")
    assert _lines(_arrive(book, "2026-03-04", 700)) == ("COMPUTED", 0, 700)
