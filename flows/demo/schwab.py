"""Writes Schwab web exports: one transactions file per account (header on line 1), and all-accounts positions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flows.demo.book import Account, Book, Event

_WORDS = {"traditional_ira": "Contributory", "rollover_ira": "Rollover", "roth_ira": "Roth Contributory"}
_POSITION_HEADER = (
    "Symbol", "Description", "Quantity", "Price", "Price Change $", "Price Change %", "Market Value", "Day Change $",
    "Day Change %", "Cost Basis", "Gain/Loss $", "Gain/Loss %", "Reinvest Dividends?", "Capital Gains?",
    "% Of Account", "Dividend Yield", "Last Dividend", "Ex-Dividend Date", "P/E Ratio", "52 Week Low", "52 Week High",
    "Volume", "Intrinsic Value", "In The Money", "Security Type",
)  # fmt: skip
_HEADER = ("Date", "Action", "Symbol", "Description", "Quantity", "Price", "Fees & Comm", "Amount")


def _line(*cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in cells)


def _dollars(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%m/%d/%Y")


def _row(event: Event) -> str:
    """An event in Schwab's words: what the web export cannot name is a `Journal`."""
    if event.kind == "contribution":
        action, text, amount = "Funds Received", "FUNDS RECEIVED", event.amount
    elif event.kind == "roth_conversion_in":
        action, text, amount = "Journal", f"JOURNAL FROM {event.counter}", event.amount
    else:
        action, text, amount = "Journal", f"JOURNAL TO {event.counter or '00000000'}", -abs(event.amount)
    return _line(_day(event.day), action, "", text, "", "", "", _dollars(amount))


def _transactions(events: list[Event]) -> str:
    day, symbol, fund = "11/27/2026 as of 11/26/2026", "SWTSX", "SCHWAB TOTAL STOCK MARKET INDEX"
    market = [
        _line(day, "Qual Div Reinvest", symbol, fund, "", "", "", "$118.22"),
        _line(day, "Reinvest Shares", symbol, fund, "8.1", "$14.595", "", "-$118.22"),
    ]
    newest_first = sorted(events, key=lambda event: event.day, reverse=True)
    return "\n".join([_line(*_HEADER), *market, *map(_row, newest_first)]) + "\n"


def _cash(value: Decimal) -> str:
    cells = ["Cash & Cash Investments", *["--"] * 5, _dollars(value), "$0.00", "0%", *["--"] * 5, "100%", *["--"] * 9]
    return _line(*cells, "Cash and Money Market") + ","


def _positions_of(account: Account) -> list[str]:
    value = account.value or Decimal(0)
    total = _line("Account Total", *["--"] * 5, _dollars(value), "$0.00", "0%", *["N/A"] * 3, *["--"] * 10) + ","
    title = _line(f"{_WORDS[account.kind]} IRA XXXX-{account.number[-4:]}")
    return [title, _line(*_POSITION_HEADER) + ",", _cash(value), total, "", ""]


def _empty_period(account: Account) -> str:
    banner = (
        f"Transactions  for account {_WORDS[account.kind]} IRA XXXX-{account.number[-4:]} "
        "as of 11/30/2026 07:40:55 ET From 11/28/2026 to 11/29/2026"
    )
    return "\r\n".join([_line(banner), _line(*_HEADER) + ",", '""']) + "\r\n"


def schwab_files(book: Book) -> dict[str, str]:
    """File name -> text. The last file is a legitimate export of a period without transactions."""
    accounts = [account for account in book.accounts if account.custodian == "schwab"]
    files = {}
    for account in accounts:
        name = f"{_WORDS[account.kind].replace(' ', '_')}_XXX{account.number[-3:]}_Transactions_20261130-071502.csv"
        files[name] = _transactions([event for event in book.events if event.account is account])
    lines = [_line("Positions for All-Accounts as of 07:42 AM ET, 11/30/2026"), ""]
    lines += [line for account in accounts for line in _positions_of(account)]
    files["All-Accounts-Positions-2026-11-30-074214.CSV"] = "\r\n".join(lines[:-2]) + "\r\n"
    files["Transactions_20261130-074055.csv"] = _empty_period(accounts[0])
    return files
