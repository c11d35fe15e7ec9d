"""From a corrections file to the number it changes, and to the page that says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from tests.intake.nights import Book
from transforms.engine import compute
from transforms.explain import explain

FILES = {
    "advisors.csv": "advisor_id,advisor_name\nA1,Advisor One\n",
    "persons.csv": "person_id,advisor_id,given_name,family_name,birth_date\nP1,A1,Case,Person,1986-06-15\n",
    "tax_profiles.csv": "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,"
    "all_iras_reported\nP1,2026,single,300000,300000,300000,true,true\n",
    "ira_basis.csv": "person_id,tax_year,basis\nP1,2025,0\n",
    "accounts.csv": "custodian,account_number,account_type,person_id\nschwab,11112222,traditional_ira,P1\n"
    "schwab,11113333,roth_ira,P1\n",
    "balances.csv": "custodian,account_number,as_of,market_value\nschwab,11112222,2026-11-20,0\n",
    "moves.csv": "custodian,account_number,transaction_id,trade_date,transaction_type,amount\n"
    "schwab,11112222,T1,2026-02-02,contribution,7000\nschwab,11112222,T2,2026-02-03,roth_conversion_out,7000\n"
    "schwab,11113333,T3,2026-02-03,roth_conversion_in,7000\n",
}
FIX = "table,row_key,column,value_in_source,corrected_value,declared_by,declared_on,reason\n"


def _run(tmp_path: Path, fix: str) -> Path:
    book = Book(tmp_path)
    for name, text in {**FILES, "fix.csv": FIX + fix}.items():
        book.drop(name, text)
    night = book.night("2026-12-01")
    compute(night.canonical, tmp_path / "run", as_of=date(2026, 12, 1), tax_years=(2026,), previous=None)
    return tmp_path / "run"


def _form(run: Path) -> dict[str, object]:
    return pl.read_parquet(run / "results" / "form_8606.parquet").row(0, named=True)


def test_a_corrected_contribution_is_line_1_and_the_page_names_both_files(tmp_path: Path) -> None:
    run = _run(tmp_path, "transactions,transaction_id=T1,amount,7000,3500,ops,2026-11-30,the deposit slip\n")
    form = _form(run)
    assert (form["status"], form["line_1"], form["line_8"], form["line_18"]) == ("COMPUTED", 3500, 7000, 3500)
    page = explain(run, "P1", 2026)
    assert (
        "contribution of $3,500 on 2026-02-02 in schwab ...2222 for 2026  [moves.csv (corrected by fix.csv:2):2]"
        in page
    )
    assert (
        "corrected by the firm: amount of a transactions row [moves.csv:2] corrected from 7000 to 3500, "
        "declared on 2026-11-30  [fix.csv:2]" in page
    )


def test_a_correction_the_source_contradicts_makes_the_result_unknown(tmp_path: Path) -> None:
    run = _run(tmp_path, "transactions,transaction_id=T1,amount,6900,6500,ops,2026-11-30,the deposit slip\n")
    form = _form(run)
    assert form["status"] == "UNKNOWN"
    assert str(form["reasons"][0]).startswith("correction_not_applied: line 2 of fix.csv")  # type: ignore[index]
    findings = pl.read_parquet(run / "results" / "findings.parquet")
    assert findings.filter(pl.col("rule") == "correction_not_applied")["person_id"].to_list() == ["P1"]
    assert "row_set_aside" not in findings["rule"].to_list()


def test_a_correction_the_source_has_caught_up_with_blocks_nothing(tmp_path: Path) -> None:
    run = _run(tmp_path, "transactions,transaction_id=T1,amount,6500,7000,ops,2026-11-30,the deposit slip\n")
    assert _form(run)["status"] == "COMPUTED"
    rejects = pl.read_parquet(run / "results" / "rejects.parquet")
    assert rejects.select("file", "line_number", "rule").rows() == [("fix.csv", 2, "correction_obsolete")]
