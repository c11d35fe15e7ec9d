"""Where a run lives on disk: built beside the published runs, renamed when whole, pointed at last.

`OUT/runs/.<run_id>.partial` becomes `OUT/runs/<run_id>`, then the link `OUT/latest` is switched in one step. Whoever
reads `OUT/latest` sees the whole of the old run or the whole of the new one.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from flows.errors import Busy, StageFailed, UsageError
from transforms.folders import listed, sync, sync_below
from transforms.private import sweep, write_private

#: What `latest` is called before it takes the place of the old one.
NEW_LATEST = ".latest.new"
_PUBLISHED = re.compile(r"\d{4}-\d\d-\d\d-\d{3,}")


@contextmanager
def exclusive(out: Path) -> Iterator[None]:
    """Hold `OUT/.lock` while a run is under way; a second run is refused, not queued."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        # tried more than once, because `under_way` holds it for a moment when somebody asks for the status
        if not any(_locked(lock, fcntl.LOCK_EX, wait) for wait in (0.0, 0.1, 0.2)):
            raise Busy(f"another run is writing to {out} right now; wait until it has finished")
        yield


def under_way(out: Path) -> bool:
    """True while a run holds `OUT/.lock`."""
    try:
        lock = (out / ".lock").open()
    except FileNotFoundError:
        return False
    with lock:
        return not _locked(lock, fcntl.LOCK_SH, 0.0)


def _locked(lock: TextIO, how: int, wait: float) -> bool:
    """True if the lock could be taken after `wait` seconds."""
    time.sleep(wait)
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class RunFolder:
    """One run under construction: `path` is its partial folder, `run.json` in it what is known so far."""

    path: Path

    @classmethod
    def create(cls, out: Path, as_of: date) -> RunFolder:
        """A new partial folder with the next free run id; what dead runs left half done is removed."""
        runs = out / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        clear_away(out)
        path = runs / f".{_next_run_id(runs, as_of)}.partial"
        path.mkdir()
        return cls(path)

    @property
    def run_id(self) -> str:
        """`<as-of>-<nnn>`."""
        return self.path.name.removeprefix(".").removesuffix(".partial")

    @property
    def final(self) -> Path:
        """Where the run lies once it is published."""
        return self.path.with_name(self.run_id)

    @property
    def out(self) -> Path:
        """The folder of all runs' output."""
        return self.path.parent.parent

    @property
    def canonical(self) -> Path:
        """The folder of canonical tables."""
        return self.path / "canonical"

    @property
    def register(self) -> Path:
        """The register of files this run knows; it becomes the book's register when the run is published."""
        return self.path / "register.json"

    @property
    def facts(self) -> dict[str, Any]:
        """What `run.json` holds so far."""
        found: dict[str, Any] = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
        return found

    @property
    def as_of(self) -> date:
        """The run's "today"."""
        return date.fromisoformat(self.facts["as_of"])

    @property
    def tax_years(self) -> tuple[int, ...]:
        """The tax years the run computes."""
        return tuple(self.facts["tax_years"])

    def note(self, **facts: Any) -> None:
        """Add `facts` to `run.json`."""
        target = self.path / "run.json"
        known = self.facts if target.exists() else {}
        write_private(target, (json.dumps(known | facts, indent=2) + "\n").encode(), 0o600)

    def publish(self) -> Path:
        """Give the run its final name and point `OUT/latest` at it; returns the published folder.

        `latest` only moves forward: a run of an earlier as-of date than the newest good run's is published beside it.
        Raises `OSError` if that can't be done; the run has its partial name again then.
        """
        final = self.final
        sync_below(self.path)
        self.path.rename(final)
        try:
            sync(final.parent)
            move_latest(final)
        except OSError:
            if latest(self.out) != final.resolve():
                final.rename(self.path)
                raise
            # everybody sees the new run already: it is published, whatever a last sync said
        return final

    def abandon(self, failure: StageFailed) -> Path | None:
        """Remove the partial run and leave a note of where in the code it failed; returns the note if it could be left.

        The run goes first: on a full disk that makes room for the note.
        """
        shutil.rmtree(self.path, ignore_errors=True)
        note = self.path.with_name(f"{self.run_id}.failed.txt")
        try:
            note.write_text("\n".join((str(failure), *failure.trace, "")), encoding="utf-8")
        except OSError:
            return None
        return note


def clear_away(out: Path) -> None:
    """Remove what a run that was killed left half written in `out`; to be called under the lock only."""
    runs = out / "runs"
    for path in listed(runs):
        if path.name.startswith(".") and path.name.endswith(".partial"):
            shutil.rmtree(path)
        elif path.is_dir():
            sweep(path)
    for folder in ("archive", "quarantine", "state"):
        sweep(out / folder)
    (out / NEW_LATEST).unlink(missing_ok=True)


def move_latest(run: Path) -> None:
    """Point `OUT/latest` at a published run, in one step, unless it points at one of a later as-of date."""
    out = run.parent.parent
    newest_now = latest(out)
    if newest_now is not None and RunFolder(newest_now).as_of > RunFolder(run).as_of:
        return
    link = out / NEW_LATEST
    link.unlink(missing_ok=True)
    link.symlink_to(Path("runs") / run.name)
    link.replace(out / "latest")
    sync(out)


def latest(out: Path) -> Path | None:
    """The folder of the newest good run, or None before the first."""
    link = out / "latest"
    return link.resolve() if link.exists() else None


def newest(out: Path) -> Path:
    """The folder of the newest good run; a UsageError says what to do before the first."""
    run = latest(out)
    if run is None:
        raise UsageError(f"there is no finished run in {out}; run 'rothbook run --out {out}' first")
    return run


def published(out: Path) -> list[Path]:
    """The folders of every good run still there, by as-of date and number."""
    runs = (path for path in listed(out / "runs") if _PUBLISHED.fullmatch(path.name))
    found = [path for path in runs if (path / "run.json").is_file()]
    return sorted(found, key=lambda path: (path.name.rpartition("-")[0], int(path.name.rpartition("-")[2])))


def _next_run_id(runs: Path, as_of: date) -> str:
    """Published, failed, killed and purged runs keep their number: the audit log, and the run's own, speak of them."""
    out = runs.parent
    kept = (runs, out / "logs", out / "state" / "nights")
    names = [path.name.split(".")[0] for folder in kept for path in listed(folder)]
    audit = out / "state" / "audit.jsonl"
    told = re.findall(rf'"run_id": "({as_of}-[0-9]+)"', audit.read_text("utf-8", "replace")) if audit.exists() else []
    taken = [int(name.rpartition("-")[2]) for name in (*names, *told) if name.startswith(f"{as_of}-")]
    return f"{as_of}-{max(taken, default=0) + 1:03d}"
