"""`rothbook profile new FILE`: a first draft of a profile from a sample. A draft maps header names and nothing else.

Every guess is marked `# guess:`. No code is given a meaning: what the action column holds is listed as ambiguous, to be
filled in by a person. No name, account number, tax id or amount of the sample gets into the draft: of its cells only
codes made of words that transaction codes are known to be made of, cut at the first other word or digit.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from schemas.models import NUMBER_PATTERNS, read_date
from schemas.profile import SHAPES, profiles
from schemas.tables import TRANSACTION_TYPES
from transforms.intake.drift import reads_like_a_column_name
from transforms.intake.lines import FileSetAside, header_name, numbered
from transforms.intake.recognise import refuse_binary

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 2_000
_SEARCHED = 60
_MOST_CODES = 50
_LONGEST_CODE = 48
#: A column name as programs write it: OfficeCode, TaxIdNumber.
_RUN_TOGETHER = re.compile(r"[A-Z][A-Za-z0-9]*")
_SHORTEST_UNKNOWN = 4
_DATES = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%Y/%m/%d",
    "%b-%d-%Y",
    "%d-%b-%Y",
)
#: First letters of a fixed-width file's first and last record that are known to be sentinels.
_SENTINEL = re.compile(r"^(BOF|EOF|HDR|TRL|UHDR|UTRL|HEADER|TRAILER|RHR\d{3}|RTR\d{3})")

#: What each of our fields is called in headers, the likeliest name first; lower-case letters and digits only.
_NAMES: dict[str, tuple[str, ...]] = {
    "account": ("accountnumber", "accountno", "acctnumber", "acctno", "account", "acct", "accountid", "accountnum"),
    "label": ("accountname", "registration", "accounttitle", "accounttype", "registrationtype"),
    "date": ("tradedate", "transactiondate", "rundate", "activitydate", "posteddate", "effectivedate", "date",
             "processdate", "settlementdate"),
    "action": ("action", "transactiontype", "activitytype", "transactioncode", "transactionactivity", "trantype",
               "activity", "type", "transaction"),
    "description": ("description", "transactiondescription", "details", "memo"),
    "symbol": ("symbol", "ticker", "cusip", "investmentname", "fundname", "securityid"),
    "quantity": ("quantity", "shares", "units", "qty", "transactionshares"),
    "amount": ("amount", "netamount", "totalamount", "dollaramount", "transactionamount", "amountusd"),
    "value": ("marketvalue", "currentvalue", "totalvalue", "mktval", "mktvalmarketvalue", "value", "positionvalue",
              "balance", "endingbalance"),
    "as_of": ("asofdate", "asof", "positiondate", "valuationdate", "pricedate", "businessdate"),
    "tax_id": ("socialsecurity", "socialsecuritynumber", "ssn", "employeessn", "taxid", "participantssn"),
    "compensation": ("totalcompensation", "compensation", "grosscompensation", "grosspay", "grosswages"),
    "highly_compensated": ("hcecode", "hce", "highlycompensated"),
    "plan": ("plan", "planid", "plannumber", "planno"),
}  # fmt: skip
_PAY_DATE = ("paydate", "checkdate", "payrolldate", "paydt", "asofdate", "asof")
_MONEY = re.compile(
    r"401\s*\(?k|403\s*\(?b|deferral|roth|match|employer|profit sharing|after[- ]?tax|contribution|non-?elective|loan"
    r"|forfeit|\bNEC\b",
    re.IGNORECASE,
)

#: Fields of a shape in the profile, and those without which a file isn't of that shape.
_FIELDS = {
    "transactions": ("account", "label", "date", "action", "description", "symbol", "quantity", "amount"),
    "positions": ("account", "label", "symbol", "value", "as_of"),
    "payroll": ("tax_id", "plan", "as_of", "compensation", "highly_compensated"),
    "accounts": ("account", "label"),
}
_NEEDED = {
    "transactions": ("date", "action", "amount"),
    "positions": ("value",),
    "payroll": ("tax_id",),
    "accounts": ("account",),
}
_KIND = {
    "transactions": "transactions", "positions": "balances", "payroll": "payroll_contributions", "accounts": "accounts",
}  # fmt: skip

_ALWAYS = (
    "who sends this file: custodian, in lower case",
    "a name for the layout, with the date since which it is used",
)


@dataclass
class Draft:
    """The text of the drafted profile, and what a person must decide before it may be used."""

    text: str
    decisions: list[str]


@dataclass
class _Sample:
    """A delimited sample: its dialect, its header and the cells under it."""

    encoding: str
    delimiter: str
    header_line: int
    names: list[str]
    rows: list[list[str]]
    decisions: list[str] = field(default_factory=list)

    def column(self, name: str) -> list[str]:
        place = self.names.index(name)
        return [row[place].strip() for row in self.rows if place < len(row) and row[place].strip()]


def draft(data: bytes, name: str = "draft") -> Draft:
    """A profile drafted from a sample file. Raises `FileSetAside` where the sample isn't a text file with records."""
    refuse_binary(data)
    encoding, text = _decoded(data)
    lines = re.split(r"\r\n|\n|\r", text)[:_SAMPLE_LINES]
    found = [s for s in (_delimited(lines, d, encoding) for d in DELIMITERS) if s is not None]
    sample = max(found, key=lambda s: len(s.names), default=None)
    body, decisions = _delimited_draft(sample) if sample is not None else _fixed_draft(lines, encoding)
    head = [
        "# A draft, not a profile: nothing reads with it until a person has decided what is listed at the end and",
        "# moved it to schemas/profiles. Every line marked guess was guessed from the names in the header.",
        f"name = {_quoted(name)}",
        'custodian = "FILL-IN"',
    ]
    said = [*_ALWAYS, *decisions, "a golden sample with invented people, and the rows it must become (CONTRIBUTING.md)"]
    end = ["", "# To decide before this is a profile:", *(f"# {n}. {what}" for n, what in enumerate(said, 1))]
    return Draft("\n".join([*head, *body, *end]) + "\n", said)


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False)


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(t) for t in texts) + "]"


