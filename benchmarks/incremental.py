"""`make bench-incremental`: a whole night with workbooks, and the next, for which 2% of the files came again changed.

The second night's inbox holds the whole book as the first one's did, but three of its 150 files are longer by rows of
the next January. The runs are as of two days after the year's end, so that nothing but those rows is new.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

from benchmarks.book import write_book
from benchmarks.measure import ROOT, Cost, cost, table, warm
from benchmarks.yardstick import YEAR

_NIGHTS = (f"{YEAR + 1}-01-04", f"{YEAR + 1}-01-05")
_CHANGED = tuple(f"transactions_{custodian}_{YEAR}-12.csv" for custodian in ("alder", "hazel", "rowan"))
_ROWS = 100


def change(book: Path, inbox: Path) -> None:
    """The book again, by links; the changed files are copies with a hundred more rows at their end."""
    inbox.mkdir()
    for path in book.iterdir():
        (inbox / path.name).hardlink_to(path)
    for name in _CHANGED:
        lines = (book / name).read_text(encoding="utf-8").splitlines()
        (inbox / name).unlink()
        more = [_later(line, number) for number, line in enumerate(lines[1 : _ROWS + 1])]
        (inbox / name).write_text("\n".join([*lines, *more, ""]), encoding="utf-8")


def _later(line: str, number: int) -> str:
    custodian, account = line.split(",")[:2]
    return f"{custodian},{account},L{number},{YEAR + 1}-01-02,market,{number + 1}.00,,,DIVIDEND RECEIVED"


def _stages(out: Path) -> dict[str, float]:
    seconds: dict[str, float] = json.loads((out / "latest" / "run.json").read_text(encoding="utf-8"))["seconds"]
    return seconds


def main() -> None:
    """Run both nights and print where their time went."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--persons", type=int, default=100_000)
    asked.add_argument("--book", type=Path, help="a book of benchmarks/book.py that is there already")
    asked.add_argument("--no-workbooks", action="store_true")
    told = asked.parse_args()
    workbooks = () if told.no_workbooks else ("--workbooks",)
    costs: list[Cost] = []
    stages: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(dir=told.book.parent if told.book else None) as folder:
        base = Path(folder)
        book = told.book or base / "book"
        if not book.exists():
            write_book(book, told.persons)
        change(book, base / "changed")
        for inbox, as_of in zip((book, base / "changed"), _NIGHTS, strict=True):
            warm(inbox)
            run = (ROOT / "benchmarks" / "whole_run.py", inbox, base / "out", "--as-of", as_of, *workbooks)
            costs.append(cost(*run))
            stages.append(_stages(base / "out"))
        shutil.rmtree(base / "out")
    print(report(costs, stages))
    print(f"\n{os.cpu_count()} processors, load at the end {os.getloadavg()[0]:.1f}")


def report(costs: list[Cost], stages: list[dict[str, float]]) -> str:
    """One table: stage, first night, second night, the second in percent of the first."""
    rows = [_row(stage, *(night.get(stage, 0.0) for night in stages)) for stage in stages[0]]
    rows.append(_row("whole run", *(one.seconds for one in costs)))
    rows.append(_row("of the processors", *(one.processor for one in costs)))
    rows.append(["peak memory", *(f"{one.peak:,.0f} MB" for one in costs), ""])
    return table(["stage", "first night", "2% of the files changed", "share"], rows)


def _row(what: str, first: float, second: float) -> list[str]:
    return [what, f"{first:,.1f} s", f"{second:,.1f} s", f"{second / first:.0%}" if first else ""]


if __name__ == "__main__":
    main()
