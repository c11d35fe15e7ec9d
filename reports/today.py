"""Today, the first page of an advisor's workbook: what to do, what moved since the last run, what is at stake."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate

import polars as pl

from reports.about import end_first_page
from reports.book import Advisor, Book
from reports.charts import Bars, put_bars
from reports.exceptions import NO_DEADLINE
from reports.grid import GRID, Lines, counted, long_date, put_lines, put_page_title, put_panel, put_tiles
from reports.sheet import HEADER_ROW, Canvas, Row, Value
from reports.style import linked_look
from schemas.tables import SEVERITIES

#: How many lines an advisor reads in five minutes.
LINES_THAT_MATTER = 10
#: Letters of what to do that three lines of the first page hold.
SHORT_ACTION = 130
NEWS = 8
SOON = timedelta(days=30)
THIS_SEASON = timedelta(days=90)

TOP_LINES = Lines(
    "What matters",
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
NEWS_LINES = Lines(
    "Also moved since the last run",
    "Nothing else.",
    (
        ("status", "Moved", "word", 1),
        ("client", "Client", "strong", 2),
        ("title", "What it is, or was", "wrap", 6),
        ("amount", "Dollars", "key dollars", 1),
        ("amount_is", "Dollars are", "wrap", 1),
        ("last_changed", "On", "date", 1),
    ),
)
#: What may be lost or won; a value or an amount moved that a data problem names is neither.
AT_STAKE = (
    "tax",
    "tax at most",
    "taxable income",
    "taxable income at most",
    "deduction",
    "excess",
    "basis at risk",
    "distribution",
    "room",
)
#: Tax first, then excess, then by dollars; equal dollars by name, so that the bytes are the same every time.
STAKES_ORDER = (pl.col("amount_is") != "tax", pl.col("amount_is") != "excess", "amount", "amount_is")
#: Rows a chart lies over.
CHART_ROWS = 7
LETTERS = " ABCDEFGHIJKL"


def write_today(canvas: Canvas, book: Book, advisor: Advisor, footer: str) -> None:
    """Write the page; `book` holds this advisor's rows only."""
    every = book.frames["exceptions"].with_row_index("place", offset=HEADER_ROW + 1)
    exceptions = every.filter(~pl.col("put_aside"))
    now = exceptions.filter(pl.col("status") != "resolved")
    _put_title(canvas, book, advisor)
    put_tiles(canvas, 4, _tiles(book, exceptions))
    canvas.put(7, 1, _headline(now, book), "headline", span=GRID)
    canvas.height(7, 26)
    canvas.height(8, 6)
    acted_on = now.filter(pl.col("severity") != "info")
    top = acted_on.head(LINES_THAT_MATTER)
    lines = replace(TOP_LINES, heading=_heading(acted_on.height))
    row = _put_linked(canvas, 9, lines, [_tagged(r) for r in top.iter_rows(named=True)])
    row = _put_aside(canvas, row, every.filter("put_aside", pl.col("status") != "resolved"))
    row = _put_news(canvas, row + 1, exceptions, top)
    row = _put_totals(canvas, row + 1, book, acted_on)
    end_first_page(canvas, row, footer)


def _put_title(canvas: Canvas, book: Book, advisor: Advisor) -> None:
    persons = book.frames["persons"]
    years = " and ".join(map(str, book.tax_years))
    households = persons.select(pl.coalesce("household_id", "person_id").n_unique()).item()
    about = (
        f"Backdoor and mega backdoor Roth, as of {long_date(book.as_of)}  ·  "
        f"{'tax years' if len(book.tax_years) > 1 else 'tax year'} {years}  ·  "
        f"{counted(persons.height, 'client')} in {counted(households, 'household')}"
    )
    put_page_title(canvas, advisor.name, about)


def _tiles(book: Book, exceptions: pl.DataFrame) -> list[tuple[str, int, str]]:
    count = dict(exceptions.group_by("status").len().iter_rows())
    soon = exceptions.filter(
        pl.col("status") != "resolved",
        pl.col("severity") != "info",
        pl.col("deadline").is_between(book.as_of, book.as_of + SOON),
    )
    return [
        ("New", count.get("new", 0), "new"),
        ("Changed", count.get("changed", 0), "changed"),
        ("Resolved or run out", count.get("resolved", 0), "resolved"),
        ("Still open", count.get("open", 0), ""),
        ("Due in 30 days", soon.height, "high"),
        ("Data problems", book.frames["data_problems"].height, ""),
    ]


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


def _heading(open_now: int) -> str:
    """How many lines are shown of how many there are; the wording of a full page only where it is one."""
    if open_now > LINES_THAT_MATTER:
        return f"The ten that matter, of {open_now:,} open"
    return "The one that matters" if open_now == 1 else f"All {open_now} that matter" if open_now else "What matters"


def _put_aside(canvas: Canvas, row: int, aside: pl.DataFrame) -> int:
    """How many exceptions the advisor put aside, with a link to where they stand; nothing where there are none."""
    if aside.is_empty():
        return row
    closed = dict(aside.group_by("mark_status").len().iter_rows())
    counts = {word: closed.get(word, 0) for word in ("dismissed", "done")}
    counts["snoozed"] = aside.height - sum(counts.values())
    how = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    first = aside.get_column("place").to_list()[0]
    text = f"Put aside and not counted here: {how}. They stand on Exceptions, below the open ones."
    canvas.put(row, 1, text, linked_look("text"), span=GRID)
    canvas.sheet.link(row, 1, location=f"'Exceptions'!A{first}")
    return row + 1


