"""The trend over the nights: tonight's counts beside those the runs before left."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb

from transforms import steps
from transforms.steps import Step

SELECT = steps.text("trend")


def trend_step(previous: Path | None) -> Step:
    """The step of `write_trend`."""
    return Step(("trend",), partial(write_trend, previous=previous), SELECT)


def write_trend(con: duckdb.DuckDBPyConnection, previous: Path | None) -> None:
    """Make the `trend` table from tonight's tables and the trend of the `previous` run's folder, if it has one.

    The same as-of date run again replaces its row; rows of later dates are left out.
    """
    path = previous / "results" / "trend.parquet" if previous else None
    if path is not None and path.exists():
        con.execute("create table previous_trend as select * from read_parquet($path)", {"path": str(path)})
    else:
        con.execute("create table previous_trend (as_of date)")
    con.execute(f"create table trend as {SELECT}")
