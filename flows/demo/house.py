"""Writes the house-format CSVs, one file per kind."""

from __future__ import annotations

import csv
import io

from flows.demo.book import AS_OF, Account, Book, Event, Row, cell
from schemas.tables import INPUT_TABLES

#: Events a custodian's own file tells in words the sample layouts show. Schwab's words are ambiguous and Pershing's
#: position files carry no events, so the firm states those itself.
SPOKEN = {
    "fidelity": ("contribution", "roth_conversion_out", "roth_conversion_in", "withholding"),
    "vanguard": ("contribution", "roth_conversion_out", "roth_conversion_in", "recharacterization_out",
                 "recharacterization_in", "distribution", "withholding"),
}  # fmt: skip
AFTER_EXPORT = "2026-12-01"
_OWN_POSITIONS = ("schwab", "fidelity", "pershing")


def told_by_custodian(event: Event) -> bool:
    """True where the custodian's file alone tells the event."""
    return bool(event.raw) or event.kind in SPOKEN.get(event.account.custodian, ())


def _account_row(account: Account) -> Row:
    owner = account.owner.person_id if account.owner else ""
    head = {"custodian": account.custodian, "account_number": account.number, "account_type": account.kind}
    return head | {"person_id": owner} | account.facts


def _key(account: Account) -> Row:
    return {"custodian": account.custodian, "account_number": account.number}


def _balances(book: Book) -> list[Row]:
    rows = []
    for account in book.accounts:
        if account.value is not None and account.custodian not in _OWN_POSITIONS:
            rows.append(_key(account) | {"as_of": AS_OF, "market_value": str(account.value)})
        if account.value_2025 is not None:
            rows.append(_key(account) | {"as_of": "2025-12-31", "market_value": cell(account.value_2025)})
    return rows


def _transactions(book: Book) -> list[Row]:
    stated = [event for event in book.events if not told_by_custodian(event)]
    return [
        _key(event.account) | {
            "transaction_id": f"T{number:05d}", "trade_date": event.day, "transaction_type": event.kind,
            "amount": str(abs(event.amount)), "tax_year": event.tax_year, "counter_account_number": event.counter,
        }
        for number, event in enumerate(stated, start=1)
    ]  # fmt: skip


#: What the invented firm waits for: the last one has never come.
_EXPECTED = tuple(
    {"source": source, "custodian": custodian, "kind": kind, "frequency": "business_day", "grace_days": "0",
     "stale_after_days": "4", "starts_on": starts_on}
    for source, custodian, kind, starts_on in (
        ("Fidelity history", "fidelity", "fidelity-history", AFTER_EXPORT),
        ("Fidelity positions", "fidelity", "fidelity-positions", AFTER_EXPORT),
        ("Schwab positions", "schwab", "schwab-positions", AFTER_EXPORT),
        ("Pershing positions", "pershing", "pershing-gcus", AFTER_EXPORT),
        ("FAN Mail positions", "dst_fanmail", "dst-fanmail-apr", AS_OF),
    )
)  # fmt: skip


def house_rows(book: Book) -> dict[str, list[Row]]:
    """Every house file's good rows, by kind."""
    return book.rows | {
        "accounts": [_account_row(account) for account in book.accounts if account.listed],
        "balances": _balances(book),
        "transactions": _transactions(book),
        "expected_files": list(_EXPECTED),
    }


def house_file(kind: str, rows: list[Row]) -> str:
    """One house CSV: the columns of the contract in order, then the rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [c.name for c in INPUT_TABLES[kind].columns], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
