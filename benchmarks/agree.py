"""Holds the Form 8606 lines of a yardstick against those of a run: the same people, the same cents in every line.

`PYTHONPATH=. python benchmarks/agree.py RUN LINES`: RUN is a run's folder, LINES a CSV in cents (`--lines` of a
yardstick). Line 10, a ratio, is compared to nine places. Ends with 1 and says how many differ where any does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from benchmarks.yardstick import LINES


def differing(run: Path, lines: Path) -> dict[str, int]:
    """People whose line differs, by line; `person` counts those only one side has a form for."""
    mine = f"read_parquet('{run / 'results' / 'form_8606.parquet'}')"
    theirs = f"read_csv('{lines}', header = true, all_varchar = true)"
    counted = ", ".join(_differs(line) for line in LINES)
    query = (
        "select count(*) filter (mine.person_id is null or theirs.person_id is null) as person, count(*) as forms, "
        f"{counted} from {mine} as mine full join {theirs} as theirs on theirs.person_id = mine.person_id"
    )
    with duckdb.connect() as database:
        found = database.sql(query)
        return dict(zip(found.columns, found.fetchall()[0], strict=True))


def _differs(line: str) -> str:
    mine, theirs = f"mine.{line}", f"cast(theirs.{line} as decimal(28, 12))"
    if line == "line_10":
        unequal = f"({mine} is null) <> ({theirs} is null) or abs({mine} - {theirs}) > 0.000000001"
    else:
        unequal = f"{mine} * 100 is distinct from {theirs}"
    return f"count(*) filter ({unequal}) as {line}"


def main() -> None:
    """Say how many forms agree."""
    found = differing(Path(sys.argv[1]), Path(sys.argv[2]))
    forms = found.pop("forms")
    wrong = {what: count for what, count in found.items() if count}
    if wrong or not forms:
        sys.exit(f"{forms:,} forms, and these differ: {wrong}")
    print(f"{forms:,} forms, every line equal to the cent")


if __name__ == "__main__":
    main()
