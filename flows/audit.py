"""`OUT/state/audit.jsonl`: who ran what on which files, as lines that can't be changed unseen.

Every line is a JSON object that holds the sha256 of the line before it. Lines are only ever appended, under a lock and
synced. A line cut short by a crash stays where it is: the next one says so and goes on from the last whole one. The log
holds ids, sha256 and counts, never a name or a number of a client; it is the one thing in OUT that knows the clock.

What the chain can't show is that lines are missing at its end; that is seen beside the runs, each of which has one
(`verify`), and beside the head, where it was noted elsewhere.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transforms.folders import sync

LOG = "audit.jsonl"
NOTHING = "0" * 64
STARTED, PUBLISHED, FAILED, DIED = "run started", "run published", "run failed", "run died"
PROTECTED, UNSEALED = "protection changed", "file unsealed"
_TAIL = 1 << 16


@dataclass(frozen=True)
class Checked:
    """What `verify` found: whole lines, the sha256 of the last one, and what is wrong or worth telling."""

    count: int
    head: str
    #: The number of the first line that doesn't follow from the one before it, and why; None if there is none.
    broken: tuple[int, str] | None = None
    #: Numbers of the lines a crash cut short: known as such, no sign of tampering.
    cut_short: tuple[int, ...] = ()
    #: Published runs the log doesn't know, or knows otherwise.
    runs: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if no line was changed, moved or taken out and every run is as the log says."""
        return self.broken is None and not self.runs


def append(out: Path, event: str, **facts: Any) -> str:
    """Add a line to the log of `out`; returns its sha256. Raises OSError if it can't be written."""
    from transforms.private import private_folder

    log = private_folder(out / "state") / LOG
    with _locked(log) as file:
        before, torn = _last(file)
        unended = b"\n" if torn else b""
        if _is_line(torn):  # nothing but its end is missing
            before, torn = torn, b""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "event": event, "who": _who(), **facts, "before": _sha(before) if before else NOTHING,
        }  # fmt: skip
        if torn:
            line["cut_short"] = _sha(torn)
        data = json.dumps(line, ensure_ascii=False, sort_keys=False, default=str).encode()
        file.seek(0, os.SEEK_END)
        file.write(unended + data + b"\n")
        file.flush()
        os.fsync(file.fileno())
        return _sha(data)


@contextmanager
def _locked(log: Path) -> Iterator[Any]:
    new = not log.exists()
    handle = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if new:
            sync(log.parent)
        yield file


def _last(file: Any) -> tuple[bytes, bytes]:
    """The last whole line and what stands after it without an end; both may be empty."""
    size, wanted = file.seek(0, os.SEEK_END), _TAIL
    while True:
        file.seek(max(0, size - wanted))
        parts = file.read().split(b"\n")
        if len(parts) > 2 or wanted >= size:
            break
        wanted *= 4
    whole = [part for part in parts[:-1] if _is_line(part)]
    return (whole[-1] if whole else b""), parts[-1]


def _is_line(data: bytes) -> bool:
    """False for the remains of a line cut short, which a later line has gone on after."""
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


def _who() -> dict[str, str]:
    """The OS user by its number (a variable of the environment can say anything), the machine, and the command.

    Long numbers in the command may be a client's account and are masked.
    """
    from schemas.accounts import mask_digits

    try:
        import pwd

        user = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        user = getpass.getuser()
    return {"user": user, "host": socket.gethostname(), "command": mask_digits(" ".join(("rothbook", *sys.argv[1:])))}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def lines(out: Path) -> list[dict[str, Any]]:
    """Every whole line of the log, oldest first; none before the first run."""
    log = out / "state" / LOG
    data = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return [json.loads(line) for line in data if _is_line(line)]


def verify(out: Path) -> Checked:
    """Follow the chain from its first line, then hold the published runs against it."""
    log = out / "state" / LOG
    data = log.read_bytes().split(b"\n") if log.exists() else [b""]
    cut: list[int] = []
    before, count, remains = NOTHING, 0, b""
    for number, line in enumerate(data[:-1], 1):
        if not _is_line(line):
            if remains:
                return Checked(count, before, (number - 1, _NO_LINE), tuple(cut))
            remains = line or b"\n"
            continue
        told = json.loads(line)
        wrong = _wrong(told, before, remains)
        if wrong:
            at = number - 1 if remains and wrong is _NO_LINE else number
            return Checked(count, before, (at, wrong), tuple(cut))
        if remains:
            cut.append(number - 1)
        before, count, remains = _sha(line), count + 1, b""
    if remains:
        return Checked(count, before, (len(data) - 1, _NO_LINE), tuple(cut))
    if data[-1]:
        cut.append(len(data))
    return Checked(count, before, None, tuple(cut), tuple(_runs(out)))


_NO_LINE = "it is no line of the log"
_NOT_NEXT = "it doesn't follow from the line before: one of the two was changed, or lines were put in or taken out here"


def _wrong(told: dict[str, Any], before: str, remains: bytes) -> str | None:
    """Why a line can't stand after `before` and what a crash may have left between; None if it can."""
    if told.get("cut_short") != (_sha(remains) if remains else None):
        return _NO_LINE if remains else _NOT_NEXT
    return None if told.get("before") == before else _NOT_NEXT


def _runs(out: Path) -> Iterator[str]:
    """Runs that are there and not in the log, or not with this fingerprint; a killed run's is told by the next one."""
    from flows.run_folder import published

    known = {line["run_id"]: line["fingerprint"] for line in lines(out) if line["event"] == PUBLISHED}
    for run in published(out):
        fingerprint = json.loads((run / "run.json").read_text(encoding="utf-8"))["fingerprint"]
        if run.name not in known:
            yield f"run {run.name} is published and not in the log (the next run tells of it)"
        elif known[run.name] != fingerprint:
            yield f"run {run.name} isn't the one in the log: its fingerprint was {known[run.name][:12]}"
