"""The same as benchmarks/peer_pandas.py, a row at a time: the csv module, dicts and Decimal.

`PYTHONPATH=. python benchmarks/row_loop.py BOOK --workbook FILE [--lines FILE]`.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from openpyxl import Workbook

from benchmarks.yardstick import FIDELITY_TYPES, LINES, MOVES, POOL, YEAR, asked, figures

CENT = Decimal("0.01")

Account = tuple[str, str]
Row = dict[str, str]
Form = dict[str, Decimal]


def rows(book: Path, pattern: str, skip: int = 0) -> Iterator[Row]:
    """Every row of every file of a name; lines around the rows come with empty cells, or too many."""
    for path in sorted(book.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for _ in range(skip):
                file.readline()
            yield from csv.DictReader(file)


def events(book: Path) -> Iterator[tuple[Account, str, str, Decimal]]:
    """Account, id, type and dollars of every transaction."""
    for row in rows(book, "transactions_*.csv"):
        key = (row["custodian"], row["account_number"])
        yield key, row["transaction_id"], row["transaction_type"], Decimal(row["amount"])
    for number, row in enumerate(rows(book, "Accounts_History_*.csv", 2)):
        if row["Amount ($)"]:
            kind = next((kind for words, kind in FIDELITY_TYPES.items() if row["Action"].startswith(words)), "market")
            yield ("fidelity", row["Account Number"]), str(number), kind, abs(Decimal(row["Amount ($)"]))


def summed(book: Path) -> dict[tuple[Account, str], Decimal]:
    """Dollars by account and type, every transaction once."""
    seen: set[tuple[Account, str]] = set()
    total: dict[tuple[Account, str], Decimal] = defaultdict(Decimal)
    for account, identity, kind, amount in events(book):
        if (account, identity) not in seen:
            seen.add((account, identity))
            total[account, kind] += amount
    return total


def values(book: Path) -> dict[Account, Decimal]:
    """What every account was worth on December 31."""
    worth: dict[Account, Decimal] = defaultdict(Decimal)
    for row in rows(book, "balances_*.csv"):
        if row["as_of"] == f"{YEAR}-12-31":
            worth[row["custodian"], row["account_number"]] = Decimal(row["market_value"])
    for row in rows(book, f"Portfolio_Positions_Dec-31-{YEAR}.csv"):
        if row["Current Value"]:
            worth["fidelity", row["Account Number"]] += Decimal(row["Current Value"].replace("$", ""))
    return worth


def pools(book: Path) -> dict[str, dict[str, Decimal]]:
    """Per person: dollars by type of transaction, and `value`, over all of the person's traditional IRAs."""
    total, worth = summed(book), values(book)
    pool: dict[str, dict[str, Decimal]] = {}
    for row in rows(book, "accounts_*.csv"):
        if row["account_type"] in POOL:
            account = (row["custodian"], row["account_number"])
            own = pool.setdefault(row["person_id"], defaultdict(Decimal))
            own["value"] += worth[account]
            for kind in MOVES:
                own[kind] += total.get((account, kind), Decimal(0))
    return pool


def deductible(profile: Row, age: int, contributed: Decimal, of: dict[tuple[str, str], int]) -> Decimal:
    """How much of the year's contribution may be deducted: section 219(g)."""
    status, magi = profile["filing_status"], int(profile["deduction_magi"])
    most = of["ira_contribution_limit", ""] + (of["ira_catch_up_50", ""] if age >= 50 else 0)
    if profile["active_participant"] == "true":
        name = "ira_deduction_covered_phaseout_"
    elif status == "mfj" and profile["spouse_active_participant"] == "true":
        name = "ira_deduction_spouse_covered_phaseout_"
    else:
        return min(contributed, Decimal(most))
    start, end = of[name + "start", status], of[name + "end", status]
    if magi >= end:
        return Decimal(0)
    if magi > start:
        most = min(most, max(200, most - most * (magi - start) // ((end - start) * 10) * 10))
    return min(contributed, Decimal(most))


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`amount` times `part` over `whole`, half up to the cent."""
    return (amount * min(part, whole) / whole).quantize(CENT, ROUND_HALF_UP) if whole else Decimal(0)


def form(own: dict[str, Decimal], basis: Decimal, deducted: Decimal) -> Form:
    """Lines 1-18 in dollars, Worksheet 1-1 of Pub 590-B where part is deductible; what doesn't apply is left out."""
    nothing = Decimal(0)
    line = {"line_1": own["contribution"] - deducted, "line_2": basis}
    line["line_3"] = line["line_14"] = line["line_1"] + line["line_2"]
    line_7, line_8 = own["distribution"] + own["withholding"], own["roth_conversion_out"]
    if not line_7 and not line_8:
        return line
    partly = deducted > 0 and line["line_1"] > 0
    if not partly:
        line["line_4"] = nothing
    line["line_5"] = line["line_3"] + (deducted if partly else nothing)
    line |= {"line_6": own["value"], "line_7": line_7, "line_8": line_8, "line_9": own["value"] + line_7 + line_8}
    line["line_10"] = min(line["line_5"] / line["line_9"], Decimal(1))
    converted, paid = share(line_8, line["line_5"], line["line_9"]), share(line_7, line["line_5"], line["line_9"])
    over = max(nothing, converted + paid - min(line["line_3"], line["line_5"]))
    line["line_11"] = converted - min(converted, over)
    line["line_12"] = paid - max(nothing, over - converted)
    line["line_13"] = line["line_11"] + line["line_12"]
    line["line_14"] = line["line_3"] - line["line_13"]
    line |= {"line_15a": line_7 - line["line_12"], "line_15b": nothing, "line_15c": line_7 - line["line_12"]}
    return line | {"line_16": line_8, "line_17": line["line_11"], "line_18": line_8 - line["line_11"]}


def forms(book: Path) -> dict[str, Form]:
    """The form of everybody who has something for it; without lines where the basis isn't known."""
    profiles = {row["person_id"]: row for row in rows(book, "tax_profiles*.csv")}
    basis = {row["person_id"]: Decimal(row["basis"]) for row in rows(book, "ira_basis*.csv")}
    pool, of = pools(book), figures()
    found: dict[str, Form] = {}
    for row in rows(book, "persons*.csv"):
        person = row["person_id"]
        if person not in pool and not basis.get(person):
            continue
        own = pool.get(person, defaultdict(Decimal))
        age = YEAR - int(row["birth_date"][:4])
        deducted = deductible(profiles[person], age, own["contribution"], of)
        found[person] = form(own, basis[person], deducted) if person in basis else {}
    return found


def write_workbook(found: dict[str, Form], path: Path) -> None:
    """One sheet, a row per person, in dollars."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Form 8606")
    sheet.append(["person_id", *LINES])
    for person, line in found.items():
        sheet.append([person, *map(line.get, LINES)])
    book.save(path)


def write_lines(found: dict[str, Form], path: Path) -> None:
    """The lines in cents."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["person_id", *LINES])
        writer.writeheader()
        for person, line in found.items():
            cents = {name: value if name == "line_10" else value * 100 for name, value in line.items()}
            writer.writerow({"person_id": person} | cents)


def main() -> None:
    """Compute the form of everybody and write the workbook."""
    told = asked("Form 8606 of a book, a row at a time.")
    found = forms(told.book)
    write_workbook(found, told.workbook)
    if told.lines:
        write_lines(found, told.lines)
    print(f"{len(found):,} forms")


if __name__ == "__main__":
    main()
