"""`_set_aside.xlsx`: the rows set aside, one wrong cell a row, for operations to fix and drop back into the inbox.

Sheet `Fix here` is itself a file of the house kind `row_fixes`: its first row is that kind's header, with columns to
decide by beside it that are never read back. A row is named by the sha256 of its file and its line, so that no account
number and no tax id has to stand here: everything but the corrected cell comes from the archived file.
"""

from __future__ import annotations

import polars as pl
from openpyxl.worksheet.datavalidation import DataValidation

from reports.book import Book
from reports.grid import counted
from reports.page import Page, PagedWorkbook
from reports.sheet import Canvas, Column, Row, Sheet, put_header, put_value, set_up_page, write_sheet
from reports.style import Looks
from schemas.tables import INPUT_TABLES, LEAVE_OUT, TRANSACTION_TYPES, WHOLE_ROW

SET_ASIDE_FILE = "_set_aside.xlsx"
FIX_SHEET = "Fix here"

#: Headers are the house kind's own names (and those it knows to stand beside them), so that the sheet is recognised.
COLUMNS = (
    Column("file", "file", "wrap", 24),
    Column("line_number", "line_number", "int", 14.5),
    Column("column_name", "column_name", "wrap", 16),
    Column("was", "what the cell holds", "wrap", 14),
    Column("expected", "what was expected", "wrap", 26),
    Column("corrected_value", "corrected_value", "text", 22, entry=True),
    Column("fixed_by", "fixed_by", "text", 11, entry=True),
    Column("fixed_on", "fixed_on", "date", 12.5, entry=True),
    Column("row_says", "the whole row", "wrap", 41),
    Column("note", "note", "text", 20, entry=True),
    Column("kind_said", "kind of row", "wrap", 16),
    Column("source_sha256", "file_sha256", "id", 62),
)
_PLACE = {column.header: place for place, column in enumerate(COLUMNS, 1)}
_LETTER = {header: "ABCDEFGHIJKL"[place - 1] for header, place in _PLACE.items()}
#: The column a person types the right value into.
CORRECTED = _LETTER["corrected_value"]

OTHER = Sheet(
    title="Other problems",
    heading="What no cell can put right",
    lead="Whole files, lines that aren't rows, and rows that wait for another one. Do what the last column says.",
    table="OtherProblems",
    columns=(
        Column("file", "File", "wrap", 36),
        Column("line_number", "Line", "int", 9),
        Column("rule", "Rule", "wrap", 22),
        Column("message", "What was expected", "wrap", 58),
        Column("instead", "What to do", "wrap", 58),
    ),
    empty="Every row set aside can be put right on the sheet Fix here.",
    freeze_columns=2,
    tab="A9781E",
)


def fill_set_aside(workbook: PagedWorkbook, book: Book, footer: str) -> None:
    """Write the sheets of `_set_aside.xlsx`: how to go about it, the cells to fix, everything else, the lists."""
    looks = Looks(workbook)
    every = book.frames["set_aside"]
    fixes, others = every.filter("listed"), every.filter(pl.col("sheet_row").is_null())
    _write_start(Canvas(workbook.create_sheet("Start here"), looks), fixes, others, footer)
    sheet = workbook.create_sheet(FIX_SHEET)
    _write_fixes(Canvas(sheet, looks), fixes, footer)
    write_sheet(workbook.create_sheet(OTHER.title), looks, OTHER, list(others.iter_rows(named=True)), footer)
    lists = _lists(fixes)
    _write_lists(Canvas(workbook.create_sheet("Lists"), looks), lists, footer)
    _offer(sheet, fixes, lists)


_STEPS = (
    "On the sheet Fix here every row is one wrong cell: the file and line, what the cell holds, what was expected.",
    (
        "Write what is right into corrected_value (dates as 2026-04-15, dollars as 7500.00), your name into fixed_by "
        "and the day into fixed_on. Leave a row blank that you can't answer yet: it stays set aside."
    ),
    f"Where column_name is {WHOLE_ROW} the whole line is meant: {LEAVE_OUT} drops it. (blank) empties a cell.",
    (
        "Save, and drop this workbook into the inbox. The next run reads the rows anew with your cells, everything "
        "else as the file said it; results name both files. A fix that isn't right is told, its row stays set aside."
    ),
    "Changed your mind? Drop a later fix of the same row; (withdrawn) as corrected_value takes one back.",
    (
        "A row of the firm's own that came in several files stands here once and names them all: its fix goes to each "
        "of them, and to the same row in files to come. Correct the source all the same."
    ),
)


