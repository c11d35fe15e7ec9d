"""Have LibreOffice compute the sheet What-if for every client of a run, and hold every line against the engine.

Copies of each advisor's sheet are made with a client chosen, amounts typed and no value beside any formula, so that
LibreOffice must compute; one call of soffice converts them all. With nothing typed every line must be the engine's; with
amounts typed, what the scalar oracle (`tests/oracles/form_8606.py`) computes, or, for the awkward books at the end, what
the engine itself computes for a book in which that was done.

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
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import polars as pl
from openpyxl import load_workbook

from reports.book import read_book
from reports.page import PagedWorkbook
from reports.save import save
from reports.style import Looks
from reports.what_if import AMOUNTS, FIRST_AMOUNT, FIRST_CHECK, FIRST_LINE, TITLE, write_what_if
from reports.what_if_rows import LINES
from tests.oracles.awkward_what_ifs import BOOKS, AwkwardBook
from tests.oracles.form_8606 import form_8606, worksheet_1_1

MISSING = "soffice is not on this machine; on Debian: apt-get install libreoffice-calc-nogui"
CENT = Decimal("0.01")
D = Decimal
Lines = dict[str, Decimal | None]


@dataclass(frozen=True)
class Case:
    """One copy of a sheet: who is chosen, what is typed, what the lines must then be (None: blank)."""

    name: str
    workbook: Path
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
        cases = [*_cases_of_run(run, folder), *_awkward_cases(folder)]
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


def _cases_of_run(run: Path, folder: Path) -> Iterator[Case]:
    book = read_book(run, as_of=date(2000, 1, 1), tax_years=[], fingerprint="0" * 12, version="")
    forms = {
        (r["person_id"], r["tax_year"]): r
        for r in pl.read_parquet(run / "results" / "form_8606.parquet").iter_rows(named=True)
    }
    facts = _facts(run)
    for advisor in book.advisors:
        path = _written(book, advisor, folder / f"{len(list(folder.iterdir()))}.xlsx")
        for row in book.own("what_if", advisor.advisor_id).iter_rows(named=True):
            who = (row["person_id"], row["tax_year"])
            now = _lines(forms[who])
            name = f"{who[0]} {who[1]}"
            yield Case(name, path, row["choice"], {}, now, now)
            if row["status"] == "UNKNOWN":
                yield Case(f"{name} unknown", path, row["choice"], {"convert": D(1)}, now, now)
                continue
            for number, amounts in enumerate(_scenarios(row), 1):
                then = _expected(forms[who], facts.get(who, {}), amounts)
                yield Case(f"{name} scenario {number} {_said(amounts)}", path, row["choice"], amounts, now, then)
            if row["in_pool"] is not None:
                too_much = {"convert": max(D(0), row["in_pool"]) + CENT}
                yield Case(f"{name} too much", path, row["choice"], too_much, now, dict.fromkeys(LINES))


def _written(book: Any, advisor: Any, path: Path) -> Path:
    workbook = PagedWorkbook()
    write_what_if(workbook, Looks(workbook), book, advisor, "check")
    return save(workbook, path)


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
    made = pl.read_parquet(run / "derived" / "ira_contributions.parquet").select(
        "person_id", "tax_year", pl.col("traditional_in_year").alias("in_year")
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


# --- awkward books -------------------------------------------------------------------------------------------------


def _awkward_cases(folder: Path) -> Iterator[Case]:
    for awkward in BOOKS:
        run = folder / f"book-{len(list(folder.iterdir()))}"
        base = awkward.base()
        before = _form(base, awkward, run)
        base.write(run / "canonical")
        book = read_book(run, as_of=date(2000, 1, 1), tax_years=[], fingerprint="0" * 12, version="")
        (advisor,) = book.advisors
        path = _written(book, advisor, folder / f"{run.name}.xlsx")
        (row,) = book.own("what_if", advisor.advisor_id).iter_rows(named=True)
        yield Case(awkward.name, path, row["choice"], {}, before, before)
        for amounts, changed in awkward.changes:
            typed = {k: D(v) for k, v in amounts.items()}
            after = _form(changed(awkward.base()), awkward, folder / "changed")
            yield Case(f"{awkward.name}: {_said(typed)}", path, row["choice"], typed, before, after)


def _form(book: Any, awkward: AwkwardBook, run: Path) -> Lines:
    shutil.rmtree(run, ignore_errors=True)
    tables = book.compute(as_of=awkward.as_of, tax_years=(2026,), run=run, choices=awkward.choices)
    (form,) = tables["form_8606"].iter_rows(named=True)
    if form["status"] == "UNKNOWN":
        raise AssertionError(f"{awkward.name}: the engine says UNKNOWN: {form['reasons']}")
    return _lines(form)


# --- LibreOffice ---------------------------------------------------------------------------------------------------


def _computed(office: str, cases: list[Case], folder: Path) -> list[dict[str, Any]]:
    copies, computed = folder / "copies", folder / "computed"
    copies.mkdir()
    for number, case in enumerate(cases):
        _copy(case, copies / f"{number}.xlsx")
    subprocess.run(
        [office, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "xlsx",
         "--outdir", str(computed), *(str(copies / f"{n}.xlsx") for n in range(len(cases)))],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return [_read(computed / f"{number}.xlsx") for number in range(len(cases))]


def _copy(case: Case, target: Path) -> None:
    """The workbook with a client chosen and amounts typed, and without any computed value."""
    with ZipFile(case.workbook) as source, ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name in source.namelist():
            body = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                body = _typed(body.decode(), case if name.endswith("sheet1.xml") else None).encode()
            archive.writestr(name, body)


def _typed(xml: str, case: Case | None) -> str:
    blank = re.sub(r"</f><v>[^<]*</v>", "</f>", xml)
    if "</f><v>" in blank:
        raise AssertionError("a computed value is left in the copy")
    if case is None:
        return blank
    text = f't="inlineStr"><is><t xml:space="preserve">{escape(case.choice)}</t></is></c>'
    blank, chosen = re.subn(r'(<c r="B4" s="\d+") t="inlineStr">.*?</c>', lambda m: f"{m[1]} {text}", blank, count=1)
    for row, (name, _) in enumerate(AMOUNTS, FIRST_AMOUNT):
        if name in case.amounts:
            cell = rf'(<c r="B{row}" s="\d+")/>'
            blank, typed = re.subn(cell, rf"\1><v>{case.amounts[name]}</v></c>", blank, count=1)
            chosen += typed - 1
    if chosen != 1:
        raise AssertionError(f"{case.name}: the cells to type into weren't found")
    return blank


def _read(path: Path) -> dict[str, Any]:
    sheet = load_workbook(path, data_only=True)[TITLE]
    rows = list(enumerate(LINES, FIRST_LINE))
    return {
        "now": {line: sheet.cell(row, 7).value for row, line in rows},
        "then": {line: sheet.cell(row, 8).value for row, line in rows},
        "checks": [sheet.cell(FIRST_CHECK + n, 2).value for n in range(7)],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
