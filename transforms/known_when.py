"""What was known of a person or an account on which night: every version of a fact, and of an answer, with its place.

The tables of each night's run are the book as known then. A version is known from the first night that has it to the
last one in a row; a fact that goes back to what it was has two such spans. Names, tax ids and free text are left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from schemas.accounts import mask_digits, normalise_account_number
from schemas.tables import INPUT_TABLES, PROVENANCE, RESULT_TABLES, Table
from transforms import database
from transforms.differences import ANSWERS, CONFIDENTIAL, OF_ACCOUNTS, OF_PERSONS

_PLACE = ("source_file", "source_line", "received_at")
_OWNERS = frozenset({"person_id", "custodian", "account_number"})
_WHERE_FROM = frozenset(column.name for column in PROVENANCE)


def known_when(nights: Sequence[tuple[str, Path]], who: str) -> list[dict[str, Any]]:
    """Every version of every fact of `who` over `nights` (as-of date and run folder, oldest first).

    `who` is a person_id or an account (`custodian:number`, or the number). One dict per version: table, fact (what of),
    values (column to text, blanks left out), known_from, known_until (None: still known on the last night), received_at
    and place (file:line; None for an answer). Sorted by table, fact and known_from. Empty if no night knows `who`.
    """
    with database.connect() as con:
        database.confine(con, *(run for _, run in nights))
        con.execute("create table nights (night integer, day varchar, run varchar)")
        con.executemany(
            "insert into nights values (?, ?, ?)", [(n, day, str(run)) for n, (day, run) in enumerate(nights)]
        )
        _load_whose(con, nights, who)
        found = []
        for folder, names in (("canonical", (*OF_PERSONS, *OF_ACCOUNTS)), ("results", ANSWERS)):
            for name in names:
                table = (INPUT_TABLES if folder == "canonical" else RESULT_TABLES)[name]
                found += _versions(con, nights, folder, table)
    return found


def _paths(nights: Sequence[tuple[str, Path]], folder: str, name: str) -> list[str]:
    return [str(path) for _, run in nights if (path := run / folder / f"{name}.parquet").exists()]


def _load_whose(con: duckdb.DuckDBPyConnection, nights: Sequence[tuple[str, Path]], who: str) -> None:
    """Make `keys`: the accounts meant, and the person if it is one."""
    con.execute("create table person as select $who as person_id", {"who": who})
    con.execute("create table keys (account_key varchar)")
    custodian, colon, number = who.rpartition(":")
    con.execute(
        "insert into keys select distinct account_key from ("
        " select account_key, person_id from read_parquet($aggregated, union_by_name = true)"
        " union all by name select custodian || ':' || account_number as account_key, person_id"
        " from read_parquet($accounts, union_by_name = true))"
        " where person_id = $who or account_key = $key"
        " or ($bare and split_part(account_key, ':', 2) = $number)",
        {
            "aggregated": _paths(nights, "results", "ira_aggregation"),
            "accounts": _paths(nights, "canonical", "accounts"),
            "who": who,
            "key": f"{custodian.lower()}:{normalise_account_number(number)}",
            "number": normalise_account_number(number),
            "bare": not colon,
        },
    )


def _versions(
    con: duckdb.DuckDBPyConnection, nights: Sequence[tuple[str, Path]], folder: str, table: Table
) -> list[dict[str, Any]]:
    paths = _paths(nights, folder, table.name)
    if not paths:
        return []
    described = con.execute("describe select * from read_parquet($paths, union_by_name = true)", {"paths": paths})
    columns = [row[0] for row in described.fetchall()]
    personal, from_file = "person_id" in table.key, folder == "canonical"
    key = [c for c in table.key if c in columns and c not in _OWNERS | CONFIDENTIAL]
    of = [] if personal else ["r.custodian || ' ...' || right(r.account_number, 4)"]
    of += [f'r."{c}"' for c in key]
    values = [c for c in columns if c not in {*table.key, *_WHERE_FROM, *CONFIDENTIAL}]
    whose = "r.person_id = (from person)" if personal else "r.custodian || ':' || r.account_number in (from keys)"
    place = ", ".join(f"r.{c}" if from_file else f"null as {c}" for c in _PLACE)
    picked = ", ".join(f'"{c}" := r."{c}"::varchar' for c in values)
    select = f"""
        with seen as (
            select n.night, n.day, concat_ws(' ', {", ".join(of) or "null"}) as fact,
                to_json(struct_pack({picked}))::varchar as content, {place}
            from read_parquet($paths, union_by_name = true, filename = true) as r
            inner join nights as n on starts_with(r.filename, n.run || '/')
            where {whose}
        ),
        spans as (
            select *, night - row_number() over (partition by fact, content, {", ".join(_PLACE)} order by night) as span
            from seen
        )
        select fact, content, source_file, source_line, received_at::varchar as received_at, min(day) as known_from,
            case when max(night) < (select max(night) from nights) then max(day) end as known_until
        from spans
        group by fact, content, {", ".join(_PLACE)}, span
        order by fact, min(night), source_file, source_line
    """
    found = con.execute(select, {"paths": paths})
    names = [column[0] for column in found.description]
    return [_version(table.name, dict(zip(names, row, strict=True))) for row in found.fetchall()]


def _version(table: str, row: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in json.loads(row["content"]).items() if value is not None}
    file = row["source_file"]
    return {
        "table": table,
        "fact": mask_digits(row["fact"]),
        "values": values,
        "known_from": row["known_from"],
        "known_until": row["known_until"],
        "received_at": row["received_at"],
        "place": f"{mask_digits(file)}:{row['source_line']}" if file else None,
    }
