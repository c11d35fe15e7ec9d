"""One stage of a bureau's night in this process, for what it costs alone: `stage.py RUN_FOLDER STAGE [NUMBERS]`."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from flows import partitioned, pipeline
from flows.config import Security
from flows.partitioned import Work
from transforms.partitions import Share


def work_on(folder: Path, storage: str | None) -> Work:
    """The work of a run, one DuckDB thread a task, its partitions in the folder or on a storage."""
    return Work.of(folder, Security(), Share(threads=1), storage)


def _do(work: Work, stage: str, number: int) -> None:
    if stage == "read":
        pipeline.take_in(work.folder)
        pipeline.read(work.folder)
    elif stage == "compute":
        pipeline.compute(work.folder)
    elif stage == "split":
        partitioned.split(work, number, 1)
    elif stage == "partition":
        partitioned.compute_part(work, number)
    else:
        partitioned.combine(work)


def main() -> None:
    """Do the stage; exit code 3 where it fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("stage", choices=("read", "compute", "split", "partition", "combine"))
    parser.add_argument("number", type=int, nargs="?", default=0, help="of the partition; of split, how many")
    parser.add_argument("--storage")
    asked = parser.parse_args()
    try:
        _do(work_on(asked.folder, asked.storage), asked.stage, asked.number)
    except Exception:  # noqa: BLE001 - the book is made up
        traceback.print_exc()
        sys.exit(3)


if __name__ == "__main__":
    main()
