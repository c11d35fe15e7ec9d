"""The planted faults: seven bad rows in the house files, and four files a run must not read as data."""

from __future__ import annotations

from collections.abc import Callable

from flows.demo.book import AS_OF, Book, Row

Rows = dict[str, list[Row]]

#: fault -> the house kind whose file holds the bad row
FAULT_KINDS = {
    "non_numeric_amount": "transactions",
    "unknown_transaction_type": "transactions",
    "broken_date": "transactions",
    "duplicate_row": "transactions",
    "missing_required_value": "ira_basis",
    "unknown_account_type": "accounts",
    "non_numeric_balance": "balances",
}

#: Files beside the house and custodian files: nobody's layout, and one that is still being copied.
ODD_FILES = {
    "notes.csv": "When,Who,What\n2026-11-30,front desk,call the printer people back\n",
    "transactions_late.csv.part": "custodian,account_number,transaction_id,trade_date,transaction_type,amount\naltru",
}


def _traditional(book: Book, fault: str) -> Row:
    """Custodian and number of the traditional IRA of the person this fault concerns."""
    person_id = book.situations[f"fault_{fault}"]
    owned = (a for a in book.accounts if a.owner and a.owner.person_id == person_id)
    account = next(a for a in owned if a.kind == "traditional_ira")
    return {"custodian": account.custodian, "account_number": account.number}


def _bad_event(book: Book, fault: str, number: int, *, day: str, kind: str, amount: str) -> Row:
    return _traditional(book, fault) | {
        "transaction_id": f"X{number:05d}", "trade_date": day, "transaction_type": kind, "amount": amount,
    }  # fmt: skip


def _where(rows: list[Row], wanted: Row) -> int:
    """The place of the first row that holds all the wanted cells."""
    return next(n for n, row in enumerate(rows) if wanted.items() <= row.items())


def _bad_events(book: Book, rows: Rows) -> dict[str, int]:
    """Append the four bad transaction rows."""
    events = rows["transactions"]
    bad = {
        "non_numeric_amount": _bad_event(
            book, "non_numeric_amount", 1, day="2026-06-15", kind="distribution", amount="1,2OO"),
        "unknown_transaction_type": _bad_event(
            book, "unknown_transaction_type", 2, day="2026-06-15", kind="backdoor", amount="1200"),
        "broken_date": _bad_event(book, "broken_date", 3, day="31/02/2026", kind="distribution", amount="1200"),
        "duplicate_row": events[_where(events, _traditional(book, "duplicate_row"))],
    }  # fmt: skip
    first = len(events)
    events.extend(bad.values())
    return {fault: first + n for n, fault in enumerate(bad)}


def _blank_basis(book: Book, rows: Rows) -> int:
    place = _where(rows["ira_basis"], {"person_id": book.situations["fault_missing_required_value"]})
    rows["ira_basis"][place] = rows["ira_basis"][place] | {"basis": ""}
    return place


def _unknown_account(book: Book, rows: Rows) -> int:
    person_id = book.situations["fault_unknown_account_type"]
    rows["accounts"].append({
        "custodian": "altruist", "account_number": "AL7709999", "account_type": "roth_401k_ira", "person_id": person_id,
    })  # fmt: skip
    return len(rows["accounts"]) - 1


def _unreadable_balance(book: Book, rows: Rows) -> int:
    place = _where(rows["balances"], _traditional(book, "non_numeric_balance") | {"as_of": AS_OF})
    rows["balances"][place] = rows["balances"][place] | {"market_value": "n/a"}
    return place


_SINGLE: dict[str, Callable[[Book, Rows], int]] = {
    "missing_required_value": _blank_basis,
    "unknown_account_type": _unknown_account,
    "non_numeric_balance": _unreadable_balance,
}


def plant(book: Book, rows: Rows) -> dict[str, int]:
    """Spoil the rows; returns the file line of every fault (the header is line 1)."""
    places = _bad_events(book, rows) | {fault: spoil(book, rows) for fault, spoil in _SINGLE.items()}
    return {fault: place + 2 for fault, place in places.items()}
