"""The firm's workbook, for operations: files received, rows set aside, what each advisor has, accounts of nobody."""

from __future__ import annotations

import polars as pl

from reports.about import DISCLAIMER, write_about
from reports.advisor import topic_rows
from reports.book import JUDGED, Book
from reports.grid import CELL, GRID, Lines, counted, long_date, put_lines, put_tiles
from reports.page import PagedWorkbook
from reports.sheet import Canvas, Column, Row, Sheet, set_up_page, write_sheet
from reports.style import Looks
from schemas.tables import SEVERITIES

FILES = Sheet(
    title="Files",
    heading="Files received",
    lead="One row per file of the book, and one per file delivered again. Account numbers in file names are cut.",
    table="Files",
    columns=(
        Column("state", "State", "word", 12),
        Column("file_name", "File", "wrap", 40),
        Column("kind", "Kind", "wrap", 20),
        Column("custodian", "Custodian", "text", 14),
        Column("rows", "Rows", "int", 10),
        Column("accepted", "Accepted", "int", 11.5),
        Column("rejected", "Set aside", "int", 10),
        Column("received_at", "Received", "date", 13),
        Column("content_as_of", "Content as of", "date", 13),
        Column("message", "Message", "wrap", 50),
        Column("profile", "Profile", "wrap", 24),
        Column("layout", "Layout", "wrap", 18, printed=False),
        *(
            Column(f"lines_{c}", f"Lines: {c}", "int", 11.5, printed=False)
            for c in ("total", "preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
        ),
        Column("sha256", "sha256", "id", 70, printed=False),
    ),
    empty="No file has been received.",
    freeze_columns=2,
    tab="2F6B8F",
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
        Column("message", "What to do", "wrap", 64),
    ),
    empty="No delivery is expected: drop an expected_files file to have late and missing ones told.",
    freeze_columns=2,
    tab="2F6B8F",
)
#: Most pressing first.
ARRIVAL_ORDER = ("missing", "stale", "late", "empty_but_valid", "arrived", "not_due")

REJECTS_ORDER = ("file", "line_number", "column", "rule", "source_sha256")

REJECTS = Sheet(
    title="Rows set aside",
    heading="Rows set aside",
    lead="One row per problem with a line. The raw line stays in quarantine; correct it and drop the file again.",
    table="RowsSetAside",
    columns=(
        Column("file", "File", "wrap", 44),
        Column("line_number", "Line", "int", 9),
        Column("column", "Column", "wrap", 24),
        Column("rule", "Rule", "wrap", 28),
        Column("message", "What was expected", "wrap", 76),
        Column("raw_line_sha256", "Raw line sha256", "id", 70, printed=False),
        Column("source_sha256", "File sha256", "id", 70, printed=False),
    ),
    empty="No row was set aside.",
    freeze_columns=2,
    tab="A9781E",
)

#: Kinds of dollars that have a column of their own in `By advisor`; the others are added to none.
DOLLARS = ("tax", "taxable income", "excess", "room", "value")

ADVISORS = Sheet(
    title="By advisor",
    heading="By advisor",
    lead="One row per advisor with clients. Open exceptions; dollars by what they are, never added to each other.",
    table="ByAdvisor",
    columns=(
        Column("advisor_id", "Advisor", "text", 13),
        Column("name", "Name", "wrap", 26),
        Column("file_name", "Workbook", "wrap", 18),
        Column("clients", "Clients", "int", 10.5),
        Column("households", "Households", "int", 13.5),
        *(Column(s, s.capitalize(), "int", 11.5) for s in SEVERITIES),
        Column("new", "New", "int", 8),
        Column("changed", "Changed", "int", 10.5),
        Column("resolved", "Resolved", "int", 11.5),
        Column("data_problems", "Data problems", "int", 11.5),
        *(Column(f"dollars {d}", f"Dollars: {d}", "dollars", 13) for d in DOLLARS),
    ),
    empty="No advisor has clients in the book.",
    tab="3E7D5A",
)

BY_RULE = Sheet(
    title="Findings by rule",
    heading="Findings by rule",
    lead="One row per rule and kind of dollars, open findings of the whole firm.",
    table="FindingsByRule",
    columns=(
        Column("rule", "Rule", "text", 36),
        *(Column(s, s.capitalize(), "int", 11.5) for s in SEVERITIES),
        Column("findings", "Findings", "int", 11.5),
        Column("persons", "Clients", "int", 10.5),
        Column("new", "New", "int", 9),
        Column("amount", "Dollars", "money", 18),
        Column("amount_is", "Dollars are", "wrap", 24),
    ),
    empty="No finding is open.",
    tab="3E7D5A",
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
        Column("title", "Finding", "wrap", 34),
        Column("amount", "Dollars", "money", 16),
        Column("amount_is", "Dollars are", "wrap", 15),
        Column("explanation", "Why", "wrap", 52),
        Column("action", "What to do", "wrap", 48),
        Column("rule", "Rule", "id", 24, printed=False),
        Column("finding_id", "Finding id", "id", 18, printed=False),
    ),
    empty="Every account and code belongs to a client.",
    tab="B3413A",
)


