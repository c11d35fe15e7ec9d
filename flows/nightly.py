"""The nightly run as a Prefect flow: the stages of `flows.pipeline`, each wrapped in a task that passes a path.

Only reading the inbox is tried again, because only there can waiting help. Every stage has a time limit, and all of
them together have one. Prefect keeps no result and sees no client data: parameters are paths, dates and numbers, and a
failure arrives as `StageFailed`, already scrubbed.
"""

# No `from __future__ import annotations` here: a scheduled run loads this file without registering it as a module, and
# Prefect could then not tell what the annotations of the flow's parameters mean.
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from prefect import Task, flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from flows import notices, pipeline, reaching
from flows.errors import Busy, RothbookError, StageFailed, scrub
from flows.run_folder import RunFolder, latest
from limits.load import UnknownTaxYear
from schemas.marks import COMES_BACK, ComesBack

#: How often a run that found another one writing looks again.
LOOK_AGAIN_SECONDS = 5.0
#: Until a retry waits as long as this, each waits twice as long as the one before.
LONGEST_DELAY_SECONDS = 600.0


def waiting_helps(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """True where a task failed because the inbox couldn't be read; a time limit or anything else is final."""
    return isinstance(state.data, StageFailed) and state.data.waiting_helps


@task(name="reach the inbox", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def reach(inbox: Path) -> None:
    """Look into the inbox, which may be a share that isn't mounted yet."""
    reaching.reach(inbox)


@task(name="take in", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def take_in(folder: Path) -> None:
    """Copy what arrived into the archive."""
    pipeline.take_in(folder)


@task(name="read", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def read(folder: Path) -> None:
    """Read the whole book into canonical tables."""
    pipeline.read(folder)


@task(name="compute", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def compute(folder: Path) -> None:
    """Compute the result tables."""
    pipeline.compute(folder)


@task(name="report", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def report(folder: Path) -> None:
    """Write the workbooks."""
    pipeline.report(folder)


@task(name="publish", cache_policy=NO_CACHE, persist_result=False, log_prints=False)
def publish(folder: Path) -> Path:
    """Rename the run and point `latest` at it."""
    return pipeline.publish(folder)


@flow(name="nightly", persist_result=False, log_prints=False)
def nightly(
    inbox: Path,
    out: Path,
    as_of: date | None = None,
    tax_years: list[int] | None = None,
    settle_seconds: float = pipeline.SETTLE_SECONDS,
    *,
    artifacts: bool = True,
    pgp_home: Path | None = None,
    shared: Path | None = None,
    comes_back: dict[str, Any] | None = None,
    retries: int = 2,
    retry_delay_seconds: float = 5.0,
    timeout_minutes: float = 240.0,
    stage_timeout_minutes: float = 120.0,
    wait_minutes: float = 0.0,
) -> Path:
    """Run the book once; returns the published run folder.

    Reading the inbox is tried `retries` times more, after `retry_delay_seconds` and then twice as long each time. A
    stage ends as TimedOut after `stage_timeout_minutes`, the run after `timeout_minutes`. Where another run is writing
    to `out`, this one waits for it up to `wait_minutes`. `comes_back` holds the thresholds of `[marks]`.
    """
    stages = _Stages(
        deadline=time.monotonic() + 60 * timeout_minutes,
        longest=60 * stage_timeout_minutes,
        delays=[min(retry_delay_seconds * 2**tried, LONGEST_DELAY_SECONDS) for tried in range(retries)],
        progress=notices.Progress(shown=artifacts),
    )
    try:
        stages.run(reach, inbox, patient=True)
        marks = ComesBack.of(comes_back) if comes_back else COMES_BACK
        night = pipeline.plan(
            inbox, out, as_of, tax_years, settle_seconds, pgp_home=pgp_home, shared=shared, comes_back=marks
        )
        published = _run(stages, night, patience=60 * wait_minutes)
    except (RothbookError, UnknownTaxYear, TimeoutError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold client data and Prefect stores it
        failure = scrub("run the book", error)
    else:
        if artifacts:
            notices.leave_summary(published)
        return published
    raise failure  # outside the handler, so that it carries no reference to the original


def _run(stages: "_Stages", night: pipeline.Night, patience: float) -> Path:
    with ExitStack() as stack:
        folder = _alone(stack, night, patience)
        stages.run(take_in, folder, patient=True)
        for stage in (read, compute, report):
            stages.run(stage, folder)
        try:
            published: Path = stages.run(publish, folder)
        except TimeoutError:
            # the shared folder hung, but the run itself was out by then: that is what counts
            published = RunFolder(folder).final
            if latest(night.out) != published:
                raise
    return published


def _alone(stack: ExitStack, night: pipeline.Night, patience: float) -> Path:
    """The folder of a new run, once no other run is writing; raises `Busy` when patience (seconds) has run out."""
    until = time.monotonic() + patience
    while True:
        try:
            return stack.enter_context(pipeline.open_run(night))
        except Busy:
            if time.monotonic() >= until:
                raise
        time.sleep(min(LOOK_AGAIN_SECONDS, patience))


@dataclass(frozen=True)
class _Stages:
    """How the tasks of one run are called: until when, how patiently, and who is shown how far it got."""

    deadline: float
    longest: float
    delays: list[float]
    progress: notices.Progress

    def run(self, stage: Task[[Path], Any], path: Path, *, patient: bool = False) -> Any:
        """Call the task with what is left of the run's time; a patient one is tried again where waiting helps."""
        left = max(0.001, self.deadline - time.monotonic())
        options: dict[str, Any] = {"timeout_seconds": min(left, self.longest)}
        if patient and self.delays:
            options |= {
                "retries": len(self.delays),
                "retry_delay_seconds": self.delays,
                "retry_condition_fn": waiting_helps,
            }
        started = time.monotonic()
        try:
            done = stage.with_options(**options)(path)
        except StageFailed as failure:
            # a library that was interrupted at the limit may have made another error of it
            if failure.waiting_helps or time.monotonic() - started < options["timeout_seconds"]:
                raise
            raise TimeoutError(f"{stage.name}: over its time limit") from None
        self.progress.finished(stage.name)
        return done
