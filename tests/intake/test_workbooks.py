"""Excel versions of house tables: what a cell holds, exactly; what Excel has spoilt is set aside, named by its cell."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.tables import INPUT_TABLES
from tests.intake.nights import Book, Night
from transforms.intake import unpack
from transforms.intake.workbook import _exact

TX = ["custodian", "account_number", "transaction_id", "trade_date", "transaction_type", "amount", "tax_year"]
GOOD = ["schwab", "0011-2222", "t1", date(2026, 4, 15), "contribution", 7500, 2025]
PROFILE = ["person_id", "tax_year", "filing_status", "marginal_tax_rate", "active_participant"]


def workbook(sheets: dict[str, list[list[Any]]], change: Callable[[Any], None] = lambda _book: None) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_xml(data: bytes, old: str, new: str, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """The workbook with the XML of a part changed, as Excel would have written it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == part:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            after.writestr(name, content)
    return out.getvalue()


def night_of(tmp_path: Path, data: bytes, name: str = "house.xlsx") -> Night:
    return Book(tmp_path).drop(name, data).night()


def test_cells_are_read_as_what_they_hold(tmp_path: Path) -> None:
    rows = [
        TX,
        GOOD,
        ["schwab", 11112222, "t2", datetime(2026, 4, 16), "contribution", 98.8, None],  # noqa: DTZ001
        [],
        ["schwab", "1", "t3", "2026-04-17", "contribution", "0.10", "2026"],
    ]
    night = night_of(tmp_path, workbook({"moves": rows}))
    found = night.table("transactions").sort("transaction_id")
    assert found.select("account_number", "trade_date", "amount", "tax_year", "source_line").rows() == [
        ("00112222", date(2026, 4, 15), Decimal("7500.00"), 2025, 2),
        ("11112222", date(2026, 4, 16), Decimal("98.80"), None, 3),
        ("1", date(2026, 4, 17), Decimal("0.10"), 2026, 5),
    ]
    assert set(found["source_file"]) == {"house.xlsx[moves]"}
    assert night.rejects.is_empty()
    files = night.files.select("file_name", "kind", "profile", "state", "rows", "lines_total", "lines_blank").rows()
    assert files == [
        ("house.xlsx", None, "container", "accepted", 0, 0, 0),
        ("house.xlsx[moves]", "transactions", "house-transactions", "accepted", 3, 5, 1),
    ]


def test_every_sheet_that_is_a_kind_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    def hide(book: Any) -> None:
        book["old"].sheet_state = "hidden"
        book.create_chartsheet("chart")

    sheets = {
        "notes": [["call the client"]], "basis": [["person_id", "tax_year", "basis"], ["P1", 2024, 6000]], "none": [],
        "people": [["person_id", "advisor_id", "given_name", "family_name"], ["P1", "A1", "Ana", "Berg"]],
        "old": [["person_id", "tax_year", "basis"], ["P1", 2024, 1]],
    }  # fmt: skip
    night = night_of(tmp_path, workbook(sheets, hide))
    assert night.table("ira_basis")["basis"].to_list() == [Decimal("6000.00")]
    assert night.table("persons")["family_name"].to_list() == ["Berg"]
    assert night.files.filter(pl.col("file_name") == "house.xlsx")["message"].to_list() == [
        "sheets left out: notes: no columns of a house kind; none: empty; old: hidden; chart: no worksheet"
    ]


def test_a_sheet_that_nearly_fits_is_set_aside_not_left_out(tmp_path: Path) -> None:
    sheets = {"basis": [["person_id", "tax_year", "basis"], ["P1", 2024, 6000]],
              "moves": [TX[:5], GOOD[:5]]}  # fmt: skip
    night = night_of(tmp_path, workbook(sheets))
    assert night.rejects.select("file", "rule").rows() == [("house.xlsx[moves]", "kind_not_known")]
    assert "amount" in night.rejects["message"][0]
    assert night.table("ira_basis").height == 1
    later = Book(tmp_path / "later").drop("house.xlsx", workbook(sheets))
    later.night()
    assert later.clear().night("2026-03-02").files["file_name"].to_list() == ["house.xlsx", "house.xlsx[basis]"]


def test_a_long_number_excel_has_rounded_is_set_aside(tmp_path: Path) -> None:
    row = [GOOD[0], 1234567890123456, *GOOD[2:]]
    night = night_of(tmp_path, workbook({"moves": [TX, GOOD, row]}))
    assert night.rejects.select("line_number", "column", "rule", "account_number").rows() == [
        (3, "account_number", "number_not_exact", None)
    ]
    assert "cell B3" in night.rejects["message"][0]
    assert "format the column as text" in night.rejects["message"][0]
    assert "1234" not in night.rejects["message"][0]
    assert night.table("transactions").height == 1


