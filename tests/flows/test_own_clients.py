"""Over the whole demo book: a workbook names its advisor's own clients only, and no number of theirs in full."""

from __future__ import annotations

import re
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from flows import pipeline
from flows.demo import write_demo

TAX_ID = re.compile(r"\b\d{3}-\d{2}-\d{4}\b")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "inbox")
    return pipeline.run_direct(pipeline.plan(folder / "inbox", folder / "out", date(2026, 12, 1), None, 0))


@pytest.fixture(scope="module")
def texts(run: Path) -> dict[str, str]:
    """Everything written in each workbook, formulas, properties, headers and chart texts with it."""
    found = {}
    for path in sorted((run / "workbooks").glob("*.xlsx")):
        with zipfile.ZipFile(path) as archive:
            found[path.stem] = "\n".join(
                re.sub(r"<[^>]*>", "\n", archive.read(n).decode()) for n in archive.namelist() if n.endswith(".xml")
            )
    return found


@pytest.fixture(scope="module")
def persons(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "canonical" / "persons.parquet")


def test_there_is_a_workbook_for_every_advisor(texts: dict[str, str], persons: pl.DataFrame) -> None:
    assert persons.height > 60
    assert set(persons["advisor_id"]) <= set(texts)


def test_no_client_of_another_advisor_is_named(texts: dict[str, str], persons: pl.DataFrame) -> None:
    looked_at = 0
    for advisor in persons["advisor_id"].unique():
        for person, other, given, family in persons.select(
            "person_id", "advisor_id", "given_name", "family_name"
        ).iter_rows():
            named = f"{given} {family}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            if other == advisor:
                assert named in texts[advisor], person
            else:
                assert named not in texts[advisor], (advisor, person)
                assert not re.search(rf"\b{person}\b", texts[advisor]), (advisor, person)
            looked_at += 1
    assert looked_at == persons.height * persons["advisor_id"].n_unique()


def test_no_account_number_or_tax_id_in_full(run: Path, texts: dict[str, str]) -> None:
    accounts = pl.read_parquet(run / "canonical" / "accounts.parquet")
    numbers = [n for n in accounts["account_number"] if len(n) > 6 and not n.startswith("*")]
    inbox = run.parents[2] / "inbox"
    tax_ids = set(TAX_ID.findall("\n".join(p.read_text(encoding="utf-8", errors="replace") for p in inbox.iterdir())))
    assert len(numbers) > 100
    assert len(tax_ids) > 60
    for name, text in texts.items():
        assert [n for n in numbers if n in text] == [], name
        assert [t for t in tax_ids if t in text or t.replace("-", "") in text] == [], name


def test_accounts_shown_are_those_of_the_advisors_own_clients(run: Path, persons: pl.DataFrame) -> None:
    owner = persons.select("person_id", "advisor_id")
    shown = pl.read_parquet(run / "results" / "ira_aggregation.parquet").join(owner, on="person_id")
    for advisor in persons["advisor_id"].unique():
        sheet = load_workbook(run / "workbooks" / f"{advisor}.xlsx")["Accounts"]
        column = next(c.column for c in sheet[4] if c.value == "Account")
        written = sorted(sheet.cell(r, column).value for r in range(5, sheet.max_row + 1))
        mine = shown.filter(pl.col("advisor_id") == advisor)["account_key"].to_list()
        assert len(written) == len(mine)
        assert sorted(w[-4:] for w in written) == sorted(k[-4:] for k in mine)


def test_no_macro_no_external_link_and_no_formula_from_outside(run: Path) -> None:
    for path in (run / "workbooks").glob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            assert not [n for n in archive.namelist() if "vba" in n.lower() or "externalLink" in n], path.stem
        for sheet in load_workbook(path):
            if not sheet.title.startswith("What-if"):
                formulas = [c.coordinate for row in sheet.iter_rows() for c in row if c.data_type == "f"]
                assert formulas == [], (path.stem, sheet.title)
