"""What a person reads after a run: counts, where each set-aside row is, and where to look next. No client data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from schemas.accounts import mask_digits
from schemas.tables import ARRIVAL_STATES, SEVERITIES
from transforms.vault import opened

SHOWN = 15
ANSWERS = ("form_8606", "ira_limits", "mega_backdoor", "elective_deferrals")


def exit_code(run: Path) -> int:
    """0 when every file and row was accepted, 1 when some were set aside."""
    return int(_facts(run)["exit_code"])


def text(run: Path) -> str:
    """The summary of a published run, for the terminal."""
    with opened(run) as readable:
        return "\n".join(_lines(readable, run.parent.parent))


def _lines(run: Path, out: Path) -> list[str]:
    facts = _facts(run)
    return [
        f"Rothbook run {facts['run_id']}, as of {facts['as_of']}, tax years {', '.join(map(str, facts['tax_years']))}",
        *_verdict(run, facts),
        *_again(facts),
        *_files(facts),
        *_arrivals(run),
        *_rejects(run, out),
        *_answers(run, facts),
        *_findings(run),
        f"workbooks:  {len(facts['workbooks'])} in {out / 'latest' / 'workbooks'}",
        *_shared(facts),
        f"took:       {sum(facts['seconds'].values()):.1f} s",
        f"exit code:  {facts['exit_code']} ({facts['exit_state']})",
    ]


def _verdict(run: Path, facts: dict[str, Any]) -> Iterator[str]:
    """What somebody who reads one line has to know: what was set aside, and what didn't come at all."""
    whole = sum(file["state"] == "rejected" for file in facts["input_files"])
    rows = pl.read_parquet(run / "results" / "rejects.parquet", columns=["line_number"])["line_number"].count()
    aside = [f"{rows} rows" if rows != 1 else "1 row"] if rows else []
    aside += [f"{whole} whole files" if whole != 1 else "1 whole file"] if whole else []
    absent = [f"{count} {state}" for state, count in _arrival_counts(run) if state in ("late", "stale", "missing")]
    said = f"{' and '.join(aside)} set aside" if aside else "every file and row accepted"
    yield f"result:     {said}" + (f"; of the files that should have come: {', '.join(absent)}" if absent else "")
    if absent and not facts["exit_code"]:
        yield "            (the exit code is about what came; 'rothbook status' ends with 1 for what didn't)"


def markdown(run: Path) -> str:
    """The summary for the Prefect interface: counts only, no file name and no path."""
    with opened(run) as readable:
        return _markdown(readable)


def _markdown(run: Path) -> str:
    facts = _facts(run)
    states = Counter(file["state"] for file in facts["input_files"])
    rows = [(f"files {state}", count) for state, count in sorted(states.items())]
    rows += [("files waiting", len(facts["waiting"]))]
    rows += [(f"expected files {state}", count) for state, count in _arrival_counts(run)]
    rows += [(f"rows of {table}", count) for table, count in facts["result_rows"].items()]
    rows += [(f"findings {severity}", count) for severity, count in _severities(run)]
    table = "\n".join(f"| {what} | {count:,} |" for what, count in rows)
    return f"# Run {facts['run_id']}: {facts['exit_state']}\n\n| what | count |\n| --- | ---: |\n{table}\n"


def _facts(run: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return facts


#: What may have changed since a night that is run again, as it is told.
_CHANGED = {
    "version": "software",
    "limits_digest": "limits",
    "comes_back": "what brings marks back",
    "packages": "packages",
    "tax_years": "tax years",
    "purged": "files purged",
}


def _again(facts: dict[str, Any]) -> Iterator[str]:
    """A night that was run before: whether it came out as it did then, and if not, what has changed since."""
    if facts["looks_back"]:
        yield "looks back: a night of a later date has been run, so nothing was taken in and 'latest' stays"
        yield f"            this run is in {Path('runs') / facts['run_id']}"
    again = facts.get("again")
    if again is None:
        return
    every = again["same"] + len(again["differ"])
    if not again["differ"]:
        yield f"again:      run {again['run_id']} to the byte: {every} tables and workbooks"
        return
    yield f"again:      {len(again['differ'])} of {every} tables and workbooks differ from run {again['run_id']}"
    for name, (then, now) in again["changed"].items():
        yield f"            {_CHANGED[name]} changed since: {_short(then)} then, {_short(now)} now"
    if not again["changed"]:
        yield "            software, limits and tax years are the same: the files met that night aren't"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {version}" for name, version in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)[:12]


def _files(facts: dict[str, Any]) -> Iterator[str]:
    states = Counter(file["state"] for file in facts["input_files"])
    held = sum(states.values()) - states["duplicate"]
    yield (
        f"files:      {held} in the book: {states['accepted']} read whole, {states['partial']} with lines that"
        f" can't be read, {states['rejected']} set aside whole"
    )
    if states["duplicate"]:
        yield f"            {states['duplicate']} delivered again, already known: not read twice"
    if facts["waiting"]:
        names = ", ".join(facts["waiting"])
        yield f"            {len(facts['waiting'])} still arriving, left for the next run: {names}"
    for file in facts["input_files"]:
        if file["state"] == "rejected":
            yield f"            set aside whole: {file['file_name']}"


def _arrivals(run: Path) -> Iterator[str]:
    """What became of the deliveries the firm expects; nothing where it states none."""
    arrivals = pl.read_parquet(run / "results" / "arrivals.parquet", columns=["state", "source", "kind", "expected_on"])
    if arrivals.is_empty():
        return
    yield "expected files: " + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in _arrival_counts(run))
    troubled = arrivals.filter(pl.col("state").is_in(["late", "stale", "missing"])).sort(
        "expected_on", "source", "kind"
    )
    for state, source, kind, day in troubled.head(SHOWN).iter_rows():
        yield f"            {state}: {mask_digits(source)} ({kind.replace('_', ' ')}), due {day}"
    if troubled.height > SHOWN:
        yield f"            ... and {troubled.height - SHOWN} more: sheet Arrivals in _firm.xlsx"


