"""`rothbook check FILE`: what a file is and what is wrong with it, on its own, writing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl

from schemas.accounts import mask_digits
from transforms.intake.book import digest
from transforms.intake.reading import Reading, read_file
from transforms.intake.register import Entry

#: A file that is only looked at has no night it came in.
_NO_NIGHT = date(1970, 1, 1)
_SHOWN = 20


@dataclass(frozen=True)
class FileCheck:
    """What one file is: its reading, the canonical rows it would give, and its rejects."""

    reading: Reading
    tables: dict[str, int]
    rejects: pl.DataFrame

    @property
    def ok(self) -> bool:
        """True when nothing of the file would be set aside."""
        return self.reading.error is None and self.rejects.is_empty()

    def lines(self) -> list[str]:
        """What to print: never a cell, and long account numbers in the file name cut to their ending."""
        reading = self.reading
        name = mask_digits(reading.entry.file_name)
        if reading.error:
            what = f" ({reading.profile})" if reading.profile else ""
            return [f"{name}: set aside{what}", f"  {reading.error.rule}: {reading.error.message}"]
        aside = self.rejects.drop_nulls("line_number")["line_number"].n_unique()
        counts = ", ".join(f"{count} {kind}" for kind, count in reading.lines.items() if count)
        rows = ", ".join(f"{count} {table}" for table, count in self.tables.items() if count) or "none"
        said = [
            f"{name}: {reading.profile} ({reading.layout})",
            f"  lines: {counts}",
            f"  rows: {reading.rows} read, {reading.rows - aside} accepted, {aside} set aside; gives {rows}",
        ]
        if reading.note:
            said.append(f"  note: {reading.note}")
        problems = self.rejects.select("line_number", "rule", "message")
        said += [f"  line {line}: {rule}: {message}" for line, rule, message in problems.head(_SHOWN).iter_rows()]
        if problems.height > _SHOWN:
            said.append(f"  ... and {problems.height - _SHOWN} more")
        return said


def check_file(path: Path, firm_key: bytes) -> FileCheck:
    """Read one file as tonight's run would, by itself. Raises `OSError` if it can't be opened."""
    data = path.read_bytes()
    reading = read_file(data, Entry(_NO_NIGHT, path.name, sha256(data).hexdigest()))
    tables, rejected = digest([reading], firm_key)
    return FileCheck(reading, {name: table.height for name, table in tables.items()}, rejected)
