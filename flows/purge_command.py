"""`rothbook purge`: remove what is older than the firm has to keep and no kept number rests on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flows.errors import UsageError

if TYPE_CHECKING:
    from flows.purge import Purge

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
_SHOWN = 20


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    purge = commands.add_parser("purge", help="remove what is older than the firm has to keep; says first what")
    purge.add_argument("--out", metavar="DIR", type=Path, required=True)
    purge.add_argument("--keep-years", metavar="N", type=int, help="default: 6 (SEC rule 204-2 asks for five)")
    purge.add_argument("--config", metavar="FILE", type=Path, help="take years and PGP key ring from this file")
    purge.add_argument("--run", metavar="RUN_ID", help="take back the newest night, run as of a date by mistake")
    way = purge.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="only say what would go (the default)")
    way.add_argument("--yes", action="store_true", help="remove it")
    purge.set_defaults(command=_purge)


def _purge(asked: argparse.Namespace) -> int:
    from flows import audit, audited, config, nights, purge
    from flows.run_folder import exclusive, newest

    settings = config.load(asked.config) if asked.config else config.from_environment()
    years = settings.retention.years if asked.keep_years is None else asked.keep_years
    if years < 1:
        raise UsageError("--keep-years must be at least 1")
    newest(asked.out)
    with exclusive(asked.out):
        nights.catch_up(asked.out)
        audited.catch_up(asked.out)
        if asked.run:
            return _take_back(asked)
        found = purge.find(asked.out, years, settings.intake.pgp_home)
        print("\n".join(_text(found, years, removed=asked.yes)))
        if asked.yes and not found.empty:
            facts = {"keep_years": years, "received_before": found.before.isoformat()}
            audit.append(asked.out, "purge started", **facts, **found.facts())
            purge.remove(asked.out, found)
            audit.append(asked.out, "purge finished", **facts, counts=found.counts())
    return 0


def _take_back(asked: argparse.Namespace) -> int:
    from flows import audit, audited, nights, purge
    from schemas.accounts import mask_digits

    night = nights.newest(asked.out)
    if night is None or night.run_id != asked.run:
        raise UsageError(f"only the newest night can be taken back, which is {night.run_id if night else 'none'}")
    if not asked.yes:
        print(
            f"would take back run {asked.run} and forget {len(night.facts['took_in'])} files it took in (--yes does it)"
        )
        return 0
    audit.append(
        asked.out, audited.TAKEN_BACK, run_id=asked.run, files=[sha256 for _, sha256 in night.facts["took_in"]]
    )
    took_in = purge.take_back(asked.out, asked.run)
    print(
        f"run {asked.run} is taken back; {len(took_in)} files are to be delivered again (their bytes are in archive/):"
    )
    for name, sha256 in took_in[:_SHOWN]:
        print(f"  {mask_digits(name)}  archive/{sha256}")
    if len(took_in) > _SHOWN:
        print(f"  ... and {len(took_in) - _SHOWN} more: 'run taken back' in the audit log names them all")
    return 0


def _text(found: Purge, years: int, *, removed: bool) -> Iterator[str]:
    yield f"kept: {years} years, from {found.before} on (counted back from the newest run's as-of date)"
    if years < 6:
        yield "note: SEC rule 204-2 asks for five years after the fiscal year; 6 covers that"
    if found.empty:
        yield "nothing is older and not needed"
    elif removed:
        yield "removing, and told in the audit log:"
    else:
        yield "would remove (nothing is removed without --yes):"
    said = {
        "runs": "runs", "notes": "notes of failed runs", "logs": "logs of runs", "nights": "nights' tables in state",
        "archive": "archived files", "quarantine": "quarantined files",
        "flow_runs": "runs in Prefect's own database", "failures": "files Prefect kept of failed runs",
    }  # fmt: skip
    for name, count in found.counts().items():
        if count:
            items = getattr(found, name)
            shown = ", ".join(item[:14] for item in items[:_SHOWN])
            yield f"  {count} {said[name]}: {shown}{' ...' if count > _SHOWN else ''}"
    if found.needed:
        yield f"  {found.needed} archived files are as old and stay: numbers of kept runs rest on them"
