"""What must be told nowhere of a book (names, tax ids, account numbers), and finding it in whatever a run leaves."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

_TAX_ID = re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")
#: What OUT keeps of its runs that isn't client data by its nature, by what it is called.
KEPT = {
    "logs": ("logs/*.jsonl",),
    "run.json": ("runs/*/run.json",),
    "notes of failed runs": ("runs/*.failed.txt",),
    "audit log": ("state/audit.jsonl",),
    "state": ("state/protection.json", "state/purged.json", "state/nights/*/*.json"),
}


@dataclass(frozen=True)
class Secrets:
    """By kind, everything of a book's clients that may stand in archive, tables and workbooks only."""

    names: frozenset[str]
    tax_ids: frozenset[str]
    account_numbers: frozenset[str]

    @classmethod
    def of(cls, inbox: Path, canonical: Path | None = None) -> Secrets:
        """The secrets of the house files in `inbox` and, once they were read, of the custodians' files too."""
        with (inbox / "persons.csv").open(encoding="utf-8", newline="") as file:
            persons = list(csv.DictReader(file))
        with (inbox / "accounts.csv").open(encoding="utf-8", newline="") as file:
            accounts = {row["account_number"] for row in csv.DictReader(file)}
        names = {row[column] for row in persons for column in ("given_name", "family_name")}
        text = "\n".join(p.read_bytes().decode("utf-8", "replace") for p in sorted(inbox.rglob("*")) if p.is_file())
        ids = {row["tax_id"] for row in persons} | set(_TAX_ID.findall(text))
        for path in sorted(canonical.glob("*.parquet")) if canonical else ():
            accounts |= set(_numbers(pl.read_parquet(path)))
        known = {n for n in accounts if len(n) > 4 and not n.startswith("*")}
        return cls(
            frozenset(names | {name.upper() for name in names}) - {""},
            frozenset(form for tax_id in ids for form in spellings(tax_id)),
            frozenset(known | {re.sub(r"[ -]", "", number) for number in known}),
        )

    @property
    def every(self) -> frozenset[str]:
        """All of them."""
        return self.names | self.tax_ids | self.account_numbers

    def kinds(self) -> dict[str, frozenset[str]]:
        """All of them by kind."""
        return {"names": self.names, "tax ids": self.tax_ids, "account numbers": self.account_numbers}


def _numbers(table: pl.DataFrame) -> Iterator[str]:
    for column in ("account_number", "counter_account_number", "old_account_number"):
        if column in table.columns:
            yield from table[column].drop_nulls().unique()


def spellings(tax_id: str) -> Iterator[str]:
    """A tax id as files, spreadsheets and people write it: 012-34-5678, 012345678, 012 34 5678, 12345678, ..."""
    digits = tax_id.replace("-", "")
    if len(digits) == 9:
        yield digits
        yield digits.lstrip("0")
        yield from (sign.join((digits[:3], digits[3:5], digits[5:])) for sign in "- ./_")
        yield f"{digits[:2]}-{digits[2:]}"


def found_in(text: str, secrets: Iterable[str]) -> list[str]:
    """Those of the secrets that stand in `text` as words of their own, plain or escaped as JSON escapes them."""
    return sorted(s for s in secrets if any(_stands(form, text) for form in {s, json.dumps(s)[1:-1]}))


def _stands(word: str, text: str) -> bool:
    before = r"(?:(?<![^\W_])|(?<=\\[nrt]))"
    return word in text and re.search(rf"{before}{re.escape(word)}(?![^\W_])", text) is not None


def read(path: Path) -> str:
    """A file as text, whatever is in it."""
    return path.read_bytes().decode("utf-8", "replace")


def kept_in(out: Path, *, what: Iterable[str] = KEPT) -> dict[Path, str]:
    """The text of everything of these kinds in `out`; of delivered files' names, which stay as they came, nothing."""
    paths = sorted(path for kind in what for pattern in KEPT[kind] for path in out.glob(pattern))
    return {path: _without_names(path) if path.parent.parent.name == "nights" else read(path) for path in paths}


def _without_names(path: Path) -> str:
    """A night's JSON without the names files were delivered under: a night is read again under the same names."""
    stored = json.loads(read(path))
    if isinstance(stored, list):
        return json.dumps([rest for _, *rest in stored])
    return json.dumps(stored | {"took_in": [sha256 for _, sha256 in stored["took_in"]]})


@dataclass(frozen=True)
class Database:
    """Everything an SQLite database holds: its rows as text, and its bytes, where what was deleted may stay."""

    tables: int
    rows: int
    text: str

    @classmethod
    def of(cls, path: Path) -> Database:
        """Look into the database at `path`, and into the files beside it that belong to it."""
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            lines = list(db.iterdump())
        raw = "".join(read(part) for part in sorted(path.parent.glob(f"{path.name}*")))
        inserted = [line for line in lines if line.startswith("INSERT INTO")]
        tables = sum(line.startswith("CREATE TABLE") for line in lines)
        return cls(tables, len(inserted), "\n".join([*lines, raw]))
