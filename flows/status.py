"""How things stand: the last runs, what is awaited, what was set aside, and what needs a person. No client data.

Everything is read from OUT: runs and notes of failed ones under `runs/`, events under `logs/`, and the tables of the
newest good run. A run that left a log but neither a run nor a note of its failure was killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl

from flows.errors import UsageError
from flows.run_folder import latest, under_way
from schemas.accounts import mask_digits
from transforms.folders import matching
from transforms.keys import KeyTrouble
from transforms.vault import opened

SHOWN = 10
#: The tables of the newest good run that are read.
ARRIVALS, REJECTS = "results/arrivals.parquet", "results/rejects.parquet"
State = Literal["published", "failed", "died", "under way", "damaged"]


@dataclass(frozen=True)
class Attempt:
    """One run that was started. What isn't known of it (a run that died early has no counts) is None."""

    run_id: str
    state: State
    as_of: str | None
    started_at: str | None
    seconds: float | None
    exit_code: int | None
    files: int | None
    files_set_aside: int | None
    rows_set_aside: int | None
    #: The stage it is in, was in when it died, or failed in with the reason; nothing for a published run.
    detail: str | None


@dataclass(frozen=True)
class Expected:
    """One delivery the firm expects, as of the newest good run."""

    source: str
    kind: str
    state: str
    expected_on: str | None