def _decoded(data: bytes) -> tuple[str, str]:
    try:
        return "utf-8-sig", data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252", data.decode("cp1252", errors="replace")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", header_name(name).lower())


def _delimited(lines: list[str], delimiter: str, encoding: str) -> _Sample | None:
    """The sample split at `delimiter`, if a line of it looks like a header with rows as wide under it."""
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return None
    for n, row in enumerate(rows[:_SEARCHED]):
        under = [r for r in rows[n + 1 :] if abs(len(r) - len(row)) <= 1 and any(r)]
        if len(row) >= 3 and _is_header(row, sure=2 if under else 4):
            names = numbered([header_name(cell) for cell in row])
            return _Sample(encoding, delimiter, n + 1, names, under)
    return None


def _is_header(row: list[str], sure: int) -> bool:
    """At least `sure` names we know, and the cells are words column names are made of or words run together."""
    filled = [cell for cell in row if cell.strip()]
    known = {name for names in _NAMES.values() for name in names} | set(_PAY_DATE)
    ours = sum(_plain(cell) in known for cell in filled)
    likely = sum(reads_like_a_column_name(header_name(cell)) for cell in filled)
    return ours >= sure and (2 * likely >= len(filled) or all(_RUN_TOGETHER.fullmatch(cell.strip()) for cell in filled))


def _bound(names: list[str], shape: str) -> dict[str, str]:
    """Our field to the header name it is bound to; every header name at most once."""
    plain = {_plain(name): name for name in reversed(names)}
    bound: dict[str, str] = {}
    for ours in _FIELDS[shape]:
        called = _PAY_DATE if (shape, ours) == ("payroll", "as_of") else _NAMES[ours]
        for candidate in called:
            if candidate in plain and plain[candidate] not in bound.values():
                bound[ours] = plain[candidate]
                break
    return bound


def _shape(names: list[str]) -> str:
    """The shape whose needed fields are all there; transactions before payroll before positions before accounts."""
    for shape in ("payroll", "transactions", "positions"):
        if set(_NEEDED[shape]) <= set(_bound(names, shape)):
            return shape
    return "accounts"


def _delimited_draft(sample: _Sample) -> tuple[list[str], list[str]]:
    shape = _shape(sample.names)
    bound = _bound(sample.names, shape)
    dates, number, decisions = _grammar(sample, shape, bound)
    data_field = next((f for f in ("tax_id", "date", "account", "symbol") if f in bound), "")
    usable = shape if shape in SHAPES else "positions"
    body = [
        f"kind = {_quoted(_KIND[shape])}  # guess: from the header's names",
        'layout = "FILL-IN"',
        'grade = "C"  # guess until a real file of the custodian has been read: A or B then (see docs/formats.md)',
        'format = "delimited"',
        f"encoding = {_quoted(sample.encoding)}  # guess: the sample is text in it",
        f"delimiter = {_quoted(sample.delimiter)}",
        f"number = {_quoted(number)}  # guess: how the numbers of the sample are written",
        f"dates = {_list(dates)}  # guess: how the dates of the sample can be read",
        "",
        "[[section]]",
        f"name = {_quoted(shape)}",
        f"shape = {_quoted(usable)}  # guess: from the header's names",
        f"required = {_list(list(bound.values()))}",
    ]
    if data_field:
        match = _date_pattern(dates) if data_field == "date" else _PATTERN[data_field]
        body += [f"data_field = {_quoted(data_field)}", f"data_match = {_quoted(match)}  # guess"]
    body += [
        "[section.fields]",
        *(f"{ours} = {_quoted(theirs)}  # guess: by its name" for ours, theirs in bound.items()),
    ]
    if sample.header_line > 1:
        decisions.append(
            f"what is above the header, lines 1 to {sample.header_line - 1}: a [[line]] rule each (preamble), with a "
            "group where they state an account or an as-of date"
        )
    if usable != shape:
        decisions.append("the shape: the rows look like accounts, for which this version has no delimited shape")
    more, asked = _codes(sample, bound.get("action")) if shape == "transactions" else _sources(sample, shape, bound)
    return [*body, *more, *_unbound(sample, bound, more)], [*_wanted(shape, bound), *decisions, *asked]


