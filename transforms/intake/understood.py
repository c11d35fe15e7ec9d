"""How every line of a file is understood: its class, what it became, or the rule it was set aside by. Never a cell.

Beside line numbers and our own names only closed vocabularies are said: transaction types and account types.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import polars as pl

from schemas.profile import Profile
from schemas.tables import UNCLASSIFIED
from transforms.intake import lines
from transforms.intake.book import digest
from transforms.intake.reading import Reading, read_file
from transforms.intake.register import Entry, looked_at_on

#: How many line numbers are shown of each way of understanding a line, unless all are asked for.
SHOWN = 5
_UNREADABLE = {
    "ambiguous": "unclassified: a known code that means different things",
    "unmapped": "unclassified: a code the profile doesn't know",
}
_WHAT = {"transactions": "transaction_type", "accounts": "account_type", "balances": "coverage"}
Span = tuple[int, int, str, str]


def understood(path: Path, firm_key: bytes, *, every: bool = False) -> list[str]:
    """What to print of the lines of one file: each way of understanding with its first lines, or (`every`) each line.

    Empty for a file set aside as a whole, and for formats that aren't read line by line. Raises `OSError`.
    """
    data = path.read_bytes()
    reading = read_file(data, Entry(looked_at_on(), path.name, sha256(data).hexdigest()))
    if reading.error or not reading.counts:
        return []
    spans = _spans(reading, data)
    if not spans:
        return ["  this format isn't read line by line"]
    told = _told(spans, reading, firm_key)
    return _each_line(told) if every else _first_lines(told)


def _told(spans: list[Span], reading: Reading, firm_key: bytes) -> pl.DataFrame:
    """One row per physical line: `line` and `what`, what the line is and became."""
    every = pl.DataFrame(spans, schema=["first", "last", "class", "section"], orient="row")
    became = _became(reading, firm_key)
    joined = every.join(became, left_on="first", right_on="line", how="left", maintain_order="left")
    kept = pl.when(pl.col("class") == "data").then(
        pl.col("became").fill_null("no row of its own (added to another line's, or replaced by one)")
    )
    what = pl.concat_str("class", pl.col("section").replace("", None), kept, separator=", ", ignore_nulls=True)
    numbers = pl.int_ranges("first", pl.col("last") + 1).alias("line")
    return joined.select(numbers, what.alias("what")).explode("line")


def _became(reading: Reading, firm_key: bytes) -> pl.DataFrame:
    """Per line with rows or rejects: the tables it gave rows to with their types, or the rules it broke."""
    tables, rejected = digest([reading], firm_key)
    parts = [frame.select("source_line", _says(name)) for name, frame in tables.items() if frame.height]
    aside = rejected.drop_nulls("line_number").select(
        pl.col("line_number").alias("source_line"),
        pl.concat_str(pl.lit("set aside: "), "rule", (pl.lit(" in column ") + pl.col("column")).fill_null("")).alias(
            "became"
        ),
    )
    whole = pl.concat([*parts, aside]).unique().sort("source_line", "became")
    return whole.group_by(pl.col("source_line").alias("line")).agg(pl.col("became").str.join("; "))


def _says(table: str) -> pl.Expr:
    kind = pl.col(_WHAT[table]).cast(pl.String) if table in _WHAT else pl.lit(None, pl.String)
    if table == "transactions":
        reason = pl.col("classification").replace_strict(_UNREADABLE, default=None, return_dtype=pl.String)
        kind = pl.when(kind == UNCLASSIFIED).then(reason).otherwise(kind)
    return pl.concat_str(pl.lit(table), kind, separator=" ", ignore_nulls=True).alias("became")


def _spans(reading: Reading, data: bytes) -> list[Span]:
    """First and last line, class and section of every record of the file."""
    profile = reading.custodian_profile
    if profile is None:
        return _house_spans(data) if reading.house is not None else []
    if profile.format not in ("delimited", "fixed"):
        return []
    return _custodian_spans(profile, lines.decode(data, profile.encoding))


def _house_spans(data: bytes) -> list[Span]:
    every = list(lines.records(lines.decode(data, "utf-8-sig"), ","))
    first, rest = every[0], every[1:]
    return [
        (first.first, first.last, "header", ""),
        *((r.first, r.last, "blank" if r.is_blank else "data", "") for r in rest),
    ]


def _custodian_spans(profile: Profile, text: str) -> list[Span]:
    found = lines.scan(profile, text, {})
    section = {line: t.section for t in found.tables for line in t.lines}
    unknown = {record.first for record, _ in found.unknown}
    starts = sorted(found.raw)
    total = sum(found.counts.values())
    spans = []
    for first, after in zip(starts, [*starts[1:], total + 1], strict=True):
        if first in section:
            row = section[first]
            spans.append((first, after - 1, row.line_class, f"section {row.name}"))
        else:
            spans.append((first, after - 1, _class(profile, found.raw[first], known=first not in unknown), ""))
    return spans


def _class(profile: Profile, raw: str, *, known: bool) -> str:
    if not known:
        return "unknown"
    rule = next((r for r in profile.lines if r.match.search(raw)), None)
    if rule is not None:
        return rule.line_class
    return "header" if raw.strip(' ,;|\t"\r\n') else "blank"


def _each_line(told: pl.DataFrame) -> list[str]:
    return [f"  line {line}: {what}" for line, what in told.select("line", "what").iter_rows()]


def _first_lines(told: pl.DataFrame) -> list[str]:
    ways = told.group_by("what", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("line").head(SHOWN).cast(pl.String).str.join(", ").alias("first")
    )
    return [
        f"  {what}: line{'' if count == 1 else 's'} {first}" + (f" and {count - SHOWN:,} more" if count > SHOWN else "")
        for what, count, first in ways.iter_rows()
    ]
