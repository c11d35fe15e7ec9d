"""What goes wrong with nightly files is found and named; nothing is half loaded and nothing is an exception."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.intake.nights import KEY, Book, Night, sample
from transforms.intake.check import check_file

HISTORY = "Accounts_History.csv"


def history() -> str:
    return sample("fidelity-history", HISTORY).decode("utf-8-sig")


def refused(night: Night, rule: str) -> str:
    """The message of a file set aside as a whole; no row of it reached the book."""
    assert [(s, m is not None) for s, m in night.files.select("state", "message").rows()] == [("rejected", True)]
    assert night.rules() == [rule]
    assert sum(night.counts.tables.values()) == 0
    assert night.counts.register.entries == ()
    return str(night.files["message"][0])


def test_two_columns_swapped_are_bound_by_name(tmp_path: Path) -> None:
    def swap(line: str) -> str:
        cells = line.split(",")
        if len(cells) == 14:
            cells[7], cells[8] = cells[8], cells[7]
        return ",".join(cells)

    swapped = "\n".join(swap(line) for line in history().split("\n"))
    assert swapped != history()
    one = Book(tmp_path / "a").drop(HISTORY, history()).night().table("transactions")
    two = Book(tmp_path / "b").drop(HISTORY, swapped).night().table("transactions")
    assert one.drop("source_sha256").equals(two.drop("source_sha256"))


def test_amounts_swapped_under_the_header_are_set_aside(tmp_path: Path) -> None:
    text = history().replace(",,,,7000,\n", ",,,7000,Cash,\n", 1)
    night = Book(tmp_path).drop(HISTORY, text).night()
    assert night.rejects.select("rule", "column", "line_number", "account_number").rows() == [
        ("not_a_number", "amount", 4, "211000101")
    ]
    assert night.files["state"].to_list() == ["partial"]


def test_missing_footer_is_a_file_cut_off(tmp_path: Path) -> None:
    text = history()[: history().index("Date downloaded")]
    assert "Date downloaded" in refused(Book(tmp_path).drop(HISTORY, text).night(), "incomplete_file")


@pytest.mark.parametrize("size", [700, 1200, 1700])
def test_history_cut_mid_line_is_refused(tmp_path: Path, size: int) -> None:
    night = Book(tmp_path).drop(HISTORY, history()[:size]).night()
    assert night.rules() in (["incomplete_file"], ["quotes_broken"])
    refused(night, night.rules()[0])


def test_schwab_without_total_row_is_cut_off(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", "transactions_2020_banner.csv").decode()
    refused(Book(tmp_path).drop("t.csv", text[: text.index("Transactions Total")]).night(), "incomplete_file")


def test_schwab_cut_mid_line_is_refused(tmp_path: Path) -> None:
    name = "Contributory_XXX101_Transactions_20260309-071502.csv"
    refused(Book(tmp_path).drop(name, sample("schwab-transactions", name)[:-8]).night(), "quotes_broken")


def test_one_changed_amount_breaks_the_schwab_total(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", "transactions_2022_2023.csv").decode().replace("$6500.00", "$6501.00")
    message = refused(Book(tmp_path).drop("t.csv", text).night(), "total_differs")
    assert "4575.19" in message
    assert "4576.19" in message


def test_one_dropped_position_breaks_the_account_total(tmp_path: Path) -> None:
    text = sample("schwab-positions", "All-Accounts-Positions-2020-11-16-074214.CSV").decode()
    without = re.sub(r'"FNDA".*\r\n', "", text)
    message = refused(Book(tmp_path).drop("p.csv", without).night(), "total_differs")
    assert "24627.70" in message
    assert "21302.50" in message


def test_same_file_again_tonight_and_tomorrow_is_a_duplicate(tmp_path: Path) -> None:
    book = Book(tmp_path).drop(HISTORY, history()).drop("again.csv", history())
    first = book.night()
    assert first.files.select("file_name", "state").rows() == [(HISTORY, "accepted"), ("again.csv", "duplicate")]
    second = book.night("2026-03-02")
    assert second.files["state"].to_list() == ["accepted", "duplicate", "duplicate"]
    assert second.table("transactions").equals(first.table("transactions"))


def test_flipped_load_mode_changes_what_a_position_file_may_be_used_for(tmp_path: Path) -> None:
    text = sample("pershing-gcus", "GCUS.txt").decode()
    full = text.replace("UPDATED  ", "REFRESHED")
    night = Book(tmp_path / "a").drop("GCUS.txt", full).night()
    assert night.table("balances")["coverage"].unique().to_list() == ["full"]
    refused(
        Book(tmp_path / "b").drop("GCUS.txt", text.replace("UPDATED  ", "REFRESHED", 1)).night(), "contradicts_itself"
    )


def test_pershing_record_lost_in_transit(tmp_path: Path) -> None:
    lines = sample("pershing-acct", "ACCT.txt").decode().splitlines(keepends=True)
    message = refused(Book(tmp_path).drop("ACCT.txt", "".join(lines[:3] + lines[4:])).night(), "count_differs")
    assert "13" in message
    assert "12" in message


def test_unknown_action_is_kept_as_unmapped(tmp_path: Path) -> None:
    text = history().replace("CASH CONTRIBUTION CURRENT YEAR", "NEW WORDS FOR MONEY")
    rows = Book(tmp_path).drop(HISTORY, text).night().table("transactions")
    found = rows.filter(rows["source_line"] == 5).row(0, named=True)
    assert (found["transaction_type"], found["classification"]) == ("unclassified", "unmapped")
    assert (found["custodian_code"], found["amount"]) == ("NEW WORDS FOR MONEY", Decimal("7000.00"))


def test_iso_dates_of_a_resaved_file_are_no_data_of_this_layout(tmp_path: Path) -> None:
    text = history().replace("04/09/2026", "2026-04-09")
    night = Book(tmp_path).drop(HISTORY, text).night()
    assert night.rules() == ["line_not_understood"] * 3
    assert night.rejects["account_number"].to_list() == ["211000101", "211000101", "Z00000104"]
    assert night.files.select("lines_unknown", "rejected", "accepted").rows() == [(3, 3, 9)]


def test_shares_moved_without_an_amount_are_set_aside(tmp_path: Path) -> None:
    name = "Contributory_XXX101_Transactions_20260309-071502.csv"
    text = sample("schwab-transactions", name).decode()
    text = text.replace(
        '"Journal","","JOURNAL TO 00000103","","","","-$7,000.00"', '"Journaled Shares","X","X","5","","",""'
    )
    night = Book(tmp_path).drop(name, text).night()
    assert night.rejects.select("rule", "account_number", "blocks", "line_number").rows() == [
        ("amount_not_known", "*101", True, 2)
    ]


def test_one_unreadable_position_takes_the_whole_account_out(tmp_path: Path) -> None:
    name = "Portfolio_Positions_Feb-27-2026.csv"
    text = sample("fidelity-positions", name).decode().replace("$250.00", "n/a")
    night = Book(tmp_path).drop(name, text).night()
    assert "211000102" not in night.table("balances")["account_number"].to_list()
    assert night.rejects.select("line_number", "rule").rows() == [
        (3, "account_incomplete"),
        (4, "account_incomplete"),
        (5, "required"),
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda t: t[:27] + "T" + t[28:], "test_file"),
        (lambda t: t.replace("C00000005", "C00000006"), "count_differs"),
        (lambda t: t.replace("F00000003", "F00000004"), "count_differs"),
        (lambda t: t.replace("000000000005863050", "000000000005863150"), "total_differs"),
        (lambda t: t[: 750 * 17], "incomplete_file"),
        (lambda t: t[: 750 * 3] + t[750 * 4 :], "count_differs"),
    ],
    ids=["test flag", "C count", "F count", "C total", "no F record", "B record lost"],
)
@pytest.mark.parametrize("variant", ["crlf", "run_together"])
def test_pub_1220_controls(tmp_path: Path, change, rule: str, variant: str) -> None:  # type: ignore[no-untyped-def]
    text = sample("irs-pub1220", f"1099r_5498_ty2025.{variant}.txt").decode()
    changed = change(text)
    assert changed != text
    refused(Book(tmp_path).drop("irs.txt", changed.encode()).night(), rule)


def test_test_files_of_a_recordkeeper_are_refused(tmp_path: Path) -> None:
    content = sample("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv")
    refused(Book(tmp_path).drop("TS_NWT_0226_02272026.180501.csv", content).night(), "test_file")


def test_renamed_file_whose_account_was_in_its_name(tmp_path: Path) -> None:
    name = "Contributory_XXX101_Transactions_20260309-071502.csv"
    message = refused(
        Book(tmp_path).drop("schwab.csv", sample("schwab-transactions", name)).night(), "file_name_changed"
    )
    assert "only in the file name" in message


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"PK\x03\x04rest", "archive_damaged"),
        (b"person_id,tax_year,basis\nP1,2024,\x00\n", "nul_bytes"),
        ("person_id,tax_year,basis\n".encode("utf-16"), "wrong_encoding"),
        (b"person_id,tax_year,basis,source\nP1,2024,5,caf\xe9\n", "wrong_encoding"),
        (b'person_id,tax_year,basis\nP1,2024,"5\n', "quotes_broken"),
        (b"person_id,tax_year,Basis\nP1,2024,5\n", "kind_not_known"),
        (b"some,other,thing\n1,2,3\n", "kind_not_known"),
        (b"custodian,account_number,tax_year\ns,1,2025\n", "several_kinds_fit"),
        (b"person_id,tax_year,basis,basis\nP1,2024,5,6\n", "column_repeated"),
    ],
    ids=["nothing", "blank", "zip", "nul", "utf-16", "latin-1", "open quote", "case", "strange", "tie", "repeated"],
)
def test_files_that_are_not_what_they_should_be(tmp_path: Path, content: bytes, rule: str) -> None:
    refused(Book(tmp_path).drop("x.csv", content).night(), rule)


def test_a_rejected_file_is_looked_at_again_every_night(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("x.csv", b"")
    book.night()
    assert book.night("2026-03-02").files.select("state", "received_at").rows()[0][0] == "rejected"
    assert book.clear().night("2026-03-03").files.is_empty()


@pytest.mark.parametrize("digits", ["\u0663", "\uff13\uff10\uff10", "\u0968"])
@pytest.mark.parametrize("column", ["basis", "tax_year"])
def test_digits_of_another_script_are_no_number(tmp_path: Path, column: str, digits: str) -> None:
    cells = {"basis": "100", "tax_year": "2025", column: digits}
    text = f"person_id,tax_year,basis\nP1,{cells['tax_year']},{cells['basis']}\nP2,2025,100\n"
    night = Book(tmp_path).drop("basis.csv", text).night()
    assert night.rejects.select("column", "line_number").rows() == [(column, 2)]
    assert night.table("ira_basis")["person_id"].to_list() == ["P2"]


def test_a_name_that_cannot_be_printed_does_not_stop_the_night(tmp_path: Path) -> None:
    book = Book(tmp_path)
    (tmp_path / "inbox").mkdir()
    for number, name in enumerate((b"bas\xff\xfe.csv", b"two\nlines.csv"), 1):
        path = tmp_path / "inbox" / os.fsdecode(name)
        path.write_text(f"person_id,tax_year,basis\nP{number},2025,100\n", encoding="utf-8")
        assert check_file(path, KEY).lines()[0].isprintable()
    night = book.night()
    assert night.files.select("file_name", "state").rows() == [
        ("bas??.csv", "accepted"), ("two?lines.csv", "accepted"),
    ]  # fmt: skip
    assert night.table("ira_basis").height == 2


def test_a_tax_year_in_digits_of_another_script_is_not_stated(tmp_path: Path) -> None:
    name = "cash-transactions-contribution.csv"
    text = sample("healthequity-cash", name).decode()
    garbled = text.replace("Tax year: 2026", "Tax year: \u0662\u0660\u0662\u0666", 1)
    assert garbled != text
    night = Book(tmp_path).drop(name, garbled).night()
    kinds = night.table("transactions").sort("source_line").select("transaction_type", "tax_year").rows()
    assert ("unclassified", None) in kinds
