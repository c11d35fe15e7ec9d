"""Two person_ids that operations approved to be one human become one, before anything is computed.

What is blank under the surviving id is filled from the other; what both state, differently, is told in
`merge_differences` and makes the person's results UNKNOWN: nobody picks between two statements.
"""

from __future__ import annotations

import duckdb

from schemas.tables import INPUT_TABLES, PROVENANCE
from transforms.steps import Step

#: Kinds with one row per person (and year, plan, day): rows of two ids that are now one are folded into one.
FOLDED = tuple(t.name for t in INPUT_TABLES.values() if "person_id" in t.key)
#: Kinds that only name a person.
NAMING = (
    *(t.name for t in INPUT_TABLES.values() if "person_id" in t.schema and "person_id" not in t.key),
    "intake_rejects",
)
#: Columns that may differ without saying two things of a fact.
REMARKS = {"source", "note"}


def merge_step() -> Step:
    """The step of `merge_persons`."""
    return Step((*FOLDED, *NAMING, "person_records", "merge_differences"), merge_persons, "merged_persons")


def merge_persons(con: duckdb.DuckDBPyConnection) -> None:
    """Rewrite the book's tables by `merged_persons`; makes `person_records` (as stated) and `merge_differences`."""
    con.execute(
        "create table person_records as select person_id, given_name, family_name, birth_date, tax_id from persons"
    )
    con.execute("create table merge_differences (person_id varchar, said varchar)")
    if con.table("merged_persons").shape[0] == 0:
        return
    for kind in FOLDED:
        _fold(con, kind)
    for kind in NAMING:
        _rename(con, kind, "person_id")
    _rename(con, "persons", "spouse_person_id")
    con.execute("update persons set spouse_person_id = null where spouse_person_id = person_id")


def _rename(con: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    con.execute(
        f"update {table} set {column} = m.survivor_id from merged_persons as m where {table}.{column} = m.person_id"
    )


def _fold(con: duckdb.DuckDBPyConnection, kind: str) -> None:
    """One row per key: the surviving id's cells, blanks filled from the other id in order of its name."""
    table = INPUT_TABLES[kind]
    where_from = [c.name for c in PROVENANCE]
    facts = [c.name for c in table.columns if c.name not in table.key]
    con.execute(
        f"create temp table touched as select t.* replace (coalesce(m.survivor_id, t.person_id) as person_id),"
        f" (m.person_id is not null, t.person_id) as place from {kind} as t"
        " left join merged_persons as m on m.person_id = t.person_id"
        " where m.person_id is not null or t.person_id in (select survivor_id from merged_persons)"
    )
    con.execute(
        f"delete from {kind} where person_id in"
        " (select person_id from merged_persons union select survivor_id from merged_persons)"
    )
    keys = ", ".join(table.key)
    cells = ", ".join(f"arg_min({c}, place) as {c}" for c in (*facts, *where_from))
    con.execute(f"insert into {kind} by name select {keys}, {cells} from touched group by {keys}")
    # names and dates of birth under two person_ids are what the approved link has judged
    checked = [c for c in facts if c not in REMARKS and kind != "persons"]
    if checked:
        differ = " or ".join(f"count(distinct {c}) > 1" for c in checked)
        con.execute(
            f"insert into merge_differences select distinct person_id, $kind from"
            f" (select {keys} from touched group by {keys} having {differ})",
            {"kind": kind},
        )
    con.execute("drop table touched")
