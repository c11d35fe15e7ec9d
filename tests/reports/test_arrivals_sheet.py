"""The firm's workbook says what was due, what came and what is late, most pressing first."""

from __future__ import annotations

from pathlib import Path

from openpyxl import load_workbook

from tests.reports.run_files import RunFiles, small_book
from tests.reports.test_workbooks import table, write


def firm_sheet(run: RunFiles, folder: Path):  # type: ignore[no-untyped-def]
    (path,) = (p for p in write(run, folder) if p.name == "_firm.xlsx")
    return load_workbook(path)["Arrivals"]


def test_arrivals_missing_first_with_long_numbers_cut(tmp_path: Path) -> None:
    rows = table(firm_sheet(small_book(), tmp_path))
    assert [(r["State"], r["Source"], r["Kind"]) for r in rows] == [
        ("missing", "Pershing positions ...7777", "balances"),
        ("arrived", "Fidelity history", "transactions"),
    ]
    assert [str(r["Due"].date()) for r in rows] == ["2026-11-20", "2026-11-24"]
    assert rows[0]["What to do"] == "the grace is over: ask the sender"
    assert rows[0]["Last received"] is None


def test_nothing_expected_says_how_to_state_it(tmp_path: Path) -> None:
    sheet = firm_sheet(RunFiles(), tmp_path)
    assert "expected_files" in sheet["A4"].value
