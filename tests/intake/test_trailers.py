"""Every format that states its own end, count or total is held to it, and every marker of a test file is honoured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.intake.nights import Book, sample

CASES = [
    ("schwab-transactions-banner", "transactions_2022_2023.csv", r"\$6500\.00", "$6501.00", "total_differs"),
    ("schwab-transactions-banner", "transactions_2022_2023.csv", r"\"?Transactions Total.*", "", "incomplete_file"),
    ("schwab-positions", "All-Accounts-Positions-2020-11-16-074214.CSV", r'"FNDA".*\r\n', "", "total_differs"),
    (
        "schwab-positions",
        "Rollover IRA-Positions-2026-02-27-073305.csv",
        r'"(Account|Positions) Total".*',
        "",
        "incomplete_file",
    ),
    ("fidelity-history", "Accounts_History.csv", r"Date downloaded.*", "", "incomplete_file"),
    ("fidelity-history", "Accounts_History_2026_07_layout.csv", r"Date downloaded.*", "", "incomplete_file"),
    ("fidelity-positions", "Portfolio_Positions_Feb-27-2026.csv", r'"?Date downloaded.*', "", "incomplete_file"),
    ("pershing-acct", "ACCT.txt", r"(?m)^EOF.*\n", "", "incomplete_file"),
    ("pershing-acct", "ACCT.txt", r"0000000013", "0000000014", "count_differs"),
    ("pershing-acct", "ACCT.txt", r"(?m)^CIB.*\n", "", "count_differs"),
    ("pershing-acct", "ACCT.txt", r"(?m)(?<=^EOF)(.*)TO REMOTE ZZZ", r"\1TO REMOTE YYY", "contradicts_itself"),
    ("pershing-gcus", "GCUS.txt", r"(?m)^EOF.*\n", "", "incomplete_file"),
    ("pershing-gcus", "GCUS.txt", r"(RECORDS:\s*)0000000005", r"\g<1>0000000006", "count_differs"),
    ("pershing-gcus", "GCUS.txt", r"(?m)(?<=^EOF)(.*)UPDATED  ", r"\1REFRESHED", "contradicts_itself"),
    ("irs-pub1220", "1099r_5498_ty2025.crlf.txt", r"(?m)^F.*\r?\n", "", "incomplete_file"),
    ("irs-pub1220", "1099r_5498_ty2025.crlf.txt", r"C00000005", "C00000006", "count_differs"),
    ("irs-pub1220", "1099r_5498_ty2025.crlf.txt", r"000000000005863050", "000000000005863150", "total_differs"),
]


@pytest.mark.parametrize(
    ("profile", "name", "was", "now", "rule"), CASES, ids=[f"{p}-{r}-{n}" for n, (p, _, _, _, r) in enumerate(CASES)]
)
def test_a_file_that_contradicts_its_own_end_or_total_is_set_aside_whole(
    tmp_path: Path, profile: str, name: str, was: str, now: str, rule: str
) -> None:
    text = sample(profile, name).decode("latin-1")
    changed = re.sub(was, now, text, count=1)
    assert changed != text
    night = Book(tmp_path).drop(name, changed.encode("latin-1")).night()
    assert night.rules() == [rule]
    assert night.files["state"].to_list() == ["rejected"]
    assert sum(night.counts.tables.values()) == 0


@pytest.mark.parametrize(
    ("profile", "name", "test_name"),
    [
        ("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv", "TS_NWT_0226_02272026.180501.csv"),
        ("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv", "AP_NWT_0226_02272026.180501_UAT.csv"),
        ("pershing-acct", "ACCT.txt", "ACCT_UAT.txt"),
        ("irs-pub1220", "1099r_5498_ty2025.crlf.txt", "irs_UAT.txt"),
    ],
)
def test_a_name_that_says_test_is_refused_and_the_same_bytes_under_their_own_name_are_not(
    tmp_path: Path, profile: str, name: str, test_name: str
) -> None:
    content = sample(profile, name)
    refused = Book(tmp_path / "test").drop(test_name, content).night()
    assert (refused.rules(), sum(refused.counts.tables.values())) == (["test_file"], 0)
    assert Book(tmp_path / "real").drop(name, content).night().files["state"].to_list() == ["accepted"]


def test_the_transmitter_s_test_flag_refuses_an_irs_file(tmp_path: Path) -> None:
    text = sample("irs-pub1220", "1099r_5498_ty2025.crlf.txt").decode()
    night = Book(tmp_path).drop("irs.txt", text[:27] + "T" + text[28:]).night()
    assert night.rules() == ["test_file"]
