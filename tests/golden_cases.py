"""The golden cases of every finding, each a book of its own, or many of them side by side in one book.

Computing a book costs much the same for one person as for a thousand, so the cases of one as-of date and the same tax
years are computed together: each under names of its own, and each on its own must come to what its file says. A case
with rows that are the firm's or a custodian's, such as files, forms or payroll, would change its neighbours, and one
about rows that are nobody's couldn't be told from them: each of these is computed alone.
"""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from tests.book import Book

GOLDEN = Path(__file__).parent / "golden" / "findings"
FILES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.toml"))}
#: What one case of a golden file shares with no other; recordkeepers and custodians stay the firm's own.
RENAMED = (
    "person_id", "spouse_person_id", "household_id", "account_number", "old_account_number", "counter_account_number",
    "plan_id", "employer_group_id", "tax_id", "owner_tax_id", "old_tax_id", "new_tax_id", "transaction_id",
    "cancels_transaction_id", "source_sha256", "sha256", "file_sha256", "source",
)  # fmt: skip
#: Tables whose rows are a person's, an account's or a plan's own, so that no other case can feel them.
_OWN = {
    "advisors", "persons", "tax_profiles", "accounts", "balances", "transactions", "ira_basis", "excess_carryovers",
    "plans", "plan_contributions",
}  # fmt: skip
#: Findings that collect or compare rows of more than one person, or rows that are nobody's.
_OF_THE_BOOK = {
    "account_owner_contested", "birth_date_conflict", "cancelled_row_missing", "change_not_followed",
    "possible_same_person", "row_names_nobody", "shared_tax_id", "unmapped_code", "unmatched_account",
}  # fmt: skip
Results = dict[str, pl.DataFrame]


def book_of(case: dict[str, Any]) -> Book:
    """The book a case's steps make."""
    book = Book()
    for name, *arguments in case["steps"]:
        named = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
        getattr(book, name)(*arguments, **named)
    return book


def renamed(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row under names no other case has; a mask is known by its ending and stays."""
    return {k: f"{name}-{v}" if k in RENAMED and v and not str(v).startswith("*") else v for k, v in row.items()}


def results_of(rule: str, case: dict[str, Any]) -> Results:
    """The findings, Form 8606 and IRA limits of a case, computed with its neighbours where it can have any."""
    if not _has_neighbours(rule, case):
        return book_of(case).compute(as_of=case["as_of"], tax_years=_years(case))
    whole, name = _together(case["as_of"], _years(case)), _name(rule, case)
    return {table: rows.filter(pl.col("person_id").str.starts_with(f"{name}-")) for table, rows in whole.items()}


def _years(case: dict[str, Any]) -> tuple[int, ...]:
    return tuple(case.get("tax_years", (2026,)))


def _name(rule: str, case: dict[str, Any]) -> str:
    return _unlike(f"{rule} {case['name']}")


def _unlike(text: str) -> str:
    """A name that isn't like any other one's, so that a search for people who may be the same finds nobody."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _has_neighbours(rule: str, case: dict[str, Any]) -> bool:
    return rule not in _OF_THE_BOOK and {table for table, rows in book_of(case).rows.items() if rows} <= _OWN


@cache
def _together(as_of: str, tax_years: tuple[int, ...]) -> Results:
    whole = Book()
    for rule, file in FILES.items():
        for case in file["case"]:
            if (case["as_of"], _years(case)) == (as_of, tax_years) and _has_neighbours(rule, case):
                _add(whole, _name(rule, case), book_of(case))
    results = whole.compute(as_of=as_of, tax_years=tax_years)
    # a finding about nobody would be no case's, and a case that must not raise it would pass whatever it does
    assert set(results["findings"].filter(pl.col("person_id").is_null())["rule"]) <= _OF_THE_BOOK
    return {table: results[table] for table in ("findings", "form_8606", "ira_limits")}


def _add(whole: Book, name: str, book: Book) -> None:
    for table, rows in book.rows.items():
        if table != "advisors":
            whole.rows[table] += [renamed(name, row) for row in rows]
    for person in whole.rows["persons"]:
        if person["given_name"].startswith("Case"):
            person["given_name"] = _unlike(person["person_id"])
