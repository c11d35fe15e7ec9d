"""Writes Vanguard's OfxDownload.csv: two tables in one file, every line ending in a comma."""

from __future__ import annotations

from decimal import Decimal

from flows.demo.book import Account, Book, Event
from flows.demo.house import told_by_custodian

_POSITION_HEADER = "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,"
_HEADER = (
    "Account Number,Trade Date,Settlement Date,Transaction Type,Transaction Description,Investment Name,Symbol,Shares,"
    "Share Price,Principal Amount,Commissions and Fees,Net Amount,Accrued Interest,Account Type,"
)
_FUND = "VANGUARD FEDERAL MONEY MARKET INVESTOR CL,VMFXX"
_WORDS = {
    "contribution": ("Contribution", "Contribution {which} Year {year}", 1),
    "roth_conversion_out": ("Conversion (outgoing)", "Conversion To Roth", -1),
    "roth_conversion_in": ("Conversion (incoming)", "Conversion From Ira", 1),
    "recharacterization_out": ("Recharacterization (outgoing)", "Recharacterization To Ira", -1),
    "recharacterization_in": ("Recharacterization (incoming)", "Recharacterization From Ira", 1),
    "distribution": ("Distribution", "Distribution To Bank", -1),
    "withholding": ("Withholding", "Federal Withholding", -1),
}


def _position(account: Account) -> str:
    value = (account.value or Decimal(0)).quantize(Decimal("0.01"))
    return f"{account.number},{_FUND},{value},1.0,{value},"


def _row(account: Account, day: str, words: str, text: str, net: Decimal) -> str:
    return f"{account.number},{day},{day},{words},{text},{_FUND},{net},1.0,{net},0.0,{net},0.0,CASH,"


def _told(event: Event) -> list[str]:
    """The rows of one event; money paid in is swept into the settlement fund the day it arrives."""
    words, text, sign = _WORDS[event.kind]
    which = "Current" if event.tax_year == event.day[:4] else "Prior"
    text = text.format(which=which, year=event.tax_year)
    row = _row(event.account, event.day, words, text, sign * event.amount)
    if event.kind != "contribution":
        return [row]
    return [row, _row(event.account, event.day, "Sweep in", "Sweep Into Settlement Fund", -event.amount)]


def vanguard_files(book: Book) -> dict[str, str]:
    """File name -> text."""
    held = [account for account in book.accounts if account.custodian == "vanguard" and account.value]
    events = [e for e in book.events if e.account.custodian == "vanguard" and told_by_custodian(e)]
    share_class = _row(held[0], "2026-02-17", "Share Conversion (incoming)", "Share Class Conversion", Decimal("0.0"))
    told = [row for event in sorted(events, key=lambda e: e.day, reverse=True) for row in _told(event)]
    lines = [_POSITION_HEADER, *map(_position, held), "", "", _HEADER, *told, share_class, "", ""]
    return {"OfxDownload.csv": "\n".join(lines)}
