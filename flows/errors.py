"""What may be said about a failure: messages of our own, never the text of somebody else's exception.

Exceptions of Polars, Pandera or DuckDB quote cells, and cells hold names and tax ids. So a failed stage is told by
stage and exception type, and its trace by file, line and function.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from limits.load import UnknownTaxYear
from transforms.keys import KeyTrouble

ROOT = Path(__file__).resolve().parent.parent


class RothbookError(Exception):
    """A failure whose message is ours: it holds no client data and may be printed, logged and stored."""


class UsageError(RothbookError):
    """Something about how Rothbook was asked to run is wrong; exit code 2."""


class Busy(UsageError):
    """Another run is writing to the same folder; it ends by itself."""


class ShareUnreachable(RothbookError):
    """The inbox, or a file in it, can't be read right now; waiting may help."""


class StageFailed(RothbookError):
    """A stage of a run failed and nothing was published; exit code 3.

    `waiting_helps` is true where the inbox couldn't be read: the one failure worth trying again.
    """

    def __init__(self, stage: str, reason: str, trace: tuple[str, ...] = (), *, waiting_helps: bool = False) -> None:
        super().__init__(f"failed to {stage}: {reason}")
        self.stage = stage
        self.reason = reason
        self.trace = trace
        self.waiting_helps = waiting_helps

    def __reduce__(self) -> tuple[Callable[..., StageFailed], tuple[object, ...]]:
        # it comes back from a worker process of a cluster
        again = partial(StageFailed, waiting_helps=self.waiting_helps)
        return again, (self.stage, self.reason, self.trace)


def scrub(stage: str, error: Exception) -> StageFailed:
    """What may be known of `error`: the stage, its type, and where in the code it was raised."""
    return StageFailed(stage, _reason(error), tuple(_trace(error)), waiting_helps=isinstance(error, ShareUnreachable))


def _reason(error: Exception) -> str:
    name = type(error).__name__
    if isinstance(error, (RothbookError, UnknownTaxYear, KeyTrouble)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{name} ({error.strerror})"
    return name


def _trace(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield type(error).__name__
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {_short(frame.filename)}:{frame.lineno} {frame.name}"
        error = error.__cause__ or error.__context__


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
