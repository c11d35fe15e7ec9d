"""Employer plans, rule by rule: 415(c) groups, Roth catch-up, usable plans, SIMPLE, SEP, payroll, limitation years.

Every scene is one person of one book, computed once; the amounts are worked out in the docstrings from 2026's limits
(402(g) 24,500; 415(c) 72,000; catch-up 8,000; SIMPLE 17,000 and 4,000; Roth catch-up above 150,000 of wages).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from limits import load
from tests.book import Book

Scene = Callable[[Book, str], object]
Results = dict[str, pl.DataFrame]
SCENES: dict[str, Scene] = {}
BORN_1971 = {"birth_date": "1971-06-15"}
NO_ROTH = {"roth_deferrals": False}
ROTH_BLANK = {"roth_deferrals": None}
NO_AFTER_TAX = {"after_tax_contributions": False}
NO_WAY_TO_ROTH = {"in_plan_roth_conversion": False, "in_service_distribution": False}


def scene(**person: Any) -> Callable[[Scene], Scene]:
    """Register a person's plans under the function's name, which is the person's id."""

    def register(build: Scene) -> Scene:
        def with_person(book: Book, who: str) -> object:
            book.person(who, **person)
            return build(book, who)

        SCENES[build.__name__] = with_person
        return build

    return register


def _plan(
    book: Book, who: str, plan: str, group: str, kind: str = "401k", *, features: dict[str, Any] | None = None,
    employer: str | None = None, **amounts: Any,
) -> Book:  # fmt: skip
    book.add("plans", plan_id=f"{who}-{plan}", employer_group_id=group, employer_name=employer or group,
             plan_type=kind, **(features or {}))  # fmt: skip
    return _amounts(book, who, plan, **amounts)


def _amounts(book: Book, who: str, plan: str, year: int = 2026, as_of: str = "2026-11-30", **amounts: Any) -> Book:
    return book.add("plan_contributions", person_id=who, plan_id=f"{who}-{plan}", tax_year=year, as_of=as_of, **amounts)


@pytest.fixture(scope="module")
def results() -> Results:
    """Every scene, computed together as of December 1, 2026."""
    book = Book()
    for who, build in SCENES.items():
        build(book, who)
    return book.compute(tax_years=(2025, 2026))


def _rows(results: Results, table: str, who: str, year: int = 2026) -> list[dict[str, Any]]:
    mine = (pl.col("person_id") == who) & (pl.col("tax_year") == year)
    return results[table].filter(mine).to_dicts()


def _mega(results: Results, who: str, group: str, year: int = 2026) -> dict[str, Any]:
    (row,) = [r for r in _rows(results, "mega_backdoor", who, year) if r["employer_group_id"] == group]
    return row


def _deferrals(results: Results, who: str, year: int = 2026) -> dict[str, Any]:
    (row,) = _rows(results, "elective_deferrals", who, year)
    return row


def _findings(results: Results, who: str, rule: str) -> list[dict[str, Any]]:
    return [r for r in _rows(results, "findings", who) if r["rule"] == rule]


def _codes(row: dict[str, Any]) -> list[str]:
    return [reason.split(":")[0] for reason in row["reasons"]]


def _is_unknown(row: dict[str, Any], code: str) -> None:
    assert row["status"] == "UNKNOWN", row
    assert code in _codes(row), row
    assert [v for k, v in row.items() if k not in ("person_id", "employer_group_id", "tax_year", "status", "reasons")
            and v is not None] == []  # fmt: skip


# --- who shares a 415(c) limit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", ["457b", "pension", "simple"])
def test_a_403b_stays_one_row_beside_a_plan_outside_415c(results: Results, beside: str) -> None:
    """72,000 - 24,500 = 47,500, under the employer's own id."""
    row = _mega(results, f"beside_{beside}", "HOSP")
    assert len(_rows(results, "mega_backdoor", f"beside_{beside}")) == 1
    assert (row["status"], row["room"]) == ("COMPUTED", 47_500)


for _kind in ("457b", "pension", "simple"):

    def _beside(book: Book, who: str, kind: str = _kind) -> Book:
        _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500)
        return _plan(book, who, "X", "HOSP", kind, features=NO_AFTER_TAX)

    _beside.__name__ = f"beside_{_kind}"
    scene()(_beside)


@scene()
def control_blank(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500)
    return _plan(book, who, "S", "OWN", "solo_401k", employer_nonelective=20_000, controls_employer=None)


@scene()
def control_blank_sep_from_transactions(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500)
    book.add("plans", plan_id=f"{who}-S", employer_group_id="OWN", employer_name="Own", plan_type="sep")
    book.ira("SEP1", 50_000, person_id=who, kind="sep_ira", plan_id=f"{who}-S")
    return book.event("SEP1", "2026-03-01", "employer_contribution", 30_000, tax_year=2026)


