"""Steps side by side: who waits for whom, and what becomes of the others when one fails."""

from __future__ import annotations

import threading

import duckdb
import pytest

from transforms import steps
from transforms.engine import connect
from transforms.steps import Step


def waits(*every: tuple[str, str]) -> dict[str, set[str]]:
    """Steps as (what it makes, what it reads): the places each waits for, by letters."""
    found = steps.needs([Step(tuple(makes.split()), lambda con: con, reads) for makes, reads in every])
    return {"abcdef"[place]: {"abcdef"[other] for other in on} for place, on in found.items()}


def test_a_step_waits_for_what_it_names_and_for_nothing_else() -> None:
    assert waits(("one", ""), ("two", "select * from one"), ("three", "select 'one', lone from two -- one")) == {
        "a": set(), "b": {"a"}, "c": {"a", "b"},
    }  # fmt: skip
    assert waits(("one", ""), ("two", "-- from one\nselect onerous from two_of_one")) == {"a": set(), "b": set()}


def test_a_table_made_anew_waits_for_those_who_read_the_old_one_and_its_readers_for_it() -> None:
    assert waits(("t", ""), ("u", "t"), ("v", "t"), ("t w", "v"), ("x", "t"), ("t", "")) == {
        "a": set(), "b": {"a"}, "c": {"a"}, "d": {"a", "b", "c"}, "e": {"d"}, "f": {"d", "e"},
    }  # fmt: skip


def _lanes(threads: int) -> duckdb.DuckDBPyConnection:
    con = connect()
    con.execute(f"set threads = {threads}")
    return con


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_step_is_done_once_after_those_it_waits_for(threads: int) -> None:
    made = [Step((f"t{n}",), lambda con, n=n: con.execute(f"create table t{n} as select {n} as x")) for n in range(20)]
    added = " union all ".join(f"select x from t{n}" for n in range(20))
    total = Step(("total",), lambda con: con.execute(f"create table total as select sum(x) as x from ({added})"), added)
    gone = Step(("t7",), lambda con: con.execute("drop table t7"))
    with _lanes(threads) as con:
        steps.run(con, [*made, total, gone])
        assert con.execute("select x from total").fetchall() == [(190,)]
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(20,)]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_is_raised_as_it_is_and_nobody_goes_on(threads: int) -> None:
    begun = threading.Event()

    def endless(con: duckdb.DuckDBPyConnection) -> None:
        begun.set()
        con.execute("select count(*) from range(10000000) as a, range(10000000) as b where a.range + b.range = -1")

    def fail(con: duckdb.DuckDBPyConnection) -> None:
        if threads > 1:
            begun.wait(30)
        con.execute("create table half as select error('told as it is')")

    after = Step(("after",), lambda con: con.execute("create table after as select 1"), "half")
    with _lanes(threads) as con:
        with pytest.raises(duckdb.InvalidInputException, match="told as it is"):
            steps.run(con, [Step(("half",), fail), Step(("forever",), endless), after])
        assert con.execute("select table_name from duckdb_tables()").fetchall() == []
    assert begun.is_set() == (threads > 1)
