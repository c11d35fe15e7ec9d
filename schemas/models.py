"""Pandera models, built from `schemas.tables` and the profiles: what a raw (all-text) and a typed frame must look like.

Every check carries the snake_case name of the rule it enforces; `schemas.validate` turns failures into reject rows.
Pandera is imported inside the functions: reading a register or a profile shouldn't pay for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

import polars as pl

from schemas.few import values, with_few_values
from schemas.profile import Profile
from schemas.tables import DTYPES, INPUT_TABLES, PROVENANCE, UNCLASSIFIED, Column, Kind

if TYPE_CHECKING:
    import pandera.polars as pa

FIRST_YEAR, LAST_YEAR = 1900, 2100
_PLAIN = r"^-?[0-9]{1,16}(\.[0-9]{1,2}0*)?$"
# at most six decimals and fifteen digits before them: what a frame of decimals holds exactly
_GROUPED = r"([0-9]{1,3}(,[0-9]{3}){1,4}|[0-9]{1,15})(\.[0-9]{0,6})?"
#: No account, wage or flow of a client is of so many dollars: it is a slip, and sums of thousands of such amounts
#: wouldn't fit a DECIMAL(18,2) any more.
MOST_DOLLARS = 100_000_000_000
TAX_ID_COLUMNS = ("tax_id", "owner_tax_id", "old_tax_id", "new_tax_id")
ACCOUNT_COLUMNS = ("account_number", "counter_account_number", "old_account_number")

#: How each number grammar of a profile writes a number.
NUMBER_PATTERNS = {
    "plain": r"^[+-]?([0-9]{1,15}(\.[0-9]{0,6})?|\.[0-9]{1,6})$",
    "dollar": rf"^([+-]?\$?-?{_GROUPED}|\(\$?{_GROUPED}\))$",
    "implied": r"^[0-9]{1,18}$",
    "signed_implied": r"^[+-]?[0-9]{1,18}$",
    # without a point it could be cents as well as dollars
    "two_decimals": r"^-?([0-9]{1,15}\.[0-9][0-9]|0+)$",
}

TEXT_RULES: dict[Kind, tuple[str, str]] = {
    "money": ("not_money", _PLAIN),
    "percent": ("not_percent", r"^-?[0-9]{1,5}(\.[0-9]{1,4})?$"),
    "year": ("not_a_year", r"^(19[0-9][0-9]|20[0-9][0-9]|2100)$"),
    "bool": ("not_true_or_false", r"^(true|false)$"),
    "int": ("not_a_whole_number", r"^-?[0-9]{1,18}$"),
}

#: Characters nobody can see and no name or id has: controls (but tab and line break), a byte order mark in the middle
#: of a file, and what turns the direction of writing. An id with one in it joins nothing.
_UNSEEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u200B\u202A-\u202E\u2060-\u2069\uFEFF\uFFFE\uFFFF]"

#: Checks of a column that look at another one as well.
_OF_NEIGHBOURS = ("price_not_known",)

Test = Callable[[Any], pl.LazyFrame]


def _matches(pattern: str) -> Test:
    return lambda data: data.lazyframe.select(pl.col(data.key).str.contains(pattern))


def _no_spreadsheet_number(data: Any) -> pl.LazyFrame:
    """A spreadsheet shows a long number as 2.11E+08: the digits are gone, and no account is called so."""
    return data.lazyframe.select(~pl.col(data.key).str.contains(r"^[0-9](\.[0-9]+)?E\+[0-9]{2,3}$"))  # type: ignore[no-any-return]


def _seen(data: Any) -> pl.LazyFrame:
    """No unseen character is in a text."""
    return data.lazyframe.select(~pl.col(data.key).str.contains(_UNSEEN))  # type: ignore[no-any-return]


def is_date(column: pl.Expr, formats: Iterable[str]) -> pl.Expr:
    """True where the text is a date in one of the formats, between 1900 and 2100, or where there is no text."""
    return column.is_null() | read_date(column, formats).is_not_null()


def read_date(column: pl.Expr, formats: Iterable[str]) -> pl.Expr:
    """The date a text states in the first of the formats that fits, from 1900 to 2100; null where none does."""
    day = pl.coalesce([column.str.to_date(f, strict=False, exact=True) for f in formats])
    return pl.when(day.dt.year().is_between(FIRST_YEAR, LAST_YEAR)).then(day)


def _dates(*formats: str) -> Test:
    return lambda data: data.lazyframe.select(is_date(pl.col(data.key), formats))


def _iso(data: Any) -> pl.LazyFrame:
    column = pl.col(data.key)
    shaped = column.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    return data.lazyframe.select(shaped & is_date(column, ("%Y-%m-%d",)))  # type: ignore[no-any-return]


@dataclass(eq=False)
class Model:
    """What a frame must look like: Pandera's own `schema`, which tells of every cell that doesn't hold."""

    schema: pa.DataFrameSchema

    @cached_property
    def at_once(self) -> pa.DataFrameSchema:
        """A schema of one check: that a frame has the columns and types of `schema`, and all its checks hold.

        Pandera copies and collects a frame several times for each column, even of one without checks; here all is asked
        once, and of a column that holds few values of each of these. A frame that passes would pass `schema`; one that
        doesn't is judged by `schema`.
        """
        import pandera.polars as pa  # noqa: PLC0415 - slow to import

        return pa.DataFrameSchema(checks=pa.Check(partial(_all_hold, self.schema), name="all_hold"))


def _all_hold(schema: pa.DataFrameSchema, data: Any) -> bool:
    """Whether the columns are right, no required cell is empty and no check fails.

    As in Pandera, what can't be judged for a null holds.
    """
    frame: pl.DataFrame = data.lazyframe.collect()
    columns = _columns(schema, frame)
    if columns is None:
        return False
    if any(frame[name].null_count() for name, column in columns.items() if not column.nullable):
        return False
    few = with_few_values(frame, (name for name, column in columns.items() if column.checks))
    every = frame.lazy()
    held = [_outcome(check, every, "*") for check in schema.checks]
    for name, column in columns.items():
        alone = every.select(values(name, few))
        held += [_outcome(check, every if check.name in _OF_NEIGHBOURS else alone, name) for check in column.checks]
    named = [outcome.select(pl.first().fill_null(value=True).all().alias(str(n))) for n, outcome in enumerate(held)]
    return all(all(found.row(0)) for found in pl.collect_all(named))


def _columns(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> dict[str, pa.Column] | None:
    """What the schema says of each column of a frame it knows; None if columns are missing, too many or others."""
    columns, types = dict[str, Any](), frame.schema
    for column in schema.columns.values():
        names = [n for n in types if re.search(column.selector, n)] if column.regex else [column.name]
        present = [name for name in names if name in types]
        if column.required and not present:
            return None
        columns.update(dict.fromkeys(present, column))
    known = [name for name in types if name in columns]
    right = all(types[name] == column.dtype.type for name, column in columns.items())
    whole = not schema.strict or len(known) == frame.width
    return columns if right and whole and (not schema.ordered or known == list(columns)) else None


def _outcome(check: pa.Check, frame: pl.LazyFrame, key: str) -> pl.LazyFrame:
    from pandera.api.polars.types import PolarsData  # noqa: PLC0415 - slow to import

    backend: Any = check.get_backend(frame)(check)
    outcome: pl.LazyFrame = backend.apply(PolarsData(frame, key))
    return outcome


def _check(rule: str, test: Test) -> pa.Check:
    import pandera.polars as pa  # noqa: PLC0415 - slow to import

    return pa.Check(test, name=rule, error=rule)


def _text_checks(column: Column) -> list[pa.Check]:
    if column.name in TAX_ID_COLUMNS:
        return [_check("not_a_tax_id", _matches(r"^([0-9]{3}-?[0-9]{2}-?[0-9]{4}|[0-9]{2}-?[0-9]{7})$"))]
    if column.kind == "date":
        return [_check("not_a_date", _iso)]
    if column.kind in TEXT_RULES:
        rule, pattern = TEXT_RULES[column.kind]
        return [_check(rule, _matches(pattern))]
    return [_check("unseen_character", _seen)] if column.kind == "text" and not column.any_value else []


def _provenance() -> dict[str, pa.Column]:
    import pandera.polars as pa  # noqa: PLC0415 - slow to import

    return {c.name: pa.Column(DTYPES[c.kind], nullable=False) for c in PROVENANCE}


@cache
def raw_house(kind: str) -> Model:
    """A house kind as read: every column text, required ones filled, each cell written as the contract says."""
    import pandera.polars as pa  # noqa: PLC0415 - slow to import

    columns = {
        c.name: pa.Column(pl.String, nullable=not c.required, checks=_text_checks(c))
        for c in INPUT_TABLES[kind].columns
    }
    return Model(pa.DataFrameSchema({**columns, **_provenance()}, strict=True))


@cache
def raw_section(profile: Profile, section: str) -> Model:
    """A section of a custodian's file as read: all text, dates and numbers written as the profile says."""
    import pandera.polars as pa  # noqa: PLC0415 - slow to import

    known = next(s for s in profile.sections if s.name == section)
    shape = known.shape
    number = _check("not_a_number", _matches(NUMBER_PATTERNS[profile.number]))
    day = _check("not_a_date", _dates(*profile.dates))
    seen = _check("unseen_character", _seen)
    year = _check("not_a_year", _matches(TEXT_RULES["year"][1]))
    flag = _check("not_y_or_n", _matches("^[YN]$"))
    tax_id = _check("not_a_tax_id", _matches(r"^[0-9]{9}$"))
    by_shape: dict[str, dict[str, pa.Column]] = {
        "transactions": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "action": pa.Column(pl.String, nullable=False),
            "day": pa.Column(pl.String, nullable=False, checks=day),
            "amount": pa.Column(pl.String, nullable=True, checks=number),
            "stated_year": pa.Column(pl.String, nullable=True, checks=year, required=False),
        },
        "positions": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "value": pa.Column(pl.String, nullable=False, checks=number),
            "value_sign": pa.Column(pl.String, nullable=True, checks=_check("not_a_sign", _matches(r"^[+-]$")),
                                    required=False),
            "as_of": pa.Column(pl.String, nullable=False, checks=day),
        },
        "fund_positions": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "shares": pa.Column(pl.String, nullable=False, checks=_check("not_a_number", _matches(r"^[0-9]{15}$"))),
            "price": pa.Column(pl.String, nullable=False, checks=[
                _check("not_a_number", _matches(r"^[0-9]{9}$")), _check("price_not_known", _priced)]),
            "as_of": pa.Column(pl.String, nullable=False, checks=day),
        },
        "listed": {},
        "accounts": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "(opened_on|closed_on|birth_date)": pa.Column(
                pl.String, nullable=True, checks=day, regex=True, required=False),
            "tax_id": pa.Column(
                pl.String, nullable=True, checks=_check("not_a_tax_id", _matches(r"^[0-9]{9}$")), required=False),
        },
        "payroll": {
            "tax_id": pa.Column(pl.String, nullable=False),
            "plan": pa.Column(pl.String, nullable=False),
            "as_of": pa.Column(pl.String, nullable=known.payroll.undated, checks=day),
            "compensation": pa.Column(pl.String, nullable=True, checks=number, required=False),
            "highly_compensated": pa.Column(pl.String, nullable=True, checks=flag, required=False),
            "(source|ytd) .*": pa.Column(pl.String, nullable=True, checks=number, regex=True, required=False),
            r"amount(_[0-9]+)?": pa.Column(pl.String, nullable=True, checks=number, regex=True, required=False),
        },
        "tax_id_changes": {
            "old_tax_id": pa.Column(pl.String, nullable=False, checks=tax_id),
            "new_tax_id": pa.Column(pl.String, nullable=False, checks=tax_id),
            "as_of": pa.Column(pl.String, nullable=False, checks=day),
        },
        "control_total": {
            "as_of": pa.Column(pl.String, nullable=False, checks=day),
            "action": pa.Column(pl.String, nullable=False),
            "amount": pa.Column(pl.String, nullable=False, checks=number),
        },
        "pershing_accounts": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "(opened_on|closed_on|birth_date)": pa.Column(
                pl.String, nullable=True, checks=day, regex=True, required=False),
            "tax_id": pa.Column(
                pl.String, nullable=True, checks=_check("not_a_tax_id", _matches(r"^[0-9]{9}$")), required=False),
        },
        "tree_accounts": {
            "account": pa.Column(pl.String, nullable=False, checks=seen),
            "opened_on": pa.Column(pl.String, nullable=True, checks=day),
        },
        "pub1220": {
            "payer_account_number": pa.Column(pl.String, nullable=False, checks=seen),
            "payment_year": pa.Column(pl.String, nullable=False, checks=year),
            "tin": pa.Column(pl.String, nullable=True, checks=_check("not_a_tax_id", _matches(r"^[0-9]{9}$"))),
            "amount_[0-9A-Z]": pa.Column(pl.String, nullable=True, checks=number, regex=True),
        },
    }  # fmt: skip
    return Model(pa.DataFrameSchema({**by_shape[shape], **_provenance()}))


