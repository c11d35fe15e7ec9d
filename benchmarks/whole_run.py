"""One night in a process of its own: `PYTHONPATH=. python benchmarks/whole_run.py BOOK OUT [--workbooks]`.

The stages of `rothbook run --direct`; without `--workbooks` no workbook is written, and all else is as ever.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from benchmarks.yardstick import YEAR
from flows import pipeline
from flows.run_folder import RunFolder


def run(book: Path, out: Path, as_of: date, *, workbooks: bool) -> Path:
    """The published run of a book as of a date, for the one tax year such a book holds."""
    night = pipeline.plan(book, out, as_of, (YEAR,), settle_seconds=0)
    if workbooks:
        return pipeline.run_direct(night)
    with pipeline.open_run(night) as folder:
        for stage in (pipeline.take_in, pipeline.read, pipeline.compute):
            stage(folder)
        RunFolder(folder).note(workbooks=[])
        return pipeline.publish(folder)


def main() -> None:
    """Run the night and say where its folder is."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("book", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--as-of", type=date.fromisoformat, default=date(YEAR, 12, 31))
    asked.add_argument("--workbooks", action="store_true")
    night = asked.parse_args()
    print(run(night.book, night.out, night.as_of, workbooks=night.workbooks))


if __name__ == "__main__":
    main()
