"""The firm's workbook, for operations: files received, rows set aside, what each advisor has, accounts of nobody."""

from __future__ import annotations

import polars as pl

from reports.about import write_about
from reports.advisor import topic_rows
from reports.book import Book
from reports.exceptions import rule_name
from reports.firm_today import write_today
from reports.oversight import EXCESS, FORMS, MOVES, OVERRIDES, TREND
from reports.page import PagedWorkbook
from reports.set_aside import CORRECTED, FIX_SHEET, SET_ASIDE_FILE
from reports.sheet import HEADER_ROW, Canvas, Column, Row, Sheet, write_sheet
from reports.style import Looks, linked_look
from schemas.tables import SEVERITIES

FILES = Sheet(
    title="Files",
    heading="Files received",
    lead="One row per file of the book, and one per file delivered again. Account numbers in file names are cut.",
    table="Files",
    columns=(
        Column("state", "State", "word", 12),
        Column("file_name", "File", "wrap", 34),
        Column("kind", "Kind", "wrap", 18),
        Column("custodian", "Custodian", "text", 13.5),
        Column("rows", "Rows", "int", 8.5),
        Column("accepted", "Accepted", "int", 12.2),
        Column("rejected", "Set aside", "int", 10),
        Column("open", "Open", "text", 10),
        Column("message", "Message", "wrap", 49),
        Column("received_at", "Received", "date", 13),
        Column("content_as_of", "Content as of", "date", 13),
        Column("profile", "Profile", "wrap", 24),
        Column("layout", "Layout", "wrap", 18, printed=False),
        *(
            Column(f"lines_{c}", f"Lines: {c}", "int", 12.2, printed=False)
            for c in ("total", "preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
        ),
        Column("sha256", "sha256", "id", 70, printed=False),
    ),
    empty="No file has been received.",
    freeze_columns=2,
    tab="2F6B8F",
    in_sight="message",
)

ARRIVALS = Sheet(
    title="Arrivals",
    heading="What was due, what came, what is late",
    lead="One row per delivery expected_files names: the oldest due date still open, or the last one met.",
    table="Arrivals",
    columns=(
        Column("state", "State", "word", 16),
        Column("source", "Source", "wrap", 30),
        Column("kind", "Kind", "wrap", 24),
        Column("custodian", "Custodian", "text", 14),
        Column("expected_on", "Due", "date", 13),
        Column("last_received_at", "Last received", "date", 13),
        Column("last_as_of", "Content as of", "date", 13),
        Column("message", "What to do", "wrap", 59),
    ),
    empty="No delivery is expected: drop an expected_files file to have late and missing ones told.",
    freeze_columns=2,
    tab="2F6B8F",
)
#: Most pressing first.
ARRIVAL_ORDER = ("missing", "stale", "late", "empty_but_valid", "arrived", "not_due")

REJECTS = Sheet(
    title="Rows set aside",
    heading="Rows set aside",
    lead="One row per problem with a line or a file. Where a corrected cell helps, the link opens it.",
    table="RowsSetAside",
    columns=(
        Column("file", "File", "wrap", 34),
        Column("line_number", "Line", "int", 8.5),
        Column("column", "Column", "wrap", 17),
        Column("rule", "Rule", "wrap", 20),
        Column("expected", "What was expected", "wrap", 46),
        Column("open", "Open", "text", 17),
        Column("otherwise", "What else to do", "wrap", 41),
        Column("raw_line_sha256", "Raw line sha256", "id", 70, printed=False),
        Column("source_sha256", "File sha256", "id", 70, printed=False),
    ),
    empty="No row was set aside.",
    freeze_columns=2,
    tab="A9781E",
    in_sight="otherwise",
)

#: Kinds of dollars that have a column of their own in `By advisor`; the others are added to none.
DOLLARS = ("tax", "taxable income", "excess", "room", "value")

ADVISORS = Sheet(
    title="By advisor",
    heading="By advisor",
    lead="One row per advisor with clients. Open exceptions; dollars by what they are, never added to each other.",
    table="ByAdvisor",
    columns=(
        Column("advisor_id", "Advisor", "text", 12),
        Column("name", "Name", "wrap", 22),
        Column("file_name", "Workbook", "text", 15),
        Column("clients", "Clients", "int", 11.2),
        Column("households", "Households", "int", 14.2),
        *(Column(s, s.capitalize(), "int", 12.2) for s in SEVERITIES),
        Column("new", "New", "int", 8),
        Column("changed", "Changed", "int", 11.2),
        Column("resolved", "Resolved", "int", 12.2),
        Column("data_problems", "Data problems", "int", 12.2),
        *(Column(f"dollars {d}", f"Dollars: {d}", "dollars", 13) for d in DOLLARS),
    ),
    empty="No advisor has clients in the book.",
    freeze_columns=2,
    pages_wide=2,
    tab="3E7D5A",
    in_sight="data_problems",
)

BY_RULE = Sheet(
    title="By finding",
    heading="By finding",
    lead="One row per rule and kind of dollars, open findings of the whole firm, parts of another one too.",
    table="FindingsByRule",
    columns=(
        Column("finding", "Finding", "wrap", 36),
        *(Column(s, s.capitalize(), "int", 12.2) for s in SEVERITIES),
        Column("findings", "Findings", "int", 12.2),
        Column("persons", "Clients", "int", 11.2),
        Column("new", "New", "int", 9),
        Column("amount", "Dollars", "money", 18),
        Column("amount_is", "Dollars are", "wrap", 24),
        Column("rule", "Rule", "id", 30, printed=False),
    ),
    empty="No finding is open.",
    tab="3E7D5A",
    in_sight="amount_is",
)

UNMATCHED = Sheet(
    title="Unmatched",
    heading="Findings that belong to no client yet",
    lead="Accounts, codes and files that no client owns. Somebody's Form 8606 may be missing them.",
    table="Unmatched",
    columns=(
        Column("severity", "Severity", "word", 11),
        Column("status", "Since last run", "word", 10),
        Column("advisor_id", "Advisor", "text", 13),
        Column("title", "Finding", "wrap", 30),
        Column("amount", "Dollars", "money", 15),
        Column("amount_is", "Dollars are", "wrap", 12),
        Column("explanation", "Why", "wrap", 45),
        Column("action", "What to do", "wrap", 44),
        Column("rule", "Rule", "id", 24, printed=False),
        Column("finding_id", "Finding id", "id", 18, printed=False),
    ),
    empty="Every account and code belongs to a client.",
    tab="B3413A",
    in_sight="action",
)


_LINK = linked_look("text")


def fill_firm(workbook: PagedWorkbook, book: Book, footer: str) -> None:
    """Write every sheet of the firm's workbook."""
    looks = Looks(workbook)
    open_now = book.frames["findings"].filter(pl.col("status") != "resolved")
    write_today(Canvas(workbook.create_sheet("Today"), looks), book, open_now, footer)
    for spec, frame in (
        (ADVISORS, _by_advisor(book)),
        (BY_RULE, _by_rule(open_now)),
        (TREND, book.frames["trend"]),
        (FILES, _files(book)),
        (ARRIVALS, _by_urgency(book.frames["arrivals"])),
        (REJECTS, _rejects(book.frames["set_aside"])),
        (MOVES, book.frames["moves"]),
        (FORMS, book.frames["forms"]),
        (EXCESS, book.frames["excess"]),
        (OVERRIDES, book.frames["overrides"]),
        (UNMATCHED, open_now.filter(pl.col("person_id").is_null())),
    ):
        sheet, rows = workbook.create_sheet(spec.title), topic_rows(frame)
        write_sheet(sheet, looks, spec, rows, footer)
        if spec in _LINKED:
            _LINKED[spec](Canvas(sheet, looks), rows)
    write_about(Canvas(workbook.create_sheet("About"), looks), book, footer, tab="6B7785")


def _rejects(problems: pl.DataFrame) -> pl.DataFrame:
    """One row per problem, by file and line: `open`, where it is put right, or `otherwise`, what to do instead."""
    key = ("file", "line_number", "column", "rule", "source_sha256")
    once = problems.unique([*key, "raw_line_sha256"], keep="first", maintain_order=True).sort(key, nulls_last=True)
    fixable = pl.col("sheet_row").is_not_null()
    return once.with_columns(
        pl.format("{}, row {}", pl.lit(FIX_SHEET), "sheet_row").alias("open"),
        pl.when(~fixable).then("instead").alias("otherwise"),
    )


def _link_rejects(canvas: Canvas, rows: list[Row]) -> None:
    """Each row a cell puts right opens the workbook of set-aside rows at that cell."""
    place = 1 + [c.field for c in REJECTS.columns].index("open")
    for number, row in enumerate(rows, HEADER_ROW + 1):
        if row["sheet_row"] is not None:
            cell = f"'{FIX_SHEET}'!{CORRECTED}{row['sheet_row']}"
            canvas.put(number, place, row["open"], _LINK)
            canvas.sheet.link(number, place, target=SET_ASIDE_FILE, location=cell, tip="Open the cell to fix")


def _link_advisors(canvas: Canvas, rows: list[Row]) -> None:
    """Each advisor's row opens the advisor's workbook."""
    place = 1 + [c.field for c in ADVISORS.columns].index("file_name")
    for number, row in enumerate(rows, HEADER_ROW + 1):
        canvas.put(number, place, row["file_name"], _LINK)
        canvas.sheet.link(number, place, target=str(row["file_name"]))


def _files(book: Book) -> pl.DataFrame:
    """Files in trouble first; `first_aside` is the row of sheet Rows set aside where theirs begin."""
    aside = _rejects(book.frames["set_aside"]).with_row_index("nth")
    first = aside.group_by("source_sha256").agg((pl.col("nth").min() + HEADER_ROW + 1).alias("first_aside"))
    joined = _by_trouble(book.frames["files"]).join(
        first, left_on="sha256", right_on="source_sha256", how="left", maintain_order="left"
    )
    what = pl.when(pl.col("first_aside").is_not_null(), pl.col("state") != "duplicate").then(pl.lit("its rows"))
    return joined.with_columns(what.alias("open"))


def _link_files(canvas: Canvas, rows: list[Row]) -> None:
    """Each file with something set aside opens its first row on sheet Rows set aside."""
    place = 1 + [c.field for c in FILES.columns].index("open")
    for number, row in enumerate(rows, HEADER_ROW + 1):
        if row["open"] is not None:
            canvas.put(number, place, row["open"], _LINK)
            canvas.sheet.link(number, place, location=f"'{REJECTS.title}'!A{row['first_aside']}")


def _by_trouble(files: pl.DataFrame) -> pl.DataFrame:
    order = {"rejected": 0, "partial": 1, "accepted": 2, "duplicate": 3}
    return files.sort(pl.col("state").replace_strict(order, default=9), "file_name", "sha256")


def _by_urgency(arrivals: pl.DataFrame) -> pl.DataFrame:
    order = {state: place for place, state in enumerate(ARRIVAL_ORDER)}
    return arrivals.sort(pl.col("state").replace_strict(order, default=9), "source", "kind")


def _count_of(column: str, word: str) -> pl.Expr:
    return (pl.col(column) == word).sum().alias(word)


def _sum_of_known(amounts: pl.Expr) -> pl.Expr:
    """The sum, or nothing where no amount is known: an unknown amount is not $0."""
    return pl.when(amounts.count() > 0).then(amounts.sum())


def _dollars_of(kind: str) -> pl.Expr:
    actionable = pl.col("amount").filter(pl.col("amount_is") == kind, pl.col("severity") != "info")
    return _sum_of_known(actionable).alias(f"dollars {kind}")


def _by_advisor(book: Book) -> pl.DataFrame:
    problems = book.frames["exceptions"]
    people = (
        book.frames["persons"]
        .group_by("advisor_id")
        .agg(pl.len().alias("clients"), pl.coalesce("household_id", "person_id").n_unique().alias("households"))
    )
    still_open = (
        problems.filter(pl.col("status") != "resolved")
        .group_by("advisor_id")
        .agg(
            *(_count_of("severity", s) for s in SEVERITIES),
            *(_count_of("status", s) for s in ("new", "changed")),
            *(_dollars_of(kind) for kind in DOLLARS),
        )
    )
    resolved = problems.group_by("advisor_id").agg(_count_of("status", "resolved"))
    data_problems = book.frames["data_problems"].group_by("advisor_id").agg(pl.len().alias("data_problems"))
    named = pl.DataFrame(
        [(a.advisor_id, a.name, a.file_name) for a in book.advisors],
        schema={"advisor_id": pl.String, "name": pl.String, "file_name": pl.String},
        orient="row",
    )
    for part in (people, still_open, resolved, data_problems):
        named = named.join(part, on="advisor_id", how="left", validate="1:1")
    counts = pl.selectors.integer()
    return named.with_columns(counts.fill_null(0)).sort(
        "critical", "high", "advisor_id", descending=[True, True, False]
    )


def _by_rule(findings: pl.DataFrame) -> pl.DataFrame:
    return (
        findings.group_by("rule", "amount_is")
        .agg(
            *(_count_of("severity", s) for s in SEVERITIES),
            pl.len().alias("findings"),
            pl.col("person_id").drop_nulls().n_unique().alias("persons"),
            _count_of("status", "new"),
            _sum_of_known(pl.col("amount")).alias("amount"),
        )
        .with_columns(rule_name("rule").alias("finding"))
        .sort("critical", "high", "findings", "rule", "amount_is", descending=[True, True, True, False, False])
    )


#: Sheets whose rows lead somewhere.
_LINKED = {FILES: _link_files, REJECTS: _link_rejects, ADVISORS: _link_advisors}
