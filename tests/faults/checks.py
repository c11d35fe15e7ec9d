"""What has to be true of OUT after a fault, and after the undisturbed run that follows; a check yields what isn't."""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from flows.audit import verify
from flows.status import as_json, look
from tests.faults.book import SECRETS, lying
from tests.faults.command import Outcome, Place, rothbook
from tests.faults.reference import Reached
from transforms.keys import KeyTrouble
from transforms.vault import MAGIC, OPEN_IN_A_RUN, Vault, is_sealed

#: Equal to the byte in every run of the same nights.
SAME_BYTES = ("results/*.parquet", "derived/*.parquet", "workbooks/*.xlsx")
_NAMES = ("archive", "quarantine", "state", "")
_TEMPORARY = (".part", ".partial", ".tmp", ".new", ".wal")


def runs(out: Path) -> dict[str, Path]:
    """The published runs by id."""
    folder = out / "runs"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: path for path in found if path.is_dir() and not path.name.startswith(".")}


def newest(out: Path) -> Path | None:
    """Where `latest` leads; None where there is none."""
    link = out / "latest"
    return link.resolve() if link.is_symlink() else None


def said(outcome: Outcome) -> Iterator[str]:
    """What a command says that wasn't killed: an exit code of the contract's, and no client and no traceback."""
    text = outcome.said + outcome.errors
    yield from (f"it tells '{secret}'" for secret in SECRETS if secret in text)
    if "Traceback" in text or ".py:" in text:
        yield f"a traceback: {text[-1500:]}"
    if not outcome.killed and outcome.code not in (0, 1, 2, 3):
        yield f"exit code {outcome.code}: {text[-500:]}"
    if outcome.code in (2, 3):
        strange = [line for line in outcome.errors.splitlines() if not line.startswith("rothbook: ")]
        if strange or not outcome.errors:
            yield f"exit code {outcome.code} says {outcome.errors!r}"


@contextlib.contextmanager
def clear(run: Path) -> Iterator[Path]:
    """A published run to read: its own folder, or one in which what is sealed lies open."""
    if not is_sealed(run):
        yield run
        return
    with tempfile.TemporaryDirectory(prefix="rothbook-faults-") as folder:
        copy = Path(folder) / run.name
        Vault.of(run.parent.parent).open_run(run, copy)
        (copy / "workbooks").symlink_to(run / "workbooks")
        yield copy


def sealed(out: Path) -> Iterator[str]:
    """Of a sealed book nothing lies open but what is meant to: counts, workbooks, and a run that isn't published."""
    if Vault.of(out).key is None:
        return
    for folder in ("archive", "quarantine", "state/nights", "runs"):
        for path in (out / folder).rglob("*"):
            within = path.relative_to(out / folder).parts
            hidden = any(name.startswith(".") for name in within)  # being written, or what a kill left of that
            meant = folder == "runs" and (len(within) == 1 or within[1] in OPEN_IN_A_RUN)
            if path.is_file() and not hidden and not meant and not path.read_bytes().startswith(MAGIC):
                yield f"{path.relative_to(out)} isn't sealed"


def same(run: Path, expected: Path) -> Iterator[str]:
    """The tables and workbooks of two runs are equal: to the byte where that is promised, else row by row."""
    with clear(run) as found, clear(expected) as wanted:
        yield from _same(found, wanted)


def _same(run: Path, expected: Path) -> Iterator[str]:
    for pattern in SAME_BYTES:
        found, wanted = ({p.name: p.read_bytes() for p in folder.glob(pattern)} for folder in (run, expected))
        yield from _unequal(f"{run.name}/{pattern}", found, wanted)
    found, wanted = ({p.name: p for p in folder.glob("canonical/*.parquet")} for folder in (run, expected))
    if found.keys() != wanted.keys():
        yield f"{run.name}/canonical: {sorted(found.keys() ^ wanted.keys())} only in one"
    for name in found.keys() & wanted.keys():
        if not pl.read_parquet(found[name]).equals(pl.read_parquet(wanted[name])):
            yield f"{run.name}/canonical/{name} differs"


def warehouse(run: Path) -> Iterator[str]:
    """The run's DuckDB file holds exactly the rows of its result tables."""
    with clear(run) as found:
        yield from _warehouse(found)


def _warehouse(run: Path) -> Iterator[str]:
    tables = {path.stem: path for path in run.glob("results/*.parquet")}
    with duckdb.connect() as con:
        con.execute(f"attach '{run / 'rothbook.duckdb'}' as w (read_only)")
        there = {
            name
            for (name,) in con.execute("select table_name from duckdb_tables() where database_name = 'w'").fetchall()
        }
        if there != tables.keys():
            yield f"{run.name}: warehouse and results differ in {sorted(there ^ tables.keys())}"
        for name in there & tables.keys():
            stored, written = f"from w.{name}", f"from read_parquet('{tables[name]}')"
            apart = con.execute(
                f"select count(*) from (({stored} except all {written}) union all ({written} except all {stored}))"
            ).fetchall()[0][0]
            if apart:
                yield f"{run.name}: {apart} rows of {name} differ between warehouse and results"


def commands_work(out: Path) -> Iterator[str]:
    """`rothbook status` and `rothbook audit verify` as a person runs them."""
    for arguments in (("status",), ("audit", "verify")):
        told = rothbook(*arguments, "--out", out)
        yield from said(told)
        if told.code not in (0, 1):
            yield f"{arguments} ends with {told.code}: {told.errors}"


def private(out: Path) -> Iterator[str]:
    """Nothing below OUT can be read by anybody but its owner."""
    for path in out.rglob("*"):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) & 0o077:
            yield f"{path.relative_to(out)} has mode {stat.S_IMODE(mode):04o}"


