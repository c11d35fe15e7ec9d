"""An advisor's workbook that comes back: which marks it holds, read row by row by their Finding id.

A workbook of ours is known by its document properties, or by a row that has the headers Finding id and Your status.
Only marks are read of it: every row that differs from what it showed (its Mark id says what that was). Sheets may be
renamed, moved, sorted and cut; what can't be read is set aside by row, with its reason.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import polars as pl
from defusedxml import ElementTree as SafeXml
from python_calamine import SheetTypeEnum

from schemas import marks as said
from schemas.marks import FINDING_ID, MARK_HEADERS, MARK_ID, SHOWN_HEADERS
from schemas.tables import INPUT_TABLES, PROVENANCE, SEVERITIES
from transforms.intake.lines import FileSetAside
from transforms.intake.reading import Reading, with_provenance
from transforms.intake.register import Entry, printable
from transforms.intake.unpack import Budget
from transforms.intake.workbook import (
    DAMAGED,
    MAIN,
    UNREADABLE,
    cell_address,
    cell_letters,
    is_workbook,
    opened,
    sheet_paths,
    workbook_parts,
)

KIND, PROFILE = "finding_marks", "rothbook-marks"
_CUSTOM, _CORE = "docProps/custom.xml", "docProps/core.xml"
_SAVED_BY = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}lastModifiedBy"
_OURS = "Rothbook"
_HEADERS = (FINDING_ID, MARK_ID, *MARK_HEADERS.values(), *SHOWN_HEADERS.values())
_BY_NAME = {header.lower(): header for header in _HEADERS}
_SCHEMA = {
    name: kind for name, kind in INPUT_TABLES[KIND].schema.items() if name not in {c.name for c in PROVENANCE}
} | {"source_line": pl.Int64()}
_CHOICES = ", ".join(said.MARK_STATUSES)
#: A formula or an error in a sheet: as we write it there is neither, and no need to walk through it cell by cell.
_MAY_LACK_A_VALUE = re.compile(rb"""<(\w+:)?f[\s>/]|\st=["']e["']""")
_AGAIN = "mark the finding again in the newest workbook"


@dataclass(frozen=True)
class _Book:
    """What the workbook says of itself."""

    advisor_id: str | None
    as_of: date | None
    saved_by: str | None
    workbook: str


@dataclass
class _Grid:
    """A sheet: its name and place, its cells, and what was typed where a formula has no value."""

    name: str
    number: int
    rows: list[list[Any]]
    typed: dict[tuple[int, int], str]


@dataclass
class _Found:
    """The marks of one sheet, the rows set aside, and what is to be told."""

    marks: list[dict[str, Any]] = field(default_factory=list)
    aside: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unread: list[str] = field(default_factory=list)
    raw: dict[int, str] = field(default_factory=dict)


class _NotRead(Exception):
    """A mark that can't be read: column, rule and what to do."""

    def __init__(self, column: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.column, self.rule = column, rule


def is_marked_workbook(parts: Mapping[str, bytes]) -> bool:
    """True for a Rothbook advisor workbook, by its properties or, where they are lost, by its headers."""
    if _properties(parts).get(said.KIND_PROPERTY) == said.ADVISOR_WORKBOOK:
        return True
    texts = [data for name, data in parts.items() if name.startswith(("xl/sharedStrings", "xl/worksheets/"))]
    wanted = (FINDING_ID, MARK_HEADERS["status"])
    if not all(any(word.encode() in data for data in texts) for word in wanted):
        return False
    try:
        return any(set(wanted) <= set(_header(row)) for grid in _grids(parts) for row in grid.rows)
    except UNREADABLE:
        return False


def is_advisor_workbook(data: bytes) -> bool:
    """True if these bytes are a Rothbook advisor workbook; what can't be read is none."""
    try:
        return is_workbook(data) and is_marked_workbook(workbook_parts(data, Budget(len(data))))
    except FileSetAside:
        return False


def read_marks(parts: Mapping[str, bytes], entry: Entry, firm: str | None) -> list[Reading]:
    """One reading per sheet that has findings; raises `FileSetAside` for a workbook that can't be used at all.

    That is: of another firm than `firm` (None: not asked), damaged, or without a row of headers to read by.
    """
    properties = _properties(parts)
    stated = properties.get(said.FIRM_PROPERTY)
    if firm and stated and stated != firm:
        raise FileSetAside(
            "other_firm",
            "the workbook was written for another firm (or under another firm key); nothing of it is read: drop it "
            "where that firm's Rothbook looks",
        )
    book = _Book(
        properties.get(said.ADVISOR_PROPERTY), _iso_day(properties.get(said.AS_OF_PROPERTY)), _saved_by(parts),
        entry.file_name,
    )  # fmt: skip
    try:
        readings = [_reading(grid, found, book, entry) for grid in _grids(parts) if (found := _read(grid, book, entry))]
    except UNREADABLE:
        raise FileSetAside("workbook_damaged", DAMAGED, book.advisor_id) from None
    if not readings:
        raise FileSetAside(
            "marks_not_found",
            f"no sheet has a row with the headers {FINDING_ID} and {MARK_HEADERS['status']}, so nobody can tell which "
            "finding a mark belongs to; write the marks into the newest workbook, or put the columns back",
            book.advisor_id,
        )
    return readings


def _properties(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The custom document properties, as text; none where they can't be read."""
    try:
        root = SafeXml.fromstring(parts[_CUSTOM], forbid_dtd=True) if _CUSTOM in parts else ()
    except UNREADABLE:
        return {}
    return {str(p.get("name")): "".join(p.itertext()).strip() for p in root}


def _saved_by(parts: Mapping[str, bytes]) -> str | None:
    """Who saved the workbook last, as Excel wrote it; None if it was Rothbook or isn't said."""
    try:
        name = SafeXml.fromstring(parts[_CORE], forbid_dtd=True).findtext(_SAVED_BY) if _CORE in parts else None
    except UNREADABLE:
        return None
    kept = said.clean_mark(name or "")
    return None if kept in ("", _OURS) else kept


def _grids(parts: Mapping[str, bytes]) -> Iterator[_Grid]:
    """Every worksheet, hidden ones too: an advisor who hides a sheet hasn't taken his marks back."""
    book, paths = opened(dict(parts)), sheet_paths(dict(parts))
    for number, meta in enumerate(book.sheets_metadata, 1):
        if meta.typ is SheetTypeEnum.WorkSheet:
            rows = book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
            typed = _typed_formulas(parts[paths[meta.name]]) if any(map(_places, rows)) else {}
            yield _Grid(printable(meta.name), number, rows, typed)


def _typed_formulas(xml: bytes) -> dict[tuple[int, int], str]:
    """What was typed into cells whose formula gives an error or was never computed, by row from 1 and column from 0."""
    if not _MAY_LACK_A_VALUE.search(xml):
        return {}
    typed = {}
    for _, cell in SafeXml.iterparse(io.BytesIO(xml), forbid_dtd=True):
        if cell.tag == f"{MAIN}c":
            formula = cell.find(f"{MAIN}f")
            if cell.get("t") == "e" or (formula is not None and not cell.findtext(f"{MAIN}v")):
                typed[cell_address(cell.get("r", ""))] = f"={formula.text or ''}" if formula is not None else ""
            cell.clear()
    return typed


def _header(row: list[Any]) -> list[str]:
    """The headers of a row as we write them; others are blank."""
    return [_BY_NAME.get(" ".join(cell.split()).lower(), "") if isinstance(cell, str) else "" for cell in row]


def _places(row: list[Any]) -> dict[str, int] | None:
    """Where which column is, if the row is a header: it names Finding id and at least one field of a mark."""
    names = _header(row)
    if FINDING_ID not in names or not set(MARK_HEADERS.values()) & set(names):
        return None
    return {name: names.index(name) for name in names if name}


def _read(grid: _Grid, book: _Book, entry: Entry) -> _Found | None:
    """Everything under the header rows of a sheet; None if it has none."""
    found, places = _Found(), None
    for number, cells in enumerate(grid.rows, 1):
        blank = all(isinstance(cell, str) and not cell.strip() for cell in cells)
        new = _places(cells)
        if new is not None:
            places = new
            found.unread += [h for h in MARK_HEADERS.values() if h not in new and h not in found.unread]
        found.counts["header" if new else "blank" if blank else "data" if places else "preamble"] += 1
        if new is None and not blank and places is not None:
            found.raw[number] = "\t".join(map(str, cells))
            _read_row(found, _Row(grid, number, cells, places), book, entry)
    return found if places is not None else None


@dataclass(frozen=True)
class _Row:
    """A row under a header."""

    grid: _Grid
    number: int
    cells: list[Any]
    places: dict[str, int]

    def cell(self, header: str) -> Any:
        """What a column holds in this row; None where there is no such column."""
        place = self.places.get(header)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def typed(self, header: str) -> str | None:
        """What was typed where a formula has no value."""
        return self.grid.typed.get((self.number, self.places.get(header, -1)))

    def address(self, header: str) -> str:
        """Where the column's cell of this row is: D14."""
        return f"{cell_letters(self.places.get(header, 0))}{self.number}"


def _read_row(found: _Found, row: _Row, book: _Book, entry: Entry) -> None:
    """Take the mark of a row if it is one; a row that shows what it showed is none."""
    finding_id = _name(row.cell(FINDING_ID))
    named = {"finding_id": finding_id or None, "advisor_id": book.advisor_id, "source_line": row.number}
    try:
        fields = {name: _field(row, name) for name, header in MARK_HEADERS.items() if header in row.places}
        mark = _mark(row, finding_id, fields)
    except _NotRead as bad:
        where = f"cell {row.address(bad.column)}" if bad.column in row.places else f"row {row.number}"
        found.aside.append({**named, "column": bad.column, "rule": bad.rule, "message": f"{where}: {bad}; {_AGAIN}"})
        return
    if mark is None:
        return
    reading_id = sha256(f"{entry.sha256}[{row.grid.number}]:{row.number}".encode()).hexdigest()[:32]
    unread = [name for name, header in MARK_HEADERS.items() if header not in row.places]
    found.marks.append({
        **named, **mark, **_facts(row), "reading_id": reading_id, "state": said.mark_state(reading_id),
        "not_read": ", ".join(unread) or None, "workbook_as_of": book.as_of, "workbook": book.workbook,
        "saved_by": book.saved_by,
    })  # fmt: skip


def _mark(row: _Row, finding_id: str, fields: dict[str, str | None]) -> dict[str, Any] | None:
    """The mark of a row with the state it was made on; None if nothing was changed. Raises `_NotRead`."""
    shown = said.shown_mark(_name(row.cell(MARK_ID)))
    if shown is None and not any(fields.values()):
        return None
    if not finding_id:
        if any(fields.values()):
            raise _NotRead(FINDING_ID, "finding_id_missing", "the row has a mark but no Finding id")
        return None
    if shown is not None and shown.finding != said.finding_part(finding_id):
        if not any(fields.values()):
            return None
        raise _NotRead(
            MARK_ID, "row_mixed_up", "Finding id and Mark id are of two rows: columns were sorted or pasted apart"
        )
    if shown is not None and all(said.mark_part(text) == shown.fields[name] for name, text in fields.items()):
        return None
    day = fields.get("snooze_until")
    return {**fields, "snooze_until": date.fromisoformat(day) if day else None, "shown_state": shown and shown.state}


def _field(row: _Row, name: str) -> str | None:
    """One field of a mark as text; None if it is blank. Raises `_NotRead`."""
    header = MARK_HEADERS[name]
    typed = row.typed(header)
    if name == "snooze_until":
        return _day(row, header) if typed is None else _refuse_day(header)
    text = _text(row.cell(header)) if typed is None else said.clean_mark(typed)
    if name != "status" or not text:
        return text or None
    status = " ".join(text.lower().split())
    if status not in said.MARK_STATUSES:
        raise _NotRead(header, "not_in_list", f"expected one of {_CHOICES}")
    return status


def _day(row: _Row, header: str) -> str | None:
    value = row.cell(header)
    if isinstance(value, (date, datetime)):
        day = value.date() if isinstance(value, datetime) else value
        return day.isoformat()
    text = _text(value)
    if text and _iso_day(text) is None:
        return _refuse_day(header)
    return text or None


def _refuse_day(header: str) -> str:
    raise _NotRead(header, "not_a_date", "expected a date, typed as a date of the spreadsheet or like 2027-01-15")


def _iso_day(text: str | None) -> date | None:
    """The date a text states as 2027-01-15; None if it states none."""
    if text is None or not re.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _text(cell: Any) -> str | None:
    """A cell as the text a person sees in it, cleaned."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return said.clean_mark(f"{cell:.0f}")
    return said.clean_mark(cell.isoformat() if isinstance(cell, (date, datetime)) else str(cell))


def _name(cell: Any) -> str:
    """An id as it stands in its cell; nothing of it is masked, so that it still names what it named."""
    return printable(str(cell)).strip()[:64] if cell is not None else ""


def _facts(row: _Row) -> dict[str, Any]:
    """Dollars, deadline and severity as the row shows them; all None if its severity can't be read."""
    severity = _text(row.cell(SHOWN_HEADERS["severity_shown"]))
    if severity not in SEVERITIES:
        return {}
    amount, deadline = row.cell(SHOWN_HEADERS["amount_shown"]), row.cell(SHOWN_HEADERS["deadline_shown"])
    cents = isinstance(amount, (int, float)) and not isinstance(amount, bool) and abs(amount) < 1e13
    return {
        "severity_shown": severity,
        "amount_shown": Decimal(repr(amount)).quantize(Decimal("0.01")) if cents else None,
        "deadline_shown": deadline.date() if isinstance(deadline, datetime) else deadline
        if isinstance(deadline, date) else None,
    }  # fmt: skip


def _reading(grid: _Grid, found: _Found, book: _Book, entry: Entry) -> Reading:
    """The reading of one sheet: its marks, its rows set aside, and what is to be told of it."""
    known_by = sha256(f"{entry.sha256}[{grid.name}]".encode()).hexdigest()
    reading = Reading(replace(entry, file_name=f"{entry.file_name}[{grid.name}]", sha256=known_by), KIND)
    reading.profile, reading.layout, reading.counts = PROFILE, "advisor workbook", found.counts
    reading.rows, reading.raw = found.counts["data"], lambda number: found.raw.get(number, "")
    unchanged = reading.rows - len(found.marks) - len(found.aside)
    reading.note = f"marks: {len(found.marks)}; rows as they were shown: {unchanged}"
    if found.unread:
        found.aside.append({
            "advisor_id": book.advisor_id, "rule": "mark_column_missing",
            "message": f"the sheet has no column {', '.join(found.unread)}: what it held wasn't read, the others "
            "were; write into the newest workbook, which has them all",
        })  # fmt: skip
    reading.marks = with_provenance(reading, pl.DataFrame(found.marks, schema=_SCHEMA)).select(
        list(INPUT_TABLES[KIND].schema)
    )
    if found.aside:
        schema = {**_SCHEMA, **dict.fromkeys(("column", "rule", "message"), pl.String())}
        reading.ragged = with_provenance(reading, pl.DataFrame(found.aside, schema=schema))
    return reading
