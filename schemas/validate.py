"""Running the Pandera models, and saying in plain words what is wrong without ever quoting a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.models import MOST_DOLLARS, Model
from schemas.tables import INPUT_TABLES, UNCLASSIFIED

if TYPE_CHECKING:
    import pandera.polars as pa

FAILURES = {"row": pl.Int64, "column": pl.String, "rule": pl.String}
_NULL_RULE = "not_nullable"
_COLUMN_OF_RULE = {
    "tax_year_not_possible": "tax_year",
    "due_by_not_understood": "due_by",
    "decision_not_signed": "decided_by",
    "birth_date_in_future": "birth_date",
    "own_spouse": "spouse_person_id",
    "rate_above_100": "marginal_tax_rate",
    "fix_not_signed": "fixed_by",
}

EXPECTED = {
    "required": "a value is required",
    "not_money": "expected plain decimal dollars such as 7500.00, without $ or thousands commas",
    "not_percent": "expected a plain number of percent such as 24 or 12.5, without %",
    "unseen_character": "expected text without unseen characters (control characters, a byte order mark inside the "
    "file); enter the cell again by hand, or export the file again",
    "not_a_date": "expected a date such as 2026-04-15 (custodian files: as the layout writes it), from 1900 to 2100",
    "not_a_year": "expected a year of four digits such as 2026",
    "not_true_or_false": "expected true or false (or nothing, if it isn't known)",
    "not_a_whole_number": "expected a whole number",
    "not_a_tax_id": "expected a tax id of nine digits, leading zeros kept",
    "not_a_number": "expected a number as this layout writes it",
    "price_not_known": "expected a price, as there are shares; state the account's value in a balances file",
    "not_a_sign": "expected +, - or nothing in the sign column",
    "not_y_or_n": "expected Y, N or nothing",
    "amount_not_possible": f"expected fewer than {MOST_DOLLARS:,} dollars; digits were pasted together, perhaps",
    "negative": "expected an amount of nought or more: the kind of row gives the direction",
    "as_of_not_known": "the file doesn't say which day these values are of; state them in a balances file",
    "account_incomplete": "another position of the account can't be read, so its value isn't known",
    "decision_not_signed": "a decision needs decided_by and decided_on (a date)",
    "fix_not_signed": "a corrected_value needs fixed_by and fixed_on (a date)",
    "due_by_not_understood": "expected nothing for business_day, a weekday such as friday for weekly, a day of the "
    "month from 1 to 31 for monthly, a month and day such as 05-31 for yearly",
    "sum_incomplete": "another row of the same person and money source can't be read, so their sum isn't known",
    "spreadsheet_number": "expected the account number as the custodian writes it; a spreadsheet has turned it into a "
    "number with an exponent: format the column as text there and enter it again, or take the file as it was exported",
    "birth_date_in_future": "expected a birth date that is not after the day the file came",
    "own_spouse": "expected another person's person_id, or nothing; it is the person's own",
    "rate_above_100": "expected a rate of at most 100 percent, such as 24 or 0.24",
    "tax_year_not_possible": "a contribution counts for the year of trade_date or the year before it",
}


class FrameError(RuntimeError):
    """A frame doesn't have the columns or types its model says: a fault of this program, not of a file."""


def failures(model: Model, frame: pl.DataFrame) -> pl.DataFrame:
    """Every failed check: the row (0-based), the column and the rule; empty when the frame is good.

    Raises `FrameError` if the frame hasn't the shape of the model.
    """
    cases = None if _cases(model.at_once, frame) is None else _cases(model.schema, frame)
    if cases is None:
        return pl.DataFrame(schema=FAILURES)
    misfits = cases.filter(pl.col("index").is_null())
    if misfits.height:
        what = misfits.select("column", "check").unique().sort("column", "check", nulls_last=True).rows()
        raise FrameError(f"columns or types differ from the model: {what}") from None
    rule = pl.when(pl.col("check") == _NULL_RULE).then(pl.lit("required")).otherwise(pl.col("check"))
    named = cases.select(pl.col("index").cast(pl.Int64).alias("row"), "column", rule.alias("rule"))
    by_rule = pl.col("rule").replace_strict(_COLUMN_OF_RULE, default=None, return_dtype=pl.String)
    return named.with_columns(pl.coalesce("column", by_rule)).unique().sort("row", "column", "rule")


def _cases(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame | None:
    """What Pandera finds in a frame; None if it passes."""
    import pandera.errors  # noqa: PLC0415 - slow to import

    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as found:
        cases: pl.DataFrame = found.failure_cases
        return cases
    return None


def message(kind: str, column: str | None, rule: str) -> str:
    """What was expected of a column and how to put it right; never the cell itself."""
    expected = EXPECTED.get(rule, "")
    if rule == "not_in_list":
        known = next(c.values for c in INPUT_TABLES[kind].columns if c.name == column)
        expected = "expected one of " + ", ".join(v for v in known if v != UNCLASSIFIED)
    return f"column {column}: {expected}; correct the cell and drop the file again"
