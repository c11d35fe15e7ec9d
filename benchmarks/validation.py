"""What share of a night is validation: `PYTHONPATH=. python benchmarks/validation.py BOOK`.

A whole night without workbooks, every file read in this process, with the seconds of the processors (all threads) in
which the Pandera models of text and of types judge frames: whatever they are asked of every file, block and correction.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest.mock import patch

import polars as pl

from benchmarks.measure import table, warm
from benchmarks.whole_run import run
from benchmarks.yardstick import YEAR
from flows import pipeline
from schemas import models, validate
from transforms.intake import ahead, canonical, corrections


@dataclass
class Spent:
    """Seconds on the clock and of the processors, and rows that were judged."""

    seconds: float = 0.0
    processor: float = 0.0
    rows: int = 0

    @contextmanager
    def counted(self, rows: int = 0) -> Iterator[None]:
        """Add what the block takes."""
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - clock
        self.processor += time.process_time() - processor
        self.rows += rows


def measure(book: Path, out: Path) -> dict[str, Spent]:
    """A night of the book: the whole, the stage that reads, and both kinds of models in it."""
    whole, reading, text, types = (Spent() for _ in range(4))
    judged, read = validate.failures, pipeline.read

    def failures(model: models.Model, frame: pl.DataFrame) -> pl.DataFrame:
        # only the canonical tables' models are strict about the order of columns
        with (types if model.schema.ordered else text).counted(frame.height):
            return judged(model, frame)

    def timed(folder: Path) -> None:
        with reading.counted():
            read(folder)

    with (
        patch.object(canonical, "failures", failures),
        patch.object(corrections, "failures", failures),
        patch.object(pipeline, "read", timed),
        patch.object(ahead, "WORTH_PROCESSES", sys.maxsize),
        whole.counted(),
    ):
        run(book, out, date(YEAR, 12, 31), workbooks=False)
    return {"the whole night": whole, "reading": reading, "models of text": text, "models of types": types}


def main() -> None:
    """Run the night and print the shares."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("book", type=Path)
    book = asked.parse_args().book
    warm(book)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(book, Path(folder) / "out")
    text, types = found["models of text"], found["models of types"]
    found["validation"] = Spent(text.seconds + types.seconds, text.processor + types.processor, text.rows + types.rows)
    whole, reading = found["the whole night"].processor, found["reading"].processor
    rows = [
        [name, f"{s.processor:.1f} s", f"{s.seconds:.1f} s", f"{s.rows:,}" if s.rows else "",
         f"{s.processor / reading:.1%}" if name != "the whole night" else "", f"{s.processor / whole:.1%}"]
        for name, s in found.items()
    ]  # fmt: skip
    print(table(["", "of the processors", "on the clock", "rows judged", "of reading", "of the night"], rows))


if __name__ == "__main__":
    main()
