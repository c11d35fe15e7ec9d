"""Writes Pershing's ACCT and GCUS standard files, both REFRESHED (full), with the record counts of their trailers."""

from __future__ import annotations

from decimal import Decimal

from flows.demo.book import Account, Book
from flows.demo.fixed import fixed

_WORDS = {"rollover_ira": "ROLLOVER IRA", "traditional_ira": "IRA", "inherited_traditional_ira": "INHERITED IRA"}
_DAY = "11/30/2026"
_LENGTH = 750


def _wrapped(name: str, records: list[str]) -> str:
    """The records between header and trailer; the trailer counts the detail records."""
    title = f"{name:<28}DATA OF  {_DAY} TO REMOTE ZZZ  "
    head = fixed(_LENGTH, (1, "BOF"), (10, title), (73, "BEGINS HERE"), (86, f"{_DAY} 22:22:21"), (119, "REFRESHED"),
                 (_LENGTH, "A"))  # fmt: skip
    tail = fixed(_LENGTH, (1, "EOF"), (10, title), (73, "ENDS HERE. TOTAL DETAIL RECORDS:"),
                 (106, f"{len(records):010d}"), (119, "REFRESHED"), (_LENGTH, "Z"))  # fmt: skip
    return "\n".join([head, *records, tail]) + "\n"


def _short_name(account: Account) -> str:
    return f"{account.holder.family[:7].upper():<7}{account.holder.given[:3].upper()}"


def _account_records(number: int, account: Account) -> list[str]:
    """Records A (registration), B (tax id), G (holder) and R (retirement) of one account."""
    owner = account.holder
    born, tax_id = owner.born.replace("-", ""), owner.tax_id.replace("-", "")
    name = f"{owner.given} {owner.family}".upper()

    def record(letter: str, *fields: tuple[int, str]) -> str:
        head = f"CI{letter}{number:08d}{account.number}9ZZ {owner.advisor_id[-1]:0>3} {_short_name(account)}"
        return fixed(_LENGTH, (1, head), *fields, (_LENGTH, "X"))

    kind = account.label or _WORDS[account.kind]
    lines = ("PERSHING LLC AS CUSTODIAN", f"FBO {name}", kind)
    if account.kind == "inherited_traditional_ira":
        lines = ("PERSHING LLC AS CUSTODIAN", f"{name} BENE OF"[:32], "IDRIS STAVENHAGEN INHERITED IRA")
    return [
        record("A", (44, "CUST"), (49, "3"), (50, lines[0]), (82, lines[1]), (114, lines[2]), (263, "20190611"),
               (279, "O"), (686, born)),
        record("B", (41, f"S{tax_id}")),
        record("G", (42, "001"), (52, "I"), (85, owner.given.upper()), (149, owner.family.upper()), (577, "N"),
               (584, born), (600, f"S{tax_id}")),
        record("R", (44, "PERS????"), (53, f"{number:010d}"), (81, "20190611")),
    ]  # fmt: skip


def _scaled(amount: Decimal, places: int) -> str:
    return f"{int(amount.scaleb(places)):018d}+"


def _position(number: int, account: Account, amount: Decimal, *, cash: bool) -> str:
    """One position record: a fund at 1.00 a share, or the cash."""
    owner = account.holder
    cusip, symbol, text = ("USD999997", "", "U S DOLLARS") if cash else ("00000TS10", "INVTS", "INVENTED TOTAL STK")
    quantity, value = _scaled(amount, 5), _scaled(amount, 3)
    return fixed(
        _LENGTH, (1, f"GCA{number:08d}{account.number}1{cusip}"),
        (48, f"{owner.advisor_id[-1]:0>3}9ZZ{'C' if cash else 'S'}USD2026113020261130{quantity}{quantity}"),
        (112, "000000000000000000 " * 9), (435, symbol), (514, _short_name(account)), (534, f"0001{text}"),
        (662, f"USD{value}"), (714, value), (_LENGTH, "X"),
    )  # fmt: skip


def _positions(accounts: list[Account]) -> list[str]:
    records: list[str] = []
    for account in accounts:
        value = account.value or Decimal(0)
        for amount, cash in ((value - 1_000, False), (Decimal(1_000), True)):
            records.append(_position(len(records) + 1, account, amount, cash=cash))
    return records


def pershing_files(book: Book) -> dict[str, str]:
    """File name -> text."""
    accounts = [account for account in book.accounts if account.custodian == "pershing"]
    described = [record for n, account in enumerate(accounts, start=1) for record in _account_records(n, account)]
    return {
        "ACCT_20261130.txt": _wrapped("PERSHING CUSTOMER ACCT INFO", described),
        "GCUS_20261130.txt": _wrapped("PERSHING GLOBAL CUST POS", _positions(accounts)),
    }
