"""The stages of a run as plain functions of its folder, and the run without Prefect.

Every stage takes the path of the partial run folder and leaves its work in it; `run.json` carries what one stage knows
and a later one needs. `flows.nightly` wraps the same functions in Prefect tasks.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import __version__, audited, nights
from flows.errors import StageFailed, UsageError, scrub
from flows.reaching import reaching
from flows.run_folder import RunFolder, exclusive, latest
from limits import load
from schemas.marks import COMES_BACK, ComesBack
from transforms import keys
from transforms.folders import listed, matching
from transforms.vault import Vault

if TYPE_CHECKING:
    from flows.run_log import Level
    from reports import Earlier
    from transforms.intake import Register

#: How long a file must stay as it is to count as arrived, when a person starts the run.
SETTLE_SECONDS = 0.2


@dataclass(frozen=True)
class Night:
    """What a run is asked to do."""

    inbox: Path
    out: Path
    as_of: date
    tax_years: tuple[int, ...]
    settle_seconds: float = SETTLE_SECONDS
    pgp_home: Path | None = None
    shared: Path | None = None
    comes_back: ComesBack = COMES_BACK


def plan(
    inbox: Path,
    out: Path,
    as_of: date | None,
    tax_years: Sequence[int] | None,
    settle_seconds: float = SETTLE_SECONDS,
    *,
    pgp_home: Path | None = None,
    shared: Path | None = None,
    comes_back: ComesBack = COMES_BACK,
) -> Night:
    """A run whose inbox exists and whose tax years all have limits; raises `UsageError` or `UnknownTaxYear`."""
    if not inbox.is_dir():
        raise UsageError(f"there is no inbox folder {inbox}; create it and put the files of the book into it")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out must name a folder")
    if out.resolve() == inbox.resolve():
        raise UsageError("--out must be another folder than --inbox")
    if shared is not None:
        _check_shared(shared, inbox, out)
    today = as_of or date.today()  # noqa: DTZ011 - the firm's own calendar day is meant
    if as_of is None:
        _check_today(out, today)
    years = tuple(sorted(set(tax_years or _years_of_that_night(out, today) or load.default_tax_years(today))))
    load.for_years(years)
    keys = pgp_home.resolve() if pgp_home else None
    where = shared.resolve() if shared else None
    return Night(inbox.resolve(), out.resolve(), today, years, settle_seconds, keys, where, comes_back)


def _check_shared(shared: Path, inbox: Path, out: Path) -> None:
    """Refuse a shared folder that can't be one; one that just isn't there tonight is told and stops nothing."""
    if shared.exists() and not shared.is_dir():
        raise UsageError(f"{shared} is a file; --shared must name a folder")
    for other, name in ((inbox, "--inbox"), (out, "--out")):
        if shared.resolve().is_relative_to(other.resolve()) or other.resolve().is_relative_to(shared.resolve()):
            raise UsageError(f"--shared and {name} must be folders apart, neither inside the other")


def _check_today(out: Path, today: date) -> None:
    """Refuse a night after which nothing would be taken in, unless it is asked for: one dated in the future was run."""
    newest = nights.newest(out)
    if newest is not None and newest.as_of > today:
        raise UsageError(
            f"run {newest.run_id} is as of a later date than today, {today}, so nothing would be taken in. If it was a"
            f" mistake: rothbook purge --out {out} --run {newest.run_id}. To look back at {today}: --as-of {today}"
        )


def _years_of_that_night(out: Path, as_of: date) -> list[int] | None:
    """The tax years a night that is looked back at was run for."""
    night = nights.night_of(out, as_of) if nights.looks_back(out, as_of) else None
    return night.facts["tax_years"] if night else None


def _comes_back(night: Night) -> dict[str, Any]:
    """What brings a finding back that was put aside: for a night that is looked back at, what counted then."""
    then = nights.night_of(night.out, night.as_of) if nights.looks_back(night.out, night.as_of) else None
    found: dict[str, Any] = (then.facts.get("comes_back") if then else None) or night.comes_back.facts()
    return found


@contextmanager
def open_run(night: Night) -> Iterator[Path]:
    """The folder of a new run, alone in OUT and readable by its owner only; removed again if a stage fails."""
    os.umask(0o077)
    with ExitStack() as held:
        with _beginning():
            held.enter_context(exclusive(night.out))
            _check_keys(night.out)
            nights.catch_up(night.out)
            audited.catch_up(night.out)
            run = RunFolder.create(night.out, night.as_of)
        try:
            with _beginning():
                _begin(run, night)
            yield run.path
        except StageFailed as failure:
            note = run.abandon(failure)
            _tell(run, "run failed", level="error", reason=str(failure))
            with suppress(OSError):  # a full disk: the next run tells that this one died
                audited.failed(run, failure)
            if note:
                failure.add_note(f"where in the code: {note}")
            raise
        except BaseException as stopped:
            _tell(run, "run interrupted", level="error", reason=type(stopped).__name__)
            raise


@contextmanager
def _beginning() -> Iterator[None]:
    """Turn an `OSError` of OUT, before there is a stage that could fail, into `StageFailed`."""
    try:
        yield
    except OSError as error:
        failure = scrub("begin the run", error)
    else:
        return
    raise failure


def _begin(run: RunFolder, night: Night) -> None:
    compared_with = nights.before(night.out, night.as_of)
    run.note(
        run_id=run.run_id,
        as_of=night.as_of.isoformat(),
        tax_years=night.tax_years,
        inbox=str(night.inbox),
        settle_seconds=night.settle_seconds,
        pgp_home=str(night.pgp_home) if night.pgp_home else None,
        shared=str(night.shared) if night.shared else None,
        comes_back=_comes_back(night),
        version=__version__,
        limits_digest=load.digest(),
        packages=nights.packages(),
        purged=len(nights.purged(night.out)),
        looks_back=nights.looks_back(night.out, night.as_of),
        previous=compared_with.run_id if compared_with else None,
        seconds={},
    )
    _tell(run, "run started", as_of=night.as_of.isoformat(), tax_years=list(night.tax_years), version=__version__)
    audited.started(run)


def _check_keys(out: Path) -> None:
    """Refuse a lost or changed key (`KeyTrouble`) before anything is taken in."""
    keys.firm_key(out)
    keys.at_rest_key(out)
    keys.Passwords.of(out)


def run_direct(night: Night) -> Path:
    """Run every stage without Prefect; returns the published run folder."""
    with open_run(night) as folder:
        for stage in (take_in, read, compute, report):
            stage(folder)
        return publish(folder)


def take_in(folder: Path) -> None:
    """Copy what arrived into the archive and write the register of every file of the book."""
    staged(folder, "take in", _take_in)


def read(folder: Path) -> None:
    """Read the whole book into canonical tables."""
    staged(folder, "read", _read)


def compute(folder: Path) -> None:
    """Compute the result tables."""
    staged(folder, "compute", _compute)


def report(folder: Path) -> None:
    """Write the workbooks."""
    staged(folder, "report", _report)


def publish(folder: Path) -> Path:
    """Complete run.json, rename the run and point `latest` at it; returns the published folder.

    Its workbooks are then put into the shared folder, if there is one; that can't fail a run that is published.
    """
    run = RunFolder(folder)
    staged(folder, "complete run.json", _complete)
    try:
        published = run.publish()
    except OSError as error:
        failure = scrub("publish", error)
    else:
        facts = RunFolder(published).facts
        _tell(run, "run published", exit_code=facts["exit_code"], seconds=round(sum(facts["seconds"].values()), 3))
        with suppress(Exception):  # the run is published; the next one remembers it, tells of it and says what is wrong
            nights.remember(published)
            audited.finished(published)
        _share(RunFolder(published))
        return published
    raise failure


def _share(run: RunFolder) -> None:
    from flows import shared

    if run.facts["shared"] is None or run.facts["looks_back"]:  # advisors work on the newest night
        return
    try:
        placed = shared.place(run.path, Path(run.facts["shared"]), run.out, run.as_of).facts()
    except Exception as error:  # noqa: BLE001 - the run is published, whatever happened to a folder of the office
        placed = {"error": scrub("put the workbooks into the shared folder", error).args[0]}
    with suppress(OSError):  # the same
        run.note(placed=placed)
    trouble = "error" in placed or bool(placed.get("failed"))
    written = placed.get("written", 0)
    _tell(run, "shared folder written", level="warning" if trouble else "info", workbooks=written, whole=not trouble)


def staged(folder: Path, name: str, work: Callable[[RunFolder], None]) -> None:
    """Do `work` as a stage of the run: told, timed, and failing as `StageFailed` without a word of client data."""
    run, started, failure = RunFolder(folder), time.perf_counter(), None
    _tell(run, "stage started", level="debug", stage=name)
    try:
        work(run)
        took = round(time.perf_counter() - started, 3)
        run.note(seconds=run.facts["seconds"] | {name: took})
        _tell(run, "stage finished", stage=name, seconds=took, **_counts(name, run.facts))
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold client data and must not travel on
        failure = scrub(name, error)
    if failure:
        _tell(run, "stage failed", level="warning", stage=name, reason=str(failure))
        raise failure  # outside the handler, so that it carries no reference to the original


def _tell(run: RunFolder, event: str, *, level: Level = "info", **facts: Any) -> None:
    from flows import run_log

    run_log.tell(run, event, level=level, **facts)


def _counts(stage: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What a finished stage had to do with, for the log: numbers only."""
    if stage == "take in":
        return {"files_waiting": len(facts["waiting"])}
    if stage == "read":
        files = [file["state"] for file in facts["input_files"]]
        rows = sum(facts["canonical_rows"].values())
        return {"files": len(files), "files_set_aside": files.count("rejected"), "rows": rows}
    if stage in {"compute", "combine"}:
        counts = facts["result_rows"]
        return {"findings": counts["findings"], "rows_set_aside": counts["rejects"]}
    return {"workbooks": len(facts["workbooks"])} if stage == "report" else {}


