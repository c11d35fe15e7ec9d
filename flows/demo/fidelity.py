"""Writes Fidelity's Accounts_History and Portfolio_Positions in the layouts of 2026."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flows.demo.book import AS_OF, Account, Book, Event
from flows.demo.house import told_by_custodian

_NAMES = {
    "traditional_ira": "Traditional IRA", "rollover_ira": "Rollover IRA", "roth_ira": "ROTH IRA",
    "inherited_traditional_ira": "Inherited IRA", "taxable": "Individual - TOD",
}  # fmt: skip
_HEADER = (
    "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),"
    "Accrued Interest ($),Amount ($),Settlement Date"
)
_POSITION_HEADER = (
    "Account Number,Account Name,Symbol,Description,Quantity,Last Price,Last Price Change,Current Value,"
    "Today's Gain/Loss Dollar,Today's Gain/Loss Percent,Total Gain/Loss Dollar,Total Gain/Loss Percent,"
    "Percent Of Account,Cost Basis Total,Average Cost Basis,Type"
)
_PROVIDED = (
    "The data and information in this spreadsheet is provided to you solely for your use and is not for distribution. "
    "The spreadsheet is provided for"
)
_BROKER = (
    "Brokerage services are provided by Fidelity Brokerage Services LLC (FBS), 900 Salem Street, Smithfield, RI 02917."
)
_DISCLAIMER = (
    f'"{_PROVIDED}"',
    '"informational purposes only, and is not intended to provide advice."',
    "",
    f'"{_BROKER}"',
    "",
)


def _versus(number: str) -> str:
    return f"VS {number[:3]}-{number[3:]}-1"


def _action(event: Event) -> tuple[str, Decimal]:
    """The action text and the signed amount of an event."""
    if event.raw:
        return event.raw, event.amount
    if event.kind == "contribution":
        year = "PRIOR" if int(event.tax_year) < int(event.day[:4]) else "CURRENT"
        return f"CASH CONTRIBUTION {year} YEAR (Cash)", event.amount
    if event.kind == "roth_conversion_out":
        return f"CONV TO ROTH IRA {_versus(event.counter)} (Cash)", -event.amount
    if event.kind == "roth_conversion_in":
        return f"ROTH CONVERSION {_versus(event.counter)} (Cash)", event.amount
    return "FED TAX W/H FEDERAL TAX WITHHELD (Cash)", -event.amount


def _history_row(event: Event) -> str:
    action, amount = _action(event)
    day = date.fromisoformat(event.day).strftime("%m/%d/%Y")
    name, number = _NAMES[event.account.kind], event.account.number
    return f'{day},"{name}","{number}","{action}",,"No Description",Cash,,0.000,,,,{amount},'


def _history(book: Book) -> str:
    events = [e for e in book.events if e.account.custodian == "fidelity" and told_by_custodian(e)]
    events.sort(key=lambda event: event.day, reverse=True)
    first = events[0].account
    interest = (
        f'11/30/2026,"{_NAMES[first.kind]}","{first.number}","INTEREST EARNED as of Nov-28-2026 (Cash)",'
        ',"No Description",Cash,,0.000,,,,0.11,'
    )
    lines = ["\ufeff", "", _HEADER, interest, *map(_history_row, events), "", "", *_DISCLAIMER]
    return "\n".join([*lines, "Date downloaded 11/30/2026 7:02 am"])


def _position(account: Account) -> str:
    value = f"${account.value:,.2f}"
    shown = f'"{value}"' if "," in value else value
    name = _NAMES[account.kind]
    return f"{account.number},{name},SPAXX**,HELD IN MONEY MARKET,,,,{shown},,,,,100.00%,,,Cash,"


def _positions(book: Book) -> str:
    held = [account for account in book.accounts if account.custodian == "fidelity" and account.value is not None]
    lines = ["\ufeff" + _POSITION_HEADER, *map(_position, held), "", "", *_DISCLAIMER]
    return "\r\n".join([*lines, '"Date downloaded 11/30/2026 2:26 PM ET"', ""])


def fidelity_files(book: Book) -> dict[str, str]:
    """File name -> text."""
    shown = date.fromisoformat(AS_OF).strftime("%b-%d-%Y")
    return {"Accounts_History.csv": _history(book), f"Portfolio_Positions_{shown}.csv": _positions(book)}
