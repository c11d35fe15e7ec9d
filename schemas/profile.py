"""Custodian profiles: one TOML file per layout says how a custodian's file is recognised, split into lines and mapped.

A profile is data. Loading checks every key and value, so that a typo stops the start-up and not the night:
`ProfileError` names the file and the key. Nothing here reads a client file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from schemas.tables import ACCOUNT_TYPES, AMOUNTS_ARE, MONEY_SOURCES, TRANSACTION_TYPES, UNCLASSIFIED

PROFILES = Path(__file__).parent / "profiles"

LINE_CLASSES = ("preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
SHAPES = (
    "transactions", "positions", "payroll", "pershing_accounts", "pub1220",
    "tree_accounts",
    "accounts",
    "fund_positions",
    "listed",
    "tax_id_changes", "control_total",
)  # fmt: skip
NUMBERS = ("plain", "dollar", "implied", "signed_implied", "two_decimals")
TAX_YEARS = ("trade_year", "year_before", "in_description", "stated")
GRADES = ("A", "B", "C")
LOADS = ("full", "delta", "range", "as the file says")
#: Characters of a registration label.
_LONGEST_LABEL = 500
Meaning = Literal["mapped", "ambiguous", "unmapped"]


class ProfileError(ValueError):
    """A profile file says something the loader doesn't know; the message names the file and the key."""


@dataclass(frozen=True)
class LineRule:
    """A physical line that isn't a table row: its class, and what its named groups say.

    Groups `account`, `label`, `as_of` ... hold for the rows that follow (and, where no other line says so, for the
    whole file). `total` is a control total of the rows since the last line that `opens` a group, or with
    `total_in_column` the cell of this line under the section's `total_field`; `count` counts data lines. A line with
    `refuse` sets the file aside and says why.
    """

    line_class: str
    match: re.Pattern[str]
    opens: bool = False
    complete: bool = False
    total_in_column: bool = False
    refuse: str = ""


@dataclass(frozen=True)
class Version:
    """A layout that differs from its neighbours in the header alone: how it is known, and what it is called."""

    layout: str
    header: re.Pattern[str]
    first_line: re.Pattern[str] | None = None


@dataclass(frozen=True)
class KeepOut:
    """Rows that aren't clients' (house and error accounts): every named field must match, an empty one as no text."""

    why: str
    where: dict[str, re.Pattern[str]]


@dataclass(frozen=True)
class Described:
    """A code that means something else where its description says so: such rows are of `type`."""

    code: str
    description: re.Pattern[str]
    type: str


@dataclass(frozen=True, eq=False)
class PayrollLayout:
    """Where a payroll section holds money by source, and what its amounts are.

    `period` and `year_to_date` fit header names that hold an amount each; a year-to-date name becomes the name of its
    period column by `year_to_date_of` (a template for `re.Match.expand`), so that one row of the firm's plan_sources
    states both. `pairs` are (source field, amount field) of rows that name their source in a cell; `pairs_are` says
    what their amounts are ('' where the file doesn't say). `adds_up`: a person's amounts of one source are spread over
    several rows (funds) and only their sum means something. `once`: rows equal in all cells but `once_but` count once.
    `undated`: the layout has no pay date, so that a row may be without.
    """

    period: re.Pattern[str] | None = None
    year_to_date: re.Pattern[str] | None = None
    year_to_date_of: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    pairs_are: str = ""
    adds_up: bool = False
    once: bool = False
    once_but: tuple[str, ...] = ()
    undated: bool = False


@dataclass(frozen=True, eq=False)
class Section:
    """One table inside a file: how its header is known, which rows are data, and which column holds what.

    `fields` maps our name of a value to the header names it may have (delimited) or its first and last position, from 1
    (fixed); where a record takes several lines, `[line, first, last]`. `widths` are the allowed numbers of cells of a
    row, relative to the header; empty cells at the end of either don't count.
    """

    name: str
    shape: str
    required: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    match: re.Pattern[str] | None = None
    widths: tuple[int, ...] = (0,)
    data_field: str = ""
    data_match: re.Pattern[str] | None = None
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    slices: dict[str, tuple[int, int]] = field(default_factory=dict)
    total_field: str = ""
    line_class: str = "data"
    payroll: PayrollLayout = field(default_factory=PayrollLayout)
    #: Control totals by name (group `total_<name>` of a line): the fields whose sum each must be.
    totals: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """What one transaction code means. `out`/`into` decide by the sign of the amount, `type` does not look at it."""

    match: str
    exact: bool = False
    type: str = ""
    out: str = ""
    into: str = ""
    meaning: Meaning = "mapped"
    tax_year: str = ""
    #: The code of the rows that a row of this code takes back (a cancelled trade), if it does.
    cancels: str = ""


