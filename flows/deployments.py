"""The registry of deployments (there is one) and the process that serves them."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import Any

from flows.config import Config
from flows.errors import UsageError

NAME = "rothbook-nightly"


def parameters(config: Config) -> dict[str, Any]:
    """What the scheduled flow is called with: paths as text (Prefect stores JSON), dates left to the day."""
    return {
        "inbox": str(config.inbox.resolve()),
        "out": str(config.out.resolve()),
        "settle_seconds": config.settle_seconds,
        "artifacts": config.artifacts,
        "pgp_home": str(config.pgp_home.resolve()) if config.pgp_home else None,
        "shared": str(config.shared.resolve()) if config.shared else None,
    }


def schedule_options(config: Config) -> dict[str, Any]:
    """Arguments of the deployment: one run at a time, every night."""
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    return {
        "name": NAME,
        "schedule": Cron(config.cron, timezone=config.timezone),
        "parameters": parameters(config),
        "global_limit": 1,
        "entrypoint_type": EntrypointType.MODULE_PATH,
        "description": "Every file of the inbox to workbooks, once a night.",
    }


def serve_nightly(config: Config) -> None:
    """Serve the nightly deployment until interrupted; needs a running Prefect server."""
    _require_server()
    from flows.nightly import nightly

    nightly.serve(**schedule_options(config))


def _require_server() -> None:
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
