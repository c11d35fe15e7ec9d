"""Who is told when a night goes wrong: Prefect automations over notification blocks the firm names.

The server itself watches and tells, so a message goes out even where the nightly service or its machine is gone. Which
block (Slack, Teams, e-mail, any webhook) is configuration; the texts are here and hold no client data: the run's name,
its state, and what to do. The state's own message stays in the Prefect interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flows.errors import UsageError
from flows.operations import Operations

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

#: The tag of every automation made here, and the resource the service's own events are about.
TAG = "rothbook"
#: The event the service emits when there has been no good run for too long.
OVERDUE = "rothbook.overdue"
#: How many beats of a run may stay away before the server takes it for dead.
BEATS = 3

_RUN = "prefect.flow-run"
_ENDED = frozenset(f"{_RUN}.{state}" for state in ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed"))
_WHERE = "The newest good run is still the newest. See the run in the Prefect interface, and OUT/runs on the machine."
_TEXTS = {
    "failed": (
        "Rothbook: tonight's run failed",
        "Run {{ flow_run.name }} ended as {{ flow_run.state.name }} and published nothing. " + _WHERE,
    ),
    "crashed": (
        "Rothbook: tonight's run was killed",
        "The process of run {{ flow_run.name }} is gone and published nothing. The next run starts afresh. " + _WHERE,
    ),
    "late": (
        "Rothbook: tonight's run hasn't started",
        "Run {{ flow_run.name }} was due and hasn't started. Is 'rothbook schedule' running?",
    ),
    "overdue": (
        "Rothbook: no good run for too long",
        "There has been no good run for {{ event.payload.hours }} hours. Workbooks show an older night.",
    ),
}


def find_blocks(client: SyncPrefectClient, asked: Operations) -> dict[str, UUID]:
    """The ids of all blocks the configuration names; a `UsageError` names one that isn't there or can't notify."""
    named = {slug for told in (asked.on_failure, asked.on_crash, asked.on_late) for slug in told}
    return {slug: _find(client, slug) for slug in sorted(named)}


def _find(client: SyncPrefectClient, slug: str) -> UUID:
    from prefect.exceptions import ObjectNotFound

    kind, _, name = slug.partition("/")
    try:
        block = client.read_block_document_by_name(name=name, block_type_slug=kind, include_secrets=False)
    except ObjectNotFound:
        raise UsageError(
            f"[notifications] names the Prefect block '{slug}', and the server has none: make it in the Prefect "
            "interface (Blocks), or see docs/service.md"
        ) from None
    schema = block.block_schema
    if schema is None or "notify" not in schema.capabilities:
        raise UsageError(f"[notifications] names the Prefect block '{slug}', which can't send a notification")
    return block.id


def automations(deployment_id: UUID, blocks: Mapping[str, UUID], asked: Operations) -> list[AutomationCore]:
    """What the server is to watch for: failures, killed runs, late runs, no good run; and runs that have gone quiet."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY

    beat = PREFECT_FLOWS_HEARTBEAT_FREQUENCY.value()
    told = {"failed": asked.on_failure, "crashed": asked.on_crash, "late": asked.on_late, "overdue": asked.on_late}
    made = [
        _automation(what, _trigger(what, deployment_id, asked), _notifications(what, slugs, blocks))
        for what, slugs in told.items()
        if slugs
    ]
    return made + ([_gone_quiet(deployment_id, timedelta(seconds=BEATS * beat))] if beat else [])


def _trigger(what: str, deployment_id: UUID, asked: Operations) -> dict[str, Any]:
    ours = {"match_related": {"prefect.resource.id": f"prefect.deployment.{deployment_id}"}}
    each = {"for_each": {"prefect.resource.id"}}
    if what == "overdue":
        return {"posture": "Reactive", "expect": {OVERDUE}, "match": {"prefect.resource.id": TAG}}
    if what == "late":
        # Prefect calls a run late some seconds after its time; it is worth waking somebody only if it stays away
        within = timedelta(minutes=asked.late_after_minutes)
        expect = {f"{_RUN}.Running", *_ENDED}
        return {"posture": "Proactive", "after": {f"{_RUN}.Late"}, "expect": expect, "within": within, **each, **ours}
    expect = {f"{_RUN}.Crashed"} if what == "crashed" else {f"{_RUN}.Failed", f"{_RUN}.TimedOut"}
    return {"posture": "Reactive", "expect": expect, **each, **ours}


def _notifications(what: str, slugs: tuple[str, ...], blocks: Mapping[str, UUID]) -> list[dict[str, Any]]:
    subject, body = _TEXTS[what]
    return [
        {"type": "send-notification", "block_document_id": blocks[slug], "subject": subject, "body": body}
        for slug in slugs
    ]


def _gone_quiet(deployment_id: UUID, within: timedelta) -> AutomationCore:
    """A run that has stopped beating without an end is crashed: its machine died, or its service did with it."""
    beat = f"{_RUN}.heartbeat"
    trigger = {
        "posture": "Proactive",
        "after": {beat},
        "expect": {beat, *_ENDED},
        "for_each": {"prefect.resource.id"},
        "match_related": {"prefect.resource.id": f"prefect.deployment.{deployment_id}"},
        "within": within,
    }
    action = {"type": "change-flow-run-state", "state": "CRASHED", "message": "The run has gone quiet."}
    return _automation("gone quiet", trigger, [action])


def _automation(what: str, trigger: dict[str, Any], actions: list[dict[str, Any]]) -> AutomationCore:
    from prefect.events.schemas.automations import AutomationCore

    given = {"name": f"rothbook: {what}", "tags": [TAG], "trigger": {"type": "event", **trigger}, "actions": actions}
    return AutomationCore.model_validate(given)


def arrange(client: SyncPrefectClient, deployment_id: UUID, wanted: list[AutomationCore]) -> None:
    """Make the server's automations of this deployment those wanted, and no others.

    They are owned by a resource of our own: what the deployment itself owns, Prefect removes whenever it is applied.
    """
    owner = f"{TAG}.deployment.{deployment_id}"
    client.delete_resource_owned_automations(owner)
    for automation in wanted:
        client.create_automation(automation.model_copy(update={"owner_resource": owner}))
