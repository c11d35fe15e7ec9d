"""What is wrong with a set-aside row in an advisor's words: a phrase per rule, a name per column.

Operations' sheets say file, line, column and what was expected (`schemas.validate`); an advisor reads these.
"""

from __future__ import annotations

import re

#: By rule. `{cell}` is the cell in the words of `CELLS`.
WRONG = {
    "account_incomplete": "another position of the same account can't be read, so what it is worth isn't known",
    "amount_not_known": "its amount can't be told",
    "amount_not_possible": "{cell} is larger than can be",
    "as_of_not_known": "it doesn't say which day its values are of",
    "birth_date_in_future": "the birth date lies in the future",
    "conflicting_rows": "two rows state different things about the same fact",
    "date_in_text_column": "the spreadsheet has made a date of {cell}",
    "decision_not_signed": "it doesn't say who decided, and when",
    "due_by_not_understood": "the day it is due by can't be read",
    "fix_not_signed": "it doesn't say who corrected it, and when",
    "formula_error": "the formula for {cell} gives an error",
    "formula_not_computed": "the formula for {cell} was never computed",
    "header_repeated": "it is the file's header come again",
    "line_not_understood": "it isn't built like the other lines of the file",
    "negative": "{cell} is below nought",
    "not_a_date": "{cell} isn't a date that can be read",
    "not_a_number": "{cell} isn't a number",
    "not_a_sign": "{cell} is neither plus nor minus",
    "not_a_tax_id": "the tax id isn't one",
    "not_a_whole_number": "{cell} isn't a whole number",
    "not_a_year": "{cell} isn't a year",
    "not_in_list": "{cell} isn't one of the words that are known there",
    "not_money": "{cell} isn't in plain dollars",
    "not_percent": "{cell} isn't a plain percentage",
    "not_true_or_false": "{cell} is neither true nor false",
    "not_y_or_n": "{cell} is neither yes nor no",
    "number_not_exact": "the spreadsheet has rounded {cell}",
    "own_spouse": "it names the person as their own spouse",
    "percent_or_fraction": "{cell} may be a percentage or a fraction",
    "price_not_known": "there are shares, but no price",
    "rate_above_100": "the tax rate is above 100 percent",
    "required": "{cell} is missing",
    "spreadsheet_number": "a spreadsheet has changed the account number",
    "sum_incomplete": "another row of the same money can't be read, so the sum isn't known",
    "tax_year_not_possible": "the tax year can't be that of a contribution made then",
    "unseen_character": "there are characters in {cell} that can't be seen",
    "wrong_number_of_cells": "it has too many or too few cells",
}
#: What is said of a rule without a phrase: never its code.
UNREADABLE = "it can't be used as it stands"

#: By column; any other is called by its name with spaces.
CELLS = {
    "account_type": "the kind of account",
    "agi": "the adjusted gross income",
    "as_of": "the day it speaks of",
    "corrected_value": "the corrected value",
    "deduction_magi": "the income that counts for the deduction (MAGI)",
    "market_value": "the account's value",
    "person_id": "the client it belongs to",
    "roth_magi": "the income that counts for Roth contributions (MAGI)",
    "trade_date": "the date of the transaction",
    "transaction_type": "the kind of transaction",
}
_CELL = "a cell of it"


def wrong_with(rule: str, column: str | None) -> str:
    """What is wrong with a row that broke `rule` in `column`, as a sentence's part for an advisor."""
    return WRONG.get(rule, UNREADABLE).format(cell=_cell(column))


def _cell(column: str | None) -> str:
    if not column or re.fullmatch(r"[a-z][a-z0-9_]*", column) is None:
        return _CELL
    return CELLS.get(column, f"the {column.replace('_', ' ')}")
