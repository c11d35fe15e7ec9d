"""Recordkeepers' files: contributions by person and money source, and tax ids that were replaced.

What a source means is in the profile where its name says it; a slot or a letter means what the firm's plan_sources say.
"""

from __future__ import annotations

import hmac

import polars as pl

from schemas.models import read_date
from schemas.profile import PayrollLayout, Profile, Section
from schemas.tables import MONEY, PROVENANCE
from transforms.intake.frames import WIDE, number, possible
from transforms.intake.mapping import Mapped, each
from transforms.intake.payroll_columns import PERIOD, ROW, TAX_ID, WHOLE_ROW, YEAR_TO_DATE
from transforms.intake.register import tax_key

_SOURCE = [c.name for c in PROVENANCE]
_WHOSE = ["owner_tax_id", "pay_date", "recordkeeper", "recordkeeper_plan"]
#: A source cell that is blank beside an amount: nobody can state what it means, but the money is there.
BLANK_SOURCE = "blank"


def _section(profile: Profile, name: str) -> Section:
    return next(s for s in profile.sections if s.name == name)


def with_person(section: Section, raw: pl.DataFrame, profile: Profile, key: bytes) -> pl.DataFrame:
    """A payroll frame with whom and when each row is about, so that also a row set aside says it."""
    if section.shape != "payroll":
        return raw
    return raw.with_columns(
        each(raw, "tax_id", lambda t: person_key(profile.custodian, t, key)).alias("owner_tax_id"),
        read_date(pl.col("as_of"), profile.dates).alias("trade_date"),
    )


def person_key(recordkeeper: str, text: str, key: bytes) -> str:
    """The keyed hash of a tax id; of a participant id that is none, a hash no tax id can have."""
    if TAX_ID.fullmatch(text):
        return tax_key(text, key)
    return hmac.digest(key, f"participant {recordkeeper} {text}".encode(), "sha256").hex()


def whole_sums(profile: Profile, section: str, raw: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """Where only the sum over rows means something, a row that can't be read takes its sum's other rows with it."""
    layout = _section(profile, section).payroll
    if not layout.adds_up:
        return failed
    rows = raw.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    of_sum = ["source_sha256", "owner_tax_id", "plan", "as_of", *(source for source, _ in layout.pairs)]
    touched = rows.join(failed.select("row").unique(), on="row").select(of_sum).unique()
    others = rows.join(touched, on=of_sum, nulls_equal=True).join(failed, on="row", how="anti")
    rest = others.select("row", pl.lit("amount").alias("column"), pl.lit("sum_incomplete").alias("rule"))
    return pl.concat([failed, rest])


def contributions(profile: Profile, section: str, frame: pl.DataFrame, into: Mapped) -> None:
    """One row per employee, source and kind of amount that the file states; sums over funds where it spreads them."""
    layout = _section(profile, section).payroll
    rows = _amounts(layout, _known(profile, frame)).drop_nulls("text")
    if layout.once:
        rows = _once(layout, rows)
    rows = rows.with_columns(number(pl.col("text"), profile).alias("exact"))
    too_fine = pl.col("exact") != pl.col("exact").cast(MONEY).cast(WIDE)
    if rows.filter(too_fine).height:
        into.aside_kind = "payroll_contributions"
        into.aside.append((rows.filter(too_fine), "amount", "not_money",
                           "column amount: expected dollars and whole cents; fetch the file again"))  # fmt: skip
    rows = rows.filter(~too_fine).with_columns(pl.col("exact").cast(MONEY).alias("amount"))
    # an unused pair of a fixed record is filled with noughts
    rows = rows.filter(pl.col("source_column").is_not_null() | (pl.col("amount") != 0))
    rows = rows.with_columns(pl.col("source_column").fill_null(BLANK_SOURCE))
    meaning = {name: source or None for name, source in profile.money_sources.items()}
    stated = pl.col("source_column").replace_strict(meaning, default=None, return_dtype=pl.String)
    rows = _summed(rows) if layout.adds_up else rows
    into.add("payroll_contributions", rows.with_columns(stated.alias("money_source")))


def _known(profile: Profile, frame: pl.DataFrame) -> pl.DataFrame:
    absent = [c for c in ("compensation", "highly_compensated") if c not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.String).alias(c) for c in absent)
    return frame.with_columns(
        pl.col("trade_date").alias("pay_date"),
        number(pl.col("compensation"), profile).alias("compensation"),
        (pl.col("highly_compensated") == "Y").alias("highly_compensated"),
        pl.lit(profile.custodian).alias("recordkeeper"),
        pl.col("plan").alias("recordkeeper_plan"),
    )


def _amounts(layout: PayrollLayout, known: pl.DataFrame) -> pl.DataFrame:
    """Every amount of every row: `source_column`, `amount_is` and the amount's `text`."""
    kept = [c for c in (*_SOURCE, *_WHOSE, "compensation", "highly_compensated", ROW, WHOLE_ROW) if c in known.columns]
    parts = []
    for prefix, amount_is in ((PERIOD, "period"), (YEAR_TO_DATE, "year_to_date")):
        columns = [c for c in known.columns if c.startswith(prefix)]
        wide = known.unpivot(columns, index=kept, variable_name="source_column", value_name="text")
        named = pl.col("source_column").str.strip_prefix(prefix)
        parts.append(wide.with_columns(named.alias("source_column"), pl.lit(amount_is).alias("amount_is")))
    for source, amount in layout.pairs:
        pair = known.select(*kept, pl.col(source).alias("source_column"), pl.col(amount).alias("text"))
        parts.append(pair.with_columns(pl.lit(layout.pairs_are or None, pl.String).alias("amount_is")))
    every = pl.concat(part.cast({"source_column": pl.String, "text": pl.String}) for part in parts)
    # the pay of one pay date says nothing about a year-to-date amount
    pay = pl.when(pl.col("amount_is") == "period").then(pl.col("compensation"))
    return every.with_columns(pay.alias("compensation"))


def _once(layout: PayrollLayout, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without repetitions: the money columns in which repeated rows differ repeat only with the whole row."""
    differs = pl.col("source_column").is_in(layout.once_but)
    by_row = rows.with_columns(pl.when(differs).then(pl.col(WHOLE_ROW)).otherwise(pl.col(ROW)).alias(ROW))
    same = ["source_sha256", "source_column", "amount_is", ROW]
    return by_row.sort("source_line").unique(same, keep="first", maintain_order=True)


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per person, source and day of a file that has one per fund: their sum, under the first of their lines."""
    fact = ["source_sha256", *_WHOSE, "source_column", "amount_is"]
    rest = [pl.col(c).sort_by("source_line").first() for c in _SOURCE if c not in fact]
    wide = rows.with_columns(pl.col("amount").cast(WIDE))
    summed = wide.group_by(fact, maintain_order=True).agg(pl.col("amount").sum(), *rest)
    return summed.with_columns(pl.Series("amount", [possible(s) for s in summed["amount"]], MONEY))


def tax_id_changes(profile: Profile, frame: pl.DataFrame, into: Mapped, key: bytes) -> None:
    """One row per replaced tax id: both only as keyed hashes, and who said so."""
    into.add("tax_id_changes", frame.with_columns(
        each(frame, "old_tax_id", lambda t: tax_key(t, key)).alias("old_tax_id"),
        each(frame, "new_tax_id", lambda t: tax_key(t, key)).alias("new_tax_id"),
        read_date(pl.col("as_of"), profile.dates).alias("changed_on"),
        pl.lit(profile.custodian).alias("source"),
    ))  # fmt: skip
