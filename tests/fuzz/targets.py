"""One target per reader: bytes in, an outcome out, and what must hold of it whatever the bytes were.

`look` never fails for what a file is; it fails where a reader does: an exception, a line nobody accounts for, a message
without a rule or a fix, a word of the file in a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

import polars as pl

from tests.fuzz import corpus
from tests.fuzz.corpus import Seed
from transforms.intake.book import NO_KEYRING, digest, file_row
from transforms.intake.check import FileCheck
from transforms.intake.deliveries import read_delivery
from transforms.intake.lines import line_count
from transforms.intake.pgp import is_pgp
from transforms.intake.reading import Reading
from transforms.intake.register import Entry
from transforms.intake.set_aside import to_fix
from transforms.intake.understood import _each_line, _spans, _told

ROOT = Path(__file__).resolve().parents[2]
KEY = b"a key that only tests use"
NIGHT = date(2026, 11, 25)
_RULE = re.compile(r"[a-z][a-z0-9_]{2,40}")
_WORD = re.compile(r"[A-Za-z]{4,}|[0-9]{5,}")
#: Messages that name columns of a header (which of a file's words may be shown there, `drift` decides) or totals of a
#: whole file.
_NAMES_COLUMNS = ("kind_not_known", "total_differs", "count_differs")
_LONGEST_MESSAGE = 4_000
_PACKED = (b"PK", b"\x1f\x8b")


@dataclass(frozen=True)
class Outcome:
    """What came of a file: how many rows were accepted, and the rules of what was set aside."""

    accepted: int
    rules: tuple[str, ...]


@cache
def _our_words() -> frozenset[str]:
    """Every word of our own code and layouts: what a message may be made of."""
    paths = [*(ROOT / "transforms").rglob("*.py"), *(ROOT / "schemas").rglob("*.py"), *ROOT.glob("schemas/**/*.toml")]
    return frozenset(word.lower() for path in paths for word in _WORD.findall(path.read_text(encoding="utf-8")))


def look(data: bytes, name: str) -> Outcome:
    """Read bytes as tonight's run and as `rothbook check` would; raises `AssertionError` where that doesn't hold."""
    entry = Entry(NIGHT, name, sha256(data).hexdigest())
    readings = read_delivery(data, entry, NO_KEYRING, {})
    assert readings
    tables, rejected = digest([r for r in readings if not r.repeats], KEY)
    assert not [r.error.message for r in readings if r.error and r.error.rule == "reader_failed"]
    by_sha = {r.entry.sha256: r for r in readings}
    to_fix(rejected, by_sha)
    _rejects_are_told(rejected, data)
    rows = [_row(r, rejected) for r in readings]
    if len(readings) == 1 and not data.startswith(_PACKED) and not is_pgp(data):
        _lines_are_accounted_for(readings[0], data)
        _lines_are_understood(readings[0], data)
    for reading in readings:
        said = FileCheck(reading, {n: t.height for n, t in tables.items()}, rejected).lines()
        assert said
        assert all(len(line) <= _LONGEST_MESSAGE for line in said)
    return Outcome(sum(rows), tuple(rejected["rule"]))


def _row(reading: Reading, rejected: pl.DataFrame) -> int:
    mine = rejected.filter(pl.col("source_sha256") == reading.entry.sha256)
    row = file_row(reading, mine.drop_nulls("line_number")["line_number"].n_unique())
    accepted, aside, rows = row["accepted"], row["rejected"], row["rows"]
    assert isinstance(accepted, int)
    assert (accepted >= 0, accepted + aside) == (True, rows)  # type: ignore[operator]
    return accepted


def _rejects_are_told(rejected: pl.DataFrame, data: bytes) -> None:
    words: set[str] = set()
    for file, line, rule, message in rejected.select("file", "line_number", "rule", "message").iter_rows():
        assert file
        assert line is None or line >= 1
        assert _RULE.fullmatch(rule), rule
        assert message, rule
        assert message.isprintable(), rule
        assert len(message) <= _LONGEST_MESSAGE, rule
        if rule not in _NAMES_COLUMNS:
            words |= {w.lower() for w in _WORD.findall(message)}
    foreign = words - _our_words()
    text = data.lower()
    quoted = [word for word in foreign if word.encode() in text]
    assert not quoted, f"a message quotes the file: {quoted}"


def _lines_are_accounted_for(reading: Reading, data: bytes) -> None:
    lines = reading.lines
    total, every = lines.pop("total"), sum(lines.values())
    assert total == every
    together = reading.custodian_profile is not None and reading.custodian_profile.format == "fixed"
    if together and line_count(data) <= 1:
        return  # records run together: each is a line
    assert total == line_count(data)


def _lines_are_understood(reading: Reading, data: bytes) -> None:
    spans = _spans(reading, data) if reading.error is None and reading.counts else []
    if spans:
        assert len(_each_line(_told(spans, reading, KEY))) == sum(reading.counts.values())


def _as_sheet(data: bytes) -> bytes:
    return data if data.startswith(b"PK") else corpus.workbook(sheet=data)


def _as_marks(data: bytes) -> bytes:
    return corpus.zipped({**corpus.marked(), corpus.SHEET: data})


def _as_member(data: bytes) -> bytes:
    return data if data.startswith((b"PK", b"\x1f\x8b", b"-----BEGIN", b"\x85")) else corpus.zipped({"a.csv": data})


@dataclass(frozen=True)
class Target:
    """A reader: what it is given to begin with, and how bytes are wrapped for it."""

    seeds: Callable[[], tuple[Seed, ...]]
    wrap: Callable[[bytes], bytes] = bytes

    def run(self, data: bytes, name: str) -> Outcome:
        """Look at the bytes as this reader's."""
        return look(self.wrap(data), name)


def _sheets() -> tuple[Seed, ...]:
    return (Seed("b.xlsx", corpus.PARTS[corpus.SHEET].encode()), Seed("c.xlsx", corpus.workbook()))


TARGETS: dict[str, Target] = {
    "house": Target(corpus.house),
    "delimited": Target(lambda: corpus.custodian("delimited")),
    "fixed": Target(lambda: corpus.custodian("fixed")),
    "records": Target(lambda: corpus.custodian("records")),
    "pub1220": Target(lambda: corpus.custodian("pub1220")),
    "ofx": Target(lambda: corpus.structured(".ofx .qfx")),
    "flex": Target(lambda: corpus.structured(".xml")),
    "xlsx": Target(_sheets, _as_sheet),
    "marks": Target(lambda: (Seed("A1.xlsx", corpus.marked()[corpus.SHEET]),), _as_marks),
    "archive": Target(corpus.archives, _as_member),
}
