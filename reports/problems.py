"""What was set aside, problem by problem: which cell to fix on which row of `_set_aside.xlsx`, or what else to do."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from schemas.accounts import show_account
from schemas.tables import DTYPES, INPUT_TABLES, LEAVE_OUT, SET_ASIDE, WHOLE_ROW

_SCHEMA = {c.name: DTYPES[c.kind] for c in SET_ASIDE.columns}
_UNREADABLE = ("ambiguous_code", "unmapped_code")
_KEY = ["source_sha256", "line_number", "column", "rule"]

_INSTEAD = {
    "account_incomplete": "Nothing here: the row comes back once the other position of its account is fixed.",
    "sum_incomplete": "Nothing here: the row comes back once the other row of its person and money source is fixed.",
    "not_a_tax_id": "Tax ids are not put into workbooks: correct the row in its file and drop that file again.",
    "line_not_understood": "Fetch the file again; if the line is the same, its layout has changed: tell whoever keeps "
    "the profiles.",
    "test_file": "Take the file out of the inbox; fetch the real one.",
    "empty_file": "Take the file out of the inbox, or fetch it again once it has been written.",
    "kind_not_known": "Take the file out of the inbox if it isn't data; else give it a header of a house kind, or "
    "draft a profile for it.",
    "conflicting_rows": "Drop a file that holds the right row alone: what comes later counts.",
}
_BY_START = {
    "fix_": "Fill in the row again on the sheet Fix here, or take the fix back with (withdrawn) as corrected_value.",
    "correction_": "Correct that line of the corrections file and drop it again.",
}
_WHOLE_FILE = "Put the file right, or take it out of the inbox, and run again: nothing of it has been read."
_ELSE = "Correct the line where it comes from and drop the whole file again."


def problems(run: Path, rejects: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """One row per row of `rejects` (more where a code has to be classified), those to be fixed in cells first.

    Adds `kind`, `way`, `was`, `row_says`, `column_name`, `expected`, `instead` and `sheet_row`, the row on `Fix here`
    (null where no cell helps). A row that came in several of the `files` has one `sheet_row`: it is `listed` by the
    newest of them, with the others in `also_in`.
    """
    cells = optional(run / "canonical" / "set_aside.parquet", _SCHEMA).unique(_KEY, keep="first", maintain_order=True)
    known = rejects.join(cells, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    codes = _codes(run)
    unread = known.filter(pl.col("rule").is_in(_UNREADABLE)).drop("kind", "way", "was", "row_says")
    whole = known.filter(~pl.col("rule").is_in(_UNREADABLE)).with_columns(
        _column_name(), pl.lit(None, pl.String).alias("event")
    )
    told = pl.concat([whole, *(
        unread.join(codes, on=["source_sha256", "line_number"], how="left", maintain_order="left")
        .with_columns(pl.lit(name).alias("column_name")).select(*known.columns, "column_name", "event")
        for name in ("transaction_type", "tax_year")
    )])  # fmt: skip
    fixable = pl.col("way").is_not_null()
    ordered = told.sort(
        ~fixable, "file", "line_number", pl.col("column_name") == "tax_year", "column_name", nulls_last=True
    )
    return _each_once(ordered, files).with_columns(
        _expected().alias("expected"),
        pl.struct("rule", "line_number").map_elements(_instead, return_dtype=pl.String).alias("instead"),
        pl.col("kind").str.replace_all("_", " ").alias("kind_said"),
        *(pl.lit(None, pl.String).alias(name) for name in ("corrected_value", "fixed_by", "fixed_on", "note")),
    )


def _each_once(told: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """With `sheet_row`, `listed` and `also_in`: a row is the same one where one fix reaches it in every delivery.

    That is a wrong cell of the same text in the firm's own files, and an event of a custodian whatever export it is in.
    """
    received = files.filter(pl.col("state") != "duplicate").select(
        pl.col("sha256").alias("source_sha256"), "received_at",
        pl.col("profile").str.starts_with("house-").fill_null(value=False).alias("own"),
    ).unique("source_sha256", keep="first", maintain_order=True)  # fmt: skip
    fixable = pl.col("way").is_not_null()
    own_cell = pl.col("own") & (pl.col("way") == "cell")
    same_row = pl.struct("kind", "column_name", "rule", "raw_line_sha256", "row_says", "event").rank("dense")
    known = told.join(received, on="source_sha256", how="left", maintain_order="left").with_row_index("nth")
    known = known.with_columns(
        pl.when(own_cell.fill_null(value=False) | pl.col("event").is_not_null())
        .then(pl.format("row {}", same_row))
        .otherwise(pl.format("line {}", "nth"))
        .alias("same")
    )
    newest = known.sort("received_at", descending=True, nulls_last=True, maintain_order=True)
    first = newest.unique("same", keep="first", maintain_order=True).sort("nth")
    place = pl.when(fixable).then(pl.int_range(pl.len()) + 2).alias("sheet_row")
    listed = first.select("same", pl.col("nth").alias("listed_nth"), place)
    here = pl.col("nth") == pl.col("listed_nth")
    elsewhere = pl.format("{}:{}", "file", "line_number").filter(~here).str.join("\n").over("same")
    return (
        known.join(listed, on="same", how="left", validate="m:1", maintain_order="left")
        .with_columns((fixable & here).alias("listed"), elsewhere.replace("", None).alias("also_in"))
        .drop("nth", "listed_nth", "same", "own", "event", "received_at")
    )


def optional(path: Path, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The table at `path`; empty where a run of an earlier version didn't write it."""
    return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=schema)


