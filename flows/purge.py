"""What is older than the firm has to keep, and may go: runs, their logs and tables, archived and quarantined files.

The rule is careful. `today` is the newest run's as-of date, and that run never goes. A file goes only if it was last
delivered before the period, no row and no set-aside line of any run that is kept comes from it, and the newest book,
read without it, is the same. So what a number still rests on stays, however old it is.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from flows import nights, prefect_history
from flows.run_folder import latest, move_latest, published
from transforms.folders import matching, sync
from transforms.vault import opened

#: What goes, in the order it is told.
KINDS = ("runs", "notes", "logs", "nights", "archive", "quarantine", "flow_runs", "failures")


@dataclass(frozen=True)
class Purge:
    """What may go: runs, notes and logs by name; runs whose tables in state may go; archived and quarantined sha256;
    what Prefect's own database in OUT keeps, by id and file name.
    """

    before: date
    runs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    nights: tuple[str, ...] = ()
    archive: tuple[str, ...] = ()
    quarantine: tuple[str, ...] = ()
    flow_runs: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    #: Old files that stay because the newest book isn't the same without them.
    needed: int = 0

    @property
    def empty(self) -> bool:
        """True if nothing may go."""
        return not any(self.counts().values())

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(getattr(self, name)) for name in KINDS}

    def facts(self) -> dict[str, object]:
        """For the audit log."""
        return {name: value for name, value in asdict(self).items() if name != "before"}


def find(out: Path, keep_years: int, pgp_home: Path | None = None) -> Purge:
    """What of `out` is older than `keep_years` before the newest run's as-of date and isn't needed. Changes nothing.

    Raises FileNotFoundError if there is no run yet.
    """
    newest = latest(out)
    if newest is None:
        raise FileNotFoundError(out)
    before = _years_earlier(_day(newest), keep_years)
    runs = [run for run in published(out) if _day(run) < before and run != newest]
    kept = [run for run in published(out) if run not in runs]
    received = _received(out)
    old = {sha256 for sha256, day in received.items() if day < before and (out / "archive" / sha256).exists()}
    rejected = _sources(kept, ("rejects",))
    unused = sorted(old - _delivered(out, kept, _sources(kept, None) | rejected))
    archive = unused if _same_book_without(out, _day(newest), set(unused), pgp_home) else []
    aside = {path.stem for path in matching(out / "quarantine", "*.csv")} - rejected
    return Purge(
        before=before,
        runs=tuple(run.name for run in runs),
        notes=_dated(out / "runs", "*.failed.txt", before),
        logs=tuple(name for name in _dated(out / "logs", "*.jsonl", before) if name != f"{newest.name}.jsonl"),
        nights=tuple(_nights(out, before)),
        archive=tuple(archive),
        quarantine=tuple(sorted(s for s in aside if received.get(s, before) < before)),
        flow_runs=prefect_history.runs_before(out, before),
        failures=prefect_history.failures_before(out, before),
        needed=len(old) - len(archive),
    )


def _dated(folder: Path, pattern: str, before: date) -> tuple[str, ...]:
    """Names of files whose run, which they begin with, is of an as-of date earlier than `before`."""
    return tuple(path.name for path in matching(folder, pattern) if path.name[:10] < before.isoformat())


def remove(out: Path, purge: Purge) -> None:
    """Remove what `find` found; can be repeated after a crash. The register forgets the files before they go."""
    from transforms.intake import forget
    from transforms.private import private_folder, write_private

    gone = nights.purged(out) | dict.fromkeys(purge.archive, purge.before)
    stored = json.dumps({sha256: day.isoformat() for sha256, day in sorted(gone.items())}, indent=1) + "\n"
    if purge.archive:
        write_private(private_folder(out / "state") / nights.PURGED, stored.encode(), 0o600)
        sync(out / "state")
    _unlink(out / "archive" / sha256 for sha256 in purge.archive)
    for sha256 in purge.archive:
        forget(out, sha256)
    _unlink(out / "quarantine" / f"{sha256}.csv" for sha256 in purge.quarantine)
    _unlink(out / "runs" / name for name in purge.notes)
    _unlink(out / "logs" / name for name in purge.logs)
    for run_id in purge.nights:
        shutil.rmtree(out / "state" / nights.FOLDER / run_id / "results", ignore_errors=True)
    for run_id in purge.runs:
        _set_aside(out / "runs" / run_id)
    prefect_history.remove(out, purge.flow_runs, purge.failures)


def take_back(out: Path, run_id: str) -> list[tuple[str, str]]:
    """Forget the newest night, run as of a date it shouldn't have been; returns the files only it had taken in.

    They stay in the archive, and are new again when they are delivered again. Raises ValueError for any other run: the
    later ones rest on it.
    """
    night = nights.newest(out)
    if night is None or night.run_id != run_id:
        raise ValueError(f"only the newest night can be taken back: {night.run_id if night else 'there is none'}")
    took_in = [(name, sha256) for name, sha256 in night.facts["took_in"]]
    run, link = out / "runs" / run_id, out / "latest"
    rest = [path for path in published(out) if path != run]
    link.unlink(missing_ok=True)
    if run.exists():
        _set_aside(run)
    shutil.rmtree(night.path)
    if rest:
        move_latest(rest[-1])
    return took_in


def _set_aside(run: Path) -> None:
    """Remove a run's folder; half removed, the next run clears it away."""
    aside = run.with_name(f".{run.name}.purged.partial")
    run.rename(aside)
    shutil.rmtree(aside)


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _years_earlier(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # February 29
        return day.replace(year=day.year - years, day=28)


def _day(run: Path) -> date:
    return date.fromisoformat(run.name.rpartition("-")[0])


def _received(out: Path) -> dict[str, date]:
    """When each file was delivered last, by any night that is remembered."""
    last: dict[str, date] = {}
    for night in nights.genuine(out):
        last |= {sha256: night.as_of for _, sha256, *_ in (*night.facts["took_in"], *night.deliveries)}
    return last


def _nights(out: Path, before: date) -> list[str]:
    """Old nights whose tables may go: all but the one the first kept night is compared with."""
    old = [night.run_id for night in nights.past(out) if night.as_of < before]
    compared_with = nights.before(out, before)
    keep = compared_with.run_id if compared_with else None
    results = out / "state" / nights.FOLDER
    return [run_id for run_id in old if run_id != keep and (results / run_id / "results").exists()]


def _sources(runs: list[Path], tables: tuple[str, ...] | None) -> set[str]:
    """sha256 of every file a row of these runs' canonical tables comes from."""
    import polars as pl

    found: set[str] = set()
    for run in runs:
        with opened(run) as readable:
            for path in matching(readable / "canonical", "*.parquet"):
                if (tables is None or path.stem in tables) and "source_sha256" in pl.read_parquet_schema(path):
                    found |= set(pl.scan_parquet(path).select("source_sha256").unique().collect()["source_sha256"])
    return found - {None}


def _delivered(out: Path, runs: list[Path], sources: set[str]) -> set[str]:
    """The delivered files `sources` are, or are members or sheets of: told by name, so rather too many than too few."""
    import polars as pl

    names: set[str] = set()
    for run in runs:
        with opened(run) as readable:
            files = pl.read_parquet(readable / "canonical" / "files.parquet", columns=["sha256", "file_name"])
        names |= set(files.filter(pl.col("sha256").is_in(sorted(sources)))["file_name"])
    outer = {name[:end] for name in names for end, c in enumerate(name) if c in "/["} | names
    delivered = {s: n for night in nights.genuine(out) for n, s, _ in night.deliveries}
    return sources | {sha256 for sha256, name in delivered.items() if name in outer}


def _same_book_without(out: Path, as_of: date, unused: set[str], pgp_home: Path | None) -> bool:
    """True if the newest book's tables are the same when read without these files."""
    from dataclasses import replace

    from transforms.intake import Keyring, firm_key, read_book

    whole = nights.book(out, as_of)
    fewer = replace(whole, entries=tuple(entry for entry in whole.entries if entry.sha256 not in unused))
    if fewer.entries == whole.entries:
        return True
    with tempfile.TemporaryDirectory(dir=out / "state") as scratch:
        folders = [Path(scratch) / "whole", Path(scratch) / "fewer"]
        for register, folder in zip((whole, fewer), folders, strict=True):
            read_book(register, out, folder, firm_key(out), Keyring(pgp_home), quarantine=False)
        tables = [p.name for p in matching(folders[0], "*.parquet") if p.stem != "files"]
        return all(_same_table(folders[0] / name, folders[1] / name) for name in tables)


def _same_table(one: Path, two: Path) -> bool:
    """True for files of the same bytes; large tables, which are folders of files, must have the same rows."""
    if one.is_file() and two.is_file():
        return one.read_bytes() == two.read_bytes()
    from transforms.database import confine, connect

    # added up, so that the order of rows and where one file ends and the next begins make no difference
    rows = "select count(*), sum(hash(rows)::hugeint), bit_xor(hash(rows)) from read_parquet($path) as rows"
    with connect() as con:
        confine(con, one.parent, two.parent)
        first, second = (con.execute(rows, {"path": str(path)}).fetchone() for path in (one, two))
    return first == second
