"""A book computed in partitions is the book computed at once: every table, to the byte, whoever shares what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.marks import MARK_STATUSES
from tests.book import Book
from tests.crowd_of_records import crowd
from tests.golden_cases import FILES, book_of, renamed
from transforms import engine, partitions, steps
from transforms.places import Place

AS_OF, BEFORE, YEARS = date(2026, 12, 1), date(2026, 11, 2), (2026,)


def everybody() -> Book:
    """Every case of every finding as of one day in one book, and a crowd of couples, doubles and accounts of nobody."""
    whole = crowd().book
    for rule, file in FILES.items():
        for n, case in enumerate(case for case in file["case"] if case["as_of"] == str(AS_OF)):
            for table, rows in book_of(case).rows.items():
                whole.rows[table] += [renamed(f"{rule}{n}", row) for row in rows if table != "advisors"]
    return _each_line_once(_people_who_share(whole))


def _each_line_once(book: Book) -> Book:
    for n, row in enumerate(book.rows["rejects"]):
        row["line_number"] = n + 2  # a line is set aside once
    return book


def _people_who_share(book: Book) -> Book:
    """Two who are one tax id, payroll of nobody, a plan set aside, rows that name two, forms of accounts not here."""
    for who in ("S1", "S2", "S3"):
        book.add("persons", person_id=who, tax_id="shared" if who != "S3" else "own", birth_date="1970-01-02")
        book.add("plan_contributions", person_id=who, plan_id="PLAN", tax_year=2026, as_of="2026-06-30")
    book.ira("MASKED-7777", 900, person_id="S1").ira("OTHER-7777", 900, person_id="S2")
    book.event("*7777", "2026-04-01", "contribution", 12)
    for owner in ("shared", "own", ""):
        for plan in ("P100", "P200"):
            book.add("payroll_contributions", owner_tax_id=owner, recordkeeper_plan=plan, pay_date="2026-07-15",
                     source_column="A", amount=10)  # fmt: skip
    book.add("rejects", kind="plans", plan_id="PLAN")
    book.add("rejects", kind="balances", custodian="testcust", account_number="OTHER-7777", person_id="S3")
    book.add("rejects", kind="transactions", custodian="testcust", account_number="NOBODY-1", line_number=9)
    book.add("form_5498", account_number="GONE-1", tax_year=2026, owner_tax_id="own", box_1_ira_contributions=50)
    book.add("form_1099r", account_number="GONE-2", tax_year=2026, owner_tax_id="own", box_1_gross=70, box_7_codes="G",
             box_5_basis=20)  # fmt: skip
    book.add("row_fixes", file_sha256="x", column_name="amount", corrected_value="2", fixed_by="Ops", kind="balances",
             fixed_on="2026-11-01", fixed_file="b.csv", line_number=2, person_id="S3", custodian="testcust",
             account_number="MASKED-7777", shown_after="2")  # fmt: skip
    return book.add("expected_files", source="testcust", kind="balances", frequency="monthly", starts_on="2026-01-01")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The canonical tables, the night before, and tonight as one process computes it."""
    base = tmp_path_factory.mktemp("nights")
    book = everybody()
    basis = book.rows["ira_basis"]
    book.rows["ira_basis"] = basis[::2]
    engine.compute(book.write(base / "then"), base / "before", as_of=BEFORE, tax_years=YEARS, previous=None)
    _mark(book, pl.read_parquet(base / "before/results/findings.parquet"))
    book.rows["ira_basis"] = basis
    book.write(base / "canonical")
    engine.compute(base / "canonical", base / "whole", as_of=AS_OF, tax_years=YEARS, previous=base / "before")
    return base / "canonical", base / "before", base / "whole"


def _raised() -> set[str]:
    """The rules of which a case of that day is in the book."""
    cases = [(rule, case) for rule, file in FILES.items() for case in file["case"]]
    raised = {rule for rule, case in cases if case["outcome"] == "fires" and case["as_of"] == str(AS_OF)}
    assert len(raised) > 50
    return raised


