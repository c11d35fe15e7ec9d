"""Ten people whose papers are not in order, and what Rothbook says of each: `docs/awkward-people.md`.

Write the page anew with: python -m tests.engine.awkward_people > docs/awkward-people.md
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tests.book import Book

TABLES = ("form_8606", "ira_limits", "mega_backdoor", "elective_deferrals", "ways_out")


def _backdoor(*, pre_tax: Any = 50_000, basis: Any = 0, **profile: Any) -> Book:
    """7,500 contributed and converted in 2026 beside a pre-tax IRA."""
    book = Book().person(**profile)
    if basis is not None:
        book.add("ira_basis", person_id="P1", tax_year=2025, basis=basis)
    book.ira("T", pre_tax).ira("R", 7500, kind="roth_ira")
    return book.event("T", "2026-02-01", "contribution", 7500, tax_year=2026).convert("2026-03-02", 7500)


def _no_basis() -> Book:
    return _backdoor(basis=None)


def _spouse_ira_undecided() -> Book:
    return _backdoor().ira("INH4711", 90_000, kind="inherited_traditional_ira", beneficiary_is_spouse=True)


def _no_value() -> Book:
    return _backdoor().ira("NEW8822", None, kind="rollover_ira")


def _iras_elsewhere() -> Book:
    return _backdoor(all_iras_reported=False)


def _nobody_asked() -> Book:
    return _backdoor(all_iras_reported=None)


def _partly_deductible() -> Book:
    return _backdoor(filing_status="single", deduction_magi=86_000, roth_magi=200_000, basis=3000)


def _lost_rollover() -> Book:
    return _backdoor().event("T", "2026-05-04", "rollover_out", 20_000)


def _conversion_from_nowhere() -> Book:
    return _backdoor().event("R", "2026-06-08", "roth_conversion_in", 12_000)


def _magi_conflict() -> Book:
    book = Book().person(roth_magi=160_000, agi=150_000, roth_conversion_income=0, plan_to_roth_rollover_income=0,
                         ira_deduction=0, student_loan_interest=0, savings_bond_exclusion=0, adoption_exclusion=0,
                         foreign_earned_income_exclusion=0, foreign_housing=0)  # fmt: skip
    return book.ira("R", 6000, kind="roth_ira").event("R", "2026-02-01", "contribution", 6000, tax_year=2026)


def _plan_half_known() -> Book:
    book = Book().person(birth_date="1970-04-01")
    book.add("plans", plan_id="A", in_plan_roth_conversion=None, in_service_distribution=None)
    return book.add("plan_contributions", person_id="P1", plan_id="A", tax_year=2026, as_of="2026-11-30",
                    pre_tax_deferrals=24_500, prior_year_fica_wages=None)  # fmt: skip


PEOPLE: dict[str, Callable[[], Book]] = {
    "Converted, and nobody ever stated a basis": _no_basis,
    "A surviving spouse who has not said whether the inherited IRA is treated as own": _spouse_ira_undecided,
    "An IRA without any balance": _no_value,
    "Has IRAs that are not in the book": _iras_elsewhere,
    "Nobody has confirmed that the book has every IRA": _nobody_asked,
    "Part of the contribution is deductible": _partly_deductible,
    "A 60-day rollover that never came back": _lost_rollover,
    "A conversion arrived that left no IRA in the book": _conversion_from_nowhere,
    "The stated MAGI is not what its components give": _magi_conflict,
    "A plan whose way to Roth is not known": _plan_half_known,
}


def page() -> str:
    """The whole page."""
    parts = [
        "# Ten awkward people",
        "",
        "What is not known is said to be unknown. This page is the engine's own words, checked by the tests; an empty",
        "number means that none is printed. As of December 1, 2026.",
    ]
    for title, build in PEOPLE.items():
        parts += ["", f"## {title}", "", *_answers(build())]
    return "\n".join(parts) + "\n"


def _answers(book: Book) -> list[str]:
    lines = []
    results = book.compute()
    for name in TABLES:
        for row in results[name].iter_rows(named=True):
            if row["status"] in ("UNKNOWN", "REVIEW"):
                lines.append(f"- **{name}{_which(row)}: {row['status']}**{_number(name, row)}")
                lines += [f"  - {reason}" for reason in row["reasons"]]
    return lines


def _which(row: dict[str, Any]) -> str:
    return f" ({row['way'].replace('_', ' ')})" if "way" in row else ""


def _number(name: str, row: dict[str, Any]) -> str:
    column = {"form_8606": "line_18", "ira_limits": "roth_limit", "mega_backdoor": "room",
              "elective_deferrals": "remaining", "ways_out": "taxable_then"}[name]  # fmt: skip
    value = row[column]
    return f", {column} {value:,}" if value is not None else f", {column} empty"


if __name__ == "__main__":
    sys.stdout.write(page())
