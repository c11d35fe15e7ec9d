"""400 invented people in 800 records: who is suggested to be whom, how often rightly, and nobody is merged by it."""

from __future__ import annotations

import polars as pl
import pytest

from tests.crowd_of_records import Crowd, crowd
from transforms.identity.model import REVIEW_AT, SUGGEST_AT

Results = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def seen() -> tuple[Crowd, Results]:
    made = crowd()
    return made, made.book.compute()


def _pairs(results: Results, at_least: float) -> set[tuple[str, str]]:
    found = results["link_suggestions"].filter(pl.col("probability") >= at_least)
    accounts = found.filter(pl.col("kind") == "account").select("account_key", "person_id")
    persons = found.filter(pl.col("kind") == "person").select(
        pl.min_horizontal("person_id", "other_person_id"),
        pl.max_horizontal("person_id", "other_person_id").alias("two"),
    )
    return {*accounts.iter_rows(), *persons.iter_rows()}


def test_the_crowd_is_400_humans_in_800_records(seen: tuple[Crowd, Results]) -> None:
    made, _ = seen
    assert made.persons + made.accounts == 800
    assert len(made.true_pairs) == 400


@pytest.mark.parametrize(
    ("at_least", "precision", "recall"),
    [pytest.param(SUGGEST_AT, 0.90, 0.85, id="told"), pytest.param(REVIEW_AT, 0.95, 0.75, id="makes a form REVIEW")],
)
def test_precision_and_recall(seen: tuple[Crowd, Results], at_least: float, precision: float, recall: float) -> None:
    made, results = seen
    suggested = _pairs(results, at_least)
    right = len(suggested & made.true_pairs)
    print(f"at {at_least}: {len(suggested)} suggested, {right} right of {len(made.true_pairs)}")
    assert right / len(suggested) >= precision
    assert right / len(made.true_pairs) >= recall


def test_nobody_is_merged_and_no_account_is_given_away(seen: tuple[Crowd, Results]) -> None:
    made, results = seen
    assert results["ira_limits"]["person_id"].n_unique() == made.persons
    assert results["ira_aggregation"].is_empty()
    unmatched = results["findings"].filter(pl.col("rule") == "unmatched_account")
    # one problem is one row: an account that is likely somebody's is told as that
    likely = results["link_suggestions"].filter(pl.col("needs_review"))["account_key"].drop_nulls().n_unique()
    assert 0 < unmatched.height == made.accounts - likely


def test_a_suggestion_shows_what_is_alike_and_no_tax_id(seen: tuple[Crowd, Results]) -> None:
    _, results = seen
    found = results["link_suggestions"]
    assert found["agrees"].list.len().min() >= 1
    assert (
        not found.select(pl.concat_str(pl.all().exclude("agrees").cast(pl.String), ignore_nulls=True))
        .to_series()
        .str.contains("key-")
        .any()
    )
