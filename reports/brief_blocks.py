"""The blocks of a client's page: what the results say, in the words and the order a meeting or a tax preparer needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from reports.about import DISCLAIMER
from reports.advisor import KEY_LINES, LINES_OF_FORM_8606
from reports.book import MAY_CHANGE, TOLD_BY_UNKNOWN
from reports.client import TEXT, Client, Rows, short
from reports.grid import counted, long_date
from reports.one_page import Block, Cell, Column, Page, Row
from reports.style import said
from schemas.questions import question
from transforms.explain import FEEDS

Audience = Literal["meeting", "cpa"]
#: Whom a page can be for, and how it says so.
AUDIENCES: dict[Audience, str] = {"meeting": "Meeting page", "cpa": "For the client's tax preparer"}

#: A meeting starts with what to decide, a preparer with the form.
ORDERS: dict[Audience, tuple[str, ...]] = {
    "meeting": ("options", "findings", "questions", "form", "facts", "accounts", "mega"),
    "cpa": ("form", "facts", "accounts", "options", "mega", "findings", "questions"),
}

UNKNOWN = "unknown"
#: About what one line of small print under a finding holds.
LINE = 90
#: Longest fact, question or reason.
SENTENCE = 220

WAYS = {
    "accept": "Accept the tax, change nothing",
    "reverse_rollover": "Reverse rollover: pre-tax money into a plan at work",
    "qhfd": "HSA funding distribution, once in a lifetime",
    "convert_everything": "Convert everything",
    "wait": "Put off the conversion",
}
#: The name of a column of the firm's files, which a client needn't read.
_COLUMN = re.compile(r" \([a-z]+_[a-z_]+[^)]*\)")
#: Lines that say something only if money was converted, or paid out, or if they aren't nought.
IF_CONVERTED = ("line_8", "line_11", "line_16", "line_17", "line_18")
IF_PAID_OUT = ("line_7", "line_12", "line_15a", "line_15c")
IF_NOT_NOUGHT = ("line_4", "line_15b")
#: Lines a meeting can do without: sums, and lines that repeat another.
CPA_ONLY = ("line_3", "line_5", "line_9", "line_13", "line_15a", "line_16", "line_17")


def page(client: Client, audience: Audience, *, version: str, fingerprint: str) -> Page:
    """The whole page, not yet cut to fit."""
    built = {
        "options": _options(client),
        "findings": _findings(client, audience),
        "questions": _questions(client),
        "form": _form(client, audience),
        "facts": _facts(client),
        "accounts": _accounts(client),
        "mega": _mega(client),
    }
    blocks = (built[name] for name in ORDERS[audience])
    about = (
        AUDIENCES[audience],
        f"tax year {client.tax_year}",
        f"as of {long_date(client.as_of)}",
        f"household {client.household}" if client.household else "",
        f"advisor {client.advisor}" if client.advisor else "",
    )
    return Page(
        title=client.name,
        subtitle="  ·  ".join(part for part in about if part),
        figures=tuple(_figures(client)),
        blocks=tuple(block for block in blocks if block is not None),
        closing=(*_sources(client, audience), DISCLAIMER),
        footer=f"Rothbook {version}  ·  as of {client.as_of:%Y-%m-%d}  ·  book {fingerprint[:12]}",
    )


def usd(amount: Decimal | None) -> str:
    """An amount as people write it, without cents where there are none; `unknown` where it isn't known."""
    if amount is None:
        return UNKNOWN
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}".removesuffix(".00")


