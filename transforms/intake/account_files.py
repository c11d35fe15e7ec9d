"""Account master files: one account per row, its owner's hashed tax id, and the number it had before."""

from __future__ import annotations

import polars as pl

from schemas.models import read_date
from schemas.profile import Profile
from transforms.intake.mapping import SOURCE, Mapped, each, renumbered
from transforms.intake.register import tax_key

_OPTIONAL = ("tax_id", "opened_on", "closed_on", "birth_date", "label", "rep_code", "owner_name", "old_account")
#: How a code that isn't there is shown.
NO_CODE = "blank"


def accounts(profile: Profile, frame: pl.DataFrame, into: Mapped, key: bytes) -> None:
    """An account per row; a registration code the profile doesn't know is `other`, with the code."""
    missing = [c for c in _OPTIONAL if c not in frame.columns]
    known = frame.with_columns(pl.lit(None, pl.String).alias(c) for c in missing)
    label = pl.col("label").fill_null(NO_CODE)
    known = known.with_columns(label.alias("label"))
    types = {code: profile.account_type(code, None) for code in known["label"].unique()}
    typed = known.with_columns(pl.col("label").replace_strict(types, return_dtype=pl.String).alias("account_type"))
    into.add("accounts", typed.with_columns(
        each(typed, "tax_id", lambda t: tax_key(t, key)).alias("owner_tax_id"),
        read_date(pl.col("birth_date"), profile.dates).alias("owner_birth_date"),
        *(read_date(pl.col(c), profile.dates).alias(c) for c in ("opened_on", "closed_on")),
        pl.lit(profile.custodian).alias("custodian"),
        pl.when(pl.col("account_type") == "other").then("label").alias("custodian_code"),
    ))  # fmt: skip
    renumbered(profile, typed, into)


def owners(profile: Profile, frame: pl.DataFrame, into: Mapped, key: bytes) -> None:
    """An account row per account and owner that rows of a position or activity file name by tax id.

    The account's registration is the code beside it; a tax id that is none (blank, noughts) isn't known.
    """
    stated = pl.when(pl.col("tax_id").str.contains(r"^\d{9}$") & pl.col("tax_id").str.contains("[^0]")).then("tax_id")
    named = frame.with_columns(stated.alias("tax_id"), pl.col("owner_code").fill_null(NO_CODE).alias("label"))
    once = named.sort("source_line").unique(
        ["source_sha256", "account_number", "tax_id", "label"], keep="first", maintain_order=True
    )
    accounts(profile, once.select("account_number", "tax_id", "label", *SOURCE), into, key)
