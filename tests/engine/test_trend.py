"""The trend: tonight's counts, the nights before as they were told, nothing of later ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.tables import JUDGED_TABLES, SEVERITIES
from tests.intake.nights import Book
from transforms.engine import compute

PERSONS = "person_id,advisor_id,given_name,family_name,birth_date\n"
FILES = {
    "advisors.csv": "advisor_id,advisor_name\nA1,Advisor One\n",
    "persons.csv": PERSONS + "P1,A1,Case,Person,1986-06-15\n",
    "accounts.csv": "custodian,account_number,account_type,person_id\nschwab,11112222,traditional_ira,P1\n",
    "balances.csv": "custodian,account_number,as_of,market_value\nschwab,11112222,2026-11-20,n/a\n",
    "moves.csv": "custodian,account_number,transaction_id,trade_date,transaction_type,amount\n"
    "schwab,11112222,T1,2026-02-02,contribution,7000\nschwab,11112222,T2,2026-02-03,roth_conversion_out,7000\n",
}


class Nights:
    """Runs one after the other, each with the run before it as its previous one."""

    def __init__(self, root: Path) -> None:
        self.book = Book(root)
        self.previous: Path | None = None
        for name, text in FILES.items():
            self.book.drop(name, text)

    def run(self, as_of: str) -> pl.DataFrame:
        night = self.book.night(as_of)
        run = self.book.root / f"run-{len(self.book.nights)}"
        compute(night.canonical, run, as_of=date.fromisoformat(as_of), tax_years=(2026,), previous=self.previous)
        self.previous = run
        return pl.read_parquet(run / "results" / "trend.parquet")


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def _days(trend: pl.DataFrame) -> list[str]:
    return [str(day) for day in trend["as_of"]]


def test_tonight_is_counted_from_tonight_s_own_tables(nights: Nights) -> None:
    trend = nights.run("2026-11-30")
    row = trend.row(0, named=True)
    assert (row["files"], row["files_set_aside"], row["rows"], row["rows_set_aside"]) == (5, 0, 6, 1)
    assert (row["clients"], row["form_8606_unknown"], row["form_8606_computed"]) == (1, 1, 0)
    assert nights.previous is not None
    results = {n: pl.read_parquet(nights.previous / "results" / f"{n}.parquet") for n in (*JUDGED_TABLES, "findings")}
    own = results["findings"].filter(pl.col("part_of").is_null(), pl.col("status") != "resolved")
    assert [row[s] for s in SEVERITIES] == [own.filter(pl.col("severity") == s).height for s in SEVERITIES]
    assert sum(row[s] for s in SEVERITIES) == row["new"] > 0
    for name in JUDGED_TABLES:
        told = [row[f"{name}_{s}"] for s in ("computed", "review", "unknown", "ineligible")]
        assert sum(told) == results[name].height


def test_earlier_nights_stay_as_they_were_told(nights: Nights) -> None:
    first = nights.run("2026-11-28")
    nights.book.drop("more.csv", PERSONS + "P2,A1,Other,Person,1986-06-15\n")
    second = nights.run("2026-11-29")
    third = nights.run("2026-11-30")
    assert _days(third) == ["2026-11-28", "2026-11-29", "2026-11-30"]
    assert third["clients"].to_list() == [1, 2, 2]
    assert third.head(1).equals(first)
    assert third.head(2).equals(second)


def test_the_same_day_again_replaces_its_row_and_an_earlier_day_ignores_later_ones(nights: Nights) -> None:
    nights.run("2026-11-28")
    nights.run("2026-11-30")
    nights.book.drop("more.csv", PERSONS + "P2,A1,Other,Person,1986-06-15\n")
    again = nights.run("2026-11-30")
    assert (_days(again), again["clients"].to_list()) == (["2026-11-28", "2026-11-30"], [1, 2])
    assert _days(nights.run("2026-11-29")) == ["2026-11-28", "2026-11-29"]


def test_a_trend_of_another_version_is_read_as_far_as_it_goes(nights: Nights) -> None:
    nights.run("2026-11-28")
    assert nights.previous is not None
    path = nights.previous / "results" / "trend.parquet"
    pl.read_parquet(path).drop("clients").with_columns(pl.lit(7).alias("something_new")).write_parquet(path)
    trend = nights.run("2026-11-29")
    assert trend["clients"].to_list() == [None, 1]
    assert "something_new" not in trend.columns
