"""`make bench-workbooks`: styled cells a second of the advisors' workbooks, beside a bare openpyxl write-only loop.

Both write the same values in the same run: ours with styles, widths, tables, links, validations and charts; the bare
loop appends plain rows to a write-only workbook and saves it. `--advisors` and `--clients` set the size.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import zipfile
from pathlib import Path

from openpyxl import Workbook, load_workbook

from reports import write_workbooks
from reports.book import read_book
from reports.workbooks import Stamp, write_advisor
from tests.reports.run_files import AS_OF, FINGERPRINT, large_book


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
    """Print one table: cells, seconds, cells a second, peak memory, ratio to the bare loop."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--advisors", type=int, default=20)
    asked.add_argument("--clients", type=int, default=100)
    size = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = large_book(size.advisors, size.advisors * size.clients // 2).write(Path(folder))
        started = time.perf_counter()
        written = write_workbooks(run, as_of=AS_OF, tax_years=[2025, 2026], fingerprint=FINGERPRINT, version="bench")
        paths = [one.path for one in written]
        ours = time.perf_counter() - started
        cells = sum(map(_cells, paths))
        alone = _one_process(run)
        sample = paths[: min(10, len(paths) - 1)]
        sheets = [_values(path) for path in sample]
        started = time.perf_counter()
        for number, values in enumerate(sheets):
            _bare(values, Path(folder) / f"bare{number}.xlsx")
        bare = time.perf_counter() - started
        bare_cells = sum(
            sum(value is not None for row in rows for value in row) for values in sheets for rows in values
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"advisors {size.advisors}, clients each {size.clients}: {len(paths)} workbooks, {cells:,} styled cells")
    print(f"every process: {ours:.1f} s, {cells / ours:,.0f} cells/s; peak {peak:,.0f} MB and {child:,.0f} MB each")
    print(f"one core:      {alone:,.0f} styled cells/s, one advisor's workbook after another")
    print(f"bare openpyxl: {bare_cells / bare:,.0f} plain cells/s, one core, {bare_cells:,} of the same values")
    print(f"time for a cell, ours to bare: {bare_cells / bare / alone:.2f}")


def _one_process(run: Path) -> float:
    """Cells a second of one core filling and saving workbooks, reading of the book left out."""
    book = read_book(run, as_of=AS_OF, tax_years=[2025, 2026], fingerprint=FINGERPRINT, version="bench")
    folder = run / "alone"
    folder.mkdir()
    stamp = Stamp(folder, AS_OF)
    parts = list(book.of_each_advisor())[:10]
    started = time.perf_counter()
    paths = [write_advisor(advisor, own, stamp) for advisor, own in parts]
    seconds = time.perf_counter() - started
    return sum(map(_cells, paths)) / seconds


if __name__ == "__main__":
    main()
