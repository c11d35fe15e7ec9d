"""The whole book, computed: canonical tables in, result tables out.

Every step is one SELECT in `sql/`, named for the table it makes, run over the whole book at once in an in-memory
DuckDB; steps that don't need each other run side by side (`transforms.steps`). The only loop is over tax years,
ascending, because line 14 of one year is line 2 of the next.
Nothing here knows about Prefect, workbooks, the clock or the network: same canonical tables, same as-of date,
same years, same limits -> the same result tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import duckdb

from limits import contested, load
from schemas.marks import COMES_BACK, ComesBack
from schemas.plain import wrong_with
from schemas.tables import INPUT_TABLES, INTAKE_REJECTS, RESULT_TABLES, Kind, Table
from transforms import database, steps
from transforms.findings import finding_steps
from transforms.identity import link_steps, merge_step
from transforms.marks import mark_steps
from transforms.steps import Step
from transforms.trend import trend_step

#: Tables in the order they build on each other; each is the SELECT in the file of its name.
FIGURES = ("year_limits", "phaseouts")
BEFORE_PERSONS_ARE_MERGED = ("renumberings", "tax_id_groups", "decided_links", "person_merges", "merged_persons")
#: Who is who, whose an account is and what came in: only the whole book knows. Everything after it is one person's, a
#: couple's or an account's own, and may be computed in partitions (`transforms.partitions`).
OF_THE_WHOLE_BOOK = (
    "account_years", "account_refs", "person_tax_ids", "crosswalk", "account_tax_ids",
    "known_accounts", "owner_conflicts", "shared_tax_ids", "identity_doubts", "custodians_with_forms",
    "due_dates", "deliveries", "arrivals", "controls", "files", "kept_transactions", "firm_rows",
)  # fmt: skip
BEFORE_FORM_8606 = (
    "stated_events", "cancellations", "standing_events", "event_pairs", "tax_events",
    "second_rollovers", "unclassified_events",
    "blocking_rejects", "pool_accounts", "account_values", "person_years", "ira_contributions", "rollover_legs",
    "ira_flows", "reconciliation", "pool_totals", "blocks", "ira_limits",
)  # fmt: skip
YEAR_BY_YEAR = ("form_8606", "excess_contributions")
DOUBTS_ON_FORM_8606 = ("link_pools", "link_suggestions", "form_8606_reviewed")
AFTER_FORM_8606 = (
    "payroll_money", "payroll_dollars", "payroll_since",
    "plan_years", "limitation_years", "roth_catch_up", "elective_deferrals", "employer_groups", "annual_additions",
    "mega_backdoor", "after_tax_conversions", "ira_aggregation",
    "pay_days_ahead", "deferral_room", "last_values",
    "backdoor_candidates", "ways_out", "backdoor_overview",
    "inheritance_doubts",
    "what_if",
    "evidence",
)  # fmt: skip

#: Of the machine's memory, for the tables of a run; the rest is for reading, the workbooks and other programs.
SHARE_OF_MEMORY = "25%"
#: Canonical tables that are never rewritten (they name no person) and too large to hold in memory whole.
LEFT_IN_FILES = ("balances", "transactions", "form_5498", "form_1099r")

#: Result tables that are made last, so written last.
_LAST = ("findings", "marks", "mark_history", "trend")
#: Kept beside the results for `rothbook explain` and the workbooks; not part of the contract.
DERIVED = (
    "evidence",
    "account_values",
    "ira_contributions",
    "ira_flows",
    "plan_years",
    "limits_used",
    "choices",
    "merged_persons",
    "what_if",
    "mark_problems",
)

_SQL_TYPES: dict[Kind, str] = {
    "text": "varchar",
    "money": "decimal(18, 2)",
    "percent": "decimal(9, 4)",
    "ratio": "decimal(18, 10)",
    "date": "date",
    "year": "integer",
    "bool": "boolean",
    "int": "bigint",
    "list": "varchar[]",
    "timestamp": "timestamp",
}


def compute(
    canonical: Path,
    run: Path,
    *,
    as_of: date,
    tax_years: Sequence[int],
    previous: Path | None,
    choices: Mapping[str, str] | None = None,
    comes_back: ComesBack = COMES_BACK,
) -> dict[str, int]:
    """Compute every result table of `tax_years` as known on `as_of`.

    `canonical` holds `<table>.parquet` for every input table, `rejects.parquet` and `files.parquet`. Writes
    `run/results/*.parquet`, `run/derived/*.parquet` and the warehouse `run/rothbook.duckdb`; returns the row count
    of each result table. `previous` is the folder of the night before (for what is new, changed or resolved).
    `choices` moves switches of `limits/contested.toml` for this computation only; `comes_back` says what brings a
    finding back that was put aside.
    Raises `limits.load.UnknownTaxYear` for a year that has no limits.
    """
    with connect(run / ".spill") as con:
        database.confine(con, *filter(None, (canonical, run, previous)))
        load_run(con, as_of, tax_years)
        load_choices(con, choices)
        results = (*finding_steps(previous), *mark_steps(previous, comes_back), trend_step(previous))
        return write(con, run, after=(*book_steps(canonical), *table_steps(tax_years), *results))


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB with Rothbook's macros; what doesn't fit into its share goes to `spill`, or nowhere."""
    con = database.connect(spill, memory_limit=SHARE_OF_MEMORY)
    con.execute(steps.text("macros"))
    return con