def _write_start(canvas: Canvas, fixes: pl.DataFrame, others: pl.DataFrame, footer: str) -> None:
    canvas.widths([4, 110])
    canvas.put(1, 1, "Rows set aside: fix them and drop this workbook into the inbox", "title", span=2)
    canvas.height(1, 30)
    lines = fixes.select("source_sha256", "line_number").n_unique()
    said = f"{counted(lines, 'row')} to fix on the sheet {FIX_SHEET}  ·  {counted(others.height, 'other problem')}"
    canvas.put(2, 1, said, "lead", span=2)
    for number, step in enumerate(_STEPS, 1):
        canvas.put(number + 3, 1, number, "count")
        canvas.put(number + 3, 2, step, "label")
        canvas.fit(number + 3, step, 110, "label")
    private = (
        "Accounts are shown by their last four characters, tax ids never: the rest of a row stays in the archive. "
        "Client data all the same; keep this workbook where the inbox is."
    )
    row = len(_STEPS) + 5
    canvas.put(row, 1, private, "quiet", span=2)
    canvas.height(row, 28)
    set_up_page(canvas.sheet, footer, tab="A9781E", pages_tall=1)


def _write_fixes(canvas: Canvas, fixes: pl.DataFrame, footer: str) -> None:
    canvas.widths([c.width for c in COLUMNS])
    put_header(canvas, 1, COLUMNS)
    for row in fixes.iter_rows(named=True):
        number = row["sheet_row"]
        canvas.height(number, 15)
        for place, column in enumerate(COLUMNS, 1):
            if column.entry:
                canvas.put(number, place, None, "entry date" if column.kind == "date" else "entry text")
            else:
                put_value(
                    canvas, number, place, column, _in_files(row) if column.field == "file" else row[column.field]
                )
    canvas.sheet.freeze_panes = "C2"
    canvas.sheet.print_title_rows = "1:1"
    canvas.sheet.print_area = f"A1:{_LETTER['kind of row']}{max(1, fixes.height) + 1}"
    set_up_page(canvas.sheet, footer, tab="B3413A")


def _in_files(row: Row) -> str:
    """The file a row is named by, and the others it came in as well."""
    return f"{row['file']}\nalso in {row['also_in']}" if row["also_in"] else str(row["file"])


def _lists(fixes: pl.DataFrame) -> dict[tuple[str, str], tuple[str, ...]]:
    """The words each closed column takes, of those there are rows for."""
    lists: dict[tuple[str, str], tuple[str, ...]] = {}
    for kind, name in fixes.select("kind", "column_name").unique().sort("kind", "column_name").iter_rows():
        columns = {c.name: c for c in INPUT_TABLES[kind].columns} if kind in INPUT_TABLES else {}
        if name == WHOLE_ROW:
            lists[kind, name] = (LEAVE_OUT,)
        elif name == "transaction_type":
            lists[kind, name] = TRANSACTION_TYPES
        elif name in columns and (columns[name].values or columns[name].kind == "bool"):
            lists[kind, name] = columns[name].values or ("true", "false")
    return lists


def _write_lists(canvas: Canvas, lists: dict[tuple[str, str], tuple[str, ...]], footer: str) -> None:
    canvas.widths([34] * max(1, len(lists)))
    if not lists:
        canvas.put(1, 1, "No row to fix takes one of a fixed list of words.", "lead")
    for place, ((kind, name), words) in enumerate(lists.items(), 1):
        canvas.put(1, place, f"{kind}: {name}".replace("_", " "), "column header")
        for number, word in enumerate(words, 2):
            canvas.put(number, place, word, "text")
    set_up_page(canvas.sheet, footer, tab="6B7785")


def _offer(sheet: Page, fixes: pl.DataFrame, lists: dict[tuple[str, str], tuple[str, ...]]) -> None:
    """Drop-downs from the sheet Lists (Excel takes no more than 255 characters of words in the check itself)."""
    for place, ((kind, name), words) in enumerate(lists.items()):
        letter = chr(65 + place)
        cells = f"Lists!${letter}$2:${letter}${len(words) + 1}"
        choice = DataValidation(type="list", formula1=cells, allow_blank=True, showErrorMessage=False)
        rows = fixes.filter(pl.col("kind") == kind, pl.col("column_name") == name)["sheet_row"].to_list()
        for row in rows:
            choice.add(f"{CORRECTED}{row}")
        sheet.add_data_validation(choice)
    if fixes.height:
        day = DataValidation(type="date", operator="greaterThan", formula1="36526", allow_blank=True)
        day.showErrorMessage, day.error = True, "Type a date, for example 2027-01-15."
        day.add(f"{_LETTER['fixed_on']}2:{_LETTER['fixed_on']}{fixes.height + 1}")
        sheet.add_data_validation(day)
