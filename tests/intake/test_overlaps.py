"""Overlapping exports give the same transactions as one export of the whole history; reversed rows are marked."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.intake.nights import Book, Night

HEADER = "\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n"  # noqa: E501
FOOTER = '\n\n"A paragraph of small print that this layout always has at its end."\nDate downloaded 04/11/2026 11:54 am'
DAY_0 = date(2026, 1, 5)
DAYS = 8
ACTIONS = (
    ("CASH CONTRIBUTION CURRENT YEAR (Cash)", "500"), ("CASH CONTRIBUTION PRIOR YEAR (Cash)", "500"),
    ("INTEREST EARNED as of Jan-04-2026 (Cash)", "0.11"), ("FED TAX W/H FEDERAL TAX WITHHELD (Cash)", "-100"),
    ("CASH CONTRIBUTION CURRENT YEAR (Cash)", "-500"),
)  # fmt: skip

#: What happened: (day, which action), so that identical rows on one day, and on two, are common.
HISTORY = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(0, len(ACTIONS) - 1)), min_size=1, max_size=20)
WINDOWS = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(1, DAYS)), max_size=4)


def _row(day: int, action: str, amount: str) -> str:
    run_date = f"{DAY_0 + timedelta(day):%m/%d/%Y}"
    return f'{run_date},"Traditional IRA","211000101","{action}",,"No Description",Cash,,0.000,,,,{amount},'


def _file(history: Sequence[tuple[int, int]], first: int, last: int) -> str:
    rows = [_row(day, *ACTIONS[n]) for day, n in sorted(history, reverse=True) if first <= day <= last]
    return HEADER + "\n".join(rows) + FOOTER


def _facts(night: Night) -> list[tuple[object, ...]]:
    columns = ["transaction_id", "trade_date", "transaction_type", "amount", "tax_year", "reverses", "custodian_code"]
    assert night.rejects.is_empty()
    return night.table("transactions").select(columns).sort("transaction_id").rows()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(HISTORY, WINDOWS, st.booleans())
def test_any_overlapping_exports_give_what_one_export_gives(
    history: list[tuple[int, int]], windows: list[tuple[int, int]], one_night: bool
) -> None:
    """Windows of whole days that cover the history, however they overlap, in one night or one after the other."""
    with tempfile.TemporaryDirectory() as scratch:
        whole = Book(Path(scratch) / "whole").drop("all.csv", _file(history, 0, DAYS)).night()
        assert len(_facts(whole)) == len(history)
        book = Book(Path(scratch) / "parts")
        cuts = [(0, DAYS // 2), *((first, first + length) for first, length in windows), (DAYS // 2, DAYS)]
        for n, (first, last) in enumerate(cuts):
            book.drop(f"part-{n}.csv", _file(history, first, last))
            if not one_night:
                book.night(f"2026-03-{n + 1:02}")
        night = book.nights[-1] if not one_night else book.night()
        assert _facts(night) == _facts(whole)


def _night(tmp_path: Path, *rows: tuple[int, str, str]) -> pl.DataFrame:
    text = "\n".join(_row(*row) for row in rows)
    night = Book(tmp_path).drop("a.csv", HEADER + text + FOOTER).night()
    assert night.rejects.is_empty()
    return night.table("transactions").sort("source_line")


def test_prior_and_current_year_contributions_of_one_day_and_amount_both_stay(tmp_path: Path) -> None:
    both = [(1, "CASH CONTRIBUTION PRIOR YEAR (Cash)", "7000"), (1, "CASH CONTRIBUTION CURRENT YEAR (Cash)", "7000")]
    assert _night(tmp_path, *both, *both)["tax_year"].to_list() == [2025, 2026, 2025, 2026]


def test_an_amount_against_its_kind_is_a_row_taken_back(tmp_path: Path) -> None:
    found = _night(
        tmp_path,
        (1, "CASH CONTRIBUTION CURRENT YEAR (Cash)", "7000"), (2, "CASH CONTRIBUTION CURRENT YEAR (Cash)", "-7000"),
        (3, "NORMAL DISTR PARTIAL CASH (Cash)", "-100"), (4, "NORMAL DISTR PARTIAL CASH (Cash)", "100"),
        (5, "YOU BOUGHT A FUND (Cash)", "-50"), (6, "BUY CANCEL A FUND CXL (Cash)", "50"),
        (7, "CORR CORRECTED CONFIRM A FUND (Cash)", "-51"),
    )  # fmt: skip
    assert found["reverses"].to_list() == [
        None, "CASH CONTRIBUTION CURRENT YEAR", None, "NORMAL DISTR", None, "YOU BOUGHT", None]  # fmt: skip
    assert found["amount"].cast(pl.String).to_list() == [
        "7000.00",
        "7000.00",
        "100.00",
        "100.00",
        "50.00",
        "50.00",
        "51.00",
    ]
