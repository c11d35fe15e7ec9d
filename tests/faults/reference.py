"""What a book comes to when nothing goes wrong: undisturbed runs of the same nights, each made once and kept."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tests.faults.book import drop, empty, nights
from tests.faults.command import Outcome, Place, copied
from tests.marked import answered


@dataclass(frozen=True)
class Step:
    """A night of which a run was published: its as-of date and what lay in the inbox."""

    as_of: str
    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, as_of: str, files: Mapping[str, bytes]) -> Step:
        return cls(as_of, tuple(sorted(files.items())))


@dataclass(frozen=True)
class Reached:
    """Where the undisturbed nights led: the book, the run published last, and how it ended."""

    place: Place
    run: Path | None
    outcome: Outcome | None


@dataclass
class Reference:
    """Undisturbed books below `root`, by the nights that led there."""

    root: Path
    _known: dict[tuple[Step, ...], Reached] = field(default_factory=dict)
    _once: threading.Lock = field(default_factory=threading.Lock)
    _locks: defaultdict[tuple[Step, ...], threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def of(self, steps: tuple[Step, ...]) -> Reached:
        """The book after `steps`, each step's files lying in the inbox alone."""
        with self._locks[steps]:
            if steps not in self._known:
                self._known[steps] = self._made(steps)
            return self._known[steps]

    def _made(self, steps: tuple[Step, ...]) -> Reached:
        where = self.root / hashlib.sha256(repr(steps).encode()).hexdigest()[:16]
        if not steps:
            return Reached(Place(where).make(), None, None)
        place = copied(self.of(steps[:-1]).place, where)
        empty(place.inbox)
        drop(place.inbox, dict(steps[-1].files))
        outcome = place.run(steps[-1].as_of)
        if outcome.code not in (0, 1):
            raise RuntimeError(f"an undisturbed run ended with {outcome.code}: {outcome.errors}")
        return Reached(place, (place.out / "latest").resolve(), outcome)


def returned(reference: Reference) -> bytes:
    """The workbook of the second undisturbed night with a mark in it, the same bytes whenever it is asked for."""
    with reference._once:
        kept = reference.root / "ADV1 marked.xlsx"
        if not kept.exists():
            steps = tuple(Step.of(as_of, files) for as_of, files in list(nights().items())[:2])
            run = reference.of(steps).run
            assert run is not None
            findings = pl.read_parquet(run / "results" / "findings.parquet")
            marked = findings.filter(pl.col("advisor_id") == "ADV1")["finding_id"].sort()[0]
            kept.write_bytes(
                answered(run / "workbooks" / "ADV1.xlsx", {marked: {"status": "waiting", "note": "asked"}})
            )
        return kept.read_bytes()
