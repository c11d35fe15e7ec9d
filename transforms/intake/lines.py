"""From bytes to classified lines: decode as declared, split into records, say of every line what it is.

Nothing is guessed: encoding and delimiter come from the profile (UTF-8 and comma for house files), and every physical
line is counted in exactly one class. A file that can't be read as what it claims to be raises `FileSetAside`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

import polars as pl

from schemas.profile import LineRule, Profile, Section
from transforms.intake.logical import logical_records
from transforms.intake.runs import Rows, Runs, place_of

_CURRENCY = re.compile(r"\s*\(\$\)$")
#: Characters of one line of a delimited file, and its cells: patterns of profiles are matched against whole lines.
MAX_LINE = 32_768
MAX_COLUMNS = 2_000
#: What Python's `splitlines` takes for the end of a line and CSV doesn't.
_OTHER_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


class FileSetAside(Exception):
    """The whole file is set aside: `rule` is its snake_case name, the message says what was expected.

    `advisor_id` is whose workbook it is, where it says so itself.
    """

    def __init__(self, rule: str, message: str, advisor_id: str | None = None) -> None:
        super().__init__(message)
        self.rule, self.advisor_id = rule, advisor_id


class Record(NamedTuple):
    """One record: first and last physical line (from 1), its cells, and the text it was read from."""

    first: int
    last: int
    cells: list[str]
    raw: str

    @property
    def lines(self) -> int:
        """How many physical lines the record takes up."""
        return self.last - self.first + 1

    @property
    def is_blank(self) -> bool:
        """True when no cell holds anything but spaces."""
        return not any(cell.strip() for cell in self.cells)


@dataclass
class SectionRows:
    """The data rows of one section of one file, cell by cell, with what the lines around them said.

    `width` is the number of named cells of the header: empty ones at its end don't count. `lines`, `groups` and
    `context` are of every row, in order. The cells of a row are either in `cells`, by its first line, or in one of the
    frames of `runs`: columns "0", "1" ... as text, untrimmed, empty ones null, and `source_line`.
    """

    section: Section
    header: list[str]
    width: int
    cells: dict[int, list[str]] = field(default_factory=dict)
    runs: list[pl.DataFrame] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    context: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Total:
    """A control total the file states: the rows of `group` before `line` should sum to `text`."""

    group: int
    line: int
    text: str


@dataclass
class Scan:
    """Every line of one custodian file, classified."""

    counts: Counter[str] = field(default_factory=Counter)
    tables: list[SectionRows] = field(default_factory=list)
    unknown: list[tuple[Record, str | None]] = field(default_factory=list)
    raw: dict[int, str] = field(default_factory=dict)
    totals: list[Total] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    complete: bool = False
    group: int = 0
    context: dict[str, str] = field(default_factory=dict)


def decode(data: bytes, encoding: str) -> str:
    """The text of a file in its declared encoding, or in UTF-8 where a byte order mark says so.

    Sets aside what isn't text in that encoding.
    """
    if data.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as bad:
        line = data[: bad.start].count(b"\n") + 1
        expected = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        raise FileSetAside(
            "wrong_encoding", f"line {line} isn't {expected} text; save the file as {expected} and drop it again"
        ) from None


def line_count(data: bytes) -> int:
    """How many physical lines a text has, whatever ends them."""
    returns = data.count(b"\r")
    ends = data.count(b"\n") + returns - (data.count(b"\r\n") if returns else 0)
    return ends + (1 if data and not data.endswith((b"\n", b"\r")) else 0)


def records(text: str, delimiter: str) -> Iterator[Record]:
    """The delimited records of a text; a quoted line break keeps a record together over several lines."""
    lines = _physical_lines(text)
    return _records(lines, delimiter, 0, len(lines))


def _physical_lines(text: str) -> list[str]:
    """The lines of a text with what ends them; sets it aside where one is too long."""
    # splitlines is three times as fast, and the same thing but for these
    others = any(end in text for end in _OTHER_ENDS)
    lines = list(io.StringIO(text, newline="")) if others else text.splitlines(keepends=True)
    _refuse_long(lines)
    return lines


def _records(lines: list[str], delimiter: str, start: int, stop: int) -> Iterator[Record]:
    """The records of the lines from `start` (from nought) up to `stop`; the last one may go on beyond it."""
    rest = map(lines.__getitem__, range(start, len(lines)))
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    before = start
    try:
        while before < stop:
            cells = next(reader)
            if len(cells) > MAX_COLUMNS:
                raise FileSetAside(
                    "too_many_columns", f"line {before + 1} has more than {MAX_COLUMNS:,} cells; export fewer columns"
                )
            last = start + reader.line_num
            yield Record(before + 1, last, cells, "".join(lines[before:last]).rstrip("\r\n"))
            before = last
    except csv.Error as bad:
        what = "a quoted cell isn't closed or is followed by text"
        if str(bad).startswith("field larger"):
            what = f"a quoted cell isn't closed, or holds more than {csv.field_size_limit():,} characters"
        raise FileSetAside(
            "quotes_broken",
            f"line {before + 1}: {what}; the file is cut off or was edited: close the quote, or fetch the file again",
        ) from None


def _refuse_long(lines: list[str]) -> None:
    longest = max(map(len, lines), default=0)
    if longest > MAX_LINE:
        first = next(number for number, line in enumerate(lines, 1) if len(line) == longest)
        raise FileSetAside(
            "line_too_long",
            f"line {first} has more than {MAX_LINE:,} characters; its line ends were lost, or it "
            "isn't a table: export the file again",
        )


def header_name(cell: str) -> str:
    """A header cell without padding and without the ` ($)` some exports add."""
    return _CURRENCY.sub("", cell.strip())


def numbered(names: list[str]) -> list[str]:
    """Header names with repeated ones numbered in order: CLIENT SPECIFIC 1, CLIENT SPECIFIC 2."""
    seen: Counter[str] = Counter()
    often = Counter(names)
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} {seen[name]}" if name and often[name] > 1 else name)
    return result


def header_section(profile: Profile, names: set[str]) -> Section | None:
    """The section whose header a row of cells with these names is; None if it's no header of the profile."""
    fitting = [s for s in profile.sections if names.issuperset(s.required) and not names.intersection(s.absent)]
    return max(fitting, key=lambda s: len(s.required), default=None)


