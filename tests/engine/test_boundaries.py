"""Edges of the IRA rules with their hand arithmetic: all in one book, so that nobody's edge leaks into another's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.book import Book

Case = Callable[[Book, str], None]
Tables = dict[str, pl.DataFrame]


def _ira(book: Book, who: str, value: Any, suffix: str = "T", **more: Any) -> str:
    number = f"{who}{suffix}"
    book.ira(number, value, person_id=who, **more)
    return number


def _basis(book: Book, who: str, year: int, basis: Any) -> None:
    book.add("ira_basis", person_id=who, tax_year=year, basis=basis)


def _two_years(book: Book, who: str, **facts: Any) -> None:
    birth = {"birth_date": facts.pop("birth_date")} if "birth_date" in facts else {}
    book.person(who, 2025, **birth, **facts)
    row = {"person_id": who, "tax_year": 2026, **facts}
    book.add("tax_profiles", **row)


def later_than_the_as_of_date(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2025, 7500)
    _ira(book, who, 100_000, as_of="2026-06-01")
    book.event(f"{who}T", "2026-12-15", "roth_conversion_out", 7500)
    book.event(f"{who}T", "2026-12-20", "contribution", 7500, tax_year=2026)


def recharacterized_after_december_31(book: Book, who: str) -> None:
    """Instructions for line 6: 50,000 + 7,300 moved in March; 10,000 x 7,000 / 67,300 = 1,040.12."""
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _ira(book, who, 50_000, as_of="2025-12-31")
    _ira(book, who, 0, "R", kind="roth_ira")
    book.convert("2025-06-01", 10_000, out_of=f"{who}T", into=f"{who}R")
    book.event(f"{who}R", "2025-02-01", "contribution", 7000, tax_year=2025)
    book.event(f"{who}R", "2026-03-01", "recharacterization_out", 7300, tax_year=2025)
    book.event(f"{who}T", "2026-03-01", "recharacterization_in", 7300, tax_year=2025)


def recharacterized_after_october_15(book: Book, who: str) -> None:
    """408A(d)(6): too late; the Roth excess of 7,000 stays."""
    _two_years(book, who, roth_magi=500_000)
    _basis(book, who, 2024, 0)
    _ira(book, who, 0)
    _ira(book, who, 7300, "R", kind="roth_ira", as_of="2025-12-31")
    book.event(f"{who}R", "2025-02-01", "contribution", 7000, tax_year=2025)
    book.event(f"{who}R", "2026-11-02", "recharacterization_out", 7000, tax_year=2025)


def unread_event_since_the_basis(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2024, 10_000)
    _ira(book, who, 90_000, as_of="2025-12-31")
    book.event(f"{who}T", "2025-05-01", "unclassified", 5000, classification="ambiguous", profile="schwab-transactions")


def basis_nought_and_only_outflows(book: Book, who: str) -> None:
    """No basis can come of distributions: line 2 stays 0 though the stated one is of 2023."""
    _two_years(book, who)
    _basis(book, who, 2023, 0)
    _ira(book, who, 50_000, as_of="2025-12-31")
    book.event(f"{who}T", "2024-05-01", "distribution", 5000)


def firm_states_the_year(book: Book, who: str) -> None:
    """The custodian's row has no tax year: the firm's one is the same 7,000, for 2025 only."""
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _ira(book, who, 7000, as_of="2025-12-31")
    book.event(f"{who}T", "2026-02-10", "contribution", 7000, tax_year=2025)
    book.event(f"{who}T", "2026-02-10", "contribution", 7000, profile="fidelity-history")


def contribution_to_an_unknown_kind(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 7500, kind="other")
    book.event(f"{who}T", "2026-02-10", "contribution", 7500, tax_year=2026)


def inherited_and_treated_as_own(book: Book, who: str) -> None:
    """In the pool (rules A2): its contribution is line 1; 7,500 x 7,500 / 115,000 = 489.13."""
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 107_500, kind="inherited_traditional_ira", beneficiary_is_spouse=True, treated_as_own=True)
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.event(f"{who}T", "2026-02-10", "contribution", 7500, tax_year=2026)
    book.convert("2026-03-10", 7500, out_of=f"{who}T", into=f"{who}R")


def charity_before_70_and_a_half(book: Book, who: str) -> None:
    """408(d)(8)(B)(ii): born June 15, 1956, 70 1/2 on December 15, 2026; 5,000 in March is an ordinary distribution."""
    _two_years(book, who, birth_date="1956-06-15")
    _basis(book, who, 2025, 0)
    _ira(book, who, 50_000)
    book.event(f"{who}T", "2026-03-01", "qcd", 5000)


def converts_before_the_rmd(book: Book, who: str) -> None:
    _two_years(book, who, birth_date="1950-01-01")
    _basis(book, who, 2025, 0)
    _ira(book, who, 100_000)
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.convert("2026-03-10", 7500, out_of=f"{who}T", into=f"{who}R")


def converts_after_the_rmd(book: Book, who: str) -> None:
    converts_before_the_rmd(book, who)
    book.event(f"{who}T", "2026-01-10", "rmd", 4000)


def converts_a_young_simple(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 10_000, kind="simple_ira", simple_first_contribution_date="2025-12-01")
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.convert("2026-03-01", 7500, out_of=f"{who}T", into=f"{who}R")


def returned_within_the_year(book: Book, who: str) -> None:
    """4,000 of February 2025 came back in June; the 3,000 of February 2026 is line 4: nothing of the 1,000 is basis."""
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _ira(book, who, 3000, as_of="2025-12-31")
    book.event(f"{who}T", "2025-02-01", "contribution", 4000, tax_year=2025)
    book.event(f"{who}T", "2025-06-01", "return_of_excess", 4000, tax_year=2025)
    book.event(f"{who}T", "2026-02-01", "contribution", 3000, tax_year=2025)
    book.event(f"{who}T", "2025-09-01", "distribution", 1000)


def returned_without_a_year(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _ira(book, who, 0, as_of="2025-12-31")
    book.event(f"{who}T", "2025-02-01", "contribution", 7000, tax_year=2025)
    book.event(f"{who}T", "2026-03-01", "return_of_excess", 7000)


def divorce_with_this_years_basis(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 7500)
    book.event(f"{who}T", "2026-02-01", "contribution", 7500, tax_year=2026)
    book.event(f"{who}T", "2026-05-01", "divorce_transfer_out", 3000)


def ten_dollars_over_both_kinds(book: Book, who: str) -> None:
    """7,000 traditional leave 500 for a Roth IRA; 510 is 10 above what both may have, whatever a worksheet rounds."""
    _two_years(book, who, roth_magi=160_000)
    _basis(book, who, 2025, 0)
    _ira(book, who, 7000)
    _ira(book, who, 510, "R", kind="roth_ira")
    book.event(f"{who}T", "2026-02-01", "contribution", 7000, tax_year=2026)
    book.event(f"{who}R", "2026-02-01", "contribution", 510, tax_year=2026)


def roth_simple_deferrals(book: Book, who: str) -> None:
    _two_years(book, who, roth_magi=50_000)
    _ira(book, who, 10_000, "R", kind="roth_simple_ira")
    book.event(f"{who}R", "2026-02-01", "contribution", 10_000, tax_year=2026)


def no_birth_date_little_pay(book: Book, who: str) -> None:
    book.add("persons", person_id=who, birth_date="")
    book.add("tax_profiles", person_id=who, tax_year=2026, compensation=4000, active_participant=False)


def profile_row_set_aside(book: Book, who: str) -> None:
    """The row said whether all IRAs are in the book: without it the form isn't known, and says why."""
    book.add("persons", person_id=who)
    book.add("rejects", kind="tax_profiles", person_id=who)
    _basis(book, who, 2025, 7500)
    _ira(book, who, 100_000)
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.convert("2026-03-10", 7500, out_of=f"{who}T", into=f"{who}R")


