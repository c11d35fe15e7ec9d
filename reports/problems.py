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


def problems(run: Path, rejects: pl.DataFrame) -> pl.DataFrame:
    """One row per row of `rejects` (more where a code has to be classified), those to be fixed in cells first.

    Adds `kind`, `way`, `was`, `row_says`, `column_name`, `expected`, `instead` and `sheet_row`, the row on `Fix here`
    (null where no cell helps).
    """
    cells = optional(run / "canonical" / "set_aside.parquet", _SCHEMA).unique(_KEY, keep="first", maintain_order=True)
    known = rejects.join(cells, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    codes = _codes(run)
    unread = known.filter(pl.col("rule").is_in(_UNREADABLE)).drop("kind", "way", "was", "row_says")
    told = pl.concat([known.filter(~pl.col("rule").is_in(_UNREADABLE)).with_columns(_column_name()), *(
        unread.join(codes, on=["source_sha256", "line_number"], how="left", maintain_order="left")
        .with_columns(pl.lit(name).alias("column_name")).select(*known.columns, "column_name")
        for name in ("transaction_type", "tax_year")
    )])  # fmt: skip
    fixable = pl.col("way").is_not_null()
    ordered = told.sort(
        ~fixable, "file", "line_number", pl.col("column_name") == "tax_year", "column_name", nulls_last=True
    )
    return ordered.with_columns(
        _expected().alias("expected"),
        pl.struct("rule", "line_number").map_elements(_instead, return_dtype=pl.String).alias("instead"),
        pl.when(fixable).then(pl.int_range(pl.len()) + 2).alias("sheet_row"),
        pl.col("kind").str.replace_all("_", " ").alias("kind_said"),
        *(pl.lit(None, pl.String).alias(name) for name in ("corrected_value", "fixed_by", "fixed_on", "note")),
    )


def optional(path: Path, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The table at `path`; empty where a run of an earlier version didn't write it."""
    return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=schema)


def _column_name() -> pl.Expr:
    return pl.when(pl.col("way") == "row").then(pl.lit(WHOLE_ROW)).otherwise("column").alias("column_name")


def _codes(run: Path) -> pl.DataFrame:
    """What the rows with a code nobody can read say, by file and line."""
    schema = INPUT_TABLES["transactions"].schema
    path = run / "canonical" / "transactions.parquet"
    every = pl.scan_parquet(path) if path.exists() else pl.LazyFrame(schema=schema)
    rows = every.filter(pl.col("transaction_type") == "unclassified").collect()
    account = pl.struct("custodian", "account_number").map_elements(
        lambda row: show_account(row["custodian"], row["account_number"].lstrip("*")), return_dtype=pl.String
    )
    says = pl.format("{}  ·  {}  ·  ${}", account, "trade_date", "amount")
    return rows.select(
        "source_sha256", pl.col("source_line").alias("line_number"), pl.lit("transactions").alias("kind"),
        pl.lit("cell").alias("way"), pl.col("custodian_code").alias("was"), says.alias("row_says"),
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
