"""The sheet About: what the workbook rests on, the rules in plain words, what isn't modelled, the figures."""

from __future__ import annotations

import polars as pl

from reports.book import Book
from reports.grid import GRID
from reports.sheet import Canvas, Column, put_header, put_heading, put_value, set_up_page
from reports.style import Kind, said

DISCLAIMER = "Not tax advice; not for filing without review by the client's tax preparer."

RULES = (
    (
        "Form 8606, lines 1-18",
        (
            "All of an owner's traditional, SEP and SIMPLE IRAs count as one (IRC 408(d)(2)). Line 6 is their "
            "whole value on December 31 plus outstanding rollovers; until then it is projected from the "
            "newest balances, and the row says so. The exact ratio of line 5 to line 9 is used; line 10 is "
            "only shown."
        ),
    ),
    (
        "Which accounts count",
        (
            "Roth IRAs, employer plans and HSAs never do; inherited IRAs only where a surviving spouse treats "
            "them as own. Spouses are never added together. Sheet Accounts says why, account by account."
        ),
    ),
    (
        "Basis",
        (
            "Line 2 is line 14 of the last Form 8606 the firm states. Blank is not zero: with no statement "
            "the result is UNKNOWN."
        ),
    ),
    (
        "IRA limits",
        (
            "IRC 219(b), 219(g), 408A(c)(3): the year's limit with catch-up at 50, compensation (a spouse's "
            "too on a joint return), and the income ranges. Contributions count for the year they are made "
            "for, up to the due date in April."
        ),
    ),
    (
        "Mega backdoor room",
        (
            "IRC 415(c): the annual additions limit or compensation if lower, less deferrals without "
            "catch-up, all employer money and after-tax money, less what is still expected this year. By employer "
            "group; before the plan's ACP test."
        ),
    ),
    (
        "Elective deferrals",
        (
            "IRC 402(g) over all of the person's plans; catch-up under 414(v), higher at ages 60-63, and Roth "
            "only above the wage threshold from 2026."
        ),
    ),
    (
        "Status",
        (
            "COMPUTED: every input known. REVIEW: a number, with the reasons a person must look at it. "
            "UNKNOWN: an input is missing, so no number is shown. INELIGIBLE: the rule doesn't apply to this "
            "client."
        ),
    ),
    (
        "Severity",
        (
            "critical: the law is already broken, or money is lost and the deadline is within 30 days; high: "
            "over $1,000 of tax or a deadline this year; then medium, low, info. Ranked by severity, then "
            "dollars, then deadline."
        ),
    ),
    (
        "Dollars",
        (
            "Tax is the taxable amount at the stated marginal rate; where no rate is stated the amount is "
            "taxable income, and 'dollars are' says so. Amounts of different kinds are never added together."
        ),
    ),
    (
        "Not modelled",
        (
            "State tax; penalties and interest computed to the day; the 5-year Roth clocks; earnings on "
            "excess contributions; RMD amounts; spreading disaster income over three years; plan testing "
            "(ADP, ACP, top-heavy); plan documents beyond the stated features."
        ),
    ),
)

LIMIT_NAMES = {
    "annual_additions_415c": "Annual additions, 415(c)",
    "catch_up_414v_50": "Catch-up at 50, 414(v)",
    "catch_up_414v_60_63": "Catch-up at 60-63, 414(v)",
    "compensation_limit_401a17": "Compensation limit, 401(a)(17)",
    "deferral_limit_457b": "Deferral limit, 457(b)",
    "elective_deferral_402g": "Elective deferrals, 402(g)",
    "hce_threshold_414q": "Highly compensated threshold, 414(q)",
    "hsa_catch_up_55": "HSA catch-up at 55",
    "hsa_family": "HSA, family",
    "hsa_self_only": "HSA, self-only",
    "ira_catch_up_50": "IRA catch-up at 50",
    "ira_contribution_limit": "IRA contributions",
    "ira_deduction_covered_phaseout_start": "IRA deduction, covered at work: range starts",
    "ira_deduction_covered_phaseout_end": "IRA deduction, covered at work: range ends",
    "ira_deduction_spouse_covered_phaseout_start": "IRA deduction, spouse covered: range starts",
    "ira_deduction_spouse_covered_phaseout_end": "IRA deduction, spouse covered: range ends",
    "qcd_limit": "Qualified charitable distributions",
    "roth_catch_up_fica_wage_threshold": "Wages above which catch-up must be Roth",
    "roth_magi_phaseout_start": "Roth contributions, MAGI: range starts",
    "roth_magi_phaseout_end": "Roth contributions, MAGI: range ends",
    "simple_catch_up_50": "SIMPLE catch-up at 50",
    "simple_catch_up_50_enhanced_110pct": "SIMPLE catch-up at 50, enhanced plans",
    "simple_catch_up_60_63": "SIMPLE catch-up at 60-63",
    "simple_deferral_408p": "SIMPLE deferrals, 408(p)",
    "simple_deferral_enhanced_110pct": "SIMPLE deferrals, enhanced plans",
}

