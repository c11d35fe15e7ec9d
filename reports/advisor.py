"""One advisor's workbook: what matters on one page, then the ranked exceptions, a sheet per topic, and the notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from reports.book import Advisor, Book
from reports.notes import DISCLAIMER, write_notes
from reports.page import PagedWorkbook
from reports.sheet import Canvas, Column, Row, Sheet, Value, set_up_page, write_sheet
from reports.style import Looks, header_look, said, tile_looks, word_look
from schemas.tables import SEVERITIES

CLIENT = (Column("client", "Client", "wrap", 18), Column("household_id", "Household", "text", 11))
YEAR = Column("tax_year", "Tax year", "year", 8)
STATUS = (Column("status", "Status", "word", 13), Column("reasons", "Why this status", "wrap", 36))

EXCEPTIONS = Sheet(
    title="Exceptions",
    heading="Exceptions, most important first",
    lead="One row per problem or opportunity. Ranked by severity, dollars and deadline; information comes last.",
    table="Exceptions",
    columns=(
        Column("severity", "Severity", "word", 10),
        Column("status", "Since last run", "word", 9),
        CLIENT[0],
        CLIENT[1],
        Column("title", "Exception", "wrap", 27),
        Column("amount", "Dollars", "money", 13.5),
        Column("amount_is", "Dollars are", "wrap", 12),
        Column("deadline", "Deadline", "date", 12.5),
        Column("days_left", "Days left", "days", 8.5),
        Column("explanation", "Why", "wrap", 46),
        Column("action", "What to do", "wrap", 38),
        Column("authority", "Authority", "wrap", 26, printed=False),
        Column("evidence", "Evidence [file:line]", "clip", 60, printed=False),
        Column("tax_year", "Tax year", "year", 9, printed=False),
        Column("finding_id", "Finding id", "id", 18, printed=False),
        Column("rule", "Rule", "id", 26, printed=False),
    ),
    empty="No exceptions: nothing in this advisor's book asks for attention.",
    freeze_columns=3,
    tab="B3413A",
)

LINES_OF_FORM_8606 = {
    "line_1": "Nondeductible contributions",
    "line_2": "Basis brought in",
    "line_3": "Sum of 1 and 2",
    "line_4": "Contributed after year end",
    "line_5": "Line 3 less line 4",
    "line_6": "Value of all IRAs",
    "line_7": "Distributions",
    "line_8": "Converted to Roth",
    "line_9": "Sum of 6, 7 and 8",
    "line_10": "Ratio of 5 to 9",
    "line_11": "Nontaxable part of conversions",
    "line_12": "Nontaxable part of distributions",
    "line_13": "Sum of 11 and 12",
    "line_14": "Basis carried out",
    "line_15a": "Taxable distributions",
    "line_15b": "Of it, disaster",
    "line_15c": "Taxable, 15a less 15b",
    "line_16": "Converted",
    "line_17": "Basis in conversions",
    "line_18": "Taxable conversions",
}
KEY_LINES = {"line_6", "line_14", "line_15c", "line_18"}


def _line_column(field: str, text: str) -> Column:
    header = f"Line {field.removeprefix('line_')} {text}"
    if field == "line_10":
        return Column(field, header, "ratio", 12)
    return Column(field, header, "key_money" if field in KEY_LINES else "money", 16.5)


PRO_RATA = Sheet(
    title="Pro-rata",
    heading="Pro-rata exposure: Form 8606 line by line",
    lead="One row per client and tax year. UNKNOWN: no numbers, only what is missing. Projected: not yet December 31.",
    table="ProRata",
    columns=(
        *CLIENT,
        YEAR,
        *STATUS,
        Column("basis_of_line_6", "Line 6 is", "wrap", 12),
        *(_line_column(field, text) for field, text in LINES_OF_FORM_8606.items()),
    ),
    empty="No client has IRA basis, conversions or distributions in these tax years.",
    freeze_columns=3,
    pages_wide=3,
    tab="2F6B8F",
)

IRA_LIMITS = Sheet(
    title="IRA limits",
    heading="IRA contributions: allowed and made",
    lead="One row per client and tax year. Limits after income, compensation, age and the spouse's return.",
    table="IraLimits",
    columns=(
        *CLIENT,
        YEAR,
        *STATUS,
        Column("roth_magi", "Roth MAGI", "money", 15),
        Column("contribution_limit", "Contribution limit", "money", 15.5),
        Column("roth_limit", "Roth limit", "money", 13),
        Column("deduction_limit", "Deduction limit", "money", 13),
        Column("traditional_contributions", "Made: traditional", "money", 14.5),
        Column("roth_contributions", "Made: Roth", "money", 13),
        Column("deductible_contributions", "Deductible", "money", 13.5),
        Column("nondeductible_contributions", "Nondeductible", "money", 16.5),
        Column("excess_contributions", "Excess", "key_money", 13),
    ),
    empty="No client has IRA limits in these tax years.",
    freeze_columns=3,
    tab="2F6B8F",
)

MEGA = Sheet(
    title="Mega backdoor",
    heading="Mega backdoor room under section 415(c), and deferrals under 402(g)",
    lead="One row per client, employer and tax year. Deferrals count over all employers, so they repeat on each row.",
    table="MegaBackdoor",
    columns=(
        *CLIENT,
        YEAR,
        Column("employer_group_id", "Employer group", "wrap", 14),
        *STATUS,
        Column("annual_additions_limit", "415(c) limit", "money", 14),
        Column("annual_additions", "Annual additions", "money", 14),
        Column("catch_up_portion", "Of deferrals, catch-up", "money", 13.5),
        Column("room", "After-tax room", "key_money", 14),
        Column("acp", "Room before ACP test", "word", 11),
        Column("excess_annual_additions", "Excess additions", "money", 13),
        Column("deferral_limit", "402(g) limit", "money", 13),
        Column("catch_up_limit", "Catch-up limit", "money", 13),
        Column("deferrals", "Deferrals, all employers", "money", 14),
        Column("remaining", "Deferrals left", "money", 13),
        Column("excess_deferrals", "Excess deferrals", "money", 13),
        Column("roth_catch_up", "Catch-up must be Roth", "word", 11),
        Column("status_402g", "402(g) status", "word", 13),
        Column("reasons_402g", "Why this 402(g) status", "wrap", 32),
    ),
    empty="No client has an employer plan in these tax years.",
    freeze_columns=3,
    pages_wide=2,
    tab="3E7D5A",
)

ACCOUNTS = Sheet(
    title="Accounts",
    heading="Accounts that were added up",
    lead="One row per client, tax year and account: whether it counts on line 6 of Form 8606, why, and the value used.",
    table="Accounts",
    columns=(
        *CLIENT,
        YEAR,
        Column("account", "Account", "text", 20),
        Column("type", "Type", "text", 27),
        Column("in_pool", "In the IRA pool", "word", 14.5),
        Column("why", "Why", "wrap", 46),
        Column("market_value", "Value", "money", 16),
        Column("as_of", "Value as of", "date", 14),
    ),
    empty="No account of this advisor's clients is in the book.",
    tab="6B7785",
)

DATA_PROBLEMS = Sheet(
    title="Data problems",
    heading="Data problems: what is missing, client by client",
    lead="Each row keeps a result UNKNOWN, or may change it. State the fact in the file named and run again.",
    table="DataProblems",
    columns=(
        *CLIENT,
        YEAR,
        Column("blocks", "Result that waits", "wrap", 22),
        Column("missing", "What is missing", "wrap", 46),
        Column("fix", "How to fix it", "wrap", 42),
        Column("rule", "Rule", "id", 28, printed=False),
    ),
    empty="Nothing is missing: every result of this advisor's clients could be computed.",
    tab="A9781E",
)

#: Every sheet that holds one table, with the frame it shows.
TOPICS = (
    (EXCEPTIONS, "findings"),
    (PRO_RATA, "form_8606"),
    (IRA_LIMITS, "ira_limits"),
    (MEGA, "mega_backdoor"),
    (ACCOUNTS, "accounts"),
    (DATA_PROBLEMS, "data_problems"),
)


def fill_advisor(workbook: PagedWorkbook, book: Book, advisor: Advisor, footer: str) -> None:
    """Write every sheet of one advisor's workbook."""
    looks = Looks(workbook)
    _write_summary(Canvas(workbook.create_sheet("Summary"), looks), book, advisor, footer)
    for spec, frame in TOPICS:
        rows = topic_rows(book.own(frame, advisor.advisor_id))
        write_sheet(workbook.create_sheet(spec.title), looks, spec, rows, footer)
    write_notes(Canvas(workbook.create_sheet("Notes"), looks), book, footer, tab="6B7785")