@scene()
def control_blank_same_group(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500, controls_employer=None)
    return _plan(book, who, "A", "HOSP", "401a", employer_nonelective=30_000, controls_employer=None)


@pytest.mark.parametrize("who", ["control_blank", "control_blank_sep_from_transactions"])
def test_blank_control_of_another_employer_is_asked(results: Results, who: str) -> None:
    for group in ("HOSP", "OWN"):
        _is_unknown(_mega(results, who, group), "controls_employer")


def test_blank_control_of_the_403bs_own_employer_is_not_control(results: Results) -> None:
    """72,000 - 24,500 and 72,000 - 30,000, apart."""
    assert _mega(results, "control_blank_same_group", "HOSP:403b")["room"] == 47_500
    assert _mega(results, "control_blank_same_group", "HOSP")["room"] == 42_000


@scene()
def shared(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500, employer_match=12_000)
    return _plan(book, who, "S", "OWN", "solo_401k", employer_nonelective=20_000, controls_employer=True)


@scene()
def shared_excess(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500, employer_match=32_000)
    return _plan(book, who, "S", "OWN", "solo_401k", employer_nonelective=20_000, controls_employer=True)


def test_one_limit_under_two_groups_is_told_once(results: Results) -> None:
    """72,000 - 36,500 - 20,000 = 15,500, on both rows, one finding; 24,500 + 32,000 + 20,000 = 4,500 too much, once."""
    for group in ("HOSP", "OWN"):
        row = _mega(results, "shared", group)
        assert (row["status"], row["room"], _codes(row)) == ("REVIEW", 15_500, ["shared_limit"])
    assert [f["amount"] for f in _findings(results, "shared", "mega_room_open")] == [15_500]
    assert [f["amount"] for f in _findings(results, "shared_excess", "annual_additions_excess")] == [4_500]


