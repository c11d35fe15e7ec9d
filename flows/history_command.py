"""`rothbook history PERSON_ID|ACCOUNT`: what was known on which night, with file and line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
SHOWN = 200
#: Up to how many values that are gone are named.
_NAMED = 3


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    history = commands.add_parser("history", help="what was known of a person or an account on which night")
    history.add_argument("who", metavar="PERSON_ID|ACCOUNT", help="an account is custodian:number, or its number")
    history.add_argument("--out", metavar="DIR", type=Path, required=True)
    history.add_argument("--limit", metavar="N", type=int, default=SHOWN, help=f"how many lines (default: {SHOWN})")
    history.add_argument("--format", choices=("text", "json"), default="text")
    history.set_defaults(command=_history)


def _history(asked: argparse.Namespace) -> int:
    from flows import audit, which_run
    from schemas.accounts import mask_digits
    from transforms.known_when import known_when
    from transforms.vault import opened

    nights = which_run.nights(asked.out)
    if not nights:
        raise UsageError(f"there is no finished run in {asked.out}; run 'rothbook run --out {asked.out}' first")
    with ExitStack() as stack:
        found = known_when([(day, stack.enter_context(opened(run))) for day, run in nights], asked.who)
    if not found:
        raise UsageError("no night that is still there knows such a person or account")
    audit.append(
        asked.out, "client exported", what="history", person_id=mask_digits(asked.who), run_id=nights[-1][1].name
    )
    if asked.format == "json":
        print(json.dumps({"nights": [day for day, _ in nights], "versions": found[: asked.limit]}, indent=1))
        return 0
    lines = list(_text(found))
    print(f"{len(nights)} nights, {nights[0][0]} to {nights[-1][0]}")
    print("\n".join(lines[: asked.limit]))
    if len(lines) > asked.limit:
        print(f"... and {len(lines) - asked.limit} more lines (--limit)")
    return 0


def _text(found: list[dict[str, Any]]) -> Iterator[str]:
    """Every version on a line: the first of a fact whole, the later ones by what is different."""
    before: dict[str, Any] = {}
    for version in found:
        same_fact = (version["table"], version["fact"]) == (before.get("table"), before.get("fact"))
        if not same_fact:
            yield f"{version['table']} {version['fact']}".rstrip()
        until = f"until {version['known_until']}" if version["known_until"] else "to date"
        place = f" [{version['place']}, received {version['received_at']}]" if version["place"] else ""
        told = _told(version["values"], before["values"] if same_fact else {})
        yield f"  {version['known_from']} {until:<16} {told}{place}"
        before = version


def _told(values: dict[str, str], before: dict[str, str]) -> str:
    told = [f"{name} {value}" for name, value in values.items() if before.get(name) != value]
    blank = [name for name in before if name not in values]
    told += [f"{name} blank" for name in blank] if len(blank) <= _NAMED else [f"{len(blank)} others blank"]
    return ", ".join(told) or "the same, from another place"