def _column_name() -> pl.Expr:
    return pl.when(pl.col("way") == "row").then(pl.lit(WHOLE_ROW)).otherwise("column").alias("column_name")


def _codes(run: Path) -> pl.DataFrame:
    """What the rows with a code nobody can read say, by file and line: few of many, so never all of them are read."""
    path = run / "canonical" / "transactions.parquet"
    every = pl.scan_parquet(path) if path.exists() else pl.LazyFrame(schema=INPUT_TABLES["transactions"].schema)
    rows = every.filter(pl.col("transaction_type") == "unclassified").collect()
    account = pl.struct("custodian", "account_number").map_elements(
        lambda row: show_account(row["custodian"], row["account_number"].lstrip("*")), return_dtype=pl.String
    )
    says = pl.format("{}  ·  {}  ·  ${}", account, "trade_date", "amount")
    return rows.select(
        "source_sha256", pl.col("source_line").alias("line_number"), pl.lit("transactions").alias("kind"),
        pl.lit("cell").alias("way"), pl.col("custodian_code").alias("was"), says.alias("row_says"),
        pl.struct("custodian", "account_number", "transaction_id").rank("dense").cast(pl.String).alias("event"),
    ).unique(["source_sha256", "line_number"], keep="first", maintain_order=True)  # fmt: skip


def _expected() -> pl.Expr:
    plain = (
        pl.col("message")
        .str.replace(r"^column [A-Za-z0-9_ ]+: ", "")
        .str.replace(r"; correct the cell and drop the file again$", "")
    )
    unread = pl.col("rule").is_in(_UNREADABLE)
    return (
        pl.when(unread & (pl.col("column_name") == "tax_year"))
        .then(pl.lit("only if it was a contribution: the year it counts for"))
        .when(unread)
        .then(pl.lit("the custodian's code can't be read: choose what the event was"))
        .when(pl.col("rule") == "not_in_list")
        .then(pl.lit("one of the words in the list of corrected_value"))
        .when(pl.col("way") == "row")
        .then(pl.concat_str("message", pl.lit(f"; to drop this line, choose {LEAVE_OUT}")))
        .otherwise(plain)
    )


def _instead(reject: dict[str, object]) -> str:
    rule = str(reject["rule"])
    start = next((text for prefix, text in _BY_START.items() if rule.startswith(prefix)), None)
    return start or _INSTEAD.get(rule) or (_WHOLE_FILE if reject["line_number"] is None else _ELSE)
