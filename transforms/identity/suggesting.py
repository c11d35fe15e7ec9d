"""Suggested links: which account of nobody, or which second person record, may be somebody of the book.

Candidates are found in SQL; only if there are any is Splink loaded, in a DuckDB of its own, to score exactly these
pairs. The result is the table `scored_links`. Nothing is linked by it: operations answer in `_links.xlsx`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal

import duckdb
import polars as pl

from transforms import database, steps
from transforms.identity import model
from transforms.steps import Step

_CANDIDATES = steps.text("link_candidates")
#: Columns of a candidate pair that are compared, one for each side.
COMPARED = tuple(model.FIELDS)


def link_steps() -> Iterator[Step]:
    """Make `link_records`, `link_candidates`, `link_thresholds` and `scored_links` (pair, probability, what agrees)."""
    yield Step(("link_thresholds",), _state_thresholds)
    yield steps.table("link_records")
    yield Step(("link_candidates",), _find_candidates, _CANDIDATES)
    yield Step(("scored_links",), _score_candidates, "link_candidates link_thresholds")


def _state_thresholds(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create table link_thresholds as select $suggest_at::decimal(18, 10) as suggest_at, $review_at::decimal(18, 10)"
        " as review_at",
        {"suggest_at": Decimal(str(model.SUGGEST_AT)), "review_at": Decimal(str(model.REVIEW_AT))},
    )


def _find_candidates(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create table link_candidates as {_CANDIDATES}", {"most_alike": model.MOST_ALIKE})


def _score_candidates(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table scored_links (suggestion_id varchar, probability decimal(18, 10), agrees varchar[])")
    if con.table("link_candidates").shape[0] == 0:
        return
    con.register("scored_frame", score(con.sql("from link_candidates").pl()).to_arrow())
    agrees = ", ".join(model.agreement(field) for field in COMPARED)
    con.execute(
        f"insert into scored_links select s.suggestion_id, s.probability, said([{agrees}]) from scored_frame as s"
        " inner join link_candidates as c on c.suggestion_id = s.suggestion_id"
        " cross join link_thresholds as t where s.probability >= t.suggest_at"
    )
    con.unregister("scored_frame")


def score(candidates: pl.DataFrame) -> pl.DataFrame:
    """`suggestion_id` and `probability` (DECIMAL, four places) of each candidate pair.

    Deterministic: declared weights, sorted input, one thread. A pair's score depends on that pair alone.
    """
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - slow to import, and most nights have nothing to suggest

    with database.connect(threads=1) as own:
        database.confine(own)
        records = DuckDBAPI(connection=own).register(_sides(candidates).to_arrow())
        predicted: pl.DataFrame = (
            Linker(records, model.settings(), log_level=logging.ERROR).inference.predict().as_duckdbpyrelation().pl()
        )
    numbers = predicted.select(
        pl.col("suggestion_id_l").alias("suggestion_id"),
        pl.col("match_probability").round(4).cast(pl.Decimal(18, 10)).alias("probability"),
    )
    return numbers.sort("suggestion_id")


def _sides(candidates: pl.DataFrame) -> pl.DataFrame:
    """Two records for each pair, so that Splink scores exactly the given pairs."""
    both = []
    for side in ("l", "r"):
        columns = [pl.col(f"{field}_{side}").alias(field) for field in COMPARED]
        name = pl.concat_str("suggestion_id", pl.lit(f" {side}"))
        both.append(candidates.select("suggestion_id", name.alias("unique_id"), *columns))
    return pl.concat(both).sort("unique_id")