def whole_archive(out: Path) -> Iterator[str]:
    """Every archived file is the bytes it is named for; what is still being written has another kind of name."""
    vault = Vault.of(out)
    for path in (out / "archive").glob("[!.]*"):
        try:
            whole = hashlib.sha256(vault.read(path)).hexdigest() == path.name
        except KeyTrouble:
            whole = False
        if not whole:
            yield f"archive/{path.name[:8]} isn't what its name says"


def points_at_a_whole_run(out: Path) -> Iterator[str]:
    """`latest` is absent, or leads to a published run whose run.json can be read."""
    run = newest(out)
    if run is None:
        return
    if run.parent != out / "runs" or run.name not in runs(out):
        yield f"latest leads to {run.name}, which isn't a published run"
        return
    try:
        json.loads((run / "run.json").read_text(encoding="utf-8"))["exit_code"]
    except (OSError, ValueError, KeyError) as bad:
        yield f"run.json of latest can't be read: {bad!r}"


def status_tells(out: Path, outcome: Outcome, new: set[str]) -> Iterator[str]:
    """What `rothbook status` prints works, knows the newest good run, and what became of the spoiled one."""
    if not (out / "runs").is_dir():
        return
    try:
        status = json.loads(as_json(look(out, datetime.now(UTC), last=1000)))
    except Exception as failure:  # noqa: BLE001 - whatever it is, the command would end with it
        yield f"status fails: {failure!r}"
        return
    good = newest(out)
    if status["newest_good"] != (good.name if good else None):
        yield f"status calls {status['newest_good']} the newest good run, latest is {good}"
    states = {run["run_id"]: run["state"] for run in status["runs"]}
    for run_id, state in states.items():
        if (state == "published") != (run_id in runs(out)):
            yield f"status says {run_id} is {state}"
    if "under way" in states.values() or "damaged" in states.values():
        yield f"status tells of runs {states}"
    began = "failed to begin the run" not in outcome.errors  # else it had no number yet to be told under
    if outcome.code == 3 and began and not {"failed", "died"} & set(states.values()):
        yield f"exit code 3, but status knows of no failed run: {states}"


def audit_is_whole(out: Path, *, after_recovery: bool) -> Iterator[str]:
    """The chain holds; after an undisturbed run every run in it has an end, and the right one."""
    log = out / "state" / "audit.jsonl"
    if not log.exists():
        return
    checked = verify(out)
    behind = all("is published and not in the log" in run for run in checked.runs)
    if checked.broken or (checked.runs and (after_recovery or not behind)):
        yield f"audit verify: {checked}"
    if after_recovery:
        yield from _ends(out, log)


def _ends(out: Path, log: Path) -> Iterator[str]:
    heard: dict[str, list[str]] = {}
    for line in log.read_bytes().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if "run_id" in event:
            heard.setdefault(event["run_id"], []).append(event["event"])
    for run_id, events in heard.items():
        wanted = ["run published"] if run_id in runs(out) else ["run failed"], ["run died"]
        failed_at_once = events == ["run failed"] and run_id not in runs(out)  # the line that it started was the fault
        if not failed_at_once and (events[0] != "run started" or events[1:] not in wanted):
            yield f"the audit log tells of {run_id}: {events}"


def _unequal(what: str, found: dict[str, bytes], wanted: dict[str, bytes]) -> Iterator[str]:
    if found.keys() != wanted.keys():
        yield f"{what}: only in one of them: {sorted(found.keys() ^ wanted.keys())}"
    yield from (f"{what}: {name} differs" for name in found.keys() & wanted.keys() if found[name] != wanted[name])


def tidy(place: Place, expected: Reached) -> Iterator[str]:
    """OUT and the shared folder hold what they hold after undisturbed nights, and nothing half written."""
    out, undisturbed = place.out, expected.place.out
    vaults = {o: Vault.of(o) for o in (out, undisturbed)}
    # what the other way to run keeps, and what a sealed book doesn't
    beside = ({"prefect"} if not place.direct else set()) | ({"parsed"} if vaults[out].key else set())
    for folder in (out, place.shared):
        for path in folder.rglob("*"):
            temporary = path.name.startswith(".") or path.name.endswith(_TEMPORARY)
            if temporary and path != out / ".lock":
                yield f"left behind: {path.relative_to(folder.parent)}"
    for name in _NAMES:
        found, wanted = (
            {p.name for p in (o / name).iterdir()} - beside if (o / name).is_dir() else set()
            for o in (out, undisturbed)
        )
        if found != wanted:
            yield f"{name or 'OUT'}: {sorted(found ^ wanted)} only in one"
    for pattern in ("quarantine/*", "archive/*"):
        yield from _unequal(pattern, *({p.name: v.read(p) for p in o.glob(pattern)} for o, v in vaults.items()))
    remembered = {path.name for path in (out / "state" / "nights").iterdir()}
    if remembered != runs(out).keys():
        yield f"state/nights and runs differ in {sorted(remembered ^ runs(out).keys())}"
    yield from _unequal("shared", lying(place.shared), lying(expected.place.shared))


def each_in_one_place(place: Place, delivered: dict[str, bytes]) -> Iterator[str]:
    """Every file ever delivered is in the inbox or in the archive, not in both and not lost (the firm has emptied)."""
    waiting = {hashlib.sha256(data).hexdigest() for data in lying(place.inbox).values()}
    for name, data in delivered.items():
        sha256 = hashlib.sha256(data).hexdigest()
        kept = (place.out / "archive" / sha256).exists()
        if kept == (sha256 in waiting):
            yield f"{name} is {'in inbox and archive' if kept else 'lost'}"