def book_steps(canonical: Path) -> Iterator[Step]:
    """Load every canonical table; the set-aside rows and the files come in as intake wrote them.

    The tables of millions of rows stay in their files: whoever reads them takes only the columns it needs.
    """
    paths = {name: canonical / f"{name}.parquet" for name in INPUT_TABLES}
    paths["intake_rejects"] = canonical / f"{INTAKE_REJECTS.name}.parquet"
    paths["intake_files"] = canonical / "files.parquet"
    for name, path in paths.items():
        yield Step((name,), partial(_load_parquet, name=name, path=files(path)))
    yield Step(("reject_phrases",), load_phrases, "intake_rejects")


def files(path: Path) -> str:
    """A table is one file, or a folder of files with its rows."""
    return str(path / "*.parquet" if path.is_dir() else path)


def _load_parquet(con: duckdb.DuckDBPyConnection, name: str, path: str) -> None:
    rows = con.read_parquet(path)
    rows.create_view(name) if name in LEFT_IN_FILES else rows.create(name)


def load_phrases(con: duckdb.DuckDBPyConnection) -> None:
    """What is wrong with the rows set aside, in plain words, for every rule and column there is among them."""
    con.execute("create table reject_phrases (rule varchar, cell varchar, phrase varchar)")
    met = con.execute('select distinct rule, "column" from intake_rejects').fetchall() or [("", None)]
    con.executemany(
        "insert into reject_phrases values (?, ?, ?)", [(rule, cell, wrong_with(rule, cell)) for rule, cell in met]
    )


def load_run(con: duckdb.DuckDBPyConnection, as_of: date, tax_years: Sequence[int]) -> None:
    """Load the as-of date, the dates of each tax year, and every figure with its authority."""
    found = load.for_years(sorted(set(tax_years)))
    con.execute("create table run as select $as_of::date as as_of", {"as_of": as_of})
    con.execute(
        "create table year_dates (tax_year integer, year_start date, year_end date, contribution_due_date date,"
        " extended_due_date date, due_date_note varchar)"
    )
    con.executemany(
        "insert into year_dates values (?, ?, ?, ?, ?, ?)",
        [
            (
                y.tax_year, date(y.tax_year, 1, 1), date(y.tax_year, 12, 31), y.ira_contribution_due_date,
                y.extended_due_date, y.due_date_note,
            )
            for y in found
        ],
    )  # fmt: skip
    # an excess may be of a year that isn't computed tonight
    con.execute("create table all_due_dates (tax_year integer, extended_due_date date)")
    con.executemany(
        "insert into all_due_dates values (?, ?)",
        [(y.tax_year, y.extended_due_date) for y in load.for_years(load.years())],
    )
    con.execute(
        "create table limit_values (tax_year integer, key varchar, filing_status varchar, value decimal(15, 0),"
        " authority varchar)"
    )
    con.executemany(
        "insert into limit_values values (?, ?, ?, ?, ?)",
        [(v.tax_year, v.key, v.filing_status, v.value, v.authority) for y in found for v in y.limits],
    )
    con.execute("create table rmd_ages (born_from integer, born_before integer, age integer)")
    con.executemany("insert into rmd_ages values (?, ?, ?)", _spans(load.rmd_ages()))
    _load_holidays(con)
    con.execute(
        "create view limits_used as select tax_year, key, filing_status, value::decimal(18, 2) as value, authority"
        " from limit_values"
    )