@pytest.mark.parametrize(
    ("cell", "column", "rule"),
    [
        (98.80000000000001, "amount", "number_not_exact"),
        (12345678901234567890, "account_number", "number_not_exact"),
        (0.24, "marginal_tax_rate", "percent_or_fraction"),
        (1, "marginal_tax_rate", "percent_or_fraction"),
        (date(2026, 12, 31), "limitation_year_end", "date_in_text_column"),
    ],
)
def test_cells_excel_has_changed(cell: object, column: str, rule: str) -> None:
    columns = {c.name: c for t in INPUT_TABLES.values() for c in t.columns}
    assert _exact(cell, columns[column]) == ("", rule)


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_dollars_come_through_excel_unchanged(amount: Decimal) -> None:
    text, rule = _exact(float(amount), INPUT_TABLES["transactions"].columns[5])
    assert rule is None
    assert Decimal(text) == amount
    assert "e" not in text.lower()


def test_formula_errors_and_uncomputed_formulas_are_not_blanks(tmp_path: Path) -> None:
    rows = [PROFILE, ["P1", 2025, "single", 24, True], ["P2", 2025, "single", 22, None], ["P3", 2025, "single", "=1+1"]]
    data = with_xml(workbook({"facts": rows}), '<c r="D3" t="n"><v>22</v></c>', '<c r="D3" t="e"><v>#REF!</v></c>')
    night = night_of(tmp_path, data)
    assert night.rejects.select("line_number", "column", "rule", "person_id").rows() == [
        (3, "marginal_tax_rate", "formula_error", "P2"),
        (4, "marginal_tax_rate", "formula_not_computed", "P3"),
    ]
    assert "cell D3" in night.rejects["message"][0]
    assert night.table("tax_profiles").select("person_id", "active_participant").rows() == [("P1", True)]
    assert night.files.select("rows", "accepted", "rejected").rows()[1] == (3, 1, 2)


def test_a_stored_formula_value_counts(tmp_path: Path) -> None:
    data = workbook({"basis": [["person_id", "tax_year", "basis"], ["P1", 2024, 6000]]})
    data = with_xml(data, "<v>6000</v>", "<f>SUM(1,5999)</f><v>6000</v>")
    assert night_of(tmp_path, data).table("ira_basis")["basis"].to_list() == [Decimal("6000.00")]


@pytest.mark.parametrize(
    ("rows", "rule", "says"),
    [
        ([[], TX, GOOD], "header_not_first", "row 1 is empty"),
        ([[*TX, None], [*GOOD, "stray"]], "header_empty", "column H"),
        ([[*TX, "amount"], [*GOOD, 1]], "column_repeated", "amount"),
    ],
)
def test_sheets_whose_columns_can_not_be_told(tmp_path: Path, rows: list[list[Any]], rule: str, says: str) -> None:
    night = night_of(tmp_path, workbook({"moves": rows}))
    assert night.rules() == [rule]
    assert says in night.rejects["message"][0]
    assert night.counts.register.entries == ()


def test_merged_cells_are_named(tmp_path: Path) -> None:
    night = night_of(tmp_path, workbook({"m": [TX, GOOD]}, lambda book: book["m"].merge_cells("A3:B4")))
    assert night.rules() == ["merged_cells"]
    assert "A3:B4" in night.rejects["message"][0]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "workbook_encrypted"),
        (OLE, "not_text"),
        (workbook({"notes": [["nothing of ours"]]}), "kind_not_known"),
        (workbook({"m": [TX, GOOD]})[:-40], "archive_damaged"),
        (
            with_xml(workbook({"m": [TX, GOOD]}), "<sheetData>", "<sheetData", "xl/worksheets/sheet1.xml"),
            "workbook_damaged",
        ),
        (
            with_xml(workbook({"m": [TX, GOOD]}), "<sheets>", "<sheets><!-- -->&x;", "xl/workbook.xml"),
            "workbook_damaged",
        ),
    ],
    ids=["password", "old", "nothing", "cut", "broken sheet", "broken book"],
)
def test_workbooks_that_can_not_be_read(tmp_path: Path, data: bytes, rule: str) -> None:
    night = night_of(tmp_path, data)
    assert night.rules() == [rule]
    assert night.files["state"].to_list() == ["rejected"]
    assert night.counts.register.entries == ()


def test_a_workbook_that_unpacks_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "RATIO_FROM", 1000)
    monkeypatch.setattr(unpack, "MAX_RATIO", 3)
    data = with_xml(workbook({"m": [TX, GOOD]}), "<sheetData>", "<sheetData>" + " " * 5_000_000)
    night = night_of(tmp_path, data)
    assert night.rules() == ["archive_too_large"]


def test_the_same_workbook_saved_again_doubles_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("a.xlsx", workbook({"m": [TX, GOOD]}))
    book.drop("b.xlsx", workbook({"m": [TX, GOOD], "notes": [["x"]]}))
    night = book.night()
    assert night.table("transactions").height == 1
    assert night.rejects.is_empty()
