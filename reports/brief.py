"""The one-page brief of a client as a Word document: for a meeting, or for the client's tax preparer.

Headings are real headings and every table has a marked header row, so that a screen reader finds its way; colours and
face are those of the workbooks, and every word that is shaded is also written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import cast

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph

from reports import one_page as measures
from reports.book import Book, read_book
from reports.brief_blocks import AUDIENCES, Audience, page
from reports.client import read_client
from reports.one_page import TEXT_WIDTH, Block, Cell, Column, Page, fit
from reports.save import save_package
from reports.sheet import safe_text
from reports.style import FACE, GREY, HEADER_FILL, INK, NAVY, RULE, WORD_FILLS

LANGUAGE = "en-US"
#: The order Word wants a table's settings in (ECMA-376, CT_TblPr); it repairs a file that has another.
TABLE_SETTINGS = [
    qn(f"w:{name}")
    for name in (
        *("tblStyle", "tblpPr", "tblOverlap", "bidiVisual", "tblStyleRowBandSize", "tblStyleColBandSize", "tblW", "jc"),
        *("tblCellSpacing", "tblInd", "tblBorders", "shd", "tblLayout", "tblCellMar", "tblLook", "tblCaption"),
    )
]


def file_name(person_id: str, tax_year: int, audience: Audience) -> str:
    """Name of a brief's file: the person_id, never the client's name, safe on every system."""
    safe = re.sub(r"[^A-Za-z0-9.-]+", "-", person_id).strip(".-")[:80] or "person"
    return f"brief-{safe}-{tax_year}{'-cpa' if audience == 'cpa' else ''}.docx"


def write_brief(
    run: Path,
    person_id: str,
    target: Path,
    *,
    audience: Audience,
    as_of: date,
    tax_years: Sequence[int],
    tax_year: int | None = None,
    fingerprint: str,
    version: str,
) -> Path:
    """Write the brief of `person_id` for `tax_year` (default: the newest of `tax_years`) to `target`; returns the path.

    `target` is a folder, which gets a file of `file_name`, or the file itself. The same run gives the same bytes, mode
    0600. Raises UnknownClient if the run has no such person or didn't compute the year.
    """
    year = tax_year if tax_year is not None else max(tax_years)
    book = read_book(run, as_of=as_of, tax_years=tax_years, fingerprint=fingerprint, version=version)
    content = brief_page(run, book, person_id, year, audience)
    path = target / file_name(person_id, year, audience) if target.is_dir() else target
    return save_page(content, path, subject=AUDIENCES[audience], as_of=as_of)


def brief_page(run: Path, book: Book, person_id: str, tax_year: int, audience: Audience) -> Page:
    """What the brief says, cut to one page. Raises UnknownClient as `write_brief` does."""
    client = read_client(run, book, person_id, tax_year)
    return fit(page(client, audience, version=book.version, fingerprint=book.fingerprint))


def save_page(content: Page, path: Path, *, subject: str, as_of: date) -> Path:
    """Write a page as a Word document dated `as_of`, mode 0600; returns `path`."""
    package = BytesIO()
    _document(content, subject, datetime.combine(as_of, time())).save(package)
    return save_package(package, path)


def _document(content: Page, subject: str, when: datetime) -> DocxDocument:
    document = Document()
    _set_properties(document, content.title, subject, when)
    _set_paper(document)
    _set_styles(document)
    document.add_paragraph(safe_text(content.title), style="Title")
    _write(document.add_paragraph(), content.subtitle, colour=GREY)
    _add_figures(document, content)
    for block in content.blocks:
        _add_block(document, block)
    for place, line in enumerate(content.closing):
        closing = document.add_paragraph()
        closing.paragraph_format.space_before = Pt(0 if place else measures.NOTE_BEFORE + 4)
        _write(closing, line, size=measures.SMALL, colour=GREY)
    _write(document.sections[0].footer.paragraphs[0], content.footer, size=measures.SMALL, colour=GREY)
    return document


def _set_properties(document: DocxDocument, title: str, subject: str, when: datetime) -> None:
    properties = document.core_properties
    properties.title = safe_text(f"{title}: Roth brief")[:255]
    properties.subject = subject
    properties.author = properties.last_modified_by = "Rothbook"
    properties.created = properties.modified = when
    properties.language = LANGUAGE
    properties.comments = properties.keywords = properties.category = ""
    properties.revision = 1
    parts = document.part.package
    for key, link in list(parts.rels.items()):
        if link.reltype == RELATIONSHIP_TYPE.THUMBNAIL:  # a picture of the template's blank page
            del parts.rels[key]


def _set_paper(document: DocxDocument) -> None:
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Pt(points) for points in measures.PAPER)
    section.left_margin = section.right_margin = Pt(measures.SIDE)
    section.top_margin, section.bottom_margin = Pt(measures.TOP), Pt(measures.BOTTOM)
    section.header_distance = section.footer_distance = Pt(24)


def _set_styles(document: DocxDocument) -> None:
    looks = {
        "Normal": (measures.BODY, False, INK),
        "Title": (measures.TITLE, True, NAVY),
        "Heading 1": (measures.HEADING, True, NAVY),
    }
    for name, (size, bold, colour) in looks.items():
        style = cast("ParagraphStyle", document.styles[name])
        style.font.size, style.font.bold, style.font.color.rgb = Pt(size), bold, RGBColor.from_string(colour)
        _set_face(style)
        spacing = style.paragraph_format
        spacing.space_before = spacing.space_after = Pt(0)
        spacing.line_spacing = 1.0
    heading = cast("ParagraphStyle", document.styles["Heading 1"]).paragraph_format
    heading.space_before, heading.space_after = Pt(measures.HEADING_BEFORE), Pt(measures.HEADING_AFTER)
    heading.keep_with_next = True
    title = document.styles["Title"].element.get_or_add_pPr()
    for rule in title.findall(qn("w:pBdr")):
        title.remove(rule)


def _set_face(style: ParagraphStyle) -> None:
    """The face for every script, in place of the theme's."""
    style.font.name = FACE
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), FACE)


