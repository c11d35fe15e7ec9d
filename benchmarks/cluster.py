"""`make bench-cluster`: one book in one process, then in partitions on 1, 2 and 3 Dask workers, one of them killed.

Prints seconds by stage, the peak memory of a worker and whether every table is the one of one process, to the byte.
Arguments: persons of a made-up book (default 20,000), partitions (default 6). `--canonical DIR` takes the canonical
tables of a book that was read before. Prefect's server is started once and not timed.
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
from benchmarks.yardstick import YEAR
from flows import bureau_command, pipeline
from flows.config import Security
from flows.partitioned import Work
from transforms.partitions import Share

AS_OF, YEARS = date(YEAR, 12, 31), (YEAR,)
LEFT = ("results", "derived", "rothbook.duckdb", ".parts")


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every table of a run."""
    paths = [path for kind in LEFT[:2] for path in sorted((folder / kind).glob("*.parquet"))]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def clear(folder: Path) -> None:
    """Take away what a computation left, for the next one."""
    for name in LEFT:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def a_run(base: Path, asked: argparse.Namespace) -> Iterator[Path]:
    """A run folder whose book has been read."""
    inbox = base / "inbox"
    write_book(inbox, 100 if asked.canonical else asked.persons, seed=1)
    with pipeline.open_run(pipeline.plan(inbox, base / "out", asked.as_of, YEARS)) as folder:
        pipeline.take_in(folder)
        pipeline.read(folder)
        if asked.canonical:
            shutil.rmtree(folder / "canonical")
            shutil.copytree(asked.canonical, folder / "canonical")
        yield folder


def in_parts(folder: Path, parts: int) -> dict[str, float]:
    """The body of the flow: seconds of each stage."""
    from flows import bureau  # noqa: PLC0415 - after Prefect's settings

    work, seconds = Work.of(folder, Security(), Share(threads=1)), dict[str, float]()
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


def on_workers(folder: Path, workers: int, parts: int, *, kill: bool) -> tuple[dict[str, float], int]:
    """Seconds by stage, and the most memory (MB) a worker took; `kill` ends one while it computes."""
    import prefect  # noqa: PLC0415
    from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415

    with bureau_command.local_cluster(workers) as cluster:
        if kill:
            threading.Thread(target=_kill_one, args=(folder, cluster), daemon=True).start()
        runner = DaskTaskRunner(address=cluster.scheduler_address)
        make_flow: Any = prefect.flow
        flow = make_flow(
            in_parts, name="cluster benchmark", persist_result=False, task_runner=runner, validate_parameters=False
        )
        seconds = flow(folder, parts)
        with cluster.get_client() as client:
            memory = max(client.run(_peak).values())
    return seconds, memory


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _kill_one(folder: Path, cluster: Any) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until:
        if any((folder / ".parts").glob("[0-9]*.json")):
            os.kill(min(worker.pid for worker in cluster.workers.values()), signal.SIGKILL)
            return
        time.sleep(0.01)


def main() -> None:
    """Run every setup over the same book and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("persons", type=int, nargs="?", default=20_000)
    parser.add_argument("partitions", type=int, nargs="?", default=6)
    parser.add_argument("--canonical", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, default=AS_OF)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["PREFECT_HOME"] = f"{scratch}/prefect"
        from flows import prefect_settings  # noqa: PLC0415

        prefect_settings.prepare(Path(scratch), logging_level="CRITICAL")
        with bureau_command.server(), a_run(Path(scratch), asked) as folder:
            _compare(folder, asked.partitions)


def _compare(folder: Path, parts: int) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f} at the start, {parts} partitions")
    print(f"{'':28}{'split':>8}{'parts':>8}{'combine':>9}{'all':>8}{'to 1':>7}{'worker MB':>11}  tables")
    started = time.perf_counter()
    pipeline.compute(folder)
    print(f"{'one process, all cores':28}{'':25}{time.perf_counter() - started:8.1f}{'':7}{_peak():11,}")
    whole, alone = digests(folder), 0.0
    for workers, kill in ((1, False), (2, False), (3, False), (2, True)):
        clear(folder)
        seconds, memory = on_workers(folder, workers, parts, kill=kill)
        took = sum(seconds.values())
        alone = alone or took
        same = "the same" if digests(folder) == whole else "DIFFERENT"
        name = f"{workers} worker{'s' if workers > 1 else ''}" + (", one killed" if kill else "")
        stages = f"{seconds['split']:8.1f}{seconds['partitions']:8.1f}{seconds['combine']:9.1f}"
        print(f"{name:28}{stages}{took:8.1f}{alone / took:6.2f}x{memory:11,}  {same}", flush=True)


if __name__ == "__main__":
    main()