def topic_rows(frame: pl.DataFrame) -> list[Row]:
    """Rows as the sheets show them: open findings only, words said to people, yes or no for true or false."""
    if "finding_id" in frame.columns:
        frame = frame.filter(pl.col("status") != "resolved")
    return [_shown(row) for row in frame.iter_rows(named=True)]


def _shown(row: dict[str, Value]) -> Row:
    extra: dict[str, Value] = {}
    if "account_type" in row:
        extra["type"] = said(_text(row["account_type"]))
    if "basis_of_line_6" in row:
        extra["basis_of_line_6"] = said(_text(row["basis_of_line_6"]))
    if "room_before_acp_test" in row:
        extra["acp"] = _yes_no(row["room_before_acp_test"])
        extra["roth_catch_up"] = _yes_no(row["catch_up_must_be_roth"])
    return {**row, **extra}


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _yes_no(value: Value) -> str | None:
    return None if value is None else "yes" if value else "no"


#: The Summary is a grid of twelve equal columns.
GRID = 12
CELL = 13.0

#: Field, header, look and how many grid columns.
Place = tuple[str, str, str, int]


@dataclass(frozen=True)
class Lines:
    """A small table on the grid: its heading, what is said when it has no rows, its places."""

    heading: str
    empty: str
    places: tuple[Place, ...]