@dataclass(frozen=True)
class AccountLabel:
    """A registration label (whole text, any case; optionally only for some account numbers) and its account type."""

    label: re.Pattern[str]
    type: str
    account: re.Pattern[str] | None = None


@dataclass(frozen=True, eq=False)
class Profile:
    """One layout of one custodian's file."""

    name: str
    custodian: str
    kind: str
    layout: str
    format: Literal["delimited", "fixed", "tree"]
    encoding: str
    #: What the layout rests on: A a real export, B a working parser or published layout, C partly guessed.
    grade: str
    guessed: str = ""
    #: What the file holds, in words, and what it can't tell; whether it lists everything or what changed.
    holds: str = ""
    cannot_tell: str = ""
    load: str = ""
    note: str = ""
    versions: tuple[Version, ...] = ()
    keep_out: tuple[KeepOut, ...] = ()
    described: tuple[Described, ...] = ()
    #: A record of several lines: what each of its lines begins with, and how many of them it must have.
    logical: tuple[str, ...] = ()
    logical_required: int = 1
    #: Lines may lack their trailing blanks.
    pad: bool = False
    #: The stated count is of all lines, header and trailer included, and not of the data lines.
    count_all_lines: bool = False
    #: The file names no account: its rows are kept under one of their own, which no known account fits.
    account_not_stated: bool = False
    resend_name: re.Pattern[str] | None = None
    delimiter: str = ","
    record_length: int = 0
    #: Columns of a delimited file without a header (its cells are named 1, 2, ...); 0 where there is a header.
    columns: int = 0
    first_line: re.Pattern[str] | None = None
    file_name: re.Pattern[str] | None = None
    file_name_says: str = ""
    refuse_name: re.Pattern[str] | None = None
    complete_message: str = ""
    totals_close_groups: bool = False
    same_throughout: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    event_date: re.Pattern[str] | None = None
    event_dates: tuple[str, ...] = ()
    number: str = "plain"
    decimals: int = 2
    #: True where money out has a minus sign, so that a plus sign on it means it is taken back.
    signed_amounts: bool = False
    null_tokens: tuple[str, ...] = ("",)
    code_drop: re.Pattern[str] | None = None
    counter_account: re.Pattern[str] | None = None
    account_name: re.Pattern[str] | None = None
    tax_year_in_description: re.Pattern[str] | None = None
    modes: dict[str, str] = field(default_factory=dict)
    money_sources: dict[str, str] = field(default_factory=dict)
    lines: tuple[LineRule, ...] = ()
    sections: tuple[Section, ...] = ()
    actions: tuple[Action, ...] = ()
    account_types: tuple[AccountLabel, ...] = ()

    def account_type(self, label: str | None, account: str | None) -> str:
        """The account type a registration label states; `other` when the profile doesn't know the label."""
        if len(label or "") > _LONGEST_LABEL:  # patterns of labels aren't made for long texts
            return "other"
        for known in self.account_types:
            fits = known.account is None or known.account.fullmatch(account or "")
            if fits and known.label.fullmatch((label or "").strip()):
                return known.type
        return "other"

    def action(self, code: str) -> Action | None:
        """The meaning of a cleaned transaction code: an exact entry first, then the longest prefix; None if unknown."""
        plain = code.upper()
        exact = [a for a in self.actions if a.exact and plain == a.match.upper()]
        prefixes = [a for a in self.actions if not a.exact and plain.startswith(a.match.upper())]
        return exact[0] if exact else max(prefixes, key=lambda a: len(a.match), default=None)


class _Reader:
    """Takes keys out of one TOML table; what is left over is a typo."""

    def __init__(self, file: str, where: str, table: dict[str, Any]) -> None:
        self.file, self.where, self.left = file, where, dict(table)

    def fail(self, key: str, why: str) -> ProfileError:
        return ProfileError(f"{self.file}: {self.where}{key}: {why}")

    def take(self, key: str, kind: type, default: Any = None, *, required: bool = False) -> Any:
        if key not in self.left:
            if required:
                raise self.fail(key, "is missing")
            return default
        value = self.left.pop(key)
        if not isinstance(value, kind):
            raise self.fail(key, f"expected {kind.__name__}")
        return value

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        return str(self.take(key, str, default, required=required))

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        return tuple(self.take(key, list, default))

    def one_of(self, key: str, known: tuple[str, ...], default: str = "") -> str:
        value = self.text(key, default, required=not default)
        if value not in known:
            raise self.fail(key, f"expected one of {', '.join(known)}")
        return value

    def pattern(self, key: str, flags: int = 0) -> re.Pattern[str] | None:
        text = self.text(key)
        try:
            return re.compile(text, flags) if text else None
        except re.error as bad:
            raise self.fail(key, f"not a regular expression ({bad})") from bad

    def each(self, key: str) -> list[_Reader]:
        tables = self.take(key, list, [])
        return [_Reader(self.file, f"{self.where}{key}[{n}].", table) for n, table in enumerate(tables, 1)]

    def done(self) -> None:
        for key in self.left:
            raise self.fail(key, "is not a key of a profile")


