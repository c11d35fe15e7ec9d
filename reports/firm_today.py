"""The firm's first sheet: what operations does first, what moved since the night before, what could be computed."""

from __future__ import annotations

import polars as pl
from openpyxl.utils import get_column_letter

from reports.about import end_first_page
from reports.book import JUDGED, Book
from reports.charts import Line
from reports.charts import Lines as OverTime
from reports.charts import put_lines as put_line_chart
from reports.grid import GRID, Lines, counted, long_date, put_lines, put_page_title, put_panel, put_tiles
from reports.oversight import TREND
from reports.set_aside import FIX_SHEET, SET_ASIDE_FILE
from reports.sheet import HEADER_ROW, Canvas, Row
from reports.style import linked_look

TO_DO = Lines(
    "What to do first",
    "Nothing: every file was read, every delivery came, every form agrees.",
    (("count", "How many", "count", 2), ("what", "What", "label", 6), ("where", "Where", "strong", 4)),
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
_COMPARED = {
    "files": "Files in the book",
    "rows_set_aside": "Rows set aside",
    "clients": "Clients",
    "critical": "Critical exceptions",
    "high": "High exceptions",
    "form_8606_computed": "Forms 8606 computed",
    "form_8606_unknown": "Forms 8606 UNKNOWN",
    "mega_backdoor_unknown": "Mega backdoor rooms UNKNOWN",
}


#: What the chart over the nights draws; lines are told apart by their dashes as well as by colour.
DRAWN = {
    "critical": ("Critical exceptions", "B3413A", "solid"),
    "high": ("High exceptions", "1F3A5F", "dash"),
    "rows_set_aside": ("Rows set aside", "A9781E", "sysDot"),
}
NIGHTS = 60
CHART_ROWS = 9


def write_today(canvas: Canvas, book: Book, open_now: pl.DataFrame, footer: str) -> None:
    """Write the sheet; every line of what to do links to where it is done."""
    put_page_title(canvas, "The firm's book, for operations", _about(book))
    put_tiles(canvas, 4, _tiles(book))
    row = _put_to_do(canvas, 7, book, open_now)
    row = put_lines(canvas, row + 1, _compared_with(book.frames["trend"]), _since(book.frames["trend"]))
    row = _put_trend(canvas, row + 1, book.frames["trend"])
    row = put_lines(canvas, row + 1, STATUS_LINES, [_statuses(book, name) for name in JUDGED])
    end_first_page(canvas, row, footer)


def _about(book: Book) -> str:
    problems = _open_problems(book)
    nobody = problems.filter(pl.col("person_id").is_null()).height
    return (
        f"As of {long_date(book.as_of)}  ·  {counted(len(book.advisors), 'advisor')}  ·  "
        f"{counted(book.frames['persons'].height, 'client')}  ·  {counted(problems.height, 'open exception')}, "
        f"{nobody} of no client"
    )


def _tiles(book: Book) -> list[tuple[str, int, str]]:
    held = book.frames["files"].filter(pl.col("state") != "duplicate")
    problems = _open_problems(book)
    lines = book.frames["rejects"].drop_nulls("line_number").unique(["source_sha256", "line_number"]).height
    return [
        ("Files in the book", held.height, ""),
        ("Files set aside whole", _count(held, "state", "rejected"), "critical"),
        ("Rows set aside", lines, "high"),
        ("Deliveries missing", _count(book.frames["arrivals"], "state", "missing", "stale"), "critical"),
        ("Critical exceptions", _count(problems, "severity", "critical"), "critical"),
        ("High exceptions", _count(problems, "severity", "high"), "high"),
    ]


def _open_problems(book: Book) -> pl.DataFrame:
    """One row per problem, each as grave as the gravest of its parts, as the advisors' sheets show it."""
    return book.frames["exceptions"].filter(pl.col("status") != "resolved")


def _count(frame: pl.DataFrame, column: str, *words: str) -> int:
    return frame.filter(pl.col(column).is_in(words)).height


def _put_to_do(canvas: Canvas, row: int, book: Book, open_now: pl.DataFrame) -> int:
    """One line per kind of work there is, most pressing first, with a link to where it is done."""
    work = [line for line in _work(book, open_now) if line["count"]]
    sheets = {
        (index, "where"): f"'{title}'!A4"
        for index, line in enumerate(work)
        if (title := str(line["where"]).removeprefix("Sheet ")) != line["where"]
    }
    after = put_lines(canvas, row, TO_DO, work, sheets)
    for number, line in enumerate(work, row + 2):
        where = str(line["where"])
        if where.startswith(SET_ASIDE_FILE):
            canvas.put(number, 9, where, linked_look("strong"))
            canvas.sheet.link(number, 9, target=SET_ASIDE_FILE, location=f"'{FIX_SHEET}'!A2", tip="Open the workbook")
    return after


def _work(book: Book, open_now: pl.DataFrame) -> list[Row]:
    frames = book.frames
    cells = frames["set_aside"].filter("listed").unique(["source_sha256", "line_number"]).height
    others = frames["set_aside"].filter(pl.col("sheet_row").is_null()).height
    arrivals, moves = frames["arrivals"], frames["moves"]
    lines = (
        (
            _count(arrivals, "state", "missing", "stale"),
            "Deliveries missing or stale: ask the sender",
            "Sheet Arrivals",
        ),
        (cells, "Rows set aside that a corrected cell puts right", f"{SET_ASIDE_FILE}, sheet {FIX_SHEET}"),
        (others, "Files and rows set aside that no cell puts right", "Sheet Rows set aside"),
        (_count(moves, "state", "unpaired"), "Moves of money without their other side", "Sheet Moves of money"),
        (open_now.filter(pl.col("person_id").is_null()).height, "Findings of no client yet", "Sheet Unmatched"),
        (frames["forms"].height, "Boxes of tax forms that differ from the book", "Sheet Forms against the book"),
        (frames["excess"].height, "Excess contributions that stand or may stand", "Sheet Excess contributions"),
        (_count(arrivals, "state", "late"), "Deliveries due and not here yet", "Sheet Arrivals"),
    )
    return [{"count": count, "what": what, "where": where} for count, what, where in lines]


def _compared_with(trend: pl.DataFrame) -> Lines:
    before = trend["as_of"].slice(1, 1).to_list()
    return Lines(
        f"Since the run of {long_date(before[0])}" if before else "Since the run before",
        "This is the first night: there is nothing to compare with.",
        (
            ("what", "What", "label", 6), ("now", "Tonight", "count", 2), ("before", "Before", "count", 2),
            ("change", "Change", "count change", 2),
        ),
    )  # fmt: skip


def _since(trend: pl.DataFrame) -> list[Row]:
    if trend.height < 2:
        return []
    now, before = trend.row(0, named=True), trend.row(1, named=True)
    return [
        {"what": said, "now": now[name], "before": before[name], "change": _change(now[name], before[name])}
        for name, said in _COMPARED.items()
    ]


def _change(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _put_trend(canvas: Canvas, row: int, trend: pl.DataFrame) -> int:
    """A chart of the newest nights, from the rows of sheet Trend; nothing on the first night."""
    nights = trend.head(NIGHTS)
    if nights.height < 2:
        return row
    put_panel(canvas, row, 1, GRID, "Night by night")
    for number in range(row + 1, row + 1 + CHART_ROWS):
        canvas.height(number, 17)
    last = HEADER_ROW + nights.height
    places = {column.field: get_column_letter(n) for n, column in enumerate(TREND.columns, 1)}

    def cells(field: str) -> str:
        return f"'{TREND.title}'!${places[field]}${HEADER_ROW + 1}:${places[field]}${last}"

    drawn = [
        Line(name, nights[field].to_list(), cells(field), colour, dash) for field, (name, colour, dash) in DRAWN.items()
    ]
    days = [long_date(day) for day in nights["as_of"]]
    said = "; ".join(f"{line.name} {line.values[-1]} then, {line.values[0]} now" for line in drawn)
    lines = OverTime(days, cells("as_of"), drawn, f"Line chart of {len(days)} nights since {days[-1]}: {said}.")
    put_line_chart(canvas.sheet, lines, first=(row + 1, 1), last=(row + CHART_ROWS, GRID))
    return row + 1 + CHART_ROWS


def _statuses(book: Book, name: str) -> Row:
    frame = book.frames[name]
    counts = {s: _count(frame, "status", s) for s in ("COMPUTED", "REVIEW", "UNKNOWN", "INELIGIBLE")}
    return {"table": JUDGED[name], **counts}
