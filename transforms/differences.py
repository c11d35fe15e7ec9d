"""What changed between two runs, and why: tables, numbers of persons, findings, and the facts that moved.

Reads two finished runs' folders; every comparison is one SQL statement over whole tables. Persons are told by their ids
and accounts by their last four characters, so that the page may be pasted into a ticket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.accounts import mask_digits
from schemas.tables import INPUT_TABLES, PROVENANCE, RESULT_TABLES, Table

#: Result tables whose numbers are told person by person.
ANSWERS = ("form_8606", "ira_limits", "mega_backdoor", "elective_deferrals", "excess_contributions")
#: What a person's numbers rest on: input tables by whose rows they are.
OF_PERSONS = ("persons", "tax_profiles", "ira_basis", "excess_carryovers", "plan_contributions")
OF_ACCOUNTS = (
    "accounts", "balances", "transactions", "form_5498", "form_1099r", "account_links", "renumbered_accounts",
)  # fmt: skip
#: Facts that may concern anybody.
OF_EVERYBODY = ("plans", "plan_sources", "corrections", "row_fixes", "link_decisions", "tax_id_changes")
#: Columns never told, because they hold what clients are called or known by; that they changed is told.
CONFIDENTIAL = frozenset(
    {"given_name", "family_name", "birth_date", "tax_id", "owner_tax_id", "owner_name", "owner_birth_date", "description",
     "old_tax_id", "new_tax_id", "note", "email", "advisor_name", "inherited_from"}
)  # fmt: skip
_WHERE_FROM = frozenset(column.name for column in PROVENANCE)


@dataclass(frozen=True)
class Sides:
    """Both runs in one DuckDB: `one.<table>` is the earlier one's, `two.<table>` the later one's."""

    con: duckdb.DuckDBPyConnection
    tables: frozenset[str]

    def rows(self, select: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a SELECT by column name."""
        found = self.con.execute(select, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def columns(self, table: str, of: str = "two") -> list[str]:
        """The columns of a table."""
        return [row["column_name"] for row in self.rows(f"describe {of}.{table}")]

    def shared(self, table: str) -> list[str]:
        """The columns both runs' table has, in the later one's order."""
        earlier = set(self.columns(table, "one"))
        return [name for name in self.columns(table) if name in earlier]


def compare(one: Path, two: Path) -> dict[str, Any]:
    """Everything that differs between two runs' folders, `one` being the earlier, sorted.

    Keys: `files` (arrived, gone), `tables` and `facts` (rows added, removed, changed by table), `persons` (changed numbers
    with their causes), `findings` (new, resolved, changed).
    """
    with duckdb.connect(":memory:", config={"python_enable_replacements": "false"}) as con:
        sides = _load(con, one, two)
        _changed_facts(sides)
        return {
            "files": _files(sides),
            "tables": _counts(sides, RESULT_TABLES),
            "facts": _counts(sides, INPUT_TABLES),
            "persons": _persons(sides),
            "findings": _findings(sides),
        }


def _load(con: duckdb.DuckDBPyConnection, one: Path, two: Path) -> Sides:
    both = []
    for schema, run in (("one", one), ("two", two)):
        con.execute(f"create schema {schema}")
        names = set()
        for table, path in _paths(run):
            con.execute(f"create table {schema}.{table} as select * from read_parquet($path)", {"path": str(path)})
            names.add(table)
        both.append(names)
    return Sides(con, frozenset(both[0] & both[1]))


def _paths(run: Path) -> Iterator[tuple[str, Path]]:
    for folder, tables in (("results", RESULT_TABLES), ("canonical", INPUT_TABLES)):
        for name in tables:
            path = run / folder / f"{name}.parquet"
            if path.exists():
                yield name, path


def _counts(sides: Sides, tables: dict[str, Table]) -> dict[str, dict[str, int]]:
    """Rows added, removed and changed of every table that isn't the same; without a key, whole rows come and go."""
    found = {}
    for name, table in tables.items():
        if name not in sides.tables:
            continue
        shared = [c for c in sides.shared(name) if c not in _WHERE_FROM or c in table.key]
        key = [c for c in table.key if c in shared] or shared
        others = [c for c in shared if c not in key]
        differs = " or ".join(f'a."{c}" is distinct from b."{c}"' for c in others) or "false"
        same = " and ".join(f'a."{c}" is not distinct from b."{c}"' for c in key)
        row = sides.rows(
            f"select count(*) filter (a.side is null) as added, count(*) filter (b.side is null) as removed,"
            f" count(*) filter (a.side is not null and b.side is not null and ({differs})) as changed"
            f" from (select *, 1 as side from one.{name}) as a full join (select *, 2 as side from two.{name}) as b on {same}"
        )[0]
        if any(row.values()):
            found[name] = row
    return found


def _files(sides: Sides) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for word, here, there in (("arrived", "two", "one"), ("gone", "one", "two")):
        rows = sides.rows(
            f"select sha256, file_name, kind, custodian, rows, rejected, state, received_at::varchar as received_at"
            f" from {here}.files where state <> 'duplicate' and sha256 not in (select sha256 from {there}.files)"
            " order by received_at, file_name, sha256"
        )
        found[word] = [row | {"file_name": mask_digits(row["file_name"] or "")} for row in rows]
    return found


def _changed_facts(sides: Sides) -> None:
    """Make `moved`: one row per fact that came, went or changed, with whose it is and where it stands now."""
    sides.con.execute(
        "create table moved (person_id varchar, account_key varchar, tax_year integer, source varchar, change varchar,"
        " fact varchar, columns varchar[], source_file varchar, source_line bigint)"
    )
    sides.con.execute(
        "create table whose as select distinct account_key, person_id from ("
        " select account_key, person_id from one.ira_aggregation union all select account_key, person_id from two.ira_aggregation"
        " union all select custodian || ':' || account_number, person_id from two.accounts)"
        " where person_id is not null"
    )
    for name in (*OF_PERSONS, *OF_ACCOUNTS, *OF_EVERYBODY):
        if name in sides.tables:
            sides.con.execute(_moved(sides, name, INPUT_TABLES[name]))
    sides.con.execute('alter table moved rename source to "table"')


def _moved(sides: Sides, name: str, table: Table) -> str:
    shared = [c for c in sides.shared(name) if c not in _WHERE_FROM]
    facts = [c for c in shared if c not in table.key]
    same = " and ".join(f'a."{c}" is not distinct from b."{c}"' for c in table.key)
    changed = ", ".join(
        f'case when a.side is not null and b.side is not null and a."{c}" is distinct from b."{c}" then {_told(c)} end'
        for c in facts
    )
    either = {c: f'coalesce(b."{c}", a."{c}")' for c in shared}
    shown = [c for c in table.key if c not in {"person_id", "custodian", "account_number", "tax_year", *CONFIDENTIAL}]
    said = ", ".join(either[c] for c in shown)
    account = (
        f"{either['custodian']} || ':' || {either['account_number']}"
        if {"custodian", "account_number"} <= set(shared)
        else "null"
    )
    return (
        f"insert into moved select {either.get('person_id', 'null')}, {account}, {either.get('tax_year', 'null')}, '{name}',"
        " case when a.side is null then 'added' when b.side is null then 'removed' else 'changed' end,"
        f" concat_ws(' ', {said or 'null'}), list_filter([{changed}]::varchar[], c -> c is not null),"
        " coalesce(b.source_file, a.source_file), coalesce(b.source_line, a.source_line)"
        f" from (select *, 1 as side from one.{name}) as a full join (select *, 2 as side from two.{name}) as b on {same}"
        f" where a.side is null or b.side is null or {' or '.join(f'a."{c}" is distinct from b."{c}"' for c in facts) or 'false'}"
    )


def _told(column: str) -> str:
    """SQL of how a changed column is told: what it was and is, or only that it changed."""
    if column in CONFIDENTIAL:
        return f"'{column} changed'"
    return f"'{column}: ' || coalesce(a.\"{column}\"::varchar, 'blank') || ' -> ' || coalesce(b.\"{column}\"::varchar, 'blank')"


def _persons(sides: Sides) -> list[dict[str, Any]]:
    """One entry per person with a changed number: what it was and is, and the facts of theirs that moved."""
    found: dict[str, dict[str, Any]] = {}
    for name in ANSWERS:
        if name in sides.tables:
            for row in _changed_numbers(sides, name):
                entry = found.setdefault(row.pop("person_id"), {"numbers": [], "causes": []})
                entry["numbers"].append({"table": name, **row})
    for row in sides.rows(
        'select distinct coalesce(m.person_id, w.person_id) as person_id, m."table", m.change, m.fact, m.columns, m.account_key,'
        " m.tax_year, m.source_file, m.source_line from moved as m left join whose as w using (account_key)"
        " order by all"
    ):
        entry = found.get(row.pop("person_id"))
        if entry is not None:
            entry["causes"].append(_cause(row))
    return [{"person_id": person_id, **found[person_id]} for person_id in sorted(found)]


def _cause(row: dict[str, Any]) -> dict[str, Any]:
    account = row.pop("account_key")
    place = f"{mask_digits(row.pop('source_file') or '')}:{row.pop('source_line')}"
    masked = f"{account.partition(':')[0]} ...{account[-4:]}" if account else None
    told = {**row, "account": masked, "columns": [mask_digits(c) for c in row["columns"]], "place": place}
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _changed_numbers(sides: Sides, name: str) -> list[dict[str, Any]]:
    table = RESULT_TABLES[name]
    facts = [c for c in sides.shared(name) if c not in table.key]
    pairs = ", ".join(f"{{'column': '{c}', 'before': a.\"{c}\"::varchar, 'after': b.\"{c}\"::varchar}}" for c in facts)
    same = " and ".join(f'a."{c}" is not distinct from b."{c}"' for c in table.key)
    more = [c for c in table.key if c not in {"person_id", "tax_year"}]
    of = ", ".join(f'coalesce(b."{c}", a."{c}")' for c in more) or "null"
    return sides.rows(
        "select person_id, tax_year, of, change.column, change.before, change.after from ("
        f" select coalesce(b.person_id, a.person_id) as person_id, coalesce(b.tax_year, a.tax_year) as tax_year,"
        f" concat_ws(' ', {of}) as of, unnest([{pairs}]) as change, generate_subscripts([{', '.join('1' for _ in facts)}], 1) as place"
        f" from one.{name} as a full join two.{name} as b on {same})"
        " where change.before is distinct from change.after order by person_id, tax_year, of, place"
    )


def _findings(sides: Sides) -> dict[str, list[dict[str, Any]]]:
    """Findings that were not open before and are now, the other way round, and those whose amount or urgency moved."""
    told = "rule, person_id, tax_year, severity, amount::varchar as amount, deadline::varchar as deadline, finding_id"
    order = "rule, person_id nulls first, tax_year nulls first, finding_id"
    sides.con.execute("create view open_one as select * from one.findings where status <> 'resolved'")
    sides.con.execute("create view open_two as select * from two.findings where status <> 'resolved'")
    only = "select {told} from {here} where finding_id not in (select finding_id from {there}) order by {order}"
    changed = (
        "select b.rule, b.person_id, b.tax_year, a.severity as severity_before, b.severity,"
        " a.amount::varchar as amount_before, b.amount::varchar as amount, a.deadline::varchar as deadline_before,"
        " b.deadline::varchar as deadline, finding_id from open_one as a inner join open_two as b using (finding_id)"
        " where a.amount is distinct from b.amount or a.deadline is distinct from b.deadline or a.severity <> b.severity"
        " order by b.rule, b.person_id nulls first, b.tax_year nulls first, finding_id"
    )
    return {
        "new": sides.rows(only.format(told=told, here="open_two", there="open_one", order=order)),
        "resolved": sides.rows(only.format(told=told, here="open_one", there="open_two", order=order)),
        "changed": sides.rows(changed),
    }
