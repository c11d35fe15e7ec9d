"""What a person needs to see of the rows set aside to fix them: the wrong cell, the rest of the row, and if cells do.

Account numbers are cut to their last four characters and tax ids are never shown; of a custodian's row only the columns
named here are, so that no name and no address of its other columns gets out.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from schemas.accounts import mask_digits
from schemas.tables import DTYPES, SET_ASIDE
from transforms.intake.reading import Reading
from transforms.intake.row_fixes import FOLLOWS, cells_of, house_columns, section_of

SCHEMA = {c.name: DTYPES[c.kind] for c in SET_ASIDE.columns}
_BLANK = "(blank)"
#: The longest text of a cell that is shown.
_LONGEST = 80
_ACCOUNTS = ("account_number", "counter_account_number", "old_account_number", "account", "payer_account_number")
_CUSTODIAN_SHOWS = (
    "account", "label", "day", "as_of", "action", "symbol", "description", "amount", "value", "stated_year",
)  # fmt: skip
_DOLLARS = re.compile(r"[-+($]*[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?\)?|[-+($]*[0-9]{1,8}(\.[0-9]+)?\)?")
#: Rules about a row as a whole, of which the firm can say that it is to be left out.
_WHOLE = ("duplicate_row", "conflicting_rows", "wrong_number_of_cells")


def to_fix(rejected: pl.DataFrame, readings: dict[str, Reading]) -> pl.DataFrame:
    """One row per reject of a line, in the order of `rejected`, in the columns of `schemas.tables.SET_ASIDE`."""
    lines = rejected.drop_nulls("line_number")
    rows: list[dict[str, Any]] = []
    for (sha256,), part in lines.group_by("source_sha256", maintain_order=True):
        reading = readings[str(sha256)]
        cells = _cells(reading, set(part["line_number"].to_list()))
        wanted = part.select("source_sha256", "line_number", "column", "rule", "kind")
        rows.extend(_told(reading, said, cells.get(said["line_number"], {})) for said in wanted.iter_rows(named=True))
    return pl.DataFrame(rows, schema=SCHEMA)


def _cells(reading: Reading, lines: set[int]) -> dict[int, dict[str, Any]]:
    """The rows of these lines as they were read, by line."""
    frames = [f for f in (reading.house, reading.ragged, *reading.sections.values()) if f is not None]
    found: dict[int, dict[str, Any]] = {}
    for frame in frames:
        for row in frame.filter(pl.col("source_line").is_in(lines)).iter_rows(named=True):
            found.setdefault(row["source_line"], row)
    return found


def _told(reading: Reading, said: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    way = _way(reading, said)
    column = said["column"]
    hidden = column is None or column not in row or way is None
    return {
        **said, "way": way, "was": None if hidden else shown(column, row[column]),
        "row_says": "  ·  ".join(_says(reading, row)) or None,
    }  # fmt: skip


def _way(reading: Reading, said: dict[str, Any]) -> str | None:
    rule, column = said["rule"], said["column"]
    if rule in FOLLOWS or rule.startswith(("correction_", "fix_")) or reading.kind == "row_fixes":
        return None
    if reading.house is not None and reading.kind is not None:
        if rule in _WHOLE:
            return "row"
        return "cell" if column in house_columns(reading.kind) else None
    section = section_of(reading, said["line_number"])
    return "cell" if section is not None and column in cells_of(reading.sections[section]) else None


def _says(reading: Reading, row: dict[str, Any]) -> list[str]:
    house = reading.house is not None and reading.kind is not None
    names = house_columns(reading.kind or "") if house else _CUSTODIAN_SHOWS
    return [f"{name} {shown(name, row[name])}" for name in names if row.get(name) is not None]


def shown(column: str, text: str | None) -> str:
    """A cell as a person may see it: accounts by their last four, no tax id, dollars and dates in full."""
    if text is None:
        return _BLANK
    if column in _ACCOUNTS:
        return f"...{text[-4:]}"
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
    # nine digits in a row may be a tax id, whatever column they stand in
    without = re.sub(r"(?<![0-9])[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}(?![0-9])", "[nine digits]", short)
    return without if _DOLLARS.fullmatch(without) else mask_digits(without)
