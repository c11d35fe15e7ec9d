"""`python -m transforms.findings > docs/findings.md`: the page that says what every finding is, from the code itself."""

from __future__ import annotations

import importlib
import textwrap

from transforms.findings import Finding, finding_folds, registry

HEAD = """# What Rothbook finds

One row per rule. A finding has dollars (or says why not), a deadline, a reason with the person's own numbers, an action and the
file and line it rests on; where an input is missing it doesn't fire, and a finding that asks for the input does. One problem is one
row: a finding *part of* another open one of the same person and year is shown inside it (`part_of` in the findings table).
Where the same fact is missing for several years, the row of the earliest one names them all.
*If graver*: the two tell one problem from two sides, and the one that ranks higher tonight is the row.
Severity: critical = the law is already broken, or money is being lost and the deadline is within 30 days; high = over $1,000 of tax,
or a deadline this year; then medium, low, info.

All 43 rules of the catalogue the issue asks for are built; the others ask for what is missing or tell of what couldn't be read.

Made by `python -m transforms.findings`; a test keeps it true.

| rule | what it says, and its guard | part of | authority |
| --- | --- | --- | --- |
"""


def page() -> str:
    """The whole page, Markdown."""
    return HEAD + "\n".join(_row(finding) for finding in sorted(registry(), key=lambda f: f.rule)) + "\n"


def _row(finding: Finding) -> str:
    said = importlib.import_module(f"transforms.findings.{finding.rule}").__doc__ or ""
    plain = " ".join(textwrap.dedent(said).split()).replace("|", "/")
    folds = sorted(finding_folds(), key=lambda fold: fold[2])
    whole = ", ".join(
        "that of an earlier year" if into == rule else f"`{into}`{' (if graver)' * graver}"
        for rule, into, _, graver in folds
        if rule == finding.rule
    )
    return f"| `{finding.rule}` | {plain} | {whole} | {finding.authority} |"


if __name__ == "__main__":
    print(page(), end="")