@dataclass(frozen=True)
class SetAside:
    """One file of the newest good run of which rows, or all, wait for somebody to put them right."""

    file: str
    rows: int
    whole: bool
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """Everything `rothbook status` says; `needs_a_person` is empty where nobody has to do anything."""

    out: str
    newest_good: str | None
    runs: tuple[Attempt, ...]
    expected: tuple[Expected, ...]
    set_aside: tuple[SetAside, ...]
    still_arriving: tuple[str, ...]
    partial_folders: tuple[str, ...]
    needs_a_person: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 where nothing needs a person, 1 where something does."""
        return int(bool(self.needs_a_person))


def look(out: Path, now: datetime, *, overdue_after_hours: int | None = None, last: int = SHOWN) -> Status:
    """How things stand in `out`; where `overdue_after_hours` is stated, no good run for so long needs a person.

    Raises `UsageError` if nothing was ever run there.
    """
    if not (out / "runs").is_dir():
        raise UsageError(f"nothing was ever run into {out}; run 'rothbook run --out {out}' first")
    running = under_way(out)
    attempts = sorted(_attempts(out, running=running), key=lambda a: (a.started_at or "", a.run_id), reverse=True)
    good = latest(out)
    facts = _facts(good) if good else {}
    expected, aside, locked = _tables(good, facts)
    partial = tuple(sorted(path.name for path in matching(out / "runs", ".*.partial")))
    needs = (
        *_about_runs(attempts, good),
        *(_about_nights(out, now, overdue_after_hours) if overdue_after_hours and good else ()),
        *locked,
        *_about_files(expected, aside),
        *_about_shared(facts),
    )
    return Status(
        out=str(out),
        newest_good=good.name if good else None,
        runs=tuple(attempts[:last]),
        expected=expected,
        set_aside=aside,
        still_arriving=tuple(facts.get("waiting", ())),
        partial_folders=() if running else partial,
        needs_a_person=needs,
    )


def _attempts(out: Path, *, running: bool) -> Iterator[Attempt]:
    runs = out / "runs"
    published = {p.name for p in matching(runs, "[!.]*") if p.is_dir()}
    failed = {p.name.removesuffix(".failed.txt") for p in matching(runs, "*.failed.txt")}
    partial = {p.name.removeprefix(".").removesuffix(".partial") for p in matching(runs, ".*.partial")}
    logged = {p.stem for p in matching(out / "logs", "*.jsonl")}
    for run_id in published | failed | partial | logged:
        events = _events(out, run_id)
        if run_id in published:
            yield _published(runs / run_id, events)
        elif run_id in failed:
            note = runs / f"{run_id}.failed.txt"
            said = note.read_text(encoding="utf-8").splitlines()
            yield _unfinished(run_id, "failed", events, said[0] if said else None, started=_time_of(note))
        elif run_id in partial and running:
            yield _unfinished(run_id, "under way", events, _stage(events))
        elif not any(event["event"] == "run published" for event in events):  # else it was purged since
            yield _unfinished(run_id, "died", events, _stage(events))


def _events(out: Path, run_id: str) -> list[dict[str, Any]]:
    from flows.run_log import FOLDER, read

    path = out / FOLDER / f"{run_id}.jsonl"
    return read(path) if path.exists() else []


def _published(run: Path, events: list[dict[str, Any]]) -> Attempt:
    try:
        return _whole(run, _facts(run), events)
    except (OSError, ValueError, KeyError):
        return _unfinished(run.name, "damaged", events, "run.json can't be read")


def _whole(run: Path, facts: dict[str, Any], events: list[dict[str, Any]]) -> Attempt:
    states = [file["state"] for file in facts["input_files"]]
    return Attempt(
        run_id=run.name,
        state="published",
        as_of=facts["as_of"],
        started_at=_started(events) or _time_of(run / "run.json"),
        seconds=round(sum(facts["seconds"].values()), 1),
        exit_code=facts["exit_code"],
        files=len(states) - states.count("duplicate"),
        files_set_aside=states.count("rejected"),
        rows_set_aside=facts["result_rows"]["rejects"],
        detail=None,
    )


def _unfinished(
    run_id: str, state: State, events: list[dict[str, Any]], detail: str | None, *, started: str | None = None
) -> Attempt:
    as_of = next((event["as_of"] for event in events if "as_of" in event), None)
    took = [event["seconds"] for event in events if event["event"] == "stage finished"]
    files = next((event["files"] for event in events if "files" in event), None)
    return Attempt(
        run_id=run_id,
        state=state,
        as_of=as_of or run_id[:10],
        started_at=_started(events) or started,
        seconds=round(sum(took), 1) if took else None,
        exit_code=3 if state == "failed" else None,
        files=files,
        files_set_aside=None,
        rows_set_aside=None,
        detail=detail,
    )


def _started(events: list[dict[str, Any]]) -> str | None:
    return events[0]["timestamp"] if events else None


def _time_of(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stage(events: list[dict[str, Any]]) -> str | None:
    stages = [event["stage"] for event in events if event["event"] == "stage started"]
    return f"in stage '{stages[-1]}'" if stages else None


def _facts(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return facts


def _tables(
    good: Path | None, facts: dict[str, Any]
) -> tuple[tuple[Expected, ...], tuple[SetAside, ...], tuple[str, ...]]:
    """What the newest good run's tables say; where the book is sealed and its key isn't here, which one is missing."""
    if good is None:
        return (), (), ()
    try:
        with opened(good, ARRIVALS, REJECTS) as readable:
            return _expected(readable), _set_aside(readable, facts), ()
    except KeyTrouble as missing:
        return (), (), (f"files awaited and rows set aside can't be told, for the run is sealed: {missing}",)


def _expected(good: Path) -> tuple[Expected, ...]:
    rows = pl.read_parquet(good / ARRIVALS, columns=["source", "kind", "state", "expected_on"]).with_columns(
        pl.col("expected_on").cast(pl.String)
    )
    return tuple(
        Expected(mask_digits(s), k, state, day) for s, k, state, day in rows.sort("source", "kind").iter_rows()
    )


def _set_aside(good: Path, facts: dict[str, Any]) -> tuple[SetAside, ...]:
    rejects = pl.read_parquet(good / REJECTS, columns=["file", "line_number", "rule"])
    by_file = (
        rejects.with_columns(pl.col("file").fill_null(""))
        .group_by("file")
        .agg(pl.col("line_number").drop_nulls().n_unique().alias("rows"), pl.col("rule").unique().sort())
        .sort("file")
    )
    refused = {file["file_name"] for file in facts["input_files"] if file["state"] == "rejected"}
    masked = ((mask_digits(name), rows, rules) for name, rows, rules in by_file.iter_rows())
    return tuple(SetAside(name, rows, name in refused, tuple(rules)) for name, rows, rules in masked)


def _about_runs(attempts: list[Attempt], good: Path | None) -> Iterator[str]:
    """Runs, newest first, that failed or died and that no later run of the same day or a later one has made up for."""
    told = {"failed": "failed", "died": "was stopped or killed, or the machine went down"}
    made_up_for = ""
    for attempt in attempts:
        if attempt.state == "published":
            made_up_for = max(made_up_for, attempt.as_of or "")
        elif attempt.state in told and (attempt.as_of or "") > made_up_for:
            detail = f" ({attempt.detail})" if attempt.detail else ""
            yield f"run {attempt.run_id} {told[attempt.state]}{detail}: run it again"
    for attempt in attempts:
        if attempt.state == "damaged":
            yield f"run {attempt.run_id} is damaged ({attempt.detail}): restore it from the backup"
    if good is None and not any(a.state == "under way" for a in attempts):
        yield "no run has ended well yet"


def _about_nights(out: Path, now: datetime, hours: int) -> Iterator[str]:
    moved = datetime.fromtimestamp((out / "latest").lstat().st_mtime, UTC)
    if now - moved > timedelta(hours=hours):
        age = (now - moved) // timedelta(hours=1)
        yield f"the newest good run ended {age} hours ago, more than {hours}: see 'rothbook doctor'"


def _about_files(expected: tuple[Expected, ...], aside: tuple[SetAside, ...]) -> Iterator[str]:
    for delivery in expected:
        if delivery.state in ("missing", "stale"):
            yield f"{delivery.state}: {delivery.source}, due {delivery.expected_on}: ask the sender"
    counts = {"row": sum(a.rows for a in aside), "whole file": sum(a.whole for a in aside)}
    told = [f"{count} {what}{'' if count == 1 else 's'}" for what, count in counts.items() if count]
    if told:
        yield f"waiting to be put right: {' and '.join(told)}: sheet of set-aside rows in _firm.xlsx"


def _about_shared(facts: dict[str, Any]) -> Iterator[str]:
    if facts.get("shared_unreachable"):
        yield "the shared folder couldn't be read: its marks wait"
    placed = facts.get("placed") or {}
    if placed.get("error") or placed.get("failed"):
        yield "some workbooks couldn't be put into the shared folder: see the summary of the run"


def as_json(status: Status) -> str:
    """The status for a monitoring system."""
    return json.dumps(asdict(status) | {"exit_code": status.exit_code}, indent=2)


def as_text(status: Status) -> str:
    """The status for people: what needs them first."""
    head = [f"needs a person: {what}" for what in status.needs_a_person] or ["nothing needs a person"]
    return "\n".join((*head, "", *_runs(status), *_deliveries(status), *_waiting(status)))


def _runs(status: Status) -> Iterator[str]:
    yield f"newest good run: {status.newest_good or 'none'}"
    yield f"  {'run':<16} {'started':<20} {'state':<10} {'exit':>4} {'seconds':>8} {'files':>6} {'set aside':>10}"
    for a in status.runs:
        exit_code, seconds, files, aside = map(_or_dash, (a.exit_code, a.seconds, a.files, a.rows_set_aside))
        line = f"  {a.run_id:<16} {a.started_at or '-':<20} {a.state:<10}"
        line += f" {exit_code:>4} {seconds:>8} {files:>6} {aside:>10}"
        yield line + (f"  {a.detail}" if a.detail else "")
    for name in status.partial_folders:
        yield f"  left by a run that died, removed by the next one: runs/{name}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else str(value)


def _deliveries(status: Status) -> Iterator[str]:
    if status.expected:
        yield "expected files:"
    order = {"missing": 0, "stale": 1, "late": 2, "empty_but_valid": 3, "not_due": 4, "arrived": 5}
    for e in sorted(status.expected, key=lambda e: (order.get(e.state, 9), e.expected_on or "", e.source)):
        shown = "awaited" if e.state == "not_due" else e.state.replace("_", " ")
        yield f"  {shown:<16} {e.source} ({e.kind})" + (f", due {e.expected_on}" if e.expected_on else "")


def _waiting(status: Status) -> Iterator[str]:
    if status.set_aside:
        yield "set aside, waiting to be put right:"
    for aside in status.set_aside:
        what = "the whole file" if aside.whole else f"{aside.rows} row{'' if aside.rows == 1 else 's'}"
        yield f"  {aside.file or '(no file)'}: {what} ({', '.join(aside.rules)})"
    for name in status.still_arriving:
        yield f"still arriving at the newest run: {name}"