def _tagged(row: dict[str, Value]) -> Row:
    news = f"\n{row['status']}" if row["status"] in ("new", "changed") else ""
    action = row["action"]
    return {
        **row,
        "tag": f"{row['severity']}{news}",
        "deadline": row["deadline"] or NO_DEADLINE,
        "action": _in_short(action) if isinstance(action, str) else None,
    }


def _in_short(action: str) -> str:
    """The first sentences of what the deadline is for; the rest, and what else there is to do, stand on Exceptions."""
    own = action.partition("\n")[0]
    sentences = re.split(r"(?<=[.?]) (?=[A-Z])", own)
    lengths = accumulate(len(sentence) + 1 for sentence in sentences)
    kept = max(1, sum(length <= SHORT_ACTION for length in lengths))
    return " ".join(sentences[:kept]) + (" …" if kept < len(sentences) else "")


def _ran_out(row: dict[str, Value]) -> Row:
    """A row gone because its day went by isn't one that somebody resolved."""
    due, as_of = row["deadline"], row["as_of"]
    late = isinstance(due, date) and isinstance(as_of, date) and due < as_of
    return {**row, "status": "ran out"} if row["status"] == "resolved" and late else row


def _put_linked(canvas: Canvas, row: int, lines: Lines, rows: list[Row]) -> int:
    """Write lines whose clients lead to their row on Exceptions."""
    links = {
        (n, "client"): f"'Exceptions'!A{r['place']}"
        for n, r in enumerate(rows)
        if r["status"] not in ("resolved", "ran out")
    }
    return put_lines(canvas, row, lines, rows, links)


def _put_news(canvas: Canvas, row: int, exceptions: pl.DataFrame, top: pl.DataFrame) -> int:
    """What moved and isn't among the lines above; on a first night, when all is new, only how much that is."""
    moved = exceptions.filter(
        pl.col("status").is_in(["new", "changed", "resolved"]), ~pl.col("finding_id").is_in(top["finding_id"].implode())
    ).sort(pl.col("status").replace_strict({"resolved": 0, "changed": 1, "new": 2}), "rank", maintain_order=True)
    shown = [_ran_out(r) for r in moved.head(NEWS).iter_rows(named=True)]
    row = _put_linked(canvas, row, NEWS_LINES, shown)
    if moved.height > NEWS:
        canvas.put(
            row, 1, f"and {moved.height - NEWS} more: filter 'Since last run' on Exceptions.", "quiet", span=GRID
        )
        row += 1
    return row


def _put_totals(canvas: Canvas, row: int, book: Book, acted_on: pl.DataFrame) -> int:
    """Dollars at stake and two charts side by side; kinds of dollars are never added to each other."""
    stakes = (
        acted_on.filter(pl.col("amount").is_not_null(), pl.col("amount_is").is_in(AT_STAKE))
        .group_by("amount_is")
        .agg(pl.len().alias("exceptions"), pl.col("amount").sum())
        .sort(*STAKES_ORDER, descending=[False, False, True, False], nulls_last=True)
    )
    rows = max(CHART_ROWS, stakes.height)
    for number in range(row + 1, row + 1 + rows):
        canvas.height(number, 17)
    put_panel(canvas, row, 1, 4, "At stake, by what the dollars are")
    for number, stake in enumerate(stakes.iter_rows(named=True), row + 1):
        canvas.put(number, 1, stake["amount_is"].capitalize(), "label", span=2)
        canvas.put(number, 3, stake["exceptions"], "count")
        canvas.put(number, 4, stake["amount"], "amount")
    if stakes.is_empty():
        canvas.put(row + 1, 1, "None.", "label", span=4)
    severities = dict(acted_on.group_by("severity").len().iter_rows())
    by_severity = {s: severities.get(s, 0) for s in SEVERITIES if s != "info"}
    _put_counts(canvas, row, 5, "Exceptions by severity", by_severity)
    _put_counts(canvas, row, 9, "Exceptions by deadline", _by_deadline(acted_on, book))
    return row + 1 + rows


def _by_deadline(acted_on: pl.DataFrame, book: Book) -> dict[str, int]:
    day = pl.col("deadline")
    buckets = (
        ("past", day < book.as_of),
        ("in 30 days", day.is_between(book.as_of, book.as_of + SOON)),
        ("in 90 days", (day > book.as_of + SOON) & (day <= book.as_of + THIS_SEASON)),
        ("later", day > book.as_of + THIS_SEASON),
        ("none", day.is_null()),
    )
    return acted_on.select(test.sum().alias(name) for name, test in buckets).row(0, named=True)


def _put_counts(canvas: Canvas, row: int, column: int, heading: str, counts: dict[str, int]) -> None:
    """Counts, four grid columns wide, with their chart lying over them: a preview without charts shows the numbers."""
    put_panel(canvas, row, column, 4, heading)
    for number, (name, count) in enumerate(counts.items(), row + 1):
        canvas.put(number, column, name, "label", span=2)
        canvas.put(number, column + 2, count, "count", span=2)
    if not any(counts.values()):
        return
    rows = f"{row + 1}:${{letter}}${row + len(counts)}"
    names, values = (f"'Today'!${c}$" + rows.format(letter=c) for c in (LETTERS[column], LETTERS[column + 2]))
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    bars = Bars(tuple(counts), tuple(counts.values()), names, values, f"Bar chart. {heading}: {said}.")
    put_bars(canvas.sheet, bars, first=(row + 1, column), last=(row + CHART_ROWS, column + 3))