_WIDTHS = (44, 26, 12.5, 14, 52)


def _columns(*columns: tuple[str, str, Kind]) -> tuple[Column, ...]:
    """The columns of one of the sheet's tables (field, header, kind): all of them stand on the same five widths."""
    return tuple(Column(*column, width) for column, width in zip(columns, _WIDTHS, strict=True))


LIMITS = _columns(
    ("figure", "Figure used", "wrap"),
    ("filing_status", "Filing status", "wrap"),
    ("tax_year", "Tax year", "year"),
    ("value", "Value", "dollars"),
    ("authority", "Authority", "wrap"),
)
_READ: tuple[tuple[str, str, Kind], ...] = (("kind", "What was read", "wrap"), ("custodian", "Custodian", "wrap"))
#: In an advisor's workbook: nothing that moves with every file of the firm.
SOURCES = _columns(
    *_READ, ("content_as_of", "As of", "date"), ("received_at", "Received", "date"), ("note", "Note", "wrap")
)
SOURCES_COUNTED = _columns(
    *_READ, ("files", "Files", "int"), ("rows", "Rows", "int"), ("newest", "Newest content", "wrap")
)
_WIDTH = sum(_WIDTHS)


def write_about(canvas: Canvas, book: Book, footer: str, *, tab: str) -> None:
    """Write the sheet About: the run, its sources, the rules, the figures."""
    canvas.widths(_WIDTHS)
    put_heading(canvas, "About this workbook", DISCLAIMER)
    row = _put_pairs(canvas, 4, "What this workbook rests on", _run_facts(book))
    row = _put_pairs(canvas, row + 1, "Rules applied", RULES)
    sources = SOURCES_COUNTED if "files" in book.frames["sources"].columns else SOURCES
    row = _put_table(canvas, row + 1, "Sources", sources, frame=book.frames["sources"], empty="No file was read.")
    _put_limits(canvas, row + 1, book)
    set_up_page(canvas.sheet, footer, tab=tab)


def end_first_page(canvas: Canvas, row: int, footer: str) -> None:
    """What stands at the end of the first sheet of each workbook; the sheet prints on one page."""
    canvas.put(row + 1, 1, DISCLAIMER, "quiet", span=GRID)
    set_up_page(canvas.sheet, footer, tab="1F3A5F", pages_tall=1)


def _run_facts(book: Book) -> tuple[tuple[str, str], ...]:
    return (
        ("As of", f"{book.as_of:%B} {book.as_of.day}, {book.as_of.year}"),
        ("Tax years", ", ".join(map(str, book.tax_years))),
        ("Book fingerprint", book.fingerprint),
        ("Rothbook version", book.version),
        (
            "Sources",
            "The files named in the evidence of each exception, by file and line; accounts by their last four.",
        ),
    )


def _put_pairs(canvas: Canvas, row: int, heading: str, pairs: tuple[tuple[str, str], ...]) -> int:
    canvas.put(row, 1, heading, "section", span=len(_WIDTHS))
    canvas.height(row, 22)
    for number, (name, text) in enumerate(pairs, row + 1):
        canvas.put(number, 1, name, "strong")
        canvas.put(number, 2, text, "label", span=len(_WIDTHS) - 1)
        canvas.fit(number, text, _WIDTH - _WIDTHS[0], "label")
    return row + len(pairs) + 1


def _put_limits(canvas: Canvas, row: int, book: Book) -> int:
    named = book.frames["limits"].with_columns(
        pl.col("key")
        .map_elements(lambda k: LIMIT_NAMES.get(k, k.replace("_", " ")), return_dtype=pl.String)
        .alias("figure"),
        pl.col("filing_status").map_elements(said, return_dtype=pl.String).fill_null("any"),
    )
    return _put_table(canvas, row, "Figures of the law", LIMITS, frame=named, empty="This run lists no figures.")


def _put_table(
    canvas: Canvas, row: int, heading: str, columns: tuple[Column, ...], *, frame: pl.DataFrame, empty: str
) -> int:
    canvas.put(row, 1, heading, "section", span=len(columns))
    canvas.height(row, 22)
    if frame.is_empty():
        canvas.put(row + 1, 1, empty, "lead")
        return row + 2
    put_header(canvas, row + 1, columns)
    for number, shown in enumerate(frame.iter_rows(named=True), row + 2):
        canvas.height(number, 15)
        for place, column in enumerate(columns, 1):
            put_value(canvas, number, place, column, shown[column.field])
    return row + 2 + frame.height
