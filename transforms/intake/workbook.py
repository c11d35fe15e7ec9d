"""Excel workbooks (.xlsx, .xlsm) of house tables: every sheet that is one, cell by cell as exact text.

A cell is what it holds, not how it is formatted: dates become ISO dates, ticks true/false, numbers the shortest text
that is the same number, refused above 15 digits, where Excel itself no longer knows them. Formulas are never computed:
the value Excel stored counts. Hidden rows count like others; hidden sheets are left out and told.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeXml
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from schemas.accounts import mask_digits
from schemas.tables import INPUT_TABLES, Column
from transforms.intake import workbook_bounds
from transforms.intake.lines import FileSetAside, Record
from transforms.intake.recognise import HouseKind, house_kind, knows_a_column
from transforms.intake.register import printable
from transforms.intake.unpack import Budget, entry_bytes, is_zip, open_zip

#: Digits a number in Excel can be trusted with.
MAX_DIGITS = 15
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
DAMAGED = "the workbook is damaged or isn't one; open it in Excel, save it as .xlsx and drop it again"
#: What reading a damaged workbook ends in.
UNREADABLE = (CalamineError, DefusedXmlException, ParseError, LookupError, ValueError)


@dataclass(frozen=True)
class CellFault:
    """A cell that can't be stated as text: its row, the column of the house kind, the rule and what to do."""

    row: int
    column: str
    rule: str
    message: str


@dataclass
class Sheet:
    """A sheet that is a house table: its header and rows as records (line = row number), and its faulty cells."""

    name: str
    kind: HouseKind | None = None
    records: list[Record] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)
    problem: FileSetAside | None = None


@dataclass(frozen=True)
class _Raw:
    """A sheet as calamine gives it, and its XML, which knows of cells without a value."""

    name: str
    rows: list[list[Any]]
    merged: list[Any]
    xml: bytes


@dataclass
class Workbook:
    """The sheets to read, and why others were left out."""

    sheets: list[Sheet] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def is_locked(data: bytes) -> bool:
    """True for an Office file with a password."""
    return data.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in data


def is_workbook(data: bytes) -> bool:
    """True for a modern Excel workbook. Raises `FileSetAside` for other Office files and password-protected ones."""
    if is_locked(data):
        raise FileSetAside(
            "workbook_encrypted",
            "the workbook has a password and can't be read; in Excel, File, Info, Protect Workbook, Encrypt with "
            "Password: clear the password, save and drop it again",
        )
    if data.startswith(_OLE):
        raise FileSetAside("not_text", "the file is an old Excel or Office file; save it as .xlsx or CSV")
    if not is_zip(data):
        return False
    with open_zip(data) as archive:
        names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return True
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise FileSetAside("not_text", "the file is an Office document of another kind; save it as .xlsx or CSV")
    return False


def read_workbook(parts: dict[str, bytes]) -> Workbook:
    """Every sheet that is a house table; raises `FileSetAside` if none is, or the workbook can't be read."""
    try:
        book = opened(parts)
        paths, found = sheet_paths(parts), Workbook()
        for meta in book.sheets_metadata:
            shown = printable(meta.name)
            if meta.typ is not SheetTypeEnum.WorkSheet:
                found.left_out.append(f"{mask_digits(shown)}: no worksheet")
            elif meta.visible is not SheetVisibleEnum.Visible:
                found.left_out.append(f"{mask_digits(shown)}: hidden")
            else:
                sheet = book.get_sheet_by_name(meta.name)
                rows, merged = sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or []
                _take(found, _Raw(shown, rows, merged, parts[paths[meta.name]]))
    except UNREADABLE:
        raise FileSetAside("workbook_damaged", DAMAGED) from None
    if not found.sheets:
        raise FileSetAside(
            "kind_not_known", "no sheet has the columns of a house kind in row 1; see the contract for them"
        )
    return found


def workbook_parts(data: bytes, budget: Budget) -> dict[str, bytes]:
    """The parts of the workbook, each really unpacked within the limits."""
    with open_zip(data) as archive:
        return {info.filename: entry_bytes(archive, info, budget) for info in archive.infolist() if not info.is_dir()}


def opened(parts: dict[str, bytes]) -> CalamineWorkbook:
    """The workbook of these parts, uncompressed: what reads it then can't unpack more than was measured here.

    Raises `FileSetAside` for one over the bounds of `workbook_bounds`.
    """
    workbook_bounds.refuse_too_large(parts, _every_sheet(parts))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return CalamineWorkbook.from_filelike(io.BytesIO(out.getvalue()))


def sheet_paths(parts: dict[str, bytes]) -> dict[str, str]:
    """Where the XML of each sheet is."""
    return dict(_places(parts))


def _every_sheet(parts: dict[str, bytes]) -> list[str]:
    """The part of every sheet. Raises `ValueError` where two sheets have one name."""
    places = _places(parts)
    if len(dict(places)) < len(places):
        raise ValueError("two sheets of one name")
    return [path for _, path in places]


def _places(parts: dict[str, bytes]) -> list[tuple[str, str]]:
    book = SafeXml.fromstring(parts["xl/workbook.xml"], forbid_dtd=True)
    links = SafeXml.fromstring(parts["xl/_rels/workbook.xml.rels"], forbid_dtd=True)
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    return [
        (sheet.get("name", ""), target.removeprefix("/") if target.startswith("/") else f"xl/{target}")
        for sheet in book.iter(f"{MAIN}sheet")
        if (target := targets.get(sheet.get(_REL), ""))
    ]


