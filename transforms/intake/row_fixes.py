"""Fixes of rows that were set aside: what a wrong cell should have been, applied before the row is checked again.

A fix names a line by the sha256 of its file, and a column; everything else of the row is taken from the archived file.
It reaches the same row of the firm's own in every delivery, those to come too. It holds only for a line that would be
set aside without it; a row that is in the book is corrected in a corrections file. A row of the firm's own file can
also be left out as a whole. A fix that can't be applied becomes a reject of its own, and its row stays set aside.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from schemas import models
from schemas.accounts import mask_digits, normalise_account_number
from schemas.profile import Profile
from schemas.tables import INPUT_TABLES, LEAVE_OUT, PROVENANCE, TRANSACTION_TYPES, UNCLASSIFIED, WHOLE_ROW, Column
from schemas.validate import message
from transforms.intake import rejects
from transforms.intake.corrections import BLANK, WITHDRAWN, broken_rule
from transforms.intake.reading import Reading

#: Rules a row is set aside by because of another row; it comes back once that one is fixed.
FOLLOWS = ("account_incomplete", "sum_incomplete")
#: Columns of a transaction nobody could classify that a fix may state.
CLASSIFYING = ("transaction_type", "tax_year")
_RAGGED = "wrong_number_of_cells"

_DATES = ("day", "date", "as_of", "opened_on", "closed_on", "birth_date")
_NUMBERS = re.compile(r"amount(_[0-9A-Z]+)?|value|compensation|(source|ytd) .*")
_SHAPES: dict[str, tuple[str, str]] = {
    "stated_year": models.TEXT_RULES["year"], "value_sign": ("not_a_sign", r"^[+-]$"),
    "highly_compensated": ("not_y_or_n", "^[YN]$"),
}  # fmt: skip
_NOT_A_CELL = {"tax_id", "tin", "old_tax_id", "new_tax_id", "group", "account_number", *(c.name for c in PROVENANCE)}
#: Columns made from another one when a file is read.
_MADE_FROM = {"account": "account_number", "payer_account_number": "account_number", "date": "day"}
#: Sections whose cells are codes of a fixed width, which nobody should have to type.
_NO_CELLS = ("fund_positions", "pub1220")

_SAYS = {
    "fix_finds_no_file":
        "no file of the book has this file_sha256; take the fix back with (withdrawn) as corrected_value",
    "fix_not_needed":
        "the line it names isn't set aside, or the file has no such line; take the fix back with (withdrawn) as "
        "corrected_value, and correct a row of the book in a corrections file",
    "fix_not_possible": "{why}",
    "fix_value": "{why}",
}  # fmt: skip


@dataclass
class _Fix:
    """One fix and how far it got: the text it writes, or the rule that stops it."""

    said: dict[str, Any]
    reading: Reading | None = None
    text: str | None = None
    rule: str = ""
    why: str = ""
    subject: dict[str, Any] | None = None
    #: The key of the transaction it classifies.
    event: tuple[Any, ...] | None = None
    shown: bool = False

    @property
    def line(self) -> int:
        return int(self.said["line_number"])

    @property
    def column(self) -> str:
        return str(self.said["column_name"])

    @property
    def value(self) -> str:
        return str(self.said["corrected_value"])

    @property
    def place(self) -> str:
        return f"{mask_digits(self.said['source_file'])}:{self.said['source_line']}"

    def stop(self, rule: str, why: str = "") -> None:
        self.rule, self.why = rule, why


@dataclass
class Fixes:
    """The fixes of the whole book: judged once, applied to the readings, then told in the tables made of them."""

    every: list[_Fix]

    @property
    def holding(self) -> list[_Fix]:
        """Those that are applied."""
        return [f for f in self.every if not f.rule]

    def mend(self, readings: list[Reading]) -> list[Reading]:
        """The readings with their fixed cells, without the lines left out."""
        by_file: dict[str, list[_Fix]] = defaultdict(list)
        for fix in self.holding:
            if fix.event is None:
                by_file[fix.said["file_sha256"]].append(fix)
        return [_mended(r, by_file[r.entry.sha256]) if r.entry.sha256 in by_file else r for r in readings]

    def told(self, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """The tables with transactions classified, fixed rows naming both files, and `row_fixes` the applied ones."""
        done = {**tables, "transactions": _classified(tables["transactions"], self.holding)}
        done = {name: _named(frame, self.holding) for name, frame in done.items()}
        rows = [_applied(fix) for fix in self.holding]
        done["row_fixes"] = pl.DataFrame(rows, schema=tables["row_fixes"].schema)
        return done

    @property
    def files(self) -> set[str]:
        """The sha256 of the files of which a row was fixed or left out."""
        return {str(fix.said["file_sha256"]) for fix in self.holding if fix.event is None}

    def rows(self) -> dict[str, pl.DataFrame]:
        """What the rows are known by that `told` says something of: places in files, and keys of transactions."""
        places = [(str(f.said["file_sha256"]), f.line) for f in self.holding if f.event is None]
        events = [f.event for f in self.holding if f.event is not None]
        key = INPUT_TABLES["transactions"].key
        return {
            "places": pl.DataFrame(places, {"source_sha256": pl.String(), "source_line": pl.Int64()}, orient="row"),
            "events": pl.DataFrame(events, dict.fromkeys(key, pl.String()), orient="row"),
        }

    def refused(self) -> pl.DataFrame:
        """Reject rows of the fixes that couldn't be applied; they block nothing, the rows they are for still do."""
        stopped = [_reject(f) for f in self.every if f.rule]
        schema = {**dict.fromkeys(("column", "rule", "message", "source_file", "source_sha256"), pl.String()),
                  "source_line": pl.Int64(), "received_at": pl.Date()}  # fmt: skip
        return rejects.of_rows("row_fixes", pl.DataFrame(stopped, schema=schema), blocks=False)


