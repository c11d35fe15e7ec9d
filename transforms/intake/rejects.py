"""Reject rows: which line, which rule, what was expected, and whom the row was about."""

from __future__ import annotations

import hashlib

import polars as pl

from schemas.accounts import normalise_account_number
from schemas.models import read_date
from schemas.tables import DTYPES, INPUT_TABLES, INTAKE_REJECTS, MONEY
from schemas.validate import message
from transforms.intake.reading import Problem, Reading
from transforms.intake.register import tax_key

#: Where a row of a kind says when it happened; kinds without one block every year.
_DAY = ("trade_date", "as_of", "pay_date")
_AMOUNT = ("amount", "market_value")
_SUBJECT = ("custodian", "account_number", "person_id", "plan_id")
#: What merging needs of a reject beside its own columns.
RECEIVED = "received_at"
SCHEMA = {**{c.name: DTYPES[c.kind] for c in INTAKE_REJECTS.columns}, RECEIVED: pl.Date()}
#: Where it isn't the same row that puts a row right: any mark an advisor makes after one that couldn't be read.
_MENDED_BY = {"finding_marks": ("advisor_id",)}
_PAYROLL_ID = ("recordkeeper", "recordkeeper_plan", "owner_tax_id", "pay_date", "source_column")


def row_key(kind: str) -> pl.Expr:
    """The key of a row as text; null when a part of it isn't known."""
    return pl.concat_str([pl.col(k).cast(pl.String) for k in _key(kind)], separator="|", ignore_nulls=False)


def _key(kind: str) -> tuple[str, ...]:
    return _MENDED_BY.get(kind) or INPUT_TABLES[kind].key or _PAYROLL_ID


def _text_day(frame: pl.DataFrame) -> pl.Expr:
    for name in _DAY:
        if name in frame.columns:
            column = pl.col(name)
            return column if frame.schema[name] == pl.Date else read_date(column, ("%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y"))
    return pl.lit(None, pl.Date)


def _amount(frame: pl.DataFrame) -> pl.Expr:
    for name in _AMOUNT:
        if name in frame.columns:
            column = pl.col(name)
            plain = pl.when(column.cast(pl.String).str.contains(r"^-?[0-9]{1,11}(\.[0-9]{1,2})?$")).then(column)
            return plain.cast(MONEY)
    return pl.lit(None, MONEY)


def _day(kind: str, frame: pl.DataFrame) -> pl.Expr:
    """When a row happened; a payroll row whose day can't be read did no later than the night it came in."""
    day = _text_day(frame)
    return pl.coalesce(day, pl.col(RECEIVED)) if kind == "payroll_contributions" else day


def _owner(kind: str, frame: pl.DataFrame) -> pl.Expr:
    """The keyed hash of whom a payroll row is about; never of a house row, whose tax ids are still in clear."""
    hashed = kind == "payroll_contributions" and "owner_tax_id" in frame.columns
    return pl.col("owner_tax_id") if hashed else pl.lit(None, pl.String).alias("owner_tax_id")


def of_rows(kind: str, frame: pl.DataFrame, *, blocks: bool = True) -> pl.DataFrame:
    """Reject rows for rows of a frame that has `column`, `rule` and `message` beside its own cells."""
    key = _key(kind)
    known = {name: pl.col(name) if name in frame.columns else pl.lit(None, pl.String) for name in _SUBJECT}
    return frame.select(
        pl.col("source_file").alias("file"), pl.col("source_line").alias("line_number"), "column", "rule", "message",
        pl.lit(None, pl.String).alias("raw_line_sha256"), "source_sha256", pl.lit(kind).alias("kind"),
        *(expr.alias(name) for name, expr in known.items()),
        (row_key(kind) if set(key) <= set(frame.columns) else pl.lit(None, pl.String)).alias("row_key"),
        _day(kind, frame).alias("trade_date"), _amount(frame).alias("amount"), pl.lit(blocks).alias("blocks"),
        _owner(kind, frame), RECEIVED,
    ).cast(SCHEMA)  # type: ignore[arg-type]  # fmt: skip


def of_failures(kind: str, frame: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """Reject rows for failed checks of a frame (row numbers as `schemas.validate.failures` gives them)."""
    said = [message(kind, column, rule) for column, rule in failed.select("column", "rule").iter_rows()]
    rows = frame[failed["row"].to_list()].drop("column", "rule", "message", strict=False)
    return of_rows(kind, rows.with_columns(failed["column"], failed["rule"], pl.Series("message", said, pl.String)))


def of_problems(reading: Reading, key: bytes) -> pl.DataFrame:
    """Reject rows for lines nobody could split into cells, and for a file set aside as a whole."""
    problems: list[Problem] = [reading.error] if reading.error else reading.problems
    kind = (reading.kind or "").split("+")[0] or None
    shared = {"file": reading.entry.file_name, "source_sha256": reading.entry.sha256, "kind": kind, "blocks": True,
              "custodian": reading.custodian, RECEIVED: reading.entry.received_at}  # fmt: skip
    rows = [
        {**shared, **_marks_of(p.advisor_id), "line_number": p.line, "rule": p.rule, "message": p.message,
         "account_number": normalise_account_number(p.account_number) if p.account_number else None,
         "owner_tax_id": tax_key(p.tax_id, key) if p.tax_id else None,
         # of a payroll line nobody could read: no later than the night it came in
         "trade_date": reading.entry.received_at if p.tax_id else None}
        for p in problems
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def _marks_of(advisor_id: str | None) -> dict[str, str]:
    """A workbook of marks nobody could use is put right by any mark of that advisor that comes later."""
    return {"kind": "finding_marks", "row_key": advisor_id} if advisor_id else {}


def with_raw_hash(rejects: pl.DataFrame, readings: dict[str, Reading]) -> pl.DataFrame:
    """The rejects with the sha256 of each raw line (none for a whole file), where they haven't it yet."""
    lines = rejects.select("source_sha256", "line_number", "raw_line_sha256").iter_rows()
    hashes = [
        known if n is None or known is not None else hashlib.sha256(readings[s].raw(n).encode()).hexdigest()
        for s, n, known in lines
    ]
    return rejects.with_columns(pl.Series("raw_line_sha256", hashes, pl.String))