def _mark(book: Book, findings: pl.DataFrame) -> None:
    for n, finding in enumerate(findings.sort("finding_id")["finding_id"].to_list()[::9]):
        book.add("finding_marks", reading_id=f"m{n}", finding_id=finding, status=MARK_STATUSES[n % len(MARK_STATUSES)],
                 state=f"s{n}", advisor_id="A1", workbook="A1.xlsx", received_at="2026-11-10")  # fmt: skip


def in_parts(
    canonical: Path, run: Path, previous: Path | None, most: int, folder: str | None = None
) -> partitions.Parts:
    """The book computed in partitions, the last one first and the first one twice."""
    parts = partitions.Parts(canonical, folder or run / ".parts", AS_OF, YEARS)
    assert partitions.split(parts, previous, most) == most
    with pytest.raises(FileNotFoundError):
        partitions.combine(parts, run, previous)
    for number in (*reversed(range(most)), 0):
        partitions.compute_part(parts, number)
    partitions.combine(parts, run, previous)
    return parts


def test_partitions_make_the_very_files_of_one_process(nights: tuple[Path, Path, Path], tmp_path: Path) -> None:
    canonical, before, whole = nights
    findings = pl.read_parquet(whole / "results/findings.parquet")
    # the doubles in the crowd put two in doubt
    assert _raised() - set(findings["rule"]) <= {"second_spouse_open", "basis_not_carried"}
    assert set(findings["status"]) == {"new", "open", "changed", "resolved"}
    assert findings["put_aside"].any()

    layout = in_parts(canonical, tmp_path, before, 5).layout()
    assert all(len(layout.rows_of("persons", number)) > 1 for number in range(5))
    files = sorted(path.relative_to(whole) for path in whole.glob("*/*.parquet"))
    assert len(files) >= 30
    for path in files:
        assert pl.read_parquet(tmp_path / path).equals(pl.read_parquet(whole / path)), path
        assert (tmp_path / path).read_bytes() == (whole / path).read_bytes(), path


def _last_first(con: duckdb.DuckDBPyConnection, every: Iterable[steps.Step]) -> None:
    """Do of the steps that can be done always the last: as far from the written order as the waiting allows."""
    order = list(every)
    waiting = steps.needs(order)
    while waiting:
        place = max(place for place, on in waiting.items() if not on)
        order[place].work(con)
        del waiting[place]
        for on in waiting.values():
            on.discard(place)


