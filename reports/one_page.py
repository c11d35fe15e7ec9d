"""A page described as data, and cut to fit one sheet of letter paper.

What a block holds is ranked: where the page would run over, the lowest block first loses its details, then its last
rows, and says how many are left out and where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

#: Letter paper and its margins, in points.
PAPER = (612.0, 792.0)
SIDE, TOP, BOTTOM = 46.0, 32.0, 42.0
TEXT_WIDTH = PAPER[0] - 2 * SIDE
#: What blocks may take: the text height less a reserve, as programs break lines a little differently.
ROOM = PAPER[1] - TOP - BOTTOM - 14

BODY, SMALL, HEADING, TITLE, FIGURE = 8.5, 7.5, 10.5, 18.0, 13.0
#: Line height of the face, as a multiple of its size.
LEADING = 1.16
CELL_SIDE, CELL_TOP = 4.0, 1.35
HEADING_BEFORE, HEADING_AFTER, NOTE_BEFORE = 6.0, 2.0, 1.5

#: Widths of the face's characters in thousandths of its size: Arial and the faces made to its measures; bold is wider.
_LETTERS = {
    222: "ijl'’",
    278: " !,./:;I[]\\ft",
    333: "()-r`·",
    500: "cksvxyzJ",
    556: "abdeghnopqu0123456789L$_?#",
    667: "ABEKPSVXY&",
    722: "wCDHNRU",
    778: "GOQ",
    833: "mM",
    1000: "W%@—…",
}
_WIDTHS = {letter: width for width, letters in _LETTERS.items() for letter in letters}
_OTHER, _FOREIGN, _BOLD = 611, 1000, 1.07


@dataclass(frozen=True)
class Cell:
    """A cell's text, smaller lines under it, and whether it is a word of a closed vocabulary (shaded).

    `less` is what stays of the detail where the page is full.
    """

    text: str
    detail: str = ""
    less: str = ""
    bold: bool = False
    word: bool = False


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """A column's header, share of the page's width, whether it holds numbers (aligned right), space before its text."""

    header: str
    share: float
    right: bool = False
    indent: float = 0


@dataclass(frozen=True)
class Block:
    """A heading with a status word, a sentence, a table and a note, each of which may be missing.

    `least` rows stay where possible; `where` says where the rest is; a higher `yields` gives way first, 0 never.
    """

    heading: str
    word: str = ""
    lead: str = ""
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    note: str = ""
    least: int = 0
    where: str = ""
    left_out: int = 0
    yields: int = 0

    @property
    def notes(self) -> str:
        """The note, and how many rows were left out."""
        more = f"And {self.left_out} more: {self.where}." if self.left_out else ""
        return " ".join(part for part in (self.note, more) if part)


@dataclass(frozen=True)
class Page:
    """Everything on the page in its order. `figures` are label, big value and small print."""

    title: str
    subtitle: str
    figures: tuple[tuple[str, str, str], ...]
    blocks: tuple[Block, ...]
    closing: tuple[str, ...]
    footer: str


def fit(page: Page) -> Page:
    """`page` cut until it takes no more than one sheet: what may go, details of what should stay, its rows."""
    for cut in (_spare, _details, _rows, partial(_rows, least=0)):
        while height(page) > ROOM:
            places = sorted(range(len(page.blocks)), key=lambda n: -page.blocks[n].yields)
            found = next(((n, less) for n in places if (less := cut(page.blocks[n])) is not None), None)
            if found is None:
                break
            place, less = found
            page = replace(page, blocks=(*page.blocks[:place], less, *page.blocks[place + 1 :]))
    return page


def _spare(block: Block) -> Block | None:
    """`block` with a detail or a row less of those beyond the least, or None where there is none."""
    return _details(block, block.least) or _rows(block, block.least)


def _details(block: Block, above: int = 0) -> Block | None:
    for place in range(len(block.rows) - 1, above - 1, -1):
        row = tuple(replace(cell, detail=cell.less) for cell in block.rows[place])
        if row != block.rows[place]:
            return replace(block, rows=(*block.rows[:place], row, *block.rows[place + 1 :]))
    return None


def _rows(block: Block, least: int = 1) -> Block | None:
    if not block.yields or len(block.rows) <= least:
        return None
    return replace(block, rows=block.rows[:-1], left_out=block.left_out + 1)


def height(page: Page) -> float:
    """Points the page takes, by the widths of its characters."""
    head = text_height(page.title, TEXT_WIDTH, TITLE, bold=True) + text_height(page.subtitle, TEXT_WIDTH, BODY) + 4
    figures = _figures_height(page.figures)
    closing = NOTE_BEFORE + 4 + sum(text_height(line, TEXT_WIDTH, SMALL) for line in page.closing)
    return head + figures + closing + sum(map(_block_height, page.blocks))


def _figures_height(figures: tuple[tuple[str, str, str], ...]) -> float:
    width = TEXT_WIDTH / len(figures) - 2 * CELL_SIDE
    tallest = [
        max(text_height(figure[part], width, size, bold=part < 2) for figure in figures)
        for part, size in enumerate((SMALL, FIGURE, SMALL))
    ]
    return sum(tallest) + 4 * CELL_TOP + 6


def _block_height(block: Block) -> float:
    tall = HEADING_BEFORE + HEADING * LEADING + HEADING_AFTER
    if block.lead or block.word:
        tall += text_height(f"{block.word} {block.lead}", TEXT_WIDTH, BODY) + 2
    if block.rows:
        tall += _row_height(tuple(Cell("", c.header) for c in block.columns), block.columns)
        tall += sum(_row_height(row, block.columns) for row in block.rows)
    if block.notes:
        tall += NOTE_BEFORE + text_height(block.notes, TEXT_WIDTH, SMALL)
    return tall


def _row_height(row: Row, columns: tuple[Column, ...]) -> float:
    return max(_cell_height(cell, column) for cell, column in zip(row, columns, strict=True)) + 2 * CELL_TOP + 0.5


def _cell_height(cell: Cell, column: Column) -> float:
    width = column.share * TEXT_WIDTH - 2 * CELL_SIDE - column.indent
    tall = text_height(cell.text, width, BODY, bold=cell.bold) if cell.text or not cell.detail else 0
    return tall + (text_height(cell.detail, width, SMALL) if cell.detail else 0)


def text_height(text: str, width: float, size: float, *, bold: bool = False) -> float:
    """Points `text` takes in lines of `width` points."""
    return _lines(text, width / size * 1000 / (_BOLD if bold else 1)) * size * LEADING


def _lines(text: str, width: float) -> int:
    lines, used = 1, 0.0
    for word in _words(text):
        if used and used + word > width:
            lines, used = lines + 1, 0.0
        broken, rest = divmod(word, width) if word > width else (0, word)
        lines += int(broken)
        used += rest + _WIDTHS[" "]
    return lines


def _words(text: str) -> Iterator[float]:
    for word in text.split():
        yield sum(_character(letter) for letter in word)


def _character(letter: str) -> int:
    return _WIDTHS.get(letter, _OTHER if ord(letter) < 0x250 else _FOREIGN)
