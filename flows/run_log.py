"""What happens in a run, event by event: kept in `OUT/logs/<run_id>.jsonl`, and told on the error output.

The file holds every event, whatever is shown, and lies outside the run's own folder: it is there from the first moment
on, stays when a run fails or is killed, and leaves `runs/<run_id>` to what can be reproduced. Events carry the run's
id, stages, counts and seconds; every text is masked, and none comes from a file or an exception of a library.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeGuard

import structlog

from flows.run_folder import RunFolder
from schemas.accounts import mask_digits

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_NOTHING = 99
Level = Literal["debug", "info", "warning", "error"]
Event = MutableMapping[str, Any]
FOLDER = "logs"
#: What a process started by another one (a scheduled run) is told about its log.
_LEVEL, _FORMAT = "ROTHBOOK_LOGGING__LEVEL", "ROTHBOOK_LOGGING__FORMAT"

_watchers: list[Callable[[Event], None]] = []
_printers: list[Callable[[str], object]] = []


def configure(level: Level | None, style: Literal["text", "json"] = "text") -> None:
    """Tell events from `level` on (None: none), as lines for people or as JSON; what is kept doesn't depend on it."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
            _masked,
            _kept,
            _only_from(LEVELS[level] if level else _NOTHING),
            structlog.processors.JSONRenderer(sort_keys=False) if style == "json" else _for_people,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS["debug"]),
        logger_factory=lambda *_: _ErrorOutput(),
        cache_logger_on_first_use=False,
    )


def hand_on(level: Level, style: Literal["text", "json"]) -> None:
    """Have the processes that run on a schedule tell their events in the same way."""
    os.environ[_LEVEL], os.environ[_FORMAT] = level, style


def tell(run: RunFolder, event: str, *, level: Level = "info", **facts: object) -> None:
    """Keep and tell one event of a run. Facts are numbers, dates, stages and masked names, never client data."""
    if not structlog.is_configured():
        _as_handed_on()
    logger = structlog.get_logger().bind(run_id=run.run_id, _file=run.out / FOLDER / f"{run.run_id}.jsonl")
    getattr(logger, level)(event, **facts)


def read(path: Path) -> list[dict[str, Any]]:
    """The events of one run, oldest first; a last line cut off by a killed run is left out."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events


@contextmanager
def watched(watcher: Callable[[Event], None]) -> Iterator[None]:
    """Call `watcher` with every event while the block runs, whatever is shown."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def printed_by(printer: Callable[[str], object]) -> Iterator[None]:
    """Have `printer` print the lines while the block runs: whoever draws on the terminal has to know of them."""
    _printers.append(printer)
    try:
        yield
    finally:
        _printers.remove(printer)


class _ErrorOutput:
    def msg(self, line: str) -> None:
        if _printers:
            _printers[-1](line)
        else:
            print(line, file=sys.stderr, flush=True)

    debug = info = warning = error = msg


def _as_handed_on() -> None:
    level, style = os.environ.get(_LEVEL, ""), os.environ.get(_FORMAT, "")
    configure(level if _is_level(level) else None, "json" if style == "json" else "text")


def _is_level(text: str) -> TypeGuard[Level]:
    return text in LEVELS


def _masked(_logger: object, _name: str, event: Event) -> Event:
    return {key: value if key == "timestamp" else _mask(value) for key, value in event.items()}


def _mask(value: object) -> object:
    if isinstance(value, str):
        return mask_digits(value)
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    return [_mask(item) for item in value] if isinstance(value, (list, tuple)) else value


def _kept(_logger: object, _name: str, event: Event) -> Event:
    """Append the event to the run's own log; a disk that is full may end the run, but not because of its log."""
    path: Path = event.pop("_file")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps(event, default=str) + "\n")
    except OSError:
        event["log_not_kept"] = True
    for watcher in _watchers:
        watcher(event)
    return event


def _only_from(lowest: int) -> Callable[[object, str, Event], Event]:
    def drop(_logger: object, _name: str, event: Event) -> Event:
        if LEVELS[event["level"]] < lowest:
            raise structlog.DropEvent
        return event

    return drop


def _for_people(_logger: object, _name: str, event: Event) -> str:
    """`02:30:07Z 2026-12-01-001 read finished: 12.3 s, files 41, rows 3,402`."""
    facts = {k: v for k, v in event.items() if k not in ("timestamp", "run_id", "event", "level", "stage")}
    seconds = facts.pop("seconds", None)
    said = [f"{seconds:.1f} s"] if seconds is not None else []
    said += [
        f"{k.replace('_', ' ')} {v:,}" if type(v) is int else f"{k.replace('_', ' ')} {v}" for k, v in facts.items()
    ]
    what = event["event"].replace("stage", event.get("stage", "stage"), 1)
    loud = "" if event["level"] in ("debug", "info") else f"{event['level']}: "
    return f"{event['timestamp'][11:]} {event['run_id']} {loud}{what}" + (f": {', '.join(said)}" if said else "")
