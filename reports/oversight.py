"""The firm's sheets for operations and compliance: earlier nights, open moves, forms that differ, overrides."""

from __future__ import annotations

from reports.sheet import Column, Sheet
from schemas.tables import SEVERITIES

_CLIENT = (
    Column("client", "Client", "wrap", 22),
    Column("advisor_id", "Advisor", "text", 12),
)

TREND = Sheet(
    title="Trend",
    heading="Trend over the nights",
    lead="One row per as-of date, newest first: what came, what was set aside, what is open, what could be computed.",
    table="Trend",
    columns=(
        Column("as_of", "As of", "date", 14),
        Column("files", "Files", "int", 9.5),
        Column("files_set_aside", "Files set aside", "int", 11),
        Column("rows", "Rows", "int", 11),
        Column("rows_set_aside", "Rows set aside", "int", 11),
        Column("clients", "Clients", "int", 11.2),
        *(Column(s, s.capitalize(), "int", 12.2) for s in SEVERITIES),
        Column("new", "New", "int", 9),
        Column("resolved", "Resolved", "int", 12.2),
        *(
            Column(f"{table}_{status}", f"{said}: {status if status == 'computed' else 'UNKNOWN'}", "int", 12.5)
            for table, said in (
                ("form_8606", "8606"),
                ("ira_limits", "IRA limits"),
                ("mega_backdoor", "Mega"),
                ("elective_deferrals", "402(g)"),
            )
            for status in ("computed", "unknown")
        ),
    ),
    empty="No night has been counted yet.",
    pages_wide=2,
    tab="3E7D5A",
    in_sight="resolved",
)

MOVES = Sheet(
    title="Moves of money",
    heading="Moves of money with a leg missing",
    lead="Money that left or arrived without its other side. Ten days it waits; then its client's number waits for it.",
    table="MovesOfMoney",
    columns=(
        Column("state", "State", "word", 12),
        *_CLIENT,
        Column("kind", "Move", "wrap", 20),
        Column("amount", "Dollars", "money", 15),
        Column("seen_on", "Seen on", "date", 13),
        Column("days_open", "Days open", "int", 9),
        Column("from_account", "From", "wrap", 18),
        Column("to_account", "To", "wrap", 18),
        Column("missing", "Missing", "wrap", 20),
        Column("deadline", "60 days end", "date", 13),
        Column("place", "Where it is stated", "wrap", 34),
    ),
    empty="Every move of money has both of its legs, or its other leg is known to be outside the book.",
    freeze_columns=2,
    tab="2F6B8F",
    in_sight="deadline",
)

FORMS = Sheet(
    title="Forms against the book",
    heading="Forms 5498 and 1099-R against the book",
    lead="Boxes that differ, forms due that didn't come, and money of a form that the book doesn't have.",
    table="FormsAgainstTheBook",
    columns=(
        Column("state", "State", "word", 14),
        *_CLIENT,
        Column("account", "Account", "wrap", 18),
        Column("tax_year", "Tax year", "year", 9),
        Column("form", "Form", "text", 9),
        Column("box", "Box", "text", 9),
        Column("what", "What", "wrap", 30),
        Column("form_amount", "Form says", "money", 15),
        Column("book_amount", "Book says", "money", 15),
        Column("difference", "Difference", "key_money", 15),
        Column("form_says", "Form says, in words", "wrap", 22),
        Column("book_says", "Book says, in words", "wrap", 22),
        Column("place", "Where it is stated", "wrap", 30),
    ),
    empty="Every form in the book agrees with it.",
    freeze_columns=2,
    tab="2F6B8F",
    in_sight="difference",
)

EXCESS = Sheet(
    title="Excess contributions",
    heading="Excess IRA contributions and the 6% tax",
    lead="One row per client, year and kind of IRA whose excess (Form 5329) stands or may stand. First due first.",
    table="ExcessContributions",
    columns=(
        *_CLIENT,
        Column("tax_year", "Tax year", "year", 9),
        Column("ira_kind", "IRA", "text", 13),
        Column("status", "Status", "word", 13),
        Column("excess_of_year", "Excess of the year", "money", 15),
        Column("cumulative_excess", "Excess standing", "money", 15),
        Column("excise_tax", "6% tax", "key_money", 15),
        Column("cure_by", "Cure by", "date", 13),
        Column("reasons", "Why this status", "wrap", 54),
    ),
    empty="No client has an excess contribution.",
    tab="B3413A",
)

OVERRIDES = Sheet(
    title="Overrides",
    heading="What people decided over what the files say",
    lead="Corrections, fixed rows, links, and findings put aside: by whom, when, what they changed. Newest first.",
    table="Overrides",
    columns=(
        Column("what", "What", "wrap", 16),
        Column("decided_by", "By", "wrap", 20),
        Column("decided_on", "On", "date", 13),
        *_CLIENT,
        Column("account", "Account", "wrap", 18),
        Column("changed", "What it changed", "wrap", 46),
        Column("reason", "Reason given", "wrap", 30),
        Column("place", "Where it is stated", "wrap", 34),
    ),
    empty="Nobody has overridden anything: every number rests on the files as they came.",
    freeze_columns=2,
    tab="6B7785",
    in_sight="reason",
)