@scene()
def two_controlled(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", pre_tax_deferrals=24_500)
    _plan(book, who, "S", "OWN1", "solo_401k", employer_nonelective=20_000, controls_employer=True)
    return _plan(book, who, "T", "OWN2", "solo_401k", employer_nonelective=10_000, controls_employer=True)


def test_every_controlled_business_and_the_403b_are_one(results: Results) -> None:
    """72,000 - 24,500 - 20,000 - 10,000 = 17,500 on all three rows."""
    for group in ("HOSP", "OWN1", "OWN2"):
        row = _mega(results, "two_controlled", group)
        assert (row["status"], row["room"]) == ("REVIEW", 17_500)
        assert "several_controlled" in _codes(row)


# --- Roth catch-up, employer by employer ----------------------------------------------------------------------------


@scene(**BORN_1971)
def wages_elsewhere(book: Book, who: str) -> Book:
    _plan(book, who, "A", "GA", prior_year_fica_wages=200_000, features=NO_ROTH, currently_employed=False)
    return _plan(book, who, "B", "GB", pre_tax_deferrals=32_500, prior_year_fica_wages=0, features=NO_ROTH)


def test_another_employers_wages_do_not_take_the_catch_up(results: Results) -> None:
    """At B no Roth is needed: 32,500 = 24,500 + 8,000, so 72,000 - 24,500 = 47,500."""
    row = _mega(results, "wages_elsewhere", "GB")
    assert (row["status"], row["catch_up_portion"], row["room"]) == ("COMPUTED", 8_000, 47_500)
    assert _deferrals(results, "wages_elsewhere")["catch_up_limit"] == 8_000
    assert _deferrals(results, "wages_elsewhere")["excess_deferrals"] == 0


@scene(**BORN_1971)
def feature_elsewhere(book: Book, who: str) -> Book:
    _plan(book, who, "A", "GA", pre_tax_deferrals=32_500, prior_year_fica_wages=200_000, features=NO_ROTH)
    return _plan(book, who, "B", "GB", prior_year_fica_wages=0)


def test_another_employers_roth_feature_gives_no_catch_up(results: Results) -> None:
    """At A there is no catch-up: all 32,500 are additions, and 8,000 of them above 402(g), in both tables."""
    row = _mega(results, "feature_elsewhere", "GA")
    assert (row["catch_up_portion"], row["annual_additions"], row["room"]) == (0, 32_500, 39_500)
    deferrals = _deferrals(results, "feature_elsewhere")
    assert (deferrals["catch_up_limit"], deferrals["excess_deferrals"]) == (8_000, 8_000)
    assert deferrals["catch_up_must_be_roth"] is True


@scene(**BORN_1971)
def no_catch_up_anywhere(book: Book, who: str) -> Book:
    _plan(book, who, "A", "GA", pre_tax_deferrals=25_000, prior_year_fica_wages=200_000, features=NO_ROTH)
    # neither a SEP's nor a 401(a)'s Roth flag is a plan's that takes deferrals
    _plan(book, who, "P", "GA", "sep", features=NO_AFTER_TAX)
    return _plan(book, who, "M", "GA", "401a", features=NO_AFTER_TAX | ROTH_BLANK)


def test_no_roth_feature_at_any_deferral_employer_is_no_catch_up(results: Results) -> None:
    deferrals = _deferrals(results, "no_catch_up_anywhere")
    assert (deferrals["catch_up_limit"], deferrals["excess_deferrals"]) == (0, 500)
    assert _mega(results, "no_catch_up_anywhere", "GA")["annual_additions"] == 25_000


@scene(**BORN_1971)
def simple_wages(book: Book, who: str) -> Book:
    _plan(book, who, "A", "GA", pre_tax_deferrals=20_000, prior_year_fica_wages=0, features=NO_ROTH)
    return _plan(book, who, "S", "GB", "simple", pre_tax_deferrals=4_500, prior_year_fica_wages=300_000)


def test_simple_wages_never_count(results: Results) -> None:
    row = _deferrals(results, "simple_wages")
    assert (row["status"], row["catch_up_must_be_roth"], row["remaining"]) == ("COMPUTED", False, 8_000)


@scene(**BORN_1971)
def feature_blank(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=32_500, prior_year_fica_wages=200_000, features=ROTH_BLANK)


@scene(**BORN_1971)
def wages_blank(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=32_500, prior_year_fica_wages=None, features=NO_ROTH)


@scene(**BORN_1971)
def wages_blank_without_catch_up(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=24_500, prior_year_fica_wages=None, features=NO_ROTH)


@pytest.mark.parametrize(
    ("who", "mega", "deferrals"),
    [("feature_blank", "roth_feature_unknown", "roth_feature_unknown"),
     ("wages_blank", "prior_year_fica_wages", "prior_year_fica_wages_missing")],
)  # fmt: skip
def test_catch_up_that_may_not_be_one_is_no_room(results: Results, who: str, mega: str, deferrals: str) -> None:
    _is_unknown(_mega(results, who, "GA"), mega)
    assert (_deferrals(results, who)["status"], _codes(_deferrals(results, who))) == ("REVIEW", [deferrals])


def test_blank_wages_do_not_matter_without_catch_up(results: Results) -> None:
    row = _mega(results, "wages_blank_without_catch_up", "GA")
    assert (row["status"], row["room"]) == ("COMPUTED", 47_500)


@scene(birth_date=None)
def birth_blank_low(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=10_000)


@scene(birth_date=None)
def birth_blank_high(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=24_501)


def test_a_blank_birth_date_matters_only_above_402g(results: Results) -> None:
    row = _mega(results, "birth_blank_low", "GA")
    assert (row["status"], row["catch_up_portion"], row["room"]) == ("COMPUTED", 0, 62_000)
    _is_unknown(_mega(results, "birth_blank_high", "GA"), "birth_date")


@scene(**BORN_1971)
def over_415(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=20_000, employer_nonelective=55_000)


@scene(**BORN_1971)
def at_415(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=20_000, employer_nonelective=52_000)


@scene(birth_date="1986-06-15")
def over_415_young(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "GA", pre_tax_deferrals=20_000, employer_nonelective=55_000)


def test_catch_up_over_415_is_a_note_and_no_room(results: Results) -> None:
    """Reg. 1.414(v)-1(b)(1): 75,000 against 72,000, of the 20,000 deferred up to 8,000 may become catch-up."""
    row = _mega(results, "over_415", "GA")
    assert (row["status"], row["room"], row["excess_annual_additions"]) == ("REVIEW", 0, 3_000)
    assert row["reasons"][0].startswith("catch_up_over_415: up to $8,000 of deferrals may become catch-up")
    (found,) = _findings(results, "over_415", "annual_additions_excess")
    assert found["severity"] == "high"
    assert "Up to $8,000 of deferrals may become catch-up" in found["explanation"]
    full = _mega(results, "at_415", "GA")
    assert (full["status"], full["room"], _codes(full)) == ("COMPUTED", 0, ["catch_up_over_415"])


def test_nobody_under_50_has_catch_up_over_415(results: Results) -> None:
    row = _mega(results, "over_415_young", "GA")
    assert (row["excess_annual_additions"], row["reasons"]) == (3_000, [])
    assert [f["severity"] for f in _findings(results, "over_415_young", "annual_additions_excess")] == ["critical"]


# --- plans that can be used -----------------------------------------------------------------------------------------


@scene()
def cap_beside_former(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features={"after_tax_cap_amount": 10_000})
    return _plan(book, who, "B", "G1", employer="Old", currently_employed=False)


@scene()
def cap_beside_unusable(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features={"after_tax_cap_amount": 10_000})
    return _plan(book, who, "B", "G1", features=NO_WAY_TO_ROTH, currently_employed=None, highly_compensated=True)


@scene()
def way_at_former_only(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features=NO_WAY_TO_ROTH, after_tax_balance=700)
    return _plan(book, who, "B", "G1", employer="Old", currently_employed=False)


@scene()
def flags_on_457b(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features=NO_WAY_TO_ROTH)
    return _plan(book, who, "V", "G1", "457b")


@scene()
def after_tax_on_457b_only(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features=NO_AFTER_TAX)
    return _plan(book, who, "V", "G1", "457b")


@scene()
def one_cap_overdrawn(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features={"after_tax_cap_amount": 5_000}, after_tax_contributions=8_000)
    return _plan(book, who, "B", "G1", employer="B", features={"after_tax_cap_amount": 5_000})


@scene()
def cap_percent_pay_elsewhere(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features={"after_tax_cap_percent": "8.125"}, compensation=None)
    return _plan(book, who, "B", "G1", "401a", compensation=200_000, features=NO_AFTER_TAX)


@scene()
def cap_percent_no_pay(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", features={"after_tax_cap_percent": 10}, compensation=None)
    return _plan(book, who, "B", "G1", "401a", employer="Other", features=NO_AFTER_TAX)


@scene()
def former_403b_and_401a(book: Book, who: str) -> Book:
    _plan(book, who, "B", "HOSP", "403b", features=NO_WAY_TO_ROTH, after_tax_balance=1_000)
    return _plan(book, who, "A", "HOSP", "401a", features=NO_AFTER_TAX, after_tax_balance=50)


@pytest.mark.parametrize("who", ["cap_beside_former", "cap_beside_unusable"])
def test_the_cap_of_the_only_usable_plan_binds(results: Results, who: str) -> None:
    row = _mega(results, who, "G1")
    assert (row["status"], row["room"], row["room_before_acp_test"]) == ("COMPUTED", 10_000, False)


@pytest.mark.parametrize("who", ["way_at_former_only", "flags_on_457b"])
def test_no_usable_plan_is_no_room(results: Results, who: str) -> None:
    row = _mega(results, who, "G1")
    assert (row["status"], row["room"], _codes(row)) == ("INELIGIBLE", None, ["not_usable"])


def test_a_457bs_flags_count_for_nothing(results: Results) -> None:
    assert _codes(_mega(results, "after_tax_on_457b_only", "G1")) == ["after_tax_not_allowed"]


def test_one_plans_overdrawn_cap_does_not_eat_the_others(results: Results) -> None:
    assert _mega(results, "one_cap_overdrawn", "G1")["room"] == 5_000


def test_a_percent_cap_takes_the_employers_pay_from_its_other_plan(results: Results) -> None:
    """8.125% of 200,000 = 16,250."""
    assert _mega(results, "cap_percent_pay_elsewhere", "G1")["room"] == 16_250
    _is_unknown(_mega(results, "cap_percent_no_pay", "G1"), "compensation")


def test_what_has_no_way_to_roth_is_the_reported_rows_balance(results: Results) -> None:
    assert [f["amount"] for f in _findings(results, "former_403b_and_401a", "mega_not_usable")] == [1_000]


# --- deferrals ------------------------------------------------------------------------------------------------------


@scene(**BORN_1971)
def plan_not_stated(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", pre_tax_deferrals=10_000)
    _plan(book, who, "S", "G2", "simple")
    return _amounts(book, who, "X", pre_tax_deferrals=24_500)


def test_a_plan_nobody_stated_makes_all_of_the_persons_plans_unknown(results: Results) -> None:
    for group in ("G1", "G2"):
        _is_unknown(_mega(results, "plan_not_stated", group), "plan_not_stated")
    _is_unknown(_deferrals(results, "plan_not_stated"), "plan_not_stated")


@scene()
def sarsep(book: Book, who: str) -> Book:
    _plan(book, who, "S", "G1", "sep", pre_tax_deferrals=10_000, employer_nonelective=5_000, features=NO_AFTER_TAX)
    return _plan(book, who, "A", "G2", pre_tax_deferrals=20_000)


def test_sarsep_deferrals_count(results: Results) -> None:
    """10,000 + 20,000 - 24,500 = 5,500 over; 10,000 + 5,000 of additions in the SEP."""
    assert _deferrals(results, "sarsep")["excess_deferrals"] == 5_500
    assert _mega(results, "sarsep", "G1")["annual_additions"] == 15_000


@scene()
def picked_up(book: Book, who: str) -> Book:
    _plan(book, who, "M", "G1", "401a", pre_tax_deferrals=10_000)
    return _plan(book, who, "A", "G2", pre_tax_deferrals=24_500)


def test_deferrals_in_a_401a_are_additions_but_not_402g(results: Results) -> None:
    row = _mega(results, "picked_up", "G1")
    assert (row["status"], _codes(row)) == ("REVIEW", ["picked_up"])
    assert (row["annual_additions"], row["room"]) == (10_000, 62_000)
    deferrals = _deferrals(results, "picked_up")
    assert (deferrals["status"], deferrals["deferrals"], deferrals["excess_deferrals"]) == ("REVIEW", 24_500, 0)


@scene()
def two_simple(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", "simple", pre_tax_deferrals=14_000)
    return _plan(book, who, "B", "G2", "simple", pre_tax_deferrals=10_500)


@scene()
def two_simple_over(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", "simple", pre_tax_deferrals=14_000)
    return _plan(book, who, "B", "G2", "simple", pre_tax_deferrals=10_600)


@scene()
def one_simple_over(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1", "simple", pre_tax_deferrals=19_000)
    return _plan(book, who, "B", "G2", "simple", pre_tax_deferrals=1_000)


def test_each_simple_employer_has_its_limit_and_the_person_has_402g(results: Results) -> None:
    """14,000 + 10,500 = 24,500 is full; 100 more is 100 over; 19,000 at one employer is 2,000 over its own 17,000."""
    row = _deferrals(results, "two_simple")
    assert (row["status"], row["deferral_limit"], row["excess_deferrals"]) == ("COMPUTED", 24_500, 0)
    assert _deferrals(results, "two_simple_over")["excess_deferrals"] == 100
    assert _deferrals(results, "one_simple_over")["excess_deferrals"] == 2_000


@scene(tax_year=2025)
def old_amounts(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", year=2025, as_of="2025-11-30", pre_tax_deferrals=5_000)


@scene(tax_year=2025)
def fresh_amounts(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", year=2025, as_of="2025-12-01", pre_tax_deferrals=5_000)


def test_amounts_from_before_december_of_an_ended_year_are_looked_at(results: Results) -> None:
    for row in (_mega(results, "old_amounts", "G1", 2025), _deferrals(results, "old_amounts", 2025)):
        assert (row["status"], _codes(row)) == ("REVIEW", ["old_amounts"])
    for row in (_mega(results, "fresh_amounts", "G1", 2025), _deferrals(results, "fresh_amounts", 2025)):
        assert row["status"] == "COMPUTED"


# --- SEP money ------------------------------------------------------------------------------------------------------


@scene()
def sep_without_plan(book: Book, who: str) -> Book:
    _plan(book, who, "S", "OWN", "solo_401k", pre_tax_deferrals=24_500, controls_employer=True)
    book.ira("SEP2", 50_000, person_id=who, kind="sep_ira")
    return book.event("SEP2", "2026-03-01", "employer_contribution", 30_000, tax_year=2026)


def test_sep_money_of_a_plan_not_stated_is_asked_for(results: Results) -> None:
    _is_unknown(_mega(results, "sep_without_plan", "OWN"), "sep_plan_not_stated")


@scene()
def sep_since(book: Book, who: str) -> Book:
    _plan(book, who, "S", "OWN", "solo_401k", pre_tax_deferrals=24_500)
    _plan(book, who, "P", "OWN", "sep", as_of="2026-03-31", employer_nonelective=5_000,
          expected_employer_contributions=20_000)  # fmt: skip
    book.ira("SEP3", 50_000, person_id=who, kind="sep_ira", plan_id=f"{who}-P")
    book.event("SEP3", "2026-03-30", "employer_contribution", 5_000, tax_year=2026)
    book.event("SEP3", "2026-06-20", "employer_contribution", 15_000, tax_year=2026)
    return book.event("SEP3", "2026-12-20", "employer_contribution", 7_000, tax_year=2026)


def test_sep_transactions_since_the_stated_row_are_added(results: Results) -> None:
    """24,500 + 5,000 + 15,000 = 44,500; 5,000 of the 20,000 is still to come; December's is after the run."""
    row = _mega(results, "sep_since", "OWN")
    assert (row["annual_additions"], row["room"]) == (44_500, 22_500)


def _set_aside(book: Book, account: str) -> Book:
    return book.add("rejects", kind="transactions", custodian="testcust", account_number=account,
                    trade_date="2026-03-01")  # fmt: skip


@scene()
def sep_row_set_aside(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1")
    book.ira("SEP4", 50_000, person_id=who, kind="sep_ira")
    return _set_aside(book, "SEP4")


@scene()
def ira_row_set_aside(book: Book, who: str) -> Book:
    _plan(book, who, "A", "G1")
    book.ira("IRA5", 50_000, person_id=who)
    return _set_aside(book, "IRA5")


def test_a_set_aside_row_of_a_sep_ira_blocks_415c(results: Results) -> None:
    _is_unknown(_mega(results, "sep_row_set_aside", "G1"), "row_set_aside")
    assert _mega(results, "ira_row_set_aside", "G1")["room"] == 72_000


# --- payroll --------------------------------------------------------------------------------------------------------


def _payroll(book: Book, who: str, plan: str | None, column: str = "EE", amount: int = 10_000) -> Book:
    if plan is not None:
        book.add("plan_sources", recordkeeper="rk", recordkeeper_plan=who, plan_id=f"{who}-{plan}", source_column="EE",
                 money_source="pre_tax_deferrals")  # fmt: skip
    return book.add("payroll_contributions", recordkeeper="rk", recordkeeper_plan=who, owner_tax_id=f"tax-{who}",
                    pay_date="2026-11-15", source_column=column, amount=amount)  # fmt: skip


def _paid(book: Book, who: str) -> None:
    book.rows["persons"][-1]["tax_id"] = f"tax-{who}"


@scene()
def payroll_without_row(book: Book, who: str) -> Book:
    _paid(book, who)
    book.add("plans", plan_id=f"{who}-A", employer_group_id="G1")
    return _payroll(book, who, "A")


@scene()
def payroll_unmapped(book: Book, who: str) -> Book:
    _paid(book, who)
    _plan(book, who, "A", "G1")
    return _payroll(book, who, None)


@scene(**BORN_1971)
def payroll_unstated_elsewhere(book: Book, who: str) -> Book:
    _paid(book, who)
    _plan(book, who, "A", "G1", pre_tax_deferrals=32_500)
    _plan(book, who, "B", "G2", as_of="2026-06-30")
    return _payroll(book, who, "B", column="ZZ")


@scene()
def payroll_shared(book: Book, who: str) -> Book:
    _paid(book, who)
    _plan(book, who, "A", "G1", as_of="2026-06-30")
    book.add("persons", person_id=f"{who}_twin", tax_id=f"tax-{who}")
    return _payroll(book, who, "A")


@pytest.mark.parametrize(
    ("who", "group", "code"),
    [("payroll_without_row", "G1", "pre_tax_deferrals"), ("payroll_unmapped", "G1", "plan_sources"),
     ("payroll_unstated_elsewhere", "G1", "other_deferrals"), ("payroll_unstated_elsewhere", "G2", "plan_sources"),
     ("payroll_shared", "G1", "payroll_owner")],
)  # fmt: skip
def test_payroll_money_that_cannot_be_placed_is_no_number(results: Results, who: str, group: str, code: str) -> None:
    _is_unknown(_mega(results, who, group), code)
    _is_unknown(_deferrals(results, who), "deferrals_missing")


# --- limitation years -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["12-31", "2026-12-31", "12/31", "--12-31", "December 31"])
def test_the_calendar_year_however_it_is_written(results: Results, said: str) -> None:
    row = _mega(results, f"limitation {said}", "G1")
    assert (row["status"], row["room"], row["reasons"]) == ("COMPUTED", 72_000, [])


@pytest.mark.parametrize("said", ["1231", "13-45", "year end"])
def test_a_limitation_year_that_cannot_be_read_is_asked_for(results: Results, said: str) -> None:
    row = _mega(results, f"limitation {said}", "G1")
    _is_unknown(row, "limitation_year_not_readable")
    assert len(row["reasons"]) == 1


for _said in ("12-31", "2026-12-31", "12/31", "--12-31", "December 31", "1231", "13-45", "year end"):

    def _written(book: Book, who: str, said: str = _said) -> Book:
        return _plan(book, who, "A", "G1", features={"limitation_year_end": said})

    _written.__name__ = f"limitation {_said}"
    scene()(_written)


def _fiscal(book: Book, who: str, end: str, began_after: str, *, closing: str | None = None) -> Book:
    """5,000 deferred after the start in 2025, 12,000 in 2026 (10,000 to `closing`); match 2,000 and 3,000."""
    _plan(book, who, "A", "G1", features={"limitation_year_end": end}, pre_tax_deferrals=12_000, employer_match=3_000,
          compensation=180_000)  # fmt: skip
    if closing:
        _amounts(book, who, "A", 2026, closing, pre_tax_deferrals=10_000, employer_match=3_000, compensation=90_000)
    _amounts(book, who, "A", 2025, began_after, pre_tax_deferrals=15_000, employer_match=6_000, compensation=80_000)
    return _amounts(
        book, who, "A", 2025, "2025-12-31", pre_tax_deferrals=20_000, employer_match=8_000, compensation=160_000
    )


@scene(**BORN_1971)
def fiscal_open(book: Book, who: str) -> Book:
    return _fiscal(book, who, "12-15", "2025-12-15")


@scene()
def fiscal_closed(book: Book, who: str) -> Book:
    return _fiscal(book, who, "June 30", "2025-06-30", closing="2026-06-30")


@scene()
def fiscal_no_closing(book: Book, who: str) -> Book:
    return _fiscal(book, who, "06-30", "2025-06-30")


@scene()
def fiscal_no_start(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features={"limitation_year_end": "12-15"})


@scene()
def fiscal_and_calendar(book: Book, who: str) -> Book:
    _fiscal(book, who, "12-15", "2025-12-15")
    return _plan(book, who, "B", "G1", employer="B")


def test_amounts_of_the_limitation_year_that_ends_in_the_tax_year(results: Results) -> None:
    """20,000 - 15,000 + 12,000 deferred, 8,000 - 6,000 + 3,000 matched: 22,000 of 72,000. 402(g) stays calendar."""
    row = _mega(results, "fiscal_open", "G1")
    assert (row["status"], _codes(row)) == ("REVIEW", ["limitation_year"])
    assert (row["annual_additions"], row["catch_up_portion"], row["room"]) == (22_000, 0, 50_000)
    assert _deferrals(results, "fiscal_open")["deferrals"] == 12_000


def test_a_closed_limitation_year_has_additions_but_no_room(results: Results) -> None:
    """20,000 - 15,000 + 10,000 and 8,000 - 6,000 + 3,000 = 20,000."""
    row = _mega(results, "fiscal_closed", "G1")
    assert (row["status"], row["room"], row["annual_additions"]) == ("INELIGIBLE", None, 20_000)
    assert row["excess_annual_additions"] == 0
    (reason,) = row["reasons"]
    assert reason.startswith(
        "limitation_year_closed: the limitation year ended June 30, 2026; what is added now counts"
    )
    assert reason.endswith("toward the limitation year ending June 30, 2027")


@pytest.mark.parametrize(
    ("who", "dates"),
    [("fiscal_no_closing", ["June 30, 2026"]), ("fiscal_no_start", ["December 15, 2025", "December 31, 2025"])],
)
def test_a_missing_snapshot_is_asked_for_by_its_date(results: Results, who: str, dates: list[str]) -> None:
    row = _mega(results, who, "G1")
    _is_unknown(row, "limitation_year_amounts")
    assert len(row["reasons"]) == 1
    assert f"on {' and on '.join(dates)}?" in row["reasons"][0]


def test_different_limitation_years_under_one_limit_are_unknown(results: Results) -> None:
    _is_unknown(_mega(results, "fiscal_and_calendar", "G1"), "limitation_years_differ")


# --- the match still to come ----------------------------------------------------------------------------------------

HALF_OF_SIX = {"match_percent": 50, "match_up_to_percent": 6}


@scene()
def formula(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX, compensation=500_000, pre_tax_deferrals=20_000,
                 expected_deferrals=4_500, employer_match=4_000, expected_employer_contributions=None)  # fmt: skip


@scene()
def formula_low_deferrals(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX | {"nonelective_percent": 3}, compensation="100000.10",
                 pre_tax_deferrals=4_000, expected_deferrals=1_000, expected_employer_contributions=None)  # fmt: skip


@scene()
def formula_twice(book: Book, who: str) -> Book:
    """Full-year match 3,000 in each plan; 1,000 has come: 2,000 and 3,000 are still expected."""
    _plan(book, who, "A", "G1", features=HALF_OF_SIX, compensation=100_000, pre_tax_deferrals=6_000,
          employer_match=1_000, expected_employer_contributions=None)  # fmt: skip
    return _plan(book, who, "B", "G1", features=HALF_OF_SIX, compensation=100_000, pre_tax_deferrals=6_000,
                 expected_employer_contributions=None)  # fmt: skip


def test_two_formulas_of_one_group_add_up(results: Results) -> None:
    """72,000 - 12,000 - 1,000 - 5,000."""
    row = _mega(results, "formula_twice", "G1")
    assert (row["annual_additions"], row["room"]) == (13_000, 54_000)
    assert [r for r in row["reasons"] if r.startswith("expected_by_formula: $5,000")], row["reasons"]


@scene(birth_date="1976-12-31")
def turning_fifty(book: Book, who: str) -> Book:
    """49 in 2025: 500 of 24,000 is an excess, none of it catch-up; 50 in 2026: 8,000 of 32,500 is."""
    _plan(book, who, "A", "G1", pre_tax_deferrals=32_500)
    return _amounts(book, who, "A", year=2025, as_of="2025-12-31", pre_tax_deferrals=24_000)


def test_age_is_that_of_the_year(results: Results) -> None:
    before, after = _mega(results, "turning_fifty", "G1", 2025), _mega(results, "turning_fifty", "G1", 2026)
    assert (before["catch_up_portion"], after["catch_up_portion"]) == (0, 8_000)
    deferrals = results["elective_deferrals"].filter(pl.col("person_id") == "turning_fifty").sort("tax_year")
    assert deferrals["excess_deferrals"].to_list() == [500, 0]


@scene()
def formula_and_stated(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX, compensation=500_000, expected_employer_contributions=1)


@scene()
def formula_without_pay(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX, compensation=None, expected_employer_contributions=None)


@scene()
def formula_without_deferrals(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX, expected_deferrals=None,
                 expected_employer_contributions=None)  # fmt: skip


@scene()
def formula_not_all_of_it(book: Book, who: str) -> Book:
    return _plan(book, who, "A", "G1", features=HALF_OF_SIX, employer_nonelective=1_000,
                 expected_employer_contributions=None)  # fmt: skip


def test_the_match_formula_stops_at_401a17(results: Results) -> None:
    """50% of 6% of the year's limit on pay (not of 500,000), less 4,000 matched so far."""
    pay = next(v.value for v in load.for_year(2026).limits if v.key == "compensation_limit_401a17")
    still_to_come = pay * 3 / 100 - 4_000
    row = _mega(results, "formula", "G1")
    assert (row["status"], _codes(row)) == ("COMPUTED", ["expected_by_formula"])
    assert row["room"] == 72_000 - 20_000 - 4_000 - 4_500 - still_to_come


def test_the_formula_matches_what_is_deferred_and_adds_nonelective(results: Results) -> None:
    """50% of 5,000 (below 6% of pay) = 2,500, and 3% of 100,000.10 = 3,000.00 to the cent."""
    assert _mega(results, "formula_low_deferrals", "G1")["room"] == 72_000 - 4_000 - 1_000 - 2_500 - 3_000


def test_a_stated_amount_wins_over_the_formula(results: Results) -> None:
    row = _mega(results, "formula_and_stated", "G1")
    assert (row["room"], row["reasons"]) == (71_999, [])


@pytest.mark.parametrize("who", ["formula_without_pay", "formula_without_deferrals", "formula_not_all_of_it"])
def test_a_formula_with_an_unknown_part_stays_unknown(results: Results, who: str) -> None:
    _is_unknown(_mega(results, who, "G1"), "expected_employer_contributions")


# --- conversions of after-tax money ---------------------------------------------------------------------------------


def _sub_account(book: Book, who: str, *statements: tuple[int, str, int]) -> Book:
    book.add("plans", plan_id=f"{who}-A", employer_group_id="G1", separate_after_tax_accounting=True)
    book.ira(f"K-{who}", 100_000, person_id=who, kind="401k", plan_id=f"{who}-A")
    for year, as_of, balance in statements:
        _amounts(book, who, "A", year, as_of, after_tax_balance=balance, after_tax_basis=30_000)
    return book


@scene()
def conversion_tie(book: Book, who: str) -> Book:
    _sub_account(book, who, (2025, "2026-03-31", 31_200), (2026, "2026-03-31", 52_000))
    return book.event(f"K-{who}", "2026-08-30", "in_plan_roth_conversion", 10_400)


@scene()
def conversion_same_tie(book: Book, who: str) -> Book:
    _sub_account(book, who, (2026, "2026-03-31", 31_200), (2025, "2026-03-31", 31_200))
    return book.event(f"K-{who}", "2026-08-30", "in_plan_roth_conversion", 10_400)


@scene()
def conversion_without_row(book: Book, who: str) -> Book:
    _sub_account(book, who, (2025, "2025-12-31", 31_200))
    return book.event(f"K-{who}", "2026-02-01", "in_plan_roth_conversion", 10_400)


def test_statements_of_one_day_that_differ_are_no_base(results: Results) -> None:
    (row,) = _rows(results, "after_tax_conversions", "conversion_tie")
    assert (row["status"], row["taxable_of_converted"], _codes(row)) == ("REVIEW", None, ["conversion_not_matched"])
    (same,) = _rows(results, "after_tax_conversions", "conversion_same_tie")
    assert (same["status"], same["taxable_of_converted"]) == ("COMPUTED", 400)


def test_a_conversion_in_a_year_without_a_row_is_still_told(results: Results) -> None:
    """Worked example mega-d-partial-convert: 10,400 x 1,200 / 31,200 = 400."""
    (row,) = _rows(results, "after_tax_conversions", "conversion_without_row")
    assert (row["status"], row["converted"], row["taxable_of_converted"]) == ("UNKNOWN", 10_400, 400)
    assert _codes(row) == ["after_tax_balance"]
