"""A worksheet whose cells are kept as the XML openpyxl would write for them, made once when they are put.

openpyxl builds an object for every cell and writes each in some fifteen calls: with styles that is about half the speed
of this. Everything else of a sheet (columns, views, tables, validations, charts, page set-up) stays openpyxl's.
`tests/reports/test_page.py` holds every kind of cell against openpyxl's own writing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.packaging.relationship import Relationship
from openpyxl.utils import get_column_letter
from openpyxl.workbook.child import INVALID_TITLE_REGEX
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.dimensions import SheetDimension
from openpyxl.worksheet.merge import MergeCell, MergeCells
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import REL_NS
from openpyxl.xml.functions import Element, SubElement

#: What a cell can hold.
Shown = str | int | Decimal | date | None

#: Excel counts days from here (its day 60 never was; no date of a book lies before it).
EPOCH = date(1899, 12, 30).toordinal()
_LETTERS = ("", *(get_column_letter(n) for n in range(1, 257)))
#: Marks the place of the rows in the XML openpyxl writes around them.
_EMPTY = b"<sheetData></sheetData>"


class Link(NamedTuple):
    """A cell that leads to a place in the workbook or to a file beside it."""

    cell: str
    location: str
    target: str
    tip: str


class Page(Worksheet):
    """A worksheet filled by `put`; openpyxl's own cells are not used.

    A value is text, a whole number, a Decimal, a date or None (an empty cell that keeps its style). `style` is the
    number of a cell style of the workbook.
    """

    def __init__(self, parent: Workbook, title: str | None = None) -> None:
        super().__init__(parent, title)
        self._put: dict[int, dict[int, str]] = {}
        self._heights: dict[int, float] = {}
        self._merged: list[str] = []
        self._links: list[Link] = []
        #: What is said in the place of each chart, in the order they were added.
        self.said_of_charts: list[str] = []

    def put(self, row: int, column: int, value: Shown, style: int) -> None:
        """Write one cell; a later value at the same place replaces it."""
        self._cells_of(row)[column] = f'<c r="{_LETTERS[column]}{row}" s="{style}"{_content(value)}'

    def put_row(self, row: int, values: Iterable[tuple[Shown, int]]) -> None:
        """Write a row's cells (value, style) from the first column on, in one go; what stood there is replaced."""
        self._put[row] = {
            column: f'<c r="{_LETTERS[column]}{row}" s="{style}"{_content(value)}'
            for column, (value, style) in enumerate(values, 1)
        }

    def put_formula(self, row: int, column: int, formula: str, *, value: Shown, style: int) -> None:
        """Write a formula (without its `=`) and the value it has now, so that a preview shows it without computing."""
        kind = ' t="str"' if isinstance(value, str) else ""
        known = "" if value is None else f"<v>{escape(value) if isinstance(value, str) else _number(value)}</v>"
        self._cells_of(row)[column] = (
            f'<c r="{_LETTERS[column]}{row}" s="{style}"{kind}><f>{escape(formula)}</f>{known}</c>'
        )

    def link(self, row: int, column: int, *, location: str = "", target: str = "", tip: str = "") -> None:
        """Make a cell a link: to `location` in this workbook (`'Sheet'!A5`), or to the file `target`."""
        self._links.append(Link(f"{_LETTERS[column]}{row}", location, target, tip))

    def merge(self, row: int, column: int, span: int, rows: int = 1) -> None:
        """Show `span` cells of `rows` rows as one."""
        last = f"{_LETTERS[column + span - 1]}{row + rows - 1}"
        self._merged.append(f"{_LETTERS[column]}{row}:{last}")

    def merged_xml(self) -> MergeCells | None:
        """The merged cells, in the order they were merged (openpyxl keeps a set)."""
        return MergeCells(mergeCell=[MergeCell(ref) for ref in self._merged]) if self._merged else None

    def height(self, row: int, points: float) -> None:
        """Set the height of `row` in points."""
        self._heights[row] = points

    def height_of(self, row: int) -> float:
        """The height set for `row`, or 0."""
        return self._heights.get(row, 0)

    def name_table(self, table: Table, headers: list[str]) -> None:
        """Add a table whose header cells hold `headers` (openpyxl would look for them in its own cells)."""
        table._initialise_columns()  # noqa: SLF001
        for column, header in zip(table.tableColumns, headers, strict=True):
            column.name = header
        self.add_table(table)

    def _cells_of(self, row: int) -> dict[int, str]:
        found = self._put.get(row)
        if found is None:
            found = self._put[row] = {}
        return found

    @property
    def extent(self) -> str:
        """The range of the cells put, `A1:F20`."""
        last_column = max((max(cells) for cells in self._put.values()), default=1)
        return f"A1:{_LETTERS[last_column]}{max(self._put, default=1)}"

    @property
    def links(self) -> tuple[Link, ...]:
        """The links, in the order they were made."""
        return tuple(self._links)

    def rows_xml(self) -> bytes:
        """The sheet's rows as SpreadsheetML, in order."""
        parts = ["<sheetData>"]
        for row in sorted(self._put.keys() | self._heights.keys()):
            height = self._heights.get(row)
            tall = f' ht="{height:g}" customHeight="1"' if height is not None else ""
            cells = self._put.get(row, {})
            parts.append(f'<row r="{row}"{tall}>{"".join([cells[c] for c in sorted(cells)])}</row>')
        parts.append("</sheetData>")
        return "".join(parts).encode()


