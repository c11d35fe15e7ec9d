"""Fixes of set-aside rows: applied before the row is read again, traced, and refused loudly where they can't be."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook

from tests.intake.nights import Book, Night

HEADER = "file_sha256,line_number,column_name,corrected_value,fixed_by,fixed_on,note\n"
MOVES = (
    "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year\n"
    "schwab,1111-2222,T1,2026-02-02,contribution,7500,\n"
    "schwab,1111-2222,T2,2026-02-30,rmd,5,\n"
    "schwab,1111-2222,T3,2026-02-03,rmd,5,,7\n"
    "schwab,1111-2222,T1,2026-02-02,contribution,7500,\n"
)
SCHWAB = '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n'


def fix(text: str, line: int, column: str, value: str, by: str = "ops", on: str = "2026-02-27") -> str:
    return f"{sha256(text.encode()).hexdigest()},{line},{column},{value},{by},{on},\n"


def _night(tmp_path: Path, *fixes: str, text: str = MOVES) -> Night:
    return Book(tmp_path).drop("moves.csv", text).drop("fixes.csv", HEADER + "".join(fixes)).night()


def _row(night: Night, transaction_id: str) -> dict[str, Any]:
    return night.table("transactions").filter(pl.col("transaction_id") == transaction_id).row(0, named=True)


def _state(night: Night, name: str = "moves.csv") -> tuple[Any, ...]:
    columns = ("state", "rows", "accepted", "rejected")
    return night.files.filter(pl.col("file_name") == name).select(columns).row(0)


def test_without_fixes_three_lines_are_set_aside(tmp_path: Path) -> None:
    night = Book(tmp_path).drop("moves.csv", MOVES).night()
    assert sorted(night.rules()) == ["duplicate_row", "not_a_date", "wrong_number_of_cells"]
    assert _state(night) == ("partial", 4, 1, 3)


def test_a_fixed_row_is_accepted_and_names_both_files(tmp_path: Path) -> None:
    night = _night(
        tmp_path,
        fix(MOVES, 3, "trade_date", "2026-02-27"),
        fix(MOVES, 4, "(row)", "(leave out)"),
        fix(MOVES, 5, "(row)", "(leave out)"),
    )
    assert night.rejects.is_empty()
    row = _row(night, "T2")
    assert (row["trade_date"], row["amount"], row["account_number"]) == (date(2026, 2, 27), Decimal("5.00"), "11112222")
    assert (row["source_file"], row["source_line"]) == ("moves.csv (fixed by fixes.csv:2)", 3)
    assert night.table("transactions")["transaction_id"].to_list() == ["T1", "T2"]
    assert _row(night, "T1")["source_file"] == "moves.csv"
    assert _state(night) == ("accepted", 4, 4, 0)
    note = night.files.filter(pl.col("file_name") == "moves.csv")["message"].item()
    assert note == "1 row fixed as row_fixes say; 2 rows left out as row_fixes say"
    applied = night.table("row_fixes").sort("line_number")
    assert applied.select("fixed_file", "kind", "account_number", "shown_after").rows() == [
        ("moves.csv", "transactions", "11112222", "2026-02-27"),
        ("moves.csv", "transactions", "11112222", "(leave out)"),
        ("moves.csv", "transactions", "11112222", "(leave out)"),
    ]


@pytest.mark.parametrize(
    ("line", "column", "value", "rule", "says"),
    [
        (3, "trade_date", "2026-02-31", "fix_value", "expected a date such as 2026-04-15"),
        (3, "trade_date", "(blank)", "fix_value", "a value is required"),
        (3, "trade_date", "(leave out)", "fix_value", "goes with (row)"),
        (3, "(row)", "drop it", "fix_value", "goes with (row)"),
        (3, "tradedate", "2026-02-27", "fix_not_possible", "no column of this kind"),
        (4, "amount", "5", "fix_not_possible", "too few or too many cells"),
        (2, "amount", "7000", "fix_not_needed", "isn't set aside"),
        (99, "amount", "7000", "fix_not_needed", "no such line"),
        (99, "(row)", "(leave out)", "fix_not_needed", "no such line"),
    ],
)
def test_a_fix_that_cannot_be_is_told_and_its_row_stays_set_aside(
    tmp_path: Path, line: int, column: str, value: str, rule: str, says: str
) -> None:
    night = _night(tmp_path, fix(MOVES, line, column, value))
    told = night.rejects.filter(pl.col("file") == "fixes.csv").select("line_number", "rule", "message", "blocks").row(0)
    assert told[:2] == (2, rule)
    assert says in told[2]
    assert told[3] is False
    assert sorted(night.rejects.filter(pl.col("file") == "moves.csv")["rule"]) == [
        "duplicate_row", "not_a_date", "wrong_number_of_cells"
    ]  # fmt: skip
    assert night.table("row_fixes").is_empty()
    assert night.table("transactions")["transaction_id"].to_list() == ["T1"]


def test_a_fix_of_a_file_that_is_not_in_the_book_is_told_until_it_is_withdrawn(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("fixes.csv", HEADER + fix("another file", 2, "amount", "5"))
    first = book.night()
    assert first.rejects.select("file", "line_number", "rule").rows() == [("fixes.csv", 2, "fix_finds_no_file")]
    second = book.drop("later.csv", HEADER + fix("another file", 2, "amount", "(withdrawn)")).night("2026-03-02")
    assert second.rejects.is_empty()


def test_two_fixes_of_one_cell_in_one_night_are_a_conflict_and_a_later_one_decides(tmp_path: Path) -> None:
    good = "custodian,account_number,as_of,market_value\nschwab,1111,2026-02-02,n/a\n"
    book = Book(tmp_path).drop("values.csv", good).drop("a.csv", HEADER + fix(good, 2, "market_value", "10"))
    first = book.drop("b.csv", HEADER + fix(good, 2, "market_value", "11")).night()
    assert sorted(first.rules()) == ["conflicting_rows", "conflicting_rows", "not_money"]
    assert first.table("balances").is_empty()
    second = book.drop("c.csv", HEADER + fix(good, 2, "market_value", "11", by="boss")).night("2026-03-02")
    assert second.rejects.is_empty()
    row = second.table("balances").row(0, named=True)
    assert (row["market_value"], row["source_file"]) == (Decimal("11.00"), "values.csv (fixed by c.csv:2)")


def test_the_same_answer_of_two_people_and_a_blank_one_are_no_conflict(tmp_path: Path) -> None:
    good = "custodian,account_number,as_of,market_value\nschwab,1111,2026-02-02,n/a\n"
    book = Book(tmp_path).drop("values.csv", good).drop("a.csv", HEADER + fix(good, 2, "market_value", "10"))
    book.drop("b.csv", HEADER + fix(good, 2, "market_value", "10", by="boss"))
    night = book.drop("c.csv", HEADER + fix(good, 2, "market_value", "", by="", on="")).night()
    assert night.rejects.is_empty()
    assert night.table("balances")["market_value"].to_list() == [Decimal("10.00")]


def test_an_unsigned_fix_is_set_aside(tmp_path: Path) -> None:
    night = _night(tmp_path, fix(MOVES, 3, "trade_date", "2026-02-27", by=""))
    told = night.rejects.filter(pl.col("file") == "fixes.csv")
    assert told.select("rule", "column").rows() == [("fix_not_signed", "fixed_by")]
    assert "not_a_date" in night.rules()


def test_a_wrong_fix_is_replaced_by_a_right_one(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("moves.csv", MOVES)
    first = book.drop("fixes.csv", HEADER + fix(MOVES, 3, "trade_date", "27.02.2026")).night()
    assert "fix_value" in first.rules()
    second = book.drop("fixes2.csv", HEADER + fix(MOVES, 3, "trade_date", "2026-02-27")).night("2026-03-02")
    assert sorted(second.rules()) == ["duplicate_row", "wrong_number_of_cells"]
    assert _row(second, "T2")["trade_date"] == date(2026, 2, 27)


def test_a_later_row_of_the_file_itself_counts_more_than_an_earlier_fixed_one(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("moves.csv", MOVES).drop("fixes.csv", HEADER + fix(MOVES, 3, "trade_date", "2026-02-27"))
    book.night()
    right = MOVES.splitlines()[0] + "\nschwab,1111-2222,T2,2026-02-28,rmd,6,\n"
    night = book.drop("right.csv", right).night("2026-03-02")
    assert (_row(night, "T2")["trade_date"], _row(night, "T2")["source_file"]) == (date(2026, 2, 28), "right.csv")
    assert "fix_not_needed" not in night.rules()


def test_tax_ids_are_neither_shown_nor_taken(tmp_path: Path) -> None:
    persons = (
        "person_id,advisor_id,given_name,family_name,birth_date,tax_id\n"
        "P1,A1,Ann,Uhl,1980-01-01,900-11-234\nP2,A1,900112345,Uhl,1.1.1980,900-11-2345\n"
    )
    night = _night(tmp_path, fix(persons, 2, "tax_id", "900-11-2345"), text=persons)
    assert "fix_not_possible" in night.rules()
    seen = pl.read_parquet(night.canonical / "set_aside.parquet")
    assert seen.filter(pl.col("column") == "tax_id")["way"].to_list() == [None]
    assert seen.filter(pl.col("column") == "birth_date").select("way", "was").rows() == [("cell", "1.1.1980")]
    shown = " ".join(filter(None, [*seen["row_says"], *seen["was"]]))
    assert "given_name [nine digits]" in shown
    for secret in ("900-11", "900112345", "2345"):
        assert secret not in shown
    assert "900-11-2345" not in str(night.table("row_fixes").rows())


def test_a_custodian_cell_is_stated_as_people_write_it(tmp_path: Path) -> None:
    name = "Roth_XXX102_Transactions_20260228-071502.csv"
    text = SCHWAB + '"02/30/2026","MoneyLink Deposit","","Tfr","","","","1,50O.00"\n'
    book = Book(tmp_path).drop(name, text)
    first = book.night()
    cells = pl.read_parquet(first.canonical / "set_aside.parquet").select("column", "way", "was").sort("column")
    assert cells.rows() == [("amount", "cell", "1,50O.00"), ("day", "cell", "02/30/2026")]
    fixes = HEADER + fix(text, 2, "amount", "1500") + fix(text, 2, "day", "2026-02-27")
    second = book.drop("fixes.csv", fixes).night("2026-03-02")
    assert second.rejects.is_empty()
    row = second.table("transactions").row(0, named=True)
    assert (row["trade_date"], row["amount"]) == (date(2026, 2, 27), Decimal("1500.00"))
    assert row["source_file"].endswith("(fixed by fixes.csv:2, fixes.csv:3)")
    third = book.drop("gone.csv", HEADER + fix(text, 2, "(row)", "(leave out)")).night("2026-03-03")
    assert third.rejects.select("file", "rule").rows() == [("gone.csv", "fix_not_possible")]


JOURNAL = SCHWAB + '"02/10/2026","Journal","","Journaled","","","","6000.00"\n'


@pytest.mark.parametrize(
    ("stated", "outcome"),
    [
        ((("transaction_type", "rollover_in"),), ("rollover_in", "mapped", None, [])),
        ((("transaction_type", "contribution"), ("tax_year", "2025")), ("contribution", "mapped", 2025, [])),
        ((("transaction_type", "contribution"),), ("unclassified", "ambiguous", None, ["fix_not_possible"])),
        ((("tax_year", "2025"),), ("unclassified", "ambiguous", None, ["fix_not_possible"])),
        ((("transaction_type", "backdoor"),), ("unclassified", "ambiguous", None, ["fix_value"])),
        (
            (("transaction_type", "contribution"), ("tax_year", "2023")),
            ("unclassified", "ambiguous", None, ["fix_not_possible", "fix_value"]),
        ),
    ],
)  # fmt: skip
def test_a_code_nobody_can_read_is_classified_by_the_firm(
    tmp_path: Path, stated: tuple[tuple[str, str], ...], outcome: tuple[Any, ...]
) -> None:
    name = "Rollover_XXX101_Transactions_20260228-071502.csv"
    book = Book(tmp_path).drop(name, JOURNAL)
    fixes = HEADER + "".join(fix(JOURNAL, 2, column, value) for column, value in stated)
    night = book.drop("fixes.csv", fixes).night()
    row = night.table("transactions").row(0, named=True)
    kind, classification, year, rules = outcome
    assert (row["transaction_type"], row["classification"], row["tax_year"]) == (kind, classification, year)
    assert sorted(night.rules()) == rules
    if not rules:
        # the same row in a later export is the same event, and needs no second answer
        again = book.drop(name.replace("20260228", "20260301"), JOURNAL + "\n").night("2026-03-02")
        assert again.table("transactions")["transaction_type"].to_list() == [kind]
        assert again.rejects.is_empty()


def test_a_fix_of_a_fix_and_hostile_text_do_no_harm(tmp_path: Path) -> None:
    fixes = HEADER + fix(MOVES, 3, "trade_date", "=cmd()")
    book = Book(tmp_path).drop("moves.csv", MOVES).drop("fixes.csv", fixes)
    night = book.drop("more.csv", HEADER + fix(fixes, 2, "corrected_value", "2026-02-27")).night()
    told = night.rejects.filter(pl.col("file").is_in(["fixes.csv", "more.csv"])).select("file", "rule").rows()
    assert sorted(told) == [("fixes.csv", "fix_value"), ("more.csv", "fix_not_possible")]
    assert "cmd" not in "".join(night.rejects["message"])


def test_every_line_is_accounted_for_with_and_without_fixes(tmp_path: Path) -> None:
    for n, fixes in enumerate(([], [fix(MOVES, 3, "trade_date", "2026-02-27"), fix(MOVES, 5, "(row)", "(leave out)")])):
        night = _night(tmp_path / str(n), *fixes)
        for row in night.files.iter_rows(named=True):
            assert row["rows"] == row["accepted"] + row["rejected"]
            assert row["lines_total"] == sum(
                row[f"lines_{c}"] for c in ("preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
            )


def test_a_faulty_cell_of_a_workbook_is_fixed_once_every_one_of_its_row_is(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "values"
    sheet.append(["custodian", "account_number", "as_of", "market_value"])
    sheet.append(["schwab", 1234567890123456789, "2026-02-02", "=1/0"])
    sheet.append(["schwab", "2222", "2026-02-02", 5])
    workbook.save(tmp_path / "values.xlsx")
    data = (tmp_path / "values.xlsx").read_bytes()
    named = sha256(f"{sha256(data).hexdigest()}[values]".encode()).hexdigest()
    book = Book(tmp_path).drop("values.xlsx", data)
    book.drop("a.csv", f"{HEADER}{named},2,market_value,7.50,ops,2026-02-27,\n")
    first = book.night()
    assert first.rules() == ["number_not_exact"]
    assert first.table("balances")["account_number"].to_list() == ["2222"]
    second = book.drop("b.csv", f"{HEADER}{named},2,account_number,1234567890123456789,ops,2026-02-28,\n").night(
        "2026-03-02"
    )
    assert second.rejects.is_empty()
    rows = second.table("balances").select("account_number", "market_value", "source_file").rows()
    assert rows == [
        ("1234567890123456789", Decimal("7.50"), "values.xlsx[values] (fixed by b.csv:2, a.csv:2)"),
        ("2222", Decimal("5.00"), "values.xlsx[values]"),
    ]


TUESDAY = MOVES.replace("T3,2026-02-03,rmd,5,,7", "T9,2026-02-05,rmd,9,")


def test_one_fix_puts_the_same_row_of_every_delivery_right(tmp_path: Path) -> None:
    """The row of T2 came on Monday and Tuesday, fixed once; it comes again on Wednesday and is fixed as it comes."""
    book = Book(tmp_path).drop("monday.csv", MOVES).drop("tuesday.csv", TUESDAY)
    first = book.drop("fixes.csv", HEADER + fix(TUESDAY, 3, "trade_date", "2026-02-27")).night()
    assert [r for r in first.rejects.select("file", "rule").rows() if r[1] == "not_a_date"] == []
    applied = first.table("row_fixes").select("fixed_file", "line_number", "shown_after").rows()
    assert sorted(applied) == [("monday.csv", 3, "2026-02-27"), ("tuesday.csv", 3, "2026-02-27")]
    head, _, rest = TUESDAY.partition("\n")
    later = book.clear().drop("wednesday.csv", f"{head}\n{rest.splitlines()[1]}\n").night("2026-03-02")
    assert later.rejects.filter(pl.col("file") == "wednesday.csv").is_empty()
    assert _row(later, "T2")["source_file"] == "wednesday.csv (fixed by fixes.csv:2)"


def test_a_row_that_says_something_else_is_not_fixed_along(tmp_path: Path) -> None:
    other = MOVES.replace("T2,2026-02-30,rmd,5,", "T2,2026-02-30,rmd,6,")
    book = Book(tmp_path).drop("monday.csv", MOVES).drop("tuesday.csv", other)
    night = book.drop("fixes.csv", HEADER + fix(MOVES, 3, "trade_date", "2026-02-27")).night()
    assert night.rejects.filter(pl.col("rule") == "not_a_date")["file"].to_list() == ["tuesday.csv"]


def test_what_is_stated_of_a_line_itself_counts_there_and_a_withdrawal_goes_everywhere(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("monday.csv", MOVES).drop("tuesday.csv", TUESDAY)
    book.drop(
        "fixes.csv", HEADER + fix(MOVES, 3, "trade_date", "2026-02-27") + fix(TUESDAY, 3, "trade_date", "2026-02-26")
    )
    first = book.night()
    assert sorted(first.table("row_fixes")["shown_after"]) == ["2026-02-26", "2026-02-27"]
    back = "".join(fix(text, 3, "trade_date", "(withdrawn)") for text in (MOVES, TUESDAY))
    second = book.clear().drop("back.csv", HEADER + back).night("2026-03-02")
    assert second.table("row_fixes").is_empty()
    aside = second.rejects.filter(pl.col("rule") == "not_a_date")["file"].to_list()
    assert sorted(aside) == ["monday.csv", "tuesday.csv"]


def test_a_custodian_s_line_is_fixed_where_it_stands(tmp_path: Path) -> None:
    """Its file's heading says the day: the same text on another day is another fact."""
    text = SCHWAB + '"02/30/2026","MoneyLink Transfer","","Tfr","","","","$5.00"\n'
    again = text + '"02/03/2026","Cash Dividend","AAA","A","","","","$1.00"\n'
    book = Book(tmp_path).drop("Rollover_XXX101_Transactions_20260301-071502.csv", text)
    book.drop("Rollover_XXX101_Transactions_20260302-071502.csv", again)
    night = book.drop("fixes.csv", HEADER + fix(text, 2, "day", "2026-02-27")).night()
    assert night.table("row_fixes")["line_number"].to_list() == [2]
