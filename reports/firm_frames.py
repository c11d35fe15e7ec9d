"""What only the firm's workbook shows: earlier nights, open moves of money, forms that differ, what people decided."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from reports.problems import optional, problems
from reports.sheet import prose
from schemas.accounts import mask_digits, show_account
from schemas.tables import INPUT_TABLES

#: Told with the client's name where it is known, with the person_id where the person isn't in the book any more.
_OPEN_MOVES = ("unpaired", "waiting")
_DIFFERING = ("differs", "form_missing", "book_missing")
_SOURCE = ["source_file", "source_line"]
_OVERRIDE = ("what", "decided_by", "decided_on", "person_id", "account_key", "changed", "reason", "place", *_SOURCE)
_EVIDENCE = {"topic": pl.String(), "person_id": pl.String(), "source_file": pl.String(), "source_line": pl.Int64()}


def firm_frames(run: Path, results: dict[str, pl.DataFrame], persons: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The frames of the firm's own sheets, by name; every account number cut, every text masked."""
    rejects = results["rejects"].with_columns(_prose("file"), _prose("message"))
    return {
        "set_aside": problems(run, rejects, results["files"]),
        "trend": results["trend"].sort("as_of", descending=True),
        "moves": _moves(results["event_pairs"], persons),
        "forms": _forms(results["reconciliation"], persons),
        "excess": _excess(results["excess_contributions"], persons),
        "overrides": _overrides(run, results["ira_aggregation"], persons),
    }


def _prose(column: str) -> pl.Expr:
    return pl.col(column).map_elements(prose, return_dtype=pl.String)


def _account(column: str) -> pl.Expr:
    return pl.col(column).map_elements(_shown_account, return_dtype=pl.String)


def _shown_account(account_key: str) -> str:
    custodian, _, number = account_key.rpartition(":")
    return show_account(custodian, number.lstrip("*"))


def _place(file: str, line: str) -> pl.Expr:
    """`file:line`, the file's name masked; null where there is no file."""
    name = pl.col(file).map_elements(mask_digits, return_dtype=pl.String)
    return pl.when(pl.col(file).is_not_null()).then(pl.format("{}:{}", name, line))