def scan(profile: Profile, text: str, context: dict[str, str]) -> Scan:
    """Classify every line of a custodian file. `context` is what the file name said (account, label).

    Sets the file aside when it is incomplete or contradicts itself; rows that fit nothing are in `unknown`.
    """
    found = Scan(context=dict(context))
    if profile.format == "fixed":
        _scan_fixed(profile, text, found)
    else:
        _scan_delimited(profile, text, found)
    if profile.complete_message and not found.complete:
        raise FileSetAside("incomplete_file", f"{profile.complete_message}: the file is cut off; fetch it again")
    _close(profile, found)
    _check_count(profile, found)
    return found


def _scan_delimited(profile: Profile, text: str, found: Scan) -> None:
    runs = Runs(profile, _physical_lines(text))
    table, at = _headerless(profile, found), 0
    while at < len(runs.lines):
        table, at = _scan_part(profile, runs, table, at, found)


def _scan_part(
    profile: Profile, runs: Runs, table: SectionRows | None, at: int, found: Scan
) -> tuple[SectionRows | None, int]:
    """Classify the lines from `at` up to the next header there may be: runs of rows as such, others one by one.

    Returns the table, and where to go on. A table that begins ends the part: in it, what is a row is another question.
    """
    stop = runs.next_header(at)
    rows = runs.rows(table.section, table.header, table.width, at, stop) if table is not None else Rows()
    taken: list[range] = []
    after = table
    for first, last in (*rows.runs, (stop, stop)):
        for record in _records(runs.lines, profile.delimiter, at, first):
            after, at = _take(profile, record, table, found), record.last
            if after is not table:
                break
        if after is not table:
            break
        if table is not None and max(at, first) < last:  # a record of several lines may have gone on into the run
            taken.append(_add_run(table, runs, max(at, first), last, found))
        at = max(at, last)
    if table is not None:
        table.runs.extend(rows.of(taken))
    return after, at


