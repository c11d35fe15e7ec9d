"""A mutation tester for the tax rules in `transforms/sql`, which tools for Python code cannot mutate.

    PYTHONPATH=. python -m tests.mutation.mutate [--files form_8606,ira_limits] [--sample N --seed S] [--jobs 2]
                                                 [--report FILE] [--list]

A mutant is one small change to one SQL file. It is *killed* if a test of the engine fails or hangs, it *survives* if
all pass, and it is *invalid*, and not counted, if DuckDB cannot even bind it: that says nothing about the tests.
The tree is copied once, so that a file edited during the run is not half in it, and mutants only go into copies.

pytest loads this module as a plugin too: it runs the probe, puts the likeliest killers first, and keeps a log.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
SQL = Path("transforms", "sql")
TESTS = Path("tests", "engine")
COPIED = ("docs", "flows", "limits", "reports", "schemas", "tests", "transforms", "pyproject.toml")
#: The first asks another program, so its failures are not about our rules alone. The others are about people, pairs of
#: accounts and findings: minutes a mutant, for what a change of a tax rule hardly touches. A score without them is low.
LEFT_OUT = (
    "test_open_tax_solver.py", "test_findings_golden.py", "test_identity.py", "test_suggested_links.py",
    "test_reconciliation.py", "test_corrected_numbers.py", "test_payroll_corrections.py", "test_awkward_people.py",
)  # fmt: skip
LEAST_TIMEOUT = 180.0
UNMEASURED_TIMEOUT = 1800.0
#: A mutant gets this many times the time of the unchanged tree: jobs slow each other down, and a survivor that only
#: ran out of time would count as killed.
PATIENCE = 3.0
INVALID = 90
UNMOVED = 91
FEWER_EXAMPLES = {"ENGINE_EXAMPLES": "2"}
ORDER, LOG, CORPUS = "MUTATION_ORDER", "MUTATION_LOG", "MUTATION_CORPUS"

TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<parameter>\$\w+)
    |(?P<word>[^\W\d]\w*)
    |(?P<operator><=|>=|<>|!=|=>|->|:=|::|\|\||//|[-+*/%<>=])
    |(?P<space>\s+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "=": "<>", "+": "-", "-": "+"}
WORDS = {"and": "or", "or": "and", "true": "false", "false": "true", "not": ""}
CALLS = {"lesser": "larger", "larger": "lesser", "min": "max", "max": "min", "sum": "max"}


@dataclass(frozen=True)
class Token:
    """A piece of SQL that means something: no comment, no string, no space."""

    kind: str
    text: str
    start: int

    @property
    def word(self) -> str:
        """The keyword or name in lower case; empty for any other token."""
        return self.text.lower() if self.kind == "word" else ""


@dataclass(frozen=True)
class Mutant:
    """One change: `before` at `start` of `file` becomes `after`."""

    file: str
    line: int
    column: int
    start: int
    before: str
    after: str
    source_line: str

    def apply(self, sql: str) -> str:
        """The SQL with this one change; a dropped word takes the space after it along."""
        rest = sql[self.start + len(self.before) :]
        return sql[: self.start] + self.after + (rest if self.after else rest.lstrip(" "))

    @property
    def where(self) -> str:
        """File, line and column: a line may hold the same operator twice."""
        return f"{SQL.as_posix()}/{self.file}.sql:{self.line}:{self.column}"

    @property
    def change(self) -> str:
        """What was done, for people."""
        return f"{self.before} -> {self.after}" if self.after else f"{self.before} dropped"


def tokens(sql: str) -> list[Token]:
    """The tokens of a query without comments, strings, quoted names and space: nothing in those is a rule."""
    silent = {"comment", "string", "quoted", "space"}
    return [Token(m.lastgroup or "", m.group(), m.start()) for m in TOKEN.finditer(sql) if m.lastgroup not in silent]


def mutants(file: str, sql: str) -> Iterator[Mutant]:
    """Every mutant of one file, in the order of its text."""
    lines = sql.splitlines()
    found = tokens(sql)
    fixed = _ands_of_between(found) | _sizes_of_types(found)
    for n, token in enumerate(found):
        after = None if n in fixed else _replacement(found, n)
        if after is not None:
            line = sql.count("\n", 0, token.start) + 1
            column = token.start - sql.rfind("\n", 0, token.start)
            yield Mutant(file, line, column, token.start, token.text, after, lines[line - 1].strip())


def _replacement(found: Sequence[Token], n: int) -> str | None:
    """What the token at `n` is replaced by; None if it has no mutant."""
    token = found[n]
    if token.kind == "operator":
        return OPERATORS.get(token.text)
    if token.kind == "number":
        # `coalesce(x, 0)` is among these: its default becomes 1
        return str(int(token.text) + 1) if token.text.isdigit() else None
    if token.word in CALLS and _is_call(found, n):
        return CALLS[token.word]
    return WORDS.get(token.word)


def _is_call(found: Sequence[Token], n: int) -> bool:
    """Is the name at `n` called, and not a column or the macro that is being defined."""
    called = n + 1 < len(found) and found[n + 1].text == "("
    return called and (n == 0 or found[n - 1].word != "macro")


def _ands_of_between(found: Sequence[Token]) -> set[int]:
    """The `and`s that belong to a `between`: they join two bounds, so `or` would not even parse there."""
    depth, waiting, ands = 0, [], set()
    for n, token in enumerate(found):
        depth += (token.text == "(" or token.word == "case") - (token.text == ")" or token.word == "end")
        if token.word == "between":
            waiting.append(depth)
        elif token.word == "and" and waiting and waiting[-1] == depth:
            waiting.pop()
            ands.add(n)
    return ands


def _sizes_of_types(found: Sequence[Token]) -> set[int]:
    """The numbers in `decimal(18, 2)`: one more digit of room changes no rule."""
    sizes: set[int] = set()
    for n, token in enumerate(found):
        if token.word == "decimal" and n + 1 < len(found) and found[n + 1].text == "(":
            sizes.update((n + 2, n + 4))
    return sizes


# --- the plugin: what runs inside pytest -----------------------------------------------------------------------------


def pytest_sessionstart() -> None:
    """The cheap probe: every statement is bound for the smallest book, so SQL that means nothing shows at once."""
    from tests.book import Book

    one_thread()

    try:
        Book().person().compute()
        same = CORPUS in os.environ and _corpus_digest() == os.environ[CORPUS]
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
        pytest.exit(str(error), returncode=INVALID)
    except Exception:  # noqa: BLE001 - the tests meet it again, and it is theirs to kill the mutant
        return
    if same:
        pytest.exit("no result table of the large books is another", returncode=UNMOVED)


def _corpus_digest() -> str:
    from tests.mutation.corpus import digest

    return digest()


def one_thread() -> None:
    """Jobs run side by side, a core each: an engine that takes both makes every one of them slower."""
    from transforms import engine

    connect = engine.connect

    def with_one_thread(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
        con = connect(spill)
        con.execute("set threads = 1")
        return con

    engine.connect = with_one_thread


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what killed mutants of this file before first, then the fast tests."""
    order = json.loads(Path(os.environ[ORDER]).read_text(encoding="utf-8"))
    items.sort(key=lambda item: order.get(item.nodeid, 0.0))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note every test with its seconds."""
    if report.when == "call" or report.failed:
        row = {"test": report.nodeid, "seconds": report.duration, "failed": report.failed}
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")


# --- running the mutants ---------------------------------------------------------------------------------------------

Outcome = Literal["killed", "timed out", "survived", "invalid"]


class ToolFailed(Exception):
    """Nothing can be said about the mutants: the unchanged tree fails, or pytest itself does."""


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    mutant: Mutant
    outcome: Outcome
    seconds: float


@dataclass
class Order:
    """Seconds of each test on the unchanged tree, and what has killed mutants of a file so far, the latest last."""

    seconds: dict[str, float]
    killers: dict[str, list[str]] = field(default_factory=dict)

    def note(self, file: str, test: str) -> None:
        """`test` killed a mutant of `file`: neighbours are likely to fall to it too."""
        before = [name for name in self.killers.get(file, []) if name != test]
        self.killers[file] = [*before, test]

    def ranks(self, file: str) -> dict[str, float]:
        """The place of each test: below nought for a killer, else its seconds."""
        return self.seconds | {test: -1.0 - n for n, test in enumerate(self.killers.get(file, []))}


def copy_tree(source: Path, target: Path) -> Path:
    """Copy what the tests of the engine need."""
    target.mkdir()
    for name in COPIED:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source / name, target / name)
    return target


def run_tests(tree: Path, ranks: dict[str, float], timeout: float | None) -> tuple[int | None, list[dict[str, Any]]]:
    """The exit code of pytest over the tests of the engine (None if it ran out of time), and its log."""
    tests = [str(TESTS / p.name) for p in sorted((tree / TESTS).glob("test_*.py")) if p.name not in LEFT_OUT]
    order, log = tree / "order.json", tree / "log.jsonl"
    order.write_text(json.dumps(ranks), encoding="utf-8")
    log.write_text("", encoding="utf-8")
    scratch = tree / "scratch"
    scratch.mkdir()
    env = os.environ | {"PYTHONPATH": str(tree), "TMPDIR": str(scratch), ORDER: str(order), LOG: str(log)}
    env |= FEWER_EXAMPLES
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", __spec__.name, *tests]
    try:
        code = subprocess.run(command, cwd=tree, env=env, capture_output=True, timeout=timeout, check=False).returncode
    except subprocess.TimeoutExpired:
        code = None
    finally:
        # tests that were stopped leave their books behind
        shutil.rmtree(scratch, ignore_errors=True)
    return code, [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def corpus(tree: Path) -> str:
    """What the unchanged tree says of the large books."""
    command = [sys.executable, "-m", "tests.mutation.corpus"]
    env = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=True).stdout.strip()


def baseline(tree: Path) -> tuple[Order, float]:
    """The order of the tests and the time a mutant gets, from a run of the unchanged tree. It has to pass."""
    started = time.monotonic()
    code, log = run_tests(tree, {}, None)
    if code != 0:
        failed = [row["test"] for row in log if row["failed"]]
        raise ToolFailed(f"the unchanged tree fails (pytest exit code {code}): {failed}")
    return Order({row["test"]: row["seconds"] for row in log}), time.monotonic() - started


def try_mutant(mutant: Mutant, tree: Path, order: Order, timeout: float) -> Result:
    """Run the tests over one mutant in `tree`, and put the file back."""
    path = tree / SQL / f"{mutant.file}.sql"
    original = path.read_text(encoding="utf-8")
    started = time.monotonic()
    try:
        path.write_text(mutant.apply(original), encoding="utf-8")
        code, log = run_tests(tree, order.ranks(mutant.file), timeout)
    finally:
        path.write_text(original, encoding="utf-8")
    for row in log:
        if row["failed"]:
            order.note(mutant.file, row["test"])
    return Result(mutant, _outcome(code), time.monotonic() - started)


def _outcome(code: int | None) -> Outcome:
    """What pytest's exit code says: 1 is a failed test, 2 a test file that could not even be read."""
    outcomes: dict[int | None, Outcome] = {
        0: "survived",
        UNMOVED: "survived",
        1: "killed",
        2: "killed",
        None: "timed out",
        INVALID: "invalid",
    }
    if code not in outcomes:
        raise ToolFailed(f"pytest ended with exit code {code}")
    return outcomes[code]


