"""`make bench-cluster`: one book in one process, and in partitions on one and two Dask workers, one of them killed.

First each stage alone, in a process of its own: seconds on the clock, of the processors (and per million people), the
most memory, which is what docs/capacity.md plans with. Then the stages as tasks on workers, and whether every table is
the one of one process, to the byte. Arguments: persons of a made-up book (default 30,000), partitions (default 4).
`--canonical DIR` takes the canonical tables of a book that was read before, `--storage URL` puts the partitions there.
Prefect's server and the workers are started before the clock.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.book import write_book
from benchmarks.measure import Cost, cost, table
from benchmarks.stage import work_on
from benchmarks.yardstick import YEAR
from flows import bureau_command, pipeline
from flows.partitioned import FOLDER, Work

AS_OF, YEARS = date(YEAR, 12, 31), (YEAR,)
LEFT = ("results", "derived", "rothbook.duckdb", FOLDER)
STAGE = Path(__file__).with_name("stage.py")


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every table of a run."""
    paths = [path for kind in LEFT[:2] for path in sorted((folder / kind).glob("*.parquet"))]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def clear(work: Work) -> None:
    """Take away what a computation left, for the next one."""
    for name in LEFT:
        path = work.folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    work.clear()


@contextmanager
def a_run(base: Path, asked: argparse.Namespace) -> Iterator[Path]:
    """A run folder whose inbox is full."""
    inbox = base / "inbox"
    write_book(inbox, 100 if asked.canonical else asked.persons, seed=1)
    with pipeline.open_run(pipeline.plan(inbox, base / "out", asked.as_of, YEARS)) as folder:
        yield folder


def alone(work: Work, asked: argparse.Namespace) -> dict[str, str]:
    """Print what each stage costs in a process of its own; returns the digests of one process's tables."""

    def stage(name: str, number: int = 0) -> Cost:
        return cost(STAGE, work.folder, name, str(number), *(("--storage", asked.storage) if asked.storage else ()))

    costs = {"take in and read": stage("read")}
    if asked.canonical:
        shutil.rmtree(work.folder / "canonical")
        shutil.copytree(asked.canonical, work.folder / "canonical")
        costs.clear()
    costs["compute in one process"] = stage("compute")
    whole = digests(work.folder)
    clear(work)
    costs["split"] = stage("split", asked.partitions)
    each = [stage("partition", number) for number in range(asked.partitions)]
    seconds, processor = (sum(getattr(one, what) for one in each) for what in ("seconds", "processor"))
    costs[f"{asked.partitions} partitions, one after another"] = Cost(seconds, processor, max(one.peak for one in each))
    costs["combine"] = stage("combine")
    people = asked.persons / 1e6
    rows = [
        [name, f"{one.seconds:.1f}", f"{one.processor:.1f}", f"{one.peak:,.0f}", f"{one.processor / people:,.0f} s"]
        for name, one in costs.items()
    ]
    print(table(["stage alone", "s", "processor s", "peak MB", "processor per million people"], rows), flush=True)
    print(f"tables: {_same(work, whole)}\n")
    return whole


def _same(work: Work, whole: dict[str, str]) -> str:
    return "the same" if digests(work.folder) == whole else "DIFFERENT"


def in_parts(work: Work, parts: int) -> dict[str, float]:
    """The body of the flow: seconds of each stage."""
    from flows import bureau  # noqa: PLC0415 - after Prefect's settings

    seconds = dict[str, float]()
    stages: dict[str, Any] = {
        "split": lambda: [bureau.split.submit(work, parts, 1)],
        "partitions": lambda: [bureau.compute_part.submit(work, number) for number in range(parts)],
        "combine": lambda: [bureau.combine.submit(work)],
    }
    for name, submit in stages.items():
        since = time.perf_counter()
        for future in submit():
            future.result()
        seconds[name] = time.perf_counter() - since
    return seconds


def on_workers(work: Work, workers: int, parts: int, *, kill: bool) -> tuple[dict[str, float], float, float]:
    """Seconds by stage, processor seconds and the most memory (MB) of a worker; `kill` ends one while it computes."""
    import prefect  # noqa: PLC0415
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415

    with bureau_command.local_cluster(workers) as cluster, cluster.get_client() as client:
        before = sum(used for used, _ in client.run(_used).values())
        killed = threading.Event()
        if kill:
            threading.Thread(target=_kill_one, args=(work, cluster, killed), daemon=True).start()
        runner = DaskTaskRunner(address=cluster.scheduler_address)
        make_flow: Any = prefect.flow
        flow = make_flow(
            in_parts, name="cluster benchmark", persist_result=False, task_runner=runner, validate_parameters=False
        )
        seconds = flow(work, parts)
        assert killed.is_set() == kill
        used = client.run(_used).values()
        return seconds, sum(processor for processor, _ in used) - before, max(peak for _, peak in used)


def _used() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


def _kill_one(work: Work, cluster: Any, killed: threading.Event) -> None:
    """Kill a worker once the first partition is whole and the next ones are under way."""
    from transforms.places import Place  # noqa: PLC0415

    until = time.monotonic() + 600
    while time.monotonic() < until:
        if any(name[0].isdigit() for name in Place.at(work.parts).below()):
            os.kill(min(worker.pid for worker in cluster.workers.values()), signal.SIGKILL)
            killed.set()
            return
        time.sleep(0.05)


def main() -> None:
    """Run every setup over the same book and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("persons", type=int, nargs="?", default=30_000)
    parser.add_argument("partitions", type=int, nargs="?", default=4)
    parser.add_argument("--canonical", type=Path)
    parser.add_argument("--storage")
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["PREFECT_HOME"] = f"{scratch}/prefect"
        from flows import prefect_settings  # noqa: PLC0415

        prefect_settings.prepare(Path(scratch), logging_level="CRITICAL")
        with a_run(Path(scratch), asked) as folder:
            print(f"{asked.persons:,} people, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
            work = work_on(folder, asked.storage)
            whole = alone(work, asked)
            with bureau_command.server():
                _compare(work, asked.partitions, whole)
            clear(work)


def _compare(work: Work, parts: int, whole: dict[str, str]) -> None:
    rows, first = [], 0.0
    for workers, kill in ((1, False), (2, False), (2, True)):
        clear(work)
        seconds, processor, memory = on_workers(work, workers, parts, kill=kill)
        took = sum(seconds.values())
        first = first or took
        name = f"{workers} worker{'s' if workers > 1 else ''}" + (", one killed half-way" if kill else "")
        each = [f"{seconds[stage]:.1f}" for stage in ("split", "partitions", "combine")]
        # what the killed one had used is gone with it
        spent = "" if kill else f"{processor:.1f}"
        rows.append([name, *each, f"{took:.1f}", f"{first / took:.2f}", spent, f"{memory:,.0f}", _same(work, whole)])
    header = [
        "on workers",
        "split s",
        "partitions s",
        "combine s",
        "all s",
        "times as fast",
        "processor s",
        "worker MB",
    ]
    print(table([*header, "tables"], rows))


if __name__ == "__main__":
    main()
