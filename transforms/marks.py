"""What advisors wrote beside the findings, put to the findings of tonight: marks in force, history, who is put aside.

A mark is known by its finding_id and holds whatever else changes. What a finding was when it was marked stands in the
row the mark was read from; only where that row no longer says so is it carried from run to run.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from schemas.marks import COMES_BACK, MARK_STATUSES, ComesBack
from schemas.tables import SEVERITIES

SQL = Path(__file__).parent / "sql"
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
    con.execute(
        "create table mark_rules as select $percent::integer as percent, $dollars::decimal(18, 2) as dollars,"
        " $days::integer as days, $statuses::varchar[] as statuses, $severities::varchar[] as severities",
        {
            "percent": comes_back.percent, "dollars": comes_back.dollars, "days": comes_back.days,
            "statuses": list(MARK_STATUSES), "severities": list(SEVERITIES),
        },
    )  # fmt: skip
    path = previous / "results" / "marks.parquet" if previous else None
    if path is not None and path.exists():
        con.execute("create table previous_marks as select * from read_parquet($path)", {"path": str(path)})
    else:
        con.execute(f"create table previous_marks as {_NO_MARKS}")
    for name in STEPS:
        con.execute(f"create table {name} as {(SQL / f'{name}.sql').read_text(encoding='utf-8')}")
    con.execute("drop table findings; alter table marked_findings rename to findings")
