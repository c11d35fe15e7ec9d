"""A sheet is described as data (`Sheet`, `Column`) and written by one writer.

All text goes through `safe_text` and all cells through `Canvas.put`, so no client name or custodian text can become a
formula, break the file or be lost in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo

from reports.page import Page
from reports.style import FACE, KIND_LOOKS, LOOKS, Kind, Looks, header_look, linked_look, word_look
from schemas.accounts import mask_digits

Value = str | int | Decimal | date | None
Row = Mapping[str, Value]

#: Longest text an Excel cell holds, in UTF-16 units.
CELL_LIMIT = 32_767
#: Longest tip of a link.
TIP_LIMIT = 255
CUT = " … [cut: too long for a cell]"
#: Control characters and non-characters XML can't carry.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: First characters by which a spreadsheet takes typed text for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TAX_ID = re.compile(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b")

#: What is left of a laptop's screen of 1,366 x 768 at 100% once the spreadsheet program has its own.
SCREEN = (1_320, 520)
#: The heading takes row 1, the lead row 2; the table's header is row 4.
HEADER_ROW = 4
LETTER = 1
_WRAPS = {look.name: look.wrap for look in LOOKS}
_SIZES = {look.name: look.size for look in LOOKS}


@dataclass(frozen=True)
class Column:
    """One column of a table: the row's field it shows, its header, what kind of value it is, how wide."""

    field: str
    header: str
    kind: Kind = "text"
    width: float = 14
    #: False for columns that are there to filter and check by, and stay off the printed page.
    printed: bool = True
    #: True for a column the reader fills in: shaded, and typed into with a drop-down of `choices` or a date check.
    entry: bool = False
    choices: tuple[str, ...] = ()
    #: The sheet on which this cell leads to the same person's first row.
    leads_to: str = ""


@dataclass(frozen=True)
class Sheet:
    """One sheet that holds one table. `empty` is the sentence shown instead of a table without rows."""

    title: str
    heading: str
    lead: str
    table: str
    columns: tuple[Column, ...]
    empty: str
    freeze_columns: int = 1
    pages_wide: int = 1
    tab: str = "1F3A5F"
    #: The field of the last column a reader has to see on a laptop at 100%; the others are details. Empty: all of them.
    in_sight: str = ""

    @property
    def pixels_in_sight(self) -> int:
        """How wide the columns are at 100% up to the last one that has to be seen."""
        fields = [column.field for column in self.columns]
        seen = self.columns[: 1 + fields.index(self.in_sight)] if self.in_sight else self.columns
        return sum(pixels(column.width) for column in seen)


def pixels(width: float) -> int:
    """The width of a column at 100%: seven pixels for a digit of the Normal font, and the cell's margin."""
    return int(width * 7 + 5)


def safe_text(text: str) -> str:
    """`text` as a cell can hold it: no characters XML forbids, and cut, visibly, at Excel's limit."""
    clean = ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(clean) <= CELL_LIMIT // 2:  # short enough whatever its characters are
        return clean
    units = clean.encode("utf-16-le")
    if len(units) <= 2 * CELL_LIMIT:
        return clean
    return units[: 2 * (CELL_LIMIT - len(CUT))].decode("utf-16-le", errors="ignore") + CUT


def prose(text: str | None) -> str | None:
    """Text written for people with every long number and tax id cut to what may be shown."""
    if text is None:
        return None
    return mask_digits(TAX_ID.sub("[tax id]", text))


#: Where each person's first row is: (title of the sheet, person_id) -> row number.
Places = Mapping[tuple[str, str], int]


def places_of(sheets: Mapping[str, Sequence[Row]]) -> Places:
    """Where each person's rows begin on each sheet; rows are in the order they will be written."""
    found: dict[tuple[str, str], int] = {}
    for title, rows in sheets.items():
        for number, row in enumerate(rows, HEADER_ROW + 1):
            person = row.get("person_id")
            if isinstance(person, str):
                found.setdefault((title, person), number)
    return found


