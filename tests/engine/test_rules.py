"""The rules one by one, each with the source of its expected figure (worked-example id, form line or IRC section)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from limits.load import UnknownTaxYear
from tests.book import Book
from transforms.engine import connect

D = Decimal


def _one(table: pl.DataFrame, **key: Any) -> dict[str, Any]:
    for column, value in key.items():
        table = table.filter(pl.col(column) == value)
    assert table.height == 1, table
    return table.row(0, named=True)


@pytest.mark.parametrize(
    ("year", "profile", "limit"),
    [
        pytest.param(2026, {"compensation": 4000}, 4000, id="lim-seed-4000"),
        pytest.param(2026, {"birth_date": "1976-12-31"}, 8600, id="lim-seed-8600: 50 on December 31"),
        pytest.param(2026, {"birth_date": "1977-01-01"}, 7500, id="lim-birthday-jan1"),
        pytest.param(2024, {"birth_date": "1974-06-01"}, 8000, id="lim-pe-age50-2024"),
        pytest.param(2026, {"compensation": 0}, 0, id="no compensation, single"),
    ],
)
def test_contribution_limit(year: int, profile: dict[str, Any], limit: int) -> None:
    book = Book().person(tax_year=year, **profile)
    row = _one(book.compute(as_of=f"{year}-12-01", tax_years=(year,))["ira_limits"])
    assert row["contribution_limit"] == limit


@pytest.mark.parametrize(
    ("year", "roth", "limit"),
    [
        pytest.param(2026, 7000, 3000, id="lim-pe-spousal-roth"),
        pytest.param(2025, 9000, 1000, id="lim-pe-spousal-excess-roth: even the excess uses compensation"),
    ],
)
def test_spousal_limit(year: int, roth: int, limit: int) -> None:
    book = Book().person("P1", year, compensation=0, filing_status="mfj", spouse_person_id="P2")
    book.person("P2", year, compensation=10_000, filing_status="mfj", spouse_person_id="P1")
    book.ira("R2", roth, person_id="P2", kind="roth_ira").event(
        "R2", f"{year}-02-01", "contribution", roth, tax_year=year
    )
    row = _one(book.compute(as_of=f"{year}-12-01", tax_years=(year,))["ira_limits"], person_id="P1")
    assert row["contribution_limit"] == limit


def test_spouse_compensation_blank_is_unknown_not_zero() -> None:
    row = _one(Book().person(compensation=1000, filing_status="mfj").compute()["ira_limits"])
    assert row["status"] == "UNKNOWN"
    assert row["contribution_limit"] is None
    assert row["reasons"][0].startswith("spouse_compensation_missing")


COMPONENTS = {
    "agi": 190_000, "roth_conversion_income": 20_000, "plan_to_roth_rollover_income": 15_000, "ira_deduction": 0,
    "student_loan_interest": 2_500, "savings_bond_exclusion": 0, "adoption_exclusion": 0,
    "foreign_earned_income_exclusion": 0, "foreign_housing": 0,
}  # fmt: skip


def test_roth_magi_from_its_components() -> None:
    """Worked example roth-magi-worksheet: 190,000 - 20,000 - 15,000 + 2,500 = 157,500."""
    row = _one(Book().person(roth_magi="", **COMPONENTS).compute()["ira_limits"])
    assert row["roth_magi"] == 157_500
    assert row["status"] == "COMPUTED"


def test_roth_magi_needs_every_component() -> None:
    row = _one(Book().person(roth_magi="", **(COMPONENTS | {"foreign_housing": ""})).compute()["ira_limits"])
    assert (row["status"], row["roth_magi"], row["roth_limit"]) == ("UNKNOWN", None, None)


def test_roth_magi_conflict_is_review() -> None:
    row = _one(Book().person(roth_magi=160_000, **COMPONENTS).compute()["ira_limits"])
    assert row["status"] == "REVIEW"
    assert row["roth_magi"] == 160_000


def _mega(book: Book, group: str = "G1", **key: Any) -> dict[str, Any]:
    return _one(book.compute()["mega_backdoor"], employer_group_id=group, **key)


def _plan(book: Book, plan: str, group: str, employer: str | None = None, kind: str = "401k", **amounts: Any) -> Book:
    book.add("plans", plan_id=plan, employer_group_id=group, employer_name=employer or group, plan_type=kind)
    return book.add("plan_contributions", person_id="P1", plan_id=plan, tax_year=2026, as_of="2026-11-30", **amounts)


def test_two_unrelated_employers_share_402g_but_not_415c() -> None:
    """Worked example mega-d-two-unrelated: 27,500 at A, 72,000 at B."""
    book = _plan(Book().person(), "A", "GA", pre_tax_deferrals=24_500, employer_match=20_000)
    _plan(book, "B", "GB", compensation=90_000)
    assert _mega(book, "GA")["room"] == 27_500
    assert _mega(book, "GB")["room"] == 72_000


def test_controlled_group_shares_one_415c_limit() -> None:
    """Worked example mega-d-controlled-group: 72,000 - 24,500 - 20,000 - 10,000 = 17,500."""
    book = _plan(Book().person(), "A", "G1", "A", pre_tax_deferrals=24_500, employer_match=20_000)
    _plan(book, "B", "G1", "B", employer_nonelective=10_000)
    assert _mega(book)["room"] == 17_500


def test_403b_is_added_up_with_a_business_its_participant_controls() -> None:
    """Worked example mega-d-403b-plus-own-solo: 72,000 - 36,500 - 20,000 = 15,500."""
    book = _plan(Book().person(), "B", "HOSP", kind="403b", pre_tax_deferrals=24_500, employer_match=12_000)
    _plan(book, "S", "OWN", kind="solo_401k", employer_nonelective=20_000, controls_employer=True)
    assert _mega(book, "OWN")["room"] == 15_500


def test_403b_is_not_added_up_with_the_hospitals_401a() -> None:
    """Worked example mega-d-403b-plus-hospital-401a: 47,500 and 42,000."""
    book = _plan(Book().person(), "B", "HOSP", kind="403b", pre_tax_deferrals=24_500)
    _plan(book, "A", "HOSP", kind="401a", employer_nonelective=30_000)
    assert _mega(book, "HOSP:403b")["room"] == 47_500
    assert _mega(book, "HOSP")["room"] == 42_000


def test_sep_of_the_same_business_counts() -> None:
    """Worked example mega-d-sep: 72,000 - 30,000 - 24,500 = 17,500."""
    book = _plan(Book().person(), "S", "OWN", kind="solo_401k", pre_tax_deferrals=24_500)
    _plan(book, "P", "OWN", kind="sep", employer_nonelective=30_000)
    assert _mega(book, "OWN")["room"] == 17_500


def test_457b_is_ineligible() -> None:
    """Worked example mega-d-ineligible-457b."""
    row = _mega(_plan(Book().person(), "X", "G1", kind="457b", pre_tax_deferrals=10_000))
    assert (row["status"], row["room"]) == ("INELIGIBLE", None)


def test_after_tax_feature_blank_is_unknown_and_prints_no_number() -> None:
    """Worked example mega-d-unknown-aftertax."""
    book = _plan(Book().person(), "A", "G1", pre_tax_deferrals=24_500)
    book.rows["plans"][0]["after_tax_contributions"] = ""
    row = _mega(book)
    assert row["status"] == "UNKNOWN"
    assert [row[c] for c in ("room", "annual_additions", "annual_additions_limit", "excess_annual_additions")] == [
        None
    ] * 4


@pytest.mark.parametrize(
    "fact",
    ["compensation", "pre_tax_deferrals", "roth_deferrals", "after_tax_contributions", "employer_match",
     "employer_nonelective", "forfeitures", "expected_employer_contributions", "expected_deferrals"],
)  # fmt: skip
def test_any_missing_amount_makes_the_room_unknown(fact: str) -> None:
    row = _mega(_plan(Book().person(), "A", "G1", **{fact: ""}))
    assert (row["status"], row["room"]) == ("UNKNOWN", None)
    assert len(row["reasons"]) == 1


@pytest.mark.parametrize(
    ("wages", "must"),
    [pytest.param(150_001, True, id="mega-d-roth-catchup"), pytest.param(150_000, False, id="at the threshold"),
     pytest.param(0, False, id="mega-d-roth-catchup-newhire")],
)  # fmt: skip
def test_roth_catch_up_rule(wages: int, must: bool) -> None:
    book = _plan(Book().person(birth_date="1971-06-15"), "A", "G1", prior_year_fica_wages=wages)
    assert _one(book.compute()["elective_deferrals"])["catch_up_must_be_roth"] is must


@pytest.mark.parametrize(("born", "limit"), [(1986, 24_500), (1971, 32_500), (1964, 35_750), (1962, 32_500)])
def test_deferral_limit_by_age(born: int, limit: int) -> None:
    """Worked example lim-pe-402g-2026: 24,500 / 32,500 / 35,750 / 32,500 at 40 / 55 / 62 / 64."""
    book = _plan(Book().person(birth_date=f"{born}-06-15"), "A", "G1", pre_tax_deferrals=1000)
    assert _one(book.compute()["elective_deferrals"])["remaining"] == limit - 1000


def test_line_14_is_next_years_line_2() -> None:
    """Worked example d-chain-2024: 7,000; 10,937.50; 15,589.43; taxable 10,937.50, then 5,251.52 + 1,400.41."""
    book = Book()
    book.add("persons", person_id="P1")
    for year in (2024, 2025, 2026):
        book.add("tax_profiles", person_id="P1", tax_year=year)
    book.add("ira_basis", person_id="P1", tax_year=2023, basis=0)
    book.ira("T", 7100, as_of="2024-12-31").add("balances", account_number="T", as_of="2025-12-31", market_value=50_000)
    book.add("balances", account_number="T", as_of="2026-12-31", market_value=52_000)
    book.ira("R", None, kind="roth_ira")
    for year, amount in ((2024, 7000), (2025, 7000), (2026, 7500)):
        book.event("T", f"{year}-02-01", "contribution", amount, tax_year=year)
    book.convert("2025-03-01", 14_000).convert("2026-03-01", 7_500).event("T", "2026-06-01", "distribution", 2_000)
    forms = book.compute(as_of="2027-02-01", tax_years=(2024, 2025, 2026))["form_8606"].sort("tax_year")
    assert forms["line_14"].to_list() == [D("7000.00"), D("10937.50"), D("15589.43")]
    assert forms["line_18"].to_list() == [None, D("10937.50"), D("5251.52")]
    assert forms["line_15c"].to_list() == [None, D("0.00"), D("1400.41")]


def _pool(**account: Any) -> tuple[bool | None, str]:
    row = _one(Book().person().ira("X", 100, **account).compute()["ira_aggregation"])
    return row["in_pool"], row["why"]


@pytest.mark.parametrize(
    ("account", "in_pool"),
    [
        ({"kind": "traditional_ira"}, True), ({"kind": "rollover_ira"}, True), ({"kind": "sep_ira"}, True),
        ({"kind": "simple_ira"}, True), ({"kind": "roth_ira"}, False), ({"kind": "roth_sep_ira"}, False),
        ({"kind": "401k"}, False), ({"kind": "hsa"}, False), ({"kind": "inherited_roth_ira"}, False),
        ({"kind": "trump_account"}, None), ({"kind": "other"}, None),
        ({"kind": "inherited_traditional_ira", "beneficiary_is_spouse": False}, False),
        ({"kind": "inherited_traditional_ira", "beneficiary_is_spouse": True}, None),
        ({"kind": "inherited_traditional_ira", "beneficiary_is_spouse": True, "treated_as_own": True}, True),
        ({"kind": "inherited_traditional_ira", "beneficiary_is_spouse": False, "treated_as_own": True}, None),
    ],
)  # fmt: skip
def test_which_accounts_are_in_the_pool(account: dict[str, Any], in_pool: bool | None) -> None:
    """Rules A2-A4; null is 'not known', which fails closed."""
    assert _pool(**account)[0] is in_pool


def _converted(book: Book) -> Book:
    return book.ira("R", 0, kind="roth_ira").convert("2026-03-02", 1000)


@pytest.mark.parametrize("kind", ["trump_account", "other"])
def test_an_undecided_account_makes_a_conversion_unknown(kind: str) -> None:
    book = (
        Book().person().ira("T", 5000).ira("X", 100, kind=kind).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    form = _one(_converted(book).compute()["form_8606"])
    assert form["status"] == "UNKNOWN"
    assert all(form[c] is None for c in form if c.startswith("line_"))


def test_client_with_iras_elsewhere_is_unknown() -> None:
    book = Book().person(all_iras_reported=False).ira("T", 5000)
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    assert _one(_converted(book).compute()["form_8606"])["reasons"][0].startswith("iras_not_all_reported")


def test_a_delta_position_file_is_not_a_value() -> None:
    book = Book().person().ira("T", None).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    book.add("balances", account_number="T", as_of="2026-11-20", market_value=5000, coverage="delta")
    form = _one(_converted(book).compute()["form_8606"])
    assert form["status"] == "UNKNOWN"
    assert "delta" in form["reasons"][0]


def test_outstanding_rollover_counts_on_line_6() -> None:
    """Worked example d-outstanding-rollover: 50,000 + 20,000 out December 10, back January 20."""
    book = Book().person(tax_year=2025).ira("T", 50_000, as_of="2025-12-31").ira("U", 0, as_of="2025-12-31")
    book.ira("R", 0, kind="roth_ira", as_of="2025-12-31").add("ira_basis", person_id="P1", tax_year=2024, basis=7000)
    book.convert("2025-03-02", 10_000)
    book.event("T", "2025-12-10", "rollover_out", 20_000).event("U", "2026-01-20", "rollover_in", 20_000)
    form = _one(book.compute(as_of="2026-05-01", tax_years=(2025,))["form_8606"])
    assert (form["line_6"], form["line_7"], form["line_18"]) == (70_000, 0, 9_125)


def test_rollover_to_a_plan_in_january_is_not_outstanding() -> None:
    """Worked example d-outstanding-rollover-to-401k: line 6 stays 50,000."""
    book = Book().person(tax_year=2025).ira("T", 50_000, as_of="2025-12-31")
    book.ira("R", 0, kind="roth_ira", as_of="2025-12-31").add("ira_basis", person_id="P1", tax_year=2024, basis=7000)
    book.convert("2025-03-02", 10_000).event("T", "2025-12-10", "plan_rollover_out", 20_000)
    form = _one(book.compute(as_of="2026-05-01", tax_years=(2025,))["form_8606"])
    assert (form["line_6"], form["line_18"]) == (50_000, D("8833.33"))


def test_what_line_7_excludes_and_includes() -> None:
    book = (
        Book().person(birth_date="1950-01-01").ira("T", 50_000).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    for kind, amount in (("rmd", 1), ("distribution", 2), ("withholding", 4), ("qcd", 8), ("qhfd", 16),
                         ("return_of_excess", 32), ("recharacterization_out", 64),
                         ("plan_rollover_out", 128)):  # fmt: skip
        book.event("T", "2026-04-01", kind, amount)
    assert _one(book.compute()["form_8606"])["line_7"] == 7


def test_qcd_above_the_yearly_limit_is_a_distribution() -> None:
    book = (
        Book().person(birth_date="1950-01-01").ira("T", 50_000).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    form = _one(book.event("T", "2026-04-01", "qcd", 111_500).compute()["form_8606"])
    assert (form["line_7"], form["status"]) == (500, "REVIEW")


def test_roth_contribution_recharacterized_to_traditional_is_line_1() -> None:
    """IRS instructions, recharacterizations example 2: 4,000 contributed, 4,200 moved with earnings."""
    book = (
        Book()
        .person()
        .ira("T", 4200)
        .ira("R", 0, kind="roth_ira")
        .add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    book.event("R", "2026-02-01", "contribution", 4000, tax_year=2026)
    book.event("R", "2026-06-01", "recharacterization_out", 4200, tax_year=2026)
    book.event("T", "2026-06-01", "recharacterization_in", 4200, tax_year=2026)
    results = book.compute()
    assert _one(results["form_8606"])["line_1"] == 4000
    assert _one(results["ira_limits"])["roth_contributions"] == 0


def test_returned_contribution_was_never_made() -> None:
    """IRS instructions, return of contributions: neither line 1 nor line 7."""
    book = Book().person().ira("T", 100).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    book.event("T", "2026-02-01", "contribution", 4000, tax_year=2026)
    book.event("T", "2026-06-01", "return_of_excess", 4000, tax_year=2026)
    book.event("T", "2026-06-01", "return_of_excess_earnings", 73, tax_year=2026)
    form = _one(book.compute()["form_8606"])
    assert (form["line_1"], form["line_14"], form["line_7"]) == (0, 0, None)


def test_stale_balance_is_carried_forward_by_later_events() -> None:
    book = (
        Book().person().ira("T", 100_000, as_of="2026-03-01").add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    form = _one(_converted(book).compute()["form_8606"])
    assert (form["line_6"], form["line_9"], form["status"]) == (99_000, 100_000, "REVIEW")


@pytest.mark.parametrize(("as_of", "basis"), [("2026-12-30", "projected"), ("2027-01-02", "december_31")])
def test_a_closed_account_is_no_december_31_value_before_that_day(as_of: str, basis: str) -> None:
    book = (
        Book().person().ira("T", None, closed_on="2026-06-01").add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    )
    form = _one(_converted(book).compute(as_of=as_of)["form_8606"])
    assert (form["basis_of_line_6"], form["line_6"]) == (basis, 0)


def test_firm_row_replaces_the_custodians_row_of_the_same_event() -> None:
    book = (
        Book()
        .person()
        .ira("T", 0)
        .ira("R", 0, kind="roth_ira")
        .add("ira_basis", person_id="P1", tax_year=2025, basis=7500)
    )
    book.convert("2026-03-02", 7500)
    book.event("T", "2026-03-02", "roth_conversion_out", 7500, profile="fidelity-history", transaction_id="F1")
    assert _one(book.compute()["form_8606"])["line_8"] == 7500


def test_masked_account_number_resolves_only_when_one_account_fits() -> None:
    book = Book().person().ira("10000101", 5000, custodian="schwab").ira("20000102", 100, custodian="schwab")
    book.add("transactions", custodian="schwab", account_number="*0101", trade_date="2026-03-01", amount=10,
             transaction_type="distribution", profile="schwab")  # fmt: skip
    book.add("transactions", custodian="schwab", account_number="*0", trade_date="2026-03-01", amount=99,
             transaction_type="distribution", profile="schwab")  # fmt: skip
    book.rows["balances"] = [row | {"custodian": "schwab"} for row in book.rows["balances"]]
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    assert _one(book.compute()["form_8606"])["line_7"] == 10


def test_year_without_limits_is_refused_by_name() -> None:
    with pytest.raises(UnknownTaxYear, match=r"no limits for tax year 2027 .*limits/2027.toml"):
        Book().person(tax_year=2027).compute(as_of="2027-12-01", tax_years=(2027,))


@pytest.mark.parametrize(
    ("a", "b", "c", "want"),
    [
        pytest.param("7500.00", "7500.00", "1007500.00", "55.83", id="f8606-seed-late-rollover-1M"),
        pytest.param("0.01", "0.01", "0.02", "0.01", id="half a cent goes up"),
        pytest.param("10000000.00", "1.00", "3.00", "3333333.33", id="large"),
    ],
)
def test_money_is_divided_exactly_half_up(a: str, b: str, c: str, want: str) -> None:
    with connect() as con:
        got = con.sql(f"select mul_div({a}::decimal(18,2), {b}::decimal(18,2), {c}::decimal(18,2))").fetchall()
    assert got == [(D(want),)]


def test_a_share_of_nothing_is_not_known_and_ends_no_night() -> None:
    with connect() as con:
        assert con.sql("select mul_div(7500.00, 0.00, 0.00)").fetchall() == [(None,)]


def _lifecycle(book: Book, run: Path, as_of: str, previous: Path | None) -> dict[str, Any]:
    return _one(book.compute(as_of=as_of, previous=previous, run=run)["findings"], rule="conversion_taxed_pro_rata")


def test_a_finding_is_new_open_changed_and_resolved(tmp_path: Path) -> None:
    def book(pool: int) -> Book:
        made = Book().person().ira("T", pool).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
        return _converted(made)

    first = _lifecycle(book(92_500), tmp_path / "1", "2026-11-24", None)
    again = _lifecycle(book(92_500), tmp_path / "1b", "2026-11-24", tmp_path / "1")
    assert first == again
    opened = _lifecycle(book(92_500), tmp_path / "2", "2026-11-25", tmp_path / "1b")
    assert (opened["status"], opened["finding_id"]) == ("open", first["finding_id"])
    gone = _lifecycle(
        Book().person().ira("T", 0).add("ira_basis", person_id="P1", tax_year=2025, basis=0),
        tmp_path / "3", "2026-11-26", tmp_path / "2",
    )  # fmt: skip
    assert (gone["status"], str(gone["last_changed"]), str(gone["first_seen"])) == (
        "resolved",
        "2026-11-26",
        "2026-11-24",
    )


def test_a_finding_nobody_can_judge_tonight_is_not_resolved(tmp_path: Path) -> None:
    """The conversion is still there; only the basis can't be read tonight."""
    told = Book().person().ira("T", 92_500).add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    first = _lifecycle(_converted(told), tmp_path / "1", "2026-11-24", None)
    unread = _converted(Book().person().ira("T", 92_500))
    second = _lifecycle(unread, tmp_path / "2", "2026-11-25", tmp_path / "1")
    third = _lifecycle(unread, tmp_path / "3", "2026-11-26", tmp_path / "2")
    for later in (second, third):
        assert (later["status"], later["finding_id"], later["amount"]) == ("open", first["finding_id"], first["amount"])
        assert later["explanation"] == "Its result is UNKNOWN now. Before: " + first["explanation"]
        assert later["title"] == "Not judged tonight: " + first["title"]
        assert (later["deadline"], later["action"]) == (first["deadline"], first["action"])
    known_again = _lifecycle(told, tmp_path / "4", "2026-11-27", tmp_path / "3")
    assert known_again["title"] == first["title"]


