"""The bare work: what a run reads and writes, moved once by the same libraries without one rule in between.

`PYTHONPATH=. python benchmarks/bare.py BOOK RUN`, RUN being a finished run of that book. It copies and hashes the
book's bytes, reads every cell as text in blocks, casts it to the type of its column, writes the run's canonical rows
as Parquet, and its result and derived tables as Parquet and into a DuckDB warehouse. What a step takes from memory
is loaded before its time starts. No program that leaves these files behind takes less on this machine with these
libraries, so a whole run is told as a multiple of it; what it takes on top is validating, merging and computing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.measure import table, warm
from schemas.tables import INPUT_TABLES

_BLOCK = 8 << 20
#: Lines before the header, and how its dates are written.
_FIDELITY = {"Accounts_History_": 2, "Portfolio_Positions_": 0}
_FIDELITY_TYPES: dict[str, pl.DataType] = {"Run Date": pl.Date(), "Amount ($)": pl.Decimal(18, 2)}


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and of the processors."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def _copy(book: Path, to: Path) -> None:
    for path in sorted(book.iterdir()):
        digest = hashlib.sha256()
        with path.open("rb") as source, (to / path.name).open("wb") as target:
            while block := source.read(_BLOCK):
                digest.update(block)
                target.write(block)
        digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    """The header's line with every block of whole lines after it."""
    before = next((lines for name, lines in _FIDELITY.items() if path.name.startswith(name)), 0)
    with path.open("rb") as source:
        for _ in range(before):
            source.readline()
        header = source.readline()
        while block := source.read(_BLOCK):
            yield header + block + source.readline()


def _cells(block: bytes) -> pl.DataFrame:
    return pl.read_csv(block, infer_schema=False, truncate_ragged_lines=True)


def _types(path: Path, columns: Iterable[str]) -> dict[str, pl.DataType]:
    kind = next((name for name in sorted(INPUT_TABLES, key=len, reverse=True) if path.name.startswith(name)), None)
    schema = INPUT_TABLES[kind].schema if kind else _FIDELITY_TYPES
    return {name: schema[name] for name in columns if name in schema}


def _cast(path: Path, cells: pl.DataFrame) -> pl.DataFrame:
    """The cells in the types of their columns; what isn't one becomes null."""
    dates = "%m/%d/%Y" if path.name.startswith(tuple(_FIDELITY)) else "%Y-%m-%d"
    made = []
    for name, kind in _types(path, cells.columns).items():
        if kind == pl.Date:
            made.append(pl.col(name).str.to_date(dates, strict=False))
        elif kind == pl.Boolean:
            made.append(pl.col(name).str.to_lowercase().is_in(["true", "yes", "1"]))
        elif kind != pl.String and not isinstance(kind, pl.List):
            made.append(pl.col(name).cast(kind, strict=False))
    return cells.with_columns(made)


def _read(book: Path, *, cast: bool) -> int:
    rows = 0
    for path in sorted(book.glob("*.csv")):
        for block in _blocks(path):
            cells = _cells(block)
            rows += (_cast(path, cells) if cast else cells).height
    return rows


def _canonical(run: Path, to: Path) -> tuple[float, float]:
    """Write every canonical file of the run again, as the run writes them; only the writing is timed."""
    clock = processor = 0.0
    for number, path in enumerate(sorted((run / "canonical").rglob("*.parquet"))):
        rows, target = pl.read_parquet(path, hive_partitioning=False), to / f"{number}.parquet"

        def write(rows: pl.DataFrame = rows, target: Path = target) -> None:
            rows.write_parquet(target, compression="lz4", statistics=False)

        took = _timed(write)
        clock, processor = clock + took[0], processor + took[1]
    return clock, processor


def _results(run: Path, to: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    """Write result and derived tables, loaded before, as Parquet and into a warehouse."""
    with duckdb.connect(config={"temp_directory": str(to / "spill")}) as con:
        found = {f"{path.parent.name}_{path.stem}": path for path in sorted(run.glob("*/*.parquet"))}
        tables = [name for name, path in found.items() if path.parent.name in {"results", "derived"}]
        for name in tables:
            con.read_parquet(str(found[name])).create(name)

        def as_parquet() -> None:
            for name in tables:
                con.execute(f"copy {name} to $path (format parquet)", {"path": str(to / f"{name}.parquet")})

        def as_warehouse() -> None:
            con.execute("attach $path as warehouse", {"path": str(to / "warehouse.duckdb")})
            for name in tables:
                if name.startswith("results_"):
                    con.execute(f"create table warehouse.{name} as from memory.{name}")
            con.execute("detach warehouse")

        yield "results and derived tables as Parquet", _timed(as_parquet)
        yield "result tables into the warehouse", _timed(as_warehouse)


def measure(book: Path, run: Path) -> dict[str, tuple[float, float]]:
    """Seconds on the clock and of the processors of every step."""
    warm(book)
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder)
        took = {"copy and hash the book": _timed(lambda: _copy(book, to))}
        took["read every cell as text"] = read = _timed(lambda: _read(book, cast=False))
        both = _timed(lambda: _read(book, cast=True))
        took["cast to types"] = max(0.0, both[0] - read[0]), max(0.0, both[1] - read[1])
        took["canonical rows as Parquet"] = _canonical(run, to)
        took |= _results(run, to)
    return took


def report(took: dict[str, tuple[float, float]], stages: dict[str, float]) -> str:
    """The steps and, beside their sum, what the run took."""
    total = [sum(every[place] for every in took.values()) for place in (0, 1)]
    rows = [[step, f"{clock:.2f} s", f"{processor:.2f} s"] for step, (clock, processor) in took.items()]
    rows.append(["bare work", f"{total[0]:.2f} s", f"{total[1]:.2f} s"])
    whole = sum(stages.values())
    said = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages.items() if seconds >= 0.1)
    return (
        f"{table(['step', 'clock', 'of the processors'], rows)}\n\nThe run took {whole:.1f} s ({said}):"
        f" {whole / total[0]:.1f} times the bare work. {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Measure the bare work of a run and print it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("book", type=Path)
    asked.add_argument("run", type=Path, help="a finished run of the book: OUT/latest")
    told = asked.parse_args()
    run = told.run.resolve()
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    print(report(measure(told.book, run), facts["seconds"]))


if __name__ == "__main__":
    main()
