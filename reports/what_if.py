"""The sheet What-if: choose a client, type what would still be done, and see Form 8606 move. Formulas, no macros.

The sheet *What-if data* (hidden) holds one row for each client and year, a row of the one chosen, and working cells;
the formulas name them (`wi_in_pool`, `wi_add_convert`), so that they can be read. They are those of
`transforms/sql/form_8606.sql`: shares are worked out in whole cents and rounded half up, every line to the cent.

A spreadsheet's numbers are binary. They hold a product of two amounts in cents exactly up to 2^53, such as a conversion
of $900,000 times a basis of $1,000,000. Above that, a share that lies within about a millionth of a cent of half a cent
may be rounded the other way, by one cent.

`make whatif` has LibreOffice compute the sheet for everybody in a run and holds it against the engine.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from reports.book import Book
from reports.page import Page, PagedWorkbook
from reports.sheet import Canvas, Row, Value, put_heading, set_up_page
from reports.style import INK, WORD_FILLS, Looks
from reports.what_if_rows import FLAGS, INPUTS, LINES

TITLE = "What-if"
DATA_TITLE = "What-if data"
HEADING = "What if? Form 8606 with other amounts"
LEAD = "Choose a client, then type what would still be done into the shaded cells. Everything else follows."
EMPTY = "No client has anything on Form 8606 in these tax years."
TAB = "5B4B8A"

#: What the reader can type: name of the cell, label.
AMOUNTS = (
    ("convert", "Convert to Roth (in addition)"),
    ("to_plan", "Roll pre-tax IRA money into an employer's plan"),
    ("from_plan", "Roll pre-tax plan money into an IRA"),
    ("nondeductible", "Contribute, nondeductible"),
    ("deductible", "Contribute, deducted"),
    ("later", "Contribute after December 31 for the year, nondeductible"),
    ("distribution", "Take out (a distribution)"),
    ("hsa", "Move into an HSA (once in a lifetime)"),
)
TEXTS = {
    "line_1": "Nondeductible contributions",
    "line_2": "Basis brought in",
    "line_3": "Sum of 1 and 2",
    "line_4": "Of line 1, contributed after year end",
    "line_5": "Line 3 less line 4",
    "line_6": "Value of all IRAs on December 31",
    "line_7": "Distributions",
    "line_8": "Converted to Roth",
    "line_9": "Sum of 6, 7 and 8",
    "line_10": "Ratio of 5 to 9, at most 1",
    "line_11": "Nontaxable part of conversions",
    "line_12": "Nontaxable part of distributions",
    "line_13": "Sum of 11 and 12",
    "line_14": "Basis left for later years",
    "line_15a": "Taxable distributions",
    "line_15b": "Of it, from a disaster",
    "line_15c": "Taxable, 15a less 15b",
    "line_16": "Converted",
    "line_17": "Basis in conversions",
    "line_18": "Taxable part of conversions",
}
NO_RATE = "Tax on it: no marginal rate is stated"
AT_RATE = "Tax on it at the stated marginal rate of "
#: Lines that are on the form whether or not money came out.
ALWAYS = ("line_1", "line_2", "line_3", "line_14")
KEY_LINES = ("line_6", "line_14", "line_15c", "line_18")

_WIDTHS = (47, 15, 15, 2, 9, 35, 16, 16, 16)
_CHOOSE, _ABOUT, _BANNER, _TOP = 4, 5, 6, 8
FIRST_AMOUNT = _TOP + 1
_RESULTS = _TOP + 1
FIRST_LINE = _RESULTS + 4
FIRST_CHECK = FIRST_AMOUNT + len(AMOUNTS) + 2
_SAID = FIRST_CHECK + 8
_NOTES = FIRST_LINE + len(LINES) + 1
_ENTRIES = f"$B${FIRST_AMOUNT}:$B${FIRST_AMOUNT + len(AMOUNTS) - 1}"
#: Where each line of the form is with the changes, and as it is now.
_WITH = {line: f"H{n}" for n, line in enumerate(LINES, FIRST_LINE)}
_NOW = {line: f"G{n}" for n, line in enumerate(LINES, FIRST_LINE)}

#: Rows of the data sheet: working cells, the header of the rows, the chosen row, the rows.
_WORKING, _HEADER, _CHOSEN, _FIRST_ROW = 5, 7, 8, 9
_FIELDS = (
    "choice",
    "status",
    "about",
    "plan_note",
    "hsa_note",
    "tax_year",
    "rate",
    *(f"in_{name}" for name in (*FLAGS, *INPUTS)),
    *LINES,
)
_MOST = 999_999_999

NOTES = (
    """How it is computed: as Rothbook computes Form 8606, line by line, to the cent, with what you type as if it were
