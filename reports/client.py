"""What a run knows of one client in one tax year, for the page: names, masks and blanks are the workbooks'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from reports.book import Book
from reports.sheet import prose

Rows = list[dict[str, Any]]

#: Longest name or text of a source on the page; what is longer ends in an ellipsis.
NAME, TEXT = 48, 420


class UnknownClient(LookupError):
    """The run has no such person, or didn't compute the tax year asked for."""


@dataclass(frozen=True)
class Client:
    """One client and tax year. `rows`: results by table, no number where UNKNOWN; `facts`: as stated."""

    person_id: str
    tax_year: int
    as_of: date
    name: str
    household: str
    advisor: str
    spouse: str
    facts: dict[str, Any]
    rows: dict[str, Rows]

    def one(self, table: str) -> dict[str, Any]:
        """The one row of a table with a row per person and year; an empty one if there is none."""
        return next(iter(self.rows[table]), {})


def read_client(run: Path, book: Book, person_id: str, tax_year: int) -> Client:
    """Everything the run knows of a person in a tax year it computed; UnknownClient if there is no such thing."""
    found = book.frames["persons"].filter(pl.col("person_id") == person_id)
    if found.is_empty() or tax_year not in book.tax_years:
        raise UnknownClient
    person = found.row(0, named=True)
    ids = [person_id, *_stand_ins(run, person_id)]
    profiles = pl.scan_parquet(run / "canonical" / "tax_profiles.parquet")
    stated = profiles.filter(pl.col("person_id").is_in(ids), pl.col("tax_year") == tax_year).collect()
    records = pl.scan_parquet(run / "canonical" / "persons.parquet").filter(pl.col("person_id").is_in(ids)).collect()
    facts = _agreed(stated) | _agreed(records.select("birth_date", "spouse_person_id"))
    advisors = {a.advisor_id: a.name for a in book.advisors}
    return Client(
        person_id,
        tax_year,
        book.as_of,
        short(person["client"], NAME),
        short(person["household_id"], 20),
        short(advisors.get(person["advisor_id"]), NAME),
        _spouse(run, book, facts, person["advisor_id"]),
        facts,
        _rows(run, book, person_id, tax_year),
    )


def short(text: str | None, most: int = TEXT) -> str:
    """`text` on one line, masked, and cut where it is longer than `most` characters."""
    line = " ".join((prose(text) or "").split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _rows(run: Path, book: Book, person_id: str, tax_year: int) -> dict[str, Rows]:
    of_year = pl.col("tax_year").is_null() | (pl.col("tax_year") == tax_year)
    its_own = (pl.col("person_id") == person_id) & of_year
    shown = ("form_8606", "ira_limits", "mega_backdoor", "accounts")
    found = {name: book.frames[name].filter(its_own).to_dicts() for name in shown}
    one_of_several = pl.col("years").str.contains(str(tax_year), literal=True).fill_null(value=False)
    own_of_several = (pl.col("person_id") == person_id) & (of_year | one_of_several)
    for name in ("exceptions", "data_problems"):
        found[name] = book.frames[name].filter(own_of_several).to_dicts()
    for folder, names in (
        ("results", ("ways_out", "after_tax_conversions", "excess_contributions")),
        ("derived", ("evidence", "plan_years")),
    ):
        for name in names:
            path = run / folder / f"{name}.parquet"  # a run of an older version may not have it
            found[name] = pl.scan_parquet(path).filter(its_own).collect().to_dicts() if path.exists() else []
    return found


def _stand_ins(run: Path, person_id: str) -> list[str]:
    """The person_ids this one stands for by an approved link."""
    merged = _merged(run)
    return sorted(merged.filter(pl.col("survivor_id") == person_id)["person_id"])


def _merged(run: Path) -> pl.DataFrame:
    path = run / "derived" / "merged_persons.parquet"
    return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema={"person_id": str, "survivor_id": str})


def _agreed(records: pl.DataFrame) -> dict[str, Any]:
    """By column the value stated, if all records that state one agree."""
    stated = {name: set(records[name].drop_nulls()) for name in records.columns}
    return {name: values.pop() if len(values) == 1 else None for name, values in stated.items()}


def _spouse(run: Path, book: Book, facts: dict[str, Any], advisor_id: str) -> str:
    """The spouse by name, if the advisor has both; otherwise what may be said of them. Empty: none is stated."""
    spouse_id = facts["spouse_person_id"]
    if spouse_id is None:
        return ""
    survivors = dict(_merged(run).iter_rows())
    found = book.frames["persons"].filter(pl.col("person_id") == survivors.get(spouse_id, spouse_id))
    if found.is_empty():
        return "Stated, but not in the book"
    spouse = found.row(0, named=True)
    return short(spouse["client"], NAME) if spouse["advisor_id"] == advisor_id else "With another advisor of the firm"
