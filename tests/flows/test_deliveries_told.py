"""What a run says about deliveries on the terminal and keeps in its results."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.flows.deliveries import EXPECTED
from tests.flows.inbox import SECRETS, run, write_inbox


def test_the_summary_counts_what_arrived_and_names_what_did_not(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    (inbox / "expected.csv").write_text(
        EXPECTED + "Balances,testcust,balances,balances_*,monthly,3,,,\n"
        "Forms 5498 of 887700551234,,form_5498,,yearly,04-15,30,,\n"
        "Payroll,,payroll_contributions,,weekly,friday,5,,2027-04-26\n"
        "Next year,,form_1099r,,yearly,01-31,,,2028-01-01\n"
    )
    code, said = run(inbox, tmp_path / "out")
    assert code == 0, said
    assert "expected files: 1 arrived, 1 late, 1 missing, 1 not due" in said
    assert "missing: Forms 5498 of ...1234 (form 5498), due 2026-04-15" in said
    assert "late: Payroll (payroll contributions), due 2027-04-30" in said
    assert [secret for secret in SECRETS if secret in said] == []
    arrivals = pl.read_parquet(tmp_path / "out/latest/results/arrivals.parquet")
    assert arrivals.select("source", "state").rows()[0] == ("Balances", "arrived")


def test_a_firm_that_expects_nothing_is_told_nothing(tmp_path: Path) -> None:
    _, said = run(write_inbox(tmp_path / "inbox"), tmp_path / "out")
    assert "expected files" not in said
