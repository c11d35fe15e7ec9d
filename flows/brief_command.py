"""`rothbook brief PERSON_ID`: the one-page brief of a client, from the newest good run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands, year: Callable[[str], int]) -> None:
    """Add the command to the parser; `year` reads a tax year."""
    brief = commands.add_parser("brief", help="one page about a client, for a meeting or the client's tax preparer")
    brief.add_argument("person_id", metavar="PERSON_ID")
    brief.add_argument("--out", metavar="DIR", type=Path, required=True)
    brief.add_argument("--tax-year", metavar="YYYY", type=year, help="default: the newest the run computed")
    brief.add_argument("--to", metavar="FILE.docx", type=Path, help="default: brief-PERSON_ID-YYYY.docx in this folder")
    brief.add_argument("--for", dest="audience", choices=("meeting", "cpa"), default="meeting")
    brief.set_defaults(command=_brief)


def _brief(asked: argparse.Namespace) -> int:
    from flows import audit
    from flows.run_folder import newest
    from reports.brief import write_brief
    from reports.client import UnknownClient
    from transforms.vault import opened

    target: Path = asked.to or Path()
    if asked.to is not None and target.suffix.lower() != ".docx":
        raise UsageError(f"--to {target} has to end in .docx")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}")
    newest_run = newest(asked.out)
    facts = json.loads((newest_run / "run.json").read_text(encoding="utf-8"))
    try:
        with opened(newest_run) as run:
            written = write_brief(
                run,
                asked.person_id,
                target,
                audience=asked.audience,
                as_of=date.fromisoformat(facts["as_of"]),
                tax_years=facts["tax_years"],
                tax_year=asked.tax_year,
                fingerprint=facts["fingerprint"],
                version=facts["version"],
            )
    except UnknownClient:
        raise UsageError("the newest run has no such person (and tax year)") from None
    audit.append(
        asked.out, "client exported", what=f"brief for {asked.audience}", person_id=asked.person_id, run_id=run.name
    )
    print(written)
    return 0