def test_what_nobody_can_judge_has_no_deadline_left_once_it_has_passed(tmp_path: Path) -> None:
    """In January nothing can be moved by December 31 any more, and the December 31 value isn't there yet."""
    told = Book().person(marginal_tax_rate="0.35").ira("T", 92_500).ira("R", 0, kind="roth_ira")
    told.add("ira_basis", person_id="P1", tax_year=2025, basis=0)
    told.event("T", "2026-02-01", "contribution", 7500, tax_year=2026).convert("2026-03-02", 7500)
    first = _lifecycle(told, tmp_path / "1", "2026-12-10", None)
    assert (first["severity"], str(first["deadline"])) == ("critical", "2026-12-31")
    for night, before in (("2027-01-04", "1"), ("2027-01-05", "2027-01-04")):
        later = _lifecycle(told, tmp_path / night, night, tmp_path / before)
        assert (later["status"], later["severity"], later["deadline"]) == ("open", "high", None)
        assert later["action"].startswith("Its deadline of December 31, 2026 has passed.")


@pytest.mark.parametrize(
    ("deferrals", "status", "excess"),
    [
        pytest.param(17_000, "COMPUTED", 0, id="at the regular limit"),
        pytest.param(17_001, "REVIEW", 0, id="above it, within a 110% plan's"),
        pytest.param(18_100, "REVIEW", 0, id="at a 110% plan's limit"),
        pytest.param(18_101, "COMPUTED", 1101, id="above both: over the regular limit"),
    ],
)
def test_simple_variants(deferrals: int, status: str, excess: int) -> None:
    """408(p)(2)(E), 2026 under 50: 17,000, or 18,100 in a 110% plan; no input says which."""
    book = _plan(Book().person(), "S", "GS", kind="simple", pre_tax_deferrals=deferrals)
    row = _one(book.compute()["elective_deferrals"])
    assert (row["status"], row["excess_deferrals"]) == (status, excess)


def test_a_simple_plan_keeps_its_own_limit_beside_a_401k() -> None:
    """408(p)(2)(A)(ii): 19,000 to a SIMPLE and nothing elsewhere is 2,000 over, though below 402(g)."""
    book = _plan(Book().person(), "S", "GS", kind="simple", pre_tax_deferrals=19_000)
    row = _one(_plan(book, "K", "GK").compute()["elective_deferrals"])
    assert (row["deferral_limit"], row["excess_deferrals"]) == (24_500, 2000)


def test_the_deduction_phases_out_the_dollar_limit_and_not_the_compensation() -> None:
    """219(g)(1), Pub 590-A Worksheet 1-2: half of 7,500 is 3,750, below the 5,000 of compensation (2026)."""
    book = Book().person(filing_status="mfj", compensation=5000, deduction_magi=139_000, spouse_person_id="P2")
    book.person("P2", filing_status="mfj", compensation=0)
    assert _one(book.compute()["ira_limits"], person_id="P1")["deduction_limit"] == 3750
