"""An advisor's workbook that came back and couldn't be used is told on that advisor's own Data problems."""

from __future__ import annotations

import pytest

from transforms.engine import connect
from transforms.steps import SQL

TABLES = (
    "run (as_of date)",
    "persons (advisor_id varchar)",
    (
        'intake_rejects (file varchar, line_number bigint, "column" varchar, rule varchar, message varchar, kind'
        " varchar, row_key varchar)"
    ),
    (
        "marks (finding_id varchar, advisor_id varchar, person_id varchar, rule varchar, status varchar, owner varchar,"
        " note varchar, snooze_until date, marked_in varchar, marked_line bigint, conflict varchar[], received_at date)"
    ),
    "findings (finding_id varchar, advisor_id varchar, tax_year integer, title varchar, status varchar)",
)


def _told(*rejects: tuple[object, ...]) -> list[tuple[str, str, str]]:
    con = connect()
    for table in TABLES:
        con.execute(f"create table {table}")
    con.execute("insert into persons values ('A1'), ('A1'), ('B7 & Co')")
    con.executemany("insert into intake_rejects values (?, ?, ?, ?, ?, ?, ?)", rejects)
    select = (SQL / "mark_problems.sql").read_text(encoding="utf-8")
    return con.execute(f"select advisor_id, rule, missing from ({select}) order by all").fetchall()


@pytest.mark.parametrize(
    "file",
    [
        "A1.xlsx",
        "shared/A1.xlsx",
        "a1 (2).xlsx",
        "A1 2026-11-30.xlsx",
        "A1 2026-11-30 (2).XLSX",
        "a.zip/back/A1.xlsx",
    ],
)
def test_the_name_of_an_advisor_s_workbook_says_whose_it_is(file: str) -> None:
    (told,) = _told((file, None, None, "workbook_encrypted", "the workbook has a password", None, None))
    assert told[:2] == ("A1", "workbook_encrypted")
    assert told[2] == (
        f"Your workbook came back and couldn't be used [{file}]: the workbook has a password. None of its marks count"
    )


def test_a_name_with_signs_is_known_as_the_workbook_is_called() -> None:
    assert [t[0] for t in _told(("B7-Co.xlsx", None, None, "other_firm", "of another firm", None, None))] == ["B7 & Co"]


def test_the_workbook_itself_says_it_under_any_name() -> None:
    rejects = ("mine.xlsx", None, None, "marks_not_found", "no headers", "finding_marks", "A1")
    assert [t[:2] for t in _told(rejects)] == [("A1", "marks_not_found")]


@pytest.mark.parametrize("file", ["budget.xlsx", "A1.csv", "A1x.xlsx"])
def test_other_files_are_told_to_operations_alone(file: str) -> None:
    assert _told((file, None, None, "kind_not_known", "no house kind", None, None)) == []


def test_a_row_or_a_column_of_a_workbook_is_told_as_a_mark() -> None:
    row = ("A1.xlsx[Exceptions]", 7, "Your status", "not_in_list", "cell K7", "finding_marks", "A1")
    column = ("A1.xlsx[Exceptions]", None, None, "mark_column_missing", "no column", "finding_marks", "A1")
    assert [t[2] for t in _told(row, column)] == [
        "A mark couldn't be read [A1.xlsx[Exceptions]]: no column",
        "A mark couldn't be read [A1.xlsx[Exceptions]:7]: cell K7",
    ]
