"""What the service does beside running flows: looking into the inbox for arrivals, and at the last good run's age.

Both are threads of `rothbook schedule`. A look costs a directory listing; nothing is read.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from flows import notify, overdue
from flows.operations import Operations

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

Look: TypeAlias = "frozenset[tuple[str, int, int]]"

#: The tag of a run that an arrival started.
ARRIVAL = "arrival"
_LOG = logging.getLogger("rothbook")
_OVERDUE_EVERY_SECONDS = 900.0
_FEWEST_SECONDS_BETWEEN_LOOKS = 1.0


class Settling:
    """Says when the inbox has been still for `quiet` seconds and holds something new.

    What is there at the first look is nothing new: it is the night's business. Files that only go away aren't either.
    """

    def __init__(self, quiet: float) -> None:
        self._quiet = quiet
        self._known: Look | None = None
        self._seen: Look = frozenset()
        self._since = 0.0

    def due(self, seen: Look, now: float) -> bool:
        """True if a run should be asked for; `now` is a monotonic time in seconds."""
        if self._known is None:
            self._known = self._seen = seen
        if seen != self._seen:
            self._seen, self._since = seen, now
        return not seen <= self._known and now - self._since >= self._quiet

    def asked(self) -> None:
        """A run has been asked for: what was last seen is nothing new any more."""
        self._known = self._seen


def listing(inbox: Path) -> Look:
    """Name, size and modification time of every file a run would take in; raises `OSError` if the share is away."""
    return frozenset(_files(inbox))


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    from transforms.intake.register import LOCK_FILE, UNFINISHED

    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", LOCK_FILE)) or entry.is_symlink():
                continue
            if entry.is_dir():
                yield from _files(Path(entry.path))
            elif not entry.name.lower().endswith(UNFINISHED):
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns


def start(deployment_id: UUID, asked: Operations) -> None:
    """Start the watching threads; they end with the process."""
    if asked.on_arrival:
        settling = Settling(asked.arrival_quiet_seconds)
        pause = max(_FEWEST_SECONDS_BETWEEN_LOOKS, min(10.0, asked.arrival_quiet_seconds / 4))
        _every(pause, lambda: _arrivals(settling, deployment_id, asked.inbox))
    if asked.on_late:
        _every(_OVERDUE_EVERY_SECONDS, _Overdue(asked.out, asked.overdue_after_hours).look)


def _every(pause: float, act: Callable[[], None]) -> None:
    def go_on() -> None:
        while True:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - a share or server that is away now may be back at the next look
                _LOG.warning("the watcher couldn't look or tell: %s", type(error).__name__)
            time.sleep(pause)

    threading.Thread(target=go_on, daemon=True).start()


def _arrivals(settling: Settling, deployment_id: UUID, inbox: Path) -> None:
    if settling.due(listing(inbox), time.monotonic()):
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            start_run(client, deployment_id)
        settling.asked()


def start_run(client: SyncPrefectClient, deployment_id: UUID) -> bool:
    """Ask for a run now, unless one an arrival asked for hasn't begun yet: that one will take in all there is."""
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    waiting = client.read_flow_runs(
        deployment_filter=filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment_id])),
        flow_run_filter=filters.FlowRunFilter(
            tags=filters.FlowRunFilterTags(all_=[ARRIVAL]),
            state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        ),
    )
    if waiting:
        return False
    client.create_flow_run_from_deployment(deployment_id, tags=[ARRIVAL])
    _LOG.info("files have arrived and settled: a run was asked for")
    return True


class _Overdue:
    """Tells once a day, while it lasts, that there has been no good run for too long."""

    def __init__(self, out: Path, hours: int) -> None:
        self._out, self._hours = out, hours
        self._told: datetime | None = None

    def look(self) -> None:
        now = datetime.now(UTC)
        if overdue.last_good(self._out) is None or overdue.overdue(self._out, self._hours, now) is None:
            self._told = None
        elif self._told is None or now - self._told >= timedelta(days=1):
            from prefect.events import emit_event

            emit_event(notify.OVERDUE, resource={"prefect.resource.id": notify.TAG}, payload={"hours": self._hours})
            self._told = now
