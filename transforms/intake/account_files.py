"""Account master files: one account per row, its owner's hashed tax id, and the number it had before."""

from __future__ import annotations

import polars as pl

from schemas.models import read_date
from schemas.profile import Profile
from transforms.intake.mapping import Mapped, each, renumbered
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
