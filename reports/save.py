"""Saving a workbook so that the same content is the same bytes, readable only by the user who runs Rothbook.

openpyxl's own save stamps the clock into the zip members and into docProps/core.xml. Here the members get one fixed
date and the document properties are the ones set on the workbook.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.styles import Font
from openpyxl.writer.excel import ExcelWriter

from reports.page import Page, PagedWorkbook, PageWriter

#: The earliest date a zip member can have.
MEMBER_DATE = (1980, 1, 1, 0, 0, 0)

# openpyxl writes a font's parts in an order of its own; CT_Font (ECMA-376 part 1, 18.8.22) has this one, and
# a strict reader takes no other
Font.__elements__ = (
    "b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family",
    "charset", "scheme",
)  # fmt: skip


class _SteadyZip(ZipFile):
    """A zip whose members don't depend on the clock, the umask or temporary files."""

    def writestr(self, zinfo_or_arcname: str | ZipInfo, data: Any, *_args: Any, **_kwargs: Any) -> None:
        name = zinfo_or_arcname if isinstance(zinfo_or_arcname, str) else zinfo_or_arcname.filename
        member = ZipInfo(name, date_time=MEMBER_DATE)
        member.compress_type = ZIP_DEFLATED
        member.external_attr = 0o600 << 16
        member.create_system = 3
        super().writestr(member, data, compresslevel=6)

    def write(self, filename: Any, arcname: Any = None, *_args: Any, **_kwargs: Any) -> None:
        self.writestr(str(arcname), Path(filename).read_bytes())


def _drawing(page: Page) -> SpreadsheetDrawing:
    """The page's charts, each with the text said in its place (openpyxl has no room for one)."""
    drawing = SpreadsheetDrawing()
    drawing.charts = page._charts  # noqa: SLF001
    plain_frame = drawing._chart_frame  # noqa: SLF001

    def described_frame(number: int) -> Any:
        frame = plain_frame(number)
        frame.nvGraphicFramePr.cNvPr.descr = page.said_of_charts[number - 1]
        return frame

    drawing._chart_frame = described_frame  # noqa: SLF001
    return drawing


class _SteadyWriter(ExcelWriter):
    """openpyxl's writer, with the sheets' own rows."""

    def write_worksheet(self, ws: Page) -> None:
        ws._drawing = _drawing(ws)  # noqa: SLF001
        writer = PageWriter(ws, BytesIO())
        body = writer.xml()
        ws._rels = writer._rels  # noqa: SLF001
        self._archive.writestr(ws.path[1:], body)
        self.manifest.append(ws)


def save(book: PagedWorkbook, path: Path) -> Path:
    """Write `book` to `path` with mode 0600 and return `path`."""
    with _private(path) as file, _SteadyZip(file, "w") as archive:
        _SteadyWriter(book, archive).write_data()
    return path


def save_package(package: IO[bytes], path: Path) -> Path:
    """Write a finished Office file (a zip) to `path`, its members without dates, with mode 0600; returns `path`."""
    with ZipFile(package) as parts, _private(path) as file, _SteadyZip(file, "w") as archive:
        for name in parts.namelist():
            archive.writestr(name, parts.read(name))
    return path


def save_bytes(data: bytes, path: Path) -> Path:
    """Write a workbook that was saved before to `path` as it is, with mode 0600; returns `path`."""
    with _private(path) as file:
        file.write(data)
    return path


def _private(path: Path) -> IO[bytes]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)
    return os.fdopen(handle, "wb")
