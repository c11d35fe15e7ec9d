"""Nights of intake for tests: files in, canonical tables out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from schemas.tables import INPUT_TABLES
from transforms.intake import BookCounts, Register, deliver, read_book

GOLDEN = Path(__file__).parents[1] / "golden" / "profiles"
KEY = b"a key that only tests use"
#: Columns a golden file has only where a row takes another one back.
AMENDMENTS = ("cancels_transaction_id", "reverses")

#: What several tests write: the header of transactions, two persons (one tax id is none), and a correction.
TX = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year\n"
PERSONS = "person_id,advisor_id,given_name,family_name,tax_id\nP1,A1,Ana,Neil,901-14-7721\nP2,A1,Bo,Roe,not one\n"
FIXES = (
    "table,row_key,column,value_in_source,corrected_value,declared_by,declared_on,reason\n"
    "transactions,transaction_id=T3;account_number=003,amount,3.00,3.50,Ann,2026-03-02,typo\n"
)


@dataclass
class Night:
    """What one night left behind."""

    register: Register
    counts: BookCounts
    canonical: Path
    out: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.canonical / f"{name}.parquet")

    @property
    def rejects(self) -> pl.DataFrame:
        return self.table("rejects")

    @property
    def files(self) -> pl.DataFrame:
        return self.table("files")

    def rules(self) -> list[str]:
        return self.rejects["rule"].to_list()


@dataclass
class Book:
    """An inbox and what grows out of it, night after night."""

    root: Path
    nights: list[Night] = field(default_factory=list)

    def drop(self, name: str, content: str | bytes) -> Book:
        path = self.root / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def clear(self) -> Book:
        for path in (self.root / "inbox").rglob("*"):
            if path.is_file():
                path.unlink()
        return self

    def night(self, as_of: str = "2026-03-01") -> Night:
        (self.root / "inbox").mkdir(parents=True, exist_ok=True)
        out, number = self.root / "out", len(self.nights)
        previous = self.root / f"register-{number - 1}.json" if number else None
        register = deliver(self.root / "inbox", out, previous, date.fromisoformat(as_of), settle_seconds=0)
        counts = read_book(register, out, self.root / f"canonical-{number}", KEY)
        counts.register.write(self.root / f"register-{number}.json")
        self.nights.append(Night(register, counts, self.root / f"canonical-{number}", out))
        return self.nights[-1]


def sample(profile: str, name: str) -> bytes:
    return (GOLDEN / profile / name).read_bytes()


def shown(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """A canonical table as the golden CSVs hold it: text, without what only says where it came from."""
    keep = [
        c for c in INPUT_TABLES[table].schema if c not in ("source_sha256", "source_file", "received_at", "profile")
        and not (c in AMENDMENTS and frame[c].null_count() == frame.height)
    ]  # fmt: skip
    return frame.select(pl.col(c).cast(pl.String) for c in keep)
