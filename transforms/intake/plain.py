"""House files read in blocks of whole lines by Polars' CSV reader, its dialect declared and nothing sniffed.

`lines.records` is the judge of what a file says; it takes a Python object for every row. Here a block of lines is read
at once, and only where that must give what the judge gives: the text is UTF-8 without NUL, lone carriage returns and
the separators Python calls spaces and Polars doesn't; no line is longer than a line may be; and every line that has a
quote at all has its quoted cells whole, from delimiter to delimiter, so that a record is a line. Lines of such a block
that aren't a plain row (too few or too many cells, blank, the header again) are handed to the judge one by one.
Whatever else there is, `Unusual` says so, and the file is read by the judge from its first line to its last.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

import polars as pl

from schemas.few import values, with_few_values
from schemas.tables import INPUT_TABLES
from transforms.intake.house import HouseRows, header_cells, house_rows
from transforms.intake.lines import MAX_COLUMNS, MAX_LINE, Record

#: Files of fewer bytes are left to the judge: nothing is won by a second way there.
LARGE = 32 * 1024
#: Bytes of a block; what is held in memory of a file is a small multiple of it.
BLOCK = 16 * 1024**2

_BYTES_OF_A_LINE = 4 * MAX_LINE
_CELL = r'(?:[^",]*|"(?:[^"]|"")*")'
_WHOLE_CELLS = rf"^{_CELL}(?:,{_CELL})*$"
#: What `strip_chars` changes, or leaves blank.
_PADDED = r"^\s|\s$|^$"
#: What Python's `strip` takes for spaces and Polars' doesn't.
_ODD_SPACES = (b"\x1c", b"\x1d", b"\x1e", b"\x1f")


#: Opens a file that was read, anew.
Opener = Callable[[], AbstractContextManager[BinaryIO]]


class Unusual(Exception):
    """The file must be read line by line."""


@dataclass(frozen=True)
class Block:
    """Whole lines of a file: the number of the first, where they begin, how many there are, and their bytes."""

    first: int
    start: int
    lines: int
    data: bytes


def header_of(source: BinaryIO) -> Record:
    """The first line of a file as its header; `source` is left after it. Raises `Unusual`."""
    line = source.readline(_BYTES_OF_A_LINE)
    data = line.removeprefix(codecs.BOM_UTF8)
    text = _text(data).decode().removesuffix("\n")
    if not line.endswith(b"\n") or (b'"' in data and not re.fullmatch(_WHOLE_CELLS[1:-1], text)):
        raise Unusual
    header = record(1, text)
    if not 1 < len(header.cells) <= MAX_COLUMNS or len(text) >= MAX_LINE:
        raise Unusual
    return header


def blocks(source: BinaryIO) -> Iterator[Block]:
    """The lines under a header, from where `source` is, in blocks. Raises `Unusual`."""
    first = 2
    while True:
        start = source.tell()
        data = source.read(BLOCK)
        if not data:
            return
        if not data.endswith(b"\n"):
            data += source.readline(_BYTES_OF_A_LINE)
        if not data.endswith(b"\n") and source.read(1):
            raise Unusual
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        yield Block(first, start, lines, data)
        first += lines


def rows_of(kind: str, header: Record, block: Block) -> HouseRows:
    """The rows of a block under a header, as `house_rows` gives them of its records. Raises `Unusual`."""
    names, data = header_cells(header), _text(block.data)
    plain, odd = _cells(data, len(names), block.lines)
    frame = _known(kind, names, plain.with_columns(pl.col("nth") + block.first))
    doubtful = _doubtful(kind, frame)
    one_by_one = sorted([*(block.first + n for n in odd), *doubtful])
    if not one_by_one:
        return HouseRows(frame, None, Counter(data=frame.height), frame.height)
    lines = _lines(data)
    frame = frame.filter(~pl.col("source_line").is_in(doubtful))
    others = house_rows(kind, names, [record(n, lines[n - block.first]) for n in one_by_one])
    house = pl.concat([frame, others.house]).sort("source_line")
    return HouseRows(house, others.aside, others.counts + Counter(data=frame.height), others.rows + frame.height)


def _text(data: bytes) -> bytes:
    """UTF-8 text with one kind of line end and a last one, of which a line has no more than it may."""
    if b"\r" in data:
        if data.count(b"\r") != data.count(b"\r\n"):
            raise Unusual
        data = data.replace(b"\r\n", b"\n")
    if b"\0" in data or any(space in data for space in _ODD_SPACES):
        raise Unusual
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            raise Unusual from None
    return data if data.endswith(b"\n") else data + b"\n"


def _cells(data: bytes, width: int, lines: int) -> tuple[pl.DataFrame, list[int]]:
    """The cells of the lines that have `width` of them, with `nth`, the line from nought; and the other lines."""
    plain = _read(data, width, lines) if b'"' not in data else None
    # a long line is refused by the reader, a short one filled up in silence: then its last cell is null
    if plain is None or (plain[:, -1].null_count() and data.count(b",") != lines * (width - 1)):
        return _plain_lines(_lines(data), width)
    return plain.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("nth")), []


def _read(data: bytes, width: int, lines: int) -> pl.DataFrame | None:
    """All cells as text, empty ones null; None where a line has too many, or may be too long."""
    names = [str(n) for n in range(width)]
    try:
        found = pl.read_csv(
            data, has_header=False, schema=dict.fromkeys(names, pl.String), separator=",", quote_char='"',
            eol_char="\n", encoding="utf8", extra_columns="raise",
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    longest = found.select(pl.all().str.len_bytes().max().fill_null(0)).sum_horizontal().item() if found.height else 0
    return found if found.height == lines and longest + width < MAX_LINE // 2 else None


def _lines(data: bytes) -> list[str]:
    return data.decode().split("\n")[:-1]


def _plain_lines(lines: list[str], width: int) -> tuple[pl.DataFrame, list[int]]:
    """What `_cells` gives, of lines some of which have a quote or another number of cells."""
    every = pl.DataFrame({"line": lines}, schema={"line": pl.String}).with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("nth")
    )
    line = pl.col("line")
    quoted = line.str.contains('"', literal=True)
    if every.select(
        (line.str.len_chars() >= MAX_LINE).any() | (quoted & ~line.str.contains(_WHOLE_CELLS)).any()
    ).item():
        raise Unusual
    exactly = rf"^{_CELL}(?:,{_CELL}){{{width - 1}}}$"
    cells = pl.when(quoted).then(line.str.contains(exactly))
    even = cells.otherwise(line.str.count_matches(",", literal=True) == width - 1)
    right = every.filter(even)
    plain = _read("".join(f"{text}\n" for text in right["line"]).encode(), width, right.height)
    if plain is None:
        raise Unusual
    return plain.with_columns(right["nth"]), every.filter(~even)["nth"].to_list()


def _known(kind: str, header: list[str], plain: pl.DataFrame) -> pl.DataFrame:
    """The cells in the kind's columns, trimmed, blanks null; columns the header lacks are null."""
    places = {name: str(place) for place, name in enumerate(header)}
    names = [c.name for c in INPUT_TABLES[kind].columns]
    cells = plain.select(*(pl.col(places[n]).alias(n) for n in names if n in places), "nth")
    trimmed = _trimmed(cells, [n for n in names if n in places])
    missing = (pl.lit(None, pl.String).alias(n) for n in names if n not in places)
    return trimmed.with_columns(*missing).select(*names, pl.col("nth").alias("source_line"))