def _take_in(run: RunFolder) -> None:
    from schemas.accounts import mask_digits
    from transforms.intake import deliver

    if run.facts["looks_back"]:
        register, returned, unreachable = _that_night(run), dict[str, Path](), None
    else:
        returned, unreachable = _returned(run)
        nights.book(run.out, run.as_of).write(run.register)
        inbox = Path(run.facts["inbox"])
        with reaching(inbox):
            os.scandir(inbox).close()  # a share that went away since would look like an empty folder
            register = deliver(
                inbox,
                run.out,
                run.register,
                run.as_of,
                run.facts["settle_seconds"],
                also=returned,
            )
        that_night = nights.night_of(run.out, run.as_of)
        if that_night and nights.brings_nothing(register, that_night):
            register = replace(nights.met_again(run.out, that_night), waiting=register.waiting)
    register.write(run.register)
    run.note(returned=len(returned), shared_unreachable=unreachable)
    run.note(waiting=sorted(mask_digits(Path(name).name) for name in register.waiting))


def _that_night(run: RunFolder) -> Register:
    """What the night that is looked back at met; of a date no run was of, the book as known then."""
    night = nights.night_of(run.out, run.as_of)
    return nights.met_again(run.out, night) if night else nights.book(run.out, run.as_of)


def _returned(run: RunFolder) -> tuple[dict[str, Path], str | None]:
    """The workbooks advisors left in the shared folder; none, and why, where it can't be reached tonight."""
    from flows import shared

    if run.facts["shared"] is None:
        return {}, None
    try:
        return shared.returned(Path(run.facts["shared"]), run.out), None
    except OSError as error:
        return {}, error.strerror or type(error).__name__