def one_way_spouse(book: Book, who: str) -> None:
    """Only the spouse's row names the couple: 219(c) still lets 10,000 of the spouse's pay count."""
    _two_years(book, who, filing_status="mfj", compensation=0)
    book.add("persons", person_id=f"{who}S", spouse_person_id=who)
    book.add("tax_profiles", person_id=f"{who}S", tax_year=2026, filing_status="mfj", compensation=10_000)


def spouse_unreadable(book: Book, who: str) -> None:
    one_way_spouse(book, who)
    book.ira(f"{who}SR", 7000, person_id=f"{who}S", kind="roth_ira")
    book.event(f"{who}SR", "2026-02-01", "unclassified", 7000, classification="ambiguous",
               profile="schwab-transactions")  # fmt: skip


def hsa_transfer_of_2024(book: Book, who: str) -> None:
    _two_years(book, who, qhfd_used=False, hsa_coverage="family", hsa_contributions=0)
    _basis(book, who, 2025, 7500)
    _ira(book, who, 100_000)
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.event(f"{who}T", "2024-03-01", "qhfd", 3000)
    book.convert("2026-03-10", 7500, out_of=f"{who}T", into=f"{who}R")


def nothing_converted_in_an_ended_year(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _ira(book, who, 100_000, as_of="2025-12-31")
    book.event(f"{who}T", "2025-02-01", "contribution", 7000, tax_year=2025)


def a_transfer_in_flight(book: Book, who: str) -> None:
    """408(d)(2): 40,000 on its way to another custodian is still the client's; 7,500 x 7,500 / 107,500 = 523.26."""
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 60_000, as_of="2026-11-28")
    _ira(book, who, 0, "U", as_of="2026-11-28")
    _ira(book, who, 7500, "R", kind="roth_ira")
    book.event(f"{who}T", "2026-02-10", "contribution", 7500, tax_year=2026)
    book.convert("2026-03-10", 7500, out_of=f"{who}T", into=f"{who}R")
    book.event(f"{who}T", "2026-11-25", "trustee_transfer_out", 40_000)