def _spans(ages: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Born from this year, and before that one, and the age; the newest has no end."""
    ends = (*(born_from for born_from, _ in ages[1:]), date.max.year + 1)
    return [(born_from, end, age) for (born_from, age), end in zip(ages, ends, strict=True)]


def _load_holidays(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table market_holidays (day date)")
    con.executemany("insert into market_holidays values (?)", [(day,) for day in load.market_holidays()])
    con.execute("create table holiday_years as select $1 as first_year, $2 as last_year", list(load.holiday_years()))


def load_choices(con: duckdb.DuckDBPyConnection, other: Mapping[str, str] | None = None) -> None:
    """Load the position of every contested switch as the one-row table `choices`."""
    positions = contested.choices(other)
    columns = ", ".join(f"${key} as {key}" for key in positions)
    con.execute(f"create table choices as select {columns}", positions)


def table_steps(tax_years: Sequence[int]) -> Iterator[Step]:
    """Build every table that findings, marks and the trend rest on."""
    yield from map(steps.table, FIGURES)
    yield from book_links()
    yield from people_steps(tax_years)
    yield steps.table("rejects")


def book_links() -> Iterator[Step]:
    """Build what only the whole book knows: merged persons, owners of accounts, suggested links, arrivals, controls."""
    yield from map(steps.table, BEFORE_PERSONS_ARE_MERGED)
    yield merge_step()
    yield from map(steps.table, OF_THE_WHOLE_BOOK)
    yield from link_steps()


def people_steps(tax_years: Sequence[int]) -> Iterator[Step]:
    """Build what is somebody's own; Form 8606 year by year, the rest for all years at once."""
    yield from map(steps.table, BEFORE_FORM_8606)
    for name in YEAR_BY_YEAR:
        build = partial(_build_year_by_year, name=name, tax_years=sorted(set(tax_years)))
        yield Step((name, f"{name}_so_far"), build, steps.text(name))
    yield from map(steps.table, DOUBTS_ON_FORM_8606)
    yield Step(("form_8606", "form_8606_reviewed"), _take_reviewed)
    yield from map(steps.table, AFTER_FORM_8606)


def build(con: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Make each table by the SELECT in the file of its name."""
    steps.run(con, map(steps.table, names))


def _take_reviewed(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("drop table form_8606; alter table form_8606_reviewed rename to form_8606")


def _build_year_by_year(con: duckdb.DuckDBPyConnection, name: str, tax_years: Sequence[int]) -> None:
    """One tax year after the other, ascending: what a year leaves behind is where the next one starts."""
    con.execute(_create(RESULT_TABLES[name], f"{name}_so_far"))
    for year in tax_years:
        con.execute(f"insert into {name}_so_far by name {steps.text(name)}", {"tax_year": year})
    con.execute(f"alter table {name}_so_far rename to {name}")


def _create(table: Table, name: str) -> str:
    columns = ", ".join(f"{c.name} {_SQL_TYPES[c.kind]}" for c in table.columns)
    return f"create table {name} ({columns})"


def typed(table: Table) -> str:
    """The columns of a result table as SQL, each of the type the contract says."""
    return ", ".join(f'cast("{c.name}" as {_SQL_TYPES[c.kind]}) as "{c.name}"' for c in table.columns)


def write(con: duckdb.DuckDBPyConnection, run: Path, after: Iterable[Step] = ()) -> dict[str, int]:
    """Write result and derived tables and the warehouse into `run`, sorted; returns the rows of each result table.

    `after` are steps that come first: a table is written as soon as it is made.
    """
    for folder in ("results", "derived"):
        (run / folder).mkdir(parents=True, exist_ok=True)
    # a row group is compressed by one thread: of a quarter of the usual size, several work on one table
    con.execute("attach $path as warehouse (row_group_size 30720)", {"path": str(run / "rothbook.duckdb")})
    steps.run(con, (*after, *_writing(run)))
    counts = {name: con.table(f"warehouse.{name}").shape[0] for name in RESULT_TABLES}
    con.execute("detach warehouse")
    return counts


def _writing(run: Path) -> Iterator[Step]:
    for table in sorted(RESULT_TABLES.values(), key=lambda table: table.name in _LAST):
        # the warehouse is one file: what makes "warehouse" is done in this order
        written = f"warehouse_{table.name}"
        yield Step(("warehouse", written), partial(_keep, table=table), table.name)
        # a table's rows are read in the order they were written in: sorted once, for both
        rows, target = f"select * from warehouse.{table.name}", run / "results" / f"{table.name}.parquet"
        yield Step((f"file_of_{table.name}",), partial(_copy, select=rows, target=target), written)
    for name in DERIVED:
        rows, target = f"select * from {name} order by all", run / "derived" / f"{name}.parquet"
        yield Step((f"file_of_{name}",), partial(_copy, select=rows, target=target), name)


def _keep(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = typed(table)
    order = ", ".join(f'"{name}"' for name in table.key or tuple(c.name for c in table.columns if c.kind != "list"))
    con.execute(f"create table warehouse.{table.name} as select {columns} from main.{table.name} order by {order}")


def _copy(con: duckdb.DuckDBPyConnection, select: str, target: Path) -> None:
    con.sql(select).write_parquet(str(target))