def _write(
    paragraph: Paragraph,
    text: str,
    *,
    size: float = measures.BODY,
    colour: str = INK,
    bold: bool = False,
    fill: str = "",
) -> None:
    """The one place where text goes into the document."""
    run = paragraph.add_run(safe_text(text))
    run.font.size, run.font.bold = Pt(size), bold
    run.font.color.rgb = RGBColor.from_string(colour)
    if fill:
        run._r.get_or_add_rPr().append(_made("w:shd", val="clear", color="auto", fill=fill))  # noqa: SLF001


def _add_figures(document: DocxDocument, content: Page) -> None:
    columns = tuple(Column(label, 1 / len(content.figures)) for label, _, _ in content.figures)
    document.add_paragraph().paragraph_format.line_spacing = Pt(4)
    table = _add_table(document, "The figures that matter", columns)
    cells = _new_row(table)
    for cell, (_, value, small) in zip(cells, content.figures, strict=True):
        _shade(cell, HEADER_FILL)
        _write(cell.paragraphs[0], value, size=measures.FIGURE, bold=True, colour=NAVY)
        _write(cell.add_paragraph(), small, size=measures.SMALL)
    _set_widths(table, columns)


def _add_block(document: DocxDocument, block: Block) -> None:
    document.add_heading(safe_text(block.heading), level=1)
    if block.word or block.lead:
        lead = document.add_paragraph()
        lead.paragraph_format.space_after = Pt(2)
        if block.word:
            _write(lead, f" {block.word} ", bold=True, fill=WORD_FILLS[block.word])
            _write(lead, "  ")
        _write(lead, block.lead)
    if block.rows:
        table = _add_table(document, block.heading, block.columns)
        for row in block.rows:
            for cell, content, column in zip(_new_row(table), row, block.columns, strict=True):
                _fill(cell, content, column)
        _set_widths(table, block.columns)
    if block.notes:
        note = document.add_paragraph()
        note.paragraph_format.space_before = Pt(measures.NOTE_BEFORE)
        _write(note, block.notes, size=measures.SMALL, colour=GREY)


def _add_table(document: DocxDocument, caption: str, columns: Sequence[Column]) -> Table:
    """A table with its header row, marked as such, and hairlines between the rows."""
    table: Table = document.add_table(rows=1, cols=len(columns))
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.LEFT
    settings = table._tbl.tblPr  # noqa: SLF001
    # the edge in line with the text, not the text of the cells
    settings.append(_made("w:tblInd", w=str(round(measures.CELL_SIDE * 20)), type="dxa"))
    settings.append(_borders())
    settings.append(_margins())
    settings.append(_made("w:tblCaption", val=safe_text(caption)))
    settings[:] = sorted(settings, key=lambda setting: TABLE_SETTINGS.index(setting.tag))
    header = table.rows[0]
    header._tr.get_or_add_trPr().append(_made("w:tblHeader"))  # noqa: SLF001
    for cell, column in zip(header.cells, columns, strict=True):
        _shade(cell, HEADER_FILL)
        _write(cell.paragraphs[0], column.header, size=measures.SMALL, bold=True, colour=NAVY)
        _align(cell.paragraphs[0], column)
    return table


def _new_row(table: Table) -> tuple[_Cell, ...]:
    row: _Row = table.add_row()  # type: ignore[no-untyped-call]
    return row.cells


def _fill(cell: _Cell, content: Cell, column: Column) -> None:
    first = cell.paragraphs[0]
    if content.text:
        _write(first, content.text, bold=content.bold or (content.word and content.text in WORD_FILLS))
        _align(first, column)
    if content.word and content.text in WORD_FILLS:
        _shade(cell, WORD_FILLS[content.text])
    if content.detail:
        second = cell.add_paragraph() if content.text else first
        _write(second, content.detail, size=measures.SMALL, colour=INK)
        _align(second, column)


def _align(paragraph: Paragraph, column: Column) -> None:
    if column.right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if column.indent:
        paragraph.paragraph_format.left_indent = Pt(column.indent)


def _set_widths(table: Table, columns: Sequence[Column]) -> None:
    for row in table.rows:
        row._tr.get_or_add_trPr().append(_made("w:cantSplit"))  # noqa: SLF001
        for cell, column in zip(row.cells, columns, strict=True):
            cell.width = Pt(column.share * TEXT_WIDTH)
    for place, column in enumerate(columns):
        table.columns[place].width = Pt(column.share * TEXT_WIDTH)


def _shade(cell: _Cell, fill: str) -> None:
    cell._tc.get_or_add_tcPr().append(_made("w:shd", val="clear", color="auto", fill=fill))  # noqa: SLF001


def _borders() -> BaseOxmlElement:
    borders = _made("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        borders.append(_made(f"w:{side}", val="single", sz="4", space="0", color=RULE))
    return borders


def _margins() -> BaseOxmlElement:
    margins = _made("w:tblCellMar")
    sides = (("top", measures.CELL_TOP), ("left", measures.CELL_SIDE), ("bottom", measures.CELL_TOP))
    for side, points in (*sides, ("right", measures.CELL_SIDE)):
        margins.append(_made(f"w:{side}", w=str(round(points * 20)), type="dxa"))
    return margins


def _made(name: str, **attributes: str) -> BaseOxmlElement:
    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element