_PATTERN = {"tax_id": r"^\d{3}-?\d{2}-?\d{4}$", "account": r"^\S*\d", "symbol": r"^\S"}
_PARTS = {"%Y": r"\d{4}", "%y": r"\d\d", "%m": r"\d\d?", "%d": r"\d\d?", "%b": "[A-Za-z]{3}"}


def _date_pattern(dates: list[str]) -> str:
    """A cell that begins like a date in one of the formats."""
    shapes = {re.sub("%[Yymdb]", lambda part: _PARTS[part.group()], d) for d in dates}
    return f"^(?:{'|'.join(sorted(shapes))})" if shapes else r"\d"


def _wanted(shape: str, bound: dict[str, str]) -> list[str]:
    """What the shape can't do without and no column's name gives."""
    wanted = {"transactions": ("account",), "positions": ("account", "as_of"), "payroll": ("plan", "as_of")}.get(
        shape, ()
    )
    lacking = [f for f in wanted if f not in bound]
    return [f"where {', '.join(lacking)} is stated: in a line around the rows, or in the file name"] if lacking else []


def _grammar(sample: _Sample, shape: str, bound: dict[str, str]) -> tuple[list[str], str, list[str]]:
    decisions = []
    days = [day for f in ("date", "as_of") if f in bound for day in sample.column(bound[f])]
    dates = [d for d in _DATES if days and _all_read(days, d)]
    if len(dates) > 1:
        decisions.append(
            f"the order of day and month: the sample's dates can be read as {' and as '.join(dates)}; keep one"
        )
    if not dates:
        decisions.append("how dates are written: dates")
    money = [bound[f] for f in ("amount", "value", "compensation") if f in bound]
    cells = [cell for name in money for cell in sample.column(name)]
    fitting = [n for n in ("plain", "dollar") if cells and all(re.search(NUMBER_PATTERNS[n], c) for c in cells)]
    if not fitting:
        decisions.append(
            "how numbers are written: number (plain or dollar), and null_tokens for what stands for nothing"
        )
    if shape != "transactions":
        decisions.append("what stands for 'no value' in this file: null_tokens")
    return dates, fitting[0] if fitting else "dollar", decisions


def _all_read(days: list[str], wanted: str) -> bool:
    """True where every day of the sample can be read so; rows that aren't data (no digit) don't count."""
    dated = pl.DataFrame({"text": [d for d in days if any(c.isdigit() for c in d) and len(d) <= 12]})
    if dated.is_empty():
        return False
    read = dated.select(read_date(pl.col("text"), [wanted]).alias("day"))["day"]
    return read.null_count() == 0 and bool((read.dt.year() >= 1950).all())


def _unbound(sample: _Sample, bound: dict[str, str], said: list[str]) -> list[str]:
    """The header names that are column names and were bound to nothing, as a comment."""
    used = {*bound.values(), *(name for name in sample.names if any(_quoted(name) in line for line in said))}
    left = [name for name in sample.names if name and name not in used]
    shown = [name for name in left if reads_like_a_column_name(name)]
    more = f", and {len(left) - len(shown)} more" if len(shown) < len(left) else ""
    return [f"# Columns bound to nothing: {', '.join(shown)}{more}"] if shown else []


def _codes(sample: _Sample, column: str | None) -> tuple[list[str], list[str]]:
    """Entries for the codes of the action column, all ambiguous, as far as they can't be anybody's data."""
    distinct = set(sample.column(column)) if column else set()
    asked = ["what each code means: only what the custodian's own text says; the others stay ambiguous"]
    if len(distinct) > _MOST_CODES:
        return [], [*asked, f"the codes: the column has more than {_MOST_CODES} different texts, so none is listed"]
    found = {code: _code(code[:_LONGEST_CODE]) for code in distinct}
    hidden = sum(shown is None for shown in found.values())
    if hidden:
        asked.append(
            f"{hidden} texts of the column of codes hold words that could be names and aren't listed: look them up"
        )
    entries = sorted({shown for shown in found.values() if shown is not None})
    lines = []
    for text, exact in entries:
        lines += ["", "[[action]]", *(["exact = true"] if exact else []), 'meaning = "ambiguous"  # to be filled in',
                  f"match = {_list([text])}"]  # fmt: skip
    return lines, asked