def a_conversion_over_the_year_end(book: Book, who: str) -> None:
    """Line 8 counts in the year it left; the Roth leg of January 2 doesn't make 2026 miss an IRA."""
    _two_years(book, who)
    _basis(book, who, 2024, 10_000)
    _ira(book, who, 90_000, as_of="2025-12-31")
    _ira(book, who, 0, "R", kind="roth_ira")
    book.event(f"{who}T", "2025-12-31", "roth_conversion_out", 10_000)
    book.event(f"{who}R", "2026-01-02", "roth_conversion_in", 10_000)


def an_older_rollover_that_never_came_back(book: Book, who: str) -> None:
    """The one of May 2024 stays open; the one of December 2025 is back in January: line 6 is 50,000 + 20,000."""
    _two_years(book, who)
    _basis(book, who, 2024, 7000)
    _ira(book, who, 50_000, as_of="2025-12-31")
    _ira(book, who, 0, "U", as_of="2025-12-31")
    _ira(book, who, 10_000, "R", kind="roth_ira")
    book.event(f"{who}T", "2023-05-10", "rollover_out", 20_000)
    book.event(f"{who}T", "2025-12-10", "rollover_out", 20_000)
    book.event(f"{who}U", "2026-01-20", "rollover_in", 20_000)
    book.convert("2025-06-01", 10_000, out_of=f"{who}T", into=f"{who}R")


def withholding_replaced(book: Book, who: str) -> None:
    """Rules D5: 9,000 and the withheld 1,000 both reached the Roth IRA: 10,000 converted, nothing distributed."""
    _two_years(book, who)
    _basis(book, who, 2025, 10_000)
    _ira(book, who, 0)
    _ira(book, who, 10_000, "R", kind="roth_ira")
    book.convert("2026-03-10", 9000, out_of=f"{who}T", into=f"{who}R")
    book.event(f"{who}T", "2026-03-10", "withholding", 1000)
    book.event(f"{who}R", "2026-04-20", "roth_conversion_in", 1000)


def basis_against_the_contributions(book: Book, who: str) -> None:
    """7,000 was contributed for 2025 and nothing left: the stated basis of 0 can't be its line 14."""
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 0)
    _ira(book, who, 7000, "R", kind="roth_ira")
    book.event(f"{who}T", "2026-02-10", "contribution", 7000, tax_year=2025)
    book.convert("2026-03-10", 7000, out_of=f"{who}T", into=f"{who}R")


def basis_used_up_last_year(book: Book, who: str) -> None:
    """7,000 was contributed for 2025 and converted in 2025: a stated basis of 0 is no contradiction."""
    _two_years(book, who)
    _basis(book, who, 2025, 0)
    _ira(book, who, 0)
    _ira(book, who, 7000, "R", kind="roth_ira")
    book.event(f"{who}T", "2025-02-10", "contribution", 7000, tax_year=2025)
    book.convert("2025-03-10", 7000, out_of=f"{who}T", into=f"{who}R")