class Canvas:
    """Writes values into one page, each with one look, and keeps rows tall enough for their text."""

    def __init__(self, sheet: Page, looks: Looks) -> None:
        self.sheet = sheet
        self._looks = looks

    def widths(self, widths: Sequence[float]) -> None:
        """Set the widths of the first columns."""
        for n, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(n)].width = width

    def put(self, row: int, column: int, value: Value, look: str, span: int = 1) -> None:
        """Write `value` at a cell, merged over `span` columns. Text is always text, never a formula."""
        self.sheet.put(row, column, *self._cell(value, look))
        if span > 1:
            self._merge(row, column, span, look)

    def put_row(self, row: int, values: Iterable[Value], looks: Iterable[str]) -> None:
        """Write a row's values from the first column on, each with its look."""
        self.sheet.put_row(row, map(self._cell, values, looks))

    def _cell(self, value: Value, look: str) -> tuple[Value, int]:
        if not isinstance(value, str):
            return value, self._looks.numbers[look, False]
        text = safe_text(value)
        return text, self._looks.numbers[look, value.startswith(FORMULA_STARTS) or text.startswith(FORMULA_STARTS)]

    def put_formula(self, row: int, column: int, formula: str, *, value: Value, look: str, span: int = 1) -> None:
        """Write a formula of this code's own (never text from outside) with the value it has now."""
        shown = safe_text(value) if isinstance(value, str) else value
        self.sheet.put_formula(
            row, column, formula.removeprefix("="), value=shown, style=self._looks.numbers[look, False]
        )
        if span > 1:
            self._merge(row, column, span, look)

    def _merge(self, row: int, column: int, span: int, look: str) -> None:
        style = self._looks.numbers[look, False]
        for n in range(column + 1, column + span):
            self.sheet.put(row, n, None, style)
        self.sheet.merge(row, column, span)

    def fit(self, row: int, text: str, width: float, look: str, most: float = 220) -> None:
        """Make `row` tall enough for `text` in `width`, if the look wraps."""
        if not _WRAPS[look]:
            return
        size = _SIZES[look]
        height = min(most, line_count(text, max(4, int(width * 11.5 / size))) * size * 1.3 + 4)
        if height > self.sheet.height_of(row):
            self.sheet.height(row, height)

    def height(self, row: int, points: float) -> None:
        """Set the height of `row` in points."""
        self.sheet.height(row, points)


@lru_cache(4096)
def line_count(text: str, per_line: int) -> int:
    """Lines that `text` takes when words are wrapped at `per_line` characters; a longer word is broken."""
    lines = 0
    for part in text[:4000].split("\n"):
        lines += 1
        room = per_line
        for word in part.split():
            size = len(word)
            if size > room and room < per_line:
                lines += 1
                room = per_line
            while size > per_line:
                lines += 1
                size -= per_line
            room -= size + 1
    return lines


def write_sheet(
    sheet: Page, looks: Looks, spec: Sheet, rows: Sequence[Row], footer: str, *, places: Places | None = None
) -> None:
    """Write one described sheet: heading, lead, table with filters, frozen panes, print set-up.

    `places` says where the links of its columns lead; a link to a person who has no row there isn't made.

    Every row must have every field of the spec: a missing one is a KeyError, so layout and data can't drift apart.
    """
    canvas = Canvas(sheet, looks)
    canvas.widths([c.width for c in spec.columns])
    put_heading(canvas, spec.heading, spec.lead)
    if rows:
        last = _put_table(canvas, spec, rows, places or {})
    else:
        canvas.put(HEADER_ROW, 1, spec.empty, "lead")
        last = HEADER_ROW
    set_up_page(sheet, footer, tab=spec.tab, pages_wide=spec.pages_wide)
    if rows:
        _set_up_table(sheet, spec, last)


def put_heading(canvas: Canvas, heading: str, lead: str) -> None:
    """The title and the one line under it."""
    canvas.put(1, 1, heading, "title")
    canvas.put(2, 1, lead, "lead")
    canvas.height(1, 30)
    canvas.height(2, 18)
    canvas.height(3, 6)


def _put_table(canvas: Canvas, spec: Sheet, rows: Sequence[Row], places: Places) -> int:
    put_header(canvas, HEADER_ROW, spec.columns)
    leading = [(place, c.leads_to) for place, c in enumerate(spec.columns, 1) if c.leads_to]
    wrapped = [(c.field, c.width, _look_of(c)) for c in spec.columns if c.kind == "wrap"]
    looks = [_look_of(column) for column in spec.columns]
    words = [column.kind == "word" for column in spec.columns]
    for number, row in enumerate(rows, HEADER_ROW + 1):
        values = [row[column.field] for column in spec.columns]
        own = [word_look(v) if w and isinstance(v, str) else k for v, w, k in zip(values, words, looks, strict=True)]
        for place, title in leading:
            there = places.get((title, str(row.get("person_id"))))
            if there and values[place - 1] is not None:
                tip = full_text(values[place - 1], spec.columns[place - 1].width)
                canvas.sheet.link(number, place, location=f"'{title}'!A{there}", tip=tip)
                own[place - 1] = linked_look(own[place - 1])
        canvas.put_row(number, values, own)
        canvas.height(number, 15)
        for field, width, look in wrapped:
            text = row[field]
            if isinstance(text, str):
                canvas.fit(number, text, width, look)
    return HEADER_ROW + len(rows)


