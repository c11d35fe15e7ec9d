"""The book over several nights: later rows replace earlier ones, conflicts are set aside, everything is repeatable."""

from __future__ import annotations

import csv
import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.tables import INPUT_TABLES
from tests.intake.nights import GOLDEN, KEY, Book, sample
from transforms.intake import Register, check_file, deliver, firm_key
from transforms.keys import KeyTrouble

BALANCES = "custodian,account_number,as_of,market_value\n"
TX = "custodian,account_number,transaction_id,trade_date,transaction_type,amount\n"


def values(book: Book) -> list[Decimal]:
    return book.nights[-1].table("balances")["market_value"].to_list()


def test_later_received_row_replaces_the_earlier_one(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("z.csv", BALANCES + "s,1,2025-12-31,5.00\ns,2,2025-12-31,7.00\n")
    book.night()
    night = book.drop("a.csv", BALANCES + "s,1,2025-12-31,6.00\n").night("2026-03-02")
    rows = night.table("balances").select("account_number", "market_value", "source_file", "received_at").rows()
    assert rows == [
        ("1", Decimal("6.00"), "a.csv", date(2026, 3, 2)),
        ("2", Decimal("7.00"), "z.csv", date(2026, 3, 1)),
    ]
    assert night.rejects.is_empty()


def test_different_rows_of_one_night_are_both_set_aside_and_the_older_stays(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("old.csv", BALANCES + "s,1,2025-12-31,1.00\n")
    book.night()
    book.drop("a.csv", BALANCES + "s,1,2025-12-31,5.00\n").drop("b.csv", BALANCES + "s,1,2025-12-31,6.00\n")
    night = book.night("2026-03-02")
    assert values(book) == [Decimal("1.00")]
    assert night.rejects.select("file", "line_number", "rule", "blocks").rows() == [
        ("a.csv", 2, "conflicting_rows", True),
        ("b.csv", 2, "conflicting_rows", True),
    ]
    mended = book.drop("c.csv", BALANCES + "s,1,2025-12-31,6.00\n\n").night("2026-03-03")
    assert values(book) == [Decimal("6.00")]
    assert mended.rejects.is_empty()


def test_identical_rows_of_two_files_merge_and_within_one_house_file_are_harmless(tmp_path: Path) -> None:
    row = "s,1,2025-12-31,5.00\n"
    night = Book(tmp_path).drop("a.csv", BALANCES + row + row).drop("b.csv", BALANCES + "\n" + row).night()
    assert night.table("balances").height == 1
    assert night.rejects.select("file", "line_number", "rule", "blocks").rows() == [
        ("a.csv", 3, "duplicate_row", False)
    ]


def test_a_bad_row_stops_blocking_once_a_later_good_row_has_its_key(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("a.csv", BALANCES + "s,1,2025-12-31,five\ns,2,2025-12-31,six\n")
    assert book.night().rejects["blocks"].to_list() == [True, True]
    night = book.drop("b.csv", BALANCES + "S,1,2025-12-31,5.00\n").night("2026-03-02")
    assert night.rejects.select("line_number", "account_number").rows() == [(3, "2")]
    assert night.files.filter(pl.col("file_name") == "a.csv").select("state", "rejected").rows() == [
        ("duplicate", 0),
        ("partial", 1),
    ]


def test_house_and_custodian_row_of_one_account_are_both_kept(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("Accounts_History.csv", sample("fidelity-history", "Accounts_History.csv"))
    book.drop("accounts.csv", "custodian,account_number,account_type,person_id\nfidelity,211-000101,roth_ira,P1\n")
    rows = book.night().table("accounts").filter(pl.col("account_number") == "211000101")
    assert rows.select("profile", "account_type", "person_id").sort("profile").rows() == [
        ("fidelity-history", "traditional_ira", None),
        ("house-accounts", "roth_ira", "P1"),
    ]


def test_overlapping_exports_merge_and_identical_events_within_one_stay(tmp_path: Path) -> None:
    text = sample("fidelity-history", "Accounts_History.csv").decode("utf-8-sig")
    line = next(x for x in text.splitlines(keepends=True) if "INTEREST EARNED" in x)
    twice = text.replace(line, line + line)
    night = Book(tmp_path).drop("a.csv", text).drop("b.csv", twice).night()
    interest = night.table("transactions").filter(pl.col("custodian_code") == "INTEREST EARNED")
    assert interest.height == 2
    assert interest["transaction_id"].n_unique() == 2
    assert night.table("transactions").height == 13


def test_payroll_rows_of_a_resent_file_are_not_counted_twice(tmp_path: Path) -> None:
    name = "AP_NWT_0226_02272026.180501.csv"
    text = sample("ascensus-payroll", name).decode()
    book = Book(tmp_path).drop(name, text).drop("AP_NWT_0226_02282026.180501.csv", text + "\n")
    rows = book.night().table("payroll_contributions")
    assert rows.height == 22
    sums = rows.group_by("source_column").agg(pl.col("amount").sum()).sort("source_column").rows()
    assert ("CLIENT SPECIFIC 1", Decimal("2250.00")) in sums
    assert ("EMPLOYEE 401(K)", Decimal("1038.46")) in sums  # 942.31 + 346.15 less the 250.00 correction


def every_sample(book: Book) -> Book:
    for path in sorted(GOLDEN.rglob("*")):
        if path.is_file() and not path.name.endswith(tuple(f".{table}.csv" for table in INPUT_TABLES)):
            book.drop(f"{path.parent.name}/{path.name}", path.read_bytes())
    return book


def test_same_files_same_tables_whatever_the_clock_and_the_folder(tmp_path: Path) -> None:
    one, two = every_sample(Book(tmp_path / "a")).night(), every_sample(Book(tmp_path / "b")).night()
    names = sorted(p.name for p in one.canonical.glob("*.parquet"))
    assert len(names) == len(INPUT_TABLES) + 3  # and rejects, what to fix of them, and files
    for name in names:
        assert (one.canonical / name).read_bytes() == (two.canonical / name).read_bytes(), name


def test_reading_the_book_again_changes_nothing(tmp_path: Path) -> None:
    book = every_sample(Book(tmp_path))
    first = book.night()
    second = book.clear().night("2026-03-09")
    for name in first.counts.tables:
        assert second.table(name).equals(first.table(name)), name


def test_a_gone_archive_file_stops_the_run(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("a.csv", BALANCES)
    night = book.night()
    (night.out / "archive" / night.register.entries[0].sha256).unlink()
    book.clear()
    with pytest.raises(FileNotFoundError):
        book.night("2026-03-02")


def test_archive_and_quarantine_are_private_and_hold_the_raw_line(tmp_path: Path) -> None:
    night = Book(tmp_path).drop("a.csv", BALANCES + "s,1,2025-12-31,five\n").night()
    archived = night.out / "archive" / night.register.entries[0].sha256
    assert archived.read_text() == BALANCES + "s,1,2025-12-31,five\n"
    assert stat.S_IMODE(archived.stat().st_mode) == 0o400
    assert stat.S_IMODE(archived.parent.stat().st_mode) == 0o700
    aside = night.out / "quarantine" / f"{archived.name}.csv"
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    with aside.open() as lines:
        assert list(csv.DictReader(lines)) == [
            {
                "file_name": "a.csv", "line_number": "2", "column": "market_value", "rule": "not_money",
                "message": night.rejects["message"][0], "raw_line": "s,1,2025-12-31,five",
            }
        ]  # fmt: skip


def test_unfinished_hidden_and_linked_files_wait(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "sub").mkdir(parents=True)
    for name in ("a.csv.part", "b.tmp", ".hidden.csv", "sub/ok.csv"):
        (inbox / name).write_text(BALANCES)
    (inbox / "link.csv").symlink_to(inbox / "sub" / "ok.csv")
    register = deliver(inbox, tmp_path / "out", None, date(2026, 3, 1), settle_seconds=0)
    assert register.waiting == (".hidden.csv", "a.csv.part", "b.tmp", "link.csv")
    assert [d.file_name for d in register.tonight] == ["sub/ok.csv"]
    assert (inbox / "sub" / "ok.csv").exists()


def test_a_file_still_growing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "grows.csv").write_text(BALANCES)

    def grow(_seconds: float) -> None:
        with (inbox / "grows.csv").open("a") as more:
            more.write("s,1,2025-12-31,5.00\n")

    monkeypatch.setattr("transforms.intake.register.time.sleep", grow)
    register = deliver(inbox, tmp_path / "out", None, date(2026, 3, 1))
    assert register.waiting == ("grows.csv",)
    assert register.entries == ()


def test_register_is_written_and_read_back(tmp_path: Path) -> None:
    night = Book(tmp_path).drop("a.csv", BALANCES).drop("b.csv", "").drop("c.csv", BALANCES).night()
    path = tmp_path / "register.json"
    night.register.write(path)
    assert Register.read(path) == night.register
    assert [e.file_name for e in night.register.entries] == ["a.csv", "b.csv"]
    assert [e.file_name for e in night.counts.register.entries] == ["a.csv"]
    path.write_text('{"as_of": "2026-01-01"}')
    with pytest.raises(ValueError, match="register"):
        Register.read(path)


def test_firm_key_is_made_once_kept_private_and_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROTHBOOK_FIRM_KEY", raising=False)
    key = firm_key(tmp_path)
    assert firm_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "state" / "firm.key").stat().st_mode) == 0o600
    assert firm_key(tmp_path / "other") != key
    monkeypatch.setenv("ROTHBOOK_FIRM_KEY", "from the environment")
    assert firm_key(tmp_path / "third") == b"from the environment"
    monkeypatch.setenv("ROTHBOOK_FIRM_KEY", "short")
    with pytest.raises(KeyTrouble, match="at least 16"):
        firm_key(tmp_path)


def test_an_archived_file_that_was_changed_is_not_read(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.drop("basis.csv", "person_id,tax_year,basis\nP1,2024,6000\n").night()
    (archived,) = (book.root / "out" / "archive").iterdir()
    archived.chmod(0o600)
    archived.write_bytes(archived.read_bytes().replace(b"6000", b"9000"))
    with pytest.raises(OSError, match="isn't what was delivered any more"):
        book.night()


SECRETS = ("901147721", "901-14-7721", "Quintero", "211000101", "55556666", "5555-6666", "31337")


def test_no_message_ever_quotes_a_cell(tmp_path: Path) -> None:
    book = Book(tmp_path)
    header = "person_id,advisor_id,given_name,family_name,birth_date,tax_id\n"
    book.drop(
        "persons.csv",
        header + "P1,A1,Marisol,Quintero,31337,901-14-772\nP2,A1,Marisol,Quintero\nP1,,Quintero,,,901147721\n",
    )
    book.drop("tx.csv", TX + "schwab,5555-6666,901-14-7721,2026-01-01,Quintero,31337x\n")
    book.drop("odd.csv", "Quintero,901147721\n")
    book.drop("open.csv", TX + 'schwab,"5555-6666\n')
    history = sample("fidelity-history", "Accounts_History.csv").decode("utf-8-sig")
    book.drop("History_for_Account_211000101.csv", history.replace("04/09/2026", "31337"))
    night = book.night()
    assert night.rejects.height >= 9
    said = night.rejects["message"].to_list() + night.files["message"].drop_nulls().to_list()
    for path in sorted((tmp_path / "inbox").rglob("*.csv")):
        said += check_file(path, KEY).lines()
    for secret in SECRETS:
        assert not [line for line in said if secret in line], secret
    for name in night.counts.tables:
        table = night.table(name)
        assert not table.select(pl.exclude("description")).write_ndjson().count("901147721"), name
