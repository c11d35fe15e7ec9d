"""IRA limits, excess and the 6% tax of many people at once, held against the row-at-a-time oracle."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.tables import FILING_STATUSES
from tests.book import Book
from tests.engine.test_properties import ENGINE
from tests.oracles.ira_limits import FIGURES, Limits, Year, excise, ira_limits

ZERO = Decimal(0)


def dollars(low: int, high: int) -> st.SearchStrategy[Decimal]:
    """Whole dollars, dollars and cents, and the ends."""
    cents = st.integers(low * 100, high * 100).map(lambda c: Decimal(c) / 100)
    return st.one_of(cents, st.integers(low, high).map(Decimal), st.sampled_from([Decimal(low), Decimal(high)]))


def near(ends: list[int]) -> st.SearchStrategy[Decimal]:
    """An income at or about the ends of the ranges of 2026, where the rules bend."""
    exact = st.sampled_from([Decimal(end) for end in ends])
    return st.one_of(exact, exact.flatmap(lambda end: dollars(max(0, int(end) - 11_000), int(end) + 11_000)))


contributed = st.one_of(st.just(ZERO), dollars(1, 9000))
people = st.fixed_dictionaries(
    {
        "tax_year": st.sampled_from([2025, 2026]),
        "born": st.sampled_from(["1986-06-15", "1975-12-31", "1976-12-31", "1977-01-01"]),
        "filing_status": st.sampled_from(FILING_STATUSES),
        "compensation": st.one_of(dollars(0, 9000), st.just(Decimal(90_000))),
        "roth_magi": near([0, 10_000, 150_000, 153_000, 165_000, 168_000, 236_000, 242_000, 246_000, 252_000]),
        "deduction_magi": near([0, 10_000, 79_000, 81_000, 91_000, 126_000, 129_000, 149_000, 242_000, 252_000]),
        "covered": st.booleans(),
        "spouse_covered": st.booleans(),
        "traditional": contributed,
        "roth": contributed,
        "returned": st.booleans(),
        "recharacterized": st.booleans(),
        "spouse_compensation": st.one_of(dollars(0, 9000), st.just(Decimal(90_000))),
        "spouse_traditional": contributed,
        "spouse_roth": contributed,
    }
)


def _couple(book: Book, who: str, row: dict[str, Any]) -> None:
    year, spouse = row["tax_year"], f"{who}S"
    book.person(
        who, year, birth_date=row["born"], spouse_person_id=spouse, filing_status=row["filing_status"],
        compensation=row["compensation"], roth_magi=row["roth_magi"], deduction_magi=row["deduction_magi"],
        active_participant=row["covered"], spouse_active_participant=row["spouse_covered"],
    )  # fmt: skip
    book.person(spouse, year, spouse_person_id=who, filing_status=row["filing_status"],
                compensation=row["spouse_compensation"])  # fmt: skip
    for owner, kind, amount in (
        (who, "traditional", row["traditional"]), (who, "roth", row["roth"]),
        (spouse, "traditional", row["spouse_traditional"]), (spouse, "roth", row["spouse_roth"]),
    ):  # fmt: skip
        book.ira(f"{owner}{kind}", 0, person_id=owner, kind=f"{kind}_ira")
        if amount:
            book.event(f"{owner}{kind}", f"{year}-02-01", "contribution", amount, tax_year=year)
    returned, moved = _undone(row)
    if returned:
        book.event(f"{who}roth", f"{year + 1}-10-15", "return_of_excess", returned, tax_year=year)
    if moved:
        book.event(f"{who}roth", f"{year}-06-01", "recharacterization_out", moved, tax_year=year)
        book.event(f"{who}traditional", f"{year}-06-01", "recharacterization_in", moved, tax_year=year)


def _undone(row: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """What came back from the Roth contribution in time, and what of it went over to the traditional side."""
    third = (row["roth"] / 3).quantize(Decimal("0.01"))
    return (third if row["returned"] else ZERO), (third if row["recharacterized"] else ZERO)


def _by_hand(row: dict[str, Any]) -> Limits:
    returned, moved = _undone(row)
    return ira_limits(
        row["tax_year"], age=row["tax_year"] - int(row["born"][:4]), filing_status=row["filing_status"],
        compensation=row["compensation"], roth_magi=row["roth_magi"], deduction_magi=row["deduction_magi"],
        covered=row["covered"], spouse_covered=row["spouse_covered"],
        traditional=row["traditional"] + moved, roth=row["roth"] - returned - moved,
        spouse_compensation=row["spouse_compensation"],
        spouse_contributed=row["spouse_traditional"] + row["spouse_roth"],
    )  # fmt: skip


@ENGINE
@given(st.lists(people, min_size=40, max_size=60))
def test_vectorised_limits_equal_the_rules_taken_one_person_at_a_time(rows: list[dict[str, Any]]) -> None:
    book = Book()
    for n, row in enumerate(rows):
        _couple(book, f"P{n:03d}", row)
    table = book.compute(as_of="2027-11-01", tax_years=(2025, 2026))["ira_limits"]
    found = {(r["person_id"], r["tax_year"]): r for r in table.iter_rows(named=True)}
    for n, row in enumerate(rows):
        got, want = found[f"P{n:03d}", row["tax_year"]], _by_hand(row)
        assert got["status"] in ("COMPUTED", "REVIEW"), got["reasons"]
        assert (
            got["contribution_limit"], got["roth_limit"], got["deduction_limit"],
            got["nondeductible_contributions"], got["excess_contributions"],
        ) == (
            want.contribution_limit, want.roth_limit, want.deduction_limit,
            want.nondeductible, want.traditional_excess + want.roth_excess,
        ), row  # fmt: skip


YEARS = (2024, 2025, 2026)
one_year = st.fixed_dictionaries(
    {
        "rich": st.booleans(),
        "traditional": contributed,
        "roth": contributed,
        "late": st.one_of(st.just(ZERO), dollars(1, 4000)),
        "traditional_value": dollars(0, 12_000),
        "roth_value": dollars(0, 12_000),
    }
)


def _magi(row: dict[str, Any]) -> Decimal:
    return Decimal(500_000 if row["rich"] else 50_000)


def _excess_by_hand(years: list[dict[str, Any]], kind: str) -> list[tuple[Decimal, Decimal]]:
    traditional = excise(_years(years, "traditional"), [ZERO] * len(years))
    if kind == "traditional":
        return [(excess, tax) for excess, tax, _ in traditional]
    roth = excise(_years(years, "roth"), [absorbed for _, _, absorbed in traditional])
    return [(excess, tax) for excess, tax, _ in roth]


def _years(years: list[dict[str, Any]], kind: str) -> list[Year]:
    told = []
    for n, (tax_year, row) in enumerate(zip(YEARS, years, strict=True)):
        limits = ira_limits(
            tax_year, age=40, filing_status="single", compensation=Decimal(90_000), roth_magi=_magi(row),
            deduction_magi=_magi(row), covered=False, spouse_covered=False,
            traditional=row["traditional"], roth=row["roth"],
        )  # fmt: skip
        shared = max(ZERO, limits.contribution_limit - row["traditional"] - row["roth"])
        room = shared if kind == "traditional" else max(ZERO, limits.roth_limit - row["roth"])
        excess = limits.traditional_excess if kind == "traditional" else limits.roth_excess
        late = row["late"] if n and kind == "roth" else ZERO
        told.append(Year(excess, room, shared, late, row[f"{kind}_value"]))
    return told


@ENGINE
@given(st.lists(st.lists(one_year, min_size=3, max_size=3), min_size=10, max_size=20))
def test_vectorised_six_percent_tax_equals_form_5329_year_by_year(people_years: list[list[dict[str, Any]]]) -> None:
    book = Book()
    for n, years in enumerate(people_years):
        who = f"P{n:03d}"
        book.add("persons", person_id=who)
        for kind in ("traditional", "roth"):
            book.ira(f"{who}{kind}", None, person_id=who, kind=f"{kind}_ira")
        for m, (tax_year, row) in enumerate(zip(YEARS, years, strict=True)):
            book.add("tax_profiles", person_id=who, tax_year=tax_year, roth_magi=_magi(row),
                     active_participant=False)  # fmt: skip
            for kind in ("traditional", "roth"):
                book.add("balances", account_number=f"{who}{kind}", as_of=f"{tax_year}-12-31",
                         market_value=row[f"{kind}_value"])  # fmt: skip
                if row[kind]:
                    book.event(f"{who}{kind}", f"{tax_year}-02-01", "contribution", row[kind], tax_year=tax_year)
            if m and row["late"]:
                book.event(f"{who}roth", f"{tax_year}-11-01", "return_of_excess", row["late"], tax_year=tax_year - 1)
    table = book.compute(as_of="2027-11-01", tax_years=YEARS)["excess_contributions"]
    found = {(r["person_id"], r["ira_kind"], r["tax_year"]): r for r in table.iter_rows(named=True)}
    for n, years in enumerate(people_years):
        for kind in ("traditional", "roth"):
            for tax_year, want in zip(YEARS, _excess_by_hand(years, kind), strict=True):
                got = found.get((f"P{n:03d}", kind, tax_year))
                assert (got["cumulative_excess"], got["excise_tax"]) == want if got else want == (ZERO, ZERO), years


def test_the_oracles_figures_are_those_of_the_limits_files() -> None:
    """An oracle with a wrong figure would prove a wrong engine."""
    from limits.load import for_years

    for found in for_years(sorted(FIGURES)):
        by_key = {(v.key, v.filing_status): int(v.value) for v in found.limits}
        figures = FIGURES[found.tax_year]
        assert figures.limit == by_key["ira_contribution_limit", ""]
        assert figures.catch_up == by_key["ira_catch_up_50", ""]
        for status in FILING_STATUSES:
            assert figures.roth(status) == (
                by_key["roth_magi_phaseout_start", status], by_key["roth_magi_phaseout_end", status])  # fmt: skip
            assert figures.covered(status) == (
                by_key["ira_deduction_covered_phaseout_start", status],
                by_key["ira_deduction_covered_phaseout_end", status])  # fmt: skip
