"""The registry of findings: one module is one problem or opportunity worth an advisor's time.

A finding module holds one `FINDING`: its rule name (= the module's name), its authority, the evidence topics that
prove it, and a SELECT over the computed tables with one row per problem:

    person_id, subject, tax_year, amount, amount_is, severity, deadline, title, explanation, action
    (and advisor_id where there is no person)

`subject` tells two rows of one person apart (an account, a plan, a code; '' where there can be only one). Amounts are
US dollars in DECIMAL(18,2); `amount_is` says what they are: tax, taxable income, room, excess, value, basis. A row whose inputs
are missing must not fire: the matching *unknown* finding asks for them instead.

Adding a finding is adding a module here and `tests/golden/findings/<rule>.toml`; nothing else changes. A module whose name
begins with `_` is no finding: it holds what two of them share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

import duckdb

from schemas.questions import asks
from transforms import steps
from transforms.steps import Step

#: What becomes of the rows the findings select: each table is the SELECT of the file beside it.
ASSEMBLE = tuple(
    (table, steps.text(file))
    for table, file in (
        ("judged_findings", "findings"), ("ranked_findings", "ranked_findings"), ("findings", "folded_findings"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One kind of finding. `topics` name the rows of the evidence table that stand behind it.

    `rests_on` is the result table without which nobody can say whether it is still there: while that person's row of it
    is UNKNOWN, a finding that no longer fires is kept open, not resolved.

    `folds_into` names the rules this one is a part of, the fittest first: one problem is one row, so where such a finding
    of the same person and tax year is open, this one is shown as a part of it (`part_of`), not as a row of its own.

    `one_with` names the problem of which several rules tell a side each, whichever weighs most tonight: of a person and tax
    year the finding of the highest rank is the row, and the others are its parts.

    `waits_for` names the rules whose rows tonight (`raw_findings`) its SELECT reads, by their names: they run before it.

    `of_the_book` is true where its SELECT adds up rows of many people, and its rows are nobody's: it can't be run over a
    part of the book.
    """

    rule: str
    authority: str
    topics: tuple[str, ...]
    sql: str
    rests_on: Literal["", "form_8606", "ira_limits", "mega_backdoor", "elective_deferrals", "excess_contributions"] = ""
    folds_into: tuple[str, ...] = ()
    one_with: str = ""
    one_over_years: bool = False
    waits_for: tuple[str, ...] = ()
    of_the_book: bool = False


@lru_cache
def registry() -> tuple[Finding, ...]:
    """Every finding, those that read no other's rows first, then by rule name.

    Raises ValueError if a module's rule isn't its own name.
    """
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name[0] != "_"):
        finding = importlib.import_module(f"{__name__}.{module}").FINDING
        if finding.rule != module:
            raise ValueError(f"transforms/findings/{module}.py defines rule {finding.rule!r}; they must be the same")
        found.append(finding)
    return tuple(sorted(found, key=lambda finding: bool(finding.waits_for)))


def finding_folds() -> list[tuple[str, str, int, bool]]:
    """Which rule is a part of which: rule, into rule, place (the fittest first), and whether only into one of higher rank.

    A rule into itself is that of an earlier tax year.
    """
    into = [(f.rule, whole, place, False) for f in registry() for place, whole in enumerate(f.folds_into)]
    sides = [
        (f.rule, other.rule, -1, True)
        for f in registry()
        for other in registry()
        if f.one_with and f.one_with == other.one_with and f.rule != other.rule
    ]
    years = [(f.rule, f.rule, len(f.folds_into), False) for f in registry() if f.one_over_years]
    return into + sides + years


def finding_steps(previous: Path | None) -> Iterator[Step]:
    """Run every finding over the computed tables and make the `findings` table.

    A finding keeps its `finding_id`, `first_seen` and `last_changed` from the previous run's table; one that was there
    and is gone is `resolved`. A previous run with a later as-of date, or of another code's shape, is not compared with.
    """
    yield Step(("previous_findings",), partial(load_previous, previous=previous))
    yield from _raising(registry())
    yield from _judging()


