"""A header that moved away from its layout: the difference is told, and nothing that could be a client's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.nights import GOLDEN, KEY, Book, sample
from tests.intake.test_samples import SAMPLES
from transforms.intake import check_file
from transforms.intake.drift import reads_like_a_column_name

SCHWAB = "Contributory_XXX101_Transactions_20260309-071502.csv"
SECRET = "Zebulon Quackenbush"


def told(tmp_path: Path, name: str, text: str) -> str:
    night = Book(tmp_path).drop(name, text).night()
    assert night.rules() == ["kind_not_known"]
    message = str(night.files["message"][0])
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert message in "\n".join(check_file(path, KEY).lines())
    return message


def fidelity(was: str, now: str) -> str:
    text = sample("fidelity-history", "Accounts_History.csv").decode("utf-8-sig")
    assert text.count(was) >= 1
    return text.replace(was, now, 1)


def test_a_renamed_column_is_named_with_its_likely_new_name(tmp_path: Path) -> None:
    message = told(tmp_path, "a.csv", fidelity("Run Date,", "Trade Run Date,"))
    assert "nearest is profile fidelity-history (layout: account number column, since 2025)" in message
    assert "missing: Run Date" in message
    assert "'Trade Run Date' may be the new name of 'Run Date'" in message


def test_a_removed_column_is_missing_and_nothing_is_said_to_be_its_new_name(tmp_path: Path) -> None:
    text = "\n".join(
        ",".join(line.split(",")[:3] + line.split(",")[4:]) if line.count(",") > 8 else line
        for line in sample("fidelity-history", "Accounts_History.csv").decode("utf-8-sig").splitlines()
    )
    message = told(tmp_path, "a.csv", text)
    assert "missing: Action" in message
    assert "may be the new name" not in message


def test_a_column_added_and_one_renamed_out_of_all_likeness(tmp_path: Path) -> None:
    header = "custodian,account_number,valuation,as_of,currency code\n"
    message = told(tmp_path, "b.csv", header + "schwab,1,2026-02-27,5,USD\n")
    assert "nearest is house kind balances: missing: market_value" in message
    assert "columns this layout doesn't use: currency code, 1 whose names aren't shown" in message


def test_an_added_column_alone_is_no_drift(tmp_path: Path) -> None:
    text = sample("schwab-transactions", SCHWAB).decode().replace('"Amount"', '"Amount","Currency"', 1)
    rows = text.splitlines()
    added = "\n".join([rows[0], *(f'{row},"USD"' for row in rows[1:])]) + "\n"
    night = Book(tmp_path).drop(SCHWAB, added).night()
    assert night.files.select("state", "rows").rows() == [("accepted", 7)]


@pytest.mark.parametrize("kind", ["house", "custodian"])
def test_swapped_columns_are_read_as_before(tmp_path: Path, kind: str) -> None:
    if kind == "house":
        name, table = "b.csv", "balances"
        one = "custodian,account_number,as_of,market_value\nschwab,1,2026-02-27,5\n"
        two = "market_value,as_of,custodian,account_number\n5,2026-02-27,schwab,1\n"
    else:
        name, table = SCHWAB, "transactions"
        one = sample("schwab-transactions", SCHWAB).decode().replace("$7,000.00", "$7000.00")
        one = one.replace("$6,500.00", "$6500.00")
        rows = [line.split(",") for line in one.splitlines()]
        two = "\n".join(",".join([*r[:2], *r[4:1:-1], *r[5:]]) for r in rows)
    first = Book(tmp_path / "1").drop(name, one).night().table(table)
    second = Book(tmp_path / "2").drop(name, two).night().table(table)
    assert first.height >= 1
    assert first.drop("source_sha256").equals(second.drop("source_sha256"))


def test_a_header_that_moved_down(tmp_path: Path) -> None:
    text = "Exported for " + SECRET + "\n\ncustodian,account_number,as_of,market_value\nschwab,1,2026-02-27,5\n"
    message = told(tmp_path / "house", "b.csv", text)
    assert "house kind balances: the header is on line 3, not on line 1" in message
    message = told(tmp_path / "schwab", SCHWAB, SECRET + "\n" + sample("schwab-transactions", SCHWAB).decode())
    assert "profile schwab-transactions (layout: header on line 1, since late 2023): the header is on line 2" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    "text",
    [
        f"{SECRET},887700551234\n{SECRET},887700551234\n",
        f"custodian,account_number,{SECRET},887700551234\nschwab,1,5,6\n",
        f"custodian,account_number,as_of,{SECRET}\nschwab,1,2026-02-27,5\n",
        f"person_id,tax_id {SECRET},900-11-2345\nP1,{SECRET},900-11-2345\n",
        f"Date,Amount\n{SECRET},887700551234\n",
    ],
    ids=["no header", "names as columns", "name for a column", "half a header", "two columns"],
)
def test_no_cell_that_could_be_a_client_s_is_shown(tmp_path: Path, text: str) -> None:
    message = told(tmp_path, "x.csv", text)
    assert [part for part in (*SECRET.split(), "8877", "900-11") if part in message] == []


def test_an_optional_column_under_a_new_name_is_told_and_not_read(tmp_path: Path) -> None:
    text = sample("schwab-transactions", SCHWAB).decode().replace('"Quantity"', '"Qty (quantity)"', 1)
    file = Book(tmp_path).drop(SCHWAB, text).night().files.row(0, named=True)
    assert (file["state"], file["rows"]) == ("accepted", 7)
    assert "'Qty (quantity)' may be the new name of 'Quantity'" in file["message"]


@pytest.mark.parametrize(("profile", "name"), SAMPLES, ids=[n for _, n in SAMPLES])
def test_no_sample_is_said_to_differ_from_its_layout(profile: str, name: str) -> None:
    assert "differs" not in "\n".join(check_file(GOLDEN / profile / name, KEY).lines())


def test_a_source_nobody_knows_says_so_and_what_to_do(tmp_path: Path) -> None:
    message = told(tmp_path, "x.csv", "alpha;beta;gamma\n1;2;3\n")
    assert "not a source this book knows" in message
    assert "rothbook profile new" in message


@pytest.mark.parametrize(
    ("text", "known"),
    [("Net Amount ($)", True), ("Trade Date", True), (SECRET, False), ("Account 887700551234", False), ("", False),
     ("a@b.example", False), ("Date of birth of Zebulon", False)],
)  # fmt: skip
def test_what_reads_like_a_column_name(text: str, known: bool) -> None:
    assert reads_like_a_column_name(text) is known


@pytest.mark.parametrize(
    "name", ["money_UAT.csv", "money_uat_20260301.csv", "in/UAT_money.csv", "money-UAT", "vendor_UAT/money.csv"]
)
def test_a_uat_file_is_refused_whatever_the_source(tmp_path: Path, name: str) -> None:
    text = "custodian,account_number,as_of,market_value\nschwab,1,2026-02-27,5\n"
    night = Book(tmp_path).drop(name, text).night()
    assert (night.rules(), night.table("balances").height) == (["test_file"], 0)


def test_uat_inside_a_word_and_a_plain_name_are_no_test_files(tmp_path: Path) -> None:
    text = "custodian,account_number,as_of,market_value\nschwab,1,2026-02-27,5\n"
    for n, name in enumerate(("ecuatorial.csv", "valUATion.csv", "graduate_uatx.csv")):
        assert Book(tmp_path / str(n)).drop(name, text).night().files["state"].to_list() == ["accepted"]


def test_a_tape_that_begins_with_testedt_is_refused(tmp_path: Path) -> None:
    assert Book(tmp_path).drop("tape.txt", "TESTEDT\n19 something\n").night().rules() == ["test_file"]
