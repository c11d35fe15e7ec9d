"""Rows of the firm's own files, from the records under a header: good ones, and those set aside as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.tables import INPUT_TABLES
from transforms.intake.frames import blank_to_null
from transforms.intake.lines import FileSetAside, Record
from transforms.intake.workbook import CellFault


@dataclass
class HouseRows:
    """Rows of a house table as all-text frames with `source_line`, without provenance.

    `aside` are rows with too few or too many cells, repeated headers and rows with a faulty cell, with `column`, `rule`
    and `message`. `counts` are physical lines by class, `rows` the records that aren't blank.
    """

    house: pl.DataFrame
    aside: pl.DataFrame | None = None
    counts: Counter[str] = field(default_factory=Counter)
    rows: int = 0


def header_cells(first: Record) -> list[str]:
    """The names of a header, without padding."""
    return [cell.strip() for cell in first.cells]


def refuse_repeated(header: list[str], kind: str) -> None:
    """Raises `FileSetAside` where a column that is read stands in the header more than once."""
    known = [c.name for c in INPUT_TABLES[kind].columns if header.count(c.name) > 1]
    if known:
        raise FileSetAside("column_repeated", f"the header has the column {', '.join(known)} more than once")


def house_rows(kind: str, header: list[str], every: Sequence[Record], faults: Sequence[CellFault] = ()) -> HouseRows:
    """The records under a header, sorted into good rows and rows set aside; a row with a fault is never blank."""
    faulty = {fault.row for fault in faults}
    rows = [r for r in every if not r.is_blank or r.first in faulty]
    again = [r for r in rows if _is_header(r, header)]
    taken = faulty | {r.first for r in again}
    good = [r for r in rows if len(r.cells) == len(header) and r.first not in taken]
    bad = [r for r in rows if len(r.cells) != len(header)]
    by_row = {r.first: r for r in rows}
    aside = [
        *([_ragged(kind, header, bad)] if bad else []),
        *([_repeated(kind, header, again)] if again else []),
        *([_faulty(kind, header, by_row, faults)] if faults else []),
    ]
    data = sum(r.lines for r in rows)
    counts = Counter(data=data, blank=sum(r.lines for r in every) - data)
    return HouseRows(_frame(kind, header, good), pl.concat(aside) if aside else None, counts, len(rows))


def _is_header(record: Record, header: list[str]) -> bool:
    """True for the header come again in the middle of a file, as where files were joined (byte order marks and all)."""
    first = record.cells[0].strip("\ufeff ") if record.cells else ""
    return first == header[0] and [cell.strip("\ufeff ") for cell in record.cells] == header


def _repeated(kind: str, header: list[str], again: list[Record]) -> pl.DataFrame:
    return _frame(kind, header, again).with_columns(
        pl.lit(None, pl.String).alias("column"),
        pl.lit("header_repeated").alias("rule"),
        pl.lit("the row is the header again, as where files were joined; take it out, or drop the files one by one")
        .alias("message"),
    )  # fmt: skip


def _faulty(kind: str, header: list[str], by_row: dict[int, Record], faults: Sequence[CellFault]) -> pl.DataFrame:
    """Rows with a cell that has no exact text, once per such cell."""
    return _frame(kind, header, [by_row[f.row] for f in faults]).with_columns(
        pl.Series("column", [f.column for f in faults], pl.String),
        pl.Series("rule", [f.rule for f in faults], pl.String),
        pl.Series("message", [f.message for f in faults], pl.String),
    )


def _ragged(kind: str, header: list[str], bad: list[Record]) -> pl.DataFrame:
    """Rows with too few or too many cells, read from the left: good enough to say whom they were about, no more."""
    width = len(header)
    even = [Record(r.first, r.last, (r.cells + [""] * width)[:width], r.raw) for r in bad]
    said = [
        f"the row has {len(r.cells)} cells, the header {width}; quote cells that hold commas and drop the file again"
        for r in bad
    ]
    return _frame(kind, header, even).with_columns(
        pl.lit(None, pl.String).alias("column"),
        pl.lit("wrong_number_of_cells").alias("rule"),
        pl.Series("message", said, pl.String),
    )


def _frame(kind: str, header: list[str], good: list[Record]) -> pl.DataFrame:
    """The rows as text, in the kind's columns; columns the file lacks are null, blanks are null."""
    names = [c.name for c in INPUT_TABLES[kind].columns]
    cells = list(zip(*(r.cells for r in good), strict=True)) if good else [()] * len(header)
    by_name = dict(zip(header, cells, strict=True))
    frame = pl.DataFrame(
        {name: by_name.get(name, [None] * len(good)) for name in names}, schema=dict.fromkeys(names, pl.String)
    )
    return blank_to_null(frame, names).with_columns(pl.Series("source_line", [r.first for r in good], pl.Int64))
