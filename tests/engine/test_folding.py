"""One problem is one row: what a finding is a part of, over the real engine and over planted findings."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.engine import connect
from transforms.findings import finding_folds, registry
from transforms.steps import SQL

COLUMNS = (
    "finding_id varchar, rule varchar, person_id varchar, tax_year integer, status varchar, rank bigint,"
    " subject varchar"
)


def _folded(findings: list[tuple[Any, ...]], folds: list[tuple[Any, ...]]) -> dict[str, str | None]:
    con = connect()
    con.execute(f"create table ranked_findings ({COLUMNS})")
    rows = [(*finding, "")[:7] for finding in findings]
    con.executemany("insert into ranked_findings values (?, ?, ?, ?, ?, ?, ?)", rows)
    con.execute("create table judged_findings as select * exclude (rank) from ranked_findings")
    con.execute(
        "create table finding_folds (rule varchar, into_rule varchar, place integer, if_it_weighs_more boolean)"
    )
    con.executemany("insert into finding_folds values (?, ?, ?, ?)", [(*fold, False)[:4] for fold in folds])
    select = (SQL / "folded_findings.sql").read_text(encoding="utf-8")
    return dict(con.execute(f"select finding_id, part_of from ({select})").fetchall())


def test_a_part_names_the_fittest_open_finding_of_the_same_person_and_year() -> None:
    folded = _folded(
        [
            ("part", "small", "P1", 2026, "open", 9),
            ("second choice", "other", "P1", 2026, "open", 1),
            ("first choice", "big", "P1", 2026, "new", 5),
            ("other person", "small", "P2", 2026, "open", 8),
            ("other year", "small", "P1", 2025, "open", 7),
            ("no year", "small", "P1", None, "open", 6),
            ("nobody", "small", None, 2026, "open", 4),
        ],
        [("small", "big", 0), ("small", "other", 1)],
    )
    assert folded == {
        "part": "first choice",
        "no year": "first choice",
        "second choice": None,
        "first choice": None,
        "other person": None,
        "other year": None,
        "nobody": None,
    }


@pytest.mark.parametrize(("resolved", "part_of"), [("part", "whole"), ("whole", None)])
def test_a_part_that_is_resolved_stays_a_part_of_its_open_whole(resolved: str, part_of: str | None) -> None:
    folded = _folded(
        [(name, name, "P1", 2026, "resolved" if name == resolved else "open", 1) for name in ("part", "whole")],
        [("part", "whole", 0)],
    )
    assert folded == {"part": part_of, "whole": None}


def test_parts_of_parts_name_the_top() -> None:
    folded = _folded(
        [(name, name, "P1", 2026, "open", rank) for rank, name in enumerate(("a", "b", "c"))],
        [("a", "b", 0), ("b", "c", 0)],
    )
    assert folded == {"a": "c", "b": "c", "c": None}


def test_of_one_fact_missing_for_several_years_the_earliest_is_the_row_whatever_weighs_more() -> None:
    folded = _folded(
        [
            ("2026", "asks", "P1", 2026, "open", 1, "account A"),
            ("2025", "asks", "P1", 2025, "open", 9, "account A"),
            ("2024", "asks", "P1", 2024, "resolved", 3, "account A"),
            ("2027", "asks", "P1", 2027, "open", 2, "account A"),
            ("another account", "asks", "P1", 2026, "open", 4, "account B"),
            ("somebody else", "asks", "P2", 2026, "open", 5, "account A"),
            ("of 2027", "detail", "P1", 2027, "open", 6),
        ],
        [("asks", "asks", 1), ("detail", "asks", 0)],
    )
    apart = ("2025", "2024", "another account", "somebody else")
    assert folded == dict.fromkeys(("2026", "2027", "of 2027"), "2025") | dict.fromkeys(apart)


@pytest.mark.parametrize("gravest", ["tax", "withheld", "blocked"])
def test_of_one_problem_told_from_several_sides_the_gravest_is_the_row(gravest: str) -> None:
    sides = ("tax", "withheld", "blocked")
    ranks = {side: 1 if side == gravest else 5 + n for n, side in enumerate(sides)}
    folded = _folded(
        [*((side, side, "P1", 2026, "open", ranks[side]) for side in sides), ("way", "way", "P1", 2026, "open", 3)],
        [("way", "tax", 0), *((a, b, -1, True) for a in sides for b in sides if a != b)],
    )
    assert folded == {side: None if side == gravest else gravest for side in (*sides, "way")}


def test_a_conversion_its_withholding_and_the_blocked_backdoor_are_one_problem() -> None:
    sides = {f.rule for f in registry() if f.one_with == "pre-tax money and a conversion"}
    assert sides == {"conversion_taxed_pro_rata", "withholding_on_conversion", "backdoor_blocked_by_pre_tax"}
    folds = {(rule, into) for rule, into, _, if_graver in finding_folds() if if_graver}
    assert folds == {(a, b) for a in sides for b in sides if a != b}


def test_a_finding_runs_after_the_ones_whose_rows_it_reads() -> None:
    order = [f.rule for f in registry()]
    for finding in registry():
        assert all(order.index(rule) < order.index(finding.rule) for rule in finding.waits_for)
        assert ("raw_findings" in finding.sql) == bool(finding.waits_for), finding.rule


def test_rules_fold_into_rules_there_are_and_never_in_a_circle() -> None:
    folds = {f.rule: set(f.folds_into) for f in registry()}
    assert set().union(*folds.values()) <= folds.keys()
    for rule, into in folds.items():
        seen, ahead = set(), set(into)
        while ahead:
            seen |= ahead
            ahead = set().union(*(folds[r] for r in ahead)) - seen
        assert rule not in seen
