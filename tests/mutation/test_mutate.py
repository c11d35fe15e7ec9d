"""The mutation tester changes rules, one at a time, and never a comment or a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutate import Mutant, Order, Result, choose, mutants, one_thread, report, tokens
from transforms import engine


def changes(sql: str) -> list[str]:
    return [m.change for m in mutants("rule", sql)]


def mutated(sql: str) -> list[str]:
    return [m.apply(sql) for m in mutants("rule", sql)]


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("-- a < b and not 1 + 2", id="comment"),
        pytest.param("/* a < b\nand 1 */ x", id="block comment"),
        pytest.param("'a < b and not 1'", id="text"),
        pytest.param("'the spouse''s 5 = 5' || x", id="text with a quote in it"),
        pytest.param("'-- not a comment 1' || x", id="text like a comment"),
        pytest.param('"a = 1"', id="quoted name"),
        pytest.param("$tax_year", id="parameter"),
        pytest.param("line_14", id="digits of a name"),
        pytest.param("x * 0.01", id="fraction"),
        pytest.param("cast(x as decimal(18, 2))", id="size of a type"),
        pytest.param("lambda r -> r", id="arrow"),
        pytest.param("max, arg_max(x)", id="no call of max"),
        pytest.param("create macro lesser(a, b) as a", id="definition of a macro"),
    ],
)
def test_what_is_no_rule_has_no_mutant(sql: str) -> None:
    assert changes(sql) == []


def test_code_goes_on_after_a_text_and_a_comment() -> None:
    sql = "case when a > 0 then 'x > 1' end -- > 2\n, b"
    assert mutated(sql) == [
        "case when a >= 0 then 'x > 1' end -- > 2\n, b",
        "case when a > 1 then 'x > 1' end -- > 2\n, b",
    ]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a < b", ["a <= b"]),
        ("a <= b", ["a < b"]),
        ("a > b", ["a >= b"]),
        ("a >= b", ["a > b"]),
        ("a = b", ["a <> b"]),
        ("a + b", ["a - b"]),
        ("a - b", ["a + b"]),
        ("a and b", ["a or b"]),
        ("a OR b", ["a and b"]),
        ("lesser(a, b)", ["larger(a, b)"]),
        ("larger(a, b)", ["lesser(a, b)"]),
        ("min(a)", ["max(a)"]),
        ("max(a)", ["min(a)"]),
        ("sum(a)", ["max(a)"]),
        ("a is true", ["a is false"]),
        ("a is false", ["a is true"]),
        ("not a", ["a"]),
        ("a is not null", ["a is null"]),
        ("interval 60 day", ["interval 61 day"]),
        ("coalesce(a, 0)", ["coalesce(a, 1)"]),
    ],
)
def test_each_change(sql: str, expected: list[str]) -> None:
    assert mutated(sql) == expected


def test_the_and_of_a_between_stays() -> None:
    sql = "x between f(a and b) and case when c and d then e end and g"
    assert [m.start for m in mutants("rule", sql)] == [sql.index("and b"), sql.index("and d"), sql.rindex("and g")]


def test_a_mutant_knows_its_line() -> None:
    (found,) = mutants("rule", "-- 1\nselect *,\n    a < b,\nfrom c")
    assert (found.line, found.column, found.source_line, found.change) == (3, 7, "a < b,", "< -> <=")


def test_tokens_leave_out_what_is_silent() -> None:
    assert [t.text for t in tokens("a.b::date -- c\n|| 'd' <> $e")] == ["a", ".", "b", "::", "date", "||", "<>", "$e"]


def test_the_sample_is_the_seeds() -> None:
    every = list(mutants("rule", " + ".join("abcdefghij")))
    assert choose(every, 3, 7) == choose(every, 3, 7)
    assert len(choose(every, 3, 7)) == 3
    assert choose(every, None, 7) == every


def test_what_killed_last_comes_first_then_the_fast_tests() -> None:
    order = Order({"slow": 9.0, "fast": 0.1, "a": 5.0, "b": 5.0})
    for test in ("a", "b", "a"):
        order.note("rule", test)
    ranks = order.ranks("rule")
    assert sorted(ranks, key=ranks.__getitem__) == ["a", "b", "fast", "slow"]
    assert order.ranks("other") == order.seconds


def test_the_report_counts_and_names_survivors() -> None:
    mutant = Mutant("rule", 3, 7, 0, "<", "<=", "a < b || c")
    results = [Result(mutant, outcome, 1.0) for outcome in ("killed", "killed", "timed out", "survived", "invalid")]
    text = report(results, 5, 9)
    assert "| rule.sql | 5 | 3 | 1 | 1 | 1 | 75% |" in text
    assert r"| transforms/sql/rule.sql:3:7 | `< -> <=` | `a < b \|\| c` |" in text


def test_the_engine_of_a_mutant_takes_one_core_and_is_called_as_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "connect", engine.connect)  # so that it is put back
    one_thread()
    with engine.connect(tmp_path / "spill") as con:
        assert con.execute("select current_setting('threads')").fetchall() == [(1,)]
