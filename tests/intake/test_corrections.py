"""The firm's corrections: applied while the source says what it said, refused loudly once it doesn't."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.intake.nights import Book, Night

HEADER = "table,row_key,column,value_in_source,corrected_value,declared_by,declared_on,reason\n"
TRANSACTIONS = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year\n"
KEY = "custodian=Schwab;account_number=1111-2222;transaction_id=T1"


def _correction(column: str, before: str, after: str, key: str = KEY, table: str = "transactions") -> str:
    return f"{table},{key},{column},{before},{after},ops,2026-02-27,the client's letter\n"


def _night(tmp_path: Path, *corrections: str, row: str = "schwab,11112222,T1,2026-02-02,contribution,7500,") -> Night:
    book = Book(tmp_path).drop("moves.csv", TRANSACTIONS + row + "\nschwab,11112222,T2,2026-02-03,rmd,5,\n")
    return book.drop("fix.csv", HEADER + "".join(corrections)).night()


def _t1(night: Night) -> dict[str, Any]:
    return night.table("transactions").filter(pl.col("transaction_id") == "T1").row(0, named=True)


@pytest.mark.parametrize(
    ("column", "before", "after", "value"),
    [
        ("amount", "7500.00", "7000", Decimal("7000.00")),
        ("trade_date", "2026-02-02", "2026-02-01", date(2026, 2, 1)),
        ("tax_year", "(blank)", "2025", 2025),
        ("transaction_type", "contribution", "rollover_in", "rollover_in"),
        ("counter_account_number", "(blank)", "33-44", "3344"),
    ],
)
def test_a_cell_is_corrected_and_the_row_names_both_files(
    tmp_path: Path, column: str, before: str, after: str, value: Any
) -> None:
    night = _night(tmp_path, _correction(column, before, after))
    row = _t1(night)
    assert row[column] == value
    assert (row["source_file"], row["source_line"]) == ("moves.csv (corrected by fix.csv:2)", 2)
    assert night.rejects.is_empty()
    assert set(night.files["state"]) == {"accepted"}
    applied = night.table("corrections").row(0, named=True)
    assert (applied["target_file"], applied["target_line"]) == ("moves.csv", 2)


def test_other_rows_stay_as_they_are_and_in_order(tmp_path: Path) -> None:
    table = _night(tmp_path, _correction("amount", "7500", "7000")).table("transactions")
    assert table["transaction_id"].to_list() == ["T1", "T2"]
    assert table["source_file"][1] == "moves.csv"


def test_two_corrections_of_one_row(tmp_path: Path) -> None:
    row = _t1(_night(tmp_path, _correction("amount", "7500", "7000"), _correction("tax_year", "(blank)", "2025")))
    assert (row["amount"], row["tax_year"]) == (7000, 2025)
    assert row["source_file"] == "moves.csv (corrected by fix.csv:2, fix.csv:3)"


@pytest.mark.parametrize(
    ("correction", "rule", "blocks"),
    [
        (_correction("amount", "7000", "7500"), "correction_obsolete", False),
        (_correction("amount", "7000", "7400"), "correction_contradicted", True),
        (_correction("amount", "7500", "7000", KEY.replace("T1", "T9")), "correction_finds_no_row", True),
        (_correction("amount", "7500", "7000", "custodian=schwab"), "correction_finds_several_rows", True),
        (_correction("amount", "7500", "7000", "first"), "correction_row_key", True),
        (_correction("amount", "7500", "7000", "owner=1"), "correction_row_key", True),
        (_correction("amount", "7500", "$7000"), "correction_value", True),
        (_correction("amount", "7500", "-7000"), "correction_value", True),
        (_correction("amount", "7500", "(blank)"), "correction_value", True),
        (_correction("trade_date", "2026-02-02", "02/01/2026"), "correction_value", True),
        (_correction("transaction_type", "contribution", "gift"), "correction_value", True),
        (_correction("tax_year", "(blank)", "2019"), "correction_not_possible", True),
        (_correction("transaction_id", "T1", "T3"), "correction_not_allowed", True),
        (_correction("source_line", "2", "3"), "correction_not_allowed", True),
        (_correction("tax_id", "(blank)", "900-00-0001", "person_id=P1", "persons"), "correction_not_allowed", True),
    ],
)
def test_a_correction_that_does_not_hold_is_refused(tmp_path: Path, correction: str, rule: str, blocks: bool) -> None:
    night = _night(tmp_path, correction)
    reject = night.rejects.row(0, named=True)
    assert night.rejects.height == 1
    assert (reject["file"], reject["line_number"], reject["rule"], reject["blocks"]) == ("fix.csv", 2, rule, blocks)
    assert "fix.csv:2" in reject["message"]
    assert (_t1(night)["amount"], _t1(night)["source_file"]) == (7500, "moves.csv")
    assert night.table("corrections").is_empty()
    assert dict(night.files.select("file_name", "state").iter_rows())["fix.csv"] == "partial"


def test_a_contradicted_correction_says_whom_it_is_about(tmp_path: Path) -> None:
    reject = _night(tmp_path, _correction("amount", "7000", "7400")).rejects.row(0, named=True)
    assert (reject["kind"], reject["custodian"], reject["account_number"]) == ("transactions", "schwab", "11112222")


def test_no_value_of_a_refused_correction_reaches_a_message_or_a_table(tmp_path: Path) -> None:
    night = _night(tmp_path, _correction("tax_id", "(blank)", "900-00-0001", "person_id=P1", "persons"))
    everything = "".join(str(night.table(name).to_dicts()) for name in ("corrections", "rejects"))
    assert "900-00-0001" not in everything


def test_the_source_agrees_one_night_later(tmp_path: Path) -> None:
    """The correction is applied, then the source sends what it wanted: refused until the line is removed."""
    book = Book(tmp_path).drop("moves.csv", TRANSACTIONS + "schwab,11112222,T1,2026-02-02,contribution,7500,\n")
    first = book.drop("fix.csv", HEADER + _correction("amount", "7500", "7000")).night("2026-03-01")
    assert _t1(first)["amount"] == 7000
    book.clear().drop("moves2.csv", TRANSACTIONS + "schwab,11112222,T1,2026-02-02,contribution,7000,\n")
    second = book.night("2026-03-02")
    assert (_t1(second)["amount"], second.rules()) == (7000, ["correction_obsolete"])


def test_a_later_correction_of_the_same_cell_replaces_the_earlier(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("moves.csv", TRANSACTIONS + "schwab,11112222,T1,2026-02-02,contribution,7500,\n")
    book.drop("fix.csv", HEADER + _correction("amount", "7500", "7000")).night("2026-03-01")
    book.clear().drop("fix2.csv", HEADER + _correction("amount", "7500", "6000"))
    night = book.night("2026-03-02")
    assert (_t1(night)["amount"], night.rules()) == (6000, [])


def test_a_correction_is_taken_back_by_saying_so(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("moves.csv", TRANSACTIONS + "schwab,11112222,T1,2026-02-02,contribution,7500,\n")
    book.drop("fix.csv", HEADER + _correction("amount", "7500", "7000")).night("2026-03-01")
    book.clear().drop("back.csv", HEADER + _correction("amount", "7500", "(withdrawn)"))
    night = book.night("2026-03-02")
    assert (_t1(night)["amount"], night.rules()) == (7500, [])


def test_whoever_a_mistyped_correction_names_is_told(tmp_path: Path) -> None:
    """The firm says the row is wrong, whatever is wrong with what it says instead."""
    book = Book(tmp_path).drop(
        "tax.csv", "person_id,tax_year,filing_status,roth_magi\nP1,2026,single,90000\n"
    )  # fmt: skip
    key = "person_id=P1;tax_year=2026"
    book.drop("fix.csv", HEADER + _correction("roth_magi", "90000", '"150,000"', key, "tax_profiles")
              + _correction("owner", "x", "y", key, "tax_profiles"))  # fmt: skip
    night = book.night("2026-03-01")
    assert night.rejects.select("rule", "person_id", "blocks").sort("rule").rows() == [
        ("correction_not_allowed", "P1", True), ("correction_value", "P1", True),
    ]  # fmt: skip


def test_a_custodian_row_is_named_by_what_it_says(tmp_path: Path) -> None:
    """Rows without an id of their own: by account, day and amount."""
    book = Book(tmp_path).drop("balances.csv", "custodian,account_number,as_of,market_value\nschwab,1,2025-12-31,-5\n")
    key = "account_number=1;market_value=-5.00"
    night = book.drop("fix.csv", HEADER + _correction("market_value", "-5", "5", key, "balances")).night()
    assert night.table("balances")["market_value"].to_list() == [Decimal("5.00")]
