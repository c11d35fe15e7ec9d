"""Writes an invented book of any size into a folder: `python benchmarks/book.py DIR --persons 100000 [--seed 1]`.

The same size and seed give the same bytes on every machine. Per 1,000 people: 430 households, 3,200 accounts (two,
three or four each), 30 `market` rows a year per account, 12% with a conversion in the year, 25% in an employer plan.
The book is of the calendar year 2026 and meant to be run with `--as-of 2026-12-31`. One ninth of the people are with
Fidelity and come in Fidelity's own layouts (`--house-only`: in the firm's); the others with eight custodians in house
files. Transactions come as a firm gets them, a file per custodian and month: 108 files, each of 890,000 lines for a
million people.

Everything is Polars expressions over ranges of numbers, one custodian and month at a time, so memory stays under 2 GB.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import polars as pl

YEAR = 2026
AS_OF = f"{YEAR}-12-31"
FIDELITY = "fidelity"
CUSTODIANS = ("alder", "birch", "cedar", "elm", "hazel", "larch", "maple", "rowan", FIDELITY)
ROWS_A_YEAR = 30
CLIENTS_OF_AN_ADVISOR = 100

_LABELS = {
    "traditional_ira": "Traditional IRA", "rollover_ira": "Rollover IRA", "roth_ira": "ROTH IRA",
    "inherited_traditional_ira": "Inherited IRA", "hsa": "Health Savings Account", "taxable": "Individual - TOD",
}  # fmt: skip
_MARKET = (
    "DIVIDEND RECEIVED", "REINVESTMENT", "YOU BOUGHT", "YOU SOLD", "INTEREST EARNED", "ADVISOR FEE",
    "LONG-TERM CAP GAIN", "FOREIGN TAX PAID",
)  # fmt: skip
_ACTIONS = {
    "contribution": "CASH CONTRIBUTION CURRENT YEAR (Cash)", "roth_conversion_out": "CONV TO ROTH IRA VS ",
    "roth_conversion_in": "ROTH CONVERSION VS ", "withholding": "FED TAX W/H FEDERAL TAX WITHHELD (Cash)",
    "distribution": "NORMAL DISTR PARTIAL (Cash)",
}  # fmt: skip
_HISTORY = (
    "\ufeff\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Commission ($),"
    "Fees ($),Accrued Interest ($),Amount ($),Settlement Date\n"
)
_POSITIONS = (
    "\ufeffAccount Number,Account Name,Symbol,Description,Quantity,Last Price,Last Price Change,Current Value,"
    "Today's Gain/Loss Dollar,Today's Gain/Loss Percent,Total Gain/Loss Dollar,Total Gain/Loss Percent,"
    "Percent Of Account,Cost Basis Total,Average Cost Basis,Type\n"
)
_DISCLAIMER = '\n\n"The data in this spreadsheet is provided to you solely for your use and is not for others."\n\n'


class Draws:
    """Numbers that look random and are a function of the seed, a salt and a row's own number."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def below(self, most: int, salt: int, number: pl.Expr) -> pl.Expr:
        """A whole number from 0 to `most` - 1; products stay within 63 bits, so nothing depends on overflow."""
        mixed = (number * 2_654_435_761 + (self.seed * 1_000_003 + salt) * 40_503) % 2**32
        for factor in (73_244_475, 295_559_667):
            mixed = ((mixed ^ (mixed // 2**16)) * factor) % 2**32
        return (mixed ^ (mixed // 2**15)) % most

    def share(self, percent: int, salt: int, number: pl.Expr) -> pl.Expr:
        """True for that many of a hundred."""
        return self.below(100, salt, number) < percent


def _money(cents: pl.Expr) -> pl.Expr:
    return pl.concat_str((cents // 100).cast(pl.String), pl.lit("."), (cents % 100).cast(pl.String).str.zfill(2))


def _pick(values: tuple[str, ...], index: pl.Expr) -> pl.Expr:
    return index.replace_strict(dict(enumerate(values)), return_dtype=pl.String)


def _name(prefix: str, number: pl.Expr) -> pl.Expr:
    return pl.format(prefix + "{}", number)


def _age(draws: Draws, person: pl.Expr, *, grown_child: pl.Expr) -> pl.Expr:
    return pl.when(grown_child).then(22 + draws.below(18, 1, person)).otherwise(35 + draws.below(45, 2, person))


def _wages(draws: Draws, person: pl.Expr, age: pl.Expr) -> pl.Expr:
    return pl.when(age >= 66).then(0).otherwise(40_000 + 100 * draws.below(3_000, 3, person))


def people(count: int, draws: Draws, advisors: int) -> pl.DataFrame:
    """One row per person, `p` from 0: household, spouse, what the tax profile needs, and their stories."""
    p = pl.col("p")
    frame = pl.select(p=pl.int_range(count, dtype=pl.Int64)).with_columns(h=p * 43 // 100)
    frame = frame.with_columns(place=p - (pl.col("h") * 100 + 42) // 43, custodian=p % len(CUSTODIANS))
    mate = pl.when(pl.col("place") == 0).then(p + 1).otherwise(p - 1)
    couple = (pl.col("place") < 2) & (mate < count) & draws.share(75, 4, pl.col("h"))
    frame = frame.with_columns(spouse=pl.when(couple).then(mate), age=_age(draws, p, grown_child=pl.col("place") > 1))
    frame = frame.with_columns(
        advisor=pl.col("h") % advisors,
        wages=_wages(draws, p, pl.col("age")),
        spouse_wages=_wages(draws, mate, _age(draws, mate, grown_child=pl.lit(value=False))),
        other_income=1_000 * draws.below(120, 5, pl.col("h")),
    )
    alone = pl.col("spouse").is_null()
    frame = frame.with_columns(
        magi=pl.col("wages") + pl.col("other_income") + pl.when(alone).then(0).otherwise(pl.col("spouse_wages")),
        active=(pl.col("wages") > 0) & draws.share(70, 6, p),
        spouse_active=(pl.col("spouse_wages") > 0) & draws.share(70, 6, mate),
    )
    converts = (pl.col("age") < 70) & draws.share(16, 7, p)
    frame = frame.with_columns(
        converts=converts,
        backdoor=converts & (pl.col("wages") > 0) & draws.share(50, 8, p),
        pays_in=~converts & (pl.col("wages") > 0) & draws.share(12, 9, p),
        in_plan=pl.col("active") & draws.share(49, 10, p),
        most=pl.when(pl.col("age") >= 50).then(8_600).otherwise(7_500),
    )
    roth_most = pl.when(alone).then(150_000).otherwise(240_000)
    frame = frame.with_columns(pays_roth=pl.col("pays_in") & (pl.col("magi") < roth_most))
    first = draws.below(100, 20, p * 8)  # of the person's first account, see `_kind`
    return frame.with_columns(has_ira=converts | (pl.col("pays_in") & ~pl.col("pays_roth")) | (first < 65))


def _kind(draws: Draws, held_elsewhere: str) -> pl.Expr:
    """What the person's account number `j` is; a conversion leads from the first to the second."""
    roll, kind = draws.below(100, 20, pl.col("n")), pl.lit
    only_rolled_over = ~pl.col("converts") & ~pl.col("pays_in") & roll.is_between(45, 64)
    first = pl.when(only_rolled_over).then(kind("rollover_ira")).when("has_ira").then(kind("traditional_ira"))
    second = pl.when(pl.col("converts") | pl.col("pays_roth") | (roll < 50)).then(kind("roth_ira"))
    third = pl.when(roll < 15).then(kind("rollover_ira")).when(roll < 25).then(kind("hsa"))
    third = third.when(roll < 35).then(kind(held_elsewhere)).when(roll < 40).then(kind("inherited_traditional_ira"))
    fourth = pl.when(roll < 10).then(kind("roth_ira")).when(roll < 20).then(kind(held_elsewhere))
    j = pl.col("j")
    every = pl.when(j == 0).then(first).when(j == 1).then(second).when(j == 2).then(third).when(j == 3).then(fourth)
    return every.fill_null(kind("taxable"))


def accounts(of: pl.DataFrame, draws: Draws, held_elsewhere: str) -> pl.DataFrame:
    """Two, three or four accounts a person, with what they were worth at both year ends in cents."""
    p = pl.col("p")
    many = pl.when(p % 5 == 0).then(2).when(p % 5 < 3).then(3).otherwise(4)
    frame = of.with_columns(j=pl.int_ranges(many)).explode("j").with_columns(n=p * 8 + pl.col("j"))
    frame = frame.with_columns(number=(200_000_000 + pl.col("n")).cast(pl.String), kind=_kind(draws, held_elsewhere))
    emptied = pl.col("backdoor") & (pl.col("j") == 0) & draws.share(60, 21, p)
    worth = pl.when(emptied).then(0).otherwise(500_000 + draws.below(40_000_000, 22, pl.col("n")))
    return frame.with_columns(worth=worth).with_columns(worth_before=pl.col("worth") * 9 // 10)


def events(own: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """What has a tax meaning: rows of account, type, day, cents and the other account, without `market`."""
    p, j, other = pl.col("p"), pl.col("j"), pl.col("n")
    paid = 100 * pl.col("most")
    moved = pl.when(pl.col("backdoor")).then(paid).otherwise(500_000 + draws.below(5_000_000, 30, p))
    withheld = ~pl.col("backdoor") & draws.share(10, 31, p)
    some = 300_000 + 100 * draws.below(4_000, 32, p)
    out, into = pl.col("converts") & (j == 0), pl.col("converts") & (j == 1)
    retired = (pl.col("age") >= 73) & (j == 0) & pl.col("kind").is_in(["traditional_ira", "rollover_ira"])
    day, later = 1 + draws.below(28, 33, p), 3 + draws.below(9, 34, p)
    told = (
        (out & pl.col("backdoor"), "contribution", pl.lit(2), paid, None),
        (pl.col("pays_roth") & (j == 1), "contribution", pl.lit(4), some, None),
        (pl.col("pays_in") & ~pl.col("pays_roth") & (j == 0), "contribution", pl.lit(4), some, None),
        (out, "roth_conversion_out", later, moved, other + 1),
        (into, "roth_conversion_in", later, moved, other - 1),
        (out & withheld, "withholding", later, moved // 10, None),
        (retired, "distribution", pl.lit(11), pl.col("worth") // 25, None),
    )
    return pl.concat(
        own.filter(when).select(
            "n", "number", "kind",
            pl.lit(what).alias("type"),
            month.cast(pl.Int64).alias("month"),
            pl.date(YEAR, month, day).alias("day"),
            cents.cast(pl.Int64).alias("cents"),
            (pl.lit(None) if counter is None else 200_000_000 + counter).cast(pl.String).alias("counter"),
            pl.lit(what).alias("text"),
            pl.lit(index).cast(pl.Int64).alias("k"),
        )
        for index, (when, what, month, cents, counter) in enumerate(told, start=ROWS_A_YEAR)
    )  # fmt: skip


def market(own: pl.DataFrame, month: int, draws: Draws) -> pl.DataFrame:
    """The rows of a month without a tax meaning, two or three an account, in the columns of `events`."""
    numbers = [k for k in range(ROWS_A_YEAR) if k * 12 // ROWS_A_YEAR == month - 1]
    row = pl.col("n") * 32 + pl.col("k")
    return own.select("n", "number", "kind").join(pl.DataFrame({"k": numbers}), how="cross").select(
        "n", "number", "kind",
        pl.lit("market").alias("type"),
        pl.lit(month).cast(pl.Int64).alias("month"),
        pl.date(YEAR, month, 1 + draws.below(28, 40, row)).alias("day"),
        (1 + draws.below(500_000, 41, row)).alias("cents"),
        pl.lit(None, pl.String).alias("counter"),
        _pick(_MARKET, draws.below(len(_MARKET), 42, row)).alias("text"),
        "k",
    )  # fmt: skip


def _house_transactions(rows: pl.DataFrame, custodian: str, path: Path) -> None:
    contributed = pl.col("type") == "contribution"
    rows.sort("day", "n", "k").select(
        pl.lit(custodian).alias("custodian"),
        pl.col("number").alias("account_number"),
        pl.format("T{}-{}", "n", "k").alias("transaction_id"),
        pl.col("day").alias("trade_date"),
        pl.col("type").alias("transaction_type"),
        _money(pl.col("cents")).alias("amount"),
        pl.when(contributed).then(YEAR).alias("tax_year"),
        pl.col("counter").alias("counter_account_number"),
        pl.col("text").alias("description"),
    ).write_csv(path)


def _fidelity_history(rows: pl.DataFrame, path: Path) -> None:
    spoken = pl.col("type").replace_strict(_ACTIONS, default=None, return_dtype=pl.String)
    versus = pl.format("{}-{}-1 (Cash)", pl.col("counter").str.head(3), pl.col("counter").str.tail(6))
    action = pl.concat_str(spoken, versus.fill_null(""), ignore_nulls=False)
    bought = pl.col("text").is_in(["YOU BOUGHT", "ADVISOR FEE", "FOREIGN TAX PAID", "REINVESTMENT"])
    paid_out = bought | pl.col("type").is_in(["roth_conversion_out", "withholding", "distribution"])
    empty = pl.lit(None, pl.String)
    body = rows.sort(["day", "n", "k"], descending=[True, False, False]).select(
        pl.col("day").dt.strftime("%m/%d/%Y"),
        pl.col("kind").replace_strict(_LABELS, return_dtype=pl.String),
        pl.col("number"),
        action.fill_null(pl.format("{} VANGUARD TOTAL STOCK (VTI) (Cash)", "text")).alias("action"),
        empty.alias("symbol"),
        pl.lit("No Description").alias("description"),
        pl.lit("Cash").alias("type"),
        empty.alias("price"),
        pl.lit("0.000").alias("quantity"),
        empty.alias("commission"),
        empty.alias("fees"),
        empty.alias("accrued"),
        pl.concat_str(pl.when(paid_out).then(pl.lit("-")).otherwise(pl.lit("")), _money(pl.col("cents"))).alias(
            "amount"
        ),
        empty.alias("settled"),
    )
    last = rows.select(pl.col("day").max().dt.strftime("%m/%d/%Y")).item()
    _with_lines_around(path, _HISTORY, body, f"{_DISCLAIMER}Date downloaded {last} 7:02 am")


def _fidelity_positions(own: pl.DataFrame, worth: str, year: int, path: Path) -> None:
    label = pl.col("kind").replace_strict(_LABELS, return_dtype=pl.String)
    cash = pl.col(worth) // 10
    held = ((cash, "SPAXX**", "HELD IN MONEY MARKET"), (pl.col(worth) - cash, "FXAIX", "FIDELITY 500 INDEX FUND"))
    empty = [pl.lit(None, pl.String).alias(f"empty{n}") for n in range(3)]
    after = [pl.lit(None, pl.String).alias(f"after{n}") for n in range(7)]
    body = pl.concat(
        own.select(
            "n", "number", label.alias("label"), pl.lit(symbol).alias("symbol"), pl.lit(name).alias("name"), *empty,
            pl.concat_str(pl.lit("$"), _money(cents)).alias("value"), *after, pl.lit("Cash").alias("type"))
        for cents, symbol, name in held
    ).sort("n", "symbol").drop("n")  # fmt: skip
    _with_lines_around(path, _POSITIONS, body, f'{_DISCLAIMER}"Date downloaded 12/31/{year} 11:26 PM ET"\n')


def _with_lines_around(path: Path, before: str, body: pl.DataFrame, after: str) -> None:
    with path.open("wb") as file:
        file.write(before.encode())
        body.write_csv(file, include_header=False)
        file.write(after.encode())


def _people_files(every: pl.DataFrame, draws: Draws, folder: Path) -> None:
    p = pl.col("p")
    every.select(
        _name("P", p).alias("person_id"), _name("H", pl.col("h")).alias("household_id"),
        _name("A", pl.col("advisor")).alias("advisor_id"), _name("Given", p).alias("given_name"),
        _name("Family", pl.col("h")).alias("family_name"),
        pl.date(YEAR - pl.col("age"), 1 + draws.below(12, 50, p), 1 + draws.below(28, 51, p)).alias("birth_date"),
        (900_000_000 + p).cast(pl.String).alias("tax_id"), _name("P", pl.col("spouse")).alias("spouse_person_id"),
    ).write_csv(folder / "persons.csv")  # fmt: skip
    alone = pl.col("spouse").is_null()
    every.select(
        _name("P", p).alias("person_id"), pl.lit(YEAR).alias("tax_year"),
        pl.when(alone).then(pl.lit("single")).otherwise(pl.lit("mfj")).alias("filing_status"),
        pl.col("magi").alias("roth_magi"), pl.col("magi").alias("deduction_magi"), pl.col("magi").alias("agi"),
        pl.col("wages").alias("compensation"), pl.col("active").alias("active_participant"),
        pl.when(~alone).then("spouse_active").alias("spouse_active_participant"),
        pl.when(pl.col("magi") > 250_000).then(35).otherwise(24).alias("marginal_tax_rate"),
        pl.lit("none").alias("hsa_coverage"), pl.lit(value=True).alias("all_iras_reported"),
    ).write_csv(folder / "tax_profiles.csv")  # fmt: skip
    # one in a hundred hasn't said what was on the last form: their answer is UNKNOWN
    none = pl.col("backdoor") | ~pl.col("has_ira") | ~draws.share(20, 52, p)
    basis = pl.when(none).then(0).otherwise(1_000 + draws.below(4_000, 53, p))
    every.filter(~draws.share(1, 54, p)).select(
        _name("P", p).alias("person_id"), pl.lit(YEAR - 1).alias("tax_year"), basis.alias("basis"),
    ).write_csv(folder / "ira_basis.csv")  # fmt: skip


def _plan_files(every: pl.DataFrame, draws: Draws, folder: Path) -> None:
    p, plan = pl.col("p"), pl.col("plan")
    many = max(1, every.height // 200)
    yes, no = pl.lit(value=True), pl.lit(value=False)
    pl.select(plan=pl.int_range(many, dtype=pl.Int64)).select(
        _name("PL", plan).alias("plan_id"), _name("Employer", plan).alias("employer_name"),
        _name("E", plan).alias("employer_group_id"), pl.lit("401k").alias("plan_type"),
        draws.share(50, 60, plan).alias("after_tax_contributions"), yes.alias("in_plan_roth_conversion"),
        draws.share(60, 61, plan).alias("in_service_distribution"), yes.alias("separate_after_tax_accounting"),
        yes.alias("ira_roll_in"), yes.alias("roth_deferrals"), pl.lit("12-31").alias("limitation_year_end"),
        pl.date(YEAR, 1, 15).alias("verified_on"),
    ).write_csv(folder / "plans.csv")  # fmt: skip
    every.filter("in_plan").select(
        _name("P", p).alias("person_id"), _name("PL", draws.below(many, 62, p)).alias("plan_id"),
        pl.lit(YEAR).alias("tax_year"), pl.date(YEAR, 12, 31).alias("as_of"), pl.col("wages").alias("compensation"),
        draws.below(24_000, 63, p).alias("pre_tax_deferrals"), pl.lit(0).alias("roth_deferrals"),
        pl.lit(0).alias("after_tax_contributions"), (pl.col("wages") // 25).alias("employer_match"),
        pl.lit(0).alias("employer_nonelective"), pl.lit(0).alias("forfeitures"),
        pl.lit(0).alias("expected_employer_contributions"), pl.lit(0).alias("expected_deferrals"),
        pl.col("wages").alias("prior_year_fica_wages"), (pl.col("wages") > 160_000).alias("highly_compensated"),
        no.alias("controls_employer"), yes.alias("currently_employed"),
    ).write_csv(folder / "plan_contributions.csv")  # fmt: skip


def _account_files(own: pl.DataFrame, custodian: str, folder: Path, *, in_house: bool) -> None:
    name, inherited = pl.lit(custodian).alias("custodian"), pl.col("kind") == "inherited_traditional_ira"
    own.select(
        name, pl.col("number").alias("account_number"), pl.col("kind").alias("account_type"),
        _name("P", pl.col("p")).alias("person_id"),
        pl.when(inherited).then(_name("Parent", pl.col("p"))).alias("inherited_from"),
        pl.when(inherited).then(pl.lit(value=False)).alias("beneficiary_is_spouse"),
        pl.when(inherited).then(pl.lit(value=False)).alias("treated_as_own"),
        pl.date(YEAR - 8, 3, 1).alias("opened_on"),
    ).write_csv(folder / f"accounts_{custodian}.csv")  # fmt: skip
    for worth, year in (("worth_before", YEAR - 1), ("worth", YEAR)):
        if not in_house:
            _fidelity_positions(own, worth, year, folder / f"Portfolio_Positions_Dec-31-{year}.csv")
            continue
        own.select(
            name, pl.col("number").alias("account_number"), pl.date(year, 12, 31).alias("as_of"),
            _money(pl.col(worth)).alias("market_value"),
        ).write_csv(folder / f"balances_{custodian}_{year}.csv")  # fmt: skip
    iras = own.filter(
        pl.col("kind").is_in(["traditional_ira", "rollover_ira", "roth_ira", "inherited_traditional_ira"])
    )
    iras.select(
        name, pl.col("number").alias("account_number"), pl.lit(YEAR - 1).alias("tax_year"),
        _money(pl.col("worth_before")).alias("box_5_fair_market_value"),
        pl.when(pl.col("kind") == "roth_ira").then(pl.lit("ROTH IRA")).otherwise(pl.lit("IRA")).alias("box_7_type"),
    ).write_csv(folder / f"form_5498_{custodian}.csv")  # fmt: skip


def write_book(
    folder: Path, persons: int, *, seed: int = 1, advisors: int | None = None, house_only: bool = False
) -> int:
    """Write the book of `persons` people into a new folder; returns the number of transactions."""
    folder.mkdir(parents=True)
    draws, advisors = Draws(seed), advisors or max(1, persons // CLIENTS_OF_AN_ADVISOR)
    a = pl.col("a")
    pl.select(a=pl.int_range(advisors)).select(
        _name("A", a).alias("advisor_id"), _name("Advisor ", a).alias("advisor_name"),
    ).write_csv(folder / "advisors.csv")  # fmt: skip
    every = people(persons, draws, advisors)
    _people_files(every, draws, folder)
    _plan_files(every, draws, folder)
    return sum(_custodian_files(every, draws, folder, house_only=house_only))


def _custodian_files(every: pl.DataFrame, draws: Draws, folder: Path, *, house_only: bool) -> Iterator[int]:
    for index, custodian in enumerate(CUSTODIANS):
        in_house = house_only or custodian != FIDELITY
        mine = every.filter(pl.col("custodian") == index)
        own = accounts(mine, draws, "401k" if custodian != FIDELITY else "taxable")
        _account_files(own, custodian, folder, in_house=in_house)
        told = events(own, draws)
        for month in range(1, 13):
            rows = pl.concat([market(own, month, draws), told.filter(pl.col("month") == month)])
            if in_house:
                _house_transactions(rows, custodian, folder / f"transactions_{custodian}_{YEAR}-{month:02}.csv")
            else:
                _fidelity_history(rows, folder / f"Accounts_History_{YEAR}-{month:02}.csv")
            yield rows.height


def main() -> None:
    """Write the book asked for and say how large it is."""
    asked = argparse.ArgumentParser(description="Write an invented book of any size, the same for the same seed.")
    asked.add_argument("folder", type=Path)
    asked.add_argument("--persons", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--advisors", type=int, help="unless told, one for every hundred people")
    asked.add_argument("--house-only", action="store_true", help="no custodian's own layouts")
    size = asked.parse_args()
    rows = write_book(size.folder, size.persons, seed=size.seed, advisors=size.advisors, house_only=size.house_only)
    files = list(size.folder.iterdir())
    total = sum(file.stat().st_size for file in files)
    print(f"{size.persons:,} people, {rows:,} transactions, {len(files)} files, {total / 1e6:,.0f} MB in {size.folder}")
    print(f"rothbook run --inbox {size.folder} --out OUT --as-of {AS_OF} --direct")


if __name__ == "__main__":
    main()