def _take(profile: Profile, record: Record, table: SectionRows | None, found: Scan) -> SectionRows | None:
    """Classify one record; returns the table the next one is in."""
    rule = _rule(profile, record.raw)
    may_be = rule is None and _may_be_header(profile, record)
    section = header_section(profile, {header_name(cell) for cell in record.cells}) if may_be else None
    if rule is not None:
        _apply(profile, *rule, record, found)
    elif record.is_blank:
        found.counts["blank"] += record.lines
    elif section is not None:
        names = numbered([header_name(c) for c in record.cells])
        _refuse_repeated(section, record)
        table = SectionRows(section, names, _named_width(record.cells))
        found.tables.append(table)
        found.headers.append(record.raw)
        found.counts["header"] += record.lines
    elif table is not None and _is_data(table, record):
        _add(table, record, found)
    else:
        found.counts["unknown"] += record.lines
        found.unknown.append((record, _account(table, record, found)))
    found.raw[record.first] = record.raw
    return table


def _may_be_header(profile: Profile, record: Record) -> bool:
    """False for a row whose text lacks a name that every header has: cheaper to tell than by its cells."""
    return not profile.columns and any(all(name in record.raw for name in s.required) for s in profile.sections)


def _refuse_repeated(section: Section, header: Record) -> None:
    """Raises `FileSetAside` where a column that is read stands in the header more than once."""
    often = Counter(header_name(cell) for cell in header.cells)
    read = {name for names in section.fields.values() for name in names}
    twice = sorted(name for name in read if often[name] > 1)
    if twice:
        raise FileSetAside(
            "column_repeated",
            f"line {header.first}: the header has the column {', '.join(twice)} more than once; export the file again",
        )


def _headerless(profile: Profile, found: Scan) -> SectionRows | None:
    """The one table of a delimited file without a header: its columns are called 1, 2, ..."""
    if not profile.columns:
        return None
    names = [str(n) for n in range(1, profile.columns + 1)]
    found.tables.append(SectionRows(profile.sections[0], names, profile.columns))
    return found.tables[0]


def _scan_fixed(profile: Profile, text: str, found: Scan) -> None:
    tables = {s.name: SectionRows(s, list(s.slices), 0) for s in profile.sections}
    found.tables.extend(tables.values())
    length = profile.record_length * max(1, len(profile.logical))
    for first, last, line, raw in logical_records(profile, fixed_lines(text, profile.record_length)):
        record = Record(first, last, [line], raw)
        rule = _rule(profile, line)
        section = next((s for s in profile.sections if s.match and s.match.match(line)), None)
        found.raw[first] = raw
        if found.complete and line.strip():
            raise FileSetAside(
                "data_after_trailer", f"line {first}: data follows the last record; fetch the file again, by itself"
            )
        if rule is not None:
            _apply(profile, *rule, record, found)
        elif not line.strip():
            found.counts["blank"] += 1
        elif section is None or len(line) != length:
            found.counts["unknown"] += record.lines
            found.unknown.append((record, None))
        else:
            _add(tables[section.name], record, found)


def fixed_lines(text: str, length: int) -> list[str]:
    """The records of a fixed-width text, with line ends (inside or after the record) or run together."""
    if "\n" not in text and "\r" not in text:
        return [text[start : start + length] for start in range(0, len(text), length)]
    lines = [line.rstrip("\r\n") for line in io.StringIO(text, newline="")]
    inside = bool(lines) and len(lines[0]) == length - 2
    return [line + "  " if inside and len(line) == length - 2 else line for line in lines]


def _rule(profile: Profile, raw: str) -> tuple[LineRule, re.Match[str]] | None:
    for rule in profile.lines:
        match = rule.match.search(raw)
        if match:
            return rule, match
    return None


