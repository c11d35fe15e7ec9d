"""How one person's numbers came about: each result, its reasons, and every file and line behind it.

Reads a finished run's `results/` and `derived/`. The page shows accounts by their last four characters and no name, so
that it may be pasted into a ticket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from schemas.accounts import mask_digits

#: Result tables a person has rows in, with the heading each gets on the page.
SECTIONS = {
    "form_8606": "Form 8606",
    "ira_limits": "IRA contribution limits",
    "mega_backdoor": "Mega backdoor Roth (415(c))",
    "elective_deferrals": "Elective deferrals (402(g))",
    "excess_contributions": "Excess contributions and the 6% tax (4973)",
    "after_tax_conversions": "Converting after-tax plan money (72(e)(8), Notice 2014-54)",
    "ways_out": "Ways out of pro-rata",
}

#: Which evidence stands behind which line or column.
FEEDS = {
    "basis": "line 2",
    "contribution": "lines 1 and 4, limits",
    "pool_value": "line 6",
    "distribution": "line 7",
    "conversion": "lines 8 and 16",
    "conversion_in": "conversion, Roth side",
    "plan_money_in": "line 6 and line 2",
    "moved": "not on line 7",
    "taken_back": "not counted",
    "corrected": "corrected by the firm",
    "account": "which accounts count",
    "tax_profile": "limits",
    "plan": "deferrals, 415(c)",
    "payroll": "deferrals, 415(c)",
    "unclassified": "not decided",
    "set_aside": "set aside",
}


@dataclass(frozen=True)
class Explanation:
    """Everything behind one person: result rows by table, evidence, findings, figures and contested choices used."""

    person_id: str
    results: dict[str, list[dict[str, Any]]]
    evidence: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    limits: list[dict[str, Any]]
    choices: dict[str, str]


def gather(run: Path, person_id: str, tax_year: int | None = None) -> Explanation:
    """Collect what a run knows of `person_id`; raises KeyError if the run has no such person."""

    def rows(path: Path) -> list[dict[str, Any]]:
        if not path.exists():  # a run of a version that didn't compute it yet
            return []
        frame = pl.scan_parquet(path).filter(pl.col("person_id") == person_id)
        if tax_year is not None:
            frame = frame.filter(pl.col("tax_year").is_null() | (pl.col("tax_year") == tax_year))
        return frame.collect().to_dicts()

    results = {name: rows(run / "results" / f"{name}.parquet") for name in SECTIONS}
    if not any(results.values()):
        raise KeyError(person_id)
    years = sorted({row["tax_year"] for found in results.values() for row in found})
    used = pl.scan_parquet(run / "derived" / "limits_used.parquet").filter(pl.col("tax_year").is_in(years))
    return Explanation(
        person_id,
        results,
        rows(run / "derived" / "evidence.parquet"),
        rows(run / "results" / "findings.parquet"),
        used.collect().to_dicts(),
        _choices(run / "derived" / "choices.parquet"),
    )


def _choices(path: Path) -> dict[str, str]:
    return pl.read_parquet(path).row(0, named=True) if path.exists() else {}


def explain(run: Path, person_id: str, tax_year: int | None = None) -> str:
    """The page as text. Raises KeyError if the run has no such person."""
    return "\n".join(_lines(gather(run, person_id, tax_year)))


def explain_json(run: Path, person_id: str, tax_year: int | None = None) -> str:
    """The same content as JSON; money as decimal strings. Raises KeyError if the run has no such person."""
    found = gather(run, person_id, tax_year)
    content = {
        "person_id": person_id, **found.results, "evidence": found.evidence, "findings": found.findings,
        "limits_used": found.limits, "contested_choices": found.choices,
    }  # fmt: skip
    return json.dumps(content, indent=2, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, date | Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def _lines(found: Explanation) -> Iterator[str]:
    yield f"Person {found.person_id}"
    for name, heading in SECTIONS.items():
        for row in found.results[name]:
            yield from _section(heading, row)
            if name == "form_8606":
                yield from _evidence(found, row["tax_year"])
    for finding in sorted(found.findings, key=lambda row: row["rank"]):
        yield ""
        yield f"Finding [{finding['severity']}] {finding['title']}"
        yield f"  why     {finding['explanation']}"
        yield f"  action  {finding['action']}"
        yield f"  law     {finding['authority']}"
    yield from _limits(found)


def _section(heading: str, row: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{heading}, tax year {row['tax_year']}: {row['status']}"
    for reason in row["reasons"] or ():
        yield f"  because {reason}"
    for key, value in row.items():
        if key == "rests_on":
            yield from (f"  rests on {fact}" for fact in value)
        elif key not in ("person_id", "tax_year", "status", "reasons") and value is not None:
            yield f"  {key:<28} {_shown(value):>18}"


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, Decimal) else str(value)


def _evidence(found: Explanation, year: int) -> Iterator[str]:
    rows = [row for row in found.evidence if row["tax_year"] == year]
    if rows:
        yield "  from"
    for topic, feeds in FEEDS.items():
        for row in rows:
            if row["topic"] == topic:
                yield f"    {feeds}: {row['text']}  [{mask_digits(row['source_file'])}:{row['source_line']}]"


def _limits(found: Explanation) -> Iterator[str]:
    yield ""
    yield "Figures of the law used"
    for limit in found.limits:
        status = f" ({limit['filing_status']})" if limit["filing_status"] else ""
        yield f"  {limit['tax_year']} {limit['key']}{status}: {limit['value']:,}  {limit['authority']}"
    yield ""
    yield "Contested rules, as switched in limits/contested.toml"
    for key, choice in found.choices.items():
        yield f"  {key}: {choice}"
