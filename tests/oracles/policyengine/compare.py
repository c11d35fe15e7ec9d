"""The engine's IRA contribution limit and deduction against PolicyEngine's, to the dollar.

    python -m tests.oracles.policyengine.compare < expected.jsonl

Prints the counts and every class of difference; exits 1 if any difference is not of a known class.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from decimal import Decimal
from typing import Any

from tests.book import Book

#: The rules page, C2: "even excess ones".
SPOUSE_EXCESS = "the spouse's excess traditional contribution is taken off whole, PolicyEngine caps it (408(o)(2))"


def ours(year: int, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The engine's `ira_limits` of each person of one year."""
    book = Book()
    for row in rows:
        who = row["id"]
        book.person(who, year, birth_date=f"{year - row['age']}-07-01", spouse_person_id=row["spouse"],
                    filing_status=row["filing_status"], deduction_magi=row["magi"], roth_magi=0,
                    compensation=row["compensation"], active_participant=row["covered"])  # fmt: skip
        for kind, amount in (("traditional", row["traditional"]), ("roth", row["roth"])):
            if amount:
                book.ira(f"{who}{kind}", 0, person_id=who, kind=f"{kind}_ira", as_of=f"{year}-11-01")
                book.event(f"{who}{kind}", f"{year}-02-01", "contribution", amount, tax_year=year)
    table = book.compute(as_of=f"{year}-12-01", tax_years=(year,))["ira_limits"]
    return {row["person_id"]: row for row in table.iter_rows(named=True)}


def _explained(row: dict[str, Any], other: dict[str, Any] | None, got: dict[str, Any]) -> str:
    """Why the two differ, or nothing."""
    if other and row["filing_status"] == "mfj" and row["compensation"] < other["compensation"]:
        excess = other["traditional"] - other["limit"]
        if excess > 0 and got["contribution_limit"] < row["limit"]:
            return SPOUSE_EXCESS
    return ""


def main() -> int:
    """Compare, print, and say whether every difference is known."""
    rows = [json.loads(line) for line in sys.stdin]
    by_id = {row["id"]: row for row in rows}
    counts: Counter[str] = Counter()
    unexplained = []
    for year in sorted({row["tax_year"] for row in rows}):
        mine = ours(year, [row for row in rows if row["tax_year"] == year])
        for who, got in mine.items():
            row = by_id[who]
            for name, theirs in (("contribution_limit", row["limit"]), ("deductible_contributions", row["deduction"])):
                if got[name] is not None and got[name] == Decimal(str(theirs)):
                    counts[f"{name}: agrees"] += 1
                    continue
                why = _explained(row, by_id.get(row["spouse"]), got)
                counts[f"{name}: {why or 'NOT EXPLAINED'}"] += 1
                if not why:
                    unexplained.append((name, got[name], theirs, row, by_id.get(row["spouse"])))
    for line, count in sorted(counts.items()):
        print(f"{count:6d}  {line}")
    for case in unexplained[:5]:
        print(*case)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
