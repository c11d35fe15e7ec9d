"""The nights of many firms as one Prefect flow on a Dask cluster: firm beside firm, and a large firm in partitions.

A task is a plain function of `flows.partitioned` or `flows.pipeline` and a path that every worker sees; Dask decides
where it runs and gives it to another worker when one is lost, Prefect tries a failed one again. Neither is handed a
row: no result is kept, and a failure arrives as `StageFailed`, already scrubbed. This process holds each firm's lock
and run folder from beginning to end, so a firm that fails is taken away whole and the others go on.
"""

# No `from __future__ import annotations` here, as in flows/nightly.py.
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture

from flows import nightly, partitioned, pipeline
from flows.errors import RothbookError, StageFailed, scrub
from flows.firm_key import found
from flows.firms import Firm, gathered
from flows.partitioned import Work
from flows.run_folder import RunFolder
from limits.load import UnknownTaxYear
from transforms.keys import Handed, KeyTrouble, handed
from transforms.partitions import Share

#: How many firms are under way at once: each holds a lock, and the next is taken in while the first are computed.
AT_ONCE = 200
#: How often a task is tried again, and after how many seconds: a share that hung a moment, a full scratch disk.
RETRIES, RETRY_DELAY_SECONDS = 2, 5.0
_PLAIN: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False, "log_prints": False}
_AGAIN: dict[str, Any] = {**_PLAIN, "retries": RETRIES, "retry_delay_seconds": RETRY_DELAY_SECONDS}


@task(name="take in", retry_condition_fn=nightly.waiting_helps, **_AGAIN)
def take_in(work: Work) -> None:
    """Copy what arrived into the archive."""
    partitioned.anew(work, "take in", pipeline.take_in)


@task(name="read", retry_condition_fn=nightly.waiting_helps, **_AGAIN)
def read(work: Work) -> None:
    """Read the firm's book into canonical tables."""
    partitioned.anew(work, "read", pipeline.read)


@task(name="split", **_AGAIN)
def split(work: Work, most: int, people_each: int) -> None:
    """Link the book and write its partitions."""
    partitioned.anew(work, "split", lambda _: partitioned.split(work, most, people_each))


@task(name="compute partition", **_AGAIN)
def compute_part(work: Work, number: int) -> None:
    """Compute one partition."""
    partitioned.anew(work, "compute partition", lambda _: partitioned.compute_part(work, number))


@task(name="combine", **_AGAIN)
def combine(work: Work) -> None:
    """Put the partitions together."""
    partitioned.anew(work, "combine", lambda _: partitioned.combine(work))


@task(name="report", **_PLAIN)
def report(work: Work) -> None:
    """Write the workbooks."""
    partitioned.anew(work, "report", pipeline.report)


@task(name="publish", **_PLAIN)
def publish(work: Work) -> None:
    """Rename the run and point `latest` at it."""
    partitioned.anew(work, "publish", partitioned.publish)


@dataclass(frozen=True)
class Told:
    """What came of a firm's night: its published run, or why there is none, and why partitions are left."""

    firm: str
    run: Path | None = None
    failure: str | None = None
    left: str | None = None


@dataclass(frozen=True)
class _Night:
    firm: str
    held: ExitStack
    key: Handed
    work: Work
    tasks: list[PrefectFuture[Any]]


@flow(name="bureau", persist_result=False, log_prints=False)
def bureau(
    firms: list[Path],
    as_of: date | None = None,
    tax_years: list[int] | None = None,
    *,
    most: int = 1,
    people_each: int = 20_000,
    share: Share = Share(),  # noqa: B008 - it can't be changed
    storage: str | None = None,
) -> list[Told]:
    """Run the night of every firm; `firms` are folders, which every worker sees by that path (`flows.firms`).

    A book is computed in at most `most` partitions, of about `people_each` persons or more, which lie in the run folder
    or in `storage`, a URL that fsspec understands, for as long as the night takes. Returns what came of each firm, in
    the order given; a firm that fails leaves its newest good run as it was.
    """
    told: list[Told] = []
    under_way: deque[_Night | Told] = deque()
    for folder, firm in gathered(firms).items():
        if len(under_way) == AT_ONCE:
            told.append(_finish(under_way.popleft()))
        if isinstance(firm, Firm):
            under_way.append(_begin(firm, as_of, tax_years, (most, people_each, share, storage)))
        else:
            under_way.append(Told(folder.name, failure=str(firm)))
    return told + [_finish(night) for night in under_way]


def _begin(
    firm: Firm, as_of: date | None, tax_years: Sequence[int] | None, how: tuple[int, int, Share, str | None]
) -> _Night | Told:
    (most, people_each, share, storage), name = how, firm.folder.name
    try:
        key = found(firm.settings.security)
        with handed(key), ExitStack() as opening:
            folder = opening.enter_context(pipeline.open_run(firm.night(as_of, tax_years)))
            work = Work.of(folder, firm.settings.security, share, storage)
            work.clear()
            held = opening.pop_all()
    except (RothbookError, UnknownTaxYear, KeyTrouble) as error:
        return Told(name, failure=str(error))
    except Exception as error:  # noqa: BLE001 - one firm's trouble, whatever it is, isn't the others'
        return Told(name, failure=str(scrub("begin the night", error)))
    return _Night(name, held, key, work, _submit(work, most, people_each))


def _submit(work: Work, most: int, people_each: int) -> list[PrefectFuture[Any]]:
    """Every task of the night, each waiting for those before it."""
    asked: list[PrefectFuture[Any]] = []

    def then(stage: Any, *more: Any) -> PrefectFuture[Any]:
        future: PrefectFuture[Any] = stage.submit(work, *more, wait_for=list(asked))
        return future

    for stage, *more in ((take_in,), (read,), (split, most, people_each)):
        asked.append(then(stage, *more))
    # beside one another: each waits for what is before all of them
    asked += [then(compute_part, number) for number in range(most)]
    for stage in (combine, report, publish):
        asked.append(then(stage))
    return asked


def _finish(night: _Night | Told) -> Told:
    """Wait for a firm's tasks; the first that failed says why, and the run folder goes."""
    if isinstance(night, Told):
        return night
    left = None
    try:
        with handed(night.key), night.held:
            try:
                _wait(night.tasks)
            finally:
                left = _clear(night.work)
    except RothbookError as failure:
        return Told(night.firm, failure=str(failure), left=left)
    return Told(night.firm, run=RunFolder(night.work.folder).final, left=left)


def _clear(work: Work) -> str | None:
    """Take the partitions away; what failed, if it did, for the run may be published already."""
    try:
        work.clear()
    except StageFailed as failure:
        return str(failure)
    return None


def _wait(tasks: list[PrefectFuture[Any]]) -> None:
    failure = None
    for future in tasks:
        try:
            future.result()
        except StageFailed as failed:
            failure = failed
        except Exception as error:  # noqa: BLE001 - a task that hung on a failed one, or a cluster that went away
            failure = scrub("run on the cluster", error)
        if failure:
            break
    for future in tasks if failure else ():
        future.wait()  # nobody may still write into a folder that is taken away
    if failure:
        raise failure