TOP_LINES = Lines(
    "What matters first",
    "Nothing asks for action today.",
    (
        ("tag", "Severity", "word", 1),
        ("client", "Client", "strong", 2),
        ("title", "What", "wrap", 3),
        ("amount", "Dollars", "key dollars", 1),
        ("amount_is", "Dollars are", "wrap", 1),
        ("deadline", "Deadline", "date", 1),
        ("action", "What to do", "wrap", 3),
    ),
)
RESOLVED_LINES = Lines(
    "Resolved since the last run",
    "Nothing.",
    (
        ("client", "Client", "strong", 2),
        ("title", "What it was", "wrap", 6),
        ("amount", "Dollars", "key dollars", 1),
        ("amount_is", "Dollars were", "wrap", 1),
        ("last_changed", "Resolved on", "date", 2),
    ),
)


def _write_summary(canvas: Canvas, book: Book, advisor: Advisor, footer: str) -> None:
    findings = book.own("findings", advisor.advisor_id)
    persons = book.own("persons", advisor.advisor_id)
    problems = book.own("data_problems", advisor.advisor_id)
    gone = findings.filter(pl.col("status") == "resolved")
    now = findings.filter(pl.col("status") != "resolved")
    canvas.widths([CELL] * GRID)
    _put_title(canvas, book, advisor, persons)
    put_tiles(
        canvas,
        4,
        [
            *((word.capitalize(), now.filter(pl.col("severity") == word).height, word) for word in SEVERITIES),
            ("Data problems", problems.height, ""),
        ],
    )
    canvas.put(7, 1, _headline(now, book), "headline", span=GRID)
    canvas.height(7, 26)
    row = max(_put_stakes(canvas, 9, now), _put_changes(canvas, 9, findings, problems))
    top = now.filter(pl.col("severity") != "info").head(10)
    row = put_lines(canvas, row + 1, TOP_LINES, [_tagged(r) for r in top.iter_rows(named=True)])
    row = put_lines(canvas, row + 1, RESOLVED_LINES, list(gone.iter_rows(named=True)))
    canvas.put(row + 1, 1, DISCLAIMER, "quiet", span=GRID)
    set_up_page(canvas.sheet, footer, tab="1F3A5F", pages_tall=1)


def _put_title(canvas: Canvas, book: Book, advisor: Advisor, persons: pl.DataFrame) -> None:
    years = " and ".join(map(str, book.tax_years))
    households = persons.select(pl.coalesce("household_id", "person_id").n_unique()).item()
    about = (
        f"Backdoor and mega backdoor Roth, as of {long_date(book.as_of)}  ·  "
        f"{'tax years' if len(book.tax_years) > 1 else 'tax year'} {years}  ·  "
        f"{counted(persons.height, 'client')} in {counted(households, 'household')}"
    )
    canvas.put(1, 1, advisor.name, "title", span=GRID)
    canvas.put(2, 1, about, "lead", span=GRID)
    canvas.height(1, 32)
    canvas.height(2, 18)


def long_date(day: date) -> str:
    """A date as people write it: November 24, 2026."""
    return f"{day:%B} {day.day}, {day.year}"


