"""Columns in which the same few values stand again and again: dates, types, custodians.

What is asked of a value is asked of each distinct one once, which costs a third of asking every cell.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

#: Shorter columns are as fast to look at cell by cell.
_LONG = 2_000
_SAMPLE = 500
#: So many distinct values in the sample are still few.
_FEW = 60


def with_few_values(frame: pl.DataFrame, columns: Iterable[str]) -> set[str]:
    """Those of the columns that seem to hold few distinct values, by a sample of their rows; none of a short frame."""
    names = list(columns)
    if frame.height < _LONG or not names:
        return set()
    some = frame.select(pl.col(names).gather_every(frame.height // _SAMPLE).n_unique())
    return {name for name in names if some[name].item() <= _FEW}


def values(name: str, few: set[str]) -> pl.Expr:
    """The distinct values of a column with few, a null among them; else the column itself."""
    return pl.col(name).unique() if name in few else pl.col(name)
