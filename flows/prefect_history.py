"""What Prefect's own database, `OUT/prefect`, still tells of runs, and the removal of what is too old.

Only for `rothbook run` without a server, which keeps its database there; a server of the firm's has a retention of its
own (docs/service.md). Prefect's own functions find and remove, straight on the file: no server is started for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from transforms.folders import listed

if TYPE_CHECKING:
    from prefect.server.database import PrefectDBInterface

T = TypeVar("T")
#: As `flows.prefect_settings` has Prefect name them.
FOLDER, DATABASE, FAILURES = "prefect", "prefect.db", "storage"


def runs_before(out: Path, day: date) -> tuple[str, ...]:
    """The ids of the flow runs that were to begin before `day` (UTC), whatever became of them, sorted."""
    path = out / FOLDER / DATABASE
    return _with_database(path, lambda db: _found(db, _midnight(day))) if path.exists() else ()


def failures_before(out: Path, day: date) -> tuple[str, ...]:
    """The names of the files Prefect kept the exceptions of failed runs in before `day` (UTC), sorted."""
    files = (path for path in listed(out / FOLDER / FAILURES) if path.is_file())
    return tuple(path.name for path in files if path.stat().st_mtime < _midnight(day).timestamp())


def remove(out: Path, flow_runs: tuple[str, ...], failures: tuple[str, ...]) -> None:
    """Remove flow runs with their task runs, states, logs and artifacts, and files of `failures_before`."""
    if flow_runs:
        _with_database(out / FOLDER / DATABASE, lambda db: _removed(db, [UUID(each) for each in flow_runs]))
    for name in failures:
        (out / FOLDER / FAILURES / name).unlink(missing_ok=True)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _with_database(path: Path, ask: Callable[[PrefectDBInterface], Coroutine[Any, Any, T]]) -> T:
    """What `ask` says of the SQLite file at `path`, whatever database Prefect would otherwise use."""
    from flows import prefect_settings

    os.environ.setdefault("PREFECT_HOME", str(path.parent))
    prefect_settings.prepare(path.parent.parent, logging_level="CRITICAL")
    from prefect.server.database.configurations import AioSqliteConfiguration
    from prefect.server.database.dependencies import (
        provide_database_interface,
        temporary_database_config,
        temporary_orm_config,
        temporary_query_components,
    )
    from prefect.server.database.orm_models import AioSqliteORMConfiguration
    from prefect.server.database.query_components import AioSqliteQueryComponents

    config = AioSqliteConfiguration(connection_url=f"sqlite+aiosqlite:///{path.resolve()}")

    async def asked() -> T:
        try:
            return await ask(provide_database_interface())
        finally:
            await (await config.engine()).dispose()

    with (
        temporary_database_config(config),
        temporary_query_components(AioSqliteQueryComponents()),
        temporary_orm_config(AioSqliteORMConfiguration()),
    ):
        return asyncio.run(asked())


async def _found(db: PrefectDBInterface, before: datetime) -> tuple[str, ...]:
    from prefect.server.models import flow_runs
    from prefect.server.schemas.filters import FlowRunFilter

    models: Any = flow_runs  # Prefect hands the database on in a way its own annotations don't tell
    earlier = FlowRunFilter.model_validate({"expected_start_time": {"before_": before}})
    async with db.session_context() as session:
        return tuple(sorted(str(run.id) for run in await models.read_flow_runs(session, flow_run_filter=earlier)))


async def _removed(db: PrefectDBInterface, old: list[UUID]) -> None:
    from prefect.server.models import flow_runs
    from prefect.server.services.db_vacuum import (
        vacuum_orphaned_artifacts,
        vacuum_orphaned_logs,
        vacuum_stale_artifact_collections,
    )

    models: Any = flow_runs
    async with db.session_context(begin_transaction=True) as session:
        await models.delete_flow_runs(session, old)
    for vacuum in (vacuum_orphaned_logs, vacuum_orphaned_artifacts, vacuum_stale_artifact_collections):
        await vacuum(db=db)
