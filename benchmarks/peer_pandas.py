"""What a firm would write instead: pandas and openpyxl, Form 8606 of a book from benchmarks/book.py, one workbook.

`PYTHONPATH=. python benchmarks/peer_pandas.py BOOK --workbook FILE [--lines FILE]`. It reads the same files, keeps one
row per key, adds up the same transactions and computes lines 1-18 as far as a book of benchmarks/book.py has them. It
does nothing of the rest: no cell is validated, no archive kept, no number says where it came from, and the first bad
row ends it.
`benchmarks/agree.py` holds its lines against ours, cent by cent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook

from benchmarks.yardstick import FIDELITY_TYPES, LINES, MOVES, POOL, YEAR, asked, figures

ACCOUNT = ["custodian", "account_number"]


def cents(dollars: pd.Series[Any]) -> pd.Series[Any]:
    """Dollars as text in whole cents; a float holds every amount below 2^53 cents closely enough to round to it."""
    return (pd.to_numeric(dollars.str.replace("$", "", regex=False)) * 100).round().astype("int64")


def read(book: Path, kind: str) -> pd.DataFrame:
    """Every house file of a kind, as text."""
    return pd.concat([pd.read_csv(path, dtype=str) for path in sorted(book.glob(f"{kind}*.csv"))], ignore_index=True)


def fidelity(book: Path, pattern: str, skip: int) -> pd.DataFrame:
    """Every Fidelity file of a layout without the lines around its rows."""
    files = [pd.read_csv(path, dtype=str, skiprows=skip) for path in sorted(book.glob(pattern))]
    return pd.concat(files, ignore_index=True).dropna(thresh=3) if files else pd.DataFrame()


def transactions(book: Path) -> pd.DataFrame:
    """All transactions of the book: custodian, account, type, cents, each once."""
    house = read(book, "transactions_").drop_duplicates([*ACCOUNT, "transaction_id"])
    house["trade_date"] = pd.to_datetime(house["trade_date"], format="%Y-%m-%d")
    house["cents"] = cents(house["amount"])
    told = fidelity(book, "Accounts_History_*.csv", 2)
    if not told.empty:
        told["custodian"], told["account_number"] = "fidelity", told["Account Number"]
        told["trade_date"] = pd.to_datetime(told["Run Date"], format="%m/%d/%Y")
        told["cents"] = cents(told["Amount ($)"]).abs()
        told["transaction_type"] = "market"
        for words, kind in FIDELITY_TYPES.items():
            told.loc[told["Action"].str.startswith(words), "transaction_type"] = kind
    columns = [*ACCOUNT, "trade_date", "transaction_type", "cents"]
    return pd.concat([house, told])[columns]


def balances(book: Path) -> pd.DataFrame:
    """What every account was worth on December 31, in cents."""
    house = read(book, "balances_").drop_duplicates([*ACCOUNT, "as_of"], keep="last")
    house = house[house["as_of"] == f"{YEAR}-12-31"]
    house["value"] = cents(house["market_value"])
    held = fidelity(book, f"Portfolio_Positions_Dec-31-{YEAR}.csv", 0)
    if not held.empty:
        held["custodian"], held["account_number"] = "fidelity", held["Account Number"]
        held["value"] = cents(held["Current Value"])
        held = held.groupby(ACCOUNT, as_index=False)["value"].sum()
    return pd.concat([house, held])[[*ACCOUNT, "value"]]


def pools(book: Path) -> pd.DataFrame:
    """Per person: cents on line 6, line 7, line 8 and contributed, over all of the person's traditional IRAs."""
    accounts = read(book, "accounts_").drop_duplicates(ACCOUNT, keep="last")
    summed = transactions(book).groupby([*ACCOUNT, "transaction_type"])["cents"].sum().unstack(fill_value=0)
    wide = accounts.merge(summed.reset_index(), on=ACCOUNT, how="left").merge(balances(book), on=ACCOUNT, how="left")
    pool = wide[wide["account_type"].isin(list(POOL))]
    return pool.groupby("person_id")[[*MOVES, "value"]].sum().astype("int64")


