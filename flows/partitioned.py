"""The stages of a run whose book is computed in partitions, as plain functions of its folder.

They stand in for `flows.pipeline.compute`; what they leave is the same. A worker may die in the middle of any stage and
another one be given it, so each of them, and those of the pipeline in `anew`, can be done again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import nights, pipeline
from flows.config import Security
from flows.errors import scrub
from flows.firm_key import of_firm
from flows.run_folder import RunFolder
from schemas.marks import ComesBack
from transforms import partitions

#: The folder of the partitions in that of the run; it is gone when the run is published.
FOLDER = ".parts"
#: What a stage leaves in the run's folder, and what a stage that died in the middle left of it.
_LEFT = {
    "read": ("canonical",),
    "combine": ("results", "derived", "rothbook.duckdb", "rothbook.duckdb.wal", ".spill"),
    "report": ("workbooks",),
}


@dataclass(frozen=True)
class Work:
    """What the tasks of a firm's night are handed: its run folder, where its key comes from, and what a task may take.

    It travels to the workers, so it holds no key; each worker reads the key itself.
    """

    folder: Path
    security: Security
    share: partitions.Share


def anew(work: Work, name: str, stage: Callable[[Path], Any]) -> Any:
    """Do a stage of the pipeline that may have died on another worker, under the firm's own key; files are made
    readable by their owner only.
    """
    os.umask(0o077)
    for left in _LEFT.get(name, ()):
        path = work.folder / left
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with of_firm(work.security):
        return stage(work.folder)


def publish(folder: Path) -> Path:
    """Take the partitions away and publish the run, or find that a worker that died right after it did."""
    final = RunFolder(folder).final
    if final.exists() and not folder.exists():
        return final
    # only now: a worker that died while combining needs them again
    for left in (FOLDER, *(path.name for path in folder.glob(f"{partitions.SPILL}*"))):
        shutil.rmtree(folder / left, ignore_errors=True)
    return pipeline.publish(folder)


def split(folder: Path, most: int, people_each: int, share: partitions.Share) -> None:
    """Link the whole book and write at most `most` partitions of about `people_each` persons or more."""

    def work(run: RunFolder) -> None:
        with nights.tables(run.out, nights.before(run.out, run.as_of)) as previous:
            count = partitions.split(_parts(run, share), previous, most, people_each)
        run.note(partitions=count)

    pipeline.staged(folder, "split", work)


def compute_part(folder: Path, number: int, share: partitions.Share) -> None:
    """Compute one partition; raises `StageFailed`. It leaves no note in run.json, which many would write at once."""
    failure = None
    try:
        partitions.compute_part(_parts(RunFolder(folder), share), number)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold client data and must not travel on
        failure = scrub(f"compute partition {number}", error)
    if failure:
        raise failure  # outside the handler, so that it carries no reference to the original


def combine(folder: Path, share: partitions.Share) -> None:
    """Put the partitions together to the tables of the run."""

    def work(run: RunFolder) -> None:
        with nights.tables(run.out, nights.before(run.out, run.as_of)) as previous:
            comes_back = ComesBack.of(run.facts["comes_back"])
            counts = partitions.combine(_parts(run, share), run.path, previous, comes_back)
        run.note(result_rows=counts, fingerprint=pipeline.fingerprint(run))

    pipeline.staged(folder, "combine", work)


def _parts(run: RunFolder, share: partitions.Share) -> partitions.Parts:
    return partitions.Parts(run.canonical, run.path / FOLDER, run.as_of, run.tax_years, share)
