"""`rothbook brief`: what it writes and where, how it refuses, and one client's data only over the whole demo book."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from docx import Document

from flows.demo import write_demo
from reports.book import Book, read_book
from reports.brief import brief_page, save_page
from reports.brief_blocks import AUDIENCES, CPA_ONLY, IF_CONVERTED, IF_NOT_NOUGHT, IF_PAID_OUT
from reports.one_page import ROOM, height
from tests.flows.inbox import ROOT, SECRETS, rothbook, run, write_inbox

AS_OF = date(2026, 12, 1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("finished")
    code, said = run(write_inbox(base / "inbox"), base / "out")
    assert code == 0, said
    return base / "out"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Book]:
    base = tmp_path_factory.mktemp("demo")
    write_demo(base / "inbox")
    code, said = run(base / "inbox", base / "out", as_of=str(AS_OF))
    assert code == 1, said
    latest = base / "out" / "latest"
    return latest, read_book(latest, as_of=AS_OF, tax_years=[2026], fingerprint="0" * 64, version="0.1.0")


def everything(path: Path) -> str:
    """All text of a document, footer and properties too."""
    document = Document(str(path))
    parts = [p.text for p in document.paragraphs] + [p.text for p in document.sections[0].footer.paragraphs]
    parts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*parts, document.core_properties.title, document.core_properties.subject])


def test_it_says_where_it_wrote_and_nothing_of_the_client(finished: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows", "brief", "P1", "--out", str(finished)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "brief-P1-2026.docx\n"), done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["brief-P1-2026.docx"]
    told = everything(tmp_path / "brief-P1-2026.docx")
    assert "Zebulon Quackenbush" in told
    assert [secret for secret in SECRETS[2:] if secret in told] == []
    assert "testcust ...1234" in told
    assert "Meeting page" in told


def test_the_same_run_gives_the_same_bytes_where_asked(finished: Path, tmp_path: Path) -> None:
    targets = [tmp_path / "one.docx", tmp_path / "two.docx"]
    for target in targets:
        done = rothbook("brief", "P1", "--out", finished, "--tax-year", "2026", "--for", "cpa", "--to", target)
        assert (done.returncode, done.stdout) == (0, f"{target}\n"), done.stderr
    assert targets[0].read_bytes() == targets[1].read_bytes()
    assert "For the client's tax preparer" in everything(targets[0])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("NOBODY",), "the newest run has no such person (and tax year)", id="nobody"),
        pytest.param(("P1", "--tax-year", "2019"), "the newest run has no such person (and tax year)", id="no year"),
        pytest.param(("P1", "--to", "brief.pdf"), "has to end in .docx", id="not a Word file"),
        pytest.param(("P1", "--to", "no/such/brief.docx"), "there is no folder no/such", id="no folder"),
        pytest.param(("P1", "--for", "everybody"), "invalid choice", id="for nobody"),
    ],
)
def test_what_it_refuses(finished: Path, arguments: tuple[str, ...], told: str) -> None:
    done = rothbook("brief", *arguments, "--out", finished)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""
    assert [secret for secret in SECRETS if secret in done.stderr] == []


def test_before_the_first_run(tmp_path: Path) -> None:
    done = rothbook("brief", "P1", "--out", tmp_path / "nowhere")
    assert done.returncode == 2
    assert "there is no finished run" in done.stderr


def test_over_the_demo_book_a_brief_has_one_page_and_one_client(demo: tuple[Path, Book], tmp_path: Path) -> None:
    latest, book = demo
    persons = pl.read_parquet(latest / "canonical" / "persons.parquet").to_dicts()
    accounts = pl.read_parquet(latest / "results" / "ira_aggregation.parquet")
    numbers = {key.rpartition(":")[2] for key in accounts["account_key"]}
    names = {p["person_id"]: {p["given_name"], p["family_name"]} for p in persons}
    advisors = {a.advisor_id: set(a.name.split()) for a in book.advisors}  # one shares a given name with a client
    assert len(persons) == 69
    for person in persons:
        me, spouse = person["person_id"], person["spouse_person_id"]
        mine = {key[-4:] for key in accounts.filter(pl.col("person_id") == me)["account_key"]}
        others = {name for i, both in names.items() if i not in {me, spouse} for name in both}
        others -= names[me] | names.get(spouse, set()) | advisors[person["advisor_id"]]
        for audience in AUDIENCES:
            content = brief_page(latest, book, me, 2026, audience)
            assert height(content) <= ROOM, me
            told = everything(save_page(content, tmp_path / "brief.docx", subject=audience, as_of=AS_OF))
            assert set(re.findall(r"\bP\d{3}\b", told)) <= {me}
            assert set(re.findall(r"(?<=\.\.\.)[0-9A-Z]{4}\b", told)) <= mine, me
            assert [number for number in numbers if number in told] == []
            assert [name for name in others if re.search(rf"\b{re.escape(name)}\b", told)] == [], me
            if spouse is not None:
                assert _name(persons, spouse) in told


def _name(persons: list[dict[str, Any]], person_id: str) -> str:
    (found,) = [p for p in persons if p["person_id"] == person_id]
    return f"{found['given_name']} {found['family_name']}"


def test_over_the_demo_book_the_lines_are_the_results(demo: tuple[Path, Book]) -> None:
    latest, book = demo
    forms = pl.read_parquet(latest / "results" / "form_8606.parquet").to_dicts()
    statuses = set()
    for form in forms:
        content = brief_page(latest, book, form["person_id"], 2026, "cpa")
        (block,) = [b for b in content.blocks if b.heading.startswith("Form 8606")]
        shown = {half[0].text: half[2].text for row in block.rows for half in (row[:3], row[3:]) if half[0].text}
        statuses.add(form["status"])
        assert block.word == form["status"]
        if form["status"] == "UNKNOWN":
            assert shown == {}
            continue
        for name, value in form.items():
            if not name.startswith("line_") or value is None:
                continue
            line = name.removeprefix("line_")
            if line in shown:
                assert shown[line] == (f"{value:.6f}" if line == "10" else f"${value:,.2f}"), (form["person_id"], name)
            else:
                # left out only where it says nothing
                assert value == 0, (form["person_id"], name)
                assert name in {*IF_CONVERTED, *IF_PAID_OUT, *IF_NOT_NOUGHT}
    assert statuses == {"COMPUTED", "REVIEW", "UNKNOWN"}
    assert set(CPA_ONLY) & set(IF_NOT_NOUGHT) == set()
