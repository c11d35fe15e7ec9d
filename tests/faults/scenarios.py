"""Faults of the outside, each made on purpose: disks, shares, other processes, clocks. None where a machine can't."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import duckdb

from tests.faults import checks
from tests.faults.book import drop, lying, nights
from tests.faults.command import Outcome, Place, start, wait
from tests.faults.fault import Fault, faketime, kill_after, kill_at
from tests.faults.journey import Journey
from tests.faults.reference import Reference
from transforms.vault import MAGIC

Scenario: TypeAlias = Callable[[Place, Reference, random.Random], Journey | None]
ALL: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    """Put a scenario into `ALL`."""

    def keep(made: Scenario) -> Scenario:
        ALL[name] = made
        return made

    return keep


def one_night(place: Place, reference: Reference, rng: random.Random) -> tuple[Journey, str]:
    """A book after its first night, the second night's files in the inbox; the second night's date."""
    (first, files), (second, more) = list(nights().items())[:2]
    journey = Journey(place, reference, rng)
    journey.arrive(files)
    journey.recover(first)
    journey.arrive(more)
    return journey, second


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[bool]:
    """Something mounted on `folder` for a while; False where this user may not."""
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[bool]:
    """The folder mounted over itself, read-only."""
    with mounted(folder, "--bind", str(folder)) as bound:
        closed = bound and mount_again(folder)
        yield closed


def mount_again(folder: Path) -> bool:
    done = subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], capture_output=True, check=False)
    return done.returncode == 0


@scenario("full disk, tmpfs")
def full_disk(place: Place, reference: Reference, rng: random.Random) -> Journey | None:
    """OUT on a disk of its own that is full at many places of a run; then somebody makes room."""
    place.out.rename(place.root / "kept")
    place.out.mkdir(mode=0o700)
    with mounted(place.out, "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs") as done:
        if not done:
            return None
        shutil.copytree(place.root / "kept", place.out, dirs_exist_ok=True)
        journey, as_of = one_night(place, reference, rng)
        for left in (0, 8_000, 40_000, 150_000, 400_000, 800_000, rng.randint(0, 1_500_000)):
            ballast = place.root / "out" / "ballast"
            ballast.write_bytes(b"\0" * (shutil.disk_usage(place.out).free - left))
            ballast.chmod(0o600)
            journey.spoil(as_of, Fault("full disk (tmpfs)"), run=lambda: place.run(as_of))
            ballast.unlink()
        journey.recover(as_of)
    return journey


@scenario("full disk, size of files")
def small_files(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """No file may grow beyond a bound: also what DuckDB and Polars write themselves fails."""
    journey, as_of = one_night(place, reference, rng)
    for size in (0, 500, 2_000, 5_000, 9_000, 30_000, 200_000, rng.randint(1, 1_000_000)):
        journey.spoil(as_of, Fault("full disk (file size)", file_size=size))
    journey.recover(as_of)
    return journey


@scenario("read-only inbox")
def read_only_inbox(place: Place, reference: Reference, rng: random.Random) -> Journey | None:
    """The inbox is a share that can't be written: nothing needs to be."""
    journey, as_of = one_night(place, reference, rng)
    return while_read_only(journey, as_of, "read-only inbox", place.inbox, codes=(0, 1))


@scenario("read-only OUT")
def read_only_out(place: Place, reference: Reference, rng: random.Random) -> Journey | None:
    """Nothing can be written: told, exit code 3, nothing changed."""
    journey, as_of = one_night(place, reference, rng)
    return while_read_only(journey, as_of, "read-only OUT", place.out, codes=(3,))


def while_read_only(journey: Journey, as_of: str, kind: str, folder: Path, codes: tuple[int, ...]) -> Journey | None:
    """A run with `folder` mounted read-only, which has to end with one of `codes`, and one without."""
    with read_only(folder) as done:
        if not done:
            return None
        outcome = journey.spoil(as_of, Fault(kind), run=lambda: journey.place.run(as_of))
        expect(journey, outcome.code in codes, f"{kind} ends with {outcome.code}: {outcome.errors}")
    journey.recover(as_of)
    return journey


