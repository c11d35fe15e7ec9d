"""The firm's corrections: one cell each, applied to the merged tables as long as the source still says what it said.

A correction names its row by column=value pairs that fit exactly one row, what the source says and what is right.
Where the source now says something else, or the row can't be told, it isn't applied: it becomes a reject (so the run
ends with exit code 1), and whoever the row is about is UNKNOWN unless the source already says what was wanted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from schemas import models
from schemas.accounts import mask_digits, normalise_account_number
from schemas.tables import DTYPES, INPUT_TABLES, Column
from schemas.validate import failures, message
from transforms.intake import rejects

BLANK = "(blank)"
#: As corrected_value: the correction stated before for the same cell is taken back.
WITHDRAWN = "(withdrawn)"
_SUBJECT = ("custodian", "account_number", "person_id", "plan_id")
#: Columns beside a table's own by which a row may be named: which file it came from, read by which profile.
_ALSO = (Column("profile"), Column("source_file"))

_SAYS = {
    "correction_obsolete":
        "the source now says what this correction wanted; take {place} back: drop the same row with (withdrawn) as "
        "corrected_value",
    "correction_contradicted":
        "the source now says neither value_in_source nor corrected_value; look again, then correct {place}, or take it "
        "back with (withdrawn) as corrected_value",
    "correction_finds_no_row":
        "row_key of {place} fits no row of the table; name it by column=value pairs, separated by semicolons",
    "correction_finds_several_rows": "row_key of {place} fits several rows of the table; add columns until it fits one",
    "correction_row_key":
        "row_key of {place} must be column=value pairs of the table, separated by semicolons, no tax ids",
    "correction_not_allowed":
        "{place} names a column that no corrections file can correct: a tax id, a part of the row's key, or none of "
        "the table's columns; state the right row in a file of the table's kind",
    "correction_value": "{place}: {why}",
    "correction_not_possible": "with the corrected value of {place} the row breaks a rule of its table: {why}",
}  # fmt: skip


@dataclass
class _Correction:
    """One correction and how far it got: the row of its table, typed values, the rule that stops it."""

    said: dict[str, Any]
    keys: dict[str, Any]
    rule: str = ""
    why: str = ""
    row: int | None = None
    before: Any = None
    after: Any = None
    subject: dict[str, Any] | None = None

    @property
    def table(self) -> str:
        return str(self.said["table"])

    @property
    def column(self) -> str:
        return str(self.said["column"])

    @property
    def place(self) -> str:
        return f"{mask_digits(self.said['source_file'])}:{self.said['source_line']}"

    def stop(self, rule: str, why: str = "") -> None:
        self.rule, self.why = rule, why


def apply(tables: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables with every correction that still holds, and the reject rows of those that don't.

    `corrections` keeps the applied ones only, with the file and line of the row each corrected. A corrected row says
    both in `source_file`: its own, and in brackets the correction's file and line.
    """
    standing = tables["corrections"].filter(pl.col("corrected_value") != WITHDRAWN)
    corrections = [_read(said) for said in standing.iter_rows(named=True)]
    _find_rows(tables, corrections)
    for correction in corrections:
        if not correction.rule:
            _guard(correction)
    done = dict(tables)
    by_table: dict[str, list[_Correction]] = defaultdict(list)
    for correction in corrections:
        if not correction.rule:
            by_table[correction.table].append(correction)
    for name, some in by_table.items():
        done[name] = _written(name, tables[name], some)
    applied = [_applied(c) for c in corrections if not c.rule]
    done["corrections"] = pl.DataFrame(applied, schema=tables["corrections"].schema)
    return done, _rejects([c for c in corrections if c.rule])


def rows_named(corrections: pl.DataFrame) -> dict[str, list[pl.DataFrame]]:
    """By table, the columns and values by which the standing corrections name their rows."""
    named: dict[str, list[pl.DataFrame]] = defaultdict(list)
    for said in corrections.filter(pl.col("corrected_value") != WITHDRAWN).iter_rows(named=True):
        correction = _read(said)
        if not correction.rule:
            schema = {n: INPUT_TABLES[correction.table].schema[n] for n in correction.keys}
            named[correction.table].append(pl.DataFrame([correction.keys], schema=schema))
    return named


