"""Ways out of pro-rata, the 6% tax, and after-tax plan money: each number with its arithmetic."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.book import Book

D = Decimal


def _converted(**profile: Any) -> Book:
    """7,500 in and converted in 2026 beside 100,000 of pre-tax money: 7,500 x 100,000 / 107,500 = 6,976.74 taxable."""
    facts = {"marginal_tax_rate": "0.35", "hsa_coverage": "family", "hsa_contributions": 1000, "qhfd_used": False}
    book = Book().person("P1", 2026, **{**facts, **profile})
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    book.ira("T", 100_000).ira("R", 7500, kind="roth_ira")
    return book.event("T", "2026-02-01", "contribution", 7500, tax_year=2026).convert("2026-03-02", 7500)


def _plan(book: Book, **plan: Any) -> Book:
    return book.add("plans", plan_id="A", **plan).add(
        "plan_contributions", person_id="P1", plan_id="A", tax_year=2026, as_of="2026-11-30"
    )


def _ways(book: Book, as_of: str = "2026-12-01") -> dict[str, dict[str, Any]]:
    rows = book.compute(as_of=as_of)["ways_out"].iter_rows(named=True)
    return {row["way"]: row for row in rows}


def test_reverse_rollover_empties_line_6() -> None:
    way = _ways(_plan(_converted()))["reverse_rollover"]
    assert (way["amount"], way["taxable_now"], way["taxable_then"]) == (100_000, D("6976.74"), 0)
    assert (way["plan_id"], way["deadline"]) == ("A", date(2026, 12, 31))
    assert any("ira_roll_in" in fact for fact in way["rests_on"])


def test_accept_costs_the_marginal_rate() -> None:
    """6,976.74 x .35 = 2,441.859."""
    way = _ways(_converted())["accept"]
    assert (way["taxable_then"], way["tax_then"]) == (D("6976.74"), D("2441.86"))
    assert _ways(_converted(marginal_tax_rate=None))["accept"]["tax_then"] is None


def test_convert_everything_taxes_all_pre_tax_money() -> None:
    """107,500 converted, basis 7,500."""
    way = _ways(_converted())["convert_everything"]
    assert (way["conversion"], way["taxable_then"], way["tax_then"]) == (107_500, 100_000, 35_000)


@pytest.mark.parametrize(
    ("profile", "amount"),
    [
        pytest.param({}, 7750, id="family 8,750 less 1,000"),
        pytest.param({"hsa_coverage": "self"}, 3400, id="self 4,400 less 1,000"),
        pytest.param({"birth_date": "1971-12-31"}, 8750, id="55 on December 31: 1,000 more"),
        pytest.param({"birth_date": "1972-01-01"}, 7750, id="54 on December 31"),
    ],
)
def test_qhfd_goes_up_to_the_hsa_limit(profile: dict[str, Any], amount: int) -> None:
    way = _ways(_converted(**profile))["qhfd"]
    assert way["amount"] == amount
    assert way["taxable_then"] == 7500 - (D(7500) * 7500 / (107_500 - amount)).quantize(D("0.01"))


@pytest.mark.parametrize(
    ("profile", "status", "reason"),
    [
        pytest.param({"qhfd_used": True}, "INELIGIBLE", "qhfd_used", id="once in a lifetime"),
        pytest.param({"qhfd_used": None}, "UNKNOWN", "qhfd_used", id="not stated whether used"),
        pytest.param({"hsa_coverage": "none"}, "INELIGIBLE", "no_hsa_coverage", id="no coverage"),
        pytest.param({"hsa_coverage": None}, "UNKNOWN", "hsa_coverage", id="coverage not stated"),
        pytest.param({"hsa_contributions": None}, "UNKNOWN", "hsa_contributions", id="contributions not stated"),
        pytest.param({"hsa_contributions": 8750}, "INELIGIBLE", "nothing_left", id="limit used up"),
    ],
)
def test_qhfd_refused_with_its_reason(profile: dict[str, Any], status: str, reason: str) -> None:
    way = _ways(_converted(**profile))["qhfd"]
    assert (way["status"], way["amount"], way["taxable_then"]) == (status, None, None)
    assert way["reasons"][0].startswith(reason)


@pytest.mark.parametrize(
    ("plan", "status", "reason"),
    [
        pytest.param({"ira_roll_in": False}, "INELIGIBLE", "no_plan_takes_it", id="the plan refuses"),
        pytest.param({"ira_roll_in": None}, "UNKNOWN", "ira_roll_in", id="the plan is not asked"),
        pytest.param(None, "UNKNOWN", "plan_not_in_book", id="covered at work, plan not in the book"),
    ],
)
def test_reverse_rollover_refused_with_its_reason(plan: dict[str, Any] | None, status: str, reason: str) -> None:
    way = _ways(_converted() if plan is None else _plan(_converted(), **plan))["reverse_rollover"]
    assert (way["status"], way["amount"], way["taxable_then"]) == (status, None, None)
    assert way["reasons"][0].startswith(reason)


def test_a_young_simple_ira_can_go_nowhere() -> None:
    """Tax rules D1: 60,000 in a SIMPLE IRA of 2025; only 100,000 may move, 60,000 stays in line 6."""
    book = _plan(_converted()).ira("S", 60_000, kind="simple_ira", simple_first_contribution_date="2025-03-01")
    way = _ways(book)["reverse_rollover"]
    assert way["amount"] == 100_000
    assert way["taxable_then"] == 7500 - (D(7500) * 7500 / 67_500).quantize(D("0.01"))


def test_required_minimum_distribution_comes_first() -> None:
    """Born 1953: 73 in 2026 (401(a)(9)(C)(v))."""
    ways = _ways(_plan(_converted(birth_date="1953-06-01")))
    assert any(reason.startswith("rmd_first") for reason in ways["reverse_rollover"]["reasons"])
    young = _ways(_plan(_converted(birth_date="1954-06-01")))
    assert not any(reason.startswith("rmd_first") for reason in young["reverse_rollover"]["reasons"])


def test_waiting_is_open_until_something_is_converted() -> None:
    assert _ways(_converted())["wait"]["reasons"][0].startswith("already_converted")
    book = Book().person().add("ira_basis", person_id="P1", tax_year=2025, basis=0).ira("T", 100_000)
    planned = _ways(book)
    assert (planned["wait"]["status"], planned["wait"]["taxable_then"]) == ("COMPUTED", 0)
    assert planned["accept"]["taxable_now"] == D("6976.74")


def test_after_the_year_nothing_is_left_but_to_accept() -> None:
    book = _plan(_converted()).add("balances", account_number="T", as_of="2026-12-31", market_value=100_000)
    book.add("balances", account_number="R", as_of="2026-12-31", market_value=7500)
    ways = _ways(book, as_of="2027-02-01")
    assert {way: row["status"] == "INELIGIBLE" for way, row in ways.items()} == {
        "accept": False, "reverse_rollover": True, "qhfd": True, "convert_everything": True, "wait": True,
    }  # fmt: skip


def test_no_way_is_shown_on_an_unknown_form() -> None:
    book = _converted()
    book.rows["ira_basis"].clear()
    assert _ways(book) == {}


def _excess(values: dict[int, Any], contributions: dict[int, int], years: tuple[int, ...], **profile: Any) -> list[Any]:
    book = Book().add("persons", person_id="P1")
    for year in years:
        book.add("tax_profiles", person_id="P1", tax_year=year, **{"roth_magi": 500_000, **profile})
    book.add("accounts", account_number="R", account_type="roth_ira", person_id="P1")
    for year, value in values.items():
        book.add("balances", account_number="R", as_of=f"{year}-12-31", market_value=value)
    for year, amount in contributions.items():
        book.event("R", f"{year}-02-01", "contribution", amount, tax_year=year)
    table = book.compute(as_of=f"{years[-1] + 1}-11-01", tax_years=years)["excess_contributions"]
    return table.sort("tax_year").select("tax_year", "cumulative_excess", "excise_tax").rows()


def test_six_percent_on_what_is_not_cured() -> None:
    """Worked example lim-excise-multiyear: 7,000 in 2024 and in 2025, none in 2026, no room: 420, 840, 840."""
    got = _excess({2024: 50_000, 2025: 50_000, 2026: 50_000}, {2024: 7000, 2025: 7000}, (2024, 2025, 2026))
    assert got == [(2024, 7000, 420), (2025, 14_000, 840), (2026, 14_000, 840)]


def test_six_percent_is_on_no_more_than_the_december_31_value() -> None:
    """Worked example lim-excise-cap: 7,500 of excess, 3,000 left: 180."""
    assert _excess({2026: 3000}, {2026: 7500}, (2026,)) == [(2026, 7500, 180)]


def test_later_room_absorbs_an_excess() -> None:
    """Income falls below the range in 2025: the 7,000 of room takes up the 7,000 carried in."""
    book = Book().add("persons", person_id="P1").add("tax_profiles", person_id="P1", tax_year=2024, roth_magi=500_000)
    book.add("tax_profiles", person_id="P1", tax_year=2025, roth_magi=50_000)
    book.ira("R", 9000, kind="roth_ira", as_of="2024-12-31")
    book.add("balances", account_number="R", as_of="2025-12-31", market_value=9000)
    book.event("R", "2024-02-01", "contribution", 7000, tax_year=2024)
    rows = (
        book.compute(as_of="2026-11-01", tax_years=(2024, 2025))["excess_contributions"]
        .sort("tax_year")
        .rows(named=True)
    )
    assert [(row["absorbed"], row["cumulative_excess"], row["excise_tax"]) for row in rows] == [
        (0, 7000, 420),
        (7000, 0, 0),
    ]


def test_withdrawn_after_the_due_date_ends_the_tax_from_that_year_on() -> None:
    """Instructions for Form 8606 (2023), return of excess: all withdrawn in 2023: 180, 420, 0."""
    book = Book().add("persons", person_id="P1")
    for year in (2021, 2022, 2023):
        book.add("tax_profiles", person_id="P1", tax_year=year, roth_magi=500_000)
        book.add("balances", account_number="R", as_of=f"{year}-12-31", market_value=50_000)
    book.add("accounts", account_number="R", account_type="roth_ira", person_id="P1")
    book.event("R", "2021-02-01", "contribution", 3000, tax_year=2021)
    book.event("R", "2022-02-01", "contribution", 4000, tax_year=2022)
    book.event("R", "2023-11-01", "return_of_excess", 3000, tax_year=2021)
    book.event("R", "2023-11-01", "return_of_excess", 4000, tax_year=2022)
    table = book.compute(as_of="2024-11-01", tax_years=(2021, 2022, 2023))["excess_contributions"].sort("tax_year")
    assert table["excise_tax"].to_list() == [180, 420, 0]


def test_an_excess_is_curable_until_october_15() -> None:
    book = Book().person("P1", 2026, roth_magi=500_000)
    book.add("excess_carryovers", person_id="P1", tax_year=2025, traditional_excess=0, roth_excess=0)
    book.ira("R", 9000, kind="roth_ira", as_of="2026-12-31")
    book.event("R", "2026-02-01", "contribution", 7500, tax_year=2026)
    row = book.compute(as_of="2027-10-15")["excess_contributions"].row(0, named=True)
    assert (row["status"], row["excise_tax"], row["cure_by"]) == ("REVIEW", 450, date(2027, 10, 15))
    late = book.compute(as_of="2027-10-16")["excess_contributions"].row(0, named=True)
    assert (late["status"], late["cure_by"]) == ("COMPUTED", None)


def _after_tax(book: Book) -> dict[str, Any]:
    table = book.compute()["after_tax_conversions"]
    assert table.height == 1
    return table.row(0, named=True)


def _sub_account(*, separate: bool | None, **more: Any) -> Book:
    book = Book().person().add("plans", plan_id="A", separate_after_tax_accounting=separate)
    book.add("accounts", account_number="K", account_type="401k", person_id="P1", plan_id="A")
    return book.add("plan_contributions", person_id="P1", plan_id="A", tax_year=2026, as_of="2026-09-30",
                    **{"after_tax_balance": 31_200, "after_tax_basis": 30_000, **more})  # fmt: skip


def test_separate_accounting_taxes_only_the_earnings() -> None:
    """Notice 2014-54 (mega-d-2014-54-earnings): 30,000 to a Roth IRA, 1,200 to a traditional IRA."""
    row = _after_tax(_sub_account(separate=True))
    assert (row["status"], row["taxable_separate"], row["taxable_prorated"]) == ("COMPUTED", 1200, None)
    assert (row["to_roth_ira"], row["to_traditional_ira"]) == (30_000, 1200)


def test_partial_conversion_is_pro_rata_within_the_sub_account() -> None:
    """Worked example mega-d-partial-convert: 10,400 x 1,200 / 31,200 = 400."""
    row = _after_tax(_sub_account(separate=True).event("K", "2026-10-05", "in_plan_roth_conversion", 10_400))
    assert (row["converted"], row["taxable_of_converted"]) == (10_400, 400)


def test_without_separate_accounting_the_whole_account_counts() -> None:
    """72(e)(8), worked example mega-irs-faq-prorata: 20,000 basis in 100,000, 50,000 out: 40,000 taxable."""
    book = _sub_account(separate=False, after_tax_balance=50_000, after_tax_basis=20_000)
    row = _after_tax(book.add("balances", account_number="K", as_of="2026-11-20", market_value=100_000))
    assert (row["status"], row["taxable_prorated"], row["taxable_separate"]) == ("COMPUTED", 40_000, None)
    assert (row["to_roth_ira"], row["to_traditional_ira"]) == (None, None)


@pytest.mark.parametrize(
    ("book", "status", "reason"),
    [
        pytest.param(_sub_account(separate=False), "UNKNOWN", "plan_balance", id="no plan balance"),
        pytest.param(_sub_account(separate=None), "REVIEW", "separate_accounting", id="accounting not stated"),
        pytest.param(_sub_account(separate=True, after_tax_basis=None), "UNKNOWN", "after_tax_basis", id="no basis"),
        pytest.param(_sub_account(separate=True, after_tax_basis=32_000), "REVIEW", "below_basis", id="at a loss"),
        pytest.param(
            _sub_account(separate=True).event("K", "2026-08-01", "in_plan_roth_conversion", 100),
            "REVIEW", "conversion_not_matched", id="converted before the statement",
        ),
        pytest.param(
            _sub_account(separate=True).event("K", "2026-09-30", "in_plan_roth_conversion", 100),
            "REVIEW", "conversion_not_matched", id="converted on the day of the statement",
        ),
        pytest.param(
            _sub_account(separate=True, after_tax_contributions=1, after_tax_balance=None, after_tax_basis=None),
            "UNKNOWN", "after_tax_balance", id="a dollar contributed, balance blank",
        ),
    ],
)  # fmt: skip
def test_after_tax_money_that_is_not_known(book: Book, status: str, reason: str) -> None:
    row = _after_tax(book)
    assert row["status"] == status
    assert row["reasons"][0].startswith(reason)


def test_disaster_distributions_are_split_off_line_15a() -> None:
    """Instructions for Form 8606 (2023), line 15b example 1: 30,000 x 22,000 / 33,000 = 20,000."""
    book = Book().person("P1", 2025).add("ira_basis", person_id="P1", tax_year=2024, basis=9090)
    book.ira("T", 66_990, as_of="2025-12-31")
    book.event("T", "2025-05-01", "qualified_disaster_distribution", 22_000).event(
        "T", "2025-06-01", "distribution", 11_000
    )
    row = book.compute(as_of="2026-05-01", tax_years=(2025,))["form_8606"].row(0, named=True)
    assert (row["line_7"], row["line_12"], row["line_15a"]) == (33_000, 3000, 30_000)
    assert (row["line_15b"], row["line_15c"]) == (20_000, 10_000)


def test_same_year_repayments_of_disaster_money_come_off_line_6() -> None:
    """Instructions for Form 8606 (2023), line 6 example: 50,000 at year end, 10,000 of 20,000 repaid: 40,000."""
    book = Book().person("P1", 2025).add("ira_basis", person_id="P1", tax_year=2024, basis=1000)
    book.ira("T", 50_000, as_of="2025-12-31").event("T", "2025-05-01", "qualified_disaster_distribution", 20_000)
    book.event("T", "2025-09-01", "qualified_disaster_repayment", 10_000)
    assert book.compute(as_of="2026-05-01", tax_years=(2025,))["form_8606"]["line_6"].to_list() == [40_000]


def _converted_on_purpose() -> Book:
    """40,000 converted out of 190,000 of pre-tax money, nothing contributed: 7,500 of room is left."""
    book = Book().person("P1", 2026, marginal_tax_rate="0.35", hsa_coverage="none")
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    return book.ira("T", 150_000).ira("R", 40_000, kind="roth_ira").convert("2026-03-02", 40_000)


def test_the_room_left_after_a_conversion_is_priced_on_every_way() -> None:
    """With 7,500 more in and out line 9 is 197,500: 47,500 x 7,500 / 197,500 = 1,803.80 is free, 5,696.20 more taxed.

    With 150,000 in the plan nothing but the 47,500 is left, and all of the 7,500 comes out free of tax. Converting
    everything, 197,500, does that too.
    """
    ways = _ways(_plan(_converted_on_purpose()))
    priced = {way: (row["taxable_then"], row["room_left"], row["room_adds"]) for way, row in ways.items()}
    assert priced == {
        "accept": (40_000, 7500, D("5696.20")),
        "reverse_rollover": (40_000, 7500, 0),
        "convert_everything": (190_000, 7500, 0),
        "qhfd": (None, None, None),
        "wait": (None, None, None),
    }


def test_without_room_or_without_a_conversion_there_is_no_room_to_price() -> None:
    waiting = Book().person("P1", 2026).add("ira_basis", person_id="P1", tax_year=2025, basis=0).ira("T", 100_000)
    for book in (_converted(), waiting.event("T", "2026-02-01", "contribution", 2500, tax_year=2026)):
        ways = _ways(book)
        assert ways
        assert {(row["room_left"], row["room_adds"]) for row in ways.values()} == {(None, None)}


def test_the_blocked_backdoor_says_what_the_room_would_add_after_a_conversion() -> None:
    results = _plan(_converted_on_purpose()).compute()
    (found,) = results["findings"].filter(pl.col("rule") == "backdoor_blocked_by_pre_tax").to_dicts()
    assert (found["amount"], found["amount_is"]) == (D("1993.67"), "tax")  # 5,696.20 x .35
    assert "then contribute and convert $7,500: $0 more would be taxable." in found["action"]
    (overview,) = results["backdoor_overview"]["ways_out"].to_list()
    assert "Leave the conversion as it is: taxed on $40,000, and on $5,696.20 more with the room of $7,500" in overview