def _priced(data: Any) -> pl.LazyFrame:
    """A price of nought is one nobody knew, unless there are no shares."""
    return data.lazyframe.select(  # type: ignore[no-any-return]
        pl.col(data.key).str.contains("[^0]") | ~pl.col("shares").str.contains("[^0]")
    )


def _not_negative(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key) >= 0)  # type: ignore[no-any-return]


def _possible_amount(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).abs() < MOST_DOLLARS)  # type: ignore[no-any-return]


def _one_of(values: tuple[str, ...]) -> Test:
    return lambda data: data.lazyframe.select(pl.col(data.key).is_in(values))


def _possible_tax_year(data: Any) -> pl.LazyFrame:
    """A contribution counts for the year it is made in or the year before."""
    late = pl.col("trade_date").dt.year() - pl.col("tax_year")
    matters = (pl.col("transaction_type") == "contribution") & pl.col("tax_year").is_not_null()
    return data.lazyframe.select(~matters | late.is_in([0, 1]))  # type: ignore[no-any-return]


def _said_by_whom(data: Any) -> pl.LazyFrame:
    """An answer to a suggested link says who gave it and when."""
    signed = pl.col("decided_by").is_not_null() & pl.col("decided_on").is_not_null()
    return data.lazyframe.select(pl.col("decision").is_null() | signed)  # type: ignore[no-any-return]


