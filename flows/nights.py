"""What the nights before left in `OUT/state/nights`, so that any of them can be computed again from the archive alone.

In `<run_id>/` there night.json says which files were new, deliveries.json what lay in the inbox, and results/ holds the
tables a later night compares itself with. The book of a date is every file received up to that date: nothing that came
later, and nothing that stands only in a run folder.

A run as of a date before the newest night *looks back*: it takes nothing in, meets again what that night met, and is
never compared with by another run. So a night comes out as it did, however often the dates around it are run again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.run_folder import latest, move_latest, published
from transforms.folders import listed, matching, sync
from transforms.vault import Vault, opened

if TYPE_CHECKING:
    from transforms.intake import Register

FOLDER = "nights"
PURGED = "purged.json"
#: Tables of a night a later one reads: first seen, marks made, counts by night.
CARRIED = ("findings", "marks", "trend")
#: What a rerun has to reproduce to the byte.
REPRODUCED = (("results", "*.parquet"), ("derived", "*.parquet"), ("workbooks", "*.xlsx"))
#: Software that decides how a table or a workbook is laid out in bytes.
PACKAGES = ("duckdb", "polars", "openpyxl")
#: What makes two runs over the same files differ.
_ASKED = ("version", "limits_digest", "packages", "tax_years", "purged", "comes_back")
_RUN_ID = re.compile(r"(\d{4}-\d\d-\d\d)-(\d{3,})")


@dataclass(frozen=True)
class PastNight:
    """A published run as `OUT/state` remembers it: `facts` is its night.json."""

    path: Path
    facts: dict[str, Any]

    @property
    def run_id(self) -> str:
        """`<as-of>-<nnn>`."""
        return self.path.name

    @property
    def as_of(self) -> date:
        """The run's "today"."""
        return date.fromisoformat(self.facts["as_of"])

    @property
    def deliveries(self) -> list[tuple[str, str, bool]]:
        """What lay in the inbox: name, sha256, and whether its bytes were in the book before."""
        stored = json.loads(_read(self.path / "deliveries.json"))
        return [(name, sha256, duplicate) for name, sha256, duplicate in stored]

    @property
    def looked_back(self) -> bool:
        """True if a newer night had been run before it: it brought nothing, and no run compares itself with it."""
        return bool(self.facts["looks_back"])


def past(out: Path) -> list[PastNight]:
    """Every remembered run, by as-of date and number; raises ValueError where one can't be read."""
    folders = (path for path in listed(out / "state" / FOLDER) if _RUN_ID.fullmatch(path.name))
    whole = [night for path in folders if (night := path / "night.json").is_file()]
    found = [PastNight(path.parent, json.loads(_read(path))) for path in whole]
    return sorted(found, key=lambda night: order(night.run_id))


def order(run_id: str) -> tuple[str, int]:
    """What run ids sort by: the as-of date, then the number."""
    day, _, number = run_id.rpartition("-")
    return day, int(number)


def genuine(out: Path) -> list[PastNight]:
    """The remembered runs that weren't looks back, oldest first."""
    return [night for night in past(out) if not night.looked_back]


def newest(out: Path) -> PastNight | None:
    """The newest night that wasn't a look back; None before the first."""
    return next(reversed(genuine(out)), None)


def looks_back(out: Path, as_of: date) -> bool:
    """True if a night of a later as-of date has been run."""
    last = newest(out)
    return last is not None and last.as_of > as_of


def night_of(out: Path, as_of: date) -> PastNight | None:
    """The newest run of a date that wasn't a look back, which is what a run of that date has to reproduce."""
    return next((night for night in reversed(genuine(out)) if night.as_of == as_of), None)


def before(out: Path, as_of: date) -> PastNight | None:
    """The night a run compares itself with: the newest one of an earlier as-of date."""
    return next((night for night in reversed(genuine(out)) if night.as_of < as_of), None)


def purged(out: Path) -> dict[str, date]:
    """What `rothbook purge` took out of the archive: sha256, and the date before which it had been received."""
    path = out / "state" / PURGED
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {sha256: date.fromisoformat(day) for sha256, day in stored.items()}


def _is_gone(gone: dict[str, date], sha256: str, received: date) -> bool:
    """True for a delivery whose file was purged; the same bytes delivered anew are a file like any other."""
    return sha256 in gone and received < gone[sha256]


def book(out: Path, as_of: date) -> Register:
    """The `Register` of the book as known on `as_of`, with nothing delivered tonight yet."""
    from transforms.intake import Entry, Register

    first: dict[str, Entry] = {}
    gone = purged(out)
    for night in genuine(out):
        for name, sha256 in night.facts["took_in"]:
            if night.as_of <= as_of and not _is_gone(gone, sha256, night.as_of):
                first.setdefault(sha256, Entry(night.as_of, name, sha256))
    return Register(as_of, tuple(sorted(first.values())))