def basis_against_the_computed_line_14(book: Book, who: str) -> None:
    """Line 14 of 2025 is 7,000; the firm states 6,000 for 2025: the stated one is used, and told."""
    _two_years(book, who)
    _basis(book, who, 2024, 0)
    _basis(book, who, 2025, 6000)
    _ira(book, who, 7000)
    book.event(f"{who}T", "2025-02-10", "contribution", 7000, tax_year=2025)


def neither_ira_nor_basis(book: Book, who: str) -> None:
    _two_years(book, who)
    _basis(book, who, 2025, 0)


CASES: tuple[Case, ...] = (
    later_than_the_as_of_date, recharacterized_after_december_31, recharacterized_after_october_15,
    unread_event_since_the_basis, basis_nought_and_only_outflows, firm_states_the_year,
    contribution_to_an_unknown_kind, inherited_and_treated_as_own, charity_before_70_and_a_half,
    converts_before_the_rmd, converts_after_the_rmd, converts_a_young_simple, returned_within_the_year,
    returned_without_a_year, divorce_with_this_years_basis, ten_dollars_over_both_kinds, roth_simple_deferrals,
    no_birth_date_little_pay, profile_row_set_aside, one_way_spouse, spouse_unreadable, hsa_transfer_of_2024,
    nothing_converted_in_an_ended_year, a_transfer_in_flight, a_conversion_over_the_year_end,
    an_older_rollover_that_never_came_back, withholding_replaced, basis_against_the_contributions,
    basis_used_up_last_year, basis_against_the_computed_line_14, neither_ira_nor_basis,
)  # fmt: skip

