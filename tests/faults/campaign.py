"""Faults by the hundred: `python -m tests.faults.campaign --kills N --seed S`.

Books go through their nights with four to nine faults a night, then the night's undisturbed run; now and then a night
is given up and the next one has to pick its files up. Every fourth book is sealed, and has to come to the same. The
faults of `scenarios` come after them, once each. Counts by kind are printed at the end; exit code 1 if anything wasn't
as it has to be, and the books it happened to are kept.
"""

from __future__ import annotations

import argparse
import collections
import errno
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.faults import scenarios
from tests.faults.book import nights
from tests.faults.command import Place
from tests.faults.fault import Fault, fails, in_pool, kill_after, kill_at
from tests.faults.journey import Journey
from tests.faults.reference import Reference, returned

#: Operations of a run that change the disk, and all of them: a little more than there are, so that the last is met.
WRITES, READS = 300, 230
#: One book in so many is sealed.
SEALED = 4
ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.ESTALE)


@dataclass
class Counts:
    """Faults by kind: asked for, met by the run, and those after which something was wrong."""

    injected: collections.Counter[str] = field(default_factory=collections.Counter)
    failed: collections.Counter[str] = field(default_factory=collections.Counter)
    problems: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, journey: Journey, since: int = 0) -> bool:
        """Count what came of the faults of a journey; a problem after recovery is put down to the fault before it."""
        last, wrong = "", False
        with self.lock:
            for told in journey.told[since:]:
                if told.fault.kind != "recovery":
                    last = told.fault.kind
                    self.injected[last] += told.injected is not None
                if told.problems:
                    wrong = True
                    self.failed[last] += 1
                    what = f"{name}: {told.fault.kind} ({told.fault.told()}) [{told.injected}] exit {told.code}"
                    self.problems.append("\n    ".join((what, *told.problems)))
                    print(self.problems[-1], flush=True)
        return wrong

    def table(self) -> str:
        rows = [
            f"{kind:<36} {n:>8} {n - self.failed[kind]:>8} {self.failed[kind]:>6}"
            for kind, n in sorted(self.injected.items())
        ]
        total, bad = self.injected.total(), self.failed.total()
        head = f"{'kind of fault':<36} {'injected':>8} {'survived':>8} {'failed':>6}"
        return "\n".join((head, *rows, f"{'all':<36} {total:>8} {total - bad:>8} {bad:>6}"))

    @property
    def kills(self) -> int:
        """Kills and power cuts the runs came to."""
        return sum(n for kind, n in self.injected.items() if kind.startswith(("kill", "power")))


def any_fault(rng: random.Random, takes: float) -> Fault:
    """A fault at a random place of a run that takes `takes` seconds."""
    kind = rng.random()
    if kind < 0.40:
        fault = kill_at(rng.randint(1, WRITES))
    elif kind < 0.60:
        fault = kill_at(rng.randint(1, WRITES), power_cut=True)
    elif kind < 0.75:
        fault = kill_after(rng.uniform(0.2, takes))
    else:
        among = rng.choice(("writes", "reads"))
        at = rng.randint(1, WRITES if among == "writes" else READS)
        fault = fails(rng.choice(ERRORS), at, among, sticky=rng.random() < 0.5)
    return in_pool(fault) if rng.random() < 0.1 else fault


def travel(root: Path, reference: Reference, seed: int, counts: Counts, enough: Callable[[], bool]) -> None:
    """One book through its nights."""
    rng, sealed = random.Random(seed), seed % SEALED == 0
    place = Place(root / f"book-{seed}").make()
    journey = Journey(place.seal() if sealed else place, reference, rng)
    coming, takes = nights(returned(reference)), 8.0
    for as_of, files in coming.items():
        journey.arrive(files)
        for _ in range(rng.randint(4, 9)):
            seen, since = len(journey.told), time.monotonic()
            fault = any_fault(rng, takes)
            outcome = journey.spoil(as_of, replace(fault, kind=f"{fault.kind}, sealed") if sealed else fault)
            if counts.add(f"book {seed}, {as_of}", journey, seen):
                return
            if outcome.code in (0, 1):
                takes = time.monotonic() - since
            if enough():
                break
        given_up = as_of != max(coming) and not journey.done and rng.random() < 0.2
        if given_up and not enough():
            continue
        seen = len(journey.told)
        journey.recover(as_of)
        if counts.add(f"book {seed}, {as_of}", journey, seen):
            return
        if enough():
            break
    shutil.rmtree(journey.place.root)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="kills at least (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600, help="begin no further fault after so long")
    parser.add_argument("--jobs", type=int, default=2, help="books at the same time")
    parser.add_argument("--only", help="scenarios with this in their name, and no books")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="rothbook-faults-")).resolve()
    reference, counts, begun = Reference(root / "undisturbed"), Counts(), time.monotonic()

    def enough() -> bool:
        return counts.kills >= asked.kills or time.monotonic() - begun > 60 * asked.minutes

    def book(number: int) -> None:
        if not enough():
            travel(root, reference, asked.seed * 10_000 + number, counts, enough)
            print(
                f"{time.monotonic() - begun:7.0f} s  {counts.kills} kills, {len(counts.problems)} problems", flush=True
            )

    def scenario(name: str) -> None:
        where = root / name.replace(" ", "-")
        journey = scenarios.ALL[name](Place(where).make(), reference, random.Random(asked.seed))
        if journey is None:
            print(f"not on this machine: {name}", flush=True)
        elif not counts.add(name, journey):
            shutil.rmtree(where)

    try:
        with ThreadPoolExecutor(asked.jobs) as pool:
            if not asked.only:
                list(pool.map(book, range(asked.kills)))
            list(pool.map(scenario, [name for name in scenarios.ALL if not asked.only or asked.only in name]))
    finally:  # also when somebody has seen enough
        print(counts.table())
        print(f"seed {asked.seed}, {time.monotonic() - begun:.0f} s", flush=True)
    if counts.problems:
        print(f"{len(counts.problems)} problems; the books are in {root}", file=sys.stderr)
        return 1
    shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
