"""`make bench-sizes`: whole nights of growing books beside the three yardsticks, all in one invocation.

A night is `rothbook run --direct` without workbooks, in a fresh process. The floor is benchmarks/floor.py, pandas
benchmarks/peer_pandas.py (not above 100,000 people: it needs more memory than the machine has), the loop
benchmarks/row_loop.py, measured on the smallest book and scaled with the number of transactions from there (marked ~).
Form 8606 of both peers is held against ours. `--million` adds 1,000,000 people; books are kept in `--books`, if given.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression

from benchmarks.agree import differing
from benchmarks.book import write_book
from benchmarks.measure import ROOT, Cost, cost, table, warm

SIZES = (10_000, 30_000, 100_000)
MILLION = 1_000_000
MOST_FOR_PANDAS = 100_000


@dataclass
class Measured:
    """What one size took."""

    persons: int
    transactions: int
    ours: Cost
    floor: Cost
    stages: dict[str, float]
    peers: dict[str, Cost] = field(default_factory=dict)


def _script(name: str) -> Path:
    return ROOT / "benchmarks" / name


def _book(folder: Path, persons: int) -> Path:
    book = folder / str(persons)
    if not book.exists():
        write_book(book, persons, house_only=persons >= MILLION)
    return book


def _peer(name: str, book: Path, run: Path, work: Path) -> Cost:
    """What a peer took; its forms must be ours."""
    lines = work / "lines.csv"
    took = cost(_script(name), book, "--workbook", work / "summary.xlsx", "--lines", lines)
    unequal = {what: count for what, count in differing(run, lines).items() if count and what != "forms"}
    if unequal:
        raise SystemExit(f"{name} and Rothbook differ: {unequal}")
    return took


def measure(book: Path, persons: int, work: Path, peers: tuple[str, ...]) -> Measured:
    """Floor, night and peers over one book, one after the other."""
    warm(book)
    out = work / "out"
    floor = min((cost(_script("floor.py"), book) for _ in range(2)), key=lambda one: one.seconds)
    ours = cost(_script("whole_run.py"), book, out)
    run = (out / "latest").resolve()
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    found = {name: _peer(name, book, run, work) for name in peers}
    shutil.rmtree(out)
    return Measured(persons, facts["canonical_rows"]["transactions"], ours, floor, facts["seconds"], found)


def _beside(peer: Cost | None, ours: Cost, scale: float = 1.0) -> str:
    """A peer's seconds and how many times ours they are: on the clock; of the processors."""
    if peer is None:
        return "-"
    sign, seconds = "" if scale == 1 else "~", peer.seconds * scale
    times, of_processors = seconds / ours.seconds, peer.processor * scale / ours.processor
    return f"{sign}{seconds:,.1f} s ({sign}{times:.1f}; {sign}{of_processors:.1f})"


def _row(one: Measured, smallest: Measured) -> list[str]:
    pandas, ours, floor = one.peers.get("peer_pandas.py"), one.ours, one.floor
    loop = smallest.peers.get("row_loop.py")
    return [
        f"{one.persons:,}",
        f"{one.transactions:,}",
        f"{ours.seconds:,.1f} s",
        f"{ours.processor:,.1f} s",
        f"{ours.peak:,.0f} MB",
        f"{floor.seconds:,.1f} s ({ours.seconds / floor.seconds:.1f}; {ours.processor / floor.processor:.1f})",
        _beside(pandas, ours),
        f"{pandas.peak:,.0f} MB" if pandas else "-",
        _beside(loop, ours, one.transactions / smallest.transactions),
    ]


def _growth(every: list[Measured]) -> str:
    """The slope of time over size, both as logarithms: 1 is linear."""
    if len(every) < 2:
        return ""
    sizes = [math.log(one.persons) for one in every]
    clock, processor = (
        linear_regression(sizes, [math.log(getattr(one.ours, seconds)) for one in every]).slope
        for seconds in ("seconds", "processor")
    )
    return f"\n\nTime grows with size to the power of {clock:.3f} (of the processors: {processor:.3f})."


def report(every: list[Measured]) -> str:
    """Both tables and the exponent, as Markdown."""
    header = ["people", "transactions", "whole run", "of the processors", "peak memory",
              "floor (ours to it: clock; processors)", "pandas (it to ours)", "pandas memory", "row loop (it to ours)",
              ]  # fmt: skip
    sizes = table(header, [_row(one, every[0]) for one in every])
    stages = table(
        ["stage", *(f"{one.persons:,}" for one in every)],
        [[stage, *(f"{one.stages[stage]:,.1f} s" for one in every)] for stage in every[0].stages]
        + [["start and end", *(f"{one.ours.seconds - sum(one.stages.values()):,.1f} s" for one in every)]],
    )
    return f"{sizes}\n\n{stages}{_growth(every)}"


def main() -> None:
    """Measure every size and print the report."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--million", action="store_true", help="1,000,000 people too: 25 GB of disk")
    asked.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    asked.add_argument("--books", type=Path, help="keep the books here, and take those that are here already")
    told = asked.parse_args()
    sizes = sorted({*told.sizes, *([MILLION] if told.million else [])})
    every = []
    with tempfile.TemporaryDirectory() as folder:
        for persons in sizes:
            peers = ("peer_pandas.py", *(("row_loop.py",) if persons == sizes[0] else ()))
            book = _book(told.books or Path(folder), persons)
            work = Path(folder) / "work"
            work.mkdir(exist_ok=True)
            every.append(measure(book, persons, work, peers if persons <= MOST_FOR_PANDAS else ()))
            print(f"{persons:,} people: {every[-1].ours.seconds:,.1f} s", flush=True)
    print(f"\n{report(every)}\n\n{os.cpu_count()} processors, load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
