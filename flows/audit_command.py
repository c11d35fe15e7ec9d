"""`rothbook audit verify` and `rothbook audit show`: the log of who ran what."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from flows import audit
from flows.errors import UsageError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name
_FIRST = ("at", "event", "who", "before")


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("audit", help="who ran what on which files, and whether the log is as it was written")
    ways = parser.add_subparsers(required=True, metavar="WAY")
    check = ways.add_parser("verify", help="follow the chain from its first line to its last")
    check.add_argument("--out", metavar="DIR", type=Path, required=True)
    check.set_defaults(command=_verify)
    show = ways.add_parser("show", help="print the newest lines")
    show.add_argument("--out", metavar="DIR", type=Path, required=True)
    show.add_argument("--last", metavar="N", type=int, default=50, help="how many lines (default: 50)")
    show.add_argument("--format", choices=("text", "json"), default="text")
    show.set_defaults(command=_show)


def _verify(asked: argparse.Namespace) -> int:
    _there(asked.out)
    checked = audit.verify(asked.out)
    for number in checked.cut_short:
        print(f"line {number} was cut short by a crash; nothing was changed")
    for run in checked.runs:
        print(run)
    if checked.broken:
        number, why = checked.broken
        print(f"BROKEN at line {number}: {why}")
        if checked.count > 1:  # the line before the broken one is held by nothing
            print(f"the first {checked.count - 1} whole lines are as they were written")
    elif checked.ok:
        print(f"ok: {checked.count} lines, head {checked.head}")
    else:
        print(f"the chain is whole: {checked.count} lines, head {checked.head}; the runs don't agree with it")
    return 0 if checked.ok else 1


def _show(asked: argparse.Namespace) -> int:
    _there(asked.out)
    if asked.last < 1:
        raise UsageError("--last must be at least 1")
    for line in audit.lines(asked.out)[-asked.last :]:
        print(json.dumps(line, ensure_ascii=False) if asked.format == "json" else "\n".join(_told(line)))
    return 0


def _told(line: dict[str, Any]) -> Iterator[str]:
    who = line["who"]
    yield f"{line['at']}  {line['event']}  by {who['user']} on {who['host']}: {who['command']}"
    for name, value in line.items():
        if name not in _FIRST and value not in (None, [], {}):
            yield f"    {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


def _there(out: Path) -> None:
    if not (out / "state" / audit.LOG).exists():
        raise UsageError(f"there is no audit log in {out}; the first run begins it")
