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
from transforms import database

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
    {
        "given_name", "family_name", "birth_date", "tax_id", "owner_tax_id", "owner_name", "owner_birth_date",
        "description", "old_tax_id", "new_tax_id", "note", "email", "advisor_name", "inherited_from", "row_key",
        "value_in_source", "corrected_value", "source", "reason", "counter_account_number", "old_account_number",
    }
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

    Keys: `files` (arrived, gone), `tables` and `facts` (rows added, removed, changed by table), `persons` (changed
    numbers with their causes), `findings` (new, resolved, changed, marked).
    """
    with database.connect() as con:
        database.confine(con, one, two)
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
    yield "evidence", run / "derived" / "evidence.parquet"


def _joined(name: str, key: list[str]) -> str:
    """SQL of both runs' rows of a table beside each other by key; `side` is null where a run lacks the row."""
    same = " and ".join(f'a."{c}" is not distinct from b."{c}"' for c in key)
    return f"(select *, 1 as side from one.{name}) as a full join (select *, 2 as side from two.{name}) as b on {same}"


def _differ(columns: list[str]) -> str:
    """SQL of whether any of the columns isn't the same on both sides."""
    return " or ".join(f'a."{c}" is distinct from b."{c}"' for c in columns) or "false"


def _counts(sides: Sides, tables: dict[str, Table]) -> dict[str, dict[str, int]]:
    """Rows added, removed and changed of every table that isn't the same; without a key, whole rows come and go."""
    found = {}
    for name, table in tables.items():
        if name in sides.tables:
            shared = [c for c in sides.shared(name) if c not in _WHERE_FROM or c in table.key]
            key = [c for c in table.key if c in shared] or shared
            row = sides.rows(
                "select count(*) filter (a.side is null) as added, count(*) filter (b.side is null) as removed,"
                " count(*) filter (a.side is not null and b.side is not null"
                f" and ({_differ([c for c in shared if c not in key])})) as changed from {_joined(name, key)}"
            )[0]
            if any(row.values()):
                found[name] = row
    return found


def _files(sides: Sides) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for word, here, there in (("arrived", "two", "one"), ("gone", "one", "two")):
        rows = sides.rows(
            "select sha256, file_name, coalesce(kind, layout) as kind, custodian, rows, rejected, state,"
            f" received_at::varchar as received_at from {here}.files"
            f" where state <> 'duplicate' and sha256 not in (select sha256 from {there}.files)"
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
        " select account_key, person_id from one.ira_aggregation"
        " union all select account_key, person_id from two.ira_aggregation"
        " union all select custodian || ':' || account_number, person_id from two.accounts)"
        " where person_id is not null"
    )
    for name in (*OF_PERSONS, *OF_ACCOUNTS, *OF_EVERYBODY):
        if name in sides.tables:
            sides.con.execute(_moved(sides.shared(name), INPUT_TABLES[name]))
    # a row nobody can read, or whose meaning isn't decided, is no fact, and makes an answer UNKNOWN all the same
    for change, here, there in (("added", "two", "one"), ("removed", "one", "two")):
        sides.con.execute(
            "insert into moved by name select e.person_id, e.account_key, e.tax_year, e.topic as source,"
            f" '{change}' as change, '' as fact, []::varchar[] as columns, e.source_file, e.source_line"
            f" from {here}.evidence as e where e.topic in ('set_aside', 'unclassified') and not exists ("
            f" from {there}.evidence as o where o.person_id = e.person_id and o.tax_year = e.tax_year"
            " and o.topic = e.topic and o.source_file = e.source_file"
            " and o.source_line is not distinct from e.source_line)"
        )


def _moved(columns: list[str], table: Table) -> str:
    shared = [c for c in columns if c not in _WHERE_FROM]
    facts = [c for c in shared if c not in table.key]
    shown = [_either(c) for c in table.key if c in shared and c not in _SAID_ELSEWHERE | CONFIDENTIAL]
    account = f"{_either('custodian')} || ':' || {_either('account_number')}" if _is_of_account(shared) else "null"
    changes = ", ".join(_told(c) for c in facts)
    own = ", ".join(_either(c) if c in shared else "null" for c in ("person_id", "tax_year"))
    return (
        f"insert into moved (person_id, tax_year, account_key, source, change, fact, columns, source_file, source_line)"
        f" select {own}, {account}, '{table.name}',"
        " case when a.side is null then 'added' when b.side is null then 'removed' else 'changed' end,"
        f" concat_ws(' ', {', '.join(shown) or 'null'}),"
        f" case when a.side + b.side = 3 then list_filter([{changes}]::varchar[], lambda c: c is not null) else [] end,"
        f" {_either('source_file')}, {_either('source_line')}"
        f" from {_joined(table.name, list(table.key))} where a.side is null or b.side is null or {_differ(facts)}"
    )


_SAID_ELSEWHERE = frozenset({"person_id", "tax_year", "custodian", "account_number"})


