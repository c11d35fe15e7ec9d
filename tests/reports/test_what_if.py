"""The sheet What-if as a file: who can be chosen, what can be typed, what a preview shows, which functions it uses.

That its formulas compute what the engine computes is `make whatif`, with LibreOffice.
"""

from __future__ import annotations

import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from reports import write_workbooks
from reports.what_if import AMOUNTS, DATA_TITLE, EMPTY, FIRST_AMOUNT, FIRST_CHECK, FIRST_LINE, TITLE
from reports.what_if_rows import LINES, listed_name
from tests.book import Book

FIRST_ROW = 9
#: All there since Excel 2007, and the same in LibreOffice.
FUNCTIONS = {
    "AND", "COUNT", "COUNTBLANK", "COUNTIF", "EXACT", "IF", "INDEX", "MAX", "MIN", "OR", "ROUND", "ROW", "SUM",
    "SUMPRODUCT",
}  # fmt: skip


def client(
    book: Book, person_id: str, given: str | None, family: str | None, *, pool: Any, advisor: str = "A1", **profile: Any
) -> Book:
    """Somebody who contributed and converted 7,500 beside `pool`."""
    book.add("persons", person_id=person_id, given_name=given, family_name=family, advisor_id=advisor)
    book.add("tax_profiles", person_id=person_id, tax_year=2026, **profile)
    traditional, roth = f"T{person_id}", f"R{person_id}"
    book.ira(traditional, pool, person_id=person_id).ira(roth, 7500, person_id=person_id, kind="roth_ira")
    book.event(traditional, "2026-02-01", "contribution", 7500, tax_year=2026)
    return book.convert("2026-03-02", 7500, out_of=traditional, into=roth)


def written(book: Book, folder: Path) -> dict[str, Any]:
    tables = book.compute(run=folder)
    book.write(folder / "canonical")
    write_workbooks(folder, as_of=date(2026, 12, 1), tax_years=[2026], fingerprint="0" * 64, version="0")
    return {row["person_id"]: row for row in tables["form_8606"].iter_rows(named=True)}


def basis(book: Book, *people: str) -> Book:
    for person in people:
        book.add("ira_basis", person_id=person, tax_year=2025, basis=0)
    return book


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = client(Book(), "P1", "Maria", "Alvarez", pool=20_000)
    client(book, "P2", "Luis", "Alvarez", pool=92_500, marginal_tax_rate="0.35")
    client(book, "P3", "Ruth", "Okafor", pool=90_000)
    client(book, "P9", "Owen", "Secret", pool=500_000, advisor="A2")
    folder = tmp_path_factory.mktemp("run")
    written(basis(book, "P1", "P2", "P9"), folder)
    return folder


@pytest.fixture(scope="module")
def formulas(run: Path) -> Workbook:
    return load_workbook(run / "workbooks" / "A1.xlsx")


@pytest.fixture(scope="module")
def values(run: Path) -> Workbook:
    return load_workbook(run / "workbooks" / "A1.xlsx", data_only=True)


def listed(book: Workbook) -> list[str]:
    """What the drop-down offers: the cells its validation names."""
    (choice,) = [v for v in book[TITLE].data_validations.dataValidation if v.type == "list"]
    assert str(choice.sqref) == "B4"
    sheet, cells = re.fullmatch(r"'(.+)'!(.+)", choice.formula1).groups()
    return [row[0].value for row in book[sheet][cells.replace("$", "")]]


def test_the_list_holds_exactly_the_advisors_own_clients(run: Path, values: Workbook) -> None:
    assert listed(values) == ["Luis Alvarez · 2026", "Maria Alvarez · 2026", "Ruth Okafor · 2026"]
    assert listed(load_workbook(run / "workbooks" / "A2.xlsx")) == ["Owen Secret · 2026"]
    with zipfile.ZipFile(run / "workbooks" / "A1.xlsx") as archive:
        assert b"Secret" not in b"".join(archive.read(name) for name in archive.namelist())