def test_no_step_forgets_whom_it_waits_for(
    nights: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canonical, before, whole = nights
    monkeypatch.setattr(steps, "run", _last_first)
    engine.compute(canonical, tmp_path, as_of=AS_OF, tax_years=YEARS, previous=before)
    files = sorted(path.relative_to(whole) for path in whole.glob("*/*.parquet"))
    assert len(files) >= 30
    assert [path for path in files if (tmp_path / path).read_bytes() != (whole / path).read_bytes()] == []


def test_partitions_on_a_storage_make_the_same_and_leave_nothing_on_the_disk(tmp_path: Path) -> None:
    book = _each_line_once(_people_who_share(Book()))
    canonical = book.person("C1").ira("T1", 100, person_id="C1").write(tmp_path / "run/canonical")
    engine.compute(canonical, tmp_path / "whole", as_of=AS_OF, tax_years=YEARS, previous=None)
    parts = in_parts(canonical, tmp_path / "run", None, 3, "memory://bureau/north")
    files = parts.place.below()
    assert {"split.json", "0.json", "1.json", "2.json"} < set(files)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "canonical", "results", "derived", "rothbook.duckdb",
    }  # fmt: skip
    for path in sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").glob("*/*.parquet")):
        assert (tmp_path / "run" / path).read_bytes() == (tmp_path / "whole" / path).read_bytes(), path
    others = Place.at("memory://bureau/south") / "persons.parquet"
    others.put((tmp_path / "run/canonical/persons.parquet").read_bytes())
    with parts.opened() as con:
        rows = [con.read_parquet(parts.layout().rows_of("persons", number)).shape[0] for number in range(3)]
        assert sum(rows) == len(book.rows["persons"])
        with pytest.raises(duckdb.PermissionException):
            con.read_parquet(others.url)
    parts.place.remove()
    assert Place.at("memory://bureau").below() == ["south/persons.parquet"]
    Place.at("memory://bureau").remove()


def test_a_dead_attempts_files_are_nobodys_rows(tmp_path: Path) -> None:
    book = Book()
    for n in range(8):
        book.person(f"C{n}").ira(f"T{n}", 100, person_id=f"C{n}")
    book.write(tmp_path / "canonical")
    parts = partitions.Parts(tmp_path / "canonical", tmp_path / "parts", AS_OF, YEARS)
    partitions.split(parts, None, 2)
    (tmp_path / "parts/split.json").unlink()  # as a worker leaves it that dies just before
    partitions.split(parts, None, 2)
    assert len(list((tmp_path / "parts").glob("in-*"))) == 2
    rows = [pl.read_parquet(parts.layout().rows_of("persons", number)).height for number in range(2)]
    assert sum(rows) == 8


@pytest.mark.parametrize(("url", "said"), [("nowhere://x", "nowhere"), ("gs://x", "gs")])
def test_a_storage_without_its_package_is_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Place.at(url)


@pytest.mark.parametrize("most", range(1, 8))
def test_every_row_has_one_partition_and_who_shares_is_together(most: int, tmp_path: Path) -> None:
    book = _people_who_share(Book())
    for n in range(20):
        spouse = f"C{n ^ 1:02d}" if n < 10 else ""
        book.person(f"C{n:02d}", spouse_person_id=spouse).ira(f"T{n}", 100, person_id=f"C{n:02d}")
    book.write(tmp_path / "canonical")
    parts = partitions.Parts(tmp_path / "canonical", tmp_path / "parts", AS_OF, YEARS)
    partitions.split(parts, None, most)
    layout = parts.layout()
    homes: dict[str, int] = {}
    for number in range(most):
        persons = pl.read_parquet(layout.rows_of("persons", number))["person_id"].to_list()
        assert not homes.keys() & set(persons)
        homes |= dict.fromkeys(persons, number)
    assert len(homes) == 23
    assert all(homes[f"C{n:02d}"] == homes[f"C{n ^ 1:02d}"] for n in range(10))
    assert len({homes["S1"], homes["S2"], homes["S3"]}) == 1  # a shared tax id, a plan set aside
    for table, name in {
        "balances": "balances", "payroll_contributions": "payroll_contributions", "form_5498": "form_5498",
        "intake_rejects": "rejects", "row_fixes": "row_fixes",
    }.items():  # fmt: skip
        rows = [pl.read_parquet(layout.rows_of(table, number)).height for number in range(most)]
        assert sum(rows) == len(book.rows[name]) > 0, table


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=40))
def test_what_hangs_together_has_one_home(pairs: list[tuple[int, int]]) -> None:
    expected = {n: n for pair in pairs for n in pair}
    for _ in expected:
        for one, two in pairs:
            expected[one] = expected[two] = min(expected[one], expected[two])
    with engine.connect() as con:
        con.execute("create table units_together (one varchar, two varchar)")
        named = [(f"p:{min(pair):02d}", f"p:{max(pair):02d}") for pair in pairs if pair[0] != pair[1]]
        if named:
            con.executemany("insert into units_together values (?, ?)", named)
        partitions.settle_homes(con)
        homes = dict(con.sql("select unit, home from homes").fetchall())
    assert homes == {f"p:{n:02d}": f"p:{home:02d}" for n, home in expected.items() if n != home or _paired(n, pairs)}


def _paired(n: int, pairs: list[tuple[int, int]]) -> bool:
    return any(n in pair and pair[0] != pair[1] for pair in pairs)