#: What two lines of different deliveries have in common that are one and the same bad row.
_SAME_ROW = ["kind", "column", "rule", "row_key", "raw_line_sha256"]


def in_every_delivery(stated: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    """The `stated` fixes, each also for the lines of other files that are the row it names, with the same cell wrong.

    `rejected` are the rejects of the firm's own files: their rows say the whole fact, so that the same text is the same
    mistake. What is stated of a line itself counts there; of several fixes that reach a line the newest, and none where
    the newest contradict each other.
    """
    key = list(INPUT_TABLES["row_fixes"].key)
    lines = rejected.drop_nulls("raw_line_sha256").select("source_sha256", "line_number", *_SAME_ROW)
    meant = pl.when(pl.col("rule") == _RAGGED).then(pl.lit(WHOLE_ROW)).otherwise("column").alias("column_name")
    lines = lines.with_columns(meant).unique(maintain_order=True)
    here = {"source_sha256": "file_sha256"}
    named = (
        stated.drop("kind")
        .join(lines.rename(here), on=key, how="inner", maintain_order="left")
        .drop("file_sha256", "line_number")
    )
    reached = (
        named.join(lines.drop("column_name").rename(here), on=_SAME_ROW, nulls_equal=True, maintain_order="left")
        .join(stated.select(key), on=key, how="anti", maintain_order="left")
        .filter(pl.col("received_at") == pl.col("received_at").max().over(key))
        .filter(pl.col("corrected_value").n_unique().over(key) == 1)
        .unique(key, keep="first", maintain_order=True)
    )
    return pl.concat([stated, reached.select(stated.columns)])


def judge(
    stated: pl.DataFrame, readings: Iterable[Reading], transactions: pl.DataFrame, rejected: pl.DataFrame
) -> Fixes:
    """Which of the `stated` fixes hold, against the transactions and rejects their files give without them."""
    by_file = {r.entry.sha256: r for r in readings}
    aside = _lines_aside(rejected)
    unclear = _unclassified(transactions)
    fixes = [_Fix(said) for said in stated.filter(pl.col("corrected_value") != WITHDRAWN).iter_rows(named=True)]
    for fix in fixes:
        fix.reading = by_file.get(fix.said["file_sha256"])
        place = (fix.said["file_sha256"], fix.line)
        if fix.reading is None:
            fix.stop("fix_finds_no_file")
        elif fix.reading.kind == "row_fixes":
            fix.stop("fix_not_possible", "a fix isn't fixed by another one: drop the right one, signed")
        elif place in unclear and fix.column in CLASSIFYING:
            _judge_event(fix, unclear[place])
        elif fix.column == WHOLE_ROW or fix.value == LEAVE_OUT:
            _judge_row(fix)
        elif place not in aside:
            fix.stop("fix_not_needed")
        else:
            _judge_cell(fix, ragged=aside[place] == {_RAGGED})
    _judge_classified(fixes)
    return Fixes(fixes)


def _lines_aside(rejected: pl.DataFrame) -> dict[tuple[str, int], set[str]]:
    """Lines set aside for a reason of their own, with the rules."""
    lines: dict[tuple[str, int], set[str]] = defaultdict(set)
    own = rejected.filter(~pl.col("rule").is_in(FOLLOWS)).drop_nulls("line_number")
    for sha256, line, rule in own.select("source_sha256", "line_number", "rule").iter_rows():
        lines[sha256, line].add(rule)
    return lines


def _unclassified(transactions: pl.DataFrame) -> dict[tuple[str, int], dict[str, Any]]:
    rows = transactions.filter(pl.col("transaction_type") == UNCLASSIFIED)
    return {(row["source_sha256"], row["source_line"]): row for row in rows.iter_rows(named=True)}


def house_columns(kind: str) -> dict[str, Column]:
    """The columns of a house kind that a fix may state: never a tax id."""
    return {c.name: c for c in INPUT_TABLES[kind].columns if c.name not in models.TAX_ID_COLUMNS}


def section_of(reading: Reading, line: int) -> str | None:
    """The section of a delimited or fixed-width custodian file that has this line as a row; None if none has."""
    profile = reading.custodian_profile
    if profile is None or profile.format == "tree":
        return None
    cells = (s.name for s in profile.sections if s.shape not in _NO_CELLS and s.name in reading.sections)
    return next((name for name in cells if (reading.sections[name]["source_line"] == line).any()), None)


def cells_of(frame: pl.DataFrame) -> set[str]:
    """The columns of a custodian's section that a fix may state."""
    return set(frame.columns) - _NOT_A_CELL


def _judge_row(fix: _Fix) -> None:
    if (fix.column, fix.value) != (WHOLE_ROW, LEAVE_OUT):
        fix.stop("fix_value", f"{LEAVE_OUT} goes with {WHOLE_ROW} as column_name, and nothing else does")
    elif fix.reading is None or fix.reading.house is None:
        fix.stop("fix_not_possible", "only a row of the firm's own file can be left out")
    else:
        fix.subject = _row(fix.reading, fix.line)
        if not fix.subject:
            fix.stop("fix_not_needed")


def _judge_cell(fix: _Fix, *, ragged: bool) -> None:
    reading = fix.reading
    if reading is None or ragged:
        fix.stop("fix_not_possible", "the row has too few or too many cells; correct the file and drop it again")
    elif reading.house is not None and reading.kind is not None:
        _judge_house(fix, reading.kind)
    else:
        _judge_custodian(fix, reading)
    if reading is not None and not fix.rule:
        fix.subject = _row(reading, fix.line)


def _judge_house(fix: _Fix, kind: str) -> None:
    column = house_columns(kind).get(fix.column)
    if column is None:
        fix.stop("fix_not_possible", "column_name is a tax id or no column of this kind; correct it in the file itself")
        return
    broken = "required" if fix.value == BLANK and column.required else ""
    broken = broken or ("" if fix.value == BLANK else broken_rule(column, fix.value))
    if broken:
        fix.stop("fix_value", message(kind, column.name, broken))
    fix.text = None if fix.value == BLANK else fix.value
    fix.shown = column.kind != "text" or bool(column.values)


def _judge_custodian(fix: _Fix, reading: Reading) -> None:
    section = section_of(reading, fix.line)
    if reading.custodian_profile is None or section is None:
        fix.stop("fix_not_possible", "this line can't be put right cell by cell; fetch the file again")
    elif fix.column not in cells_of(reading.sections[section]):
        fix.stop("fix_not_possible", "column_name is a tax id or no column of this line; fetch the file again")
    else:
        fix.text, why = _as_layout(reading.custodian_profile, fix.column, fix.value)
        if why:
            fix.stop("fix_value", f"column {fix.column}: {why}")
        fix.shown = fix.column in _DATES or _NUMBERS.fullmatch(fix.column) is not None


def _as_layout(profile: Profile, column: str, text: str) -> tuple[str | None, str]:
    """A value as people write it (ISO dates, plain dollars) in the writing of the layout; or what was expected."""
    if text == BLANK:
        return None, ""
    if column in _DATES:
        broken = broken_rule(Column(column, "date"), text)
        written = None if broken else date.fromisoformat(text).strftime(profile.dates[0])
        return written, "expected a date such as 2026-04-15" if broken else ""
    if _NUMBERS.fullmatch(column):
        broken = broken_rule(Column(column, "money"), text)
        return (None, "expected plain dollars such as 7500.00") if broken else (_number(profile, Decimal(text)), "")
    rule, pattern = _SHAPES.get(column, ("", ""))
    return text, message("row_fixes", column, rule) if rule and not re.search(pattern, text) else ""


def _number(profile: Profile, value: Decimal) -> str:
    if profile.number in ("implied", "signed_implied"):
        return str(int(value.scaleb(profile.decimals)))
    return f"{value:.2f}"


def _judge_event(fix: _Fix, row: dict[str, Any]) -> None:
    """What a transaction with a code nobody can read was."""
    if fix.column == "transaction_type" and fix.value not in TRANSACTION_TYPES:
        fix.stop("fix_value", message("transactions", "transaction_type", "not_in_list"))
    elif fix.column == "tax_year" and broken_rule(Column("tax_year", "year"), fix.value):
        fix.stop("fix_value", message("transactions", "tax_year", "not_a_year"))
    fix.event = tuple(row[k] for k in INPUT_TABLES["transactions"].key)
    fix.subject, fix.shown = row, True


def _judge_classified(fixes: list[_Fix]) -> None:
    """Stops what the fixes of one transaction say together where it isn't whole, or isn't possible."""
    by_event: dict[tuple[Any, ...], dict[str, _Fix]] = defaultdict(dict)
    for fix in fixes:
        if fix.event is not None and not fix.rule:
            by_event[fix.event][fix.column] = fix
    for some in by_event.values():
        kind, year = some.get("transaction_type"), some.get("tax_year")
        if kind is None:
            for fix in some.values():
                fix.stop("fix_not_possible", "the year alone doesn't say what it was: state transaction_type too")
        elif kind.value == "contribution":
            _judge_contribution(kind, year)


def _judge_contribution(kind: _Fix, year: _Fix | None) -> None:
    """A contribution is one of the year it is made in or of the year before: which, the firm says."""
    traded = (kind.subject or {})["trade_date"].year
    if year is None:
        kind.stop("fix_not_possible", "a contribution needs its tax_year: fill in the row for tax_year too")
    elif traded - int(year.value) not in (0, 1):
        year.stop("fix_value", message("transactions", "tax_year", "tax_year_not_possible"))
        kind.stop("fix_not_possible", "its tax_year isn't possible")


def _row(reading: Reading, line: int) -> dict[str, Any]:
    """The cells of a row as read; empty for a line without cells."""
    frames = [f for f in (reading.house, reading.ragged, *reading.sections.values()) if f is not None]
    for frame in frames:
        found = frame.filter(pl.col("source_line") == line)
        if found.height:
            return found.row(0, named=True)
    return {}


def _mended(reading: Reading, fixes: list[_Fix]) -> Reading:
    gone = {f.line for f in fixes if f.column == WHOLE_ROW}
    cells = [f for f in fixes if f.column != WHOLE_ROW]
    told = (reading.note, _count(len({f.line for f in cells}), "fixed"), _count(len(gone), "left out"))
    note = "; ".join(filter(None, told))
    if reading.house is None:
        sections = {name: _written(frame, cells) for name, frame in reading.sections.items()}
        return replace(reading, sections=sections, note=note)
    house, ragged = reading.house, reading.ragged
    if ragged is not None:
        house, ragged = _whole_again(house, ragged, {(f.line, f.column) for f in cells}, gone)
    house = _written(house.filter(~pl.col("source_line").is_in(gone)), cells)
    return replace(reading, house=house, ragged=ragged, note=note)


def _count(number: int, what: str) -> str:
    return f"{number} row{'' if number == 1 else 's'} {what} as row_fixes say" if number else ""


def _whole_again(
    house: pl.DataFrame, ragged: pl.DataFrame, fixed: set[tuple[int, str]], gone: set[int]
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Rows whose every faulty cell is fixed go back among the good ones; those left out are gone."""
    places = ragged.select("source_line", "column").rows()
    open_lines = {line for line, column in places if (line, column) not in fixed} - gone
    back = ragged.filter(~pl.col("source_line").is_in(open_lines | gone)).unique("source_line", maintain_order=True)
    told = pl.Series([line in open_lines and (line, column) not in fixed for line, column in places], dtype=pl.Boolean)
    left = ragged.filter(told)
    return pl.concat([house, back.select(house.columns)]), left if left.height else None


def _written(frame: pl.DataFrame, cells: list[_Fix]) -> pl.DataFrame:
    """The frame with the fixed cells, and the columns that are made of them."""
    by_column: dict[str, dict[int, str | None]] = defaultdict(dict)
    for fix in cells:
        by_column[fix.column][fix.line] = fix.text
        made = _MADE_FROM.get(fix.column)
        if made and fix.text is not None and made in frame.columns:
            number = made == "account_number"
            by_column[made][fix.line] = normalise_account_number(fix.text) if number else fix.text.split()[0]
    line = pl.col("source_line")
    return frame.with_columns(
        pl.when(line.is_in(list(texts)))
        .then(line.replace_strict(texts, default=None, return_dtype=pl.String))
        .otherwise(pl.col(column))
        .alias(column)
        for column, texts in by_column.items()
        if column in frame.columns
    )


def _classified(transactions: pl.DataFrame, fixes: list[_Fix]) -> pl.DataFrame:
    """Transactions whose code nobody can read as the firm says they were, whichever export they are in."""
    stated: dict[tuple[Any, ...], dict[str, Any]] = defaultdict(dict)
    for fix in fixes:
        if fix.event is not None:
            stated[fix.event] |= {f"fixed {fix.column}": fix.value, "fixed by": fix.place}
    if not stated:
        return transactions
    key = list(INPUT_TABLES["transactions"].key)
    new = ["fixed transaction_type", "fixed tax_year", "fixed by"]
    rows = [{**dict(zip(key, event, strict=True)), **said} for event, said in stated.items()]
    joined = transactions.join(
        pl.DataFrame(rows, schema=dict.fromkeys((*key, *new), pl.String)), on=key, how="left", maintain_order="left"
    )
    told = pl.col("fixed transaction_type").is_not_null() & (pl.col("transaction_type") == UNCLASSIFIED)
    return joined.with_columns(
        pl.when(told).then("fixed transaction_type").otherwise("transaction_type").alias("transaction_type"),
        pl.when(told).then(pl.lit("mapped")).otherwise("classification").alias("classification"),
        pl.when(told).then(pl.coalesce(pl.col("fixed tax_year").cast(pl.Int32), "tax_year")).otherwise("tax_year")
        .alias("tax_year"),
        pl.when(told).then(_both("fixed by")).otherwise("source_file").alias("source_file"),
    ).drop(new)  # fmt: skip


def _both(by: str) -> pl.Expr:
    return pl.format("{} (fixed by {})", "source_file", by)


def _named(frame: pl.DataFrame, fixes: list[_Fix]) -> pl.DataFrame:
    """The rows read from a fixed line say so beside their file's name."""
    places: dict[tuple[str, int], list[str]] = defaultdict(list)
    for fix in fixes:
        if fix.event is None:
            places[fix.said["file_sha256"], fix.line].append(fix.place)
    if not places or not {"source_sha256", "source_line"} <= set(frame.columns):
        return frame
    rows = [(sha256, line, ", ".join(dict.fromkeys(said))) for (sha256, line), said in places.items()]
    schema = {"source_sha256": pl.String(), "source_line": pl.Int64(), "fixed by": pl.String()}
    said = pl.DataFrame(rows, schema=schema, orient="row")
    joined = frame.join(said, on=["source_sha256", "source_line"], how="left", maintain_order="left")
    both = pl.when(pl.col("fixed by").is_not_null()).then(_both("fixed by")).otherwise("source_file")
    return joined.with_columns(both.alias("source_file")).drop("fixed by")


def _applied(fix: _Fix) -> dict[str, Any]:
    reading, row = fix.reading, fix.subject or {}
    custodian = row.get("custodian") or (reading.custodian if reading else None)
    account = row.get("account_number")
    return {
        **fix.said,
        "fixed_file": reading.entry.file_name if reading else None,
        "kind": "transactions" if fix.event else reading.kind if reading else None,
        "custodian": custodian.lower() if custodian else None,
        "account_number": normalise_account_number(account) if account else None,
        "person_id": row.get("person_id"),
        "shown_after": fix.value if fix.shown or fix.column == WHOLE_ROW else None,
    }  # fmt: skip


def _reject(fix: _Fix) -> dict[str, Any]:
    names = ("source_file", "source_line", "source_sha256", "received_at")
    told = _SAYS[fix.rule].format(why=fix.why)
    return {"column": "corrected_value", "rule": fix.rule, "message": told, **{n: fix.said[n] for n in names}}
