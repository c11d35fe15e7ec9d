"""Is everything in place for the next night? One line per check: ok, warn or fail, and how to put it right.

Nothing is written, no key and no client data is said; paths, versions and counts are. What can't be looked at because
something before it failed (no configuration, no folder) is left out, not guessed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo

from flows import config, doctor_keys
from flows.checkup import OTHERS, Check, Patient, mode
from flows.errors import UsageError
from flows.run_folder import latest
from limits import load
from transforms.folders import everything

MEGABYTE = 1024**2
#: Free space, in sizes of the last run, below which a night may fail, and below which it is time to make room.
_TOO_LITTLE, _LITTLE = 2, 10
#: From this month on the IRS has published, or is about to publish, the figures of the coming year.
_COMING_YEAR_FROM = 10


def examine(path: Path | None, today: date) -> list[Check]:
    """Every check in turn; without `path`, what the environment says is the configuration."""
    try:
        settings = config.load(path) if path else config.from_environment()
    except UsageError as wrong:
        fix = "correct it; flows/rothbook.toml documents every key"
        first = [Check("fail", "configuration", line, fix) for line in str(wrong).splitlines()]
        settings = config.Settings.model_construct()
        return [*first, *(check for part in _ANYWHERE for check in part(Patient(settings, today)))]
    patient = Patient(settings, today, path)
    return [check for part in (_configuration, *_CONFIGURED, *_ANYWHERE) for check in _looked(part, patient)]


def _looked(part: Part, patient: Patient) -> Iterator[Check]:
    """What a part finds; what it can't look at is a finding too, for the next night can't either."""
    try:
        yield from part(patient)
    except OSError as error:
        what = part.__name__.strip("_").replace("_", " ")
        found = f"{error.filename or what} can't be read ({error.strerror or type(error).__name__})"
        yield Check("fail", what, found, "correct owner and mode of what is below OUT, or the disk it is on")


def exit_code(checks: list[Check]) -> int:
    """0 where all is well, 1 with a warning, 2 where something would fail."""
    return max({"ok": 0, "warn": 1, "fail": 2}[check.level] for check in checks)


def _configuration(patient: Patient) -> Iterator[Check]:
    if patient.path is None:
        yield Check("warn", "configuration", "no file named: defaults and the environment", "name it: --config FILE")
        return
    yield Check("ok", "configuration", f"{patient.path} is valid")
    if mode(patient.path) & 0o022:
        fix = f"chmod go-w {patient.path}"
        yield Check("warn", "configuration", "others may change it, and with it what a run does", fix)


def _folders(patient: Patient) -> Iterator[Check]:
    folders = patient.settings.folders
    for name, folder, how in (("inbox", folders.inbox, os.R_OK | os.X_OK), ("shared", folders.shared, os.W_OK)):
        if folder is not None:
            yield _folder(name, folder, how)
        elif name == "inbox":
            yield Check(
                "warn", "inbox", "the configuration names none", "set [folders] inbox, or give --inbox each time"
            )
    out = folders.out
    if out is None:
        yield Check("warn", "out", "the configuration names none", "set [folders] out, or give --out each time")
    elif out.exists():
        yield _folder("out", out, os.W_OK | os.X_OK)
    else:
        parent = next(p for p in out.parents if p.exists())
        writable = os.access(parent, os.W_OK)
        found = f"{out} isn't there yet; the first run makes it" if writable else f"{out} can't be made in {parent}"
        yield Check(
            "ok" if writable else "fail", "out", found, None if writable else f"let this user write to {parent}"
        )


def _folder(name: str, folder: Path, how: int) -> Check:
    if not folder.is_dir():
        return Check("fail", name, f"there is no folder {folder}", f"mkdir -p {folder}, or mount the share it is on")
    if not os.access(folder, how):
        verb = "written to" if how & os.W_OK else "read"
        return Check("fail", name, f"{folder} can't be {verb} by this user", "correct its owner, mode or mount options")
    return Check("ok", name, f"{folder} can be {'written to' if how & os.W_OK else 'read'}")


def _permissions(patient: Patient) -> Iterator[Check]:
    """Everything under OUT is its owner's only; an inbox everybody can look into is told: its files are in clear."""
    folders = patient.settings.folders
    if folders.inbox is not None and folders.inbox.is_dir() and mode(folders.inbox) & 0o007:
        fix = f"chmod o= {folders.inbox}"
        yield Check("warn", "permissions", "everybody on this machine can look into the inbox", fix)
    yield from _advisors_apart(folders.shared)
    if folders.out is None or not folders.out.is_dir():
        return
    out = folders.out
    parts = [out / name for name in ("archive", "quarantine", "state", "runs", "logs", "prefect")]
    open_to_others = sum(1 for part in parts for path in _everything(part) if mode(path) & OTHERS)
    if open_to_others:
        found = f"{open_to_others} files and folders of {out} can be read by others"
        yield Check("fail", "permissions", found, f"chmod -R go= {out}")
    elif mode(out) & OTHERS:
        yield Check("warn", "permissions", f"others can look into {out}", f"chmod 700 {out}")
    else:
        yield Check("ok", "permissions", f"{out} is its owner's only")


def _advisors_apart(shared: Path | None) -> Iterator[Check]:
    """A new advisor's folder is as open as the shared one; what keeps advisors apart is each folder's own mode."""
    if shared is None or not shared.is_dir():
        return
    inside = [path for path in shared.iterdir() if path.is_dir() and not path.is_symlink()]
    bare = sorted(path.name for path in inside if mode(path) & 0o007)
    if bare:
        found = (
            f"everybody on this machine can look into {len(bare)} of {len(inside)} advisors' folders ({bare[0]} first)"
        )
        fix = f"give each folder of {shared} to its advisor's group: chmod o="
        yield Check("warn", "permissions", found, fix)


