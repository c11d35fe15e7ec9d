"""Later rows replace earlier ones: the canonical tables of the whole book, each fact once, conflicts set aside."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.tables import INPUT_TABLES, PROVENANCE
from transforms.intake import rejects

_PROVENANCE = [c.name for c in PROVENANCE]
_SORT = ["source_file", "source_line", "source_sha256"]
_KEY, _CONTENT, _HOUSE = "row key", "row content", "is house"


def merge(kind: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The rows of a table with every key once, sorted by key; and the rejects the merge itself makes.

    Of rows with one key those received last count; if these differ among themselves they are `conflicting_rows` and
    what was known before stays. A row repeated within one house file is a harmless `duplicate_row`.
    """
    every = _marked(kind, _BEFORE_MERGING[kind](rows) if kind in _BEFORE_MERGING else rows)
    alone = every.filter(pl.col(_KEY).is_unique())
    marked = every.filter(pl.col(_KEY).is_duplicated())
    repeated = (pl.int_range(pl.len()).over("source_sha256", _KEY, _CONTENT) > 0) & pl.col(_HOUSE)
    duplicates = marked.filter(repeated)
    left = marked.filter(~repeated)
    aside = [_said(kind, duplicates, "duplicate_row", "the same row is in the file twice; one is enough", blocks=False)]
    while True:
        newest = left.filter(_newest(kind))
        clash = newest.filter(pl.col(_CONTENT).n_unique().over(_KEY) > 1)
        if clash.is_empty():
            break
        aside.append(_said(kind, clash, "conflicting_rows",
                           "rows that came in together say different things of one fact (same key); keep the right one "
                           "and drop the file again", blocks=True))  # fmt: skip
        left = left.join(clash.select(*_SORT, _KEY), on=[*_SORT, _KEY], how="anti")
    once = pl.concat([alone, newest.unique(_KEY, keep="first", maintain_order=True)])
    order = [*INPUT_TABLES[kind].key, *_SORT, _CONTENT]
    return once.sort(order, nulls_last=True).select(list(INPUT_TABLES[kind].schema)), aside


def completed(rows: pl.DataFrame) -> pl.DataFrame:
    """Accounts with what other files of the same custodian and night say of them, where these don't contradict it.

    A positions file knows an account's owner and the master file when it was opened; a nickname (`other`) says nothing
    against a registration. What is said in two ways stays so, and is a conflict. What the firm says is left alone.
    """
    group = ["custodian", "account_number", "received_at"]
    firm = pl.col("profile").str.starts_with("house-")
    kind = pl.when(pl.col("account_type") != "other").then("account_type")
    told = _said_once(rows.filter(~firm), group).with_columns(kind.alias("account_type"))
    said = [c for c in told.columns if c not in (*_PROVENANCE, "custodian", "account_number", "custodian_code")]
    agreed = {c: pl.col(c).drop_nulls().n_unique().over(group) == 1 for c in said}
    filled = told.with_columns(
        pl.when(agreed[c]).then(pl.col(c).max().over(group)).otherwise(c).alias(c) for c in said
    ).with_columns(
        pl.when(pl.col("account_type").is_null()).then("custodian_code").alias("custodian_code"),
        pl.col("account_type").fill_null("other"),
    )
    return pl.concat([rows.filter(firm), filled])


def _said_once(rows: pl.DataFrame, group: list[str]) -> pl.DataFrame:
    """The rows without those that only repeat the first of their group, where all of a group say the same.

    Every month's file names an account again. Of groups in which something differs, every row stays.
    """
    said = [c for c in rows.columns if c not in _PROVENANCE or c in group]
    contents = rows.sort(_SORT).unique(said, keep="first")
    agreed = contents.select(pl.struct(group).is_unique()).to_series()
    differing = rows.join(contents.filter(~agreed), on=group, how="semi", nulls_equal=True)
    return pl.concat([contents.filter(agreed), differing])


def answered(rows: pl.DataFrame) -> pl.DataFrame:
    """The fixes of set-aside rows that say something; of equal ones of one run, whoever made them, the first."""
    said = rows.filter(pl.col("corrected_value").is_not_null()).sort(_SORT)
    same = [*INPUT_TABLES["row_fixes"].key, "corrected_value", "received_at"]
    return said.unique(same, keep="first", maintain_order=True)


_BEFORE_MERGING = {"accounts": completed, "row_fixes": answered}


def _marked(kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in a fixed order with their key and their content as text, and whether the firm wrote them."""
    content = [c for c in rows.columns if c not in _PROVENANCE]
    key = list(INPUT_TABLES[kind].key)
    ordered = rows.sort(_SORT).with_columns(pl.col("profile").str.starts_with("house-").alias(_HOUSE))
    ordered = ordered.with_columns(_text(content).alias(_CONTENT))
    if kind == "accounts":
        return ordered.with_columns(_text([*key, _HOUSE]).alias(_KEY))
    if key:
        return ordered.with_columns(_text(key).alias(_KEY))
    occurrence = pl.int_range(pl.len()).over("source_sha256", _CONTENT).cast(pl.String)
    return ordered.with_columns(pl.concat_str(_CONTENT, occurrence, separator="\x1f").alias(_KEY))


def _text(columns: list[str]) -> pl.Expr:
    return pl.concat_str([pl.col(c).cast(pl.String).fill_null("\x00") for c in columns], separator="\x1f")


def _newest(kind: str) -> pl.Expr:
    """Received last; among these, corrected forms before the originals they correct."""
    newest = (pl.col("received_at") == pl.col("received_at").max()).over(_KEY)
    if "corrected" not in INPUT_TABLES[kind].schema:
        return newest
    corrected = pl.col("corrected").fill_null(value=False)
    among = corrected.filter(pl.col("received_at") == pl.col("received_at").max()).any().over(_KEY)
    return newest & (corrected | ~among)


def _said(kind: str, rows: pl.DataFrame, rule: str, message: str, *, blocks: bool) -> pl.DataFrame:
    told = rows.with_columns(
        pl.lit(None, pl.String).alias("column"), pl.lit(rule).alias("rule"), pl.lit(message).alias("message")
    )
    return rejects.of_rows(kind, told, blocks=blocks)


def good_rows(tables: Mapping[str, pl.DataFrame]) -> list[pl.DataFrame]:
    """The `kind`, `row_key` and `received_at` of every row of the tables."""
    return [
        rows.select(pl.lit(kind).alias("kind"), rejects.row_key(kind).alias("row_key"), "received_at")
        for kind, rows in tables.items()
        if rows.height
    ]


def without_mended(rejected: pl.DataFrame, good: list[pl.DataFrame]) -> pl.DataFrame:
    """The rejects still open: those a later-received one of the `good_rows` with their key has put right are gone."""
    if not good:
        return rejected
    told = pl.concat(good).rename({"received_at": "mended_at"})
    latest = told.drop_nulls("row_key").group_by("kind", "row_key").agg(pl.col("mended_at").max())
    joined = rejected.join(latest, on=["kind", "row_key"], how="left", maintain_order="left")
    mended = (pl.col("mended_at") > pl.col("received_at")).fill_null(value=False)
    return joined.filter(~mended).drop("mended_at")