def _columns(table: str) -> dict[str, Column]:
    return {c.name: c for c in INPUT_TABLES[table].columns}


def _read(said: dict[str, Any]) -> _Correction:
    """The correction with its row key and its values typed; stopped where one of them can't be."""
    correction = _Correction(said, {})
    columns = _columns(correction.table)
    _read_key(correction, columns)
    # whoever the key names is the one the firm says is wrong, however the rest reads
    correction.subject = {n: correction.keys.get(n) for n in _SUBJECT}
    column = columns.get(correction.column)
    allowed = set(columns) - set(INPUT_TABLES[correction.table].key) - set(models.TAX_ID_COLUMNS)
    if column is None or column.name not in allowed:
        correction.stop("correction_not_allowed")
    if column is None or correction.rule:
        return correction
    for field in ("value_in_source", "corrected_value"):
        _, wrong = _typed(column, said[field])
        if wrong or (said[field] == BLANK and column.required):
            correction.stop("correction_value", message(correction.table, column.name, wrong or "required"))
    correction.before, correction.after = (
        _typed(column, said["value_in_source"])[0],
        _typed(column, said["corrected_value"])[0],
    )
    return correction


def _read_key(correction: _Correction, columns: dict[str, Column]) -> None:
    named = {**columns, **{c.name: c for c in _ALSO}}
    for pair in correction.said["row_key"].split(";"):
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or name not in named or name in models.TAX_ID_COLUMNS:
            correction.stop("correction_row_key")
            return
        value, wrong = _typed(named[name], text)
        if wrong:
            correction.stop("correction_row_key")
        correction.keys[name] = value


def _typed(column: Column, text: str) -> tuple[Any, str]:
    """The value a text states for a column, and the rule it breaks if it states none."""
    broken = "" if text == BLANK else broken_rule(column, text)
    return (None if text == BLANK or broken else _value(column, text)), broken


def broken_rule(column: Column, text: str) -> str:
    """The rule a text breaks as a value of a column; empty if it is one."""
    if column.values:
        return "" if text in column.values else "not_in_list"
    if column.kind == "date":
        return "" if _is_day(text) else "not_a_date"
    rule, pattern = models.TEXT_RULES.get(column.kind, ("", ""))
    if rule and not re.fullmatch(pattern.strip("^$"), text):
        return rule
    return "negative" if column.non_negative and text.startswith("-") and Decimal(text) < 0 else ""


def _is_day(text: str) -> bool:
    try:
        year = date.fromisoformat(text).year
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and models.FIRST_YEAR <= year <= models.LAST_YEAR


def _value(column: Column, text: str) -> Any:
    if column.name in ("account_number", "counter_account_number"):
        return normalise_account_number(text)
    by_kind: dict[str, Callable[[str], Any]] = {
        "money": Decimal, "percent": Decimal, "year": int, "int": int, "date": date.fromisoformat,
        "bool": lambda said: said == "true",
    }  # fmt: skip
    return by_kind.get(column.kind, str.lower if column.name == "custodian" else str)(text)


def _find_rows(tables: dict[str, pl.DataFrame], corrections: list[_Correction]) -> None:
    """Finds each correction's row: one join per table and set of key columns."""
    alike: dict[tuple[str, tuple[str, ...]], list[_Correction]] = defaultdict(list)
    for correction in corrections:
        if not correction.rule:
            alike[correction.table, tuple(sorted(correction.keys))].append(correction)
    for (table, names), some in alike.items():
        schema = {n: tables[table].schema[n] for n in names}
        wanted = pl.DataFrame([c.keys for c in some], schema=schema).with_row_index("nth")
        rows = tables[table].with_row_index("row").join(wanted, on=list(names), nulls_equal=True)
        for nth, correction in enumerate(some):
            fits = rows.filter(pl.col("nth") == nth)
            if fits.height == 1:
                correction.subject = fits.row(0, named=True)
                correction.row = correction.subject["row"]
            else:
                correction.stop("correction_finds_no_row" if fits.is_empty() else "correction_finds_several_rows")