def fill_firm(workbook: PagedWorkbook, book: Book, footer: str) -> None:
    """Write every sheet of the firm's workbook."""
    looks = Looks(workbook)
    open_now = book.frames["findings"].filter(pl.col("status") != "resolved")
    _write_summary(Canvas(workbook.create_sheet("Summary"), looks), book, open_now, footer)
    for spec, frame in (
        (FILES, _by_trouble(book.frames["files"])),
        (ARRIVALS, _by_urgency(book.frames["arrivals"])),
        (REJECTS, book.frames["rejects"].sort(REJECTS_ORDER, nulls_last=True)),
        (ADVISORS, _by_advisor(book)),
        (BY_RULE, _by_rule(open_now)),
        (UNMATCHED, open_now.filter(pl.col("person_id").is_null())),
    ):
        write_sheet(workbook.create_sheet(spec.title), looks, spec, topic_rows(frame), footer)
    write_about(Canvas(workbook.create_sheet("About"), looks), book, footer, tab="6B7785")


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
    findings = book.frames["findings"]
    people = (
        book.frames["persons"]
        .group_by("advisor_id")
        .agg(pl.len().alias("clients"), pl.coalesce("household_id", "person_id").n_unique().alias("households"))
    )
    still_open = (
        findings.filter(pl.col("status") != "resolved")
        .group_by("advisor_id")
        .agg(
            *(_count_of("severity", s) for s in SEVERITIES),
            *(_count_of("status", s) for s in ("new", "changed")),
            *(_dollars_of(kind) for kind in DOLLARS),
        )
    )
    resolved = findings.group_by("advisor_id").agg(_count_of("status", "resolved"))
    problems = book.frames["data_problems"].group_by("advisor_id").agg(pl.len().alias("data_problems"))
    named = pl.DataFrame(
        [(a.advisor_id, a.name, a.file_name) for a in book.advisors],
        schema={"advisor_id": pl.String, "name": pl.String, "file_name": pl.String},
        orient="row",
    )
    for part in (people, still_open, resolved, problems):
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
        .sort("critical", "high", "findings", "rule", "amount_is", descending=[True, True, True, False, False])
    )


REJECT_LINES = Lines(
    "Rows set aside, by rule",
    "None.",
    (("rule", "Rule", "label", 8), ("rows", "Rows", "count", 2), ("files", "Files", "count", 2)),
)
STATUS_LINES = Lines(
    "What could be computed",
    "Nothing.",
    (
        ("table", "Result", "label", 4),
        ("COMPUTED", "Computed", "count", 2),
        ("REVIEW", "Review", "count", 2),
        ("UNKNOWN", "Unknown", "count", 2),
        ("INELIGIBLE", "Ineligible", "count", 2),
    ),
)


def _write_summary(canvas: Canvas, book: Book, open_now: pl.DataFrame, footer: str) -> None:
    files, rejects = book.frames["files"], book.frames["rejects"]
    states = {s: files.filter(pl.col("state") == s).height for s in ("accepted", "partial", "rejected", "duplicate")}
    canvas.widths([CELL] * GRID)
    canvas.put(1, 1, "The firm's book, for operations", "title", span=GRID)
    canvas.put(2, 1, _about(book, open_now), "lead", span=GRID)
    canvas.height(1, 32)
    canvas.height(2, 18)
    put_tiles(
        canvas,
        4,
        [
            ("Files received", files.height, ""),
            ("Accepted", states["accepted"], "accepted"),
            ("Partly accepted", states["partial"], "medium"),
            ("Rejected", states["rejected"], "critical"),
            ("Delivered again", states["duplicate"], "info"),
            ("Rows set aside", rejects.height, "high"),
        ],
    )
    by_rule = (
        rejects.group_by("rule")
        .agg(pl.len().alias("rows"), pl.col("file").n_unique().alias("files"))
        .sort("rows", "rule", descending=[True, False])
        .with_columns(pl.col("rule").str.replace_all("_", " "))
    )
    row = put_lines(canvas, 7, REJECT_LINES, list(by_rule.iter_rows(named=True)))
    row = put_lines(canvas, row + 1, STATUS_LINES, [_statuses(book, n) for n in JUDGED])
    canvas.put(row + 1, 1, DISCLAIMER, "quiet", span=GRID)
    set_up_page(canvas.sheet, footer, tab="1F3A5F", pages_tall=1)


def _about(book: Book, open_now: pl.DataFrame) -> str:
    nobody = open_now.filter(pl.col("person_id").is_null()).height
    return (
        f"As of {long_date(book.as_of)}  ·  {counted(len(book.advisors), 'advisor')}  ·  "
        f"{counted(book.frames['persons'].height, 'client')}  ·  {counted(open_now.height, 'open finding')}, "
        f"{nobody} of no client"
    )


def _statuses(book: Book, name: str) -> Row:
    frame = book.frames[name]
    counts = {s: frame.filter(pl.col("status") == s).height for s in ("COMPUTED", "REVIEW", "UNKNOWN", "INELIGIBLE")}
    return {"table": JUDGED[name], **counts}