def met_again(out: Path, night: PastNight) -> Register:
    """The `Register` as it was when `night` began to read: the book of its date, and what lay in the inbox then."""
    from transforms.intake import Delivery, Entry, Register

    known, gone = book(out, night.as_of), purged(out)
    deliveries = (Delivery(*delivery) for delivery in night.deliveries)
    tonight = tuple(d for d in deliveries if not _is_gone(gone, d.sha256, night.as_of))
    entries = {entry.sha256: entry for entry in known.entries}
    for delivery in tonight:
        if not delivery.duplicate:  # what was refused that night is no part of the book, and was told that night
            entries.setdefault(delivery.sha256, Entry(night.as_of, delivery.file_name, delivery.sha256))
    kept = tuple(sorted(entry.sha256 for entry in known.entries))
    return Register(night.as_of, tuple(sorted(entries.values())), tonight, kept=kept)


def brings_nothing(register: Register, night: PastNight) -> bool:
    """True if `night` met every file that lies in the inbox: run again, it is the same night again."""
    return {(d.file_name, d.sha256) for d in register.tonight} <= {(d[0], d[1]) for d in night.deliveries}


def remember(run: Path) -> None:
    """Keep what later nights need of a published run; one that is remembered already is left as it is."""
    out = run.parent.parent
    target = _folder(out) / run.name
    if target.exists():
        return
    with opened(run) as readable:
        _remember(run, readable, target)


@contextmanager
def tables(out: Path, night: PastNight | None) -> Iterator[Path | None]:
    """The folder of what `night` left for a later one, to read from; None if there is no such night."""
    with nullcontext() if night is None else Vault.of(out).clear(night.path) as folder:
        yield folder


def _read(path: Path) -> bytes:
    """A file of `OUT/state/nights/<run_id>`."""
    return Vault.of(path.parents[3]).read(path)


def _remember(run: Path, readable: Path, target: Path) -> None:
    register = json.loads((readable / "register.json").read_text(encoding="utf-8"))
    facts = _facts(run, register)
    aside = target.with_name(f".{run.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "results").mkdir(parents=True)
    if not facts["looks_back"]:
        for name in CARRIED:
            table = readable / "results" / f"{name}.parquet"
            if table.exists():
                _copy(table, aside / "results" / table.name)
    _write(aside / "deliveries.json", [(d["file_name"], d["sha256"], d["duplicate"]) for d in register["tonight"]])
    _write(aside / "night.json", facts)
    Vault.of(run.parent.parent).seal_in_place(aside, target)
    sync(aside / "results")
    sync(aside)
    aside.rename(target)
    sync(target.parent)


def catch_up(out: Path) -> None:
    """Remember every published run that isn't, and point `latest` at the newest: a run may be killed in between."""
    runs = published(out)
    for run in runs:
        remember(run)
    if runs and latest(out) != runs[-1].resolve():
        move_latest(runs[-1])


def _facts(run: Path, register: dict[str, Any]) -> dict[str, Any]:
    told = json.loads((run / "run.json").read_text(encoding="utf-8"))
    back = bool(told.get("looks_back", False))
    out = run.parent.parent
    known = {sha256 for night in genuine(out) for _, sha256 in night.facts["took_in"]}
    new = [(e["file_name"], e["sha256"]) for e in register["entries"] if e["sha256"] not in known]
    return {
        "as_of": told["as_of"], "looks_back": back, "tax_years": told["tax_years"],
        "fingerprint": told["fingerprint"], "version": told["version"], "limits_digest": told["limits_digest"],
        "packages": told.get("packages", {}), "purged": told.get("purged", 0), "comes_back": told.get("comes_back"),
        "took_in": [] if back else new,
        "digests": told.get("digests", {}),
        "workbook_fingerprints": told.get("workbook_fingerprints", {}),
    }  # fmt: skip


def _folder(out: Path) -> Path:
    from transforms.private import private_folder

    return private_folder(private_folder(out / "state") / FOLDER)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as write:
        shutil.copyfileobj(read, write)
        write.flush()
        os.fsync(write.fileno())


def _write(path: Path, stored: Any) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(stored, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def digests(run: Path) -> dict[str, str]:
    """sha256 of every table and workbook of a run that a rerun has to reproduce, by its path in the run."""
    paths = [path for folder, pattern in REPRODUCED for path in matching(run / folder, pattern)]
    return {path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def packages() -> dict[str, str]:
    """The versions of the software that lays out tables and workbooks."""
    return {name: version_of(name) for name in PACKAGES}


def compared(night: PastNight, now: dict[str, Any]) -> dict[str, Any]:
    """How a rerun came out beside `night`: which tables and workbooks differ, and what could make them differ.

    `now` is the rerun's run.json. `changed` is empty if software, limits, tax years and archive are those of the night.
    """
    then, digests_now = night.facts, now["digests"]
    either = sorted(then["digests"].keys() | digests_now.keys())
    asked = [name for name in _ASKED if then.get(name) is not None]
    return {
        "run_id": night.run_id,
        "same": sum(then["digests"].get(name) == digests_now.get(name) for name in either),
        "differ": [name for name in either if then["digests"].get(name) != digests_now.get(name)],
        "changed": {name: [then[name], now[name]] for name in asked if then[name] != now[name]},
    }