def deductible(people: pd.DataFrame) -> pd.Series[Any]:
    """Cents of the year's contribution that may be deducted: section 219(g), whole $10 off, at least $200."""
    of, status = figures(), people["filing_status"]
    most = of["ira_contribution_limit", ""] + of["ira_catch_up_50", ""] * (people["age"] >= 50)

    def edge(name: str) -> pd.Series[Any]:
        own = status.map(lambda one: of.get((f"ira_deduction_covered_phaseout_{name}", one)))
        by_spouse = status.map(lambda one: of.get((f"ira_deduction_spouse_covered_phaseout_{name}", one)))
        return own.where(people["active"], by_spouse).astype("float64")

    start, end = edge("start"), edge("end")
    covered = people["active"] | ((status == "mfj") & people["spouse_active"])
    tens = (most * (people["magi"] - start)) // ((end - start) * 10)
    phased = (most - tens * 10).clip(lower=200).where(people["magi"] > start, most).where(people["magi"] < end, 0)
    limit = (phased.where(covered, most) * 100).round().astype("int64")
    return people["contribution"].clip(upper=limit)


def share(amount: pd.Series[Any], part: pd.Series[Any], whole: pd.Series[Any]) -> pd.Series[Any]:
    """`amount` times `part` over `whole` in cents, half up; whole numbers all the way."""
    return (2 * amount * part.clip(upper=whole) + whole) // (2 * whole.where(whole > 0, 1))


def form_8606(book: Path) -> pd.DataFrame:
    """One row per person with something for the form; lines that don't apply are missing."""
    people = read(book, "persons").merge(read(book, "tax_profiles"), on="person_id", how="left")
    people = people.merge(read(book, "ira_basis"), on="person_id", how="left")
    people = people.set_index("person_id").join(pools(book), how="left")
    moved = [*MOVES, "value"]
    people["has_pool"] = people["value"].notna()
    people[moved] = people[moved].fillna(0).astype("int64")
    people["age"] = YEAR - pd.to_datetime(people["birth_date"]).dt.year
    people["magi"] = pd.to_numeric(people["deduction_magi"])
    people["active"] = people["active_participant"] == "true"
    people["spouse_active"] = people["spouse_active_participant"] == "true"
    basis = pd.to_numeric(people["basis"])
    people = people[people["has_pool"] | (basis > 0)]
    known = people[people["basis"].notna()]
    return lines(known).reindex(people.index)


def lines(people: pd.DataFrame) -> pd.DataFrame:
    """Lines 1-18 in cents of people whose basis is known; Worksheet 1-1 of Pub 590-B where part is deductible."""
    form = pd.DataFrame(index=people.index)
    deducted = deductible(people)
    form["line_1"] = people["contribution"] - deducted
    form["line_2"] = cents(people["basis"])
    form["line_3"] = form["line_1"] + form["line_2"]
    form["line_7"] = people["distribution"] + people["withholding"]
    form["line_8"] = form["line_16"] = people["roth_conversion_out"]
    came_out = (form["line_7"] > 0) | (form["line_8"] > 0)
    partly = came_out & (deducted > 0) & (form["line_1"] > 0)
    form["line_4"] = pd.Series(0, form.index).where(~partly)
    form["line_5"] = form["line_3"] + deducted.where(partly, 0)
    form["line_6"] = people["value"]
    form["line_9"] = form["line_6"] + form["line_7"] + form["line_8"]
    form["line_10"] = (form["line_5"] / form["line_9"].where(came_out)).clip(upper=1)
    converted, paid = (share(form[line], form["line_5"], form["line_9"]) for line in ("line_8", "line_7"))
    over = (converted + paid - form["line_3"].clip(upper=form["line_5"])).clip(lower=0)
    form["line_11"] = form["line_17"] = converted - over.clip(upper=converted)
    form["line_12"] = paid - (over - converted).clip(lower=0)
    form["line_13"] = form["line_11"] + form["line_12"]
    form["line_15a"] = form["line_15c"] = form["line_7"] - form["line_12"]
    form["line_15b"] = 0
    form["line_18"] = form["line_8"] - form["line_11"]
    part_1 = ["line_1", "line_2", "line_3"]
    form[form.columns.difference(part_1)] = form[form.columns.difference(part_1)].where(came_out)
    form["line_14"] = form["line_3"] - form["line_13"].fillna(0)
    return form[list(LINES)]


def write_workbook(form: pd.DataFrame, path: Path) -> None:
    """One sheet, a row per person, in dollars."""
    dollars = form.drop(columns="line_10").div(100).assign(line_10=form["line_10"])[list(LINES)]
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Form 8606")
    sheet.append(["person_id", *LINES])
    for row in dollars.astype(object).where(dollars.notna(), None).itertuples():
        sheet.append(list(row))
    book.save(path)


def main() -> None:
    """Compute the form of everybody and write the workbook."""
    told = asked("Form 8606 of a book, in pandas.")
    form = form_8606(told.book)
    write_workbook(form, told.workbook)
    if told.lines:
        form.to_csv(told.lines)
    print(f"{len(form):,} forms")


if __name__ == "__main__":
    main()
