"""`make bench-parts`: the parts of a night one by one, over a book of 1,000 people (96,000 transactions)."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.book import YEAR, write_book
from benchmarks.whole_run import run as run_night
from flows.run_folder import latest
from reports import write_workbooks
from schemas import models
from schemas.tables import DTYPES, INPUT_TABLES, PROVENANCE
from schemas.validate import failures
from tests.reports.run_files import AS_OF, FINGERPRINT, large_book
from transforms.engine import compute
from transforms.intake.merging import merge
from transforms.intake.reading import read_file
from transforms.intake.register import Entry

PERSONS = 1_000


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the book's files."""
    folder = tmp_path_factory.mktemp("book") / "files"
    write_book(folder, PERSONS)
    return folder


@pytest.fixture(scope="module")
def run(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published run of the book."""
    out = tmp_path_factory.mktemp("out")
    run_night(book, out, date(YEAR, 12, 31), workbooks=False)
    published = latest(out)
    assert published is not None
    return published


def _raw(book: Path) -> pl.DataFrame:
    """Every house transaction as text with its provenance, as its model wants it."""
    files = pl.concat(pl.read_csv(path, infer_schema=False) for path in sorted(book.glob("transactions_*.csv")))
    columns = [column.name for column in INPUT_TABLES["transactions"].columns]
    lacking = [pl.lit(None, pl.String).alias(name) for name in columns if name not in files.columns]
    said = {"text": "bench", "int": 1, "date": date(YEAR, 12, 31)}
    provenance = [pl.lit(said[column.kind], DTYPES[column.kind]).alias(column.name) for column in PROVENANCE]
    return files.with_columns(*lacking, *provenance)


@pytest.mark.parametrize(
    "name",
    [f"transactions_elm_{YEAR}-03.csv", f"Accounts_History_{YEAR}-03.csv", f"Portfolio_Positions_Dec-31-{YEAR}.csv"],
)
def bench_reading(benchmark: BenchmarkFixture, book: Path, name: str) -> None:
    """One file: recognised, every line classified, its rows as text."""
    data = (book / name).read_bytes()
    entry = Entry(date(YEAR, 12, 31), name, sha256(data).hexdigest())
    reading = benchmark(read_file, data, entry)
    assert reading.error is None
    benchmark.extra_info["lines"] = reading.lines["total"]


def bench_validating(benchmark: BenchmarkFixture, book: Path) -> None:
    """Every house transaction against its model of text."""
    raw = _raw(book)
    assert benchmark(failures, models.raw_house("transactions"), raw).is_empty()
    benchmark.extra_info["rows"] = raw.height


def bench_merging(benchmark: BenchmarkFixture, run: Path) -> None:
    """Every transaction once, in memory."""
    rows = pl.read_parquet(run / "canonical" / "transactions.parquet")
    once, _aside = benchmark(merge, "transactions", rows)
    assert once.height == rows.height
    benchmark.extra_info["rows"] = rows.height


def bench_computing(benchmark: BenchmarkFixture, run: Path, tmp_path: Path) -> None:
    """Every result table."""
    numbers = count()

    def once() -> dict[str, int]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return compute(run / "canonical", folder, as_of=date(YEAR, 12, 31), tax_years=(YEAR,), previous=None)

    counts = benchmark.pedantic(once, rounds=3)  # type: ignore[no-untyped-call]
    assert counts["form_8606"] > PERSONS // 2


def bench_workbook(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The workbooks of one advisor with a hundred clients, and of the firm, from result tables to files."""
    one = large_book(1, 50).write(tmp_path)
    paths = benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: write_workbooks(one, as_of=AS_OF, tax_years=[2025, 2026], fingerprint=FINGERPRINT, version="bench"),
        rounds=3,
    )
    assert paths