def run(chosen: Sequence[Mutant], trees: Sequence[Path], order: Order, timeout: float) -> Iterator[Result]:
    """The results, as they come; one mutant at a time in each tree."""
    free: queue.Queue[Path] = queue.Queue()
    for tree in trees:
        free.put(tree)

    def one(mutant: Mutant) -> Result:
        tree = free.get()
        try:
            return try_mutant(mutant, tree, order, timeout)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for future in as_completed([pool.submit(one, mutant) for mutant in chosen]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


# --- the report ------------------------------------------------------------------------------------------------------


def report(results: Sequence[Result], chosen: int, everything: int) -> str:
    """The results as Markdown: a row per file, then every survivor."""
    lines = [
        "# Mutants of the tax rules",
        "",
        f"{len(results)} of {chosen} chosen mutants were tried, out of {everything}.",
        "The score is killed (those that timed out among them) of all that are valid.",
        "",
        "| File | Mutants | Killed | Timed out | Survived | Invalid | Score |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    files = sorted({r.mutant.file for r in results})
    lines += [_row(f"{file}.sql", [r for r in results if r.mutant.file == file]) for file in files]
    lines += [_row("all", results), "", "## Survivors", ""]
    survivors = sorted((r.mutant for r in results if r.outcome == "survived"), key=lambda m: (m.file, m.start))
    if not survivors:
        return "\n".join([*lines, "None.", ""])
    lines += ["| Where | Change | Line |", "|---|---|---|"]
    lines += [f"| {m.where} | {_code(m.change)} | {_code(m.source_line)} |" for m in survivors]
    return "\n".join([*lines, ""])


def _row(name: str, results: Iterable[Result]) -> str:
    count = Counter(r.outcome for r in results)
    killed = count["killed"] + count["timed out"]
    valid = killed + count["survived"]
    score = f"{100 * killed / valid:.0f}%" if valid else "-"
    cells = (name, count.total(), killed, count["timed out"], count["survived"], count["invalid"], score)
    return f"| {' | '.join(map(str, cells))} |"


def _code(text: str) -> str:
    """Text as code inside a table, where `||` would end the cell."""
    return "`" + text.replace("|", r"\|").replace("`", "'") + "`"


# --- the command -----------------------------------------------------------------------------------------------------


def every_mutant(tree: Path, files: Sequence[str]) -> list[Mutant]:
    """The mutants of the named files, or of all if none is named."""
    names = files or sorted(path.stem for path in (tree / SQL).glob("*.sql"))
    return [m for name in names for m in mutants(name, (tree / SQL / f"{name}.sql").read_text(encoding="utf-8"))]


def choose(every: Sequence[Mutant], sample: int | None, seed: int) -> list[Mutant]:
    """A sample that is the same for the same seed, in the order of the files."""
    if sample is None or sample >= len(every):
        return list(every)
    return sorted(random.Random(seed).sample(every, sample), key=lambda m: (m.file, m.start))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation.mutate", description="Mutate the SQL of the tax rules."
    )
    parser.add_argument("--files", default="", help="names without .sql, with commas between (all)")
    parser.add_argument("--sample", type=int, help="try this many, chosen at random (all)")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument(
        "--report", type=Path, help="write the report here, anew after each mutant (print it at the end)"
    )
    parser.add_argument(
        "--trust", action="store_true", help="the tests are known to pass: don't run them on the unchanged tree first"
    )
    parser.add_argument("--list", action="store_true", help="only count the mutants of each file")
    return parser.parse_args(arguments)


def _try_all(chosen: Sequence[Mutant], work: Path, jobs: int, *, trust: bool) -> Iterator[Result]:
    """Measure the unchanged tree in `work/0`, then try the mutants there and in copies of it."""
    order, seconds = (Order({}), 0.0) if trust else baseline(work / "0")
    os.environ[CORPUS] = corpus(work / "0")
    timeout = UNMEASURED_TIMEOUT if trust else max(LEAST_TIMEOUT, PATIENCE * seconds)
    print(f"unchanged tree: {seconds:.0f} s; a mutant gets {timeout:.0f} s", flush=True)
    trees = [work / "0", *(copy_tree(work / "0", work / str(n)) for n in range(1, jobs))]
    yield from run(chosen, trees, order, timeout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants and report them; 0 whatever survives, 2 if nothing can be said."""
    options = _arguments(arguments)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tree = copy_tree(ROOT, Path(scratch) / "0")
        every = every_mutant(tree, [name for name in options.files.split(",") if name])
        if options.list:
            for file, count in Counter(m.file for m in every).items():
                print(f"{count:6} {file}")
            print(f"{len(every):6} in all")
            return 0
        chosen = choose(every, options.sample, options.seed)
        results: list[Result] = []
        try:
            for result in _try_all(chosen, Path(scratch), options.jobs, trust=options.trust):
                results.append(result)
                m = result.mutant
                print(f"{len(results)}/{len(chosen)} {result.outcome:9} {result.seconds:4.0f} s"
                      f" {m.where}: {m.change}", flush=True)  # fmt: skip
                if options.report:
                    # a run takes hours: what is known is kept if it is stopped
                    options.report.write_text(report(results, len(chosen), len(every)), encoding="utf-8")
        except ToolFailed as error:
            print(error, file=sys.stderr)
            return 2
    if not options.report:
        print(report(results, len(chosen), len(every)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