def _trimmed(cells: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The cells without padding; blank ones are null."""
    few = with_few_values(cells, names)
    padded = cells.select(values(n, few).str.contains(_PADDED).any().alias(n) for n in names)
    trimmed = (pl.col(n).str.strip_chars() for n in names if padded[n].item())
    return cells.with_columns(pl.when(cell != "").then(cell) for cell in trimmed)


def _doubtful(kind: str, frame: pl.DataFrame) -> list[int]:
    """Rows that may be blank, or the header again: the cell of a required column is empty, or holds its name."""
    name = INPUT_TABLES[kind].required[0]

    def may_be(cells: pl.Expr) -> pl.Expr:
        return cells.is_null() | cells.str.contains(name, literal=True)

    if not frame.select(may_be(values(name, with_few_values(frame, [name]))).any()).item():
        return []
    return frame.filter(may_be(pl.col(name)))["source_line"].to_list()


def record(number: int, text: str) -> Record:
    """The record a line of a block is."""
    return Record(number, number, next(csv.reader([text], strict=True), []), text)


class Lines:
    """The text of single lines of a file that was read in blocks, looked up in the file itself."""

    def __init__(self, source: Opener, places: list[tuple[int, int, int]]) -> None:
        """`places` are, of every block, its first line, where it begins and how many bytes it has."""
        self._source, self._places = source, places
        self._first, self._held = 0, list[str]()

    def __call__(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end; raises `KeyError` for one that isn't there."""
        if not self._first <= number < self._first + len(self._held):
            self._hold(number)
        return self._held[number - self._first]

    def _hold(self, number: int) -> None:
        at = next((p for p in reversed(self._places) if p[0] <= number), None)
        if at is None:
            raise KeyError(number)
        with self._source() as file:
            file.seek(at[1])
            data = file.read(at[2])
        self._first, self._held = at[0], _lines(_text(data))
        if number >= self._first + len(self._held):
            raise KeyError(number)