def _fixed_by_whom(data: Any) -> pl.LazyFrame:
    """A fix of a set-aside row says who made it and when."""
    signed = pl.col("fixed_by").is_not_null() & pl.col("fixed_on").is_not_null()
    return data.lazyframe.select(pl.col("corrected_value").is_null() | signed)  # type: ignore[no-any-return]


def _typed_checks(column: Column) -> list[pa.Check]:
    checks = [_check("negative", _not_negative)] if column.non_negative else []
    if column.kind == "money":
        checks.append(_check("amount_not_possible", _possible_amount))
    if column.name in ACCOUNT_COLUMNS:
        checks.append(_check("spreadsheet_number", _no_spreadsheet_number))
    if column.values:
        values = (*column.values, UNCLASSIFIED) if column.name == "transaction_type" else column.values
        checks.append(_check("not_in_list", _one_of(values)))
    return checks


#: How `due_by` is written for each frequency of an expected file.
_DUE_BY = {
    "business_day": r"^$",
    "weekly": r"^(?i)((mon|tues|wednes|thurs|fri|satur|sun)day)?$",
    "monthly": r"^([1-9]|[12][0-9]|3[01])?$",
    "yearly": r"^((0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$",
}


def _due_by_fits(data: Any) -> pl.LazyFrame:
    said = pl.col("due_by").fill_null("")
    fits = pl.lit(value=True)
    for frequency, pattern in _DUE_BY.items():
        fits = pl.when(pl.col("frequency") == frequency).then(said.str.contains(pattern)).otherwise(fits)
    return data.lazyframe.select(fits)  # type: ignore[no-any-return]


