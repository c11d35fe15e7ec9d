"""Advisor workbooks as people send them back: filled in, mangled, saved again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from schemas.marks import FINDING_ID, MARK_HEADERS

#: Field of a mark -> what an advisor types.
Answer = Mapping[str, Any]


def header_row(sheet: Worksheet) -> int:
    """The row of the sheet that has the headers."""
    return next(r for r in range(1, sheet.max_row + 1) if FINDING_ID in [c.value for c in sheet[r]])


def columns(sheet: Worksheet) -> dict[str, int]:
    """Column number by header."""
    return {c.value: c.column for c in sheet[header_row(sheet)] if c.value is not None}


def row_of(sheet: Worksheet, finding_id: str) -> int:
    """The row of a finding."""
    place = columns(sheet)[FINDING_ID]
    return next(r for r in range(header_row(sheet) + 1, sheet.max_row + 1) if sheet.cell(r, place).value == finding_id)


def fill_in(sheet: Worksheet, answers: Mapping[str, Answer]) -> None:
    """Type the answers into the rows of their findings."""
    places = columns(sheet)
    for finding_id, answer in answers.items():
        row = row_of(sheet, finding_id)
        for field, value in answer.items():
            sheet.cell(row, places[MARK_HEADERS[field]]).value = value


def shown(sheet: Worksheet, finding_id: str) -> dict[str, Any]:
    """A finding's row as it is shown, by header."""
    row = row_of(sheet, finding_id)
    return {header: sheet.cell(row, place).value for header, place in columns(sheet).items()}


def answered(
    path: Path,
    answers: Mapping[str, Answer],
    change: Callable[[Workbook], None] = lambda _book: None,
    saved_by: str | None = None,
) -> bytes:
    """The workbook as it is sent back: marks filled in, then whatever `change` does to it."""
    book = load_workbook(path)
    fill_in(book["Exceptions"], answers)
    if saved_by is not None:
        book.properties.lastModifiedBy = saved_by
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def day(text: str) -> date:
    return date.fromisoformat(text)
