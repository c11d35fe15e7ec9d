"""A page's cells are what openpyxl itself writes for the same values and styles, and are read back as such."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.table import Table

from reports.page import PagedWorkbook
from reports.save import save
from reports.sheet import ILLEGAL, Canvas, line_count, safe_text
from reports.style import LOOKS, Looks

NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}

cells = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(safe_text).filter(bool),
    st.integers(-(10**12), 10**12),
    st.decimals(-(10**13), 10**13, places=2),
    st.dates(date(1900, 3, 1), date(9999, 12, 31)),
)


def _cells(path: Path) -> list[Any]:
    with ZipFile(path) as archive:
        root = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    return [(c.get("r"), c.get("t"), [_said(c.get("t"), e) for e in c]) for c in root.iterfind(".//m:c", NS)]


def _said(kind: str, element: Any) -> tuple[str, str | Decimal]:
    """Element name and text; numbers to the cent, since openpyxl writes 0.00 as 0 and 0.56 as 0.5600000000000001."""
    text = "".join(element.itertext())
    return element.tag, Decimal(text).quantize(Decimal("0.01")) if kind == "n" else text


@given(values=st.lists(st.lists(cells, min_size=1, max_size=6), min_size=1, max_size=6))
def test_cells_are_written_as_openpyxl_writes_them(values: list[list[Any]], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("pages")
    ours, theirs = PagedWorkbook(), Workbook()
    page, sheet = ours.create_sheet("A"), theirs.worksheets[0]
    for r, row in enumerate(values, 1):
        for c, value in enumerate(row, 1):
            page.put(r, c, value, 0)
            cell = sheet.cell(r, c)
            cell.value = value
            if isinstance(value, str):
                cell.value, cell.data_type = value, "s"
    save(ours, folder / "ours.xlsx")
    theirs.save(folder / "theirs.xlsx")
    assert _cells(folder / "ours.xlsx") == _cells(folder / "theirs.xlsx")


def test_styles_heights_merges_links_and_tables_are_read_back(tmp_path: Path) -> None:
    book = PagedWorkbook()
    looks, page = Looks(book), book.create_sheet("A")
    canvas = Canvas(page, looks)
    canvas.put(4, 2, "later", "strong")
    canvas.put(4, 1, Decimal("1234.50"), "key money")
    canvas.put(2, 1, "over three", "title", span=3)
    canvas.put_formula(5, 1, "=A4*2", value=Decimal("2469.00"), look="money")
    canvas.put_formula(5, 2, 'IF(A4>1,"a<b","&")', value="a<b", look="text")
    canvas.height(2, 31.5)
    page.link(4, 2, location="'A'!A2", tip="up")
    page.put(7, 1, "Head", 0)
    page.put(7, 2, "Tail", 0)
    page.put(8, 1, 1, 0)
    page.name_table(Table(displayName="T", ref="A7:B8"), ["Head", "Tail"])
    save(book, tmp_path / "a.xlsx")
    read = load_workbook(tmp_path / "a.xlsx")["A"]
    shown = load_workbook(tmp_path / "a.xlsx", data_only=True)["A"]
    assert (read["A4"].value, read["A4"].style) == (1234.5, "rothbook key money")
    assert read["B4"].hyperlink.location == "'A'!A2"
    assert [str(r) for r in read.merged_cells.ranges] == ["A2:C2"]
    assert read.row_dimensions[2].height == 31.5
    assert (read["A5"].value, shown["A5"].value) == ("=A4*2", 2469)
    assert (read["B5"].value, shown["B5"].value) == ('=IF(A4>1,"a<b","&")', "a<b")
    assert [c.name for c in read.tables["T"].tableColumns] == ["Head", "Tail"]
    assert read.dimensions == "A2:C8"


def test_every_look_is_the_style_it_names(tmp_path: Path) -> None:
    book = PagedWorkbook()
    canvas = Canvas(book.create_sheet("A"), Looks(book))
    for row, look in enumerate(LOOKS, 1):
        canvas.put(row, 1, "=x", look.name)
        canvas.put(row, 2, "x", look.name)
    save(book, tmp_path / "a.xlsx")
    read = load_workbook(tmp_path / "a.xlsx")
    for row, look in enumerate(LOOKS, 1):
        quoted, plain = read["A"].cell(row, 1), read["A"].cell(row, 2)
        assert (quoted.style, quoted.quotePrefix, quoted.data_type) == (f"rothbook {look.name}", True, "s")
        assert (plain.style, plain.quotePrefix) == (f"rothbook {look.name}", False)
        assert (plain.font.sz, plain.font.b, plain.number_format) == (look.size, look.bold, look.number_format)


@pytest.mark.parametrize("title", ["", "a/b", "x" * 32, None])
def test_a_title_excel_refuses_is_refused(title: str | None) -> None:
    if title == "":
        title = "[x]"
    with pytest.raises(ValueError, match="Excel takes no sheet"):
        PagedWorkbook().create_sheet(title)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300), per_line=st.integers(4, 80))
def test_lines_counted_hold_the_text(text: str, per_line: int) -> None:
    counted = line_count(text, per_line)
    words = [w for part in text[:4000].split("\n") for w in part.split()]
    assert counted >= text[:4000].count("\n") + 1
    assert counted * per_line >= sum(map(len, words))
    assert line_count("word " * 10, 9) == 5
    assert line_count("word " * 10, 8) == 10
    assert line_count("x" * 25, 10) == 3


def test_control_characters_never_reach_a_page() -> None:
    assert not ILLEGAL.search(safe_text("".join(map(chr, range(0x300)))))
    assert re.fullmatch(r"\s*", safe_text("\x00\x01\x0b\t\n"))