def _is_of_account(columns: list[str]) -> bool:
    return {"custodian", "account_number"} <= set(columns)


def _either(column: str) -> str:
    return f'coalesce(b."{column}", a."{column}")'


def _told(column: str) -> str:
    """SQL of how a changed column is told: what it was and is, or only that it changed; null where it didn't."""
    was, is_now = (f"coalesce({side}.\"{column}\"::varchar, 'blank')" for side in "ab")
    said = f"'{column} changed'" if column in CONFIDENTIAL else f"'{column} ' || {was} || ' -> ' || {is_now}"
    return f"case when {_differ([column])} then {said} end"


def _persons(sides: Sides) -> list[dict[str, Any]]:
    """One entry per person with a changed number: what it was and is, and the facts of theirs that moved."""
    found: dict[str, dict[str, Any]] = {}
    for name in ANSWERS:
        if name in sides.tables:
            for row in _changed_numbers(sides, name):
                entry = found.setdefault(row.pop("person_id"), {"numbers": [], "causes": []})
                entry["numbers"].append({"table": name, **row})
    causes = sides.rows(
        "select distinct coalesce(m.person_id, w.person_id) as person_id, m.source, m.change, m.fact, m.columns,"
        " m.account_key, m.tax_year, m.source_file, m.source_line"
        " from moved as m left join whose as w using (account_key) order by all"
    )
    for row in causes:
        person_id = row.pop("person_id")
        if person_id in found:
            found[person_id]["causes"].append(_cause(row))
    return [{"person_id": person_id, **found[person_id]} for person_id in sorted(found)]


def _cause(row: dict[str, Any]) -> dict[str, Any]:
    """A fact that moved, with its account masked and its place as file:line; what doesn't apply is left out."""
    account, place = row.pop("account_key"), f"{mask_digits(row.pop('source_file') or '')}:{row.pop('source_line')}"
    told = {
        **row,
        "account": f"{account.partition(':')[0]} ...{account[-4:]}" if account else None,
        "fact": mask_digits(row["fact"]),
        "place": place,
    }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _changed_numbers(sides: Sides, name: str) -> list[dict[str, Any]]:
    """One row per person, year and column of a result table whose value isn't what it was."""
    key = list(RESULT_TABLES[name].key)
    facts = [c for c in sides.shared(name) if c not in key]
    pairs = ", ".join(
        f"{{'place': {place}, 'column': '{c}', 'before': a.\"{c}\"::varchar, 'after': b.\"{c}\"::varchar}}"
        for place, c in enumerate(facts)
    )
    more = ", ".join(_either(c) for c in key if c not in _SAID_ELSEWHERE) or "null"
    return sides.rows(
        "select person_id, tax_year, part, change.column as column, change.before as before, change.after as after"
        f" from (select {_either('person_id')} as person_id, {_either('tax_year')} as tax_year,"
        f" concat_ws(' ', {more}) as part,"
        f" unnest([{pairs}]) as change from {_joined(name, key)})"
        " where change.before is distinct from change.after order by person_id, tax_year, part, change.place"
    )


def _findings(sides: Sides) -> dict[str, list[dict[str, Any]]]:
    """Findings that are open only now, or only then, whose amount or urgency moved, or that an advisor marked."""
    told = "rule, person_id, tax_year, severity, amount::varchar as amount, deadline::varchar as deadline, finding_id"
    order = "rule, person_id nulls first, tax_year nulls first, finding_id"
    sides.con.execute("create view open_one as select * from one.findings where status <> 'resolved'")
    sides.con.execute("create view open_two as select * from two.findings where status <> 'resolved'")
    only = "select {told} from {here} where finding_id not in (select finding_id from {there}) order by {order}"
    changed = (
        "select b.rule, b.person_id, b.tax_year, a.severity as severity_before, b.severity,"
        " a.amount::varchar as amount_before, b.amount::varchar as amount, a.deadline::varchar as deadline_before,"
        " b.deadline::varchar as deadline, finding_id from open_one as a inner join open_two as b using (finding_id)"
        f" where {_differ(['amount', 'deadline', 'severity'])}"
        " order by b.rule, b.person_id nulls first, b.tax_year nulls first, finding_id"
    )
    marked = (
        "select b.rule, b.person_id, b.tax_year, a.mark_status as mark_before, b.mark_status as mark, finding_id"
        " from open_one as a right join open_two as b using (finding_id)"
        " where a.mark_status is distinct from b.mark_status order by b.rule, b.person_id nulls first, finding_id"
    )
    return {
        "new": sides.rows(only.format(told=told, here="open_two", there="open_one", order=order)),
        "resolved": sides.rows(only.format(told=told, here="open_one", there="open_two", order=order)),
        "changed": sides.rows(changed),
        "marked": sides.rows(marked) if "mark_status" in sides.shared("findings") else [],
    }