def full_text(value: Value, width: float) -> str:
    """The tip of a link whose text is too long for one line, as some programs don't wrap links; nothing if it fits."""
    return safe_text(value)[:TIP_LIMIT] if isinstance(value, str) and len(value) > width else ""


def put_header(canvas: Canvas, row: int, columns: Sequence[Column]) -> None:
    """A header row; room is left for the filter buttons."""
    canvas.height(row, 30)
    for place, column in enumerate(columns, 1):
        look = header_look(KIND_LOOKS[column.kind].name)
        canvas.put(row, place, column.header, look)
        canvas.fit(row, column.header, column.width - (5 if look == "number header" else 4), look)


def put_value(canvas: Canvas, row: int, place: int, column: Column, value: Value) -> None:
    """One value of a table, with the look of its column's kind (or of its word)."""
    look = word_look(value) if column.kind == "word" and isinstance(value, str) else _look_of(column)
    canvas.put(row, place, value, look)
    if isinstance(value, str) and column.kind == "wrap":
        canvas.fit(row, value, column.width, look)


def _look_of(column: Column) -> str:
    kind: Kind = column.kind if not column.entry else "entry_date" if column.kind == "date" else "entry"
    return KIND_LOOKS[kind].name


def _set_up_table(sheet: Page, spec: Sheet, last: int) -> None:
    right = get_column_letter(len(spec.columns))
    table = Table(displayName=spec.table, ref=f"A{HEADER_ROW}:{right}{last}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.name_table(table, [c.header for c in spec.columns])
    sheet.freeze_panes = f"{get_column_letter(spec.freeze_columns + 1)}{HEADER_ROW + 1}"
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"
    first = 1
    if spec.pages_wide > 1:
        # the repeated columns would cut the heading short on the second page: it goes into the page header
        sheet.print_title_cols = f"A:{get_column_letter(spec.freeze_columns)}"
        sheet.oddHeader.left.text = spec.heading
        sheet.oddHeader.left.font = f"{FACE},Bold"
        sheet.oddHeader.left.size = 12
        sheet.page_margins.top, sheet.page_margins.header = 0.9, 0.5
        first = HEADER_ROW
    for place, column in enumerate(spec.columns, 1):
        if column.entry:
            _offer(sheet, column, f"{get_column_letter(place)}{HEADER_ROW + 1}:{get_column_letter(place)}{last}")
    printed = sum(c.printed for c in spec.columns)
    sheet.print_area = f"A{first}:{get_column_letter(printed)}{last}"


def _offer(sheet: Page, column: Column, cells: str) -> None:
    """The check of what is typed into an entry column: one of its choices, or a date."""
    if column.choices:
        listed = ",".join(column.choices)
        check = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=True)
        check.error = f"Choose one of: {', '.join(column.choices)}."
    elif column.kind == "date":
        check = DataValidation(type="date", operator="greaterThan", formula1="36526", allow_blank=True)
        check.showErrorMessage, check.error = True, "Type a date, for example 2027-01-15."
    else:
        return
    check.errorTitle = column.header
    check.add(cells)
    sheet.add_data_validation(check)


def set_up_page(sheet: Page, footer: str, *, tab: str, pages_wide: int = 1, pages_tall: int = 0) -> None:
    """Letter, landscape, fitted to the page's width (0 tall: as many as needed), page numbers; no gridlines."""
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = tab
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = LETTER
    sheet.page_setup.fitToWidth = pages_wide
    sheet.page_setup.fitToHeight = pages_tall
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = 0.6
    sheet.page_margins.bottom = 0.6
    sheet.oddFooter.left.text = footer
    sheet.oddFooter.center.text = "&A"
    sheet.oddFooter.right.text = "Page &P of &N"
    for part in (sheet.oddFooter.left, sheet.oddFooter.center, sheet.oddFooter.right):
        part.size = 8