def _named(frame: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """With the client and the advisor; a row of nobody stays."""
    joined = frame.join(persons.select("person_id", "client", "advisor_id"), on="person_id", how="left", validate="m:1")
    return joined.with_columns(pl.coalesce("client", "person_id").alias("client"))


def _moves(pairs: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Moves of money with a leg missing, those that block a number first, then the oldest."""
    still = pairs.filter(pl.col("state").is_in(_OPEN_MOVES)).with_columns(
        pl.col("kind").str.replace_all("_", " "),
        _account("out_account_key").alias("from_account"), _account("in_account_key").alias("to_account"),
        pl.coalesce("out_amount", "in_amount").alias("amount"), pl.coalesce("left_on", "arrived_on").alias("seen_on"),
        pl.when(pl.col("out_account_key").is_null()).then(pl.lit("the leg it left by"))
        .otherwise(pl.lit("the leg it arrived by")).alias("missing"),
        pl.coalesce(_place("out_file", "out_line"), _place("in_file", "in_line")).alias("place"),
    )  # fmt: skip
    order = ("state", "days_open", "person_id", "out_event_id", "in_event_id")
    return _named(still.sort(order, descending=[False, True, False, False, False], nulls_last=True), persons)


def _forms(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Boxes of Forms 5498 and 1099-R that don't agree with the book, most dollars first."""
    differing = rows.filter(pl.col("state").is_in(_DIFFERING)).with_columns(
        pl.col("state").str.replace_all("_", " "), _account("account_key").alias("account"),
        *(_prose(c) for c in ("what", "form_says", "book_says")), _place("source_file", "source_line").alias("place"),
    )  # fmt: skip
    key = ("person_id", "account_key", "tax_year", "form", "box")
    size = pl.col("difference").abs()
    return _named(differing.sort(size, *key, descending=[True, *[False] * len(key)], nulls_last=True), persons)


def _excess(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """IRA excess still there, with the 6% tax; numbers blank where the answer is UNKNOWN."""
    known = pl.col("status") != "UNKNOWN"
    there = rows.filter(~known | (pl.col("cumulative_excess") > 0)).with_columns(
        pl.when(known).then(pl.selectors.decimal()),
        pl.col("reasons").list.eval(pl.element().str.replace(r"^[a-z0-9_]+: ", "")).list.join("; ")
        .map_elements(prose, return_dtype=pl.String),
    )  # fmt: skip
    return _named(there.sort("cure_by", "person_id", "tax_year", "ira_kind", nulls_last=True), persons)


def _overrides(run: Path, accounts: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """What people decided over what the files say, newest first: by whom, when, where stated, what it changed."""
    says = (_corrections, _fixes, _links, _decisions)
    stated = [say(_canonical(run, name)) for say, name in zip(says, _STATED, strict=True)]
    every = pl.concat(frame.select(_OVERRIDE) for frame in (*stated, _marks(run)))
    owners = accounts.drop_nulls("account_key").unique("account_key", keep="first", maintain_order=True)
    owned = every.join(owners.select("account_key", pl.col("person_id").alias("owner")), on="account_key", how="left")
    # whose account a masked number is, the engine found out
    told = optional(run / "derived" / "evidence.parquet", _EVIDENCE).filter(pl.col("topic") == "corrected")
    whose = told.select(*_SOURCE, pl.col("person_id").alias("concerned")).unique(
        _SOURCE, keep="first", maintain_order=True
    )
    shown = owned.join(whose, on=_SOURCE, how="left").with_columns(
        pl.coalesce("person_id", "concerned", "owner").alias("person_id"), _account("account_key").alias("account"),
        *(_prose(c) for c in ("reason", "decided_by")),
    )  # fmt: skip
    newest = shown.sort("decided_on", "what", "place", "changed", descending=[True, False, False, False])
    return _named(newest, persons)


_STATED = ("corrections", "row_fixes", "account_links", "link_decisions")


def _canonical(run: Path, name: str) -> pl.DataFrame:
    frame = optional(run / "canonical" / f"{name}.parquet", INPUT_TABLES[name].schema)
    return frame.with_columns(_place("source_file", "source_line").alias("place"))


def _key() -> pl.Expr:
    return pl.format("{}:{}", "custodian", "account_number").alias("account_key")


def _corrections(rows: pl.DataFrame) -> pl.DataFrame:
    target = _place("target_file", "target_line")
    # only numbers, dates and words of a fixed list are kept to be shown
    values = pl.format(" from {} to {}", "shown_before", "shown_after").fill_null("")
    return rows.with_columns(
        pl.lit("correction").alias("what"), pl.col("declared_by").alias("decided_by"), _key(),
        pl.col("declared_on").alias("decided_on"),
        pl.format("{} of {}{}", "column", target, values).alias("changed"),
    )  # fmt: skip


def _fixes(rows: pl.DataFrame) -> pl.DataFrame:
    left_out = pl.col("shown_after") == "(leave out)"
    where = _place("fixed_file", "line_number")
    value = pl.format(" set to {}", "shown_after").fill_null(" set")
    return rows.with_columns(
        pl.when(left_out).then(pl.lit("row left out")).otherwise(pl.lit("fixed row")).alias("what"),
        pl.col("fixed_by").alias("decided_by"), pl.col("fixed_on").alias("decided_on"), _key(),
        pl.when(left_out).then(pl.format("{} is not read", where))
        .otherwise(pl.format("{} of {}{}", "column_name", where, value)).alias("changed"),
        pl.col("note").alias("reason"),
    )  # fmt: skip


def _marks(run: Path) -> pl.DataFrame:
    """Findings somebody dismissed, called done or snoozed; the other marks put nothing out of sight."""
    marks = pl.read_parquet(run / "results" / "mark_history.parquet")
    aside = marks.filter(pl.col("status").is_in(["dismissed", "done"]) | pl.col("snooze_until").is_not_null())
    until = pl.format("snoozed until {}", "snooze_until")
    closed = pl.when(pl.col("status").is_in(["dismissed", "done"])).then("status")
    return aside.with_columns(
        pl.coalesce(closed, pl.lit("snoozed")).alias("what"),
        pl.coalesce("marked_by", pl.format("the workbook of {}", "advisor_id")).alias("decided_by"),
        pl.col("received_at").alias("decided_on"),
        pl.lit(None, pl.String).alias("account_key"),
        pl.format("{}: {}, {}", pl.col("rule").str.replace_all("_", " "), pl.coalesce(closed, until), "became").alias(
            "changed"
        ),
        pl.col("note").alias("reason"),
        pl.col("marked_in").alias("source_file"), pl.col("marked_line").alias("source_line"),
        _place("marked_in", "marked_line").alias("place"),
    )  # fmt: skip


def _links(rows: pl.DataFrame) -> pl.DataFrame:
    until = pl.format(" to {}", "valid_to").fill_null("")
    since = pl.format(" from {}", "valid_from").fill_null("")
    return rows.with_columns(
        pl.lit("account link").alias("what"), pl.col("approved_by").alias("decided_by"), _key(),
        pl.col("approved_on").alias("decided_on"), pl.col("note").alias("reason"),
        pl.format("owner of the account is {}{}{}", "person_id", since, until).alias("changed"),
    )  # fmt: skip


def _decisions(rows: pl.DataFrame) -> pl.DataFrame:
    answered = rows.filter(pl.col("decision").is_not_null())
    return answered.with_columns(
        pl.lit("suggested link").alias("what"), pl.col("note").alias("reason"),
        *(pl.lit(None, pl.String).alias(name) for name in ("person_id", "account_key")),
        pl.format("{} of suggestion {}", "decision", "suggestion_id").alias("changed"),
    )  # fmt: skip