@scenario("inbox gone before the run")
def inbox_gone(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """The share isn't there at all."""
    journey, as_of = one_night(place, reference, rng)
    away = place.inbox.with_name("away")
    place.inbox.rename(away)
    outcome = journey.spoil(as_of, Fault("inbox gone before the run"), run=lambda: place.run(as_of))
    expect(journey, outcome.code in (2, 3), f"no inbox ends with {outcome.code}")
    away.rename(place.inbox)
    journey.recover(as_of)
    return journey


@scenario("inbox vanishes while it is read")
def inbox_vanishes(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """The share goes away after the n-th operation on it; what was read is no night."""
    journey, as_of = one_night(place, reference, rng)
    gone = Path(f"{place.inbox}.gone")
    for at in range(1, 7):
        for put_back in (False, True)[:at]:  # a mount that went away leaves an empty folder
            inbox = str(place.inbox)
            vanish = Fault("inbox vanishes while read", at, "vanish", "reads", path=inbox, target=inbox)
            with contextlib.ExitStack() as watching:
                if put_back:
                    watching.enter_context(empty_folder_when_gone(place.inbox, gone))
                outcome = journey.spoil(as_of, vanish)
            if gone.exists():
                shutil.rmtree(place.inbox, ignore_errors=True)
                gone.rename(place.inbox)
                expect(journey, outcome.code == 3, f"a share that goes away ends with {outcome.code}")
    journey.recover(as_of)
    return journey


@contextlib.contextmanager
def empty_folder_when_gone(inbox: Path, gone: Path) -> Iterator[None]:
    """As soon as the inbox was renamed, an empty folder lies in its place."""
    watcher = subprocess.Popen(
        ["sh", "-c", 'until [ -d "$1" ]; do sleep 0.001; done; mkdir "$0"', str(inbox), str(gone)]
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()


@scenario("file vanishes before it is read")
def file_vanishes(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """A file of the inbox is taken away between being listed and being read: as if it hadn't come."""
    journey, as_of = one_night(place, reference, rng)
    for name in lying(place.inbox):
        target = place.inbox / name
        vanish = Fault(
            "file vanishes before read", 1, "vanish", "reads", event="open", path=f"/{name}", target=str(target)
        )
        outcome = journey.spoil(as_of, vanish, unseen=(name,))
        expect(journey, outcome.code in (0, 1), f"a file that vanishes ends with {outcome.code}: {outcome.errors}")
        Path(f"{target}.gone").rename(target)
    journey.recover(as_of)
    return journey


@scenario("file grows while it is read")
def file_grows(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """A file is being written just when it is read: its part is never taken for it."""
    journey, as_of = one_night(place, reference, rng)
    for name, whole in lying(place.inbox).items():
        if not name.endswith(".csv"):
            continue
        half = whole[: len(whole) // 2]
        drop(place.inbox, {name: half})
        grow = Fault(
            "file grows while read", 1, "grow", "reads", event="open", path=f"/{name}",
            target=str(place.inbox / name), more=whole[len(half) :].decode(),
        )  # fmt: skip
        journey.spoil(as_of, grow, unseen=(name,))
        expect(journey, lying(place.inbox)[name] == whole, f"{name} wasn't written to its end")
    journey.recover(as_of)
    return journey


@scenario("warehouse locked")
def warehouse_locked(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """Somebody has the newest run's DuckDB file open for writing: the next run is in another file."""
    journey, as_of = one_night(place, reference, rng)
    with duckdb.connect(str(place.out / "latest" / "rothbook.duckdb")) as con:
        con.execute("begin; create temp table held as select 1")
        outcome = journey.spoil(as_of, Fault("warehouse locked"), run=lambda: place.run(as_of))
        expect(journey, outcome.code in (0, 1), f"a locked warehouse ends with {outcome.code}: {outcome.errors}")
    journey.recover(as_of)
    return journey


@scenario("file times of other days")
def file_times(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """Files dated long ago or years ahead, and state written by a clock that was wrong."""
    journey, as_of = one_night(place, reference, rng)
    for moment in (0, 4_000_000_000):
        for folder in (place.inbox, place.out / "state", place.out / "archive"):
            for path in folder.rglob("*"):
                os.utime(path, (moment, moment))
        outcome = journey.spoil(as_of, Fault("file times of other days"), run=lambda: place.run(as_of))
        expect(journey, outcome.code in (0, 1), f"strange file times end with {outcome.code}: {outcome.errors}")
    journey.recover(as_of)
    return journey


@scenario("clock set back and forward")
def clock_set(place: Place, reference: Reference, rng: random.Random) -> Journey | None:
    """The machine's clock is years off in one direction, then in the other, then right again."""
    if not faketime():
        return None
    journey, as_of = one_night(place, reference, rng)
    year = 365 * 24 * 3600
    for clock in (-20 * year, 5 * year, -3600, 3600):
        fault = Fault("clock set back or forward", clock=clock)
        outcome = journey.spoil(as_of, fault, run=lambda fault=fault: place.run(as_of, fault))
        expect(journey, outcome.code in (0, 1), f"another clock ends with {outcome.code}: {outcome.errors}")
    journey.recover(as_of)
    return journey


@scenario("two runs at once")
def two_at_once(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """A second run while the first is under way is refused and changes nothing."""
    journey, as_of = one_night(place, reference, rng)
    for _ in range(3):
        journey.spoil(as_of, Fault("two runs at once"), run=lambda: second_refused(journey, as_of, rng))
    journey.recover(as_of)
    return journey


def second_refused(journey: Journey, as_of: str, rng: random.Random) -> Outcome:
    place = journey.place
    before = {path.name for path in (place.out / "runs").iterdir()}
    first = start(place.arguments(as_of))
    while {path.name for path in (place.out / "runs").iterdir()} == before:
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 0.5))
    second = place.run(as_of)
    done = wait(first)
    refused = second.code == 2 and "another run" in second.errors
    expect(journey, refused, f"a second run ends with {second.code}: {second.errors}")
    expect(journey, done.code in (0, 1), f"the first run ends with {done.code}: {done.errors}")
    return done


@scenario("workbook workers killed")
def workers_killed(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """A process that writes workbooks is killed alone (out of memory, say): the run fails whole."""
    journey, as_of = one_night(place, reference, rng)
    for at in (1, 2, 3, 4):
        kill = Fault("workbook worker killed", at, "kill", "writes", path="/workbooks/", pool=True, in_worker=True)
        outcome = journey.spoil(as_of, kill)
        met = journey.told[-1].injected is not None
        expect(journey, not met or outcome.code == 3, f"a killed worker ends with {outcome.code}: {outcome.errors}")
        expect(journey, met or at > 1, "no worker process came to its first file")
    journey.recover(as_of)
    return journey


@scenario("kills while the first key is made")
def first_key(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """A book without a key yet is killed while it makes one: one key, and its fingerprint, come out of it."""
    key = place.out / "state" / "firm.key"
    kept = key.read_bytes()
    as_of, files = next(iter(nights().items()))
    journey = Journey(place, reference, rng)
    journey.arrive(files)
    for at in range(1, 15):
        shutil.rmtree(place.out)
        journey.spoil(as_of, Fault("kill while a key is made", at, "kill group"))
        again = place.run(as_of)
        expect(journey, again.code in (0, 1), f"the run after ends with {again.code}: {again.errors}")
        expect(journey, not list((place.out / "state").glob(".*.part")), "something half written stays in state")
    shutil.rmtree(place.out)
    (place.out / "state").mkdir(parents=True, mode=0o700)
    place.out.chmod(0o700)
    key.write_bytes(kept)
    key.chmod(0o600)
    shutil.rmtree(place.shared)
    place.shared.mkdir(mode=0o700)
    journey.steps = ()
    journey.recover(as_of)
    return journey


@scenario("kills while a book is sealed and opened")
def sealing_killed(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """`protect --at-rest-key` is killed again and again; said once more it seals, or opens, the whole book."""
    journey, as_of = one_night(place, reference, rng)
    run = checks.newest(place.out)
    assert run is not None
    for source, kind in ((None, "kill while a book is sealed"), ("none", "kill while a book is opened")):
        command = place.sealing() if source is None else [*place.sealing()[:-1], source]
        for _ in range(3):
            fault = replace(kill_at(rng.randint(1, 200)), kind=kind)
            journey.heard(fault, place.do(command, fault, rng))
            marked = {path.read_bytes().startswith(MAGIC) for path in (place.out / "archive").glob("[!.]*")}
            if len(marked) > 1:  # a night can't begin on a book of which only a part is sealed
                tried = place.run(as_of)
                told = tried.code in (2, 3) and "rothbook protect" in tried.errors
                expect(journey, told, f"a run of a book half sealed ends with {tried.code}: {tried.errors}")
        whole = place.do(command)
        expect(journey, whole.code == 0, f"{kind}: said once more it ends with {whole.code}: {whole.errors}")
        for problem in (*checks.sealed(place.out), *checks.whole_archive(place.out), *same_as_before(journey, run)):
            journey.blame(problem)
        journey.recover(as_of)
    return journey


def same_as_before(journey: Journey, run: Path) -> Iterator[str]:
    expected = journey.reference.of(journey.steps[:1]).run
    assert expected is not None
    return checks.same(run, expected)


@scenario("kills of a run through Prefect")
def through_prefect(place: Place, reference: Reference, rng: random.Random) -> Journey:
    """Not `--direct`: the command with its temporary Prefect server and their processes are killed."""
    place.direct = False
    begun = time.monotonic()
    journey, as_of = one_night(place, reference, rng)
    takes = time.monotonic() - begun
    for fault in (kill_at(rng.randint(1, 100)), kill_at(rng.randint(100, 250)), kill_after(rng.uniform(1, takes))):
        journey.spoil(as_of, replace(fault, kind=f"{fault.kind}, Prefect"))
    journey.recover(as_of)
    return journey


def expect(journey: Journey, holds: bool, otherwise: str) -> None:
    """Put a problem down to the fault told last."""
    if not holds:
        journey.blame(otherwise)