def _guard(correction: _Correction) -> None:
    """Stops a correction whose source no longer says what it corrects."""
    now = (correction.subject or {})[correction.column]
    if now == correction.after:
        correction.stop("correction_obsolete")
    elif now != correction.before:
        correction.stop("correction_contradicted")


def _written(table: str, frame: pl.DataFrame, some: list[_Correction]) -> pl.DataFrame:
    """The table with the corrected rows; a row that would break a rule stays, its corrections are stopped."""
    changed = _changed(frame, some)
    failed = failures(models.typed(table), changed.drop("row"))
    for position, column, rule in failed.select("row", "column", "rule").iter_rows():
        for correction in some:
            if correction.row == changed["row"][position]:
                correction.stop("correction_not_possible", message(table, column, rule))
    good = _changed(frame, [c for c in some if not c.rule])
    rest = frame.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64)).join(good, on="row", how="anti")
    return pl.concat([rest, good.select(rest.columns)]).sort("row").drop("row")


def _changed(frame: pl.DataFrame, some: list[_Correction]) -> pl.DataFrame:
    """The rows the corrections name, corrected, with `row`."""
    rows: dict[int, dict[str, Any]] = {}
    by: dict[int, list[str]] = defaultdict(list)
    for correction in some:
        if correction.row is not None:
            row = rows.setdefault(correction.row, {"row": correction.row, **frame.row(correction.row, named=True)})
            row[correction.column] = correction.after
            by[correction.row].append(f"{correction.said['source_file']}:{correction.said['source_line']}")
    for number, row in rows.items():
        row["source_file"] = f"{row['source_file']} (corrected by {', '.join(by[number])})"
    return pl.DataFrame(list(rows.values()), schema={"row": pl.Int64, **frame.schema})


def _applied(correction: _Correction) -> dict[str, Any]:
    target = correction.subject or {}
    column = _columns(correction.table)[correction.column]
    shown = column.kind != "text" or bool(column.values)
    return {
        **correction.said,
        **{name: target.get(name) for name in ("custodian", "account_number", "person_id")},
        "target_file": target["source_file"], "target_line": target["source_line"],
        "shown_before": correction.said["value_in_source"] if shown else None,
        "shown_after": correction.said["corrected_value"] if shown else None,
    }  # fmt: skip


def _rejects(stopped: list[_Correction]) -> pl.DataFrame:
    """Reject rows of the table each would have corrected: its subject is UNKNOWN; obsolete ones block nothing."""
    parts = [pl.DataFrame(schema=rejects.SCHEMA)]
    parts.extend(
        rejects.of_rows(correction.table, _reject_frame(correction), blocks=correction.rule != "correction_obsolete")
        for correction in stopped
    )
    return pl.concat(parts).with_columns(pl.lit(None, pl.String).alias("row_key"))


def _reject_frame(correction: _Correction) -> pl.DataFrame:
    said, subject = correction.said, correction.subject or {}
    names = ("source_file", "source_line", "source_sha256", "received_at")
    told = {
        "column": "row_key" if "row" in correction.rule else "corrected_value",
        "rule": correction.rule,
        "message": _SAYS[correction.rule].format(place=correction.place, why=correction.why),
    }
    known = {n: subject.get(n) for n in (*_SUBJECT, "trade_date", "amount")}
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **dict.fromkeys((*told, *_SUBJECT, "source_file", "source_sha256"), pl.String),
        "trade_date": pl.Date, "amount": DTYPES["money"], "source_line": pl.Int64, "received_at": pl.Date,
    }  # fmt: skip
    return pl.DataFrame([{**told, **known, **{n: said[n] for n in names}}], schema=schema)
