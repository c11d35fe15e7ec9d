"""Nights of deliveries for tests: files in, what became of them out, through intake and the whole engine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from tests.intake.nights import Book
from transforms.engine import compute

EXPECTED = "source,custodian,kind,file_name_pattern,frequency,due_by,grace_days,stale_after_days,starts_on\n"


@dataclass
class Nights:
    """An inbox whose files are moved away after every night, as a firm's script would."""

    root: Path
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.book = Book(self.root)

    def expect(self, *rows: str) -> Nights:
        """Drop an expected_files file with these rows."""
        self.book.drop("expected.csv", EXPECTED + "".join(f"{row}\n" for row in rows))
        return self

    def night(self, as_of: str, files: dict[str, str | bytes] | None = None, *, clear: bool = True) -> dict[str, Any]:
        """Take in and compute one night; the result tables by name."""
        for name, content in (files or {}).items():
            self.book.drop(name, content)
        taken = self.book.night(as_of)
        with tempfile.TemporaryDirectory() as scratch:
            day = date.fromisoformat(as_of)
            compute(taken.canonical, Path(scratch), as_of=day, tax_years=(2026,), previous=None)
            names = ("arrivals", "controls", "files", "findings")
            tables = {n: pl.read_parquet(Path(scratch) / "results" / f"{n}.parquet") for n in names}
        if clear:
            self.book.clear()
        return tables

    def state(self, as_of: str, files: dict[str, str | bytes] | None = None, *, clear: bool = True) -> tuple[str, str]:
        """State and due date of the one expected delivery after a night."""
        row = self.night(as_of, files, clear=clear)["arrivals"].row(0, named=True)
        return row["state"], str(row["expected_on"])


def balances(as_of: str, rows: int = 1, value: str = "100.00") -> str:
    """A house file of balances of one day."""
    header = "custodian,account_number,as_of,market_value\n"
    return header + "".join(f"testcust,8877{n:04},{as_of},{value}\n" for n in range(rows))
