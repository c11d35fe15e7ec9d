"""What the nightly service takes from the configuration, in one place: when, how patiently, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows.config import Settings
from schemas.marks import ComesBack


@dataclass(frozen=True)
class Operations:
    """How the nightly deployment behaves. Blocks are slugs of Prefect notification blocks, `type/name`."""

    cron: str
    timezone: str
    inbox: Path
    out: Path
    shared: Path | None
    settle_seconds: float
    pgp_home: Path | None
    comes_back: ComesBack
    artifacts: bool
    retries: int
    retry_delay_seconds: float
    timeout_minutes: int
    stage_timeout_minutes: int
    when_running: Literal["wait", "skip"]
    late_after_minutes: int
    overdue_after_hours: int
    on_arrival: bool
    arrival_quiet_seconds: float
    on_failure: tuple[str, ...]
    on_crash: tuple[str, ...]
    on_late: tuple[str, ...]


def of(settings: Settings) -> Operations:
    """The service the configuration describes; raises `UsageError` where it names no folders."""
    schedule, prefect, told = settings.schedule, settings.prefect, settings.notifications
    return Operations(
        cron=schedule.cron,
        timezone=schedule.timezone,
        inbox=settings.inbox_folder(),
        out=settings.out_folder(),
        shared=settings.folders.shared,
        settle_seconds=settings.intake.settle_seconds,
        pgp_home=settings.intake.pgp_home,
        comes_back=settings.marks.comes_back(),
        artifacts=prefect.artifacts,
        retries=prefect.retries,
        retry_delay_seconds=prefect.retry_delay_seconds,
        timeout_minutes=prefect.timeout_minutes,
        stage_timeout_minutes=prefect.stage_timeout_minutes,
        when_running=prefect.when_running,
        late_after_minutes=schedule.late_after_minutes,
        overdue_after_hours=schedule.overdue_after_hours,
        on_arrival=schedule.on_arrival,
        arrival_quiet_seconds=schedule.arrival_quiet_seconds,
        on_failure=told.on_failure,
        on_crash=told.on_failure if told.on_crash is None else told.on_crash,
        on_late=told.on_late,
    )
