"""The nightly run as a Prefect flow: the stages of `flows.pipeline`, each wrapped in a task that passes a path.

Only taking files in is retried, because only there can waiting help. Prefect keeps no result and sees no client data:
parameters are paths, dates and years, and a failure arrives as `StageFailed`, already scrubbed.
"""

# No `from __future__ import annotations` here: a scheduled run loads this file without registering it as a module, and
# Prefect could then not tell what the annotations of the flow's parameters mean.
from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import pipeline


@task(name="take in", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=5, persist_result=False, log_prints=False)
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
) -> Path:
    """Run the book once; returns the published run folder."""
    night = pipeline.plan(inbox, out, as_of, tax_years, settle_seconds, pgp_home=pgp_home, shared=shared)
    with pipeline.open_run(night) as folder:
        for stage in (take_in, read, compute, report):
            stage(folder)
        published = publish(folder)
    if artifacts:
        _leave_summary(published)
    return published


def _leave_summary(published: Path) -> None:
    from flows import summary

    create_markdown_artifact(
        summary.markdown(published), key="rothbook-nightly", description="Counts of the newest run"
    )
