"""Have LibreOffice compute the sheet What-if for every client of a run, and hold every line against the engine.

Copies of each advisor's sheet are made with a client chosen, amounts typed and no value beside any formula, so that
LibreOffice must compute; one call of soffice computes them all. With nothing typed every line must be the engine's;
with amounts typed, what the scalar oracle (`tests/oracles/form_8606.py`) computes, or, for the awkward clients at the
end, what the engine itself computes for a client who did that.

    python -m tests.oracles.what_if_office [RUN]      (RUN: demo/out/latest unless told)
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import polars as pl
from openpyxl import load_workbook
from openpyxl.workbook.defined_name import DefinedName

from reports.book import Book as ReportBook
from reports.book import read_book
from reports.page import Page, PagedWorkbook
from reports.save import save
from reports.sheet import Canvas
from reports.style import Looks
from reports.what_if import AMOUNTS, DATA_TITLE, FIRST_AMOUNT, FIRST_LINE, TITLE, write_what_if
from reports.what_if_rows import LINES
from tests.book import Book
from tests.oracles.awkward_what_ifs import GROUPS
from tests.oracles.form_8606 import form_8606, worksheet_1_1

MISSING = "soffice is not on this machine; on Debian: apt-get install libreoffice-calc-nogui"
CENT = Decimal("0.01")
D = Decimal
Lines = dict[str, Decimal | None]


@dataclass(frozen=True)
class Case:
    """One copy of a sheet: who is chosen, what is typed, what the lines must then be (None: blank)."""

    name: str
    book: ReportBook
    choice: str
    amounts: dict[str, Decimal] = field(default_factory=dict)
    now: Lines = field(default_factory=dict)
    then: Lines = field(default_factory=dict)


def main(arguments: list[str]) -> int:
    """Print what was compared and every difference; 1 if there is one, 2 if soffice or the run isn't there."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        print(MISSING, file=sys.stderr)
        return 2
    run = Path(arguments[0] if arguments else "demo/out/latest").resolve()
    if not (run / "results" / "form_8606.parquet").exists():
        print(f"there is no run in {run}; make demo writes one", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cases = [*_cases_of_run(run), *_awkward_cases(folder)]
        read = _computed(office, cases, folder)
        return _report(cases, read)


def _report(cases: list[Case], read: list[dict[str, Any]]) -> int:
    compared = 0
    wrong = []
    for case, found in zip(cases, read, strict=True):
        for column, expected in (("now", case.now), ("then", case.then)):
            for line, value in expected.items():
                compared += 1
                if not _same(line, value, found[column][line]):
                    wrong.append(f"{case.name}: {line} {column}: sheet {found[column][line]!r}, expected {value}")
    print(f"what-if: {len(cases)} sheets computed by LibreOffice, {compared} lines compared, {len(wrong)} differ")
    for message in wrong[:50]:
        print(f"  {message}")
    return 1 if wrong or not compared else 0


def _same(line: str, expected: Decimal | None, found: Any) -> bool:
    if expected is None or found in {None, ""}:
        return expected is None and found in {None, ""}
    if not isinstance(found, int | float):
        return False
    if line == "line_10":  # shown only; the engine cuts it at ten places
        return abs(D(repr(found)) - expected) <= D("0.0000000002")
    return D(repr(found)).quantize(CENT, ROUND_HALF_UP) == expected and abs(D(repr(found)) - expected) < D("0.0001")


# --- the clients of a run ------------------------------------------------------------------------------------------


def _cases_of_run(run: Path) -> Iterator[Case]:
    forms = {
        (r["person_id"], r["tax_year"]): r
        for r in pl.read_parquet(run / "results" / "form_8606.parquet").iter_rows(named=True)
    }
    facts = _facts(run)
    for book in _books(run):
        for row in book.frames["what_if"].iter_rows(named=True):
            who = (row["person_id"], row["tax_year"])
            now = _lines(forms[who])
            name = f"{who[0]} {who[1]}"
            yield Case(name, book, row["choice"], {}, now, now)
            if row["status"] == "UNKNOWN":
                yield Case(f"{name} unknown", book, row["choice"], {"convert": D(1)}, now, now)
                continue
            for number, amounts in enumerate(_scenarios(row), 1):
                then = _expected(forms[who], facts.get(who, {}), amounts)
                yield Case(f"{name} scenario {number} {_said(amounts)}", book, row["choice"], amounts, now, then)
            if row["in_pool"] is not None:
                too_much = {"convert": max(D(0), row["in_pool"]) + CENT}
                yield Case(f"{name} too much", book, row["choice"], too_much, now, dict.fromkeys(LINES))


def _books(run: Path) -> list[ReportBook]:
    """The run as the workbooks see it: a book of own rows for each advisor."""
    years = pl.read_parquet(run / "results" / "form_8606.parquet")["tax_year"].unique().to_list()
    book = read_book(run, as_of=date(2000, 1, 1), tax_years=years, fingerprint="0" * 12, version="")
    return [own for _, own in book.of_each_advisor()]


def _lines(form: dict[str, Any]) -> Lines:
    return {line: form[line] for line in LINES}


def _said(amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items())


def _facts(run: Path) -> dict[tuple[str, int], dict[str, Decimal]]:
    """What the oracle needs beside the form, from the tables it was made of and not from the sheet's own rows."""
    found: dict[tuple[str, int], dict[str, Decimal]] = {}
    values = pl.read_parquet(run / "derived" / "account_values.parquet").filter(pl.col("in_pool"))
    pools = values.group_by("person_id", "tax_year").agg(pl.col("projected_value").sum().alias("pool"))
    limits = pl.read_parquet(run / "results" / "ira_limits.parquet").select(
        "person_id", "tax_year", pl.col("deductible_contributions").fill_null(0).alias("deductible")
    )
    kept = pl.col("traditional_in_year") - pl.col("returned_in_year") - pl.col("recharacterized_away_in_year")
    in_year = pl.max_horizontal(kept, kept * 0) + pl.col("recharacterized_in_year")
    made = pl.read_parquet(run / "derived" / "ira_contributions.parquet").select(
        "person_id", "tax_year", pl.min_horizontal(in_year, "traditional_contributions").alias("in_year")
    )
    for frame in (pools, limits, made):
        for row in frame.iter_rows(named=True):
            who = (row.pop("person_id"), row.pop("tax_year"))
            found.setdefault(who, {}).update(row)
    return found


def _scenarios(row: dict[str, Any]) -> list[dict[str, Decimal]]:
    """What could be done for this client: everything that is possible, in odd amounts, alone and together."""
    if row["in_pool"] is None or row["in_year_has_ended"]:
        return []
    pool = max(D(0), row["in_pool"])
    room, deduction = row["in_contribution_room"] or D(0), row["in_deduction_room"] or D(0)
    basis = row["in_line_1"] + row["in_line_2"]
    pre_tax = min(pool, max(D(0), pool + row["in_line_7"] + row["in_line_8"] - basis))
    to_hsa = min(row["in_hsa_room"] or D(0), pre_tax)
    deducted = min(deduction, room)
    tried = [
        {"to_plan": pre_tax},
        {"convert": pool},
        {"convert": pool / 3, "distribution": pool / 7},
        {"from_plan": D("45678.91"), "convert": D("3333.33")},
        {"from_plan": D("1234.56"), "distribution": D("777.77"), "convert": pool},
        {"nondeductible": room, "convert": room},
        {"nondeductible": room / 2, "later": room / 2, "from_plan": D("50000.01"), "convert": D("10000")},
        {"to_plan": pre_tax / 2, "convert": D("0.01") if pool else D(0)},
        {"hsa": to_hsa, "nondeductible": room, "convert": room},
        {"deductible": deducted / 2, "nondeductible": room - deducted / 2, "convert": room} if deducted else {},
    ]
    rounded = [{k: v.quantize(CENT, "ROUND_DOWN") for k, v in amounts.items()} for amounts in tried]
    return [found for amounts in rounded if (found := {k: v for k, v in amounts.items() if v})]


def _expected(form: dict[str, Any], facts: dict[str, Decimal], amounts: dict[str, Decimal]) -> Lines:
    """The lines by the scalar oracle."""
    a = {name: amounts.get(name, D(0)) for name, _ in AMOUNTS}
    pool = form["line_6"] if form["line_6"] is not None else facts.get("pool", D(0))
    line_1 = form["line_1"] + a["nondeductible"] + a["later"]
    line_2 = form["line_2"]
    line_6 = pool + a["from_plan"] + a["nondeductible"] + a["deductible"] - sum(
        a[n] for n in ("convert", "to_plan", "distribution", "hsa")
    )  # fmt: skip
    line_7 = (form["line_7"] or D(0)) + a["distribution"]
    line_8 = (form["line_8"] or D(0)) + a["convert"]
    deducted = facts.get("deductible", D(0)) + a["deductible"]
    line_4 = max(D(0), line_1 - facts.get("in_year", D(0)) - a["nondeductible"] - a["deductible"])
    if deducted and line_1 and (line_7 or line_8):
        made = worksheet_1_1(line_2, line_1 + deducted, deducted, line_6, line_7, line_8)
        shown = {"line_4": None, "line_5": line_2 + line_1 + deducted}
    else:
        made = form_8606(line_1, line_2, line_4, line_6, line_7, line_8)
        shown = {"line_4": line_4, "line_5": line_1 + line_2 - line_4}
    lines: Lines = {"line_1": line_1, "line_2": line_2, "line_3": made.line_3, "line_14": made.line_14}
    if not (line_7 or line_8):
        return {**dict.fromkeys(LINES), **lines}
    return {
        **lines,
        **shown,
        "line_6": line_6,
        "line_7": line_7,
        "line_8": line_8,
        "line_9": made.line_9,
        "line_11": made.line_11,
        "line_12": made.line_12,
        "line_13": made.line_13,
        "line_15a": made.line_15c,
        "line_16": line_8,
        "line_17": made.line_11,
        "line_18": made.line_18,
    }


# --- awkward clients -----------------------------------------------------------------------------------------------


def _awkward_cases(folder: Path) -> Iterator[Case]:
    """Awkward clients, and beside each the same client with something else done: the engine computes both."""
    for number, group in enumerate(GROUPS):
        run = folder / f"book-{number}"
        people = Book()
        for person in group.people:
            person.add_to(people)
        tables = people.compute(as_of=group.as_of, tax_years=(2026,), run=run, choices=group.choices)
        people.write(run / "canonical")
        forms = {row["person_id"]: row for row in tables["form_8606"].iter_rows(named=True)}
        (book,) = _books(run)
        rows = {row["person_id"]: row for row in book.frames["what_if"].iter_rows(named=True)}
        for person in group.people:
            before, choice = _known(forms[person.person_id]), rows[person.person_id]["choice"]
            yield Case(person.name, book, choice, {}, before, before)
            for n, (amounts, _) in enumerate(person.changes):
                typed = {k: D(v) for k, v in amounts.items()}
                after = _known(forms[person.changed_id(n)])
                yield Case(f"{person.name}: {_said(typed)}", book, choice, typed, before, after)


def _known(form: dict[str, Any]) -> Lines:
    if form["status"] == "UNKNOWN":
        raise AssertionError(f"{form['person_id']}: the engine says UNKNOWN: {form['reasons']}")
    return _lines(form)


# --- LibreOffice ---------------------------------------------------------------------------------------------------


def _computed(office: str, cases: list[Case], folder: Path) -> list[dict[str, Any]]:
    """What LibreOffice computes for each case: the cases of one advisor are sheets of one workbook."""
    written, computed = folder / "written", folder / "computed"
    written.mkdir()
    groups: list[list[Case]] = []
    for case in cases:
        if not groups or groups[-1][0].book is not case.book:
            groups.append([])
        groups[-1].append(case)
    files = []
    for number, group in enumerate(groups):
        files.append(_written(group, written / f"{number}.xlsx"))
        # and the sheet as advisors get it, under its own names
        files.append(_written(group[:1], written / f"{number}-plain.xlsx", renamed=False))
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(computed), *map(str, files)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    found = []
    for number, group in enumerate(groups):
        read = load_workbook(computed / f"{number}.xlsx", data_only=True)
        plain = load_workbook(computed / f"{number}-plain.xlsx", data_only=True)
        alike = _read(plain[TITLE]) == _read(read["W0"])
        if not alike:
            raise AssertionError(f"{group[0].name}: the renamed sheet computes something else")
        found += [_read(read[f"W{n}"]) for n in range(len(group))]
    return found


def _written(cases: list[Case], path: Path, *, renamed: bool = True) -> Path:
    """A workbook with the sheet once for each case: a client chosen, amounts typed, and no computed value in it."""
    workbook = PagedWorkbook()
    looks = Looks(workbook)
    for number, case in enumerate(cases):
        write_what_if(workbook, looks, case.book, "check")
        page, data = workbook.worksheets[-2:]
        canvas = Canvas(page, looks)
        canvas.put(4, 2, case.choice, "entry")
        for row, (name, _) in enumerate(AMOUNTS, FIRST_AMOUNT):
            canvas.put(row, 2, case.amounts.get(name), "typed money")
        _forget_values(page, data)
        if renamed:
            _rename(workbook, page, data, number)
    return save(workbook, path)


def _forget_values(*pages: Page) -> None:
    for page in pages:
        for cells in page._put.values():
            for place, cell in cells.items():
                cells[place] = re.sub(r"</f><v>[^<]*</v>", "</f>", cell)
        if b"</f><v>" in page.rows_xml():
            raise AssertionError("a computed value is left in the sheet")


def _rename(workbook: PagedWorkbook, page: Page, data: Page, number: int) -> None:
    """Give the two sheets and their names names of their own, so that many fit into one workbook."""

    def other(formula: str) -> str:
        text = formula.replace(f"'{DATA_TITLE}'!", f"'D{number}'!").replace(f"'{TITLE}'!", f"'W{number}'!")
        return re.sub(r"\bwi_", f"w{number}_", text)

    for cells in (*page._put.values(), *data._put.values()):
        for place, cell in cells.items():
            cells[place] = re.sub(r"<f>.*</f>", lambda m: other(m[0]), cell)
    for name in [n for n in workbook.defined_names if n.startswith("wi_")]:
        own = other(name)
        workbook.defined_names[own] = DefinedName(own, attr_text=other(workbook.defined_names.pop(name).attr_text))
    for check in page.data_validations.dataValidation:
        check.formula1 = other(check.formula1)
    page.title, data.title = f"W{number}", f"D{number}"


def _read(sheet: Any) -> dict[str, Any]:
    rows = list(enumerate(LINES, FIRST_LINE))
    return {
        "now": {line: sheet.cell(row, 7).value for row, line in rows},
        "then": {line: sheet.cell(row, 8).value for row, line in rows},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
