"""What a run leaves in the Prefect interface: how far it got and, at the end, counts. No name, no path, no amount.

An artifact is a courtesy: where the server doesn't take it, the run goes on and a line in its log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

#: Keys of the artifacts: the newest of a key is what the interface shows first.
PROGRESS, RESULT = "rothbook-progress", "rothbook-nightly"
#: How far a run is, in percent, when a task has ended; from the seconds they take over a large book.
_PERCENT = {"reach the inbox": 0.0, "take in": 10.0, "read": 45.0, "compute": 75.0, "report": 99.0, "publish": 100.0}


class Progress:
    """A progress artifact of one flow run, made when the first task has ended."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._artifact: UUID | None = None

    def finished(self, stage: str) -> None:
        """Show that a task has ended."""
        if self._shown:
            _courtesy(self._show, _PERCENT[stage], stage)

    def _show(self, percent: float, stage: str) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        if self._artifact is None:
            made: Any = create_progress_artifact(percent, key=PROGRESS, description=f"done: {stage}")
            self._artifact = made
        else:
            update_progress_artifact(self._artifact, percent, description=f"done: {stage}")


def leave_summary(published: Path) -> None:
    """A table of counts of the published run."""
    from flows import summary

    _courtesy(_leave, summary.markdown(published))


def _leave(markdown: str) -> None:
    from prefect.artifacts import create_markdown_artifact

    create_markdown_artifact(markdown, key=RESULT, description="Counts of the newest run")


def _courtesy(act: Callable[..., None], *arguments: Any) -> None:
    try:
        act(*arguments)
    except Exception as error:  # noqa: BLE001 - a night's work isn't lost because a picture of it can't be kept
        logging.getLogger("rothbook").warning("the Prefect server didn't take an artifact: %s", type(error).__name__)
