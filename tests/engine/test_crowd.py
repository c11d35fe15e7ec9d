"""Somebody with everything over two years, by hand; and nobody's numbers hang on who else is in the book."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from schemas.tables import RESULT_TABLES
from tests.book import Book
from tests.engine.awkward_people import PEOPLE

D = Decimal
YEARS = (2025, 2026)
Results = dict[str, pl.DataFrame]


def _of_everything(**profile: Any) -> Book:
    """Two IRAs and a Roth IRA, two employers, contributions, conversions and distributions in both years."""
    book = Book().add("persons", person_id="P1")
    for year in YEARS:
        book.add("tax_profiles", person_id="P1", tax_year=year, **{"marginal_tax_rate": "0.32", **profile})
    book.add("ira_basis", person_id="P1", tax_year=2024, basis=10_000)
    book.ira("T", 60_000, as_of="2025-12-31").ira("S", 30_000, kind="sep_ira", as_of="2025-12-31")
    book.ira("R", 20_000, kind="roth_ira", as_of="2025-12-31")
    for number, value in (("T", 70_000), ("S", 35_000), ("R", 40_000)):
        book.add("balances", account_number=number, as_of="2026-11-20", market_value=value)
    for day, year, amount in (
        ("2025-02-01", 2025, 2000), ("2025-03-01", 2025, 3000), ("2026-02-10", 2025, 1000), ("2026-03-01", 2026, 7000),
    ):  # fmt: skip
        book.event("T", day, "contribution", amount, tax_year=year)
    book.convert("2025-05-01", 4000).convert("2025-06-01", 6000, out_of="S")
    book.convert("2026-04-01", 5000).convert("2026-09-01", 3000)
    book.event("T", "2025-07-01", "distribution", 1000).event("S", "2025-08-01", "distribution", 500)
    book.event("T", "2026-05-01", "distribution", 2000).event("T", "2026-11-25", "distribution", 1000)
    for year, amount in ((2025, 1000), (2026, 500)):
        book.event("R", f"{year}-02-02", "contribution", amount, tax_year=year)
    return _two_employers(book)


def _two_employers(book: Book) -> Book:
    book.add("plans", plan_id="A", employer_group_id="GA", separate_after_tax_accounting=True)
    book.add("plans", plan_id="B", employer_group_id="GB", separate_after_tax_accounting=False)
    book.ira("KA", 150_000, kind="401k", plan_id="A")
    book.ira("KB", 40_000, kind="401k", plan_id="B").ira("RB", 60_000, kind="roth_401k", plan_id="B")
    for plan, year, as_of, deferrals, after_tax, match, balance, basis in (
        ("A", 2025, "2025-12-31", 10_000, 5000, 2000, 5500, 5000),
        ("B", 2025, "2025-12-31", 8000, 3000, 1000, 3300, 3000),
        ("A", 2026, "2026-06-30", 6000, 4500, 1500, 10_000, 9500),
        ("A", 2026, "2026-09-30", 12_000, 6000, 3000, 12_000, 11_000),
        ("B", 2026, "2026-09-30", 9000, 4000, 1500, 8000, 7000),
    ):
        book.add("plan_contributions", person_id="P1", plan_id=plan, tax_year=year, as_of=as_of,
                 pre_tax_deferrals=deferrals, after_tax_contributions=after_tax, employer_match=match,
                 after_tax_balance=balance, after_tax_basis=basis)  # fmt: skip
    book.event("KA", "2026-07-10", "in_plan_roth_conversion", 1000)
    return book.event("KA", "2026-10-05", "in_plan_roth_conversion", 1200)


def _couple() -> Book:
    """A spouse without pay contributes on the other's; each has an IRA of their own."""
    book = Book()
    for who, other, pay in (("P1", "P2", 0), ("P2", "P1", 9500)):
        book.add("persons", person_id=who, spouse_person_id=other)
        for year in YEARS:
            book.add("tax_profiles", person_id=who, tax_year=year, filing_status="mfj", compensation=pay + year - 2025,
                     roth_magi=100_000, deduction_magi=100_000, active_participant=False,
                     spouse_active_participant=False)  # fmt: skip
            book.add("ira_basis", person_id=who, tax_year=year - 1, basis=0)
        book.ira(f"T{who}", 9000, person_id=who, as_of="2025-12-31")
        book.add("balances", account_number=f"T{who}", as_of="2026-11-20", market_value=9900)
        book.event(f"T{who}", "2026-03-04", "contribution", 3000, tax_year=2026)
    return book.event("TP2", "2026-04-05", "distribution", 50)


