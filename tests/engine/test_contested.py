"""The contested rules: both positions of every switch, and REVIEW where the choice moves the number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from limits import contested
from tests.book import Book

D = Decimal


def _form(book: Book, year: int = 2025, **choices: str) -> dict[str, Any]:
    table = book.compute(as_of=f"{year + 1}-05-01", tax_years=(year,), choices=choices)["form_8606"]
    assert table.height == 1
    return table.row(0, named=True)


def _rose_green() -> Book:
    """Pub 590-B (2025), Worksheet 1-1 illustrated: 2,000 contributed, 1,500 deductible, 5,000 converted."""
    book = Book().person("P1", 2025, deduction_magi=80_000, compensation=60_000, ira_deduction=1500)
    book.add("ira_basis", person_id="P1", tax_year=2024, basis=300)
    book.ira("T", 20_000, as_of="2025-12-31").ira("R", 5000, kind="roth_ira", as_of="2025-12-31")
    return book.event("T", "2025-02-01", "contribution", 2000, tax_year=2025).convert("2025-03-03", 5000)


def test_worksheet_1_1_replaces_part_1_for_rose_green() -> None:
    form = _form(_rose_green())
    lines = {name: form[f"line_{name}"] for name in (1, 2, 3, 9, 13, 14, 16, 17, 18)}
    assert lines == {1: 500, 2: 300, 3: 800, 9: 25_000, 13: 460, 14: 340, 16: 5000, 17: 460, 18: 4540}
    assert form["line_10"] == D("0.092")
    assert form["line_4"] is None
    assert form["status"] == "REVIEW"
    assert form["reasons"][0].startswith("worksheet_1_1")


def test_plain_part_1_for_rose_green_is_the_other_choice() -> None:
    form = _form(_rose_green(), partly_deductible="part_1")
    assert (form["line_13"], form["line_14"], form["line_18"]) == (160, 640, 4840)
    assert form["status"] == "REVIEW"


def test_worksheet_1_1_never_takes_off_more_than_the_basis() -> None:
    """Everything comes out: the worksheet's ratio is 1 but only 300 + 500 is basis."""
    book = _rose_green()
    book.rows["balances"][0]["market_value"] = 0
    book.rows["transactions"][1]["amount"] = book.rows["transactions"][2]["amount"] = 2300
    form = _form(book)
    assert (form["line_10"], form["line_13"], form["line_14"], form["line_18"]) == (1, 800, 0, 1500)


def _ordinary_backdoor() -> Book:
    """Contribute 7,000 and convert 7,100: 7,000 / 7,100 = .98592 (.986 at three places)."""
    book = Book().person("P1", 2025).add("ira_basis", person_id="P1", tax_year=2024, basis=0)
    book.ira("T", 0, as_of="2025-12-31").ira("R", 7100, kind="roth_ira", as_of="2025-12-31")
    return book.event("T", "2025-02-01", "contribution", 7000, tax_year=2025).convert("2025-06-02", 7100)


def test_line_10_exact_and_at_three_places() -> None:
    """.986 x 7,100 = 7,000.60, cut to line 5; so both show 7,000 nontaxable, and it is under a dollar: no REVIEW."""
    exact, rounded = _form(_ordinary_backdoor()), _form(_ordinary_backdoor(), line_10="three_places")
    assert (exact["line_17"], exact["line_18"], exact["line_14"]) == (7000, 100, 0)
    assert (rounded["line_10"], rounded["line_17"], rounded["line_14"]) == (D("0.986"), 7000, 0)
    assert exact["status"] == "COMPUTED"


def test_line_10_is_review_where_three_places_move_it_by_more_than_a_dollar() -> None:
    """7,000 of basis in 100,500: .069652 exactly, .070 at three places; 50,000 converted."""
    book = _ordinary_backdoor()
    book.rows["balances"][0]["market_value"] = 50_500
    for row in book.rows["transactions"][1:]:
        row["amount"] = 50_000
    exact, rounded = _form(book), _form(book, line_10="three_places")
    assert (exact["line_17"], rounded["line_17"]) == (D("3482.59"), D("3500.00"))
    assert exact["status"] == rounded["status"] == "REVIEW"
    assert any(reason.startswith("three_place_ratio") for reason in exact["reasons"])


def _whole_pool_at_a_loss() -> Book:
    book = Book().person("P1", 2025).add("ira_basis", person_id="P1", tax_year=2024, basis=7500)
    book.ira("T", 0, as_of="2025-12-31").ira("R", 7200, kind="roth_ira", as_of="2025-12-31")
    return book.convert("2025-03-03", 7200)


def test_whole_pool_at_a_loss_keeps_its_basis_or_not() -> None:
    """Tax rules B2 and B3: 7,500 of basis, 7,200 converted, nothing left."""
    kept, dropped = _form(_whole_pool_at_a_loss()), _form(_whole_pool_at_a_loss(), whole_pool_at_a_loss="part_2_only")
    assert (kept["line_17"], kept["line_18"], kept["line_14"], kept["status"]) == (7200, 0, 300, "REVIEW")
    assert (dropped["line_17"], dropped["line_18"], dropped["line_14"], dropped["status"]) == (7500, 0, 0, "REVIEW")


def test_roth_limit_ratio_exact_and_on_the_worksheet() -> None:
    """Worked example roth-d-15: MFJ 242,014 in 2026 is 7,490 by the statute, 7,500 by the three-place worksheets."""
    book = Book().person("P1", 2026, filing_status="mfj", roth_magi=242_014)
    exact = book.compute()["ira_limits"].row(0, named=True)
    rounded = book.compute(choices={"roth_limit_ratio": "three_places"})["ira_limits"].row(0, named=True)
    assert (exact["roth_limit"], rounded["roth_limit"]) == (7490, 7500)


def test_ten_dollars_over_is_review_and_not_excess() -> None:
    book = Book().person("P1", 2026, filing_status="mfj", roth_magi=242_014).ira("R", 7500, kind="roth_ira")
    row = book.event("R", "2026-02-01", "contribution", 7500, tax_year=2026).compute()["ira_limits"].row(0, named=True)
    assert (row["status"], row["excess_contributions"]) == ("REVIEW", 0)


def test_every_switch_has_a_default_another_choice_and_an_authority() -> None:
    for rule in contested.rules():
        assert rule.choice in rule.choices, rule.key
        assert len(rule.choices) > 1, rule.key
        assert rule.question.endswith("?"), rule.key
        assert rule.authority, rule.key
        assert rule.why, rule.key


@pytest.mark.parametrize(("key", "choice"), [("line_11", "exact"), ("line_10", "two_places")])
def test_an_unknown_switch_or_position_is_refused_by_name(key: str, choice: str) -> None:
    with pytest.raises(ValueError, match=key):
        contested.choices({key: choice})
