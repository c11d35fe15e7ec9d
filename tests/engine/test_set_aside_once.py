"""A bad row of several deliveries is one problem in plain words; so is a line of a corrections file that grows."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from schemas.plain import CELLS, UNREADABLE, WRONG, wrong_with
from schemas.tables import INPUT_TABLES
from schemas.validate import EXPECTED
from tests.book import Book

BAD = {"kind": "transactions", "custodian": "testcust", "account_number": "T", "trade_date": "2026-05-01"}


def _delivered(book: Book, file: str, line: int, received: str, **reject: Any) -> Book:
    book.add("files", sha256=file, file_name=file, state="partial", received_at=received)
    return book.add("rejects", file=file, line_number=line, source_sha256=file, **{**BAD, **reject})


def _book() -> Book:
    return Book().person().ira("T", 5)


def _told(book: Book, rule: str = "row_set_aside") -> list[dict[str, Any]]:
    return book.compute()["findings"].filter(pl.col("rule") == rule).sort("finding_id").to_dicts()


@pytest.mark.parametrize("same", [{"row_key": "testcust|T|T1"}, {"raw_line_sha256": "f00"}], ids=["key", "text"])
def test_a_bad_row_of_two_deliveries_is_one_finding_that_names_both(same: dict[str, str]) -> None:
    first = _delivered(_book(), "monday.csv", 9, "2026-11-30", **same)
    (alone,) = _told(first)
    (both,) = _told(_delivered(first, "a_tuesday.csv", 4, "2026-12-01", **same))
    assert both["finding_id"] == alone["finding_id"]
    assert "[a_tuesday.csv:4; monday.csv:9]" in both["explanation"]
    assert both["title"] == "A row of the transactions files was set aside in 2 places"
    assert alone["title"] == "Line 9 of the transactions file was set aside"


def test_other_rows_stay_findings_of_their_own() -> None:
    book = _delivered(_book(), "monday.csv", 9, "2026-11-30", raw_line_sha256="f00")
    book.add("rejects", file="monday.csv", line_number=10, source_sha256="monday.csv", raw_line_sha256="f01", **BAD)
    assert [f["title"] for f in sorted(_told(book), key=lambda f: f["title"])] == [
        "Line 10 of the transactions file was set aside", "Line 9 of the transactions file was set aside",
    ]  # fmt: skip


def test_two_bad_cells_of_a_row_are_one_finding_that_says_both() -> None:
    book = _delivered(_book(), "monday.csv", 9, "2026-11-30", raw_line_sha256="f00", column="trade_date")
    bad = {**BAD, "column": "amount", "rule": "not_money", "raw_line_sha256": "f00"}
    book.add("rejects", file="monday.csv", line_number=9, source_sha256="monday.csv", **bad)
    (told,) = _told(book)
    both = "The amount isn't in plain dollars, and the date of the transaction isn't a date that can be read"
    assert told["explanation"].startswith(f"{both} [monday.csv:9].")


def test_a_line_of_a_corrections_file_that_came_again_is_one_finding() -> None:
    said = {"rule": "correction_obsolete", "raw_line_sha256": "f00", "blocks": False, "message": "it is right now"}
    book = _delivered(_book(), "fix.csv", 2, "2026-11-30", **said)
    (alone,) = _told(book, "correction_not_applied")
    (both,) = _told(_delivered(book, "fix_more.csv", 2, "2026-12-01", **said), "correction_not_applied")
    assert both["finding_id"] == alone["finding_id"]
    assert "It stands at fix.csv:2; fix_more.csv:2." in both["explanation"]
    assert "It stands at" not in alone["explanation"]


def test_every_rule_of_a_cell_has_words_without_codes() -> None:
    assert set(EXPECTED) <= set(WRONG)
    columns = {column.name for table in INPUT_TABLES.values() for column in table.columns}
    assert set(CELLS) <= columns
    for rule in WRONG:
        for column in sorted(columns):
            assert re.search(r"[a-z]_[a-z]|[{}]", wrong_with(rule, column)) is None, (rule, column)
    assert wrong_with("not_money", "market_value") == "the account's value isn't in plain dollars"
    assert wrong_with("not_a_date", "Custodian's Own Name") == "a cell of it isn't a date that can be read"
    assert wrong_with("a_rule_of_tomorrow", "amount") == UNREADABLE