def _cents(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def _short_date(day: date | None) -> str:
    return f"{day:%b} {day.day}, {day.year}" if day else ""


def _rate(client: Client) -> str:
    rate = client.facts.get("marginal_tax_rate")
    if rate is None:
        return ""
    percent = rate if rate > 1 else rate * 100  # stated as 35 or as 0.35, as the engine reads it
    return f"{percent.normalize():f}%"


def _figures(client: Client) -> Iterator[tuple[str, str, str]]:
    form = client.one("form_8606")
    yield ("Taxable conversion (line 18)", *_taxable(client, form))
    if form.get("status") == "UNKNOWN":
        yield ("Basis carried on (line 14)", UNKNOWN, "see What to ask")
    elif form:
        yield ("Basis carried on (line 14)", usd(form["line_14"]), _marked(form))
    yield _room(client)
    yield _next_deadline(client)


def _marked(row: dict[str, Any]) -> str:
    marks = ("under review" if row["status"] == "REVIEW" else "", said(row.get("basis_of_line_6")) or "")
    return ", ".join(m for m in marks if m)


def _taxable(client: Client, form: dict[str, Any]) -> tuple[str, str]:
    if not form:
        return "none", "nothing for Form 8606"
    if form["status"] == "UNKNOWN":
        return UNKNOWN, "see What to ask"
    if not _converted(form):
        return "none", "nothing converted"
    tax = next((w["tax_then"] for w in client.rows["ways_out"] if w["way"] == "accept"), None)
    cost = f"{usd(tax)} of tax at {_rate(client)}" if tax is not None and form["line_18"] else ""
    return usd(form["line_18"]), "; ".join(part for part in (cost, _marked(form)) if part)


def _room(client: Client) -> tuple[str, str, str]:
    groups = [g for g in client.rows["mega_backdoor"] if g["employer_group_id"] is not None]
    open_ones = [g for g in groups if g["room"] is not None and g["room"] > 0]
    if len(open_ones) == 1:
        at = _employer(client, open_ones[0]["employer_group_id"])
        return "Mega backdoor room", usd(open_ones[0]["room"]), short(at, 40)
    if open_ones:
        return "Mega backdoor room", counted(len(open_ones), "employer"), "see Mega backdoor"
    if any(g["status"] == "UNKNOWN" for g in groups):
        return "Mega backdoor room", UNKNOWN, "see What to ask"
    limits = client.one("ira_limits")
    limit = "of " + usd(limits["contribution_limit"]) if limits.get("contribution_limit") is not None else ""
    return "Direct Roth limit", usd(limits.get("roth_limit")), limit


def _next_deadline(client: Client) -> tuple[str, str, str]:
    due = [
        f["deadline"] for f in client.rows["exceptions"] if _is_open(f) and f["deadline"] and f["severity"] != "info"
    ]
    ahead = [day for day in due if day >= client.as_of]
    if not ahead:
        return "Next deadline", "none", f"{counted(len(due), 'finding')} past it" if due else "nothing is due"
    days = (min(ahead) - client.as_of).days
    return "Next deadline", _short_date(min(ahead)), f"in {counted(days, 'day')}" if days else "today"


def _is_open(finding: dict[str, Any]) -> bool:
    return bool(finding["status"] != "resolved")


def _options(client: Client) -> Block | None:
    ways = sorted(client.rows["ways_out"], key=lambda way: list(WAYS).index(way["way"]))
    if not ways:
        return None
    rate = _rate(client)
    review = ", by a Form 8606 under review" if client.one("form_8606").get("status") == "REVIEW" else ""
    closed = [f"{_way(w)} ({_plain(w)})" for w in ways if w["status"] == "INELIGIBLE"]
    return Block(
        "Options for the conversion",
        lead=f"If nothing is done, {usd(ways[0]['taxable_now'])}{_of_conversion(ways)} is taxable{review}. "
        + (f"Tax is at the stated marginal rate of {rate}." if rate else "No marginal rate is stated: tax is unknown."),
        columns=(
            Column("Option, and what it rests on", 0.5),
            Column("Moves", 0.13, right=True),
            Column(f"Taxed in {client.tax_year}", 0.13, right=True),
            Column(f"Tax at {rate}" if rate else "Tax", 0.12, right=True),
            Column("By", 0.12, right=True),
        ),
        rows=tuple(_option(way) for way in ways if way["status"] != "INELIGIBLE"),
        note=short("Not open: " + "; ".join(closed) + ".", TEXT) if closed else "",
        least=5,
        where="rothbook explain",
        yields=1,
    )


def _option(way: dict[str, Any]) -> Row:
    name = Cell(WAYS[way["way"]], bold=True)
    if way["status"] == "UNKNOWN":
        asked = Cell(name.text, "Not known yet: see What to ask.", bold=True)
        return (asked, *(Cell(UNKNOWN),) * 3, Cell(""))
    rests = [] if way["way"] == "accept" else [_COLUMN.sub("", fact) for fact in way["rests_on"]]
    review = [f"to review: {_after(r)}" for r in way["reasons"] if not r.startswith("form_8606_review")]
    detail = short("; ".join([*rests, *review]), 260)
    moved = usd(way["amount"]) if way["amount"] else "nothing"
    return (
        Cell(name.text, _capital(detail), bold=True),
        Cell(moved),
        Cell(usd(way["taxable_then"])),
        Cell(usd(way["tax_then"]), bold=True),
        Cell(_short_date(way["deadline"])),
    )


def _of_conversion(ways: Rows) -> str:
    planned = [way["conversion"] for way in ways if way["way"] == "accept" and way["conversion"]]
    return f" of a conversion of {usd(planned[0])}" if planned else " of the conversion"


def _small(text: str) -> Cell:
    return Cell("", text, less=text)


def _plain(row: dict[str, Any]) -> str:
    return "; ".join(map(_after, row["reasons"] or ()))


def _after(reason: str) -> str:
    """A reason without its code."""
    return short(reason.partition(": ")[2] or reason)


def _findings(client: Client, audience: Audience) -> Block:
    found = [f for f in client.rows["exceptions"] if _is_open(f)]
    unknown = any(row["blocks"] != MAY_CHANGE for row in client.rows["data_problems"])
    return Block(
        "Open findings",
        lead="" if found else "None: nothing in the book asks for action.",
        columns=(
            Column("Severity", 0.09),
            Column("What, why, and what to do", 0.63),
            Column("Dollars", 0.14, right=True),
            Column("Deadline", 0.14, right=True),
        ),
        rows=tuple(_finding(f, audience, told=unknown and f["rule"] in TOLD_BY_UNKNOWN) for f in found),
        least=3,
        where="sheet Exceptions of the workbook",
        yields=2,
    )


def _finding(finding: dict[str, Any], audience: Audience, *, told: bool) -> Row:
    law = f" [{finding['authority']}]" if audience == "cpa" and finding["authority"] else ""
    action = "See What to ask." if told else short(finding["action"], 260)
    why = (action if told else f"{short(finding['explanation'])} {action}").strip() + law
    kind = finding["amount_is"] if finding["amount"] is not None else ""
    left = _left(finding["days_left"])
    return (
        Cell(finding["severity"], word=True),
        Cell(
            short(finding["title"], 160),
            short(why, 700),
            less=short(why if len(why) <= LINE else action, LINE),
            bold=True,
        ),
        Cell(usd(finding["amount"]), kind, less=kind, bold=bool(kind)),
        Cell(_short_date(finding["deadline"]), left, less=left),
    )


def _left(days: int | None) -> str:
    if days is None:
        return ""
    return f"past by {counted(-days, 'day')}" if days < 0 else f"in {counted(days, 'day')}" if days else "today"


def _questions(client: Client) -> Block:
    asked: dict[tuple[str, str], list[str]] = {}
    for code, missing, waits in _missing(client):
        asked.setdefault(question(code, short(missing)), []).append(waits)
    rows = [
        (Cell(whom), Cell(short(text, SENTENCE)), _small(", ".join(dict.fromkeys(waits))))
        for (whom, text), waits in asked.items()
    ]
    return Block(
        "What to ask",
        lead="" if rows else "Nothing: no result of this client waits for a fact.",
        columns=(Column("Ask", 0.17), Column("Question", 0.6), Column("What waits for it", 0.23)),
        rows=tuple(rows),
        least=2,
        where="sheet Data problems of the workbook",
        yields=3,
    )


def _missing(client: Client) -> Iterator[tuple[str, str, str]]:
    """Code, words and waiting result of every fact that is missing: what blocks a result first."""
    for row in client.rows["data_problems"]:
        if row["blocks"] != MAY_CHANGE:
            yield row["rule"], row["missing"], row["blocks"]
    for table, waits in (("ways_out", "Option"), ("after_tax_conversions", "After-tax conversion")):
        for row in client.rows[table]:
            if row["status"] == "UNKNOWN":
                for reason in row["reasons"]:
                    code, _, missing = reason.partition(": ")
                    yield code, missing, f"{waits}: {_way(row)}" if "way" in row else waits
    form = client.one("form_8606")
    if form and client.facts.get("all_iras_reported") is None:
        yield "iras_not_confirmed", "", "Form 8606"
    if client.rows["ways_out"] and not _rate(client):
        yield "marginal_tax_rate", "", "Tax in dollars"


def _way(row: dict[str, Any]) -> str:
    name = WAYS[row["way"]].partition(":")[0].partition(",")[0]
    return name if name.startswith("HSA") else name.lower()


def _form(client: Client, audience: Audience) -> Block:
    form = client.one("form_8606")
    heading = f"Form 8606, tax year {client.tax_year}"
    if not form:
        nothing = "The book shows no basis, nondeductible contribution, conversion or distribution: no Form 8606."
        return Block(heading, lead=nothing)
    reasons = short(form["reasons"], SENTENCE)
    if form["status"] == "UNKNOWN":
        waits = sum("Form 8606" in row["blocks"] for row in client.rows["data_problems"])
        return Block(
            heading, word="UNKNOWN", lead=f"No line is shown: {counted(waits, 'fact')} missing, see What to ask."
        )
    basis = {"projected": "Projected: line 6 is the newest balances, as December 31 is still to come."}
    known = "Every input is known." if form["status"] == "COMPUTED" else ""
    lead = [known, basis.get(form["basis_of_line_6"] or "", ""), f"To review: {reasons}." if reasons else ""]
    lines = [Cell(name.removeprefix("line_")) for name in _lines(form, audience)]
    texts = [Cell(LINES_OF_FORM_8606[name], bold=name in KEY_LINES) for name in _lines(form, audience)]
    amounts = [Cell(_line(form, name), bold=name in KEY_LINES) for name in _lines(form, audience)]
    cells = [*zip(lines, texts, amounts, strict=True)]
    half = (len(cells) + 1) // 2
    right = [*cells[half:], *([(Cell(""),) * 3] * (2 * half - len(cells)))]
    return Block(
        heading + (" (projected)" if form["basis_of_line_6"] == "projected" else ""),
        word=form["status"],
        lead=" ".join(part for part in lead if part),
        columns=(
            *(Column("Line", 0.06), Column("What", 0.27), Column("Amount", 0.15, right=True)),
            *(Column("Line", 0.1, indent=20), Column("What", 0.27), Column("Amount", 0.15, right=True)),
        ),
        rows=tuple(a + b for a, b in zip(cells[:half], right, strict=True)),
        least=half,
    )


def _converted(form: dict[str, Any]) -> bool:
    return bool(form["line_8"] or form["line_16"])


def _lines(form: dict[str, Any], audience: Audience) -> list[str]:
    """The lines that say something of this client, in the form's order."""
    hidden = {name for name in IF_NOT_NOUGHT if not form[name]}
    hidden |= set() if _converted(form) else set(IF_CONVERTED)
    hidden |= set() if form["line_7"] or form["line_15a"] else set(IF_PAID_OUT)
    hidden |= set(CPA_ONLY) if audience == "meeting" else set()
    return [name for name in LINES_OF_FORM_8606 if form[name] is not None and name not in hidden]


def _line(form: dict[str, Any], name: str) -> str:
    value: Decimal = form[name]
    return f"{value:.6f}" if name == "line_10" else _cents(value)


def _facts(client: Client) -> Block:
    rows = [(Cell(label, bold=True), Cell(short(text, SENTENCE))) for label, text in _stated(client) if text]
    return Block(
        "Facts it rests on",
        columns=(Column("Fact", 0.17), Column("In the book", 0.83)),
        rows=tuple(rows),
        least=len(rows),
    )


def _stated(client: Client) -> Iterator[tuple[str, str]]:
    yield "Income", _income(client)
    yield "IRA contributions", _contributions(client)
    yield "Excess", "; ".join(_excess(row) for row in client.rows["excess_contributions"])
    yield "Basis", _basis(client)
    yield (
        "All IRAs in book",
        {
            True: "Yes, confirmed",
            False: "No: there are others, which belong on line 6",
            None: "Nobody has confirmed it",
        }[client.facts.get("all_iras_reported")],
    )
    if client.spouse:
        yield "Spouse", f"{client.spouse}: own IRAs, own Form 8606; two spouses' IRAs are never added up"


def _income(client: Client) -> str:
    facts = client.facts
    if facts.get("filing_status") is None:
        return f"No tax profile for {client.tax_year}: filing status, income and plan coverage are unknown"
    magi = client.one("ira_limits").get("roth_magi")
    covered = {True: "covered by a plan at work", False: "not covered by a plan at work", None: "plan coverage unknown"}
    birth = facts["birth_date"]
    return "; ".join(
        (
            (said(facts["filing_status"]) or "").capitalize(),
            f"Roth MAGI {usd(magi if magi is not None else facts['roth_magi'])}",
            f"compensation {usd(facts['compensation'])}",
            covered[facts["active_participant"]],
            f"age {client.tax_year - birth.year} at the end of {client.tax_year}" if birth else "age unknown",
            f"marginal rate {_rate(client) or UNKNOWN}",
        )
    )


def _contributions(client: Client) -> str:
    limits = client.one("ira_limits")
    if not limits:
        return ""
    if limits["status"] == "UNKNOWN":
        return "Unknown: see What to ask"
    made = (
        f"traditional {usd(limits['traditional_contributions'])} "
        f"(nondeductible {usd(limits['nondeductible_contributions'])}), Roth {usd(limits['roth_contributions'])}"
    )
    return f"Made: {made}. Limit {usd(limits['contribution_limit'])}, directly to Roth {usd(limits['roth_limit'])}"


def _excess(row: dict[str, Any]) -> str:
    kind = row["ira_kind"].capitalize()
    if row["status"] == "UNKNOWN":
        return f"{kind} IRA: unknown ({short(_plain(row), 80)})"
    cure = f"; none if cured by {_short_date(row['cure_by'])}" if row["cure_by"] else ""
    return f"{kind} IRA {usd(row['cumulative_excess'])}: 6% tax of {usd(row['excise_tax'])}{cure}"


def _basis(client: Client) -> str:
    stated = [row for row in client.rows["evidence"] if row["topic"] == "basis"]
    if stated:
        return "; ".join(f"{_capital(short(row['text'], 90))} {_source(row)}" for row in stated[:2])
    carried = client.one("form_8606").get("line_2")
    if carried is not None:
        return f"{usd(carried)}, as computed for {client.tax_year - 1}; none is stated"
    return "Not stated: unknown" if client.one("form_8606") else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _source(row: dict[str, Any]) -> str:
    return f"[{short(row['source_file'], 60)}:{row['source_line']}]"


def _accounts(client: Client) -> Block:
    accounts = sorted(client.rows["accounts"], key=lambda a: ("undecided", "yes", "no").index(a["in_pool"]))
    return Block(
        "Accounts",
        lead="" if accounts else "No account of this client is in the book.",
        columns=(
            Column("Account", 0.155),
            Column("Type", 0.15),
            Column("On line 6", 0.105),
            Column("Why", 0.345),
            Column("Value", 0.125, right=True),
            Column("As of", 0.12, right=True),
        ),
        rows=tuple(_account(account) for account in accounts),
        least=min(5, max(2, sum(account["in_pool"] != "no" for account in accounts))),
        where="sheet Accounts of the workbook",
        yields=4,
    )


def _account(account: dict[str, Any]) -> Row:
    return (
        Cell(short(account["account"], 40)),
        Cell(said(account["account_type"]) or UNKNOWN),
        Cell(account["in_pool"], word=True),
        _small(short(account["why"], 90)),
        Cell(UNKNOWN if account["market_value"] is None else _cents(account["market_value"])),
        Cell(_short_date(account["as_of"])),
    )


def _employer(client: Client, group: str) -> str:
    names = {
        plan["employer_name"] or f"plan {plan['plan_id']}"
        for plan in client.rows["plan_years"]
        if plan["employer_group_id"] == group
    }
    return ", ".join(sorted(names)) or f"Employer group {group}"


def _mega(client: Client) -> Block | None:
    groups = client.rows["mega_backdoor"]
    if not groups and not client.rows["after_tax_conversions"]:
        return None
    return Block(
        "Plans at work: mega backdoor",
        lead=_deferrals(groups[0]) if groups else "",
        columns=(
            Column("Employer", 0.5),
            Column("Status", 0.11),
            Column("After-tax room", 0.13, right=True),
            Column("415(c) limit", 0.13, right=True),
            Column("Added so far", 0.13, right=True),
        ),
        rows=tuple(_group(client, g) for g in groups if g["employer_group_id"] is not None),
        note=short(" ".join(_after_tax(client)), TEXT),
        least=2,
        where="sheet Mega backdoor of the workbook",
        yields=2,
    )


def _deferrals(row: dict[str, Any]) -> str:
    if row["status_402g"] is None:
        return ""
    if row["status_402g"] == "UNKNOWN":
        return "Deferrals over all employers (402(g)): unknown, see What to ask."
    over = f", {usd(row['excess_deferrals'])} too much" if row["excess_deferrals"] else ""
    catch_up = f", catch-up limit {usd(row['catch_up_limit'])}" if row["catch_up_limit"] else ""
    roth = ", which must be Roth" if row["catch_up_limit"] and row["catch_up_must_be_roth"] else ""
    return (
        f"Deferrals over all employers (402(g)): {usd(row['deferrals'])}, "
        f"limit {usd(row['deferral_limit'])}{catch_up}{roth}; left {usd(row['remaining'])}{over}."
    )


def _group(client: Client, group: dict[str, Any]) -> Row:
    test = "before the plan's ACP test, which may cut it" if group["room_before_acp_test"] and group["room"] else ""
    excess = f"{usd(group['excess_annual_additions'])} above the limit" if group["excess_annual_additions"] else ""
    reasons = "see What to ask" if group["status"] == "UNKNOWN" else short(group["reasons"], SENTENCE)
    detail = "; ".join(part for part in (excess, reasons, test) if part)
    room = "none" if group["status"] == "INELIGIBLE" else usd(group["room"])
    limit, added = group["annual_additions_limit"], group["annual_additions"]
    blank = "" if group["status"] == "INELIGIBLE" else UNKNOWN
    return (
        Cell(short(_employer(client, group["employer_group_id"]), 60), _capital(detail), bold=True),
        Cell(group["status"], word=True),
        Cell(room, bold=True),
        Cell(blank if limit is None else usd(limit)),
        Cell(blank if added is None else usd(added)),
    )


def _after_tax(client: Client) -> Iterator[str]:
    plans = {plan["plan_id"]: plan["employer_name"] or plan["plan_id"] for plan in client.rows["plan_years"]}
    for row in client.rows["after_tax_conversions"]:
        where = f"After-tax money at {plans.get(row['plan_id'], row['plan_id'])}:"
        if row["status"] == "UNKNOWN":
            yield f"{where} what a conversion taxes is unknown, see What to ask."
        else:
            yield f"{where} {usd(row['after_tax_balance'])}, of it contributed {usd(row['after_tax_basis'])}."


def _sources(client: Client, audience: Audience) -> tuple[str, ...]:
    explained = f"rothbook explain {short(client.person_id, 40)} --tax-year {client.tax_year}"
    if audience == "meeting":
        return (f"Sources: every number down to its file and line: {explained}.",)
    rests: dict[str, list[str]] = {}
    for topic, feeds in FEEDS.items():
        for row in client.rows["evidence"]:
            if row["topic"] == topic:
                rests.setdefault(feeds, []).append(f"{short(row['source_file'], 60)}:{row['source_line']}")
    listed = "; ".join(f"{feeds}: {', '.join(dict.fromkeys(places))}" for feeds, places in rests.items())
    return (short(f"Sources [file:line]: {listed}", 480), f"All of them: {explained}.")