def test_the_largest_line_18_is_chosen_and_a_preview_shows_the_engines_numbers(run: Path, values: Workbook) -> None:
    """7,500 x 92,500 / 100,000 = 6,937.50; 35% of it 2,428.125, half up."""
    sheet = values[TITLE]
    assert (sheet["B4"].value, sheet["H4"].value) == ("Luis Alvarez · 2026", "COMPUTED")
    forms = pl.read_parquet(run / "results" / "form_8606.parquet").filter(person_id="P2").row(0, named=True)
    for row, line in enumerate(LINES, FIRST_LINE):
        assert sheet.cell(row, 5).value == f"Line {line.removeprefix('line_')}"
        for place in (7, 8):
            assert Decimal(str(sheet.cell(row, place).value)) == pytest.approx(forms[line], abs=Decimal("1e-10"))
        assert sheet.cell(row, 9).value == 0
    assert forms["line_18"] == Decimal("6937.50")
    assert [sheet.cell(9, place).value for place in (7, 8, 9)] == [6937.5, 6937.5, 0]
    assert [sheet.cell(10, place).value for place in (7, 8, 9)] == [2428.13, 2428.13, 0]
    assert sheet["E10"].value == "Tax on it at the stated marginal rate of 35%"
    assert [sheet.cell(11, place).value for place in (7, 8, 9)] == [562.5 + 6375, 562.5 + 6375, 0]
    assert sheet["A6"].value.startswith("Nothing typed yet")
    most = {name: sheet.cell(row, 3).value for row, (name, _) in enumerate(AMOUNTS, FIRST_AMOUNT)}
    assert most == {
        "convert": 92_500, "to_plan": 92_500, "from_plan": "what the plan pays", "nondeductible": 0, "deductible": 0,
        "later": 0, "distribution": 92_500, "hsa": "not known",
    }  # fmt: skip


def test_every_formula_on_the_sheet_has_a_value_and_uses_old_functions_only(
    formulas: Workbook, values: Workbook
) -> None:
    found = 0
    for title in (TITLE, DATA_TITLE):
        for row in formulas[title].iter_rows():
            for cell in row:
                if cell.data_type != "f":
                    continue
                found += 1
                code = re.sub(r'"[^"]*"', "", cell.value)
                assert set(re.findall(r"([A-Z]+)\(", code)) <= FUNCTIONS, cell.coordinate
                assert "[" not in code
                assert "#" not in code
                if title == TITLE:
                    assert values[title][cell.coordinate].value is not None, cell.coordinate
    assert found > 100
    for name in re.findall(r"\bwi_\w+", " ".join(str(c.value) for row in formulas[TITLE].iter_rows() for c in row)):
        assert name in formulas.defined_names


def test_names_point_at_the_two_sheets_and_nothing_is_linked_from_outside(run: Path, formulas: Workbook) -> None:
    places = [n.attr_text for n in formulas.defined_names.values()]
    assert len(places) == len(set(places)) > 40
    assert all(re.fullmatch(r"'What-if( data)?'!\$[A-Z]+\$\d+", place) for place in places)
    with zipfile.ZipFile(run / "workbooks" / "A1.xlsx") as archive:
        assert not [name for name in archive.namelist() if "externalLink" in name or "vba" in name.lower()]


def test_only_the_cells_to_type_into_are_unlocked_and_they_check_what_is_typed(formulas: Workbook) -> None:
    sheet = formulas[TITLE]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert not sheet.protection.selectLockedCells
    open_cells = {c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked}
    assert open_cells == {*(f"{c}4" for c in "BCDEF"), *(f"B{n}" for n in range(9, 17))}  # B4 is merged to F4
    (number,) = [v for v in sheet.data_validations.dataValidation if v.type == "decimal"]
    assert (str(number.sqref), number.operator, number.formula1, number.formula2) == (
        "B9:B16", "between", "0", "999999999",
    )  # fmt: skip
    assert number.showErrorMessage
    assert number.error == "Type dollars from 0 to 999,999,999, for example 7500."
    assert formulas[DATA_TITLE].sheet_state == "hidden"
    assert formulas.active.title != DATA_TITLE


def test_it_prints_on_one_landscape_page(formulas: Workbook) -> None:
    sheet = formulas[TITLE]
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (
        "landscape", 1, 1,
    )  # fmt: skip
    assert "$A$1:$I$" in sheet.print_area
    assert {"A27:C28", "A29:C30"} <= {str(r) for r in sheet.merged_cells.ranges}
    assert "Not tax advice" in "".join(str(c.value) for c in sheet["A"])


def test_unknown_is_listed_with_what_is_missing_and_without_a_number(values: Workbook) -> None:
    data = values[DATA_TITLE]
    headers = [c.value for c in data[FIRST_ROW - 2]]
    (row,) = [
        dict(zip(headers, (c.value for c in cells), strict=False))
        for cells in data.iter_rows(min_row=FIRST_ROW)
        if cells[0].value == "Ruth Okafor · 2026"
    ]
    assert row["status"] == "UNKNOWN"
    assert row["about"].startswith("No numbers until this is put right (see Data problems): line 14 of")
    numbers = {k for k, v in row.items() if isinstance(v, int | float)}
    assert numbers == {"tax_year", "in_year_has_ended", "in_three_places", "in_worksheet_1_1", "in_part_2_only"}


