"""`rothbook profile new FILE`: draft a profile, print it or write it where asked, and say what a person must decide."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TypeAlias

from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    profile = commands.add_parser("profile", help="draft a custodian profile from a sample file")
    kinds = profile.add_subparsers(required=True, metavar="ACTION")
    new = kinds.add_parser("new", help="print a draft; nothing reads with it until a person has finished and placed it")
    new.add_argument("file", metavar="FILE", type=Path)
    new.add_argument("--name", metavar="NAME", default="draft", help="the profile's name (default: draft)")
    new.add_argument("--out", metavar="FILE", type=Path, help="write the draft there instead of printing it")
    new.set_defaults(command=_new)


def _new(asked: argparse.Namespace) -> int:
    from schemas.profile import PROFILES
    from transforms.intake.draft import draft
    from transforms.intake.lines import FileSetAside

    if not asked.file.is_file():
        raise UsageError(f"there is no file {asked.file}")
    out: Path | None = asked.out
    if out is not None and out.exists():
        raise UsageError(f"{out} exists already; a draft overwrites nothing")
    if out is not None and out.resolve().is_relative_to(PROFILES):
        raise UsageError("a draft isn't a profile: write it elsewhere, finish it, then move it to schemas/profiles")
    try:
        made = draft(asked.file.read_bytes(), asked.name)
    except FileSetAside as aside:
        raise UsageError(f"nothing to draft from: {aside}") from None
    if out is None:
        print(made.text, end="")
    else:
        out.write_text(made.text, encoding="utf-8")
        print(f"a draft is in {out}")
    told = ["to decide before it is a profile:", *(f"  {n}. {what}" for n, what in enumerate(made.decisions, 1))]
    print("\n".join(told), file=sys.stdout if out is not None else sys.stderr)
    return 0