def counted(number: int, thing: str) -> str:
    """`3 clients`, `1 client`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _headline(now: pl.DataFrame, book: Book) -> str:
    due = now.filter(pl.col("deadline") >= book.as_of, pl.col("severity") != "info")
    if due.is_empty():
        return "No deadline ahead."
    first = min(due["deadline"].to_list())
    at_first = due.filter(pl.col("deadline") == first).height
    late = now.filter(pl.col("deadline") < book.as_of, pl.col("severity") != "info").height
    past = f"  {counted(late, 'exception')} already past the deadline." if late else ""
    days = (first - book.as_of).days
    when = f"in {counted(days, 'day')}" if days else "today"
    return f"Next deadline: {long_date(first)}, {when}: {counted(at_first, 'exception')}.{past}"


def put_tiles(canvas: Canvas, row: int, tiles: list[tuple[str, int, str]]) -> None:
    """Big numbers over their names, two grid columns each."""
    canvas.height(row, 36)
    canvas.height(row + 1, 18)
    for place, (name, number, word) in enumerate(tiles):
        big, small = tile_looks(word if number else "")
        canvas.put(row, 1 + 2 * place, number, big, span=2)
        canvas.put(row + 1, 1 + 2 * place, name, small, span=2)


#: Tax first, then excess, then by dollars; equal dollars by name, so that the bytes are the same every time.
STAKES_ORDER = (pl.col("amount_is") != "tax", pl.col("amount_is") != "excess", "amount", "amount_is")


def _put_stakes(canvas: Canvas, row: int, now: pl.DataFrame) -> int:
    """Dollars by what they are; kinds are never added to each other."""
    stakes = (
        now.filter(pl.col("amount").is_not_null(), pl.col("severity") != "info")
        .group_by("amount_is")
        .agg(pl.len().alias("findings"), pl.col("amount").sum())
        .sort(*STAKES_ORDER, descending=[False, False, True, False], nulls_last=True)
    )
    put_panel(canvas, row, 1, 6, "Dollars at stake")
    for number, stake in enumerate(stakes.iter_rows(named=True), row + 1):
        name = f"{stake['amount_is'] or 'not said'}".capitalize()
        canvas.height(number, 17)
        canvas.put(number, 1, name, "label", span=3)
        canvas.put(number, 4, counted(stake["findings"], "exception"), "label")
        canvas.put(number, 5, stake["amount"], "amount", span=2)
    if stakes.is_empty():
        canvas.put(row + 1, 1, "None.", "label", span=6)
    return row + 1 + max(1, stakes.height)


def put_panel(canvas: Canvas, row: int, column: int, span: int, heading: str) -> None:
    """The heading of a block, ruled over its width."""
    canvas.put(row, column, heading, "section", span=span)
    canvas.height(row, 22)


def _put_changes(canvas: Canvas, row: int, findings: pl.DataFrame, problems: pl.DataFrame) -> int:
    put_panel(canvas, row, 8, 5, "Since the last run")
    unknown = problems.filter(pl.col("person_id").is_not_null())["person_id"].n_unique()
    lines = [
        *(
            (name, findings.filter(pl.col("status") == status).height)
            for status, name in (
                ("new", "New"),
                ("changed", "Changed"),
                ("open", "Still open"),
                ("resolved", "Resolved"),
            )
        ),
        ("Clients with data problems", unknown),
    ]
    for number, (name, count) in enumerate(lines, row + 1):
        canvas.height(number, 17)
        canvas.put(number, 8, name, "label", span=4)
        canvas.put(number, 12, count, "count")
    return row + 1 + len(lines)


def _tagged(row: dict[str, Value]) -> Row:
    news = f"\n{row['status']}" if row["status"] in ("new", "changed") else ""
    return {**row, "tag": f"{row['severity']}{news}"}


def put_lines(canvas: Canvas, row: int, lines: Lines, rows: Sequence[Row]) -> int:
    """Write a small table on the grid; returns the row after it."""
    put_panel(canvas, row, 1, GRID, lines.heading)
    if not rows:
        canvas.put(row + 1, 1, lines.empty, "label", span=GRID)
        return row + 2
    headers: Row = {field: header for field, header, _, _ in lines.places}
    _put_line(canvas, row + 1, headers, [(f, h, header_look(look), span) for f, h, look, span in lines.places])
    for number, values in enumerate(rows, row + 2):
        _put_line(canvas, number, values, lines.places)
    return row + 2 + len(rows)


def _put_line(canvas: Canvas, number: int, values: Row, places: Sequence[Place]) -> None:
    canvas.height(number, 17)
    column = 1
    for field, _, look, span in places:
        value = values[field]
        named = word_look(value.partition("\n")[0]) if look == "word" and isinstance(value, str) else look
        canvas.put(number, column, value, named, span=span)
        if isinstance(value, str):
            canvas.fit(number, value, CELL * span, named)
        column += span
