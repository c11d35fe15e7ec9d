"""`_links.xlsx`: the suggested links, one row each, for operations to answer and drop back into the inbox.

The sheet is itself a file of the house kind `link_decisions`: its first row is that kind's header, with columns to
decide by beside it, so nothing but the answers is read back. Names are shown, accounts by their last four,
tax ids never.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from openpyxl.worksheet.datavalidation import DataValidation

from reports.page import PagedWorkbook
from reports.sheet import Canvas, Column, put_header, put_value, set_up_page
from reports.style import Looks
from schemas.accounts import show_account
from schemas.tables import INPUT_TABLES, LINK_DECISIONS

LINKS_FILE = "_links.xlsx"
ANSWERS = tuple(c.name for c in INPUT_TABLES["link_decisions"].columns)
_WIDTHS = {"suggestion_id": 32, "decision": 12, "decided_by": 16, "decided_on": 13, "note": 24}

#: Headers are the house kind's own names, so that the sheet is recognised; what follows them is there to decide by.
COLUMNS = (
    *(Column(name, name, "text", _WIDTHS[name]) for name in ANSWERS),
    Column("probability", "probability", "text", 12),
    Column("client", "client", "wrap", 28),
    Column("person_id", "person", "text", 14),
    Column("other", "possible second half", "wrap", 34),
    Column("other_born", "their birth date", "date", 14),
    Column("born", "client's birth date", "date", 14),
    Column("agrees", "alike", "wrap", 40),
    Column("tax_year", "tax year", "text", 10),
    Column("pool_value_added", "IRA money added", "money", 16),
    Column("line_18", "line 18 now", "money", 16),
    Column("line_18_with", "line 18 with the link", "money", 16),
)


def rows(run: Path) -> pl.DataFrame:
    """One row per open suggestion, most dollars first: of the newest tax year and the person it changes most."""
    suggestions = pl.read_parquet(run / "results" / "link_suggestions.parquet")
    persons = pl.read_parquet(run / "canonical" / "persons.parquet").select(
        "person_id", pl.concat_str("given_name", "family_name", separator=" ", ignore_nulls=True).alias("client"),
        pl.col("birth_date").alias("born"),
    )  # fmt: skip
    rise = (pl.col("line_18_with") - pl.col("line_18")).fill_null(0)
    one_each = suggestions.sort(
        "tax_year", rise, pl.col("pool_value_added").fill_null(0), "person_id", descending=[True, True, True, False]
    ).unique("suggestion_id", keep="first", maintain_order=True)
    named = one_each.join(persons, on="person_id", how="left").join(
        persons.rename({"person_id": "other_person_id", "client": "other_client", "born": "other_born"}),
        on="other_person_id",
        how="left",
    )
    shown = named.with_columns(
        _other().alias("other"),
        pl.col("agrees").list.join(", "),
        pl.col("tax_year").cast(pl.String),
        pl.col("probability").cast(pl.Decimal(5, 4)).cast(pl.String),
        *(pl.lit(None, pl.String).alias(name) for name in ANSWERS if name != "suggestion_id"),
    )
    return shown.sort(rise, "probability", "suggestion_id", descending=[True, True, False]).select(
        c.field for c in COLUMNS
    )


def _other() -> pl.Expr:
    account = pl.col("account_key").map_elements(_shown, return_dtype=pl.String)
    return pl.coalesce(account, pl.concat_str("other_client", pl.lit(" ("), "other_person_id", pl.lit(")")))


def _shown(account_key: str) -> str:
    custodian, _, number = account_key.rpartition(":")
    return show_account(custodian, number)


def fill_links(workbook: PagedWorkbook, found: pl.DataFrame, footer: str) -> None:
    """Write the one sheet of `_links.xlsx`: header first, a drop-down in the decision column."""
    sheet = workbook.create_sheet("link_decisions")
    canvas = Canvas(sheet, Looks(workbook))
    canvas.widths([c.width for c in COLUMNS])
    put_header(canvas, 1, COLUMNS)
    for number, row in enumerate(found.iter_rows(named=True), 2):
        canvas.height(number, 15)
        for place, column in enumerate(COLUMNS, 1):
            put_value(canvas, number, place, column, row[column.field])
    choice = DataValidation(
        type="list", formula1=f'"{",".join(LINK_DECISIONS)}"', allow_blank=True, showErrorMessage=True
    )
    choice.promptTitle, choice.showInputMessage = "Is this the same human?", True
    choice.prompt = (
        "Fill decision, decided_by and decided_on, save, and drop the workbook into the inbox. Blank: not yet."
    )
    day = DataValidation(type="date", operator="greaterThan", formula1="36526", allow_blank=True, showErrorMessage=True)
    for validation, name in ((choice, "decision"), (day, "decided_on")):
        letter = "ABCDEFGH"[ANSWERS.index(name)]
        validation.add(f"{letter}2:{letter}{found.height + 1}")
        sheet.add_data_validation(validation)
    sheet.freeze_panes = "C2"
    set_up_page(sheet, footer, tab="B3413A", pages_wide=2)