@cache
def _code_words() -> frozenset[str]:
    known = (a.match for p in profiles() for a in p.actions)
    ours = (t.replace("_", " ") for t in TRANSACTION_TYPES)
    more = """ach acat adjustment annual bill check correction credit debit deposit exercise expense expired from
    fractional incoming into interest journal journaled lot margin merger mgmt month net outgoing
    overnight paid payment prior pymt received redemption reversal reverse rights roll spin split stock
    sweep termination to wire withdrawal xfer year"""
    return frozenset(word for text in (*known, *ours, more) for word in re.findall(r"[a-z]+", text.lower()))


def _code(text: str) -> tuple[str, bool] | None:
    """The beginning of a code that holds no digit and no word unknown to codes, and whether it is the whole code."""
    known = ""
    for token in re.findall(r"\S+\s*", text):
        words = re.findall(r"[a-z]+", token.lower())
        if any(c.isdigit() for c in token) or not all(w in _code_words() for w in words):
            break
        known += token
    if re.search(r"[A-Za-z]{2}", known):
        return known.strip(), known.strip() == text
    bare = text.isascii() and text.isalpha() and text.isupper() and len(text) <= _SHORTEST_UNKNOWN
    return (text, True) if bare else None


def _sources(sample: _Sample, shape: str, bound: dict[str, str]) -> tuple[list[str], list[str]]:
    """The money columns of a payroll file, each agreed per plan until somebody knows better."""
    if shape != "payroll":
        return [], ["which account types the registration labels state: [[account_type]]"] if "label" in bound else []
    found = [name for name in sample.names if _MONEY.search(name) and name not in bound.values()]
    money = [name for name in found if reads_like_a_column_name(name)]
    lines = ["", '# guess: columns of money by their names; "" = agreed per plan (the firm\'s plan_sources says which)']
    lines += ["[money_sources]", *(f'{_quoted(name)} = ""' for name in money)]
    return lines, ["which columns hold money, and which source each is where the recordkeeper's own text says so"]


def _refuse_headerless(filled: list[str]) -> None:
    """Lines of one number of cells have columns, and what these are is written nowhere in the file."""
    for delimiter in DELIMITERS:
        if len(filled) > 1 and len({line.count(delimiter) for line in filled}) == 1 and filled[0].count(delimiter) >= 4:
            raise FileSetAside(
                "no_layout_found",
                "the lines are cells without a header: nothing to draft from; take the columns from the layout",
            )


def _fixed_draft(lines: list[str], encoding: str) -> tuple[list[str], list[str]]:
    """A fixed-width layout as far as it shows: its record length and known sentinels. Positions can't be guessed."""
    filled = [line for line in lines if line.strip()]
    _refuse_headerless(filled)
    length, count = Counter(len(line) for line in filled).most_common(1)[0]
    if length < 20 or len(filled) < 2 or 2 * count < len(filled):
        raise FileSetAside(
            "no_layout_found", "no line looks like a header, and the lines aren't of one length: nothing to draft from"
        )
    body = [
        'kind = "FILL-IN"',
        'layout = "FILL-IN"',
        'grade = "C"  # guess until a real file of the custodian has been read: A or B then (see docs/formats.md)',
        'format = "fixed"',
        f"encoding = {_quoted('ascii' if all(line.isascii() for line in filled) else encoding)}  # guess",
        f"record_length = {length}  # guess: the length of most lines",
        'number = "implied"  # guess',
    ]
    for what, line in (("header", filled[0]), ("trailer", filled[-1])):
        known = _SENTINEL.match(line)
        if known is not None:
            body += ["", "[[line]]", f"class = {_quoted(what)}  # guess: a known sentinel",
                     f"match = {_quoted('^' + known.group(1))}"]  # fmt: skip
    body += ["", "[[section]]", 'name = "records"', 'shape = "positions"  # guess: nothing in the file says it',
             "match = '^.'  # guess: every other line is a row", "[section.fields]",
             f"record = [1, {length}]  # positions can't be guessed: state each field's first and last"]  # fmt: skip
    return body, [
        "kind and shape: what a record is",
        "record_length: line ends may be part of the record",
        "the position of every field, from the custodian's layout",
        "how a file is known: first_line; what ends it: complete_message, and the counts its trailer states",
    ]