def _everything(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
        yield from (path for path in everything(folder) if not path.is_symlink())


def _disk(patient: Patient) -> Iterator[Check]:
    out = patient.settings.folders.out
    if out is None or not out.is_dir():
        return
    free = shutil.disk_usage(out).free
    run = latest(out)
    size = sum(path.lstat().st_size for path in everything(run)) if run else 0
    found = f"{free // MEGABYTE:,} MB free; the newest run takes {size / MEGABYTE:,.1f} MB"
    if free < max(_TOO_LITTLE * size, 100 * MEGABYTE):
        yield Check("fail", "disk", found, "make room, or give OUT a larger disk")
    elif free < max(_LITTLE * size, 1024 * MEGABYTE):
        yield Check("warn", "disk", found, "make room before it runs full")
    else:
        yield Check("ok", "disk", found)


def _prefect(_patient: Patient) -> Iterator[Check]:
    if "PREFECT_API_URL" not in os.environ:
        yield Check(
            "ok", "prefect", "PREFECT_API_URL isn't set here: not scheduled through Prefect, or in another shell"
        )
        return
    from flows.deployments import require_server

    try:
        require_server()
    except UsageError as unreachable:
        found, _, fix = str(unreachable).partition(": ")
        yield Check("fail", "prefect", found, fix)
        return
    yield Check("ok", "prefect", "a server answers at PREFECT_API_URL")


def _clock(patient: Patient) -> Iterator[Check]:
    out = patient.settings.folders.out
    run = latest(out) if out is not None else None
    newest = date.fromisoformat(json.loads((run / "run.json").read_text(encoding="utf-8"))["as_of"]) if run else None
    if newest is not None and newest > patient.today:
        found = f"today is {patient.today} here, and the newest run is as of {newest}"
        yield Check("warn", "clock", found, "set the clock, or mind that a run was given a later --as-of")
    else:
        yield Check("ok", "clock", f"today is {patient.today} here")
    zone = ZoneInfo(patient.settings.schedule.timezone)
    midday = datetime(patient.today.year, patient.today.month, patient.today.day, 12)  # noqa: DTZ001 - local is meant
    here, there = midday.astimezone().utcoffset(), midday.replace(tzinfo=zone).utcoffset()
    if here != there:
        found = f"the machine's zone is {time.tzname[0]}, the schedule's {zone.key}: 'today' may differ around midnight"
        yield Check("warn", "time zone", found, f"set the machine, or TZ of the service, to {zone.key}")
    else:
        yield Check("ok", "time zone", f"{zone.key}, as on this machine")


def _limits(patient: Patient) -> Iterator[Check]:
    today, held = patient.today, load.years()
    for year in load.default_tax_years(today):
        if year in held:
            yield Check("ok", "limits", f"limits/{year}.toml is there")
        else:
            yield Check("fail", "limits", f"there are no limits for {year}: runs of it are refused", _add_year(year))
    coming = today.year + 1
    if today.month >= _COMING_YEAR_FROM and coming not in held:
        yield Check(
            "warn", "limits", f"there are no limits for {coming} yet; the IRS publishes them now", _add_year(coming)
        )
    last = load.holiday_years()[1]
    needed = coming if today.month >= _COMING_YEAR_FROM else today.year
    if last < needed:
        fix = f"add the holidays of {needed} to limits/market_holidays.toml"
        yield Check("warn", "limits", f"market holidays are held up to {last}: due dates after it may be off", fix)


def _add_year(year: int) -> str:
    return f"add limits/{year}.toml (CONTRIBUTING.md, 'Add a tax year')"


def _versions(patient: Patient) -> Iterator[Check]:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - the doctor is asked because something may be amiss
        yield Check("fail", "python", f"Python {here}", "install Python 3.11 or later")
    else:
        yield Check("ok", "python", f"Python {here}")
    if not patient.lock.exists():
        yield Check("warn", "packages", f"there is no {patient.lock.name} to compare with", "run it from a checkout")
        return
    wrong = sorted(_other_versions(patient.lock.read_text(encoding="utf-8")))
    if wrong:
        yield Check("fail", "packages", f"not as locked: {', '.join(wrong)}", "make setup")
    else:
        yield Check("ok", "packages", "every package is the one that was tested (requirements.lock)")


def _other_versions(lock: str) -> Iterator[str]:
    from packaging.requirements import Requirement

    for line in re.findall(r"^(\S+==[^\\\n]+)", lock, re.MULTILINE):
        wanted = Requirement(line.strip())
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            yield f"{wanted.name} (missing)"
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} {found} ({wanted.specifier} locked)"


Part = Callable[[Patient], Iterator[Check]]
_CONFIGURED: tuple[Part, ...] = (
    _folders, _permissions, doctor_keys.firm_key, doctor_keys.at_rest_key, doctor_keys.passwords, _disk,
    doctor_keys.pgp, _clock,
)  # fmt: skip
_ANYWHERE: tuple[Part, ...] = (_limits, _versions, _prefect)


def as_json(checks: list[Check]) -> str:
    """For a monitoring system."""
    return json.dumps({"checks": [asdict(check) for check in checks], "exit_code": exit_code(checks)}, indent=2)


def as_text(checks: list[Check]) -> str:
    """One line per check, and under it how to put it right."""
    lines = []
    for check in checks:
        lines.append(f"{check.level:<5} {check.what:<14} {check.found}")
        if check.fix and check.level != "ok":
            lines.append(f"{'':<20} -> {check.fix}")
    return "\n".join(lines)