def _line(r: _Reader) -> LineRule:
    match = r.pattern("match")
    if match is None:
        raise r.fail("match", "is missing")
    rule = LineRule(r.one_of("class", LINE_CLASSES), match, r.take("opens", bool, default=False),
                    r.take("complete", bool, default=False), r.take("total_in_column", bool, default=False),
                    r.text("refuse"))  # fmt: skip
    r.done()
    return rule


def _needed(r: _Reader, key: str) -> re.Pattern[str]:
    pattern = r.pattern(key, re.IGNORECASE)
    if pattern is None:
        raise r.fail(key, "is missing")
    return pattern


def _version(r: _Reader) -> Version:
    version = Version(r.text("layout", required=True), _needed(r, "header"), r.pattern("first_line"))
    r.done()
    return version


def _keep_out(r: _Reader) -> KeepOut:
    why, where = r.text("why", required=True), r.take("where", dict, required=True)
    fields = _Reader(r.file, f"{r.where}where.", where)
    rule = KeepOut(why, {name: _needed(fields, name) for name in where})
    r.done()
    return rule


def _described(r: _Reader) -> Described:
    rule = Described(
        r.text("code", required=True), _needed(r, "description"), r.one_of("type", (*TRANSACTION_TYPES, UNCLASSIFIED))
    )
    r.done()
    return rule


def _slice(r: _Reader, name: str, where: Any, length: int) -> tuple[int, int]:
    """First and last position of a fixed field in its record, whose lines are laid end to end."""
    if not (isinstance(where, list) and len(where) in (2, 3) and all(isinstance(n, int) for n in where)):
        raise r.fail(f"fields.{name}", "expected [first, last] or [line, first, last] positions")
    line, first, last = (1, *where) if len(where) == 2 else where
    return ((line - 1) * length + first, (line - 1) * length + last)


def _payroll(r: _Reader) -> PayrollLayout:
    layout = PayrollLayout(
        period=r.pattern("period"), year_to_date=r.pattern("year_to_date"), year_to_date_of=r.text("year_to_date_of"),
        pairs=tuple((pair[0], pair[1]) for pair in r.take("pairs", list, [])),
        pairs_are=r.one_of("pairs_are", AMOUNTS_ARE) if "pairs_are" in r.left else "",
        adds_up=r.take("adds_up", bool, default=False), once=r.take("once", bool, default=False),
        once_but=r.texts("once_but"), undated=r.take("undated", bool, default=False),
    )  # fmt: skip
    r.done()
    return layout


def _section(r: _Reader, *, fixed: bool, length: int) -> Section:
    columns = r.take("fields", dict, {})
    names: dict[str, tuple[str, ...]] = {}
    slices: dict[str, tuple[int, int]] = {}
    for name, where in columns.items():
        if fixed:
            slices[name] = _slice(r, name, where, length)
        else:
            names[name] = (where,) if isinstance(where, str) else tuple(where)
    section = Section(
        name=r.text("name", required=True), shape=r.one_of("shape", SHAPES), required=r.texts("required"),
        absent=r.texts("absent"), match=r.pattern("match"), widths=tuple(r.take("widths", list, [0])),
        data_field=r.text("data_field"), data_match=r.pattern("data_match"), fields=names, slices=slices,
        total_field=r.text("total_field"), line_class=r.one_of("class", LINE_CLASSES, "data"),
        payroll=_payroll(_Reader(r.file, f"{r.where}payroll.", r.take("payroll", dict, {}))),
        totals={name: tuple(of) for name, of in r.take("totals", dict, {}).items()},
    )  # fmt: skip
    known = {**names, **slices}
    for key in ("data_field", "total_field"):
        if getattr(section, key) and getattr(section, key) not in known:
            raise r.fail(key, "names no entry of fields")
    for key, used in (("payroll.pairs", sum(section.payroll.pairs, ())), ("totals", sum(section.totals.values(), ()))):
        if not set(used) <= set(known):
            raise r.fail(key, "names no entry of fields")
    r.done()
    return section


