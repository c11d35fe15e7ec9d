"""The engine against OpenTaxSolver's Form 8606: 10,500 random forms of 2020-2025, every line to the cent.

Three differences are known, each of one cent, each recognised and anything else refused: OpenTaxSolver adds lines 11
and 12 before rounding them, the form adds what is written on it (lines 13 and 14: 324 forms); a share of exactly half a
cent, which binary arithmetic may round down (2 forms); and the overage, where both shares round up past line 5 and the
engine takes it off line 11 (1 form).
"""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from limits.load import for_year
from tests.book import Book
from tests.oracles import open_tax_solver

CASES_A_YEAR = 1750
CENT = Decimal("0.01")


def _cents(low: int, high: int, chance: random.Random) -> Decimal:
    return Decimal(chance.randint(low, high)) / 100


def _case(chance: random.Random, limit: int) -> dict[str, Decimal]:
    """Lines 1, 2, 4, 6, 7, 8 of a made-up person, ordinary and odd shapes mixed."""
    zero = Decimal(0)
    line_1 = chance.choice([zero, Decimal(limit), _cents(1, limit * 100, chance)])
    return {
        "1": line_1,
        "2": chance.choice([zero, _cents(1, 99, chance), _cents(1, 5_000_000, chance), _cents(1, 100_000_000, chance)]),
        "4": chance.choice([zero, zero, line_1]),
        "6": chance.choice(
            [zero, _cents(1, 99, chance), _cents(1, 10_000_000, chance), _cents(1, 300_000_000, chance)]
        ),
        "7": chance.choice([zero, zero, _cents(1, 9, chance), _cents(1, 10_000_000, chance)]),
        "8": chance.choice(
            [zero, line_1, _cents(1, 9, chance), _cents(1, 800_000, chance), _cents(1, 90_000_000, chance)]
        ),
    }


def _book(tax_year: int, cases: list[dict[str, Decimal]]) -> Book:
    book, end = Book(), f"{tax_year}-12-31"
    for n, lines in enumerate(cases):
        who = f"P{n:04d}"
        book.person(who, tax_year).add("ira_basis", person_id=who, tax_year=tax_year - 1, basis=lines["2"])
        book.ira(f"{who}T", lines["6"], person_id=who, as_of=end)
        book.ira(f"{who}R", lines["8"], person_id=who, kind="roth_ira", as_of=end)
        if lines["1"]:
            made = f"{tax_year + 1}-02-01" if lines["4"] else f"{tax_year}-02-01"
            book.event(f"{who}T", made, "contribution", lines["1"], tax_year=tax_year)
        if lines["7"]:
            book.event(f"{who}T", f"{tax_year}-06-01", "distribution", lines["7"])
        if lines["8"]:
            book.convert(f"{tax_year}-03-02", lines["8"], out_of=f"{who}T", into=f"{who}R")
    return book


def _explained(lines: dict[str, Decimal], theirs: dict[str, Decimal], wrong: set[str]) -> str:
    """Why the two may differ by a cent, or nothing."""
    line_5 = lines["1"] + lines["2"] - lines["4"]
    total = lines["6"] + lines["7"] + lines["8"]
    if theirs["11"] + theirs["12"] > line_5:
        return "rounding overage"
    ratio = min(Fraction(1), Fraction(line_5) / Fraction(total))
    halves = [Fraction(lines[line]) * ratio * 200 for line in ("7", "8")]
    if any(half.denominator == 1 and half.numerator % 2 for half in halves):
        return "half a cent"
    exact_sum = sum(halves, Fraction(0)) / 200
    if wrong <= {"13", "14"} and abs(Fraction(theirs["13"]) - exact_sum) <= Fraction(CENT) / 2:
        return "unrounded sum"
    return ""


@pytest.mark.parametrize("tax_year", range(2020, 2026))
def test_every_line_equals_open_tax_solver(tax_year: int) -> None:
    chance = random.Random(8606 + tax_year)
    limit = next(v.value for v in for_year(tax_year).limits if v.key == "ira_contribution_limit")
    cases = [_case(chance, limit) for _ in range(CASES_A_YEAR)]
    table = _book(tax_year, cases).compute(as_of=f"{tax_year + 1}-05-01", tax_years=(tax_year,))["form_8606"]
    forms = {row["person_id"]: row for row in table.iter_rows(named=True)}
    differences: dict[str, int] = {}
    for n, lines in enumerate(cases):
        theirs = open_tax_solver.form_8606(tax_year, lines)
        wrong = _differences(forms[f"P{n:04d}"], theirs)
        if wrong:
            why = _explained(lines, theirs, set(wrong))
            assert why, (tax_year, lines, wrong)
            assert all(abs(ours - other) <= CENT for ours, other in wrong.values()), (tax_year, lines, wrong)
            differences[why] = differences.get(why, 0) + 1
    rare = differences.get("half a cent", 0) + differences.get("rounding overage", 0)
    assert rare < CASES_A_YEAR // 50, differences
    assert sum(differences.values()) < CASES_A_YEAR // 6, differences


def _differences(form: dict[str, Any], theirs: dict[str, Decimal]) -> dict[str, tuple[Decimal, Decimal]]:
    assert form["status"] in ("COMPUTED", "REVIEW"), form["reasons"]
    return {
        line: (form[f"line_{line}"], amount)
        for line, amount in theirs.items()
        if form[f"line_{line}"] is not None and form[f"line_{line}"] != amount
    }