def _read(run: RunFolder) -> None:
    from transforms.intake import Keyring, Register, read_book

    run.canonical.mkdir()
    home = run.facts["pgp_home"]
    signed = keys.Protection.of(run.out).require_signature
    keyring = Keyring(Path(home) if home else None, _passwords(run.out), signed)
    counts = read_book(
        Register.read(run.register),
        run.out,
        run.canonical,
        keys.firm_key(run.out),
        keyring,
        quarantine=not run.facts["looks_back"],
    )
    counts.register.write(run.register)  # without tonight's refused files: they are looked at afresh next time
    run.note(input_files=_input_files(run.canonical), canonical_rows=_rows(run.canonical))


def _passwords(out: Path) -> tuple[str, ...]:
    """The passwords a workbook that comes back may have."""
    newest = latest(out)
    written = listed(newest / "workbooks") if newest else []
    return keys.Passwords.of(out).known([path.stem for path in written])


def _compute(run: RunFolder) -> None:
    from transforms.engine import compute as compute_book

    with nights.tables(run.out, nights.before(run.out, run.as_of)) as previous:
        counts = compute_book(
            run.canonical,
            run.path,
            as_of=run.as_of,
            tax_years=run.tax_years,
            previous=previous,
            comes_back=ComesBack.of(run.facts["comes_back"]),
        )
    run.note(result_rows=counts, fingerprint=fingerprint(run))


