"""`rothbook diff RUN RUN`: what changed between two runs, and why."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

SHOWN = 50
#: What beside the files decides a run, as run.json names it and as it is told.
BESIDE_FILES = {
    "as_of": "as-of date", "tax_years": "tax years", "version": "software", "limits_digest": "limits",
    "comes_back": "what brings marks back",
    "packages": "packages",
}  # fmt: skip


def add(commands: Commands) -> None:
    """Add the command to the parser."""
    diff = commands.add_parser("diff", help="what changed between two runs, and why")
    diff.add_argument("before", metavar="RUN", help="run id, as-of date, 'latest' or 'previous'")
    diff.add_argument("after", metavar="RUN")
    diff.add_argument("--out", metavar="DIR", type=Path, required=True)
    diff.add_argument("--limit", metavar="N", type=_count, default=SHOWN, help=f"how many of each (default: {SHOWN})")
    diff.add_argument("--format", choices=("text", "json"), default="text")
    diff.set_defaults(command=_diff)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1")
    return int(text)


def _diff(asked: argparse.Namespace) -> int:
    from flows import audit, which_run
    from transforms.differences import compare
    from transforms.vault import opened

    one, two = (which_run.find(asked.out, text) for text in (asked.before, asked.after))
    facts = [which_run.facts(run) for run in (one, two)]
    with opened(one) as before, opened(two) as after:
        found = {"runs": _runs(facts), **compare(before, after)}
    audit.append(
        asked.out, "client exported", what="diff", run_id=two.name, beside=one.name, persons=len(found["persons"])
    )
    if asked.format == "json":
        print(json.dumps(_bounded(found, asked.limit), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_text(found, asked.limit)))
    return 0


def _runs(facts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Which runs they are, and what beside the files isn't the same."""
    before, after = facts
    moved = {name: [before.get(name), after.get(name)] for name in BESIDE_FILES if before.get(name) != after.get(name)}
    told = [{name: run[name] for name in ("run_id", "as_of", "fingerprint")} for run in facts]
    return {"before": told[0], "after": told[1], "changed": moved}


def _bounded(found: dict[str, Any], limit: int) -> dict[str, Any]:
    """The same with no list of it longer than `limit`, and how many were left off."""
    persons = [
        {**person, **{part: person[part][:limit] for part in ("numbers", "causes")}}
        for person in found["persons"][:limit]
    ]
    cut = {part: {way: rows[:limit] for way, rows in found[part].items()} for part in ("files", "findings")}
    counts = {f"{part}_{way}": len(rows) for part in ("files", "findings") for way, rows in found[part].items()}
    return {**found, **cut, "persons": persons, "counts": {**counts, "persons": len(found["persons"])}}


def _text(found: dict[str, Any], limit: int) -> Iterator[str]:
    runs = found["runs"]
    for word, run in (("from", runs["before"]), ("to", runs["after"])):
        yield f"{word:<5} run {run['run_id']}, as of {run['as_of']}, book {run['fingerprint'][:12]}"
    for name, (was, now) in runs["changed"].items():
        if name != "as_of":
            yield f"{BESIDE_FILES[name]} changed: {_short(was)} -> {_short(now)}"
    yield from _files(found["files"], limit)
    for part, word in (("facts", "facts read"), ("tables", "results")):
        yield f"{word}:" if found[part] else f"{word}: the same"
        for table, counts in found[part].items():
            yield f"  {table}: " + ", ".join(f"{count} {way}" for way, count in counts.items() if count)
    yield from _persons(found["persons"], limit)
    yield from _findings(found["findings"], limit)


def _files(files: dict[str, list[dict[str, Any]]], limit: int) -> Iterator[str]:
    for way, rows in files.items():
        if rows:
            yield f"files {way}: {len(rows)}"
            yield from _some([f"  {_file(row)}" for row in rows], limit)
    if not any(files.values()):
        yield "files: the same"


def _file(row: dict[str, Any]) -> str:
    what = f"{row['kind'] or 'unknown'}, {row['state']}, sha256 {row['sha256'][:12]}"
    return f"{row['received_at']} {row['file_name']}: {what}"


def _persons(persons: list[dict[str, Any]], limit: int) -> Iterator[str]:
    yield f"persons with changed numbers: {len(persons)}"
    for person in persons[:limit]:
        yield f"  {person['person_id']}"
        yield from _some([f"    {line}" for line in _numbers(person["numbers"])], limit)
        if not person["causes"]:
            yield "    no fact of their own changed: the date, a spouse's or a plan's facts, limits or software did"
        yield from _some([f"    because {_cause(cause)}" for cause in person["causes"]], limit)
    if len(persons) > limit:
        yield f"  ... and {len(persons) - limit} more persons (--limit)"


def _numbers(numbers: list[dict[str, Any]]) -> Iterator[str]:
    """A changed number a line; those that are blank now, which UNKNOWN makes them all, on one line a table."""
    for row in numbers:
        if row["after"] is not None:
            yield _number(row)
    gone = Counter((row["tax_year"], row["table"], row["part"]) for row in numbers if row["after"] is None)
    for (year, table, part), count in gone.items():
        yield " ".join(filter(None, (str(year), table, part))) + f": {count} numbers are blank now"


def _number(row: dict[str, Any]) -> str:
    where = " ".join(filter(None, (str(row["tax_year"]), row["table"], row["part"], row["column"])))
    return f"{where}: {_blank(row['before'])} -> {_blank(row['after'])}"


def _cause(cause: dict[str, Any]) -> str:
    what = " ".join(str(cause[name]) for name in ("account", "tax_year", "fact") if name in cause)
    changes = "; ".join(cause.get("columns", ()))
    said = " ".join(filter(None, (cause["source"], cause["change"] + ":", what, changes)))
    return f"{said} [{cause['place']}]"


def _findings(findings: dict[str, list[dict[str, Any]]], limit: int) -> Iterator[str]:
    yield "findings: " + ", ".join(f"{len(rows)} {way}" for way, rows in findings.items())
    for way, rows in findings.items():
        yield from _some([f"  {way}: {_finding(row)}" for row in rows], limit)


def _finding(row: dict[str, Any]) -> str:
    """A finding by rule and person id, with what moved as before -> after."""
    who = " ".join(str(row[name]) for name in ("person_id", "tax_year") if row[name] is not None)
    told = []
    for name in ("severity", "amount", "deadline", "mark"):
        before, now = row.get(f"{name}_before", row.get(name)), row.get(name)
        if before != now:
            told.append(f"{name} {_blank(before)} -> {_blank(now)}")
        elif now is not None:
            told.append(str(now))
    return f"{row['rule']} {who} ({', '.join(told)})"


def _some(lines: list[str], limit: int) -> Iterator[str]:
    yield from lines[:limit]
    if len(lines) > limit:
        indent = len(lines[0]) - len(lines[0].lstrip())
        yield f"{' ' * indent}... and {len(lines) - limit} more (--limit)"


def _blank(value: Any) -> str:
    return "blank" if value is None else str(value)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {version}" for name, version in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)[:12]
