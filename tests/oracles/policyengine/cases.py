"""Random people for the PolicyEngine oracle: 2,600 filers a year, 2023-2026, as JSON lines.

    python -m tests.oracles.policyengine.cases > cases.jsonl

Incomes sit around every phase-out boundary (its edges, one and ten dollars to either side, and inside), ages around
50, compensation from nothing to plenty. All amounts are whole dollars.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

from limits.load import for_year

YEARS = (2023, 2024, 2025, 2026)
FILERS_A_YEAR = 2600
STATUSES = ("single", "hoh", "qss", "mfj", "mfs_lived_with_spouse", "mfs_lived_apart")


def people(tax_year: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """One row per person; a couple's two rows name each other as `spouse` and share `magi` on a joint return."""
    edges = [v.value for v in for_year(tax_year).limits if v.key.startswith("ira_deduction_")]
    for n in range(FILERS_A_YEAR):
        status = chance.choice(STATUSES)
        me = _person(f"F{tax_year}{n:04d}", tax_year, status, edges, chance)
        if status in ("mfj", "mfs_lived_with_spouse", "mfs_lived_apart"):
            other = _person(f"S{tax_year}{n:04d}", tax_year, status, edges, chance)
            me["spouse"], other["spouse"] = other["id"], me["id"]
            if status == "mfj":
                other["magi"] = me["magi"]
            yield other
        yield me


def _person(name: str, tax_year: int, status: str, edges: list[int], chance: random.Random) -> dict[str, Any]:
    near = chance.choice(edges) + chance.choice([-10, -1, 0, 1, 10, chance.randint(0, 20_000)])
    return {
        "id": name, "spouse": None, "tax_year": tax_year, "filing_status": status, "magi": max(0, near),
        "age": chance.choice([30, 49, 50, 64]), "covered": chance.random() < 0.5,
        "compensation": chance.choice([0, 1500, 5000, 6900, 8000, 60_000, 200_000]),
        "traditional": chance.choice([0, 1000, 3210, 6000, 7500, 8600]), "roth": chance.choice([0, 0, 500]),
    }  # fmt: skip


if __name__ == "__main__":
    for year in YEARS:
        for row in people(year, random.Random(219 + year)):
            sys.stdout.write(json.dumps(row) + "\n")