#: case, table, tax year, status, columns, and the codes of its reasons
EXPECTED: tuple[tuple[Case, str, int, str, dict[str, Any], tuple[str, ...]], ...] = (
    (later_than_the_as_of_date, "form_8606", 2026, "COMPUTED", {"line_1": 0, "line_8": None, "line_14": 7500}, ()),
    (recharacterized_after_december_31, "form_8606", 2025, "REVIEW",
     {"line_1": 7000, "line_6": 57_300, "line_11": Decimal("1040.12"), "line_18": Decimal("8959.88")},
     ("recharacterized_after_year_end",)),
    (recharacterized_after_october_15, "ira_limits", 2025, "REVIEW",
     {"roth_contributions": 7000, "excess_contributions": 7000}, ("recharacterized_too_late",)),
    (unread_event_since_the_basis, "form_8606", 2026, "UNKNOWN", {"line_2": None, "line_14": None},
     ("basis_not_current",)),
    (basis_nought_and_only_outflows, "form_8606", 2025, "COMPUTED", {"line_2": 0, "line_14": 0}, ()),
    (firm_states_the_year, "form_8606", 2025, "COMPUTED", {"line_1": 7000, "line_14": 7000}, ()),
    (firm_states_the_year, "form_8606", 2026, "COMPUTED", {"line_1": 0, "line_14": 7000}, ()),
    (contribution_to_an_unknown_kind, "form_8606", 2026, "UNKNOWN", {"line_14": None}, ("account_not_decided",)),
    (contribution_to_an_unknown_kind, "ira_limits", 2026, "UNKNOWN", {"roth_limit": None}, ("account_not_decided",)),
    (inherited_and_treated_as_own, "form_8606", 2026, "REVIEW",
     {"line_1": 7500, "line_9": 115_000, "line_11": Decimal("489.13"), "line_18": Decimal("7010.87")},
     ("three_place_ratio",)),
    (charity_before_70_and_a_half, "form_8606", 2026, "REVIEW", {"line_7": 5000, "line_15c": 5000},
     ("qcd_before_70_and_a_half",)),
    (converts_before_the_rmd, "form_8606", 2026, "REVIEW", {"line_8": 7500, "line_18": 7500}, ("rmd_first",)),
    (converts_after_the_rmd, "form_8606", 2026, "COMPUTED", {"line_7": 4000, "line_18": 7500}, ()),
    (converts_a_young_simple, "form_8606", 2026, "REVIEW", {"line_18": 7500}, ("simple_first_two_years",)),
    (returned_within_the_year, "form_8606", 2025, "COMPUTED",
     {"line_1": 3000, "line_4": 3000, "line_5": 0, "line_12": 0, "line_14": 3000}, ()),
    (returned_without_a_year, "form_8606", 2025, "REVIEW", {"line_1": 7000}, ("return_without_tax_year",)),
    (returned_without_a_year, "ira_limits", 2026, "REVIEW", {}, ("returned_without_contribution",)),
    (divorce_with_this_years_basis, "form_8606", 2026, "UNKNOWN", {"line_14": None}, ("divorce_transfer",)),
    (ten_dollars_over_both_kinds, "ira_limits", 2026, "COMPUTED", {"roth_limit": 500, "excess_contributions": 10},
     ()),
    (roth_simple_deferrals, "ira_limits", 2026, "COMPUTED", {"roth_contributions": 0, "excess_contributions": 0}, ()),
    (no_birth_date_little_pay, "ira_limits", 2026, "COMPUTED", {"contribution_limit": 4000, "deduction_limit": 4000},
     ()),
    (profile_row_set_aside, "form_8606", 2026, "UNKNOWN", {"line_18": None}, ("row_set_aside",)),
    (one_way_spouse, "ira_limits", 2026, "COMPUTED", {"contribution_limit": 7500}, ()),
    (a_transfer_in_flight, "form_8606", 2026, "REVIEW", {"line_6": 100_000, "line_11": Decimal("523.26")},
     ("rollover_in_transit",)),
    (a_conversion_over_the_year_end, "form_8606", 2025, "COMPUTED",
     {"line_8": 10_000, "line_11": 1000, "line_14": 9000}, ()),
    (a_conversion_over_the_year_end, "form_8606", 2026, "COMPUTED",
     {"line_2": 9000, "line_8": None, "line_14": 9000}, ()),
    (an_older_rollover_that_never_came_back, "form_8606", 2025, "REVIEW", {"line_6": 70_000, "line_11": 875},
     ("three_place_ratio",)),
    (withholding_replaced, "form_8606", 2026, "REVIEW", {"line_7": 0, "line_8": 10_000, "line_18": 0},
     ("withholding_replaced",)),
    (basis_against_the_contributions, "form_8606", 2026, "REVIEW", {"line_2": 0, "line_18": 7000},
     ("basis_contradiction",)),
    (basis_used_up_last_year, "form_8606", 2026, "COMPUTED", {"line_2": 0, "line_14": 0}, ()),
    (basis_against_the_computed_line_14, "form_8606", 2026, "REVIEW", {"line_2": 6000, "line_14": 6000},
     ("basis_contradiction",)),
    (spouse_unreadable, "ira_limits", 2026, "UNKNOWN", {"contribution_limit": None}, ("spouse_contributions_unknown",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def everybody() -> Tables:
    book = Book()
    for case in CASES:
        case(book, _who(case))
    return book.compute(tax_years=(2025, 2026))


def _who(case: Case) -> str:
    return f"P{CASES.index(case):02d}"


@pytest.mark.parametrize("expected", EXPECTED, ids=[f"{e[0].__name__}-{e[1]}-{e[2]}" for e in EXPECTED])
def test_edge(everybody: Tables, expected: tuple[Case, str, int, str, dict[str, Any], tuple[str, ...]]) -> None:
    case, table, year, status, columns, codes = expected
    found = pl.col("person_id").eq(_who(case)) & pl.col("tax_year").eq(year)
    row = everybody[table].row(by_predicate=found, named=True)
    assert {c: row[c] for c in columns} == columns, row["reasons"]
    assert row["status"] == status, row["reasons"]
    assert set(codes) <= {reason.split(": ")[0] for reason in row["reasons"]}
    assert bool(row["reasons"]) == (status != "COMPUTED")


def test_who_has_neither_ira_nor_basis_has_no_form(everybody: Tables) -> None:
    assert everybody["form_8606"].filter(pl.col("person_id") == _who(neither_ira_nor_basis)).is_empty()


def _way(everybody: Tables, case: Case, year: int, way: str) -> dict[str, Any]:
    found = pl.col("person_id").eq(_who(case)) & pl.col("tax_year").eq(year) & pl.col("way").eq(way)
    return everybody["ways_out"].row(by_predicate=found, named=True)


def test_an_hsa_transfer_of_any_year_is_the_only_one(everybody: Tables) -> None:
    row = _way(everybody, hsa_transfer_of_2024, 2026, "qhfd")
    assert (row["status"], row["amount"], row["reasons"][0].split(": ")[0]) == ("INELIGIBLE", None, "qhfd_used")


def test_nothing_can_be_converted_in_a_year_that_has_ended(everybody: Tables) -> None:
    row = _way(everybody, nothing_converted_in_an_ended_year, 2025, "accept")
    assert (row["status"], row["taxable_then"], row["reasons"][0].split(": ")[0]) == ("INELIGIBLE", None, "year_ended")


def _carried(book: Book, **stated: Any) -> dict[tuple[str, int], dict[str, Any]]:
    for year in (2025, 2026):
        book.add("tax_profiles", person_id="P1", tax_year=year, roth_magi=stated.pop("roth_magi", 50_000))
    for number, kind in (("T", "traditional_ira"), ("R", "roth_ira")):
        book.ira(number, 50_000, kind=kind, as_of="2025-12-31")
        book.add("balances", account_number=number, as_of="2026-12-31", market_value=50_000)
    rows = book.compute(as_of="2027-11-01", tax_years=(2025, 2026))["excess_contributions"]
    return {(r["ira_kind"], r["tax_year"]): r for r in rows.iter_rows(named=True)}


def _with_carryover(**amounts: Any) -> Book:
    book = Book().add("persons", person_id="P1")
    facts = {"tax_year": 2024, "traditional_excess": 0, "roth_excess": 0, **amounts}
    return book.add("excess_carryovers", person_id="P1", **facts)


def test_one_limit_absorbs_both_kinds_of_excess() -> None:
    """7,000 of room in 2025: 2,000 traditional first, then 5,000 of the Roth 6,000; 6% of the 1,000 left is 60."""
    rows = _carried(_with_carryover(traditional_excess=2000, roth_excess=6000))
    assert (rows["traditional", 2025]["absorbed"], rows["traditional", 2025]["excise_tax"]) == (2000, 0)
    assert (rows["roth", 2025]["absorbed"], rows["roth", 2025]["cumulative_excess"]) == (5000, 1000)
    assert (rows["roth", 2025]["excise_tax"], rows["roth", 2025]["status"]) == (60, "COMPUTED")
    assert (rows["roth", 2026]["excess_before"], rows["roth", 2026]["cumulative_excess"]) == (1000, 0)


def test_a_roth_distribution_lowers_the_roth_excess() -> None:
    """4973(f)(2)(A), Form 5329 line 20: 7,000 paid out in November 2025 leaves nothing to tax."""
    book = _with_carryover(roth_excess=7000).event("R", "2025-11-01", "distribution", 7000)
    row = _carried(book, roth_magi=500_000)["roth", 2025]
    assert (row["withdrawn"], row["cumulative_excess"], row["excise_tax"]) == (7000, 0, 0)


def test_an_excess_stated_for_an_older_year_is_not_current() -> None:
    row = _carried(_with_carryover(tax_year=2023, roth_excess=7000))["roth", 2025]
    assert (row["status"], row["excise_tax"]) == ("UNKNOWN", None)
    assert row["reasons"][0].split(": ")[0] == "excess_not_current"


def test_an_excess_stated_for_the_year_itself_is_not_carried_into_it() -> None:
    """The 700 stated for 2025 is what 2025 ends with: it comes into 2026."""
    rows = _carried(_with_carryover(tax_year=2025, roth_excess=700), roth_magi=500_000)
    assert ("roth", 2025) not in rows
    assert rows["roth", 2026]["excess_before"] == 700


def test_an_excess_after_years_nobody_looked_at_is_reviewed() -> None:
    book = Book().add("persons", person_id="P1").event("R", "2025-02-01", "contribution", 8000, tax_year=2025)
    row = _carried(book)["roth", 2025]
    assert (row["status"], row["cumulative_excess"], row["excise_tax"]) == ("REVIEW", 1000, 60)
    assert row["reasons"][0].split(": ")[0] == "earlier_years"


def test_october_15_on_a_saturday_is_the_monday_after() -> None:
    """IRC 7503: October 15, 2022 was a Saturday, so a return on Monday the 17th still cures 2021."""
    book = Book().person("P1", 2021, roth_magi=500_000).ira("R", 0, kind="roth_ira", as_of="2021-12-31")
    book.event("R", "2021-02-01", "contribution", 6000, tax_year=2021)
    book.event("R", "2022-10-17", "return_of_excess", 6000, tax_year=2021)
    row = book.compute(as_of="2022-12-01", tax_years=(2021,))["ira_limits"].row(0, named=True)
    assert (row["excess_contributions"], row["status"]) == (0, "COMPUTED")
