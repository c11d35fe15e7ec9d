"""`_set_aside.xlsx`: a broken book, the cells fixed in the workbook, dropped back, and nothing is UNKNOWN any more."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

from reports import write_workbooks
from reports.set_aside import FIX_SHEET, SET_ASIDE_FILE
from tests.intake.nights import Book as Nights
from tests.reports.test_workbooks import table
from transforms.engine import compute
from transforms.explain import explain

JOURNAL = "Rollover_XXX101_Transactions_20261130-071502.csv"
FILES = {
    "advisors.csv": "advisor_id,advisor_name\nADV1,Advisor One\n",
    "persons.csv": (
        "person_id,household_id,advisor_id,given_name,family_name,birth_date,tax_id\n"
        "P1,H1,ADV1,=Johanna,Quillfeather,1986-06-15,900-11-2345\n"
        "P2,H1,ADV1,+Otto,Quillfeather,15.6.1986,900-11-2346\n"
    ),
    "profiles.csv": (
        "person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,all_iras_reported\n"
        "P1,2026,single,900000,900000,900000,true,true\n"
    ),
    "basis.csv": "person_id,tax_year,basis,source\nP1,2025,n/a,filed 8606\n",
    "accounts.csv": (
        "custodian,account_number,account_type,person_id\n"
        "testcust,887700551234,traditional_ira,P1\n"
        "testcust,887700555678,roth_ira,P1\n"
        "schwab,44440101,rollover_ira,P1\n"
    ),
    "balances.csv": (
        "custodian,account_number,as_of,market_value\n"
        "testcust,887700551234,2026-11-30,0\n"
        "testcust,887700555678,2026-11-30,7500\n"
        'schwab,44440101,2026-11-30,"17,500"\n'
    ),
    "transactions.csv": (
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,description\n"
        "testcust,887700551234,T1,2026-02-01,contribution,7500,2026,\n"
        "testcust,887700551234,T2,10 February,roth_conversion_out,7500,,=2+3\n"
        "testcust,887700555678,T3,2026-02-10,roth_conversion_in,7500,,\n"
        "testcust,887700555678,T3,2026-02-10,roth_conversion_in,7500,,\n"
    ),
    JOURNAL: (
        '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n'
        '"10/14/2026","Journal","","Journaled","","","","6000.00"\n'
    ),
    "notes.csv": "what,when\nlunch,noon\n",
}
SECRETS = ("887700551234", "887700555678", "44440101", "900-11-234", "90011234")
ANSWERS: dict[tuple[str, int, str], Any] = {
    ("persons.csv", 3, "birth_date"): date(1986, 6, 15),
    ("basis.csv", 2, "basis"): 0,
    ("balances.csv", 4, "market_value"): Decimal("17500.5"),
    ("transactions.csv", 3, "trade_date"): "2026-02-10",
    ("transactions.csv", 5, "(row)"): "(leave out)",
    (JOURNAL, 2, "transaction_type"): "market",
}


@pytest.fixture
def book(tmp_path: Path) -> Nights:
    nights = Nights(tmp_path)
    for name, text in FILES.items():
        nights.drop(name, text)
    return nights


def _run(book: Nights, as_of: str, previous: Path | None = None) -> Path:
    """One night: intake, engine, workbooks."""
    run = _computed(book, as_of, previous)
    write_workbooks(run, as_of=date.fromisoformat(as_of), tax_years=[2026], fingerprint="0" * 64, version="0.1.0")
    return run


def _computed(book: Nights, as_of: str, previous: Path | None) -> Path:
    night = book.night(as_of)
    run = book.root / f"run-{as_of}"
    run.mkdir()
    night.canonical.rename(run / "canonical")
    compute(run / "canonical", run, as_of=date.fromisoformat(as_of), tax_years=[2026], previous=previous)
    return run


def _results(run: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(run / "results" / f"{name}.parquet")


def _rows(run: Path, sheet: str = FIX_SHEET) -> list[dict[str, Any]]:
    header, *rows = load_workbook(run / "workbooks" / SET_ASIDE_FILE)[sheet].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def _answered(run: Path, answers: dict[tuple[str, int, str], Any]) -> bytes:
    """The workbook as a person sends it back."""
    path = run / "workbooks" / SET_ASIDE_FILE
    workbook = load_workbook(path)
    sheet = workbook[FIX_SHEET]
    header = [cell.value for cell in sheet[1]]
    for cells in sheet.iter_rows(min_row=2):
        row = dict(zip(header, cells, strict=True))
        answer = answers.get((row["file"].value, row["line_number"].value, row["column_name"].value))
        if answer is not None:
            row["corrected_value"].value, row["fixed_by"].value = answer, "Olive Ops"
            row["fixed_on"].value = date(2026, 12, 1)
    workbook.save(path.with_name("answered.xlsx"))
    return path.with_name("answered.xlsx").read_bytes()


def test_the_workbook_asks_for_every_cell_and_shows_no_secret(book: Nights) -> None:
    run = _run(book, "2026-12-01")
    rows = _rows(run)
    asked = {(r["file"], r["line_number"], r["column_name"]) for r in rows}
    assert asked == {*ANSWERS, (JOURNAL, 2, "tax_year")}
    assert all(r["corrected_value"] is None and r["fixed_by"] is None and len(r["file_sha256"]) == 64 for r in rows)
    seen = {(r["file"], r["column_name"]): r for r in rows}
    assert seen["basis.csv", "basis"]["what the cell holds"] == "n/a"
    assert seen["balances.csv", "market_value"]["what the cell holds"] == "17,500"
    assert seen["transactions.csv", "trade_date"]["what the cell holds"] == "10 February"
    assert "account_number ...1234" in seen["transactions.csv", "trade_date"]["the whole row"]
    assert seen[JOURNAL, "transaction_type"]["the whole row"].startswith("schwab ...101  ·  2026-10-14  ·  $6000.00")
    workbook = load_workbook(run / "workbooks" / SET_ASIDE_FILE)
    text = " ".join(str(c.value) for sheet in workbook for row in sheet.iter_rows() for c in row)
    assert [secret for secret in SECRETS if secret in text] == []
    assert not [c for sheet in workbook for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    choices = {
        v.formula1: str(v.sqref) for v in workbook[FIX_SHEET].data_validations.dataValidation if v.type == "list"
    }
    lists = workbook["Lists"]
    assert [lists.cell(1, c).value for c in (1, 2)] == ["transactions: (row)", "transactions: transaction type"]
    assert "Lists!$A$2:$A$2" in choices
    assert "market" in [c.value for c in lists["B"]]
    assert "notes.csv" in {r[0] for r in workbook["Other problems"].iter_rows(min_row=5, values_only=True)}
    assert (run / "workbooks" / SET_ASIDE_FILE).stat().st_mode & 0o777 == 0o600


def test_round_trip_every_row_is_accepted_and_nothing_is_unknown(book: Nights) -> None:
    """Line 9 = 17,500.50 left + 7,500 converted = 25,000.50; 7,500 x 7,500 / 25,000.50 = 2,249.96 is tax-free."""
    first = _run(book, "2026-12-01")
    before = _results(first, "form_8606").filter(pl.col("person_id") == "P1").row(0, named=True)
    assert (before["status"], before["line_18"]) == ("UNKNOWN", None)
    answered = _answered(first, ANSWERS)
    book.clear().drop("back/_set_aside.xlsx", answered)
    second = _run(book, "2026-12-02", previous=first)
    assert _results(second, "rejects").is_empty()
    assert set(_results(second, "files")["state"]) == {"accepted"}
    assert not (second / "workbooks" / SET_ASIDE_FILE).exists()
    form = _results(second, "form_8606").filter(pl.col("person_id") == "P1").row(0, named=True)
    assert (form["status"], form["line_9"], form["line_11"]) == ("COMPUTED", Decimal("25000.50"), Decimal("2249.96"))
    assert form["line_18"] == Decimal("5250.04")
    gone = _results(second, "findings").filter(pl.col("rule") == "row_set_aside")
    assert set(gone["status"]) == {"resolved"}
    page = explain(second, "P1", 2026)
    assert "roth conversion out of $7,500 on 2026-02-10 in testcust ...1234  [transactions.csv (fixed by " in page
    assert "basis of a row of ira_basis, set aside [basis.csv:2], fixed to 0, stated on 2026-12-01" in page
    assert "a row of transactions [transactions.csv:5] left out, stated on 2026-12-01" in page
    overrides = table(load_workbook(second / "workbooks" / "_firm.xlsx")["Overrides"])
    told = {(r["What"], r["What it changed"]) for r in overrides}
    assert told == {
        ("fixed row", "birth_date of persons.csv:3 set to 1986-06-15"),
        ("fixed row", "basis of basis.csv:2 set to 0"),
        ("fixed row", "market_value of balances.csv:4 set to 17500.5"),
        ("fixed row", "trade_date of transactions.csv:3 set to 2026-02-10"),
        ("fixed row", f"transaction_type of {JOURNAL}:2 set to market"),
        ("row left out", "transactions.csv:5 is not read"),
    }
    assert {(r["By"], str(r["On"].date()), r["Client"]) for r in overrides} == {
        ("Olive Ops", "2026-12-01", "=Johanna Quillfeather"),
        ("Olive Ops", "2026-12-01", "+Otto Quillfeather"),
    }
    assert all(r["Where it is stated"].startswith("back/_set_aside.xlsx[Fix here]:") for r in overrides)


def test_a_wrong_fix_comes_back_with_what_was_expected(book: Nights) -> None:
    first = _run(book, "2026-12-01")
    wrong = {**ANSWERS, ("basis.csv", 2, "basis"): "none", ("balances.csv", 4, "market_value"): "=1/0"}
    book.clear().drop("_set_aside.xlsx", _answered(first, wrong))
    second = _run(book, "2026-12-02", previous=first)
    rules = _results(second, "rejects").select("file", "rule").rows()
    assert sorted(rules) == [
        ("_set_aside.xlsx[Fix here]", "fix_value"),
        ("_set_aside.xlsx[Fix here]", "formula_not_computed"),
        ("balances.csv", "not_money"),
        ("basis.csv", "not_money"),
    ]
    assert [(r["file"], r["column_name"]) for r in _rows(second)] == [
        ("balances.csv", "market_value"),
        ("basis.csv", "basis"),
    ]
    others = list(load_workbook(second / "workbooks" / SET_ASIDE_FILE)["Other problems"].iter_rows(min_row=5))
    assert {(row[0].value, row[2].value) for row in others} == {r for r in rules if "xlsx" in r[0]}
    book.clear().drop("again.xlsx", _answered(second, ANSWERS))
    third = _run(book, "2026-12-03", previous=second)
    assert _results(third, "rejects").is_empty()


def test_the_firm_workbook_leads_to_the_cell_to_fix(book: Nights) -> None:
    run = _run(book, "2026-12-01")
    sheet = load_workbook(run / "workbooks" / "_firm.xlsx")["Rows set aside"]
    by_file: dict[tuple[Any, Any], tuple[Any, Any]] = {}
    for row in sheet.iter_rows(min_row=5):
        for link in (cell.hyperlink for cell in row if cell.hyperlink):
            by_file[row[0].value, row[2].value] = (link.target, link.location)
    fixes = {(r["file"], r["column_name"]): n for n, r in enumerate(_rows(run), 2)}
    target, location = by_file["basis.csv", "basis"]
    assert target == SET_ASIDE_FILE
    assert location == f"'{FIX_SHEET}'!F{fixes['basis.csv', 'basis']}"
    assert ("notes.csv", None) not in by_file
    assert len(by_file) == 6
    files = load_workbook(run / "workbooks" / "_firm.xlsx")["Files"]
    leads = {row[1].value: c.hyperlink.location for row in files.iter_rows() for c in row if c.hyperlink}
    rows = [row[0] for row in sheet.iter_rows(min_row=5, values_only=True)]
    assert leads["balances.csv"] == f"'Rows set aside'!A{5 + rows.index('balances.csv')}"
    assert "accounts.csv" not in leads


def test_a_day_with_few_answers_is_no_alarm(book: Nights) -> None:
    header = "file_sha256,line_number,column_name,corrected_value,fixed_by,fixed_on\n"
    previous = None
    for day, count in enumerate((9, 9, 9, 1), 1):
        lines = "".join(f"{day:064},{line},amount,(withdrawn),Ops,2026-12-01\n" for line in range(2, 2 + count))
        book.drop(f"fixes-{day}.csv", header + lines)
        previous = _computed(book, f"2026-12-0{day}", previous)
    assert previous is not None
    assert "row_count" not in _results(previous, "controls")["control"].to_list()


def test_a_row_of_several_deliveries_stands_once_and_is_fixed_once(book: Nights) -> None:
    """Tuesday's transactions file repeats the bad row of Monday's on another line; one answer puts both right."""
    first = _run(book, "2026-12-01")
    head, _, rest = FILES["transactions.csv"].partition("\n")
    tuesday = f"{head}\n{rest.splitlines()[1]}\n"
    second = _run(book.clear().drop("tuesday.csv", tuesday), "2026-12-02", previous=first)
    (dated,) = [r for r in _rows(second) if r["column_name"] == "trade_date"]
    assert (dated["file"], dated["line_number"]) == ("tuesday.csv\nalso in transactions.csv:3", 2)
    assert dated["file_sha256"] == sha256(tuesday.encode()).hexdigest()
    sheet = load_workbook(second / "workbooks" / "_firm.xlsx")["Rows set aside"]
    leads = {row[0].value: c.hyperlink.location for row in sheet.iter_rows(min_row=5) for c in row
             if c.hyperlink and row[2].value == "trade_date"}  # fmt: skip
    assert set(leads) == {"transactions.csv", "tuesday.csv"}
    assert len(set(leads.values())) == 1
    answered = _answered(second, {(dated["file"], 2, "trade_date"): "2026-02-10"})
    third = _run(book.clear().drop("_set_aside.xlsx", answered), "2026-12-03", previous=second)
    assert "not_a_date" not in _results(third, "rejects").filter(pl.col("column") == "trade_date")["rule"].to_list()
    overrides = table(load_workbook(third / "workbooks" / "_firm.xlsx")["Overrides"])
    assert {r["What it changed"] for r in overrides} == {
        "trade_date of transactions.csv:3 set to 2026-02-10",
        "trade_date of tuesday.csv:2 set to 2026-02-10",
    }