def _report(run: RunFolder) -> None:
    from reports import write_workbooks
    from transforms.intake import firm_fingerprint, firm_key

    written = write_workbooks(
        run.path,
        as_of=run.as_of,
        tax_years=run.tax_years,
        fingerprint=run.facts["fingerprint"],
        version=__version__,
        firm=firm_fingerprint(firm_key(run.out)),
        earlier=_earlier(run.out),
    )
    run.note(
        workbooks=[one.path.name for one in written],
        workbook_fingerprints={one.path.name: one.fingerprint for one in written if one.fingerprint},
        workbooks_taken=sum(one.taken for one in written),
    )


def _earlier(out: Path) -> Earlier | None:
    """The advisors' workbooks of the newest night, as it wrote them by the digests that are remembered of it."""
    from reports import Earlier
    from transforms.passwords import unlocked

    night, passwords = nights.newest(out), keys.Passwords.of(out)
    if night is None:
        return None
    facts, folder = night.facts, out / "runs" / night.run_id / "workbooks"

    def read(name: str) -> bytes | None:
        path = folder / name
        data: bytes | None = path.read_bytes() if path.exists() else None
        if data is not None and passwords:
            data = unlocked(data, [passwords.of_workbook(path.stem)])
        # somebody may have saved their answers in it
        as_written = data is not None and hashlib.sha256(data).hexdigest() == facts["digests"].get(f"workbooks/{name}")
        return data if as_written else None

    return Earlier(facts.get("workbook_fingerprints", {}), read)


def _lock(workbooks: Sequence[Path], passwords: keys.Passwords) -> None:
    """Put its password on every workbook, where the firm wants that; one without a password fails the run."""
    if not passwords:
        return
    from transforms.passwords import locked
    from transforms.private import write_private

    for path in workbooks:
        write_private(path, locked(path.read_bytes(), passwords.of_workbook(path.stem)), 0o600)


def _complete(run: RunFolder) -> None:
    set_aside = run.facts["result_rows"]["rejects"] > 0 or any(
        file["state"] == "rejected" for file in run.facts["input_files"]
    )
    run.note(digests=nights.digests(run.path))
    that_night = nights.night_of(run.out, run.as_of)
    if that_night and that_night.facts["digests"]:  # a run of a version that kept none can't be compared with
        run.note(again=nights.compared(that_night, run.facts))
    _lock([run.path / "workbooks" / name for name in run.facts["workbooks"]], keys.Passwords.of(run.out))
    Vault.of(run.out).seal_run(run.path, run.run_id)
    run.note(exit_state="some rows or files set aside" if set_aside else "all accepted", exit_code=int(set_aside))


def fingerprint(run: RunFolder) -> str:
    """sha256 over the files and when each was received, as-of date, tax years, limits, `[marks]` and software version.

    The fingerprint of the night before is part of it: what is new or resolved tonight depends on what was known then.
    """
    facts, before = run.facts, nights.before(run.out, run.as_of)
    files = {f"{file['sha256']} {file['received_at']}" for file in facts["input_files"] if file["state"] != "duplicate"}
    years = " ".join(map(str, run.tax_years))
    since = before.facts["fingerprint"] if before else "the first night"
    marks = " ".join(f"{name} {value}" for name, value in facts["comes_back"].items())
    lines = (*sorted(files), facts["as_of"], years, marks, facts["limits_digest"], facts["version"], since)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _input_files(canonical: Path) -> list[dict[str, Any]]:
    import polars as pl

    from schemas.accounts import mask_digits

    columns = ("sha256", "file_name", "kind", "custodian", "rows", "accepted", "rejected", "state", "received_at")
    files = pl.read_parquet(canonical / "files.parquet", columns=list(columns)).sort("sha256", "state")
    shown = files.with_columns(
        pl.col("received_at").cast(pl.String),
        pl.col("file_name").map_elements(mask_digits, return_dtype=pl.String),
    )
    return shown.to_dicts()


def _rows(folder: Path) -> dict[str, int]:
    import polars as pl

    return {p.stem: pl.scan_parquet(p).select(pl.len()).collect().item() for p in matching(folder, "*.parquet")}
