"""Every sample is read without loss: each line in a class, each canonical row as written down beside the sample."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.profile import profiles
from schemas.tables import INPUT_TABLES
from tests.intake.nights import GOLDEN, KEY, Book, sample, shown
from transforms.intake import check_file

CLASSES = ("total", "preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
SAMPLES = {
    ("schwab-transactions-banner", "transactions_2020_banner.csv"): (10, 1, 1, 7, 1, 0, 0, 0),
    ("schwab-transactions-banner", "transactions_2020_banner_empty_period.csv"): (3, 1, 1, 0, 0, 0, 1, 0),
    ("schwab-transactions-banner", "transactions_2022_2023.csv"): (10, 1, 1, 7, 1, 0, 0, 0),
    ("schwab-transactions", "Contributory_XXX101_Transactions_20260309-071502.csv"): (8, 0, 1, 7, 0, 0, 0, 0),
    ("schwab-positions", "All-Accounts-Positions-2020-11-16-074214.CSV"): (21, 4, 3, 6, 3, 0, 5, 0),
    ("schwab-positions", "Rollover IRA-Positions-2026-02-27-073305.csv"): (7, 1, 1, 3, 1, 0, 1, 0),
    ("fidelity-history", "Accounts_History.csv"): (23, 0, 1, 12, 0, 4, 6, 0),
    ("fidelity-history", "Accounts_History_2026_07_layout.csv"): (14, 0, 1, 4, 0, 4, 5, 0),
    ("fidelity-history-single", "History_for_Account_211000101.csv"): (11, 0, 1, 5, 0, 0, 5, 0),
    ("fidelity-positions", "Portfolio_Positions_Feb-27-2026.csv"): (15, 0, 1, 6, 0, 4, 4, 0),
    ("vanguard-ofxdownload", "OfxDownload.csv"): (17, 0, 2, 12, 0, 0, 3, 0),
    ("vanguard-ofxdownload", "OfxDownload_plan.csv"): (12, 0, 2, 7, 0, 0, 3, 0),
    ("pershing-acct", "ACCT.txt"): (15, 0, 1, 13, 0, 1, 0, 0),
    ("pershing-gcus", "GCUS.txt"): (7, 0, 1, 5, 0, 1, 0, 0),
    ("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv"): (7, 1, 1, 5, 0, 0, 0, 0),
    ("apex-ext765", "EXT765_AccountMaster.csv"): (6, 0, 1, 5, 0, 0, 0, 0),
    ("dst-fanmail-apr", "APR_account_position.txt"): (8, 0, 1, 6, 0, 1, 0, 0),
    ("dst-fanmail-dfa", "DFA_direct_financial_activity.txt"): (11, 0, 1, 9, 0, 1, 0, 0),
    ("dst-fanmail-amp", "AMP_account_master.txt"): (8, 0, 1, 6, 0, 1, 0, 0),
    ("healthequity-cash", "cash-transactions-contribution.csv"): (3, 0, 1, 2, 0, 0, 0, 0),
    ("healthequity-cash", "cash-transactions-other.csv"): (3, 0, 1, 2, 0, 0, 0, 0),
    ("fidelity-statement", "Statement12312025.csv"): (19, 4, 2, 4, 2, 0, 7, 0),
    ("paykonnect-contributions", "paykonnect.csv"): (6, 0, 1, 5, 0, 0, 0, 0),
    ("empower-pdi", "pdi_payroll.txt"): (5, 0, 0, 5, 0, 0, 0, 0),
    ("schwab-rps", "schwab_rps.csv"): (5, 0, 1, 4, 0, 0, 0, 0),
    ("prudential-701", "combined_701.txt"): (6, 0, 1, 4, 0, 1, 0, 0),
    ("omniplus-partsrcval", "SUPER_OMNI_NEWR_PARTSRCVAL_DAILY_NG_PRD.DAT"): (6, 0, 0, 6, 0, 0, 0, 0),
    ("omniplus-ssn-change", "ssn_change.txt"): (2, 0, 0, 2, 0, 0, 0, 0),
    ("relius-participant-contribution", "PARTICIPANT_CONTRIBUTION_VNQ_WC.TXT"): (6, 0, 1, 5, 0, 0, 0, 0),
    ("voya-history", "history.tsv"): (6, 0, 1, 5, 0, 0, 0, 0),
    ("fidelity-netbenefits", "transaction_history.csv"): (14, 2, 1, 8, 0, 0, 3, 0),
    ("irs-pub1220", "1099r_5498_ty2025.crlf.txt"): (18, 0, 4, 10, 3, 1, 0, 0),
    ("irs-pub1220", "1099r_5498_ty2025.run_together.txt"): (18, 0, 4, 10, 3, 1, 0, 0),
}
#: Rows of files whose records take several lines.
ROWS = {"APR_account_position.txt": 3, "DFA_direct_financial_activity.txt": 3, "AMP_account_master.txt": 2}
ids = [name for _, name in SAMPLES]


@pytest.mark.parametrize(("profile", "name"), SAMPLES, ids=ids)
def test_every_line_has_a_class(tmp_path: Path, profile: str, name: str) -> None:
    night = Book(tmp_path).drop(name, sample(profile, name)).night()
    row = night.files.row(0, named=True)
    assert row["profile"] == profile
    assert tuple(row[f"lines_{c}"] for c in CLASSES) == SAMPLES[profile, name]
    assert row["lines_total"] == sum(row[f"lines_{c}"] for c in CLASSES[1:])
    rows = ROWS.get(name, row["lines_data"])
    assert (row["state"], row["rows"], row["accepted"]) == ("accepted", rows, rows)
    assert night.rejects.is_empty()


@pytest.mark.parametrize(("profile", "name"), SAMPLES, ids=ids)
def test_canonical_rows_are_the_golden_ones(tmp_path: Path, profile: str, name: str) -> None:
    night = Book(tmp_path).drop(name, sample(profile, name)).night()
    for table in INPUT_TABLES:
        golden = GOLDEN / profile / f"{name}.{table}.csv"
        found = shown(table, night.table(table))
        if golden.exists():
            assert found.to_dicts() == pl.read_csv(golden, infer_schema=False).to_dicts(), table
        else:
            assert found.is_empty(), table


def test_every_profile_has_a_sample() -> None:
    # its layout is tested below, cell by cell from the report; the tape has lines that give no row (test_recordkeepers)
    without = {"fidelity-history-2019", "fidelity-401k-tape"}
    assert {p.name for p in profiles()} - without == {profile for profile, _ in SAMPLES}


def test_fidelity_2019_account_name_and_number_in_one_cell(tmp_path: Path) -> None:
    text = (
        ",,,,\r\nRun Date,Account,Action,Symbol,Security Description,Security Type,Quantity,Price ($),Commission ($),"
        "Fees ($),Accrued Interest ($),Amount ($),Settlement Date\r\n"
        "02/03/2021,ROLLOVER IRA 200000001, CONV TO ROTH IRA VS 200-000002-1 (Cash), , "
        "No Description,Cash,,,,,,-588,\r\n"
        "02/03/2021,BROKERAGE 200000000, SOMETHING NEW (Cash), , No Description,Cash,,,,,,-10000,\r\n"
    )
    night = Book(tmp_path).drop("Accounts_History.csv", text).night()
    rows = night.table("transactions").sort("source_line")
    assert rows["account_number"].to_list() == ["200000001", "200000000"]
    assert rows["transaction_type"].to_list() == ["roth_conversion_out", "unclassified"]
    assert rows["classification"].to_list() == ["mapped", "unmapped"]
    assert rows["amount"].to_list() == [Decimal("588.00"), Decimal("10000.00")]
    assert rows["counter_account_number"].to_list() == ["200000002", None]
    assert night.table("accounts").select("account_type", "custodian_code").rows() == [
        ("other", "BROKERAGE"),
        ("rollover_ira", None),
    ]


def test_schwab_interleaved_accounts_repeat_banner_header_and_total(tmp_path: Path) -> None:
    one = sample("schwab-transactions-banner", "transactions_2020_banner.csv").decode()
    two = one.replace("Contributory IRA XXXX-0101", "Roth IRA XXXX-0303")
    night = Book(tmp_path).drop("t.csv", f"{one}\n\n{two}\n").night()
    rows = night.table("transactions")
    assert rows.group_by("account_number").len().sort("account_number").rows() == [("*0101", 7), ("*0303", 7)]
    assert night.table("accounts")["account_type"].to_list() == ["traditional_ira", "roth_ira"]
    assert night.rejects.is_empty()


def test_fidelity_history_with_foreign_exchange_columns(tmp_path: Path) -> None:
    text = (
        "\ufeff\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Exchange Quantity,Exchange Currency,"
        "Currency,Price,Quantity,Exchange Rate,Commission,Fees,Accrued Interest,Amount,Settlement Date\n"
        '12/04/2025,"ROTH IRA","211000103","YOU SOLD X (X) (Cash)",X,"X",Cash,0,,USD,10,-5,0,,,,50.5,12/05/2025\n\n'
        "Date downloaded 12/06/2025 7:02 am"
    )
    night = Book(tmp_path).drop("a.csv", text).night()
    assert night.table("transactions").select("transaction_type", "amount").rows() == [("market", Decimal("50.50"))]


def test_vanguard_empty_section_header_is_no_loss(tmp_path: Path) -> None:
    extra = b"Plan Number,Plan Name,Fund Name,Shares,Price,Total Value,\n"
    night = Book(tmp_path).drop("OfxDownload.csv", sample("vanguard-ofxdownload", "OfxDownload.csv") + extra).night()
    assert night.files.select("state", "lines_header", "lines_data").rows() == [("accepted", 3, 12)]


def test_vanguard_holdings_without_any_date_are_set_aside(tmp_path: Path) -> None:
    holdings = sample("vanguard-ofxdownload", "OfxDownload.csv").split(b"\n\n")[0] + b"\n"
    night = Book(tmp_path).drop("OfxDownload.csv", holdings).night()
    assert night.table("balances").is_empty()
    assert night.rejects.select("rule", "line_number", "account_number", "blocks").rows() == [
        ("as_of_not_known", 2, "90000101", True),
        ("as_of_not_known", 3, "90000101", True),
        ("as_of_not_known", 4, "90000102", True),
    ]


def test_pershing_values_are_signed_and_rounded_once_summed(tmp_path: Path) -> None:
    text = sample("pershing-gcus", "GCUS.txt").decode()
    # 58,648.510 -> 58,648.505, then 7,000.000 -> 7,000.500: the sum is 65,649.005, a half cent away from nought
    text = text.replace("000000000058648510+", "000000000058648505+").replace(
        "000000000007000000+", "000000000007000500+"
    )
    night = Book(tmp_path).drop("GCUS.txt", text).night()
    rows = night.table("balances").select("account_number", "market_value", "as_of", "coverage").rows()
    assert rows[0] == ("ZZZ001016", Decimal("65649.01"), date(2026, 2, 27), "delta")
    assert rows[1][1] == Decimal("18757.60")  # 22,967.60 long less 4,210.00 short


def test_pub_1220_correction_replaces_its_original(tmp_path: Path) -> None:
    name = "1099r_5498_ty2025.crlf.txt"
    night = Book(tmp_path).drop(name, sample("irs-pub1220", name)).night()
    row = night.table("form_5498").filter(pl.col("account_number") == "90000102").row(0, named=True)
    assert (row["box_5_fair_market_value"], row["corrected"], row["custodian"]) == (Decimal("69967.60"), True, None)


def test_check_says_what_a_file_is_and_masks_its_name(tmp_path: Path) -> None:
    path = tmp_path / "History_for_Account_211000101.csv"
    path.write_bytes(sample("fidelity-history-single", path.name))
    before = sorted(tmp_path.rglob("*"))
    found = check_file(path, KEY)
    assert found.ok
    assert found.lines() == [
        "History_for_Account_...0101.csv: fidelity-history-single (one account, named in the file name, 2019-2023)",
        "  lines: 11 total, 1 header, 5 data, 5 blank",
        "  rows: 5 read, 5 accepted, 0 set aside; gives 5 transactions",
    ]
    assert sorted(tmp_path.rglob("*")) == before