def _apply(profile: Profile, rule: LineRule, match: re.Match[str], record: Record, found: Scan) -> None:
    if rule.refuse:
        raise FileSetAside("file_refused", rule.refuse)
    found.counts[rule.line_class] += record.lines
    if rule.line_class == "header":
        found.headers.append(record.raw)
    if rule.opens:
        _close(profile, found)
        found.group += 1
    said = {name: value.strip() for name, value in match.groupdict().items() if value is not None}
    if rule.total_in_column and found.tables:
        table = found.tables[-1]
        said["total"] = cell_of(table, record.cells, table.section.fields[table.section.total_field])
    if "total" in said:
        found.totals.append(Total(found.group, record.first, said.pop("total")))
    for name in profile.same_throughout:
        if name in said and found.said.get(name, said[name]) != said[name]:
            raise FileSetAside(
                "contradicts_itself", f"the first and last record disagree on {name}; fetch the file again"
            )
    found.context = {**found.context, **said}
    found.said.update(said)
    found.complete = found.complete or rule.complete


def _close(profile: Profile, found: Scan) -> None:
    """A group with rows must have been closed by its total, where the layout has one."""
    has_rows = bool(found.tables) and found.tables[-1].groups[-1:] == [found.group]
    closed = bool(found.totals) and found.totals[-1].group == found.group  # groups are numbered in order
    if profile.totals_close_groups and has_rows and not closed:
        raise FileSetAside(
            "incomplete_file", "the total row of an account is missing: the file is cut off; fetch it again"
        )


def _named_width(cells: list[str]) -> int:
    """How many cells of a header there are up to the last one with a name."""
    return max((n for n, cell in enumerate(cells, 1) if cell.strip()), default=0)


def _is_data(table: SectionRows, record: Record) -> bool:
    section, width = table.section, len(record.cells)
    if not any(cell.strip() for cell in record.cells[table.width :]):
        width = min(width, table.width)
    if width - table.width not in section.widths:
        return False
    if section.data_match is None:
        return True
    value = cell_of(table, record.cells, section.fields[section.data_field])
    return section.data_match.search(value) is not None


def cell_of(table: SectionRows, cells: list[str], names: tuple[str, ...]) -> str:
    """The trimmed cell of the first of `names` the header has; empty if it has none."""
    return cells_of(table, [cells], names)[0]


def cells_of(table: SectionRows, rows: Iterable[list[str]], names: tuple[str, ...]) -> list[str]:
    """`cell_of` every row."""
    place = place_of(table.header, names)
    if place is None:
        return ["" for _ in rows]
    return [cells[place].strip() if place < len(cells) else "" for cells in rows]


def _account(table: SectionRows | None, record: Record, found: Scan) -> str | None:
    """The account a line nobody understands is about, as far as the line or those before it say."""
    stated = cell_of(table, record.cells, table.section.fields.get("account", ())) if table else ""
    return stated or found.context.get("account")


def _add(table: SectionRows, record: Record, found: Scan) -> None:
    found.counts[table.section.line_class] += record.lines
    table.cells[record.first] = record.cells
    table.lines.append(record.first)
    table.groups.append(found.group)
    table.context.append(found.context)


def _add_run(table: SectionRows, runs: Runs, first: int, last: int, found: Scan) -> range:
    """Add the rows that the lines from `first` (from nought) to before `last` are, but for their cells."""
    lines = range(first + 1, last + 1)
    found.counts[table.section.line_class] += len(lines)
    table.lines.extend(lines)
    table.groups.extend(repeat(found.group, len(lines)))
    table.context.extend(repeat(found.context, len(lines)))
    found.raw.update(zip(lines, runs.raw[first:last], strict=True))
    return lines


def _check_count(profile: Profile, found: Scan) -> None:
    if "count" not in found.said:
        return
    # a record nobody understands is still a record the sender counted
    expected, rows, what = int(found.said["count"]), found.counts["data"] + len(found.unknown), "data records"
    if profile.count_all_lines:
        rows, what = sum(found.counts.values()) - found.counts["blank"], "lines"
    if expected != rows:
        raise FileSetAside(
            "count_differs", f"the last record says {expected} {what}, the file has {rows}; fetch the file again"
        )
