"""SQL is a constant, a file of its own, or put together from names and fragments listed here; values are bound."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.code_health.test_tree import ROOT, tracked
from transforms import engine
from transforms.database import confine

#: Methods of a connection that take SQL.
TAKES_SQL = {"execute", "executemany", "sql", "query"}
#: What may stand in SQL by name, by module, and what it is. Whoever adds one says so here.
KNOWN = {
    "transforms/engine.py": {
        "name",  # a table of the lists in engine.py or of schemas/tables.py
        "table.name",  # the same
        "columns",  # columns of schemas/tables.py, or switches of limits/contested.toml
        "order",  # columns of schemas/tables.py
        "steps.text(name)",  # the text of a file in transforms/sql
    },
    "transforms/findings/__init__.py": {
        "finding.sql",  # the SELECT of a finding module
        "table",  # of ASSEMBLE
        "select",  # of ASSEMBLE: the text of a file in transforms/sql
        "_PREVIOUS",  # columns and their types
        "columns",  # of _PREVIOUS
    },
    "transforms/marks.py": {
        "_NO_MARKS",  # a SELECT without rows
    },
    "transforms/differences.py": {
        "schema",  # one or two
        "table",  # the name of a run's table
        "change",  # a list of changes in words of that module
        "here",  # one or two
        "there",
        "select",  # of Sides.rows, whose callers name tables and columns only
        "_moved(sides.shared(name), INPUT_TABLES[name])",
    },
    "flows/purge.py": {"rows"},  # a SELECT of that function
    "transforms/intake/bulk.py": {
        "_hash(name)",  # columns of schemas/tables.py
        "again",  # the same, and _ALWAYS
    },
    "transforms/known_when.py": {"select"},  # a SELECT of that module
    "transforms/steps.py": {"name", "select"},  # a file in transforms/sql and its text
    "transforms/trend.py": {"SELECT"},  # the text of a file in transforms/sql
    "transforms/identity/merging.py": {"kind", "table", "column", "keys", "cells", "differ"},  # of schemas/tables.py
    "transforms/partitions.py": {
        "name",  # a result table of schemas/tables.py
        "engine.typed(RESULT_TABLES[name])",  # its columns
        "table",  # of _SPLIT, or of two tables there
        "key",  # their columns
        "joins",  # of _HOMES
        "homes",  # the same
    },
    "transforms/identity/suggesting.py": {
        "_CANDIDATES",  # the text of a file in transforms/sql
        "agrees",  # SQL fragments of identity/model.py
    },
}


def calls(path: Path) -> Iterator[ast.expr]:
    """The first argument of every call that may hand SQL to a database."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        called = node.func if isinstance(node, ast.Call) and node.args else None
        if isinstance(called, ast.Attribute) and called.attr in TAKES_SQL:
            yield node.args[0]


def put_in(sql: ast.expr) -> Iterator[str]:
    """What is put into the text of a statement that isn't constant, as source."""
    if isinstance(sql, ast.Constant):
        return
    if isinstance(sql, ast.JoinedStr):
        yield from (ast.unparse(part.value) for part in sql.values if isinstance(part, ast.FormattedValue))
    else:
        yield ast.unparse(sql)


#: Statements that aren't written where they are executed.
ELSEWHERE = {
    "transforms/engine.py": {
        "steps.text('macros')",
        "_create(RESULT_TABLES[name], f'{name}_so_far')",
        "select",  # of _copy, whose callers name tables only
    },
}


def test_no_value_is_written_into_sql() -> None:
    seen, unknown = 0, []
    for path in tracked("flows/*.py", "limits/*.py", "reports/*.py", "schemas/*.py", "transforms/*.py"):
        name = path.relative_to(ROOT).as_posix()
        allowed = KNOWN.get(name, set()) | ELSEWHERE.get(name, set())
        for sql in calls(path):
            seen += 1
            unknown += [f"{name}:{sql.lineno} {what}" for what in put_in(sql) if what not in allowed]
    assert seen > 30
    assert unknown == [], "bind the value, or list the name in KNOWN and say where it comes from"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("con.execute(f\"select * from t where person_id = '{person}'\")", ["person"]),
        ("con.execute('select ' + cell)", ["'select ' + cell"]),
        ("con.sql('select %s' % cell)", ["'select %s' % cell"]),
        ("con.execute('select {}'.format(cell))", ["'select {}'.format(cell)"]),
        ("con.execute('select $a', {'a': cell})", []),
    ],
)
def test_the_check_sees_a_value_however_it_is_written_in(tmp_path: Path, source: str, told: list[str]) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert [what for sql in calls(path) for what in put_in(sql)] == told


def test_no_sql_file_reads_a_file_or_changes_a_setting() -> None:
    reaching = re.compile(
        r"\b(read_\w+|copy|attach|install|load|pragma|set|getenv|glob|parquet_scan)\b\s*[('$]", re.IGNORECASE
    )
    files = tracked("transforms/sql/*.sql")
    assert [p.name for p in files if reaching.search(_bare(p.read_text("utf-8")))] == []


def test_every_database_is_opened_in_one_place_and_confined() -> None:
    """No connection is made beside `transforms.database`, and whoever opens one for a run shuts it in at once."""
    opened, confined = {}, set()
    for path in tracked("flows/*.py", "limits/*.py", "reports/*.py", "schemas/*.py", "transforms/*.py"):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in {"duckdb.connect", "duckdb.sql", "duckdb.execute", "duckdb.query", "database.connect"}:
                opened.setdefault(called, set()).add(name)
            confined |= {name} if called == "database.confine" else set()
    assert opened.pop("duckdb.connect") == {"transforms/database.py"}
    assert set(opened) == {"database.connect"}
    assert len(confined) > 3
    assert opened["database.connect"] == confined


def _bare(sql: str) -> str:
    """Without comments and quoted text."""
    return re.sub(r"--[^\n]*|'[^']*'", " ", sql)


@pytest.mark.parametrize(
    "reach",
    [
        "select * from read_csv('{outside}')",
        "select * from '{outside}'",
        "copy (select 1) to '{outside}'",
        "attach '{outside}.duckdb' as other",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "select * from a_python_variable",
    ],
)
def test_the_database_of_a_run_reaches_nothing_outside_it(tmp_path: Path, reach: str) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n", encoding="utf-8")
    a_python_variable = {"a": [1]}
    run = tmp_path / "run"
    run.mkdir()
    with engine.connect(run / ".spill") as con:
        confine(con, run)
        con.execute("copy (select 1 as a) to $to", {"to": str(run / "inside.csv")})
        with pytest.raises(duckdb.Error):
            con.execute(reach.format(outside=outside))
    assert a_python_variable
    assert outside.read_text(encoding="utf-8") == "a\n1\n"


def test_what_does_not_fit_into_memory_stays_in_the_run_and_is_gone_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spill = tmp_path / "run" / ".spill"
    spill.parent.mkdir()
    with engine.connect(spill) as con:
        con.execute("set memory_limit = '80MB'")
        con.execute("set threads = 1")
        con.execute("create table much as select range as i, md5(range::varchar) as m from range(2500000)")
        assert list(spill.iterdir())
    assert [path.name for path in tmp_path.rglob("*")] == ["run"]
