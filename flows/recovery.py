"""What a service that starts puts right after one that died: runs nobody works on any more, nights missed, slots held.

On disk nothing needs doing: the lock of OUT is the process's own and dies with it, and a new run removes the partial
folders of dead ones. Prefect's server, though, still believes what it was last told.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flows.errors import Busy
from flows.run_folder import exclusive

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

_LOG = logging.getLogger("rothbook")
_AT_WORK = ("PENDING", "RUNNING", "CANCELLING")


def tidy(client: SyncPrefectClient, deployment_id: UUID, out: Path) -> None:
    """Call dead runs crashed and give back their slot, unless a run is writing to `out` now; keep one missed night.

    Must be called before the service begins to start runs of its own.
    """
    if _nobody_writes(out):
        for run in _runs(client, deployment_id, *_AT_WORK):
            _end(client, run, "CRASHED", "its process was gone when the service started")
        _free_slots(client, deployment_id)
    missed = [run for run in _runs(client, deployment_id, "SCHEDULED") if run.state_name == "Late"]
    for run in sorted(missed, key=_due)[:-1]:
        _end(client, run, "CANCELLED", "a later night was missed too, and its run does the work of this one")


def _nobody_writes(out: Path) -> bool:
    try:
        with exclusive(out):
            return True
    except Busy:
        return False


def _runs(client: SyncPrefectClient, deployment_id: UUID, *states: str) -> list[FlowRun]:
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    ours = filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[deployment_id]))
    kinds = filters.FlowRunFilterStateType(any_=[StateType(state) for state in states])
    found = client.read_flow_runs(
        deployment_filter=ours, flow_run_filter=filters.FlowRunFilter(state=filters.FlowRunFilterState(type=kinds))
    )
    return list(found)


def _due(run: FlowRun) -> Any:
    return run.next_scheduled_start_time


def _end(client: SyncPrefectClient, run: FlowRun, state: str, why: str) -> None:
    from prefect.client.schemas.objects import State, StateType

    client.set_flow_run_state(run.id, State(type=StateType(state), message=why))
    _LOG.warning("run %s is now %s: %s", run.name, state.lower(), why)


def _free_slots(client: SyncPrefectClient, deployment_id: UUID) -> None:
    """Give back the deployment's slot where the server lost who held it: it keeps leases in memory, slots on disk."""
    from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

    limit = client.read_deployment(deployment_id).global_concurrency_limit
    if limit is not None and limit.active_slots:
        client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
