"""Positions of fund companies: shares and price, from which the account's value is multiplied out exactly."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from schemas.models import read_date
from schemas.profile import Profile
from schemas.tables import MONEY
from transforms.intake.frames import possible
from transforms.intake.mapping import SOURCE, Mapped

#: Shares and price have four implied decimals each.
_DECIMALS = 8


def positions(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """One balance per account and date: the sum of shares times price, rounded to cents only once summed."""
    product = pl.col("shares").cast(pl.Int128) * pl.col("price").cast(pl.Int128)
    valued = frame.with_columns(product.alias("product"), read_date(pl.col("as_of"), profile.dates).alias("as_of"))
    key = ["source_sha256", "account_number", "as_of"]
    first = [pl.col(c).sort_by("source_line").first() for c in SOURCE if c not in key]
    sums = valued.group_by(key, maintain_order=True).agg(pl.col("product").sum(), *first)
    values = [possible(Decimal(v).scaleb(-_DECIMALS)) for v in sums["product"]]
    into.add("balances", sums.with_columns(
        pl.Series("market_value", values, MONEY), pl.lit(profile.load).alias("coverage"),
        pl.lit(profile.custodian).alias("custodian"),
    ))  # fmt: skip
