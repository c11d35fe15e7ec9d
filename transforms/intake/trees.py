"""What nested files (OFX, Flex XML) have in common: rows with the line their element starts on, and honest line counts.

A line of such a file may hold several records, and a record several lines. Each physical line is in one class: `header`
(declarations before the content), `blank`, `data` (at least a part of a record is on it), else `preamble`: the envelope
around the records. `rows` counts records.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import polars as pl

from schemas.models import read_date
from schemas.profile import Profile
from transforms.intake.frames import blank_to_null
from transforms.intake.mapping import Mapped

Row = dict[str, str | None]

#: Some institutions write a file as one line; the quarantine doesn't repeat it for each of its records.
RAW_LONGEST = 4000
#: How many names a note lists, and what a name is.
_MOST_NAMES = 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,60}")

#: The fields of a row of each section, all text.
FIELDS = {
    "accounts": ("account", "label", "owner_name", "opened_on"),
    "positions": ("account", "label", "value", "as_of", "mode"),
    "transactions": ("account", "label", "date", "action", "symbol", "quantity", "description", "amount"),
}


@dataclass
class Tree:
    """The records of one nested file. `notes` are told once per file and quote nothing of it but element names."""

    profile: Profile
    rows: dict[str, list[tuple[int, Row]]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    spans: list[tuple[int, int]] = field(default_factory=list)
    header_lines: int = 0
    subtotal_spans: list[tuple[int, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, section: str, first: int, last: int, row: Row) -> None:
        """A record of a section, from its first to its last line."""
        self.rows[section].append((first, row))
        self.spans.append((first, last))

    @property
    def note(self) -> str | None:
        """The notes as one text; None if there are none."""
        return "; ".join(self.notes) or None


def few(names: Collection[str]) -> str:
    """Names of elements or attributes as a note tells them: in order, not too many, and none that is no plain name."""
    plain = sorted({name for name in names if _NAME.fullmatch(name)})
    more = len(set(names)) - len(plain[:_MOST_NAMES])
    return ", ".join([*plain[:_MOST_NAMES], *([f"{more} more"] if more else [])])


def physical_lines(text: str) -> list[str]:
    """The lines of a text without their ends, as every reader here counts them."""
    return [line.rstrip("\r\n") for line in io.StringIO(text, newline="")]


def raw(line: str) -> str:
    """What the quarantine keeps of a line: all of it, or its start where a whole file is one line."""
    return line if len(line) <= RAW_LONGEST else line[:RAW_LONGEST] + " [cut: the whole line is in the archive]"


def line_counts(tree: Tree, lines: list[str]) -> Counter[str]:
    """How many physical lines are in which class; their sum is the number of lines."""
    data, subtotal = _covered(tree.spans), _covered(tree.subtotal_spans)
    counts: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            counts["blank"] += 1
        elif number in data:
            counts["data"] += 1
        elif number in subtotal:
            counts["subtotal"] += 1
        else:
            counts["header" if number <= tree.header_lines else "preamble"] += 1
    return counts


def _covered(spans: Iterable[tuple[int, int]]) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


def frames(tree: Tree) -> dict[str, pl.DataFrame]:
    """One all-text frame per section that has rows, with `source_line`."""
    return {name: _frame(name, rows) for name, rows in tree.rows.items() if rows}


def _frame(section: str, rows: list[tuple[int, Row]]) -> pl.DataFrame:
    names = list(FIELDS[section])
    cells = {name: [row.get(name) for _, row in rows] for name in names}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String))
    return blank_to_null(frame, names).with_columns(pl.Series("source_line", [line for line, _ in rows], pl.Int64))


def accounts(profile: Profile, frame: pl.DataFrame, into: Mapped) -> None:
    """An account row per statement: the type its label certainly states, else `other` with the label."""
    once = frame.unique(["source_sha256", "account_number", "label"], keep="first", maintain_order=True)
    types = [profile.account_type(label, None) for label in once["label"]]
    typed = once.with_columns(pl.Series("account_type", types, pl.String))
    unknown = pl.when(pl.col("account_type") == "other").then(pl.col("label"))
    into.add("accounts", typed.with_columns(
        unknown.alias("custodian_code"),
        read_date(pl.col("opened_on"), profile.dates).alias("opened_on"),
        pl.lit(profile.custodian).alias("custodian"),
    ))  # fmt: skip