def test_only_unknown_clients(tmp_path: Path) -> None:
    written(client(Book(), "P3", "Ruth", "Okafor", pool=90_000), tmp_path)
    sheet = load_workbook(tmp_path / "workbooks" / "A1.xlsx", data_only=True)[TITLE]
    assert sheet["H4"].value == "UNKNOWN"
    assert sheet["A6"].value == "No numbers: Form 8606 is UNKNOWN until what is missing is stated."
    shown = [c.value for row in sheet["G9:I32"] for c in row if isinstance(c.value, int | float)]
    assert shown == []


def test_nobody_on_the_form(tmp_path: Path) -> None:
    written(Book().person("P1"), tmp_path)
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    assert book[TITLE]["A4"].value == EMPTY
    assert DATA_TITLE not in book.sheetnames
    assert not book.defined_names


HOSTILE = (
    ('=HYPERLINK("http://x")', "Al"), ("Ann*", "Lee"), ("Ann?", "Lee"), ("ANN", "Lee"), ("Ann", "Lee"), ("ann", "lee"),
    ('O"Hara, "Bo"', "Li~"), ("12", "34"), ("\t+1", "x\ny"), ("@a" * 60, "b"), (None, None), ("March", None),
)  # fmt: skip


def test_hostile_names_and_namesakes_are_each_one_line_of_the_list(tmp_path: Path) -> None:
    book = Book()
    for n, (given, family) in enumerate(HOSTILE):
        client(book, f"P{n:02}", given, family, pool=1000 + n)
    written(basis(book, *(f"P{n:02}" for n in range(len(HOSTILE)))), tmp_path)
    read = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    choices = listed(read)
    assert len({c.lower() for c in choices}) == len(choices) == len(HOSTILE)
    assert {c for c in choices if c.lower().startswith("ann lee")} == {
        "ANN Lee (P03) · 2026", "Ann Lee (P04) · 2026", "ann lee (P05) · 2026",
    }  # fmt: skip
    assert all(c[0].isalpha() and c.endswith(" · 2026") and "\n" not in c for c in choices)
    assert 'O"Hara, "Bo" Li~ · 2026' in choices
    # the place is found by EXACT, to which * ? and ~ are letters like any other
    (place,) = [c.value for row in read[DATA_TITLE].iter_rows(max_row=6) for c in row if "EXACT" in str(c.value)]
    assert place == "=SUMPRODUCT(EXACT($A$9:$A$20,'What-if'!$B$4)*(ROW($A$9:$A$20)-8))"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Maria Alvarez", "Maria Alvarez"),
        ("  Maria \n Alvarez ", "Maria Alvarez"),
        ("=1+1", "Client =1+1"),
        ("2026-01-01", "Client 2026-01-01"),
        ("", "Client"),
        (None, "Client"),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_listed_name_starts_with_a_letter(name: str | None, shown: str) -> None:
    assert listed_name(name) == shown


def test_inputs_give_the_engines_line_6_and_say_why_it_is_not_known(run: Path, tmp_path: Path) -> None:
    kept = pl.read_parquet(run / "derived" / "what_if.parquet").filter(pl.col("status") != "UNKNOWN")
    forms = pl.read_parquet(run / "results" / "form_8606.parquet")
    both = kept.join(forms, on=["person_id", "tax_year"], suffix="_form")
    assert both.height == 3
    assert both.filter(pl.col("pool") == pl.col("line_6")).height == 3
    # nothing came out, so the form does without line 6; one of the accounts has no balance
    book = Book().person("P1").add("ira_basis", person_id="P1", tax_year=2025, basis=0).ira("T1234", None)
    written(book, tmp_path)
    row = pl.read_parquet(tmp_path / "derived" / "what_if.parquet").row(0, named=True)
    assert (row["status"], row["pool"]) == ("COMPUTED", None)
    assert row["pool_missing"] == "no full balance for testcust ...1234"
    sheet = load_workbook(tmp_path / "workbooks" / "A1.xlsx", data_only=True)[TITLE]
    assert "nothing can be taken out of them here" in sheet["A5"].value
    assert sheet.cell(FIRST_AMOUNT, 3).value == "not known"
    assert sheet.cell(FIRST_CHECK, 2).value == "yes"
