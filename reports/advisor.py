"""One advisor's workbook: Today on one page, then the exceptions, a sheet per topic, and what it rests on."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from reports.about import write_about
from reports.book import Advisor, Book
from reports.exceptions import NO_DEADLINE
from reports.marks import ENTRIES, SHOWN_ID
from reports.page import PagedWorkbook
from reports.sheet import Canvas, Column, Row, Sheet, Value, places_of, write_sheet
from reports.style import Looks, said
from reports.today import write_today
from reports.what_if import write_what_if

HOUSEHOLDS_TITLE = "Households"
CLIENT = (
    Column("client", "Client", "wrap", 22, leads_to=HOUSEHOLDS_TITLE),
    Column("household_id", "Household", "text", 11),
)
YEAR = Column("tax_year", "Tax year", "year", 9)
STATUS = (Column("status", "Status", "word", 13), Column("reasons", "Why this status", "wrap", 36))

EXCEPTIONS = Sheet(
    title="Exceptions",
    heading="Exceptions, most important first",
    lead="One row per problem, most pressing first. Fill in the shaded columns, save, drop it into the inbox.",
    table="Exceptions",
    columns=(
        Column("severity", "Severity", "word", 9),
        Column("status", "Since last run", "word", 8.5),
        replace(CLIENT[0], width=18),
        Column("title", "Exception", "wrap", 22),
        Column("amount", "Dollars", "dollars", 11.2),
        Column("amount_is", "Dollars are", "wrap", 11),
        Column("deadline", "Deadline", "date", 12.5),
        Column("days_left", "Days left", "days", 7),
        Column("explanation", "Why", "wrap", 36),
        Column("action", "What to do", "wrap", 33),
        *ENTRIES,
        Column("household_id", "Household", "text", 11, printed=False),
        Column("authority", "Authority", "wrap", 26, printed=False),
        Column("evidence", "Evidence [file:line]", "clip", 60, printed=False),
        Column("tax_year", "Tax year", "year", 9, printed=False),
        Column("finding_id", "Finding id", "id", 18, printed=False),
        Column("rule", "Rule", "id", 26, printed=False),
        SHOWN_ID,
    ),
    empty="No exceptions: nothing in this advisor's book asks for attention.",
    freeze_columns=3,
    tab="B3413A",
    in_sight="action",
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
#: What decides, shown first.
KEY_LINES = ("line_18", "line_15c", "line_6", "line_14")


def _line_column(field: str, text: str) -> Column:
    header = f"Line {field.removeprefix('line_')} {text}"
    if field == "line_10":
        return Column(field, header, "ratio", 12)
    return Column(field, header, "key_money" if field in KEY_LINES else "money", 17.2)


PRO_RATA = Sheet(
    title="Pro-rata",
    heading="Pro-rata exposure: Form 8606 line by line",
    lead="One row per client and tax year: the lines that decide, then the others. UNKNOWN: no numbers, only why.",
    table="ProRata",
    columns=(
        *CLIENT,
        YEAR,
        STATUS[0],
        *(_line_column(field, LINES_OF_FORM_8606[field]) for field in KEY_LINES),
        Column("basis_of_line_6", "Line 6 is", "wrap", 12),
        STATUS[1],
        *(_line_column(field, text) for field, text in LINES_OF_FORM_8606.items() if field not in KEY_LINES),
    ),
    empty="No client has IRA basis, conversions or distributions in these tax years.",
    freeze_columns=3,
    pages_wide=3,
    tab="2F6B8F",
    in_sight="reasons",
)

BACKDOOR = Sheet(
    title="Backdoor candidates",
    heading="Backdoor Roth: who is ready, who is blocked, and by what",
    lead="One row per client and tax year, those who can act first. Blocked: pre-tax IRA money makes it taxable.",
    table="BackdoorCandidates",
    columns=(
        *CLIENT,
        YEAR,
        Column("standing", "Backdoor", "word", 12),
        Column("room", "Room left", "key_money", 13),
        Column("pre_tax", "Pre-tax in IRAs", "money", 15),
        Column("taxable_if_done", "Taxable if done now", "key_money", 14),
        Column("tax_if_done", "Tax on it at the stated rate", "money", 15),
        Column("ways_out", "Ways out", "wrap", 44),
        Column("due_date", "Contribute by", "date", 14.5),
        *STATUS,
        Column("direct_roth_room", "Direct Roth room", "money", 13),
        Column("pool_value", "IRAs, projected", "money", 15),
        Column("basis", "Basis", "money", 13),
        Column("roth_magi", "Roth MAGI", "money", 15),
        Column("contribution_limit", "Contribution limit", "money", 16.5),
        Column("roth_limit", "Roth limit", "money", 13),
        Column("deduction_limit", "Deduction limit", "money", 13.5),
        Column("traditional_contributions", "Made: traditional", "money", 15.5),
        Column("roth_contributions", "Made: Roth", "money", 13),
        Column("deductible_contributions", "Deductible", "money", 14.5),
        Column("nondeductible_contributions", "Nondeductible", "money", 17.5),
        Column("excess_contributions", "Excess", "key_money", 13),
    ),
    empty="No client has IRA limits in these tax years.",
    freeze_columns=3,
    pages_wide=2,
    tab="2F6B8F",
    in_sight="ways_out",
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
        Column("catch_up_portion", "Of deferrals, catch-up", "money", 14.5),
        Column("room", "After-tax room", "key_money", 14),
        Column("acp", "Room before ACP test", "word", 11),
        Column("excess_annual_additions", "Excess additions", "money", 13.5),
        Column("deferral_limit", "402(g) limit", "money", 13),
        Column("catch_up_limit", "Catch-up limit", "money", 13),
        Column("deferrals", "Deferrals, all employers", "money", 14.5),
        Column("remaining", "Deferrals left", "money", 13.5),
        Column("excess_deferrals", "Excess deferrals", "money", 13.5),
        Column("roth_catch_up", "Catch-up must be Roth", "word", 11),
        Column("status_402g", "402(g) status", "word", 13),
        Column("reasons_402g", "Why this 402(g) status", "wrap", 32),
    ),
    empty="No plan of these clients is in the book for these tax years.",
    freeze_columns=3,
    pages_wide=2,
    tab="3E7D5A",
    in_sight="room",
)

HOUSEHOLDS = Sheet(
    title=HOUSEHOLDS_TITLE,
    heading="Households: every client on one row",
    lead="Spouses side by side, each with their own IRAs. Underlined numbers lead to the rows behind them.",
    table="Households",
    columns=(
        Column("household_id", "Household", "text", 11),
        Column("client", "Client", "wrap", 19.5),
        Column("spouse", "Spouse", "wrap", 19.5),
        Column("tax_year", "Tax year", "year", 9),
        Column("exceptions", "Exceptions", "int", 14.2, leads_to="Exceptions"),
        Column("gravest", "Gravest", "word", 9.5),
        Column("deadline", "Next deadline", "date", 13),
        Column("tax_at_stake", "Tax at stake", "key_money", 14, leads_to="Exceptions"),
        Column("status", "Form 8606", "word", 13, leads_to="Pro-rata"),
        Column("line_6", "IRAs, line 6", "money", 15, leads_to="Pro-rata"),
        Column("line_14", "Basis carried out", "money", 14.5),
        Column("line_18", "Taxable conversions", "key_money", 15.5, leads_to="Pro-rata"),
        Column("standing", "Backdoor", "word", 12, leads_to="Backdoor candidates"),
        Column("room", "Backdoor room", "money", 13, leads_to="Backdoor candidates"),
        Column("mega_room", "Mega room", "money", 13, leads_to="Mega backdoor"),
        Column("accounts", "Accounts", "int", 12.5, leads_to="Accounts"),
        Column("data_problems", "Data problems", "int", 12.5, leads_to="Data problems"),
    ),
    empty="This advisor has no clients in the book.",
    freeze_columns=2,
    tab="6B7785",
    in_sight="standing",
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
    lead="Each row keeps a result UNKNOWN, or may change it. Ask, and hand the answer to operations.",
    table="DataProblems",
    columns=(
        *CLIENT,
        YEAR,
        Column("blocks", "Result that waits", "wrap", 22),
        Column("missing", "What is missing", "wrap", 46),
        Column("fix", "What to do", "wrap", 42),
        Column("stated_in", "Operations: file and columns", "clip", 34, printed=False),
        Column("rule", "Rule", "id", 28, printed=False),
    ),
    empty="Nothing is missing: every result of this advisor's clients could be computed.",
    tab="A9781E",
    in_sight="fix",
)

#: Every sheet that holds one table, with the frame it shows, in the order of the workbook.
TOPICS = (
    (EXCEPTIONS, "exceptions"),
    (PRO_RATA, "form_8606"),
    (BACKDOOR, "backdoor"),
    (MEGA, "mega_backdoor"),
    (HOUSEHOLDS, "households"),
    (ACCOUNTS, "accounts"),
    (DATA_PROBLEMS, "data_problems"),
)


def fill_advisor(workbook: PagedWorkbook, book: Book, advisor: Advisor, footer: str) -> None:
    """Write every sheet of one advisor's workbook; `book` holds that advisor's rows only."""
    looks = Looks(workbook)
    rows = {spec.title: topic_rows(book.frames[frame]) for spec, frame in TOPICS}
    places = places_of(rows)
    write_today(Canvas(workbook.create_sheet("Today"), looks), book, advisor, footer)
    for spec, _ in TOPICS:
        write_sheet(workbook.create_sheet(spec.title), looks, spec, rows[spec.title], footer, places=places)
        if spec is ACCOUNTS:
            write_what_if(workbook, looks, book, footer)
    write_about(Canvas(workbook.create_sheet("About"), looks), book, footer, tab="6B7785")


def topic_rows(frame: pl.DataFrame) -> list[Row]:
    """Rows as the sheets show them: open findings only, words said to people, yes or no for true or false."""
    if "finding_id" in frame.columns:
        frame = frame.filter(pl.col("status") != "resolved")
    return [_shown(row) for row in frame.iter_rows(named=True)]


def _shown(row: dict[str, Value]) -> Row:
    extra: dict[str, Value] = {}
    if row.get("years"):
        extra["tax_year"] = row["years"]
    if "days_left" in row:
        extra["deadline"] = row["deadline"] or NO_DEADLINE
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
