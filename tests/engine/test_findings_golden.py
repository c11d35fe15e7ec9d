"""Every finding fires, just doesn't fire, and can't be evaluated, as its golden file says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.golden_cases import FILES, results_of
from transforms.findings import registry

CASES = [pytest.param(rule, case, id=f"{rule}-{case['name']}") for rule, file in FILES.items() for case in file["case"]]


def test_every_finding_has_golden_cases_of_all_three_outcomes() -> None:
    assert {f.rule for f in registry()} == set(FILES)
    for rule, file in FILES.items():
        assert file["rule"] == rule
        assert {case["outcome"] for case in file["case"]} == {"fires", "clear", "unknown"}, rule


@pytest.mark.parametrize(("rule", "case"), CASES)
def test_golden_case(rule: str, case: dict[str, Any]) -> None:
    results = results_of(rule, case)
    findings = results["findings"]
    fired = findings.filter(pl.col("rule") == rule)
    expect = case.get("expect", {})
    if case["outcome"] == "fires":
        assert fired.height == 1, findings.select("rule", "title").rows()
        _check_row(fired.row(0, named=True), expect)
    elif expect.get("instead") != rule:
        assert fired.is_empty(), fired.select("title", "explanation").rows()
    if "instead" in expect:
        assert expect["instead"] in findings["rule"].to_list()
    if "form_status" in expect:
        assert results["form_8606"]["status"].to_list() == [expect["form_status"]]
    if "limits_status" in expect:
        assert results["ira_limits"]["status"].to_list() == [expect["limits_status"]]


def _check_row(row: dict[str, Any], expect: dict[str, Any]) -> None:
    if "amount" in expect:
        assert row["amount"] == Decimal(expect["amount"])
    if "severity" in expect:
        assert row["severity"] == expect["severity"]
    if "amount_is" in expect:
        assert row["amount_is"] == expect["amount_is"]
    if "deadline" in expect:
        assert str(row["deadline"]) == expect["deadline"]
    for words in ("action", "explanation"):
        assert expect.get(words, "") in row[words]
    assert row["title"]
    assert row["explanation"]
    assert row["authority"]
