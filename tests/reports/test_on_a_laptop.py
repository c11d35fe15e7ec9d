"""Sensible at 100% on a laptop: what has to be seen of every sheet fits beside the spreadsheet program's own frame."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import coordinate_from_string
from openpyxl.worksheet.worksheet import Worksheet

from reports.advisor import TOPICS
from reports.firm import ADVISORS, ARRIVALS, BY_RULE, FILES, REJECTS, UNMATCHED
from reports.oversight import EXCESS, FORMS, MOVES, OVERRIDES, TREND
from reports.set_aside import COLUMNS, FIX_SHEET, OTHER, SET_ASIDE_FILE
from reports.sheet import HEADER_ROW, SCREEN, pixels
from tests.reports.run_files import small_book
from tests.reports.test_workbooks import write

#: Sheets that are no table of columns: read as a whole.
WHOLE = ("Today", "What-if", "About", "Start here", "Lists")
#: Header of the last column that has to be seen.
SEEN = {
    spec.title: next(c.header for c in spec.columns if c.field == (spec.in_sight or spec.columns[-1].field))
    for spec in (
        *(spec for spec, _ in TOPICS),
        *(FILES, ARRIVALS, REJECTS, ADVISORS, BY_RULE, UNMATCHED),
        *(TREND, MOVES, FORMS, EXCESS, OVERRIDES, OTHER),
    )
} | {FIX_SHEET: next(c.header for c in COLUMNS if c.field == "row_says")}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> list[Workbook]:
    run = tmp_path_factory.mktemp("laptop")
    write(small_book(), run)
    return [load_workbook(run / "workbooks" / name) for name in ("A1.xlsx", "_firm.xlsx", SET_ASIDE_FILE)]


def _sheets(books: list[Workbook]) -> Iterator[tuple[Worksheet, int]]:
    """Every visible sheet with how many of its columns have to be seen."""
    for sheet in (sheet for book in books for sheet in book if sheet.sheet_state == "visible"):
        row = 1 if sheet.title == FIX_SHEET else HEADER_ROW
        headers = [cell.value for cell in sheet[row]]
        if sheet.title in WHOLE:
            yield sheet, sheet.max_column
        elif SEEN[sheet.title] in headers:  # else it has no row, but a sentence
            yield sheet, 1 + headers.index(SEEN[sheet.title])


def test_what_has_to_be_seen_fits_the_width_of_a_laptop_at_100_percent(books: list[Workbook]) -> None:
    wide = {
        sheet.title: sum(pixels(sheet.column_dimensions[get_column_letter(n)].width) for n in range(1, seen + 1))
        for sheet, seen in _sheets(books)
    }
    assert {"Exceptions", "Data problems", "Rows set aside", "Unmatched", FIX_SHEET, *WHOLE} <= wide.keys()
    assert {title: width for title, width in wide.items() if width > SCREEN[0]} == {}


def test_every_sheet_opens_at_100_percent_and_frozen_panes_leave_room_to_read(books: list[Workbook]) -> None:
    for sheet, _ in _sheets(books):
        assert sheet.sheet_view.zoomScale in (None, 100), sheet.title
        if sheet.freeze_panes is None:
            continue
        column, row = coordinate_from_string(sheet.freeze_panes)
        frozen = range(1, sheet[f"{column}1"].column)
        beside = sum(pixels(sheet.column_dimensions[get_column_letter(n)].width) for n in frozen)
        above = sum((sheet.row_dimensions[n].height or 15) for n in range(1, row)) * 96 / 72
        assert beside <= SCREEN[0] / 3, sheet.title
        assert above <= SCREEN[1] / 3, sheet.title
