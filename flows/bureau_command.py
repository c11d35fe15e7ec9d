"""`rothbook bureau`: the nights of many firms on worker processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.errors import UsageError

if TYPE_CHECKING:
    from flows.bureau import Told
    from transforms.partitions import Share

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

_OK, _FAILED = 0, 3


def add(commands: Commands, day: Callable[[str], date], year: Callable[[str], int]) -> None:
    """Add the command to the parser."""
    bureau = commands.add_parser("bureau", help="run the books of many firms on several worker processes or machines")
    bureau.add_argument(
        "--firms", metavar="DIR", type=Path, required=True, help="a folder for each firm, with inbox/ or rothbook.toml"
    )
    where = bureau.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=int, default=2, help="worker processes here (default: 2)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that sees the same folders")
    bureau.add_argument("--partitions", metavar="N", type=int, default=1, help="most partitions of one firm's book")
    bureau.add_argument("--people-each", metavar="N", type=int, default=20_000, help="fewest persons of a partition")
    bureau.add_argument("--threads", metavar="N", type=int, help="cores one task may take (default: 1)", default=1)
    bureau.add_argument("--memory", metavar="SIZE", help="memory DuckDB may take in one task, such as 4GB")
    bureau.add_argument("--storage", metavar="URL", help="where partitions lie meanwhile, such as s3://bucket/folder")
    bureau.add_argument("--as-of", metavar="DATE", type=day, help="'today' of the runs, YYYY-MM-DD (default: today)")
    bureau.add_argument("--tax-year", metavar="YYYY", type=year, action="append", help="may be repeated")
    bureau.set_defaults(command=_bureau)


def _bureau(asked: argparse.Namespace) -> int:
    from flows.firms import firms_in

    firms = firms_in(asked.firms)
    for option in ("workers", "partitions", "people_each", "threads"):
        if getattr(asked, option) < 1:
            raise UsageError(f"--{option.replace('_', '-')} must be at least 1")
    if find_spec("prefect_dask") is None:
        raise UsageError(
            "bureau needs the packages of the group 'cluster', which a firm of its own doesn't: install prefect-dask"
            " and distributed in the versions of requirements-dev.lock"
        )
    if asked.scheduler and "PREFECT_API_URL" not in os.environ:
        raise UsageError("--scheduler needs PREFECT_API_URL: the Prefect server that every worker can reach")
    _check_storage(asked.storage)
    from flows import prefect_settings
    from transforms.partitions import Share

    prefect_settings.prepare(asked.firms, logging_level="CRITICAL")
    told = run(firms, asked, Share(asked.threads, asked.memory))
    print("\n".join(map(_line, told)))
    return max(map(_code, told), default=_OK)


def _check_storage(url: str | None) -> None:
    from transforms.places import Place

    if url is None:
        return
    try:
        place = Place.at(url)
    except ValueError as error:
        raise UsageError(f"--storage: {error}") from None
    if not place.remote:
        raise UsageError("--storage must be the URL of a storage, such as s3://bucket/folder; a disk needs no option")


def run(firms: list[Path], asked: argparse.Namespace, share: Share) -> list[Told]:
    """Run the flow on the cluster that is asked for."""
    from prefect_dask.task_runners import DaskTaskRunner

    with server(), _address(asked) as address:
        from flows.bureau import bureau

        runner: Any = DaskTaskRunner(address=address)
        return bureau.with_options(task_runner=runner)(
            firms,
            asked.as_of,
            asked.tax_year,
            most=asked.partitions,
            people_each=asked.people_each,
            share=share,
            storage=asked.storage,
        )


@contextmanager
def server() -> Iterator[None]:
    """The Prefect server of the environment, or one for as long as the flow runs: all workers must find the same."""
    if "PREFECT_API_URL" in os.environ:
        yield
        return
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL, temporary_settings

    server = SubprocessASGIServer()
    server.start(timeout=300)  # a busy machine takes its time
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            yield
    finally:
        server.stop()


@contextmanager
def _address(asked: argparse.Namespace) -> Iterator[str]:
    """The scheduler of the cluster that is asked for."""
    if asked.scheduler:
        yield asked.scheduler
        return
    with local_cluster(asked.workers) as cluster:
        yield cluster.scheduler_address


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Worker processes on this machine, one task at a time each, that nobody else can talk to."""
    import dask
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a failure is told once, by this program
    with (
        tempfile.TemporaryDirectory(prefix="rothbook-") as scratch,
        # workbooks are written by processes of their own, which a daemon may not have
        dask.config.set({"distributed.worker.daemon": False, "logging.distributed": "critical"}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0",
            memory_limit=0, local_directory=scratch, silence_logs=logging.CRITICAL,
        ) as cluster,
    ):  # fmt: skip
        yield cluster


def _code(told: Told) -> int:
    from flows import summary

    return _FAILED if told.run is None else max(summary.exit_code(told.run), int(bool(told.left)))


def _line(told: Told) -> str:
    left = f"; partitions may be left, until its next night: {told.left}" if told.left else ""
    if told.run is None:
        return f"{told.firm}: {told.failure}; the newest good run is still the newest{left}"
    return f"{told.firm}: {told.run.name}, exit code {_code(told)}{left}"
