"""The registry of deployments (there is one) and the process that serves them."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import Any

from flows.config import Settings
from flows.errors import UsageError

NAME = "rothbook-nightly"


def parameters(config: Settings) -> dict[str, Any]:
    """What the scheduled flow is called with: paths as text (Prefect stores JSON), dates left to the day."""
    return {
        "inbox": str(config.inbox_folder()),
        "out": str(config.out_folder()),
        "settle_seconds": config.intake.settle_seconds,
        "artifacts": config.prefect.artifacts,
        "pgp_home": str(config.intake.pgp_home) if config.intake.pgp_home else None,
        "shared": str(config.folders.shared) if config.folders.shared else None,
    }


def schedule_options(config: Settings) -> dict[str, Any]:
    """Arguments of the deployment: one run at a time, every night."""
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    return {
        "name": NAME,
        "schedule": Cron(config.schedule.cron, timezone=config.schedule.timezone),
        "parameters": parameters(config),
        "global_limit": 1,
        "entrypoint_type": EntrypointType.MODULE_PATH,
        "description": "Every file of the inbox to workbooks, once a night.",
    }


def serve_nightly(config: Settings) -> None:
    """Serve the nightly deployment until interrupted; needs a running Prefect server."""
    require_server()
    from flows.nightly import nightly

    nightly.serve(**schedule_options(config))


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
