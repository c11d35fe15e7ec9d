"""How the header of a file that fits nothing differs from the nearest layout: missing, new, renamed, moved.

A cell of the file is only named where it stands among column names that are known exactly and reads like one itself: it
is near a missing name, or every word of it is a word column names are made of. Everything else is counted, not shown.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from schemas.profile import Profile, Section, profiles
from schemas.tables import HOUSE_KINDS, INPUT_TABLES
from transforms.intake.lines import SectionRows, header_name

#: Words inside a name, also where only a capital parts them (AccountNumber, TaxID).
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST_NAME = 48
#: How many names a message lists.
_MOST_NAMES = 20
_HOUSE_NAME = re.compile(r"[a-z][a-z_]{0,46}\d?")
#: Long numbers and addresses are in no column's name.
_NO_NAME = re.compile(r"\d{4}|@")
#: What house files are parted by where somebody's program writes no commas.
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
#: How alike a new name must be to a missing one to be called its new name.
_ALIKE = 0.6
#: Words of column names beside those of the layouts we know.
_COLUMN_WORDS = """
account accounts acct action activity adjusted after agent aggregate alternate amount amt annual as at available
average balance base basis batch before beginning birth branch broker business buy by calendar capital cash catch
category change class client close closing code comm commission commissions comp company compensation contribution
contributions control cost count country currency current cusip custodian customer data date day days deferral
deferrals delta desc description detail details dividend dividends division effective elective email employee employer
employment end ending entity entry equity estimated event ex exchange execution expense fee fees field file firm
fiscal fixed flag for foreign forfeiture forfeitures form from fund funds gain gains gross group harbor high hire
hours household id identifier import in income index indicator institution interest internal intrinsic investment is
issue item job k key last ledger level line loan loss lot low manager market master match maturity member memo method
mkt mode money month name nec net new no nonelective note notes num number of office on open opened opening order
original other out over owned owner paid participant party pay payment payroll pe percent period person plan portfolio
position positions post posted posting pre pretax price prior process product profit program purchase qty quantity
rate ratio reason record ref reference region registration reinvest rep report representative rollover roth row run
safe salary sale savings section sector security sell sequence service settle settled settlement share shares sharing
short side sign source split ssn start state status sub subtype sum symbol system tax taxable term termination ticker
time to total trade traded transaction transactions transfer type unit units unrealized until up update updated user
val value version vested vesting volume wages week with withheld withholding year years yield ytd
"""


@dataclass(frozen=True)
class Layout:
    """What a header of one layout must have, what else it may have, and how the layout is called in a message."""

    called: str
    required: tuple[str, ...]
    known: frozenset[str]
    delimiter: str
    first_line: re.Pattern[str] | None
    #: True where nothing but the header may be on line 1.
    on_line_1: bool


@dataclass(frozen=True)
class _Found:
    layout: Layout
    line: int
    names: tuple[str, ...]
    #: The layout's first line is line 1 of the file, or is this row, moved down.
    begins: bool

    @property
    def has(self) -> int:
        return sum(name in self.names for name in self.layout.required)

    @property
    def rank(self) -> tuple[float, bool, int, int]:
        known = sum(name in self.layout.known for name in self.names)
        return self.has / len(self.layout.required), self.begins, known, -self.line


@cache
def _layouts() -> tuple[Layout, ...]:
    house = [
        Layout(f"house kind {k}", INPUT_TABLES[k].required, frozenset(c.name for c in INPUT_TABLES[k].columns), ",",
               None, on_line_1=True)
        for k in HOUSE_KINDS
    ]  # fmt: skip
    custodian = [
        Layout(f"profile {p.name} (layout: {p.layout})", s.required, _known(p, s), p.delimiter, p.first_line,
               on_line_1=False)
        for p in profiles() for s in p.sections if s.required
    ]  # fmt: skip
    return (*house, *custodian)


def _known(profile: Profile, section: Section) -> frozenset[str]:
    named = (name for names in section.fields.values() for name in names)
    return frozenset((*section.required, *named, *profile.money_sources))


@cache
def _vocabulary() -> frozenset[str]:
    ours = (name for layout in _layouts() for name in layout.known)
    return frozenset(_COLUMN_WORDS.split()) | {word for name in ours for word in _words(name)}


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def reads_like_a_column_name(text: str) -> bool:
    """True where every word of a short text is one column names are made of, and it has no long number."""
    words = _words(text)
    return bool(words) and _may_be_shown(text) and all(word in _vocabulary() for word in words)


def shown_names(names: Sequence[str], *, house: bool = False) -> list[str]:
    """The names that read like column names, and how many others there are: what was typed there may be a client's.

    In a `house` file, whose header is known to be one, lower-case words with underscores are column names too.
    """
    shown = [n for n in names if reads_like_a_column_name(n) or (house and _HOUSE_NAME.fullmatch(n))]
    hidden, more = len(names) - len(shown), max(0, len(shown) - _MOST_NAMES)
    return [
        *shown[:_MOST_NAMES],
        *([f"{more} more"] if more else []),
        *([f"{hidden} whose names aren't shown"] if hidden else []),
    ]


def difference(lines: list[str]) -> str:
    """What to know of a file that fits no kind and no profile: the nearest layout and the difference to it."""
    found = [f for f in (_best_row(layout, lines) for layout in _layouts()) if f is not None and f.has]
    if not found:
        return _written_otherwise(lines) or (
            "the header fits no house kind and no custodian profile: not a source this book knows. See the contract "
            "for the columns of each kind; 'rothbook profile new FILE' drafts a profile of a new custodian layout"
        )
    best = max(found, key=lambda f: (f.rank, f.layout.called))
    told = "; ".join(_differences(best, lines))
    return f"the header fits no known kind; nearest is {best.layout.called}: {told} (names are case exact)"


def _written_otherwise(lines: list[str]) -> str | None:
    """The house kind whose columns line 1 has in other upper and lower case, or parted by something else than commas.

    Only our own names are said. None where there is no such kind.
    """
    house = [layout for layout in _layouts() if layout.on_line_1]
    for delimiter, called in _DELIMITERS.items():
        try:
            row = next(csv.reader(lines[:1], delimiter=delimiter), [])
        except csv.Error:
            continue
        names = {header_name(cell).lower() for cell in row}
        whole = [layout for layout in house if names.issuperset(layout.required)]
        if not whole:
            continue
        best = max(whole, key=lambda layout: (len(names & layout.known), layout.called))
        exact = {header_name(cell) for cell in row}.issuperset(best.required)
        wrong = [] if delimiter == "," else [f"its cells are parted by {called}: export it with commas between them"]
        wrong += [] if exact else [f"its column names must be in lower case: {', '.join(best.required)}"]
        return f"the header fits no known kind; nearest is {best.called}: {'; '.join(wrong)}"
    return None


def _best_row(layout: Layout, lines: list[str]) -> _Found | None:
    try:
        rows = list(csv.reader(lines, delimiter=layout.delimiter))
    except csv.Error:
        return None
    named = (
        _Found(layout, n, tuple(header_name(cell) for cell in row), _begins(layout.first_line, lines[0], line))
        for n, (row, line) in enumerate(zip(rows, lines, strict=False), 1)
    )
    return max(named, key=lambda f: f.rank, default=None)


def _begins(pattern: re.Pattern[str] | None, *lines: str) -> bool:
    return pattern is None or any(pattern.search(line) for line in lines)


def _differences(best: _Found, lines: list[str]) -> list[str]:
    missing = [name for name in best.layout.required if name not in best.names]
    told = [f"missing: {', '.join(missing)}"] if missing else []
    told += _moved(best, lines)
    if 2 * best.has >= len(best.layout.required):
        told += _new_names(best, missing)
    return told or ["every column it needs is there, and another table's too"]


def _may_be_shown(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and name.isprintable() and not _NO_NAME.search(name)


def renamed(missing: list[str], new: list[str]) -> dict[str, str]:
    """For each missing name the new name that is most alike, if one is alike enough; every new name once."""
    left = {name.lower(): name for name in new if _may_be_shown(name)}
    pairs = {}
    for name in missing:
        for match in get_close_matches(name.lower(), list(left), n=1, cutoff=_ALIKE):
            pairs[name] = left.pop(match)
    return pairs


def _new_names(best: _Found, missing: list[str]) -> list[str]:
    new = [name for name in best.names if name and name not in best.layout.known]
    pairs = renamed(missing, new)
    told = [f"'{now}' may be the new name of '{was}'" for was, now in pairs.items()]
    others = [n for n in new if n not in pairs.values()]
    named = shown_names(others)
    return [*told, *([f"columns this layout doesn't use: {', '.join(named)}"] if named else [])]


def _moved(best: _Found, lines: list[str]) -> list[str]:
    layout = best.layout
    pattern = layout.first_line
    if best.line > 1 and (layout.on_line_1 or (pattern is not None and pattern.search(lines[best.line - 1]))):
        return [f"the header is on line {best.line}, not on line 1: take away what is above it"]
    if pattern is not None and lines and not pattern.search(lines[0]):
        return ["line 1 isn't the line this layout begins with"]
    return []


def renamed_fields(profile: Profile, tables: list[SectionRows]) -> str | None:
    """Where a file fits its layout but for a column that isn't required: which one has probably got another name.

    Columns a layout may leave out are not told unless a new name is like theirs.
    """
    pairs: dict[str, str] = {}
    for table in tables:
        needed = [names[0] for names in table.section.fields.values() if not set(names) & set(table.header)]
        known = _known(profile, table.section)
        pairs |= renamed(needed, [name for name in table.header if name and name not in known])
    said = ", ".join(f"'{now}' may be the new name of '{was}'" for was, now in pairs.items())
    return (
        f"the header differs from the layout: {said}; what it holds is not read until the profile says so"
        if said
        else None
    )
