"""Pages laid out on a grid of twelve columns (the first page of each workbook): tiles, panels, small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reports.sheet import Canvas, Row, Value, full_text
from reports.style import header_look, linked_look, tile_looks, word_look

#: The grid has twelve equal columns.
GRID = 12
CELL = 13.0

#: Field, header, look and how many grid columns.
Place = tuple[str, str, str, int]


@dataclass(frozen=True)
class Lines:
    """A small table on the grid: its heading, what is said when it has no rows, its places."""

    heading: str
    empty: str
    places: tuple[Place, ...]


def long_date(day: date) -> str:
    """A date as people write it: November 24, 2026."""
    return f"{day:%B} {day.day}, {day.year}"


def counted(number: int, thing: str) -> str:
    """`3 clients`, `1 client`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def put_page_title(canvas: Canvas, title: str, about: str) -> None:
    """Whose page it is, as tall as a long name needs, and the line under it; sets the grid's columns too."""
    canvas.widths([CELL] * GRID)
    canvas.put(1, 1, title, "page title", span=GRID)
    canvas.put(2, 1, about, "lead", span=GRID)
    canvas.height(1, 32)
    canvas.fit(1, title, CELL * GRID, "page title")
    canvas.height(2, 18)
    canvas.height(3, 6)


def put_tiles(canvas: Canvas, row: int, tiles: Sequence[tuple[str, int, str]]) -> None:
    """Big numbers over their names, two grid columns each; a tile is shaded by its word unless it counts nothing."""
    canvas.height(row, 36)
    canvas.height(row + 1, 18)
    canvas.height(row + 2, 6)
    for place, (name, number, word) in enumerate(tiles):
        big, small = tile_looks(word if number else "")
        canvas.put(row, 1 + 2 * place, number, big, span=2)
        canvas.put(row + 1, 1 + 2 * place, name, small, span=2)


def put_panel(canvas: Canvas, row: int, column: int, span: int, heading: str) -> None:
    """The heading of a block, ruled over its width."""
    canvas.put(row, column, heading, "section", span=span)
    canvas.height(row, 22)


def put_lines(
    canvas: Canvas, row: int, lines: Lines, rows: Sequence[Row], links: Mapping[tuple[int, str], str] | None = None
) -> int:
    """Write a small table on the grid; returns the row after it.

    `links` says where a cell leads: (index of the row, field) -> place in the workbook.
    """
    put_panel(canvas, row, 1, GRID, lines.heading)
    if not rows:
        canvas.put(row + 1, 1, lines.empty, "label", span=GRID)
        return row + 2
    headers: Row = {field: header for field, header, _, _ in lines.places}
    _put_line(canvas, row + 1, headers, [(f, h, header_look(look), span) for f, h, look, span in lines.places], {})
    for index, values in enumerate(rows):
        leads = {field: place for (at, field), place in (links or {}).items() if at == index}
        _put_line(canvas, row + 2 + index, values, lines.places, leads)
    return row + 2 + len(rows)


def _put_line(canvas: Canvas, number: int, values: Row, places: Sequence[Place], leads: Mapping[str, str]) -> None:
    canvas.height(number, 17)
    column = 1
    for field, _, look, span in places:
        value: Value = values[field]
        named = word_look(value.partition("\n")[0]) if look == "word" and isinstance(value, str) else look
        if field in leads:
            named = linked_look(named)
            canvas.sheet.link(number, column, location=leads[field], tip=full_text(value, CELL * span))
        canvas.put(number, column, value, named, span=span)
        if isinstance(value, str):
            canvas.fit(number, value, CELL * span, named)
        column += span
