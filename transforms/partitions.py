"""One book in partitions, each computed by the engine's own steps, put together to the very tables of one process.

Only the whole book knows who is who and whose an account is (`engine.book_links`), so that is done once. Everything
after it is some unit's own: a person with all their accounts, or an account or tax id of nobody. `units_together.sql`
says which units need each other (a couple, a suggested link, a row that names two); what hangs together has one home
and goes into one partition, by a hash of that home. What few rows of the firm everybody needs is read by every
partition from the same file.

`split`, `compute_part` and `combine` are plain functions of paths: whatever calls them, on one machine or on many that
see the same folder or storage, moves no data itself. A partition that lacks a table a step reads fails; it isn't
computed wrong.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from secrets import token_hex

import duckdb

from schemas.marks import COMES_BACK, ComesBack
from schemas.tables import INPUT_TABLES, RESULT_TABLES
from transforms import engine, steps
from transforms.database import confine
from transforms.findings import judge_findings, load_previous, raise_findings, registry
from transforms.identity.merging import FOLDED, NAMING
from transforms.marks import write_marks
from transforms.places import Place
from transforms.trend import write_trend

#: How a row finds its home: the join, and the home, also where the join finds none.
_HOMES = {
    "person": ("left join homes as p on p.unit = 'p:' || t.person_id", "p.home, 'p:' || t.person_id"),
    "account": (
        (
            "left join account_homes as a on a.custodian is not distinct from t.custodian"
            " and a.account_number = t.account_number"
        ),
        "a.home",
    ),
    "account_key": ("left join key_homes as k on k.account_key = t.account_key", "k.home"),
    "tax_id": ("left join tax_id_homes as x on x.tax_id = t.owner_tax_id", "x.home, 't:' || t.owner_tax_id"),
    "plan": (
        "left join homes as l on t.kind = 'plans' and l.unit = 'l:' || t.plan_id",
        "l.home",
    ),
    "suggestion": (
        (
            "left join link_candidates as c on c.suggestion_id = t.suggestion_id"
            " left join homes as s on s.unit = 'p:' || c.record_r"
        ),
        "s.home",
    ),
}
#: Tables of which a partition has its own rows, and what says whose a row is: the first that is known.
_SPLIT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "persons", "tax_profiles", "ira_basis", "excess_carryovers", "plan_contributions", "person_records",
            "merged_persons", "person_tax_ids", "shared_tax_ids", "identity_doubts", "previous_findings",
        ),
        ("person",),
    ),
    **dict.fromkeys(
        ("balances", "kept_transactions", "firm_rows", "form_5498", "form_1099r", "account_refs", "account_years"),
        ("account",),
    ),
    **dict.fromkeys(
        ("known_accounts", "account_tax_ids", "crosswalk", "owner_conflicts", "controls"), ("account_key",)
    ),
    **dict.fromkeys(("link_candidates", "scored_links"), ("suggestion",)),
    **dict.fromkeys(("corrections", "row_fixes"), ("person", "account")),
    "payroll_contributions": ("tax_id",),
    "intake_rejects": ("person", "account", "tax_id", "plan"),
}  # fmt: skip
#: Tables every partition reads as a whole.
_SHARED = ("advisors", "plans", "plan_sources", "intake_files", "link_thresholds", "custodians_with_forms")
#: Tables of the linked book that are read again when the partitions are put together.
_KEPT = (
    "account_refs", "arrivals", "controls", "custodians_with_forms", "decided_links", "files", "known_accounts",
    "link_thresholds", "merged_persons", "person_merges", "person_records", "renumberings", "tax_id_groups",
    "previous_findings",
)  # fmt: skip
#: Result tables of the whole book, made when the partitions are put together.
_OF_THE_BOOK = ("findings", "marks", "mark_history", "rejects", "files", "arrivals", "controls", "trend")
#: Result tables the partitions make.
_OF_PEOPLE = tuple(name for name in RESULT_TABLES if name not in _OF_THE_BOOK)
#: What a partition leaves beside its result tables: derived tables, and what findings of the whole book add up.
_BESIDE = (
    "evidence", "account_values", "ira_contributions", "ira_flows", "plan_years", "what_if", "payroll_dollars",
    "last_values", "unclassified_events",
)  # fmt: skip
#: How a folder begins in which DuckDB leaves what doesn't fit into memory: beside the canonical tables, soon gone.
SPILL = ".spill."
_CANONICAL = {**{name: name for name in INPUT_TABLES}, "intake_rejects": "rejects", "intake_files": "files"}


@dataclass(frozen=True)
class Share:
    """What one computation may take of its machine: DuckDB's own choice where nothing is said."""

    threads: int | None = None
    memory: str | None = None