def _action(r: _Reader) -> list[Action]:
    types = (*TRANSACTION_TYPES, UNCLASSIFIED)
    meaning: Any = r.one_of("meaning", ("mapped", "ambiguous", "unmapped"), "mapped")
    default = UNCLASSIFIED if meaning != "mapped" else ""
    shared = {
        "exact": r.take("exact", bool, default=False),
        "type": r.one_of("type", ("", *types), default) if "type" in r.left or default else "",
        "out": r.one_of("out", types) if "out" in r.left else "",
        "into": r.one_of("into", types) if "into" in r.left else "",
        "meaning": meaning,
        "tax_year": r.one_of("tax_year", TAX_YEARS) if "tax_year" in r.left else "",
        "cancels": r.text("cancels"),
    }
    if not shared["type"] and not (shared["out"] and shared["into"]):
        raise r.fail("type", "give type, or both out and into")
    found = [Action(match=code, **shared) for code in r.texts("match")]
    r.done()
    return found


def _label(r: _Reader) -> list[AccountLabel]:
    kind, account = r.one_of("type", ACCOUNT_TYPES), r.pattern("account")
    labels = [AccountLabel(re.compile(text, re.IGNORECASE), kind, account) for text in r.texts("labels")]
    r.done()
    return labels


def parse(file: str, table: dict[str, Any]) -> Profile:
    """The profile a TOML table describes; raises `ProfileError` naming `file` and the key."""
    r = _Reader(file, "", table)
    shape: Any = r.one_of("format", ("delimited", "fixed", "tree"))
    sources = r.take("money_sources", dict, {})
    for column, source in sources.items():
        if source not in ("", *MONEY_SOURCES):
            raise r.fail(f"money_sources.{column}", "is not a money source")
    length = r.take("record_length", int, 0)
    profile = Profile(
        grade=r.one_of("grade", GRADES), guessed=r.text("guessed"), holds=r.text("holds"),
        cannot_tell=r.text("cannot_tell"), load=r.one_of("load", LOADS) if "load" in r.left else "",
        versions=tuple(_version(x) for x in r.each("version")),
        keep_out=tuple(_keep_out(x) for x in r.each("keep_out")),
        described=tuple(_described(x) for x in r.each("described")),
        logical=r.texts("logical"), logical_required=r.take("logical_required", int, 1),
        pad=r.take("pad", bool, default=False), count_all_lines=r.take("count_all_lines", bool, default=False),
        account_not_stated=r.take("account_not_stated", bool, default=False),
        resend_name=r.pattern("resend_name", re.IGNORECASE),
        name=r.text("name", required=True), custodian=r.text("custodian"), kind=r.text("kind", required=True),
        layout=r.text("layout", required=True), format=shape, encoding=r.text("encoding", required=True),
        note=r.text("note"), delimiter=r.text("delimiter", ","), record_length=length,
        columns=r.take("columns", int, 0),
        first_line=r.pattern("first_line"), file_name=r.pattern("file_name", re.IGNORECASE),
        file_name_says=r.text("file_name_says"), refuse_name=r.pattern("refuse_name"),
        complete_message=r.text("complete_message"),
        totals_close_groups=r.take("totals_close_groups", bool, default=False),
        same_throughout=r.texts("same_throughout"), dates=r.texts("dates"), event_date=r.pattern("event_date"),
        event_dates=r.texts("event_dates"), number=r.one_of("number", NUMBERS, "plain"),
        decimals=r.take("decimals", int, 2), signed_amounts=r.take("signed_amounts", bool, default=False),
        null_tokens=("", *r.texts("null_tokens")),
        code_drop=r.pattern("code_drop"),
        counter_account=r.pattern("counter_account"), account_name=r.pattern("account_name"),
        tax_year_in_description=r.pattern("tax_year_in_description", re.IGNORECASE),
        modes=r.take("modes", dict, {}), money_sources=sources,
        lines=tuple(_line(x) for x in r.each("line")),
        sections=tuple(_section(x, fixed=shape == "fixed", length=length) for x in r.each("section")),
        actions=tuple(a for x in r.each("action") for a in _action(x)),
        account_types=tuple(a for x in r.each("account_type") for a in _label(x)),
    )  # fmt: skip
    r.done()
    return profile


def load_profile(path: Path) -> Profile:
    """The profile in one TOML file; raises `ProfileError` if the file isn't a profile."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as bad:
        raise ProfileError(f"{path.name}: not TOML ({bad})") from bad
    return parse(path.name, table)


@cache
def profiles() -> tuple[Profile, ...]:
    """Every profile of this version, by name; raises `ProfileError` on the first broken one."""
    loaded = tuple(load_profile(path) for path in sorted(PROFILES.glob("*.toml")))
    names = [p.name for p in loaded]
    for name in names:
        if names.count(name) > 1:
            raise ProfileError(f"{name}.toml: name: used by two profiles")
    return loaded