def _arrival_counts(run: Path) -> list[tuple[str, int]]:
    counted = Counter(pl.read_parquet(run / "results" / "arrivals.parquet", columns=["state"])["state"].to_list())
    return [(state, counted[state]) for state in ARRIVAL_STATES if counted[state]]


def _rejects(run: Path, out: Path) -> Iterator[str]:
    columns = ["file", "line_number", "rule", "message", "source_sha256"]
    rejects = pl.read_parquet(run / "results" / "rejects.parquet", columns=columns)
    if rejects.is_empty():
        yield "set aside:  no rows"
        return
    by_rule = rejects.group_by("rule").len().sort("len", "rule", descending=[True, False])
    counts = ", ".join(f"{count} {rule}" for rule, count in by_rule.iter_rows())
    lines = rejects.drop_nulls("line_number").unique(["source_sha256", "line_number"]).height
    files = rejects.filter(pl.col("line_number").is_null()).height
    whole = f" and {_plural(files, 'whole file')}" if files else ""
    yield f"set aside:  {_plural(lines, 'row')}{whole}: {counts}"
    # the same line of a file that came twice is said once
    told = rejects.drop("source_sha256").unique().sort("file", "line_number", "rule", "message")
    for file, line, rule, message in told.head(SHOWN).iter_rows():
        where = mask_digits(file or "") + (f":{line}" if line else "")
        yield f"            {where} {rule}: {message}"
    if told.height > SHOWN:
        yield f"            ... and {told.height - SHOWN} more"
    workbooks = out / "latest" / "workbooks"
    yield f"            all of them: sheet Rows set aside in {workbooks / '_firm.xlsx'}"
    yield f"            to fix them: fill in {workbooks / '_set_aside.xlsx'} and drop it into the inbox"
    yield f"            raw lines:   {out / 'quarantine'}"


def _plural(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _answers(run: Path, facts: dict[str, Any]) -> Iterator[str]:
    yield f"persons:    {facts['canonical_rows']['persons']}"
    for table in ANSWERS:
        statuses = pl.read_parquet(run / "results" / f"{table}.parquet", columns=["status"])["status"].to_list()
        counted = Counter(statuses)
        yield f"            {table}: " + (", ".join(f"{counted[s]} {s}" for s in sorted(counted)) or "nobody")


def _findings(run: Path) -> Iterator[str]:
    counts = ", ".join(f"{count} {severity}" for severity, count in _severities(run) if count)
    yield f"findings:   {counts or 'none'}"


def _shared(facts: dict[str, Any]) -> Iterator[str]:
    """What came from the shared folder and what was put there; nothing where there is none."""
    if facts.get("shared") is None:
        return
    if facts["shared_unreachable"]:
        yield f"shared:     the folder couldn't be read ({facts['shared_unreachable']}); its marks wait"
    else:
        yield f"shared:     changed workbooks taken in: {facts['returned']}"
    placed = facts.get("placed", {})
    if "error" in placed:
        yield f"            {placed['error']}"
        return
    yield f"            workbooks put there: {placed.get('written', 0)}"
    for name in placed.get("beside", ()):
        yield f"            put beside one that is open, changed or not read whole: {mask_digits(name)}"
    for name in placed.get("failed", ()):
        yield f"            not put there: {mask_digits(name)}"


def _severities(run: Path) -> list[tuple[str, int]]:
    """Open problems as the workbooks show them: a finding that is a part of another one isn't a second row anywhere."""
    tonight = pl.read_parquet(run / "results" / "trend.parquet", columns=["as_of", *SEVERITIES]).sort("as_of").tail(1)
    return [(severity, tonight[severity].item()) for severity in SEVERITIES]
