"""What advisors wrote beside the findings, put to the findings of tonight: marks in force, history, who is put aside.

A mark is known by its finding_id and holds whatever else changes. What a finding was when it was marked stands in the
row the mark was read from; only where that row no longer says so is it carried from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb

from schemas.marks import COMES_BACK, MARK_STATUSES, ComesBack
from schemas.tables import SEVERITIES
from transforms import steps
from transforms.steps import Step

STEPS = (
    "mark_subjects", "mark_edits", "mark_standing", "marks", "mark_history", "marked_findings", "mark_problems",
)  # fmt: skip
_NO_MARKS = (
    "select null::varchar as finding_id, null::varchar as rule, null::varchar as person_id,"
    " null::varchar as reading_id, null::decimal(18, 2) as amount_then, null::date as deadline_then,"
    " null::varchar as severity_then, null::date as gone_on limit 0"
)


def write_marks(con: duckdb.DuckDBPyConnection, previous: Path | None, comes_back: ComesBack = COMES_BACK) -> None:
    """Make `marks`, `mark_history` and `mark_problems`, and give `findings` their marks.

    `previous` is the folder of the last good run; without it a mark whose row doesn't say what the finding was is taken
    to have been made on tonight's. `comes_back` says what brings a finding back that was put aside.
    """
    steps.run(con, mark_steps(previous, comes_back))


def mark_steps(previous: Path | None, comes_back: ComesBack) -> Iterator[Step]:
    """The steps of `write_marks`."""
    yield Step(("mark_rules",), partial(_state_rules, comes_back=comes_back))
    yield Step(("previous_marks",), partial(_load_previous, previous=previous))
    yield from map(steps.table, STEPS)
    yield Step(("findings",), _take_marked, "marked_findings")


def _state_rules(con: duckdb.DuckDBPyConnection, comes_back: ComesBack) -> None:
    con.execute(
        "create table mark_rules as select $percent::integer as percent, $dollars::decimal(18, 2) as dollars,"
        " $days::integer as days, $statuses::varchar[] as statuses, $severities::varchar[] as severities",
        {
            "percent": comes_back.percent, "dollars": comes_back.dollars, "days": comes_back.days,
            "statuses": list(MARK_STATUSES), "severities": list(SEVERITIES),
        },
    )  # fmt: skip


def _load_previous(con: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    path = previous / "results" / "marks.parquet" if previous else None
    if path is not None and path.exists():
        con.execute("create table previous_marks as select * from read_parquet($path)", {"path": str(path)})
    else:
        con.execute(f"create table previous_marks as {_NO_MARKS}")


def _take_marked(con: duckdb.DuckDBPyConnection) -> None:
    # a view: every finding's words and evidence are copied when they are written, not once more before that
    con.execute(
        "alter table findings rename to unmarked_findings;"
        " create view findings as select f.* exclude (rank), m.* exclude (finding_id) from unmarked_findings as f"
        " inner join marked_findings as m on m.finding_id = f.finding_id"
    )