@pytest.fixture(scope="module")
def everything() -> Results:
    return _of_everything().compute(tax_years=YEARS)


def _by(table: pl.DataFrame, *key: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[k] for k in key) if len(key) > 1 else row[key[0]]: row for row in table.iter_rows(named=True)}


def test_form_8606_of_two_years(everything: Results) -> None:
    """2025: 15,000 / 101,500 of 10,000 and 1,500. 2026: line 2 is 14,300.50; 21,300.50 / 115,000 of 8,000 and 3,000."""
    forms = _by(everything["form_8606"], "tax_year")
    lines = ("line_1", "line_2", "line_3", "line_4", "line_5", "line_6", "line_7", "line_8", "line_9")
    assert [forms[2025][x] for x in lines] == [6000, 10_000, 16_000, 1000, 15_000, 90_000, 1500, 10_000, 101_500]
    assert [forms[2026][x] for x in lines] == [
        7000, D("14300.50"), D("21300.50"), 0, D("21300.50"), 104_000, 3000, 8000, 115_000,
    ]  # fmt: skip
    assert [forms[2025][x] for x in ("line_11", "line_12", "line_14", "line_15c", "line_18")] == [
        D("1477.83"), D("221.67"), D("14300.50"), D("1278.33"), D("8522.17"),
    ]  # fmt: skip
    assert [forms[2026][x] for x in ("line_11", "line_12", "line_14", "line_15c", "line_18")] == [
        D("1481.77"), D("555.67"), D("19263.06"), D("2444.33"), D("6518.23"),
    ]  # fmt: skip


def test_plans_of_two_employers(everything: Results) -> None:
    """402(g) is one, 415(c) is each group's: 72,000 - 12,000 - 6,000 - 3,000 and 72,000 - 9,000 - 4,000 - 1,500."""
    deferrals = _by(everything["elective_deferrals"], "tax_year")
    assert (deferrals[2025]["deferrals"], deferrals[2025]["remaining"]) == (18_000, 5500)
    assert (deferrals[2026]["deferrals"], deferrals[2026]["remaining"]) == (21_000, 3500)
    mega = _by(everything["mega_backdoor"], "employer_group_id", "tax_year")
    assert {k: (v["annual_additions_limit"], v["annual_additions"]) for k, v in mega.items()} == {
        ("GA", 2025): (70_000, 17_000), ("GB", 2025): (70_000, 12_000),
        ("GA", 2026): (72_000, 21_000), ("GB", 2026): (72_000, 14_500),
    }  # fmt: skip
    assert (mega["GA", 2026]["room"], mega["GB", 2026]["room"]) == (51_000, 57_500)


def test_after_tax_money_of_two_plans(everything: Results) -> None:
    """A: 1,000 x 500 / 10,000 and 1,200 x 1,000 / 12,000. B: 8,000 less 8,000 x 7,000 / (40,000 + 60,000)."""
    rows = _by(everything["after_tax_conversions"], "plan_id", "tax_year")
    assert (rows["A", 2026]["converted"], rows["A", 2026]["taxable_of_converted"]) == (2200, 150)
    assert (rows["A", 2026]["taxable_separate"], rows["A", 2026]["to_roth_ira"]) == (1000, 11_000)
    assert (rows["B", 2026]["plan_balance"], rows["B", 2026]["taxable_prorated"]) == (100_000, 7440)
    assert rows["A", 2025]["taxable_separate"] == 500


