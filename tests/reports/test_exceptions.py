"""One problem is one row: what to do first and by when, a part's day told, one fact over several years asked once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from reports.book import read_book
from tests.book import Book
from tests.reports.run_files import RunFiles, money
from transforms.engine import compute

AS_OF = date(2026, 12, 1)


def _shown(run: Path, tax_years: tuple[int, ...] = (2026,)) -> list[dict[str, Any]]:
    book = read_book(run, as_of=AS_OF, tax_years=tax_years, fingerprint="0" * 64, version="0")
    return book.frames["exceptions"].to_dicts()


def _run(tmp_path: Path, *findings: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Dana").person("P1", "A1", "Maria", "Alvarez")
    for finding_id, more in findings:
        run.finding(finding_id, "P1", "A1", **{"explanation": "Why.", **more})
    return _shown(run.write(tmp_path / "run"))


def test_what_to_do_begins_with_what_the_deadline_is_for(tmp_path: Path) -> None:
    withheld = {"rule": "withholding_on_conversion", "severity": "medium", "action": "Plan for it."}
    blocked = {"rule": "backdoor_blocked_by_pre_tax", "severity": "low", "action": "Ask the employer."}
    meant = {"severity": "info", "action": "Nothing to mend.", "title": "A conversion", "amount": money("14000")}
    never = {"rule": "conversion_leg_missing", "severity": "low", "action": "Look for it.", "title": "A leg"}
    (row,) = _run(
        tmp_path,
        ("whole", withheld | {"deadline": date(2027, 4, 15)}),
        ("near", blocked | {"part_of": "whole", "title": "Blocked", "amount": None}),
        ("info", meant | {"part_of": "whole", "deadline": date(2027, 4, 15)}),
        ("never", never | {"part_of": "whole", "deadline": None, "amount": None}),
    )
    assert (row["deadline"], row["days_left"], row["severity"]) == (date(2026, 12, 31), 30, "medium")
    assert row["action"].split("\n") == [
        "Backdoor blocked by pre-tax: Ask the employer.",
        "- By April 15, 2027: Plan for it.",
        "- By April 15, 2027: Nothing to mend.",
        "- Without a deadline: Look for it.",
    ]
    assert row["explanation"].split("\n") == [
        "Why.",
        "Part of it:",
        "- Blocked",
        "- A leg",
        "- for information: A conversion ($14,000 tax, by April 15, 2027)",
    ]


def test_where_all_is_due_on_one_day_the_row_says_it_once(tmp_path: Path) -> None:
    (row,) = _run(tmp_path, ("whole", {"action": "Do."}), ("part", {"part_of": "whole", "action": "Do more."}))
    assert row["action"] == "Do.\n- Do more."
    assert row["explanation"].endswith("\n- $6,923.08 of a $7,500 Roth conversion is taxable ($2,423 tax)")


def test_a_problem_that_is_gone_keeps_its_own_words_and_day(tmp_path: Path) -> None:
    gone = {"status": "resolved", "action": "It was this."}
    (row,) = _run(tmp_path, ("whole", gone), ("part", gone | {"part_of": "whole", "deadline": None}))
    assert (row["status"], row["deadline"], row["action"]) == ("resolved", date(2026, 12, 31), "It was this.")


def test_one_fact_missing_for_two_years_is_one_row_that_asks_once(tmp_path: Path) -> None:
    """Both years' Roth MAGI is blank and $7,000 and $7,500 went to a Roth IRA: two findings, one problem."""
    book = Book().person(roth_magi="").ira("R", 20_000, kind="roth_ira")
    book.add("tax_profiles", person_id="P1", tax_year=2025, roth_magi="")
    book.event("R", "2025-02-01", "contribution", 7000, tax_year=2025)
    book.event("R", "2026-02-01", "contribution", 7500, tax_year=2026)
    run = tmp_path / "run"
    compute(book.write(run / "canonical"), run, as_of=date(2026, 10, 1), tax_years=(2025, 2026), previous=None)
    found = pl.read_parquet(run / "results" / "findings.parquet").filter(pl.col("rule") == "contribution_limit_unknown")
    first, second = found.sort("tax_year").to_dicts()
    assert (first["part_of"], second["part_of"]) == (None, first["finding_id"])
    assert [first["amount"], second["amount"]] == [money("7000"), money("7500")]
    (row,) = [r for r in _shown(run, (2025, 2026)) if r["rule"] == "contribution_limit_unknown"]
    question = "ask the client or tax preparer: What is the modified AGI for Roth contributions"
    assert row["action"].startswith(f"For 2025 and 2026, {question}")
    assert row["action"].count("\n") == 0
    assert (row["finding_id"], row["years"], row["deadline"]) == (
        first["finding_id"],
        "2025 and 2026",
        date(2026, 10, 15),
    )
    assert row["title"] == "Whether $7,000 of IRA contributions was allowed is not known (2025 and 2026)"
    assert (
        "- Whether $7,500 of IRA contributions was allowed is not known ($7,500 contributed, by " in row["explanation"]
    )
    problems = read_book(run, as_of=AS_OF, tax_years=(2025, 2026), fingerprint="0" * 64, version="0").frames
    asked = problems["data_problems"].filter(pl.col("rule") == "roth_magi_missing").select("years", "blocks").rows()
    assert asked == [("2025 and 2026", "IRA limits")]