done (by December 31, but for the later contribution). Only pre-tax money moves between IRAs and plans. Where part of
the year's contribution is deducted and money comes out, Worksheet 1-1 of Pub 590-B takes the place of lines 4 to 12:
line 4 is blank, and line 5 shows all contributions of the year with the basis.""",
    """Not covered: gains and losses until December 31, required minimum distributions (they come out before a
conversion), charitable and disaster distributions still to come, rollovers still on their way, contributions above a
limit, a deducted contribution after December 31, and what the added income does to deductions, limits, tax brackets and
Medicare premiums. A conversion can't be undone. Clients with nothing on Form 8606 aren't listed.""",
    """Not tax advice. Nothing typed here is kept, read back or filed. The sheet is protected without a password against
typing over a formula: cells can be selected and copied, and Review > Unprotect Sheet opens it.""",
)


def write_what_if(workbook: PagedWorkbook, looks: Looks, book: Book, footer: str) -> None:
    """Write the sheets What-if and What-if data: the first alone, with a sentence, if there is no row.

    `book` holds one advisor's rows only. The client chosen at first is the one with the largest line 18, and every
    value beside a formula is the engine's.
    """
    rows = book.frames["what_if"]
    canvas = Canvas(workbook.create_sheet(TITLE), looks)
    put_heading(canvas, HEADING, LEAD)
    canvas.widths(_WIDTHS)
    set_up_page(canvas.sheet, footer, tab=TAB, pages_tall=1)
    if rows.is_empty():
        canvas.put(_CHOOSE, 1, EMPTY, "lead")
        return
    first = first_chosen(rows)
    _write_data(Canvas(workbook.create_sheet(DATA_TITLE), looks), rows, first, footer)
    _name_cells(workbook)
    _put_choice(canvas, first, rows.height)
    _put_amounts(canvas, first)
    _put_checks(canvas)
    _put_results(canvas, first)
    _put_lines(canvas, first)
    _put_notes(canvas, first)
    _set_up(canvas.sheet)


def first_chosen(rows: pl.DataFrame) -> Row:
    """The row shown before anybody chooses: the largest line 18, then the most in the IRAs, then the first."""
    best = rows.with_row_index("place").sort(
        "line_18", "in_pool", "place", descending=[True, True, False], nulls_last=True
    )
    return best.row(0, named=True)


def _write_data(canvas: Canvas, rows: pl.DataFrame, first: Row, footer: str) -> None:
    sheet = canvas.sheet
    put_heading(canvas, DATA_TITLE, "What the sheet What-if computes with. Nothing here is to be typed over.")
    set_up_page(sheet, footer, tab=TAB, pages_wide=4)
    sheet.sheet_state = "hidden"
    canvas.widths([34, 12, *[14] * (len(_FIELDS) - 2)])
    last = _FIRST_ROW + rows.height - 1
    for place, (name, formula) in enumerate(_working(last), 1):
        canvas.put(_WORKING - 1, place, name, "column header")
        canvas.put_formula(_WORKING, place, formula, value=None, look=_plain_look(name))
    for place, field in enumerate(_FIELDS, 1):
        canvas.put(_HEADER, place, field, "column header")
        column = get_column_letter(place)
        listed = f"${column}${_FIRST_ROW}:${column}${last}"
        formula = f'IF(wi_place=0,"",IF(INDEX({listed},wi_place)="","",INDEX({listed},wi_place)))'
        canvas.put_formula(_CHOSEN, place, formula, value=first[field], look=_plain_look(field))
    for number, row in enumerate(rows.iter_rows(named=True), _FIRST_ROW):
        canvas.height(number, 15)
        for place, field in enumerate(_FIELDS, 1):
            canvas.put(number, place, row[field], _plain_look(field))


def _plain_look(field: str) -> str:
    if field in {"line_10", "rate"}:
        return "ratio"
    if field in {"choice", "status", "about", "plan_note", "hsa_note"}:
        return "text"
    whole = field == "tax_year" or field.removeprefix("in_") in FLAGS or field in {"place", "known", "shows", "out"}
    return "year" if whole else "money"


def _working(last: int) -> tuple[tuple[str, str], ...]:
    """Name and formula of every working cell; `_name_cells` names them `wi_<name>`."""
    listed = f"$A${_FIRST_ROW}:$A${last}"
    chosen = f"'{TITLE}'!$B${_CHOOSE}"
    checks = f"'{TITLE}'!$B${FIRST_CHECK}:$B${FIRST_CHECK + len(_checks()) - 1}"
    line = {name: f"'{TITLE}'!${cell[0]}${cell[1:]}" for name, cell in _WITH.items()}
    basis = f"MIN({line['line_3']},{line['line_5']})"
    typed = tuple(
        (f"add_{name}", f"IF(wi_numbers=\"yes\",ROUND('{TITLE}'!$B${n},2),0)")
        for n, (name, _) in enumerate(AMOUNTS, FIRST_AMOUNT)
    )
    return (
        # EXACT and not MATCH: in a name, * ? and ~ are what they are, and capitals count
        ("place", f"SUMPRODUCT(EXACT({listed},{chosen})*(ROW({listed})-{_FIRST_ROW - 1}))"),
        ("known", 'IF(wi_place=0,0,IF(wi_status="UNKNOWN",0,1))'),
        ("shows", f'IF(wi_known=0,0,IF(COUNTIF({checks},"no")+COUNTIF({checks},"not known")>0,0,1))'),
        *typed,
        ("into", "wi_add_from_plan+wi_add_nondeductible+wi_add_deductible"),
        ("leaving", "wi_add_convert+wi_add_to_plan+wi_add_distribution+wi_add_hsa"),
        # of line 1, what is contributed after December 31
        (
            "held",
            (
                'IF(wi_known=0,"",MAX(0,ROUND(wi_in_line_1+wi_add_nondeductible+wi_add_later'
                "-MIN(wi_in_contributed_in_year+wi_add_nondeductible+wi_add_deductible,"
                "wi_in_contributed+wi_add_nondeductible+wi_add_deductible+wi_add_later),2)))"
            ),
        ),
        # 408(d)(3)(H): what is in the IRAs above the basis, once what is converted or taken out has left
        (
            "pre_tax",
            (
                'IF(wi_known=0,"",IF(wi_in_pool="","",MAX(0,ROUND(wi_in_pool+wi_into+MIN(-wi_add_convert-wi_add_distribution,'
                "wi_in_line_7+wi_in_line_8-(wi_in_line_1+wi_add_nondeductible+wi_add_later+wi_in_line_2-wi_held)),2))))"
            ),
        ),
        (
            "out",
            "IF(wi_shows=0,0,IF(wi_in_line_7+wi_add_distribution+wi_in_line_8+wi_add_convert>0,1,0))",
        ),
        (
            "worksheet",
            (
                "IF(wi_out=0,0,IF(AND(wi_in_worksheet_1_1=1,wi_in_deductible+wi_add_deductible>0,"
                f"{line['line_1']}>0),1,0))"
            ),
        ),
        (
            "at_a_loss",
            (
                f"IF(wi_out=0,0,IF(AND(wi_in_part_2_only=1,{line['line_6']}=0,{line['line_7']}=0,{line['line_1']}=0,"
                f"{line['line_2']}>{line['line_8']}),1,0))"
            ),
        ),
        (
            "top",
            (
                f'IF(wi_out=0,"",IF(wi_in_three_places=1,MIN(1000,{_divided("1000", line["line_5"], line["line_9"])}),'
                f"MIN({line['line_5']},{line['line_9']})))"
            ),
        ),
        ("bottom", f'IF(wi_out=0,"",IF(wi_in_three_places=1,1000,{line["line_9"]}))'),
        ("conversion_share", f'IF(wi_out=0,"",{_share(line["line_8"], "wi_top", "wi_bottom")})'),
        ("distribution_share", f'IF(wi_out=0,"",{_share(line["line_7"], "wi_top", "wi_bottom")})'),
        ("basis", f'IF(wi_out=0,"",{basis})'),
    )


def _share(a: str, b: str, c: str) -> str:
    """Amount a times b / c, of dollars, rounded half up: in whole cents, so that half a cent is half a cent."""
    return f"ROUND(ROUND(100*{a},0)*ROUND(100*{b},0)/ROUND(100*{c},0),0)/100"


def _divided(times: str, a: str, c: str) -> str:
    """A number times a / c, rounded half up to a whole number."""
    return f"ROUND({times}*ROUND(100*{a},0)/ROUND(100*{c},0),0)"


def _name_cells(workbook: PagedWorkbook) -> None:
    named = {
        **{name: (_WORKING, place) for place, (name, _) in enumerate(_working(_FIRST_ROW), 1)},
        **{f"now_{f}" if f in LINES else f: (_CHOSEN, place) for place, f in enumerate(_FIELDS, 1)},
    }
    for name, (row, place) in named.items():
        cell = f"'{DATA_TITLE}'!${get_column_letter(place)}${row}"
        workbook.defined_names[f"wi_{name}"] = DefinedName(f"wi_{name}", attr_text=cell)
    numbers = f"'{TITLE}'!$B${FIRST_CHECK}"
    workbook.defined_names["wi_numbers"] = DefinedName("wi_numbers", attr_text=numbers)


def _put_choice(canvas: Canvas, first: Row, count: int) -> None:
    canvas.put(_CHOOSE, 1, "Client and tax year", "strong")
    canvas.put(_CHOOSE, 2, first["choice"], "typed", span=5)
    canvas.put(_CHOOSE, 7, "Status now", "number header")
    canvas.put_formula(_CHOOSE, 8, "wi_status", value=first["status"], look="word")
    canvas.height(_CHOOSE, 20)
    canvas.put_formula(_ABOUT, 1, "wi_about", value=first["about"], look="wrap", span=9)
    canvas.height(_ABOUT, 40)
    nothing = "Nothing typed yet: both columns are the form as it is now."
    unknown = "No numbers: Form 8606 is UNKNOWN until what is missing is stated."
    banner = (
        'IF(wi_place=0,"Choose a client and tax year from the list.",'
        f'IF(wi_known=0,"{unknown}",'
        'IF(wi_numbers="no","An amount is not a number of dollars, or below zero. No numbers are shown.",'
        'IF(wi_shows=0,"Not possible as typed, or not known: see the checks that say so. No numbers are shown.",'
        f'IF(wi_into+wi_leaving+wi_add_later=0,"{nothing}",'
        f'IF(I{_RESULTS}<0,"With these amounts less is taxable.",'
        f'IF(I{_RESULTS}>0,"With these amounts more is taxable.","With these amounts as much is taxable as now.")))))))'
    )
    known = first["status"] != "UNKNOWN"
    canvas.put_formula(_BANNER, 1, banner, value=nothing if known else unknown, look="headline", span=9)
    canvas.height(_BANNER, 24)
    offer = DataValidation(
        type="list", formula1=f"'{DATA_TITLE}'!$A${_FIRST_ROW}:$A${_FIRST_ROW + count - 1}", allow_blank=False
    )
    offer.showErrorMessage = offer.showInputMessage = True
    offer.errorTitle, offer.error = "Client and tax year", "Choose one of the list."
    offer.promptTitle, offer.prompt = "Client and tax year", "Choose one of the list; the amounts below stay."
    offer.add(f"B{_CHOOSE}")
    canvas.sheet.add_data_validation(offer)


def _put_amounts(canvas: Canvas, first: Row) -> None:
    for place, header in enumerate(("What would still be done", "Amount", "At most"), 1):
        canvas.put(_TOP, place, header, "column header" if place == 1 else "number header")
    canvas.height(_TOP, 20)
    limits = _at_most(first)
    for row, (name, label) in enumerate(AMOUNTS, FIRST_AMOUNT):
        canvas.put(row, 1, label, "label")
        canvas.put(row, 2, None, "typed money")
        formula, value = limits[name]
        if formula:
            canvas.put_formula(row, 3, formula, value=value, look="money")
        else:
            canvas.put(row, 3, "what the plan pays", "number note")
        canvas.height(row, 17)
    check = DataValidation(type="decimal", operator="between", formula1="0", formula2=str(_MOST), allow_blank=True)
    check.showErrorMessage = check.showInputMessage = True
    check.errorTitle, check.error = "Amount", f"Type dollars from 0 to {_MOST:,}, for example 7500."
    check.promptTitle, check.prompt = "Amount", "Dollars, in addition to what was done already. Blank is nothing."
    check.add(_ENTRIES.replace("$", ""))
    canvas.sheet.add_data_validation(check)


def _at_most(first: Row) -> dict[str, tuple[str, Value]]:
    """By amount: the formula of how far it may go beside the others, and its value when nothing is typed."""
    pool, room = _money(first, "pool"), _money(first, "contribution_room")
    ended, deduction = bool(first["in_year_has_ended"]), _money(first, "deduction_room")
    known = first["status"] != "UNKNOWN"
    pre_tax = _pre_tax(first)

    def shown(value: Decimal | None, *, this_year: bool = True) -> Value:
        if not known:
            return ""
        return Decimal(0) if ended and this_year else "not known" if value is None else max(Decimal(0), value)

    def capped(limit: str, formula: str, *, this_year: bool = True) -> str:
        told = f'IF({limit}="","not known",MAX(0,ROUND({formula},2)))'
        return f'IF(wi_known=0,"",{f"IF(wi_in_year_has_ended=1,0,{told})" if this_year else told})'

    pool_left = "wi_in_pool+wi_into-wi_leaving"
    deducted = None if room is None or deduction is None else min(room, deduction)
    hsa = _money(first, "hsa_room")
    return {
        "convert": (capped("wi_in_pool", f"{pool_left}+wi_add_convert"), shown(pool)),
        "to_plan": (capped("wi_pre_tax", "wi_pre_tax-wi_add_hsa"), shown(pre_tax)),
        "from_plan": ("", None),
        "nondeductible": (
            capped("wi_in_contribution_room", "wi_in_contribution_room-wi_add_deductible-wi_add_later"),
            shown(room),
        ),
        "deductible": (
            capped(
                "IF(wi_in_contribution_room=\"\",\"\",wi_in_deduction_room)",
                "MIN(wi_in_deduction_room,wi_in_contribution_room-wi_add_nondeductible-wi_add_later)",
            ),
            shown(deducted),
        ),
        "later": (
            capped(
                "wi_in_contribution_room",
                "wi_in_contribution_room-wi_add_nondeductible-wi_add_deductible",
                this_year=False,
            ),
            shown(room, this_year=False),
        ),
        "distribution": (capped("wi_in_pool", f"{pool_left}+wi_add_distribution"), shown(pool)),
        "hsa": (
            capped('IF(wi_pre_tax="","",wi_in_hsa_room)', "MIN(wi_in_hsa_room,wi_pre_tax-wi_add_to_plan)"),
            shown(None if hsa is None or pre_tax is None else min(hsa, pre_tax)),
        ),
    }  # fmt: skip


def _pre_tax(first: Row) -> Decimal | None:
    """What is in the IRAs above the basis, now: the working cell `pre_tax` when nothing is typed."""
    pool = _money(first, "pool")
    amounts = [_money(first, n) for n in ("line_1", "line_2", "line_7", "line_8", "contributed_in_year", "contributed")]
    line_1, line_2, line_7, line_8, in_year, contributed = (a or Decimal(0) for a in amounts)
    if pool is None:
        return None
    held = max(Decimal(0), line_1 - min(in_year, contributed))
    return max(Decimal(0), pool + min(Decimal(0), line_7 + line_8 - (line_1 + line_2 - held)))


def _money(row: Row, name: str) -> Decimal | None:
    value = row[f"in_{name}"]
    return value if isinstance(value, Decimal) else None


def _checks() -> tuple[tuple[str, str], ...]:
    """Label and formula of each check; each says yes, no, not known, or – where it has nothing to check."""

    def within(typed: str, limit: str) -> str:
        judged = f'IF(ROUND({typed},2)<=ROUND({limit},2),"yes","no")'
        return f'IF(OR(wi_known=0,{typed}=0),"–",IF({limit}="","not known",{judged}))'

    contributed = "wi_add_nondeductible+wi_add_deductible+wi_add_later"
    this_year = "wi_into+wi_leaving"
    return (
        (
            "Amounts are dollars, none below zero",
            (f'IF(AND(COUNT({_ENTRIES})+COUNTBLANK({_ENTRIES})={len(AMOUNTS)},MIN({_ENTRIES})>=0,MAX({_ENTRIES})<={_MOST}),'
            '"yes","no")'),
        ),
        (
            "The year isn't over (a later contribution aside)",
            f'IF(OR(wi_known=0,({this_year})=0),"–",IF(wi_in_year_has_ended=1,"no","yes"))',
        ),
        ("That much is in the IRAs", within("(wi_leaving)", 'IF(wi_in_pool="","",MAX(0,wi_in_pool+wi_into))')),
        ("Contributions are within the limit", within(f"({contributed})", "wi_in_contribution_room")),
        ("That much can be deducted", within("wi_add_deductible", "wi_in_deduction_room")),
        ("Only pre-tax money goes to the plan and the HSA", within("(wi_add_to_plan+wi_add_hsa)", "wi_pre_tax")),
        ("The HSA may take it", within("wi_add_hsa", "wi_in_hsa_room")),
    )  # fmt: skip


def _put_checks(canvas: Canvas) -> None:
    canvas.put(FIRST_CHECK - 1, 1, "Can it be done?", "column header")
    canvas.put(FIRST_CHECK - 1, 2, "Check", "column header", span=2)
    checks = _checks()
    for row, (label, formula) in enumerate(checks, FIRST_CHECK):
        canvas.put(row, 1, label, "label")
        canvas.put_formula(row, 2, formula, value="yes" if row == FIRST_CHECK else "–", look="word", span=2)
    cells = f"B{FIRST_CHECK}:C{FIRST_CHECK + len(checks) - 1}"
    for word, fill in (("no", "critical"), ("not known", "medium"), ("yes", "yes")):
        _shade(canvas.sheet, cells, word, WORD_FILLS[fill])
    for word in ("UNKNOWN", "REVIEW", "COMPUTED"):
        _shade(canvas.sheet, f"H{_CHOOSE}", word, WORD_FILLS[word])


def _shade(sheet: Page, cells: str, word: str, colour: str) -> None:
    fill = PatternFill("solid", bgColor=colour, fgColor=colour)
    bold = Font(bold=word in {"no", "not known", "UNKNOWN"}, color=INK)
    sheet.conditional_formatting.add(cells, CellIsRule(operator="equal", formula=[f'"{word}"'], fill=fill, font=bold))


def _put_results(canvas: Canvas, first: Row) -> None:
    """Taxable, tax and basis: now, with the changes, and the difference."""
    _put_header(canvas, _TOP, "What it comes to")
    taxable = _sum(first["line_15c"], first["line_18"])
    known = first["status"] != "UNKNOWN"
    rate = first["rate"]
    tax = (taxable * rate).quantize(Decimal("0.01"), "ROUND_HALF_UP") if isinstance(rate, Decimal) else None
    percent = f"{(rate * 100).normalize():f}" if isinstance(rate, Decimal) else ""
    taxed = "ROUND(ROUND(100*{0},0)*ROUND(1000000*wi_rate,0)/1000000,0)/100"
    stated_rate = f'IF(wi_rate="","{NO_RATE}","{AT_RATE}"&ROUND(100*wi_rate,4)&"%")'
    results = (
        ('"Taxable from the IRAs (lines 15c and 18)"', "Taxable from the IRAs (lines 15c and 18)",
         f"SUM({_NOW['line_15c']},{_NOW['line_18']})", f"SUM({_WITH['line_15c']},{_WITH['line_18']})", taxable),
        (stated_rate, NO_RATE if tax is None else f"{AT_RATE}{percent}%",
         taxed.format(f"G{_RESULTS}"), taxed.format(f"H{_RESULTS}"), tax),
        ('"Basis left for later years (line 14)"', "Basis left for later years (line 14)",
         _NOW["line_14"], _WITH["line_14"], first["line_14"]),
    )  # fmt: skip
    for row, (label, said, now, then, value) in enumerate(results, _RESULTS):
        needs = ',wi_rate<>""' if row == _RESULTS + 1 else ""
        shown = "" if value is None or not known else value
        canvas.put_formula(row, 5, label, value=said, look="strong", span=2)
        canvas.put_formula(row, 7, f'IF(AND(wi_known=1{needs}),{now},"")', value=shown, look="key money")
        canvas.put_formula(row, 8, f'IF(AND(wi_shows=1{needs}),{then},"")', value=shown, look="key money")
        _put_difference(canvas, row, shown, "key change")


def _sum(*values: Value) -> Decimal:
    return sum((v for v in values if isinstance(v, Decimal)), Decimal(0))


def _put_header(canvas: Canvas, row: int, name: str) -> None:
    canvas.put(row, 5, name, "column header", span=2)
    for place, header in ((7, "Now"), (8, "With changes"), (9, "Difference")):
        canvas.put(row, place, header, "number header")
    canvas.height(row, 20)


def _put_difference(canvas: Canvas, row: int, value: Value, look: str) -> None:
    rounded = f"ROUND(H{row}-G{row},{10 if look == 'ratio change' else 2})"
    formula = f'IF(OR(G{row}="",H{row}=""),"",{rounded})'
    canvas.put_formula(row, 9, formula, value=Decimal(0) if isinstance(value, Decimal) else "", look=look)


def _put_lines(canvas: Canvas, first: Row) -> None:
    _put_header(canvas, FIRST_LINE - 1, "Form 8606")
    formulas = _line_formulas()
    for row, line in enumerate(LINES, FIRST_LINE):
        value = first[line] if first[line] is not None else ""
        look, change = ("ratio", "ratio change") if line == "line_10" else ("money", "change")
        if line in KEY_LINES:
            look, change = "key money", "key change"
        canvas.put(row, 5, f"Line {line.removeprefix('line_')}", "text")
        canvas.put(row, 6, TEXTS[line], "text")
        canvas.put_formula(row, 7, f"wi_now_{line}", value=value, look=look)
        there = "wi_shows" if line in ALWAYS else "wi_out"
        canvas.put_formula(row, 8, f'IF({there}=0,"",{formulas[line]})', value=value, look=look)
        _put_difference(canvas, row, value, change)
        if not canvas.sheet.height_of(row):
            canvas.height(row, 17)


def _line_formulas() -> dict[str, str]:
    """Each line with the changes, where it is on the form; cells are those of the column With changes."""
    at = _WITH
    return {
        "line_1": "ROUND(wi_in_line_1+wi_add_nondeductible+wi_add_later,2)",
        "line_2": "wi_in_line_2",
        "line_3": f"ROUND({at['line_1']}+{at['line_2']},2)",
        "line_4": 'IF(wi_worksheet=1,"",wi_held)',
        "line_5": (
            f"ROUND(IF(wi_worksheet=1,{at['line_2']}+wi_in_deductible+wi_add_deductible+{at['line_1']},"
            f"{at['line_3']}-wi_held),2)"
        ),
        "line_6": "MAX(0,ROUND(wi_in_pool+wi_into-wi_leaving,2))",
        "line_7": "ROUND(wi_in_line_7+wi_add_distribution,2)",
        "line_8": "ROUND(wi_in_line_8+wi_add_convert,2)",
        "line_9": f"ROUND({at['line_6']}+{at['line_7']}+{at['line_8']},2)",
        "line_10": "MIN(1,wi_top/wi_bottom)",
        "line_11": (
            f"IF(wi_at_a_loss=1,{at['line_3']},ROUND(wi_conversion_share"
            "-MIN(wi_conversion_share,MAX(0,wi_conversion_share+wi_distribution_share-wi_basis)),2))"
        ),
        "line_12": "ROUND(wi_distribution_share-MAX(0,wi_distribution_share-wi_basis),2)",
        "line_13": f"IF(wi_at_a_loss=1,{at['line_3']},ROUND({at['line_11']}+{at['line_12']},2))",
        "line_14": f"ROUND({at['line_3']}-IF(wi_out=1,{at['line_13']},0),2)",
        "line_15a": f"ROUND({at['line_7']}-{at['line_12']},2)",
        "line_15b": (
            f"IF({at['line_7']}=0,0,"
            + _share(at["line_15a"], f"MIN(wi_in_disaster_distributions,{at['line_7']})", at["line_7"])
            + ")"
        ),
        "line_15c": f"ROUND({at['line_15a']}-{at['line_15b']},2)",
        "line_16": at["line_8"],
        "line_17": at["line_11"],
        "line_18": f"IF(wi_at_a_loss=1,0,ROUND({at['line_8']}-{at['line_11']},2))",
    }


def _put_notes(canvas: Canvas, first: Row) -> None:
    width = sum(_WIDTHS)
    for row, field in zip((_SAID, _SAID + 2), ("plan_note", "hsa_note"), strict=True):
        _put_block(canvas, row, f"wi_{field}", first[field])
    for row, note in enumerate(NOTES, _NOTES):
        text = note.replace("\n", " ")
        canvas.put(row, 1, text, "quiet", span=9)
        canvas.fit(row, text, width, "quiet")


def _put_block(canvas: Canvas, row: int, formula: str, value: Value) -> None:
    """A sentence over two rows of the left columns."""
    canvas.put_formula(row, 1, formula, value=value, look="wrap")
    for below, place in ((row, 2), (row, 3), (row + 1, 1), (row + 1, 2), (row + 1, 3)):
        canvas.put(below, place, None, "wrap")
    canvas.sheet.merge(row, 1, 3, rows=2)


def _set_up(sheet: Page) -> None:
    sheet.print_area = f"A1:I{_NOTES + len(NOTES) - 1}"
    view = sheet.sheet_view.selection[0]
    view.activeCell = view.sqref = f"B{_CHOOSE}"
    protection = sheet.protection
    protection.sheet = True
    # what a reader may do without touching a formula
    protection.formatColumns = protection.formatRows = protection.formatCells = False
