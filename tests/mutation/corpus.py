"""What the engine says of the tests' large books, as one digest: a mutant that moves nothing here needs no test run.

    PYTHONPATH=. python -m tests.mutation.corpus

A mutant that leaves every result table of these books as it was survives as far as they go. That may call a mutant
a survivor which some small book of a test would have killed, so a score made with it is a floor.
"""

from __future__ import annotations

import hashlib

from schemas.tables import RESULT_TABLES
from tests.book import Book
from tests.engine import test_boundaries, test_crowd, test_payroll_sources, test_plan_rules

YEARS = (2025, 2026)


def books() -> list[Book]:
    """The books in which many people of many situations are together."""
    edges, plans = Book(), Book()
    for case in test_boundaries.CASES:
        case(edges, test_boundaries._who(case))
    for who, build in test_plan_rules.SCENES.items():
        build(plans, who)
    return [edges, plans, test_payroll_sources._everybody(), test_crowd._together(test_crowd._crowd())]


def digest() -> str:
    """One sha256 over every result table of every book, before and after the end of the year."""
    whole = hashlib.sha256()
    for book in books():
        for as_of in ("2026-12-01", "2027-05-01"):
            tables = book.compute(as_of=as_of, tax_years=YEARS)
            for name in RESULT_TABLES:
                whole.update(repr(tables[name].rows()).encode())
    return whole.hexdigest()


if __name__ == "__main__":
    print(digest())