def _content(value: Shown) -> str:
    """The rest of a cell's XML after its style."""
    if value is None:
        return "/>"
    if isinstance(value, str):
        keep = ' xml:space="preserve"' if value != value.strip() else ""
        return f' t="inlineStr"><is><t{keep}>{escape(value)}</t></is></c>'
    return f' t="n"><v>{_number(value)}</v></c>'


def _number(value: int | Decimal | date) -> str:
    if isinstance(value, date):
        return str(value.toordinal() - EPOCH)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class PageWriter(WorksheetWriter):
    """openpyxl's writer with the rows of a `Page` in the place of its own."""

    def write_dimensions(self) -> None:
        """Write the extent of the page's cells."""
        self.xf.send(SheetDimension(self.ws.extent).to_tree())

    def write_rows(self) -> None:
        """Leave the place where `xml` puts the rows."""
        stream = self.xf.send(True)  # noqa: FBT003 - openpyxl's generator asks for it
        with stream.element("sheetData"):
            stream.write("")
        self.xf.send(None)

    def write_hyperlinks(self) -> None:
        """Write the page's links; openpyxl's objects for them would take longer than all the cells."""
        links = self.ws.links
        if not links:
            return
        every = Element("hyperlinks")
        for link in links:
            one = SubElement(every, "hyperlink", ref=link.cell)
            if link.location:
                one.set("location", link.location)
            if link.target:
                relation = Relationship(type="hyperlink", TargetMode="External", Target=link.target)
                self._rels.append(relation)
                one.set(f"{{{REL_NS}}}id", relation.id)
            if link.tip:
                one.set("tooltip", link.tip)
        self.xf.send(every)

    def write_merged_cells(self) -> None:
        """Write the page's merged cells."""
        merged = self.ws.merged_xml()
        if merged is not None:
            self.xf.send(merged.to_tree())

    def xml(self) -> bytes:
        """The whole sheet."""
        self.write()
        around: bytes = self.read()
        before, found, after = around.partition(_EMPTY)
        if not found:
            raise ValueError(f"openpyxl wrote sheet {self.ws.title!r} in another shape than this code knows")
        rows: bytes = self.ws.rows_xml()
        return before + rows + after


class PagedWorkbook(Workbook):
    """A workbook whose sheets are pages."""

    def __init__(self) -> None:
        super().__init__()
        self.remove(self.worksheets[0])

    def create_sheet(self, title: str | None = None, index: int | None = None) -> Page:
        """A new page, last unless `index` says otherwise; raises ValueError for a title Excel refuses."""
        if title is None or len(title) > 31 or INVALID_TITLE_REGEX.search(title):
            raise ValueError(f"Excel takes no sheet named {title!r}")
        page = Page(self, title)
        self._add_sheet(page, index)
        return page

    def style_number(self, style: Any) -> int:
        """The number by which cells name `style` (openpyxl's StyleArray)."""
        return int(self._cell_styles.add(style))
