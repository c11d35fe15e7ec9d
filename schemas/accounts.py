"""Account numbers: one normal form for joining, one masked form for showing."""

from __future__ import annotations

import re
from datetime import datetime

MASK = re.compile(r"^(?:X{2,}|\.{2,}|\*{2,}|…)[-\s]*([0-9A-Z]{2,})$")
_DIGITS = re.compile(r"\d{5,}")
_TAX_ID = re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")


def normalise_account_number(text: str) -> str:
    """The joining form of an account number: upper-case, no spaces or hyphens; a mask becomes `*` + its ending.

    >>> normalise_account_number("211-000101")
    '211000101'
    >>> normalise_account_number("XXXX-0101")
    '*0101'
    >>> normalise_account_number("...102")
    '*102'
    """
    plain = text.strip().upper()
    masked = MASK.match(plain)
    if masked:
        return "*" + masked.group(1)
    return re.sub(r"[\s-]", "", plain)


def _is_date(digits: str) -> bool:
    for shape in ("%Y%m%d", "%m%d%Y", "%Y%m%d%H%M%S"):
        try:
            when = datetime.strptime(digits, shape)  # noqa: DTZ007 - a calendar date in a file name
        except ValueError:
            continue
        if 2000 <= when.year <= 2099:
            return True
    return False


def mask_digits(text: str) -> str:
    """`text` with every run of five or more digits that is not a date cut to its last four.

    For file names in logs and summaries: some custodians write the account number into the name.

    >>> mask_digits("History_for_Account_211000101.csv")
    'History_for_Account_...0101.csv'
    >>> mask_digits("Accounts_20260309-071502.csv")
    'Accounts_20260309-071502.csv'
    >>> mask_digits("Positions-2020-11-16-074214.CSV")
    'Positions-2020-11-16-074214.CSV'
    """

    def cut(found: re.Match[str]) -> str:
        digits, before = found.group(), text[: found.start()]
        after_date = re.search(r"\d{4}-?\d{2}-?\d{2}[-_.]$", before) is not None
        if _is_date(digits) or (after_date and len(digits) == 6):
            return digits
        return "..." + digits[-4:]

    return _DIGITS.sub(cut, _TAX_ID.sub(lambda found: "..." + found.group()[-4:], text))


def show_account(custodian: str | None, account_number: str) -> str:
    """How an account is shown to people: custodian and the last four characters."""
    return f"{custodian or 'account'} ...{account_number[-4:]}"