def _take(found: Workbook, raw: _Raw) -> None:
    """Read a sheet, or say why it is left out; one that nearly fits is set aside, so that nothing is lost unseen."""
    header = next((_header(row) for row in raw.rows if any(not _blank(cell) for cell in row)), None)
    if header is None:
        found.left_out.append(f"{mask_digits(raw.name)}: empty")
    elif not knows_a_column(header):
        found.left_out.append(f"{mask_digits(raw.name)}: no columns of a house kind")
    else:
        sheet = Sheet(raw.name)
        try:
            sheet.kind = house_kind(header)
            _fill(sheet, sheet.kind, raw)
        except FileSetAside as aside:
            sheet.problem = aside
        found.sheets.append(sheet)


def _header(row: list[Any]) -> list[str]:
    return [str(cell).strip() for cell in row]


def _blank(cell: Any) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _fill(sheet: Sheet, kind: HouseKind, raw: _Raw) -> None:
    _refuse_layout(raw)
    header = _header(raw.rows[0])
    sheet.kind = HouseKind(kind.kind, tuple(name for name in kind.unknown if name), kind.matched)
    width = max((n + 1 for n, cell in enumerate(header) if cell), default=0)
    known = {c.name: c for c in INPUT_TABLES[kind.kind].columns}
    columns = [known.get(name) for name in header[:width]]
    broken = _broken_cells(raw.xml)
    sheet.records.append(Record(1, 1, header[:width], ""))
    for number, row in enumerate(raw.rows[1:], 2):
        cells = []
        for place, (cell, column) in enumerate(zip(row[:width], columns, strict=True)):
            text, rule = _stated(cell, column, broken.get((number, place)))
            cells.append(text)
            if rule and column is not None:
                why = f"cell {cell_letters(place)}{number}: {_FIX[rule]}; drop the file again"
                sheet.faults.append(CellFault(number, column.name, rule, why))
        sheet.records.append(Record(number, number, cells, "\t".join(cells)))


def _refuse_layout(raw: _Raw) -> None:
    """Raises `FileSetAside` where cells can't be told to belong to one named column and one row."""
    header = _header(raw.rows[0])
    if not any(header):
        raise FileSetAside("header_not_first", "row 1 is empty; the header must be in row 1: delete the rows above it")
    if raw.merged:
        (top, left), (bottom, right) = min(raw.merged)
        where = f"{cell_letters(left)}{top + 1}:{cell_letters(right)}{bottom + 1}"
        raise FileSetAside("merged_cells", f"cells {where} are merged; unmerge them, one value a cell")
    for place, name in enumerate(header):
        if not name and any(not _blank(row[place]) for row in raw.rows[1:]):
            raise FileSetAside(
                "header_empty", f"column {cell_letters(place)} holds values but has no name in row 1; name it"
            )


def _stated(cell: Any, column: Column | None, broken: str | None) -> tuple[str, str | None]:
    """The exact text of a cell; of one that has none, blank and the rule it breaks."""
    if column is None:
        return str(cell), None  # not read, only kept with the row
    return ("", broken) if broken else _exact(cell, column)


_FIX = {
    "formula_error": "the formula gives an error; correct it",
    "formula_not_computed": "the formula was never computed; open the workbook in Excel and save it",
    "number_not_exact": f"a number of more than {MAX_DIGITS} digits, which Excel rounds; format the column as text and "
    "enter it again, or round the amount to cents",
    "date_in_text_column": "Excel has made a date of the entry; format the column as text and enter it again",
    "percent_or_fraction": "a percentage is stated as a plain number (24 for 24%); a fraction may be a percent format",
}


def _exact(cell: Any, column: Column) -> tuple[str, str | None]:
    """The text of a value and, where it can't be stated exactly, the rule it breaks."""
    if isinstance(cell, bool):
        return ("true" if cell else "false"), None
    if isinstance(cell, (int, float)):
        return _number(cell, column)
    if isinstance(cell, (date, datetime, time)):
        if column.kind == "text" and not column.any_value:
            return "", "date_in_text_column"
        whole = cell.date() if isinstance(cell, datetime) and cell.time() == time() else cell
        return whole.isoformat(), None
    return str(cell), None


def _number(value: float, column: Column) -> tuple[str, str | None]:
    exact = Decimal(repr(value))
    if not exact.is_finite():
        return "", "number_not_exact"
    text = f"{exact.to_integral_value() if exact == exact.to_integral_value() else exact:f}"
    if len(text.lstrip("-0.").replace(".", "")) > MAX_DIGITS:
        return "", "number_not_exact"
    if column.kind == "percent" and 0 < abs(exact) <= 1:
        return "", "percent_or_fraction"
    return ("0" if exact == 0 else text), None


def _broken_cells(xml: bytes) -> dict[tuple[int, int], str]:
    """Cells whose formula gives an error or was never computed, by row and column; as values they look blank."""
    broken = {}
    for _, cell in SafeXml.iterparse(io.BytesIO(xml), forbid_dtd=True):
        if cell.tag == f"{MAIN}c":
            rule = _cell_rule(cell)
            if rule:
                broken[cell_address(cell.get("r", ""))] = rule
            cell.clear()
    return broken


def _cell_rule(cell: Element) -> str | None:
    if cell.get("t") == "e":
        return "formula_error"
    uncomputed = not cell.findtext(f"{MAIN}v") and cell.get("t") != "str"
    return "formula_not_computed" if cell.find(f"{MAIN}f") is not None and uncomputed else None


def cell_address(text: str) -> tuple[int, int]:
    """Row from 1 and column from 0 of an address such as D14."""
    letters = text.rstrip("0123456789")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return int(text[len(letters) :]), place - 1


def cell_letters(place: int) -> str:
    """The letters of a column, from 0: A, B, ... Z, AA."""
    letters, number = "", place + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
