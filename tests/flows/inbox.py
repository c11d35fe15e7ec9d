"""A small inbox of house files with names, tax ids and account numbers that must show up nowhere they don't belong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SECRETS = ("Zebulon", "Quackenbush", "900-11-2345", "900112345", "887700551234", "887700555678")

FILES = {
    "advisors.csv": "advisor_id,advisor_name,email,rep_codes\nADV1,Advisor One,,R1\n",
    "persons.csv": (
        "person_id,household_id,advisor_id,given_name,family_name,birth_date,tax_id,spouse_person_id\n"
        "P1,H1,ADV1,Zebulon,Quackenbush,1986-06-15,900-11-2345,\n"
    ),
    "profiles.csv": (
        "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,all_iras_reported\n"
        "P1,2026,single,900000,900000,900000,true,true\n"
    ),
    "basis.csv": "person_id,tax_year,basis,source\nP1,2025,0,filed 8606\n",
    "accounts.csv": (
        "custodian,account_number,account_type,person_id,owner_tax_id,plan_id\n"
        "testcust,887700551234,traditional_ira,P1,,\n"
        "testcust,887700555678,roth_ira,P1,,\n"
    ),
    "balances_887700551234.csv": (
        "custodian,account_number,as_of,market_value\n"
        "testcust,887700551234,2026-12-31,0\n"
        "testcust,887700555678,2026-12-31,7500\n"
    ),
    "transactions.csv": (
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,counter_account_number,description\n"
        "testcust,887700551234,T1,2026-02-01,contribution,7500,2026,,\n"
        "testcust,887700551234,T2,2026-02-10,roth_conversion_out,7500,,887700555678,\n"
        "testcust,887700555678,T3,2026-02-10,roth_conversion_in,7500,,887700551234,\n"
    ),
}

BAD_ROW = "testcust,887700551234,T4,the day Quackenbush called,contribution,100,2026,,\n"


def write_inbox(folder: Path, *, bad_row: bool = False) -> Path:
    """The small book in `folder`, with a row nobody can read if asked."""
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        spoiled = text + BAD_ROW if bad_row and name == "transactions.csv" else text
        (folder / name).write_text(spoiled, encoding="utf-8")
    return folder


def rothbook(*arguments: str | Path, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "flows", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def run(inbox: Path, out: Path, *more: str, as_of: str = "2027-05-01", tax_year: str = "2026") -> tuple[int, str]:
    """Exit code and everything printed of one direct run."""
    done = rothbook("run", "--direct", "--inbox", inbox, "--out", out, "--as-of", as_of, "--tax-year", tax_year, *more)
    return done.returncode, done.stdout + done.stderr