def test_excess_of_two_years(everything: Results) -> None:
    """Nothing may go to a Roth IRA: 1,000, then 500 more; 6% of 1,000 and of 1,500."""
    rows = _by(everything["excess_contributions"], "tax_year")
    assert [(rows[y]["ira_kind"], rows[y]["cumulative_excess"], rows[y]["excise_tax"]) for y in YEARS] == [
        ("roth", 1000, 60), ("roth", 1500, 90),
    ]  # fmt: skip


def test_ways_out_of_the_open_year(everything: Results) -> None:
    """Of 115,000 in the pool 21,300.50 is basis: 93,699.50 is left to move; then 8,000 x 1, all basis."""
    rows = _by(everything["ways_out"].filter(pl.col("tax_year") == 2026), "way")
    assert (rows["reverse_rollover"]["amount"], rows["reverse_rollover"]["taxable_then"]) == (D("93699.50"), 0)
    assert (rows["accept"]["taxable_now"], rows["accept"]["tax_then"]) == (D("6518.23"), D("2085.83"))
    assert (rows["convert_everything"]["conversion"], rows["wait"]["status"]) == (112_000, "INELIGIBLE")


def test_an_ira_that_was_spent_is_worth_nothing_not_less() -> None:
    """100 on the last statement, 150 taken out since: nought, and line 6 is the other IRA alone."""
    book = Book().person().add("ira_basis", person_id="P1", tax_year=2025, basis=0).ira("T", 100).ira("U", 1000)
    book.ira("R", 0, kind="roth_ira").event("T", "2026-11-25", "distribution", 150)
    assert book.compute()["form_8606"]["line_6"].to_list() == [1000]


# --- alone and together ----------------------------------------------------------------------------------------------

RENAMED = ("person_id", "spouse_person_id", "household_id", "account_number", "plan_id", "employer_group_id",
           "transaction_id", "given_name", "family_name")  # fmt: skip
NAMED = ("status", "way", "rule", "severity", "ira_kind")
#: The rank is a place among everybody; a line is where this book happens to hold the row.
OF_THE_BOOK = ("rank", "source_line")


def _crowd() -> dict[str, Book]:
    books = {f"{n:02d}": build() for n, build in enumerate(PEOPLE.values())}
    return books | {
        "EV": _of_everything(),
        "LO": _of_everything(roth_magi=50_000, deduction_magi=50_000),
        "CO": _couple(),
    }


def _together(books: dict[str, Book]) -> Book:
    whole = Book()
    for prefix, book in books.items():
        for table, rows in book.rows.items():
            if table == "advisors":
                continue
            whole.rows[table] += [
                {k: f"{prefix}-{v}" if k in RENAMED and v is not None else v for k, v in row.items()} for row in rows
            ]
    return whole


def _numbers(results: Results) -> dict[str, dict[str, list[Any]]]:
    """Per table and person every number, date, flag and status, in an order of their own."""
    told: dict[str, dict[str, list[Any]]] = {}
    for name, table in RESULT_TABLES.items():
        kept = [c.name for c in table.columns if (c.kind not in ("text", "list") or c.name in NAMED)
                and c.name not in OF_THE_BOOK]  # fmt: skip
        if "person_id" in results[name].columns and name != "rejects":
            told[name] = defaultdict(list)
            for row in results[name].iter_rows(named=True):
                told[name][row["person_id"]].append(tuple(row[c] for c in kept))
            for rows in told[name].values():
                rows.sort(key=repr)
    return told


def test_nobodys_numbers_hang_on_who_else_is_in_the_book() -> None:
    books = _crowd()
    together = _numbers(_together(books).compute(tax_years=YEARS))
    assert {"form_8606", "ira_limits", "mega_backdoor", "ways_out", "findings"} <= set(together)
    for prefix, book in books.items():
        for name, people in _numbers(book.compute(tax_years=YEARS)).items():
            here = {k.removeprefix(f"{prefix}-"): v for k, v in together[name].items() if k.startswith(f"{prefix}-")}
            assert here == people, (name, prefix)