def _born_before_received(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select((pl.col("birth_date") <= pl.col("received_at")).fill_null(value=True))  # type: ignore[no-any-return]


def _married_to_another(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select((pl.col("spouse_person_id") != pl.col("person_id")).fill_null(value=True))  # type: ignore[no-any-return]


def _rate_at_most_100(data: Any) -> pl.LazyFrame:
    return data.lazyframe.select((pl.col("marginal_tax_rate") <= 100).fill_null(value=True))  # type: ignore[no-any-return]


#: Checks over several columns (or of one that means more than its kind), by kind: rule and test.
_ACROSS: dict[str, tuple[tuple[str, Test], ...]] = {
    "persons": (("birth_date_in_future", _born_before_received), ("own_spouse", _married_to_another)),
    "tax_profiles": (("rate_above_100", _rate_at_most_100),),
    "transactions": (("tax_year_not_possible", _possible_tax_year),),
    "link_decisions": (("decision_not_signed", _said_by_whom),),
    "row_fixes": (("fix_not_signed", _fixed_by_whom),),
    "expected_files": (("due_by_not_understood", _due_by_fits),),
}


@cache
def typed(kind: str) -> Model:
    """The canonical table: types, required values, closed vocabularies, magnitudes and possible tax years.

    A custodian may be null: Publication 1220 can't tell it. House rows were held to it before.
    """
    import pandera.polars as pa  # noqa: PLC0415 - slow to import

    table = INPUT_TABLES[kind]
    columns = {
        c.name: pa.Column(DTYPES[c.kind], nullable=not c.required or c.name == "custodian", checks=_typed_checks(c))
        for c in (*table.columns, *table.internal)
    }
    across = [_check(rule, test) for rule, test in _ACROSS.get(kind, ())]
    return Model(pa.DataFrameSchema({**columns, **_provenance()}, checks=across, strict=True, ordered=True))
