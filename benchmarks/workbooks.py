"""`make bench-workbooks`: styled cells a second of the advisors' workbooks, beside a bare openpyxl write-only loop.

Both write the same values in the same run: ours with styles, widths, tables, links, validations and charts; the bare
loop appends plain rows to a write-only workbook and saves it. `--advisors` and `--clients` set the size; a thousand
advisors are the same twenty, named anew fifty times. At the end the same book is written again beside itself: what a
second run of a day costs in which nobody's clients changed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
from openpyxl import Workbook, load_workbook

from reports import Earlier, write_workbooks
from reports.book import read_book
from reports.workbooks import Stamp, write_advisor
from tests.reports.run_files import AS_OF, FINGERPRINT, large_book

#: Advisors made one by one; more of them are copies of these.
MADE = 20
#: Columns that name somebody or something of one advisor.
NAMES = ("person_id", "spouse_person_id", "household_id", "advisor_id", "finding_id", "account_key")
ASKED: dict[str, Any] = {"as_of": AS_OF, "tax_years": [2025, 2026], "version": "bench"}


def _book(folder: Path, advisors: int, clients: int) -> Path:
    """A finished run's files for so many advisors with so many clients each."""
    made = max(n for n in range(1, MADE + 1) if advisors % n == 0)
    run = large_book(made, made * clients // 2).write(folder)
    for path in (*run.glob("results/*.parquet"), *run.glob("canonical/*.parquet")):
        frame = pl.read_parquet(path)
        names = [name for name in NAMES if name in frame.columns]
        if names:
            copies = (frame.with_columns(pl.col(names) + f"-{n:04}") for n in range(advisors // made))
            pl.concat(copies).write_parquet(path)
    return run


def _cells(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        return sum(archive.read(n).count(b"<c r=") for n in archive.namelist() if n.startswith("xl/worksheets/"))


def _values(path: Path) -> list[list[tuple[object, ...]]]:
    book = load_workbook(path, read_only=True)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book]


def _bare(sheets: list[list[tuple[object, ...]]], path: Path) -> None:
    book = Workbook(write_only=True)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)


def main() -> None:
    """Print one table: cells, seconds, cells a second, peak memory, ratio to the bare loop, and the book once more."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--advisors", type=int, default=20)
    asked.add_argument("--clients", type=int, default=100)
    size = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = _book(Path(folder), size.advisors, size.clients)
        started = time.perf_counter()
        written = write_workbooks(run, fingerprint=FINGERPRINT, **ASKED)
        ours = time.perf_counter() - started
        paths = [one.path for one in written]
        cells = sum(map(_cells, paths))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        split, alone = _one_process(run)
        bare, bare_cells = _all_bare(paths[: min(10, len(paths) - 1)], Path(folder))
        again = _again(run, {one.path.name: one.fingerprint for one in written})
    print(f"advisors {size.advisors}, clients each {size.clients}: {len(paths)} workbooks, {cells:,} styled cells")
    print(f"every process: {ours:.1f} s, {cells / ours:,.0f} cells/s; peak {peak:,.0f} MB and {child:,.0f} MB each")
    print(f"book read and split by advisor: {split:.1f} s of it, in one process")
    print(f"one core:      {alone:,.0f} styled cells/s, one advisor's workbook after another")
    print(f"bare openpyxl: {bare_cells / bare:,.0f} plain cells/s, one core, {bare_cells:,} of the same values")
    print(f"time for a cell, ours to bare: {bare_cells / bare / alone:.2f}")
    print(f"once more, nobody's clients changed: {again:.1f} s, {again / ours:.0%} of the first time")


def _all_bare(paths: list[Path], folder: Path) -> tuple[float, int]:
    """Seconds a bare loop takes for the values of `paths`, and how many they are."""
    sheets = [_values(path) for path in paths]
    started = time.perf_counter()
    for number, values in enumerate(sheets):
        _bare(values, folder / f"bare{number}.xlsx")
    seconds = time.perf_counter() - started
    return seconds, sum(value is not None for rows in sheets for sheet in rows for row in sheet for value in row)


def _again(run: Path, fingerprints: dict[str, str]) -> float:
    """Seconds for the same book under another fingerprint of the whole: every advisor's workbook is there already."""
    before = (run / "workbooks").rename(run / "before")
    earlier = Earlier(fingerprints, lambda name: (before / name).read_bytes())
    started = time.perf_counter()
    written = write_workbooks(run, fingerprint="9" * 64, earlier=earlier, **ASKED)
    seconds = time.perf_counter() - started
    if not all(one.taken for one in written if one.fingerprint):
        raise RuntimeError("a workbook that shows the same was written again")
    return seconds


def _one_process(run: Path) -> tuple[float, float]:
    """Seconds to read and split the book; cells a second of one core filling and saving workbooks."""
    started = time.perf_counter()
    book = read_book(run, fingerprint=FINGERPRINT, **ASKED)
    parts = list(book.of_each_advisor())
    split = time.perf_counter() - started
    folder = run / "alone"
    folder.mkdir()
    stamp = Stamp(folder, AS_OF)
    started = time.perf_counter()
    paths = [write_advisor(advisor, own, stamp) for advisor, own in parts[:10]]
    seconds = time.perf_counter() - started
    return split, sum(map(_cells, paths)) / seconds


if __name__ == "__main__":
    main()
