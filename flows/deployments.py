"""The registry of deployments (there is one) and the service that serves it."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, cast

from flows.errors import UsageError
from flows.operations import Operations

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.deployments.runner import RunnerDeployment

FLOW, NAME = "nightly", "rothbook-nightly"


def parameters(asked: Operations) -> dict[str, Any]:
    """What the scheduled flow is called with: paths as text (Prefect stores JSON), dates left to the day."""
    return {
        "inbox": str(asked.inbox),
        "out": str(asked.out),
        "settle_seconds": asked.settle_seconds,
        "artifacts": asked.artifacts,
        "pgp_home": str(asked.pgp_home) if asked.pgp_home else None,
        "shared": str(asked.shared) if asked.shared else None,
        "comes_back": asked.comes_back.facts(),
        "retries": asked.retries,
        "retry_delay_seconds": asked.retry_delay_seconds,
        "timeout_minutes": asked.timeout_minutes,
        "stage_timeout_minutes": asked.stage_timeout_minutes,
        "wait_minutes": asked.timeout_minutes if asked.when_running == "wait" else 0,
    }


def schedule_options(asked: Operations) -> dict[str, Any]:
    """Arguments of the deployment: every night, one run at a time, a second one waiting or skipped."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    meeting = {"wait": ConcurrencyLimitStrategy.ENQUEUE, "skip": ConcurrencyLimitStrategy.CANCEL_NEW}
    return {
        "name": NAME,
        "schedule": Cron(asked.cron, timezone=asked.timezone),
        "parameters": parameters(asked),
        "concurrency_limit": ConcurrencyLimitConfig(limit=1, collision_strategy=meeting[asked.when_running]),
        "entrypoint_type": EntrypointType.MODULE_PATH,
        "description": "Every file of the inbox to workbooks, once a night.",
    }


def serve_nightly(asked: Operations) -> None:
    """Serve the nightly deployment until interrupted; needs a running Prefect server.

    Before that, tell the server who is to be told of what, and put right what an earlier service left behind.
    """
    require_server()
    from prefect import serve
    from prefect.client.orchestration import get_client

    from flows import notify, recovery, watch
    from flows.nightly import nightly

    deployment = cast("RunnerDeployment", nightly.to_deployment(**schedule_options(asked)))
    with get_client(sync_client=True) as client:
        blocks = notify.find_blocks(client, asked)
        deployment_id = cast("UUID", deployment.apply())
        notify.arrange(client, deployment_id, notify.automations(deployment_id, blocks, asked))
        recovery.tidy(client, deployment_id, asked.out)
    watch.start(deployment_id, asked)
    # a service that stops must not pause the schedule: nobody would notice that the night's run never comes
    serve(deployment, pause_on_shutdown=False)


def require_server() -> None:
    """Raise `UsageError`, saying how to start one, unless a Prefect server answers at PREFECT_API_URL."""
    url = os.environ.get("PREFECT_API_URL")
    how = (
        "start one with '.venv/bin/prefect server start' and set PREFECT_API_URL=http://127.0.0.1:4200/api,"
        " or call 'rothbook run --config' from cron instead"
    )
    if not url:
        raise UsageError(f"a schedule needs a running Prefect server and PREFECT_API_URL is not set: {how}")
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"PREFECT_API_URL must be an http(s) address: {how}")
    try:
        urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=10).close()  # noqa: S310 - scheme checked above  # nosec B310
    except (urllib.error.URLError, OSError):
        raise UsageError(f"no Prefect server answers at PREFECT_API_URL: {how}") from None
