"""The page of findings is the registry: nothing added by hand, nothing forgotten; and the catalogue is built."""

from __future__ import annotations

from pathlib import Path

from transforms.findings import registry
from transforms.findings.__main__ import page

PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def test_the_page_is_what_the_findings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m transforms.findings > docs/findings.md"


def test_every_row_has_every_cell_and_every_rule_its_own() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(f.rule for f in registry())
    assert {row.count(" | ") for row in rows} == {3}
    assert all(len(row.split(" | ")[1]) > 40 for row in rows)
