"""The stages of a run whose book is computed in partitions, as plain functions of its folder.

They stand in for `flows.pipeline.compute`; what they leave is the same. A worker may die in the middle of any stage and
another one be given it, so each of them, and those of the pipeline in `anew`, can be done again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import nights, pipeline
from flows.config import Security
from flows.errors import StageFailed, scrub
from flows.firm_key import of_firm
from flows.run_folder import RunFolder
from schemas.marks import ComesBack
from transforms import partitions
from transforms.places import Place
from transforms.vault import Vault

#: The folder of the partitions in that of the run; it is gone when the run is published.
FOLDER = ".parts"
#: What a stage leaves in the run's folder, and what a stage that died in the middle left of it.
_LEFT = {
    "read": ("canonical",),
    "combine": ("results", "derived", "rothbook.duckdb", "rothbook.duckdb.wal"),
    "report": ("workbooks",),
}


@dataclass(frozen=True)
class Work:
    """What the tasks of a firm's night are handed: its run folder, where its key comes from, and what a task may take.

    It travels to the workers, so it holds no key; each worker reads the key itself. `parts` is where its partitions
    are, a path or a URL that fsspec understands.
    """

    folder: Path
    security: Security
    share: partitions.Share
    parts: Path | str

    @classmethod
    def of(cls, folder: Path, security: Security, share: partitions.Share, storage: str | None = None) -> Work:
        """The work of a run whose partitions lie in its folder, or at the book's own place in a storage of many.

        Raises `StageFailed` for a sealed book: on a storage its partitions would lie open.
        """
        if storage is None:
            return cls(folder, security, share, folder / FOLDER)
        out = RunFolder(folder).out
        if Vault.of(out).key is not None:
            raise StageFailed("use a storage", "the book is sealed, and its partitions would lie open there")
        book = hashlib.sha256(str(out.resolve()).encode()).hexdigest()[:16]
        return cls(folder, security, share, f"{storage.rstrip('/')}/{out.parent.name}-{book}")

    def clear(self) -> None:
        """Take away all partitions of the book, also those a night that was killed left; raises `StageFailed`."""
        failure = None
        try:
            Place.at(self.parts).remove()
        except Exception as error:  # noqa: BLE001 - a storage's errors are its package's own
            failure = scrub("clear the storage of partitions", error)
        if failure:
            raise failure


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


def split(work: Work, most: int, people_each: int) -> None:
    """Link the whole book and write at most `most` partitions of about `people_each` persons or more."""

    def do(run: RunFolder) -> None:
        with nights.tables(run.out, nights.before(run.out, run.as_of)) as previous:
            count = partitions.split(_parts(work), previous, most, people_each)
        run.note(partitions=count)

    pipeline.staged(work.folder, "split", do)


def compute_part(work: Work, number: int) -> None:
    """Compute one partition; raises `StageFailed`. It leaves no note in run.json, which many would write at once."""
    failure = None
    try:
        partitions.compute_part(_parts(work), number)
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold client data and must not travel on
        failure = scrub(f"compute partition {number}", error)
    if failure:
        raise failure  # outside the handler, so that it carries no reference to the original


def combine(work: Work) -> None:
    """Put the partitions together to the tables of the run."""

    def do(run: RunFolder) -> None:
        with nights.tables(run.out, nights.before(run.out, run.as_of)) as previous:
            comes_back = ComesBack.of(run.facts["comes_back"])
            counts = partitions.combine(_parts(work), run.path, previous, comes_back)
        run.note(result_rows=counts, fingerprint=pipeline.fingerprint(run))

    pipeline.staged(work.folder, "combine", do)


def _parts(work: Work) -> partitions.Parts:
    run = RunFolder(work.folder)
    return partitions.Parts(run.canonical, work.parts, run.as_of, run.tax_years, work.share)
