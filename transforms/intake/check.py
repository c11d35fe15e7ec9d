"""`rothbook check FILE`: what a file is and what is wrong with it, on its own, writing nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import polars as pl

from schemas.accounts import mask_digits
from transforms.intake.book import NO_KEYRING, digest
from transforms.intake.deliveries import read_delivery
from transforms.intake.pgp import Keyring
from transforms.intake.reading import Reading
from transforms.intake.register import Entry, looked_at_on, printable

_SHOWN = 20


@dataclass(frozen=True)
class FileCheck:
    """What one file is: its reading, the canonical rows it would give, and its rejects."""

    reading: Reading
    tables: dict[str, int]
    rejects: pl.DataFrame
    #: What an archive, workbook or PGP message contains, each as a file of its own.
    members: tuple[FileCheck, ...] = ()

    @property
    def ok(self) -> bool:
        """True when nothing of the file would be set aside."""
        return self.reading.error is None and self.rejects.is_empty() and all(m.ok for m in self.members)

    def lines(self) -> list[str]:
        """What to print: never a cell, and long account numbers in the file name cut to their ending."""
        reading = self.reading
        name = mask_digits(reading.entry.file_name)
        if reading.error:
            what = f" ({reading.profile})" if reading.profile else ""
            return [f"{name}: set aside{what}", f"  {reading.error.rule}: {reading.error.message}"]
        if self.reading.repeats:
            return [f"{name}: the same bytes as before", f"  {self.reading.note}"]
        if self.reading.is_container:
            note = [f"  note: {self.reading.note}"] if self.reading.note else []
            return [f"{name}: {self.reading.layout}", *note, *(line for m in self.members for line in m.lines())]
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


def check_file(path: Path, firm_key: bytes, keyring: Keyring = NO_KEYRING) -> FileCheck:
    """Read one file as tonight's run would, by itself. Raises `OSError` if it can't be opened."""
    data = path.read_bytes()
    found = read_delivery(data, Entry(looked_at_on(), printable(path.name), sha256(data).hexdigest()), keyring, {})
    first, *members = [_checked(reading, firm_key) for reading in found]
    return replace(first, members=tuple(members))


def _checked(reading: Reading, firm_key: bytes) -> FileCheck:
    tables, rejected = digest([reading], firm_key)
    return FileCheck(reading, {name: table.height for name, table in tables.items()}, rejected)