@dataclass(frozen=True)
class Layout:
    """Where `split` left what it wrote: a folder, its tables of the whole book, each partition's files of a table."""

    place: Place
    book: list[str]
    rows: dict[str, list[list[str]]]

    @property
    def count(self) -> int:
        """How many partitions there are."""
        return len(self.rows["persons"])

    def of_the_book(self, table: str) -> str | None:
        """The file of a table of the whole book that `split` made or merged; None where intake's stands."""
        return (self.place / f"book/{table}.parquet").url if table in self.book else None

    def rows_of(self, table: str, number: int) -> list[str]:
        """The files of a partition's rows of a table; the first has no row, so that a table without any has columns."""
        return [(self.place / name).url for name in (f"{table}/none.parquet", *self.rows[table][number])]


@dataclass(frozen=True)
class Parts:
    """One book in partitions: its canonical tables, where the partitions are, and what it is computed for.

    `folder` is a path or a URL that fsspec understands. It holds `split.json` and `<number>.json`, which say where
    what is whole lies beside them.
    """

    canonical: Path
    folder: Path | str
    as_of: date
    tax_years: tuple[int, ...]
    share: Share = Share()

    @property
    def place(self) -> Place:
        """The folder, wherever it is."""
        return Place.at(self.folder)

    def layout(self) -> Layout:
        """What `split` wrote; raises FileNotFoundError before it has."""
        said = json.loads((self.place / "split.json").read())
        return Layout(self.place / said["in"], said["book"], said["rows"])

    def read(self, table: str) -> str:
        """The files of a table as intake left it."""
        return engine.files(self.canonical / f"{_CANONICAL[table]}.parquet")

    def results(self, number: int) -> Place:
        """The folder of a partition's results; raises FileNotFoundError before they are whole."""
        name: str = json.loads((self.place / f"{number}.json").read())["out"]
        return self.place / name

    @contextmanager
    def opened(self, *others: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database confined to the book, its partitions and `others`, that knows the run's dates and figures."""
        scratch = tempfile.TemporaryDirectory(prefix=SPILL, dir=self.canonical.parent)
        with scratch as spill, engine.connect(Path(spill)) as con:
            if self.share.threads:
                con.execute("set threads = ?", [self.share.threads])
            if self.share.memory:
                con.execute("set memory_limit = ?", [self.share.memory])
            con.execute("set enable_progress_bar = false")  # a slow storage would have DuckDB draw one on the terminal
            self.place.show_to(con)
            confine(con, self.canonical, self.place.url, spill, *filter(None, others))
            engine.load_run(con, self.as_of, self.tax_years)
            engine.load_choices(con)
            engine.build(con, *engine.FIGURES)
            yield con


def split(parts: Parts, previous: Path | None, most: int, people_each: int = 1) -> int:
    """Link the book and write its partitions: at most `most`, of about `people_each` persons or more; returns how many.

    `previous` is the folder of the night before. What is there already is left as it is.
    """
    with suppress(FileNotFoundError):
        return parts.layout().count
    name = f"in-{token_hex(4)}"  # an attempt that died may have left files under another
    written = _split(parts, (parts.place / name).prepare(), previous, most, people_each)
    (parts.place / "split.json").put(json.dumps({"in": name, "book": written.book, "rows": written.rows}).encode())
    return written.count


def _split(parts: Parts, target: Place, previous: Path | None, most: int, people_each: int) -> Layout:
    with parts.opened(previous) as con:
        moved = {*FOLDED, *NAMING}
        for table in _CANONICAL:
            rows = con.read_parquet(parts.read(table))
            rows.create(table) if table in moved else rows.create_view(table)
        steps.run(con, engine.book_links())
        _load_comparable(con, previous)
        count = max(1, min(most, con.table("persons").shape[0] // people_each))
        book = [*_KEPT, *sorted(moved if con.table("merged_persons").shape[0] else ())]
        (target / "book").prepare()
        for table in book:
            con.table(table).write_parquet((target / f"book/{table}.parquet").url)
        _find_homes(con)
        con.execute("delete from previous_findings where person_id is null")  # they are the firm's
        con.execute("delete from link_candidates where suggestion_id not in (select suggestion_id from scored_links)")
        for table, by in _SPLIT.items():
            _write_rows(con, table, by, (target / table).prepare(), count)
    return Layout(target, book, _files_of_each(target, count))


def _files_of_each(target: Place, count: int) -> dict[str, list[list[str]]]:
    """The files of each table, partition by partition."""
    found: dict[str, list[list[str]]] = {table: [[] for _ in range(count)] for table in _SPLIT}
    for name in target.below():
        table, _, part = name.partition("/part=")
        if part:
            found[table][int(part.partition("/")[0])].append(name)
    return found


def _load_comparable(con: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """The findings of the night before; none where it is of a later date, which only all of them together can tell."""
    load_previous(con, previous)
    con.execute(
        "delete from previous_findings"
        " where (select max(last_changed) from previous_findings) > (select as_of from run)"
    )


def _find_homes(con: duckdb.DuckDBPyConnection) -> None:
    """Make `homes` (of every unit that hangs together with another), and the homes of accounts and tax ids."""
    engine.build(con, "account_units", "tax_id_units", "units_together")
    settle_homes(con)
    for table, key in (("account_homes", "custodian, account_number"), ("key_homes", "account_key")):
        con.execute(
            f"create table {table} as select distinct {key}, coalesce(h.home, a.unit) as home"
            " from account_units as a left join homes as h on h.unit = a.unit"
        )
    con.execute(
        "create table tax_id_homes as select t.tax_id, coalesce(h.home, t.unit) as home"
        " from tax_id_units as t left join homes as h on h.unit = t.unit"
    )


def settle_homes(con: duckdb.DuckDBPyConnection) -> None:
    """Make `homes` of `units_together`: the least unit of all that hang together, directly or over others."""
    con.execute(
        "create table homes as select one as unit, one as home from units_together"
        " union select two, two from units_together"
    )
    engine.build(con, "nearer_homes")
    while con.execute("select count(*) from (from nearer_homes except from homes)").fetchall() != [(0,)]:
        con.execute("drop table homes; alter table nearer_homes rename to homes")
        engine.build(con, "nearer_homes")


def _write_rows(con: duckdb.DuckDBPyConnection, table: str, by: Iterable[str], folder: Place, count: int) -> None:
    """Write a table's rows into `folder/part=<n>/`, and a file without rows beside them."""
    con.table(table).limit(0).write_parquet((folder / "none.parquet").url)
    joins = " ".join(_HOMES[name][0] for name in by)
    homes = ", ".join(_HOMES[name][1] for name in by)
    rows = con.sql(
        f"select t.*, (hash(coalesce({homes}, '')) % $count)::integer as part from {table} as t {joins}",
        params={"count": count},
    )
    rows.write_parquet(folder.url, partition_by=["part"], overwrite=True)


def compute_part(parts: Parts, number: int) -> None:
    """Compute one partition under a name of its own, told when whole: done already, it is left; twice does no harm."""
    layout = parts.layout()
    with suppress(FileNotFoundError):
        parts.results(number)
        return
    if number >= layout.count:
        return
    attempt = f"out-{number}-{token_hex(4)}"
    target = (parts.place / attempt).prepare()
    with parts.opened() as con:
        for table in _SPLIT:
            con.read_parquet(layout.rows_of(table, number), hive_partitioning=False).create(table)
        for table in _SHARED:
            con.read_parquet(layout.of_the_book(table) or parts.read(table)).create_view(table)
        engine.load_phrases(con)
        steps.run(con, engine.people_steps(parts.tax_years))
        _judge_people(con, target)
        for name in _OF_PEOPLE:
            rows = con.sql(f"select {engine.typed(RESULT_TABLES[name])} from {name}")
            rows.write_parquet((target / f"{name}.parquet").url)
        for name in _BESIDE:
            con.table(name).write_parquet((target / f"{name}.parquet").url)
    (parts.place / f"{number}.json").put(json.dumps({"out": attempt}).encode())


def _judge_people(con: duckdb.DuckDBPyConnection, folder: Place) -> None:
    """Findings of the partition's persons; rows that are nobody's are the firm's, and are judged with all of them."""
    raise_findings(con, (finding for finding in registry() if not finding.of_the_book))
    firms = con.sql("select * from raw_findings where person_id is null")
    firms.write_parquet((folder / "firm_findings.parquet").url)
    con.execute("delete from raw_findings where person_id is null")
    judge_findings(con)
    con.sql("select * exclude (rank) from findings").write_parquet((folder / "people_findings.parquet").url)


def combine(parts: Parts, run: Path, previous: Path | None, comes_back: ComesBack = COMES_BACK) -> dict[str, int]:
    """Put the partitions together: writes into `run` what `engine.compute` does, returns the rows of each result table.

    Raises FileNotFoundError where a partition isn't computed yet.
    """
    layout = parts.layout()
    results = [parts.results(number) for number in range(layout.count)]
    with parts.opened(run, previous) as con:
        for table in (*(set(_CANONICAL) - set(_KEPT)), *_KEPT):
            _give(con, table, [layout.of_the_book(table) or parts.read(table)])
        kept = [file for number in range(layout.count) for file in layout.rows_of("kept_transactions", number)]
        con.read_parquet(kept, hive_partitioning=False).create_view("kept_transactions")
        for name in (*_OF_PEOPLE, *_BESIDE, "firm_findings", "people_findings"):
            _give(con, name, [(folder / f"{name}.parquet").url for folder in results])
        engine.load_phrases(con)
        engine.build(con, "rejects")
        _judge_firm(con, previous)
        write_marks(con, previous, comes_back)
        write_trend(con, previous)
        return engine.write(con, run)


def _give(con: duckdb.DuckDBPyConnection, name: str, files: list[str]) -> None:
    """Let `con` read files as the table `name`; what is written out again is loaded, so that its bytes are the same."""
    rows = con.read_parquet(files)
    rows.create(name) if name in engine.DERIVED else rows.create_view(name)


def _judge_firm(con: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Make `findings`: the firm's, judged here, and everybody's, ranked together."""
    raise_findings(con, (finding for finding in registry() if finding.of_the_book))
    con.execute("insert into raw_findings by name from firm_findings")
    con.execute(
        "alter view previous_findings rename to all_previous;"
        " create table previous_findings as from all_previous where person_id is null"
    )
    judge_findings(con)
    con.execute(
        # each was folded where it was judged, for which alone its subject is needed
        "create table judged_findings as select *, null::varchar as subject from"
        " (select * exclude (rank) from findings union all by name from people_findings);"
        " drop table findings; drop table ranked_findings; drop table previous_findings"
    )
    engine.build(con, "ranked_findings")
    con.execute(
        "create table findings as select f.* exclude (subject), r.rank from judged_findings as f"
        " inner join ranked_findings as r on r.finding_id = f.finding_id; drop table judged_findings"
    )
    load_previous(con, previous)