def raise_findings(con: duckdb.DuckDBPyConnection, findings: Iterable[Finding]) -> None:
    """Make `raw_findings`: the rows the SELECTs of `findings` have tonight, before anything is said of them."""
    steps.run(con, _raising(findings))


def judge_findings(con: duckdb.DuckDBPyConnection) -> None:
    """Make `findings` of `raw_findings`, their evidence and `previous_findings`: what is new, gone, a part of another."""
    steps.run(con, _judging())


def _raising(findings: Iterable[Finding]) -> Iterator[Step]:
    yield Step(
        ("raw_findings", "finding_topics", "finding_rests", "finding_folds", "reason_questions"), _state_findings
    )
    for finding in findings:
        # known by its rule, which the SELECT of one that waits for it names
        yield Step((finding.rule,), partial(_raise, finding=finding), f"raw_findings {finding.sql}")


def _state_findings(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table finding_topics (rule varchar, authority varchar, topic varchar)")
    con.execute("create table finding_rests (rule varchar, rests_on varchar)")
    con.execute(
        "create table finding_folds (rule varchar, into_rule varchar, place integer, if_it_weighs_more boolean)"
    )
    con.executemany("insert into finding_folds values (?, ?, ?, ?)", finding_folds())
    con.execute("create table reason_questions (code varchar, ask varchar)")
    con.executemany("insert into reason_questions values (?, ?)", [*asks().items()])
    con.executemany("insert into finding_rests values (?, ?)", [(f.rule, f.rests_on) for f in registry()])
    con.execute(
        "create table raw_findings (rule varchar, person_id varchar, subject varchar, tax_year integer,"
        " amount decimal(18, 2), amount_is varchar, severity varchar, deadline date, title varchar,"
        " explanation varchar, action varchar, advisor_id varchar)"
    )
    con.executemany(
        "insert into finding_topics values (?, ?, ?)",
        [(f.rule, f.authority, topic) for f in registry() for topic in f.topics or ("",)],
    )


def _raise(con: duckdb.DuckDBPyConnection, finding: Finding) -> None:
    con.execute(
        f"insert into raw_findings by name select $rule as rule, * from ({finding.sql})", {"rule": finding.rule}
    )


def _judging() -> Iterator[Step]:
    rules = " ".join(finding.rule for finding in registry())
    for table, select in ASSEMBLE:
        yield Step((table,), partial(_assemble, table=table, select=select), f"{rules} {select}")
    yield Step(("raw_findings", "judged_findings"), _forget)


def _assemble(con: duckdb.DuckDBPyConnection, table: str, select: str) -> None:
    con.execute(f"create table {table} as {select}")


def _forget(con: duckdb.DuckDBPyConnection) -> None:
    # every finding's words and evidence, and nobody reads them here any more
    con.execute("drop table raw_findings; drop table judged_findings")


#: What tonight's findings are compared with: these columns of the last run's, whatever else its table has.
_PREVIOUS = (
    "finding_id varchar, rule varchar, person_id varchar, household_id varchar, advisor_id varchar, tax_year integer,"
    " severity varchar, status varchar, first_seen date, last_changed date, amount decimal(18, 2), deadline date,"
    " title varchar, explanation varchar, action varchar, evidence varchar[], amount_is varchar, authority varchar"
)


def load_previous(con: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Make `previous_findings` from the folder of the night before; without one it is empty."""
    con.execute(f"create table previous_findings ({_PREVIOUS})")
    path = previous / "results" / "findings.parquet" if previous else None
    if path is not None and path.exists():
        columns = ", ".join(column.split()[0] for column in _PREVIOUS.replace("(18, 2)", "").split(", "))
        con.execute(
            f"insert into previous_findings by name select {columns} from read_parquet($path)", {"path": str(path)}
        )
