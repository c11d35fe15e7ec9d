"""`_links.xlsx`: written, answered, read back, and the person is whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from reports import write_workbooks
from reports.links import ANSWERS, LINKS_FILE
from tests.engine.test_identity import account_link, person_link
from tests.intake.nights import Book as Nights
from transforms.engine import compute

FILES = {
    "advisors.csv": "advisor_id,advisor_name,email,rep_codes\nADV1,Advisor One,,R1\n",
    "persons.csv": (
        "person_id,household_id,advisor_id,given_name,family_name,birth_date,tax_id,spouse_person_id\n"
        "P1,H1,ADV1,Johanna,Quillfeather,1986-06-15,900-11-2345,\n"
        "P2,H2,ADV1,Johanna,Quillfeather,1986-06-15,,\n"
    ),
    "profiles.csv": (
        "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,all_iras_reported\n"
        "P1,2026,single,900000,900000,900000,true,true\n"
    ),
    "basis.csv": "person_id,tax_year,basis,source\nP1,2025,0,filed 8606\n",
    "accounts.csv": (
        "custodian,account_number,account_type,person_id,owner_name,owner_birth_date\n"
        "testcust,887700551234,traditional_ira,P1,,\n"
        "testcust,887700555678,roth_ira,P1,,\n"
        'testcust,887700559012,rollover_ira,,"QUILLFEATHER, JOHANNA",1986-06-15\n'
        "testcust,887700557777,sep_ira,P2,,\n"
    ),
    "balances.csv": (
        "custodian,account_number,as_of,market_value\n"
        "testcust,887700551234,2026-11-30,0\n"
        "testcust,887700555678,2026-11-30,7500\n"
        "testcust,887700559012,2026-11-30,32500\n"
        "testcust,887700557777,2026-11-30,60000\n"
    ),
    "transactions.csv": (
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,counter_account_number\n"
        "testcust,887700551234,T1,2026-02-01,contribution,7500,2026,\n"
        "testcust,887700551234,T2,2026-02-10,roth_conversion_out,7500,,887700555678\n"
        "testcust,887700555678,T3,2026-02-10,roth_conversion_in,7500,,887700551234\n"
    ),
}


@pytest.fixture
def book(tmp_path: Path) -> Nights:
    nights = Nights(tmp_path)
    for name, text in FILES.items():
        nights.drop(name, text)
    return nights


def _run(book: Nights, as_of: str, previous: Path | None = None) -> Path:
    """One night: intake, engine, workbooks."""
    night = book.night(as_of)
    run = book.root / f"run-{as_of}"
    run.mkdir()
    night.canonical.rename(run / "canonical")
    day = date.fromisoformat(as_of)
    compute(run / "canonical", run, as_of=day, tax_years=[2026], previous=previous)
    write_workbooks(run, as_of=day, tax_years=[2026], fingerprint="0" * 64, version="0.1.0")
    return run


def _results(run: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(run / "results" / f"{name}.parquet")


def _answered(path: Path, answers: dict[str, str]) -> bytes:
    """The workbook as operations send it back: decision and name filled in, the day as a date cell."""
    workbook = load_workbook(path)
    for row in workbook["link_decisions"].iter_rows(min_row=2):
        if row[0].value in answers:
            row[1].value, row[2].value, row[3].value = answers[row[0].value], "Ops", date(2026, 12, 1)
    workbook.save(path.with_name("answered.xlsx"))
    return path.with_name("answered.xlsx").read_bytes()


def test_the_sheet_is_a_file_of_its_house_kind_and_shows_no_tax_id_or_full_account(book: Nights) -> None:
    run = _run(book, "2026-12-01")
    sheet = load_workbook(run / "workbooks" / LINKS_FILE)["link_decisions"]
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][: len(ANSWERS)] == ("suggestion_id", "decision", "decided_by", "decided_on", "note")
    assert {row[0] for row in rows[1:]} >= {person_link("P1", "P2")}
    assert all(row[1] is None for row in rows[1:])
    text = " ".join(str(cell) for row in rows for cell in row)
    assert "Johanna Quillfeather" in text
    assert "testcust ...9012" in text
    for secret in ("887700559012", "900-11-2345", "900112345"):
        assert secret not in text
    (choice,) = [v for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert choice.formula1 == '"approve,reject"'
    assert str(choice.sqref).startswith("B2")


def test_round_trip_makes_the_person_whole_and_resolves_the_finding(book: Nights) -> None:
    """Line 9 = 32,500 + 60,000 + 7,500 = 100,000: 562.50 tax-free, 6,937.50 taxable."""
    first = _run(book, "2026-12-01")
    form = _results(first, "form_8606").filter(pl.col("person_id") == "P1").row(0, named=True)
    assert (form["status"], form["line_18"]) == ("REVIEW", Decimal(0))
    answers = {person_link("P1", "P2"): "approve", account_link("887700559012", "P1"): "approve"}
    book.drop("links.xlsx", _answered(first / "workbooks" / LINKS_FILE, answers))
    second = _run(book, "2026-12-02", previous=first)
    form = _results(second, "form_8606").row(0, named=True)
    assert (form["person_id"], form["status"], form["line_18"]) == ("P1", "COMPUTED", Decimal("6937.50"))
    told = _results(second, "findings").filter(pl.col("rule") == "possible_same_person")
    assert set(told["status"]) == {"resolved"}
    assert _results(second, "link_suggestions").is_empty()
    assert not (second / "workbooks" / LINKS_FILE).exists()
    assert pl.read_parquet(second / "canonical" / "rejects.parquet").is_empty()


def test_the_merged_id_is_no_second_client_in_the_workbook(book: Nights) -> None:
    first = _run(book, "2026-12-01")
    book.drop("links.xlsx", _answered(first / "workbooks" / LINKS_FILE, {person_link("P1", "P2"): "approve"}))
    second = _run(book, "2026-12-02", previous=first)
    rows = load_workbook(second / "workbooks" / "_firm.xlsx")["By advisor"].iter_rows(min_row=4, values_only=True)
    header, only = list(rows)[:2]
    assert dict(zip(header, only, strict=True))["Clients"] == 1
