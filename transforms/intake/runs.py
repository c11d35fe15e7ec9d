"""Long runs of ordinary rows in a delimited custodian file, told apart and split by Polars instead of one by one.

`lines.scan` is the judge of every line. A line is left to it unless all that makes it a row of its table can be told in
one go: it is ASCII text, so that Python and Polars mean the same by spaces and digits; quoted cells are whole in it, so
that it is a record; it isn't blank, no line rule of the profile fits it and it can't be a header; and for its table it
has cells enough and not too many, and the right thing in the cell by which rows are known. So a line that is passed
over here costs time, never another result.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

import polars as pl

from schemas.profile import Profile, Section

#: Lines under a header that are too few to be worth it.
LONG = 200
#: Wider tables are left to the judge, who refuses those that are far too wide.
_WIDEST = 500

#: What Python's and Polars' regular expressions don't have in common, or read differently.
_OTHERWISE = re.compile(r"\[[^\]]*\[|&&|--|~~|\\[<>zZ]|\\b\{|\{,|[*+?}]\+|\(\?(?!:|P<)")
_LOOKAHEAD = re.compile(r"\(\?![^()\\]*\)")
#: Controls, of which Python takes some for spaces and Polars doesn't: all but tabs and what ends a line.
_CONTROLS = [chr(n) for n in (*range(9), *range(14, 32), 127)]


@dataclass(frozen=True)
class Rows:
    """Rows of one table: as `SectionRows.runs` has them, and their lines as (first, last + 1), from nought."""

    frame: pl.DataFrame | None = None
    runs: Sequence[tuple[int, int]] = field(default_factory=list)

    def of(self, lines: Sequence[range]) -> list[pl.DataFrame]:
        """The rows of these of the lines, which are counted from 1."""
        if self.frame is None or sum(map(len, lines)) == self.frame.height:
            return [self.frame] if self.frame is not None else []
        return [self.frame.filter(pl.col("source_line").is_in(list(chain.from_iterable(lines))))]


class Runs:
    """The lines of one file, with what can be told of them before their table is known."""

    def __init__(self, profile: Profile, lines: list[str]) -> None:
        """`lines` are physical lines with what ends them."""
        self.lines = lines
        self._delimiter = profile.delimiter
        self._headers: list[int] = []
        self._plain = pl.DataFrame()
        rules = [_shared(_LOOKAHEAD.sub("", rule.match.pattern), rule.match.flags) for rule in profile.lines]
        known = [pattern for pattern in rules if pattern is not None]
        if len(lines) < LONG or len(known) < len(rules):
            self.raw = [""] * len(lines)
            return
        line = pl.col("line")
        every = pl.DataFrame({"line": lines}, schema={"line": pl.String}).select(
            line.str.strip_chars_end("\r\n"), pl.int_range(pl.len(), dtype=pl.Int64).alias("nth")
        )
        self.raw = every["line"].to_list()
        every = every.with_columns(_may_be_header(profile, every), _cells(every["line"], profile.delimiter))
        # a record of several lines may be a header too
        self._headers = every.filter(pl.col("header") | pl.col("cells").is_null())["nth"].to_list()
        content = line.str.contains(f'[^\\s"{re.escape(profile.delimiter)}]')
        self._plain = every.filter(
            ~pl.col("header") & pl.col("cells").is_not_null() & content & ~_odd(lines),
            *(~line.str.contains(pattern) for pattern in known),
        )

    def next_header(self, at: int) -> int:
        """The first line after `at` with which a header may begin; the number of lines if there is none."""
        place = bisect_right(self._headers, at)
        return self._headers[place] if place < len(self._headers) else len(self.lines)

    def rows(self, section: Section, header: list[str], width: int, start: int, stop: int) -> Rows:
        """The lines between `start` and `stop` that surely are rows of a table with this header."""
        most = max(width + max(section.widths), len(header))  # empty cells at the end of a header have no name
        # a payroll row is also known by the text of all its cells
        if stop - start < LONG or self._plain.is_empty() or section.shape == "payroll" or most > _WIDEST:
            return Rows()
        nth = self._plain["nth"]
        begin, end = nth.search_sorted(start), nth.search_sorted(stop)
        some = self._plain.slice(begin, end - begin).filter(pl.col("cells") <= most)
        data = _is_data(section, header, width, most)
        split = _split(some, most, self._delimiter) if some.height >= LONG and data is not None else None
        if split is None or data is None:
            return Rows()
        frame = split.filter(data)
        return Rows(frame.drop("cells"), _runs(frame["source_line"] - 1))


def _shared(pattern: str, flags: int = re.UNICODE.value) -> str | None:
    """A pattern that means the same to Polars on ASCII text; None if it may not."""
    return pattern if flags == re.UNICODE and not _OTHERWISE.search(pattern) and _compiles(pattern) else None


@cache
def _compiles(pattern: str) -> bool:
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError:
        return False
    return True


def _cells(line: pl.Series, delimiter: str) -> pl.Series:
    """How many cells every line has; null where a quoted one isn't whole in it, from delimiter to delimiter."""
    apart = re.escape(delimiter)
    cell = f'(?:[^"{apart}]*|"(?:[^"]|"")*")'
    cells = (line.str.count_matches(delimiter, literal=True).cast(pl.Int64) + 1).alias("cells")
    places = line.str.contains('"', literal=True).arg_true()
    quoted = line.gather(places)
    unquoted = quoted.str.replace_all('"[^"]*"', "").str.count_matches(delimiter, literal=True).cast(pl.Int64) + 1
    whole = quoted.str.contains(f"^{cell}(?:{apart}{cell})*$")
    return cells.scatter(places, unquoted.set(~whole, None))


def _odd(lines: list[str]) -> pl.Expr:
    """Lines with controls or anything beyond ASCII, of which there are few if any."""
    line, text = pl.col("line"), "".join(lines)
    beyond = pl.lit(value=False) if text.isascii() else line.str.len_bytes() != line.str.len_chars()
    there = [control for control in _CONTROLS if control in text]
    return pl.any_horizontal(beyond, *(line.str.contains(control, literal=True) for control in there))


def _may_be_header(profile: Profile, every: pl.DataFrame) -> pl.Series:
    """What `lines._may_be_header` says of each line."""
    may_be = pl.repeat(value=False, n=every.height, dtype=pl.Boolean, eager=True).alias("header")
    if profile.columns:
        return may_be
    for section in profile.sections:
        lines = every.select("line", pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"))
        for name in section.required:  # few lines have the first name
            lines = lines.filter(pl.col("line").str.contains(name, literal=True))
        may_be.scatter(lines["place"], True)  # noqa: FBT003 - the value of a Series
    return may_be


def _split(some: pl.DataFrame, width: int, delimiter: str) -> pl.DataFrame | None:
    """The cells of the lines, with `cells`, how many there are, and `source_line`; None where Polars finds others."""
    names = [str(n) for n in range(width)]
    text = some["line"].str.join("\n").item()
    try:
        found = pl.read_csv(
            text.encode(), has_header=False, schema=dict.fromkeys(names, pl.String), separator=delimiter,
            quote_char='"', eol_char="\n", encoding="utf8", extra_columns="raise", missing_columns="insert",
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    if found.height != some.height:
        return None
    return found.with_columns(some["cells"], (some["nth"] + 1).alias("source_line"))


def _is_data(section: Section, header: list[str], width: int, most: int) -> pl.Expr | None:
    """What `lines._is_data` says of the cells of a line; None where a pattern doesn't mean the same to Polars."""
    more = pl.col("cells") - width
    beyond = pl.any_horizontal(
        pl.lit(value=False), *(_trimmed(n) != "" for n in range(width, most))
    )  # cells a line lacks are empty
    fits = pl.when(beyond).then(more).otherwise(pl.min_horizontal(more, 0)).is_in(section.widths)
    if section.data_match is None:
        return fits
    pattern = _shared(section.data_match.pattern, section.data_match.flags)
    place = place_of(header, section.fields[section.data_field])
    if pattern is None or place is None or place >= most:
        return None
    return fits & _trimmed(place).str.contains(pattern)


def _trimmed(place: int) -> pl.Expr:
    return pl.col(str(place)).str.strip_chars().fill_null("")


def place_of(header: list[str], names: Sequence[str]) -> int | None:
    """Where the first of `names` that a header has stands in it; None if it has none."""
    return next((header.index(name) for name in names if name in header), None)


def cell_in(frame: pl.DataFrame, place: int | None) -> pl.Expr:
    """The text of the cell at a place of every row of a frame of runs; null where there is none."""
    known = place is not None and str(place) in frame.columns
    return pl.col(str(place)) if known else pl.lit(None, pl.String)


def _runs(nth: pl.Series) -> list[tuple[int, int]]:
    """Rising numbers as (first, last + 1) of those that follow one another."""
    firsts = nth.filter((nth.diff() != 1).fill_null(value=True))
    lasts = nth.filter((nth.diff(-1) != -1).fill_null(value=True)) + 1
    return list(zip(firsts.to_list(), lasts.to_list(), strict=True))
