"""Schwab, Fidelity, Vanguard, HealthEquity: every header row known, the quirks real files have, how they were saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.intake.nights import Book, Night, sample

BANNER = "transactions_2020_banner.csv"
OF_ONE = "Contributory_XXX101_Transactions_20260309-071502.csv"
ALL_POSITIONS = "All-Accounts-Positions-2020-11-16-074214.CSV"
ONE_POSITIONS = "Rollover IRA-Positions-2026-02-27-073305.csv"
STATEMENT = "Statement12312025.csv"
HSA = "cash-transactions-contribution.csv"
DOWNLOADS = {
    "transactions_2020_banner.csv": "schwab-transactions-banner",
    "transactions_2022_2023.csv": "schwab-transactions-banner",
    OF_ONE: "schwab-transactions",
    ALL_POSITIONS: "schwab-positions",
    ONE_POSITIONS: "schwab-positions",
    "Accounts_History.csv": "fidelity-history",
    "Accounts_History_2026_07_layout.csv": "fidelity-history",
    "History_for_Account_211000101.csv": "fidelity-history-single",
    "Portfolio_Positions_Feb-27-2026.csv": "fidelity-positions",
    STATEMENT: "fidelity-statement",
    "OfxDownload.csv": "vanguard-ofxdownload",
    "OfxDownload_plan.csv": "vanguard-ofxdownload",
    "EXT765_AccountMaster.csv": "apex-ext765",
}
TABLES = ("accounts", "balances", "transactions")


def only(book: Book, name: str, text: str | bytes) -> Night:
    return book.drop(name, text).night()


def bom_and_crlf(text: str) -> str:
    return "\ufeff" + text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\n", "\r\n")


def no_bom_and_lf(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def commas_at_the_end(text: str) -> str:
    """What a spreadsheet does: every row as wide as the widest, and wider."""
    lines, inside = [], False
    for line in io.StringIO(text, newline=""):
        inside ^= line.count('"') % 2 == 1
        lines.append(line if inside or not line.strip() else line.rstrip("\r\n") + ",,,\n")
    return "".join(lines)


def saved_by_a_spreadsheet(text: str) -> str:
    """Quotes only where needed, every row as wide as the widest."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    saved = io.StringIO()
    csv.writer(saved).writerows([*row, *[""] * (max(map(len, rows)) - len(row))] for row in rows)
    return saved.getvalue()


SAVED = [bom_and_crlf, no_bom_and_lf, commas_at_the_end, saved_by_a_spreadsheet]


@pytest.mark.parametrize("change", SAVED, ids=lambda c: c.__name__)
@pytest.mark.parametrize("name", DOWNLOADS)
def test_how_a_download_was_saved_changes_no_row(tmp_path: Path, name: str, change: Callable[[str], str]) -> None:
    text = sample(DOWNLOADS[name], name).decode()
    one, two = only(Book(tmp_path / "a"), name, text), only(Book(tmp_path / "b"), name, change(text))
    assert two.files["state"].to_list() == ["accepted"]
    for table in TABLES:
        kept = [c for c in one.table(table).columns if c not in ("source_sha256", "source_line")]
        assert one.table(table).select(kept).equals(two.table(table).select(kept)), table


@pytest.mark.parametrize("name", [BANNER, ALL_POSITIONS, "OfxDownload.csv", "OfxDownload_plan.csv"])
def test_a_comma_at_the_end_of_every_row_may_be_missing(tmp_path: Path, name: str) -> None:
    text = sample(DOWNLOADS[name], name).decode()
    without = "".join(line.rstrip("\r\n").removesuffix(",") + "\n" for line in io.StringIO(text, newline=""))
    assert without != text
    one, two = only(Book(tmp_path / "a"), name, text), only(Book(tmp_path / "b"), name, without)
    for table in TABLES:
        assert one.table(table).drop("source_sha256").equals(two.table(table).drop("source_sha256")), table
    assert two.rejects.is_empty()


def test_an_unquoted_comma_moves_no_amount(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", "transactions_2022_2023.csv").decode()
    text = text.replace('"Tfr FIRST HARBOR BANK, QUINTERO-VALE"', "Tfr FIRST HARBOR BANK, QUINTERO-VALE")
    found = only(Book(tmp_path), "transactions_2022_2023.csv", text)
    assert found.files["state"].to_list() == ["rejected"]  # the row isn't read, and so the total isn't reached
    assert found.rules() == ["total_differs"]


REQUIRED = {
    BANNER: "Amount",
    OF_ONE: "Action",
    ALL_POSITIONS: "Cost Basis",
    "Accounts_History.csv": "Amount ($)",
    "Portfolio_Positions_Feb-27-2026.csv": "Current Value",
    STATEMENT: "Ending mkt Value",
    "OfxDownload.csv": "Net Amount",
    HSA: "Cash Balance",
}


@pytest.mark.parametrize("name", REQUIRED)
def test_a_renamed_column_is_no_silent_loss(tmp_path: Path, name: str) -> None:
    text = sample({**DOWNLOADS, HSA: "healthequity-cash"}[name], name).decode()
    found = only(Book(tmp_path), name, text.replace(REQUIRED[name], "Some Other Name"))
    row = found.files.row(0, named=True)
    assert row["state"] in ("rejected", "partial")
    assert row["lines_total"] == sum(
        row[f"lines_{c}"] for c in ("preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
    )
    assert not found.rejects.is_empty()
    lost = {"OfxDownload.csv": "transactions", STATEMENT: "balances"}.get(name)
    assert all(found.table(t).is_empty() for t in ((lost,) if lost else TABLES))


# --- Schwab


def test_schwab_says_which_of_its_eras_a_file_is_of(tmp_path: Path) -> None:
    book = Book(tmp_path)
    for name in (BANNER, "transactions_2022_2023.csv", OF_ONE, ALL_POSITIONS, ONE_POSITIONS):
        book.drop(name, sample(DOWNLOADS[name], name))
    assert dict(book.night().files.select("file_name", "layout").iter_rows()) == {
        BANNER: "banner, trailing comma, to 2021",
        "transactions_2022_2023.csv": "banner, no trailing comma, 2022 to mid-2023",
        OF_ONE: "header on line 1, since late 2023",
        ALL_POSITIONS: "banner, one header per account, 2020",
        ONE_POSITIONS: "banner, double header names, 2023 to 2025",
    }


def test_schwab_several_accounts_one_without_rows(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", "transactions_2022_2023.csv").decode()
    empty = (
        '"Transactions  for account Vacation money ...777 as of 05/08/2023 09:05:31 AM ET"\n'
        '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n""\n'
        '"Transactions Total","","","","","","","$0.00",\n'
    )
    third = text.replace("Rollover IRA ...102", "Roth Contributory IRA ...103")
    found = only(Book(tmp_path), "all.csv", empty + "\n" + text + "\n" + third)
    assert found.rejects.is_empty()
    counts = found.table("transactions").group_by("account_number").len().sort("account_number")
    assert counts.rows() == [("*102", 7), ("*103", 7)]


def test_schwab_a_total_missing_between_two_accounts_is_a_file_cut_off(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", "transactions_2022_2023.csv").decode()
    first = text[: text.index('"Transactions Total"')]
    found = only(Book(tmp_path), "all.csv", first + text.replace("Rollover IRA ...102", "Roth IRA ...103"))
    assert found.rules() == ["incomplete_file"]


def test_schwab_nicknames_and_new_words_are_not_guessed(tmp_path: Path) -> None:
    text = sample("schwab-transactions-banner", BANNER).decode()
    text = text.replace("Contributory IRA XXXX-0101", "My IRA, old XXXX-0101").replace('"Buy"', '"Exercise"')
    found = only(Book(tmp_path), BANNER, text)
    assert found.table("accounts").select("account_number", "account_type", "custodian_code").rows() == [
        ("*0101", "other", "My IRA, old")
    ]
    new = found.table("transactions").sort("source_line").row(3, named=True)
    assert (new["transaction_type"], new["classification"], new["custodian_code"]) == (
        "unclassified",
        "unmapped",
        "Exercise",
    )
    assert new["amount"] == Decimal("852.10")


def test_schwab_identical_rows_of_one_file_are_two_events(tmp_path: Path) -> None:
    text = sample("schwab-transactions", OF_ONE).decode()
    line = next(x for x in text.splitlines() if "Funds Received" in x)
    found = only(Book(tmp_path), OF_ONE, text.replace(line, f"{line}\n{line}"))
    received = [x for x in found.table("transactions").iter_rows(named=True) if x["custodian_code"] == "Funds Received"]
    assert [x["amount"] for x in received] == [Decimal("7000.00")] * 2
    assert received[0]["transaction_id"] != received[1]["transaction_id"]


def test_schwab_label_of_several_words_in_the_file_name(tmp_path: Path) -> None:
    name = "Roth_Contributory_IRA_XXX303_Transactions_20260309-071502 (1).csv"
    found = only(Book(tmp_path), name, sample("schwab-transactions", OF_ONE))
    assert found.table("accounts").select("account_number", "account_type").rows() == [("*303", "roth_ira")]
    renamed = only(Book(tmp_path / "renamed"), "roth.csv", sample("schwab-transactions", OF_ONE))
    assert renamed.rules() == ["file_name_changed"]


def test_schwab_an_option_row_has_a_cell_less(tmp_path: Path) -> None:
    text = sample("schwab-positions", ALL_POSITIONS).decode()
    option = (
        '"SCHA 01/15/2021 80.00 C","CALL OPTION","1","$2.00","--","--","$200.00","--","--","--","--","--","--","--",'
        '"--","--","--","--","--","--","--","--","--","--","Option"\r\n'
    )
    assert len(next(csv.reader([option]))) == 25
    cash = '"Cash & Cash Investments","--","--","--","--","--","$1,850.00"'
    text = text.replace(cash, option + cash, 1).replace('"$8,999.60"', '"$9,199.60"')
    found = only(Book(tmp_path), ALL_POSITIONS, text)
    assert found.rejects.is_empty()
    assert found.table("balances").sort("account_number")["market_value"][0] == Decimal("9199.60")


def test_schwab_positions_with_columns_in_another_order(tmp_path: Path) -> None:
    text = sample("schwab-positions", ONE_POSITIONS).decode()
    moved = io.StringIO()
    writer = csv.writer(moved, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in csv.reader(io.StringIO(text)):
        writer.writerow([row[0], row[1], row[6], *row[2:6], *row[7:]])
    found = only(Book(tmp_path), ONE_POSITIONS, moved.getvalue().replace('"Security Type"', '"Asset Type"'))
    assert found.table("balances").select("account_number", "market_value", "as_of").rows() == [
        ("*102", Decimal("51225.29"), date(2026, 2, 27))
    ]
    assert found.files["layout"].to_list() == ["banner, double header names, asset type, 2026"]


def test_schwab_positions_that_miss_their_total_are_refused(tmp_path: Path) -> None:
    text = sample("schwab-positions", ONE_POSITIONS).decode()
    line = next(x for x in text.splitlines(keepends=True) if "SWAGX" in x)
    found = only(Book(tmp_path), ONE_POSITIONS, text.replace(line, ""))
    assert found.rules() == ["total_differs"]
    assert "51225.29" in found.files["message"][0]


# --- Fidelity

_OLD = "Symbol,Security Description,Security Type,Quantity,Price ($),Commission ($),Fees ($),Accrued Interest ($)"
_2024 = "Symbol,Description,Type,Quantity,Price ($),Commission ($),Fees ($),Accrued Interest ($)"
_FX = (
    "Symbol,Description,Type,Exchange Quantity,Exchange Currency,Currency,Price,Quantity,Exchange Rate,Commission,"
    "Fees,Accrued Interest"
)
_APRIL = "Symbol,Description,Type,Price ($),Quantity,Commission ($),Fees ($),Accrued Interest ($)"
FIDELITY_HEADERS = {
    "History_for_Account_211000101.csv": [
        (f"Run Date,Action,{_OLD},Amount ($),Settlement Date", "one account, named in the file name, 2019-2023"),
        (
            f"Run Date,Action,{_2024},Amount ($),Cash Balance ($),Settlement Date",
            "one account, named in the file name, cash balance column, 2024-2025",
        ),
    ],
    "Accounts_History.csv": [
        (
            f"Run Date,Account,Action,{_OLD},Amount ($),Settlement Date",
            "account name and number in one cell, 2019-2023",
        ),
        (
            f"Run Date,Account,Action,{_2024},Amount ($),Cash Balance ($),Settlement Date",
            "account name and number in one cell, cash balance column, 2024-2025",
        ),
        (
            f"Run Date,Account,Account Number,Action,{_2024},Amount ($),Settlement Date",
            "account number column, quantity before price, 2025",
        ),
        (
            f"Run Date,Account,Account Number,Action,{_FX},Amount,Settlement Date",
            "account number column, foreign exchange columns, December 2025",
        ),
        (
            f"Run Date,Account,Account Number,Action,{_APRIL},Amount ($),Settlement Date",
            "account number column, price before quantity, April 2026",
        ),
    ],
}
_CELLS = {
    "Run Date": "04/09/2026", "Action": " CASH CONTRIBUTION PRIOR YEAR (Cash)", "Symbol": " ", "Quantity": "0.000",
    "Amount": '"7,000"', "Account Number": "211000101", "Type": "Cash", "Settlement Date": "",
}  # fmt: skip
_PREAMBLES = {"blank": "\ufeff\n\n", "commas": ",,,,,,,,,,,\r\n" * 5, "none": ""}


@pytest.mark.parametrize("preamble", _PREAMBLES)
@pytest.mark.parametrize(
    ("name", "header", "layout"),
    [(name, header, layout) for name, some in FIDELITY_HEADERS.items() for header, layout in some],
    ids=[layout for some in FIDELITY_HEADERS.values() for _, layout in some],
)
def test_every_fidelity_header_of_the_record_is_read(
    tmp_path: Path, name: str, header: str, layout: str, preamble: str
) -> None:
    names = [n.replace(" ($)", "") for n in header.split(",")]
    account = "Rollover IRA" if "Account Number" in names else "Rollover IRA 211000101"
    row = ",".join({**_CELLS, "Account": account}.get(n, "") for n in names)
    text = f"{_PREAMBLES[preamble]}{header}\n{row}\n\n\nDate downloaded 04/12/2026 7:02 am"
    found = only(Book(tmp_path), name, text)
    assert found.rejects.is_empty()
    if preamble != "none" or "April" not in layout:
        assert found.files["layout"].to_list() == [layout]
    kept = ("account_number", "trade_date", "transaction_type", "amount", "tax_year")
    assert found.table("transactions").select(kept).rows() == [
        ("211000101", date(2026, 4, 9), "contribution", Decimal("7000.00"), 2025)
    ]


def test_fidelity_july_2026_layout_is_told_by_its_first_line(tmp_path: Path) -> None:
    name = "Accounts_History_2026_07_layout.csv"
    found = only(Book(tmp_path), name, sample("fidelity-history", name))
    assert found.files["layout"].to_list() == ["account number column, header on line 1, July 2026"]


def test_fidelity_empty_period_is_a_valid_file(tmp_path: Path) -> None:
    text = sample("fidelity-history", "Accounts_History.csv").decode()
    lines = text.split("\n")
    found = only(Book(tmp_path), "Accounts_History.csv", "\n".join([*lines[:3], *lines[15:]]))
    assert found.files.select("state", "rows").rows() == [("accepted", 0)]


def test_fidelity_four_purchases_two_of_them_alike_are_four(tmp_path: Path) -> None:
    text = sample("fidelity-history", "Accounts_History.csv").decode()
    line = next(x for x in text.split("\n") if "INTEREST EARNED" in x)
    found = only(Book(tmp_path), "Accounts_History.csv", text.replace(line, "\n".join([line] * 3)))
    same = [x for x in found.table("transactions").iter_rows(named=True) if x["amount"] == Decimal("0.11")]
    assert len({x["transaction_id"] for x in same}) == 3


def test_fidelity_plan_rows_have_a_cell_more_and_a_blank_account_is_told(tmp_path: Path) -> None:
    text = sample("fidelity-history", "Accounts_History.csv").decode()
    line = next(x for x in text.split("\n") if "INTEREST EARNED" in x)
    plan = '12/31/2025,"NORTHWIND TRADERS 401K","44121","Contributions",,"FUND",,,1.5,,,,100,,0.5'
    nobody = line.replace('"Traditional IRA","211000101"', '"",""')
    found = only(Book(tmp_path), "Accounts_History.csv", text.replace(line, f"{plan}\n{nobody}\n{line}"))
    assert found.rejects.select("line_number", "column", "rule").rows() == [(16, "account", "required")]
    assert found.table("transactions").filter(account_number="44121")["classification"].to_list() == ["unmapped"]


def test_fidelity_statement_takes_its_day_from_its_name(tmp_path: Path) -> None:
    text = sample("fidelity-statement", STATEMENT)
    found = only(Book(tmp_path), "Statement01312026 (1).csv", text)
    assert found.table("balances").select("account_number", "as_of", "market_value").rows() == [
        ("211000101", date(2026, 1, 31), Decimal("28295.44")),
        ("211000103", date(2026, 1, 31), Decimal("25203.00")),
    ]
    assert only(Book(tmp_path / "renamed"), "december.csv", text).rules() == ["file_name_changed"]
    never = only(Book(tmp_path / "never"), "Statement13312025.csv", text)
    assert set(never.rules()) == {"not_a_date"}


def test_fidelity_statement_counts_what_is_owed_and_skips_no_line(tmp_path: Path) -> None:
    text = sample("fidelity-statement", STATEMENT).decode()
    text = text.replace("28295.44,,28295.44", '"28,295.44",-95.44,"28,200.00"')
    text = text.replace("ROTH IRA,211000103", "College money,211000103").replace("Core Account ", "Bonds & Other")
    found = only(Book(tmp_path), STATEMENT, text)
    assert found.rejects.is_empty()
    assert found.table("balances")["market_value"].to_list() == [Decimal("28200.00"), Decimal("25203.00")]
    assert found.table("accounts")["custodian_code"].to_list() == [None, "College money"]
    torn = only(Book(tmp_path / "torn"), STATEMENT, text.replace("FXAIX,FIDELITY 500 INDEX FUND ,", "FXAIX,"))
    assert torn.rules() == ["line_not_understood"]


def test_a_nickname_says_nothing_against_a_registration_of_the_same_night(tmp_path: Path) -> None:
    positions = sample("fidelity-positions", "Portfolio_Positions_Feb-27-2026.csv").decode()
    book = Book(tmp_path).drop(
        "p.csv", positions.replace("Traditional IRA", "Nest egg").replace("ROTH IRA", "Rainy day")
    )
    found = book.drop(STATEMENT, sample("fidelity-statement", STATEMENT)).night()
    assert found.rejects.is_empty()
    accounts = found.table("accounts").select("account_number", "account_type", "custodian_code").rows()
    assert accounts == [
        ("211000101", "traditional_ira", None),
        ("211000102", "rollover_ira", None),
        ("211000103", "roth_ira", None),
        ("44121", "401k", None),
    ]


def test_two_registrations_of_one_night_are_a_conflict(tmp_path: Path) -> None:
    positions = sample("fidelity-positions", "Portfolio_Positions_Feb-27-2026.csv").decode()
    book = Book(tmp_path).drop("p.csv", positions.replace("Traditional IRA", "Inherited IRA"))
    found = book.drop(STATEMENT, sample("fidelity-statement", STATEMENT)).night()
    assert found.rejects.select("rule", "account_number").unique().rows() == [("conflicting_rows", "211000101")]


# --- Vanguard


def test_vanguard_older_header_dates_and_dollar_signs(tmp_path: Path) -> None:
    text = (
        sample("vanguard-ofxdownload", "OfxDownload.csv").decode()
        .replace("Commissions and Fees", "Commission Fees")
        .replace("2026-04-13", "04/13/2026").replace("2026-04-09", "04/09/2026").replace("2026-04-10", "04/10/2026")
        .replace("-7000.0,0.0,-7000.0", '-7000.0,0.0,"-$7,000.00"')
        .replace("Conversion (outgoing)", "CONVERSION (Outgoing)")
    )  # fmt: skip
    found = only(Book(tmp_path), "OfxDownload (1).csv", text)
    assert found.rejects.is_empty()
    assert found.files["layout"].to_list() == ["holdings; activity, Commission Fees"]
    out = found.table("transactions").filter(transaction_type="roth_conversion_out")
    assert out.select("trade_date", "amount").rows() == [(date(2026, 4, 13), Decimal("7000.00"))]
    assert found.table("balances")["as_of"].unique().to_list() == [date(2026, 4, 13)]


@pytest.mark.parametrize(
    ("said", "kind", "tax_year"),
    [
        ("Contribution Prior Year 2025", "contribution", 2025),
        ("Contribution", "contribution", 2026),
        ("Contribution Current Year 2026", "contribution", 2026),
        ("Contribution Prior Year", "unclassified", None),
        ("Contribution Prior Yr 2025", "unclassified", None),
        ("Contribution for 2025", "unclassified", None),
        ("Contribution Prior Year 20", "unclassified", None),
    ],
)
def test_vanguard_a_hint_at_a_year_nobody_can_read_is_no_year(
    tmp_path: Path, said: str, kind: str, tax_year: int | None
) -> None:
    text = sample("vanguard-ofxdownload", "OfxDownload.csv").decode()
    assert text.count("Contribution Prior Year 2025") == 1
    found = only(Book(tmp_path), "OfxDownload.csv", text.replace("Contribution Prior Year 2025", said))
    row = found.table("transactions").sort("source_line").row(0, named=True)
    assert (row["transaction_type"], row["tax_year"]) == (kind, tax_year)


def test_vanguard_share_class_conversion_is_no_roth_conversion(tmp_path: Path) -> None:
    text = sample("vanguard-ofxdownload", "OfxDownload.csv").decode()
    text = text.replace("Share Conversion (incoming)", "Conversion (incoming)")
    types = only(Book(tmp_path), "OfxDownload.csv", text).table("transactions").sort("source_line")
    assert types["transaction_type"].to_list() == [
        "contribution", "market", "roth_conversion_out", "roth_conversion_in", "unclassified", "market",
        "recharacterization_in", "distribution", "withholding",
    ]  # fmt: skip


def test_vanguard_college_plans_have_tables_of_their_own(tmp_path: Path) -> None:
    text = (
        "Fund Account Number,Fund Name,Price,Shares,Total Value,\n"
        '5290001-01,Invented Growth Portfolio,$41.20,100.5,"$4,140.60",\n\n'
        "Fund Account Number,Trade Date,Process Date,Transaction Type,Transaction Description,Fund Name,Shares,"
        "Share Price,Gross Amount,Net Amount,\n"
        "5290001-01,03/02/2026,03/03/2026,Contribution AIP,Contribution AIP,Invented Growth Portfolio,6.0,$41.20,"
        '"$250.00","$250.00",\n\n'
        "Account Number,Investment Name,Symbol,Shares,Share Price,Total Value,\n"
    )
    found = only(Book(tmp_path), "OfxDownload.csv", text)
    assert found.rejects.is_empty()
    assert found.files["layout"].to_list() == ["529 holdings; 529 activity; holdings"]
    assert found.table("balances").select("account_number", "market_value", "as_of").rows() == [
        ("529000101", Decimal("4140.60"), date(2026, 3, 2))
    ]
    assert found.table("transactions").select("account_number", "amount").rows() == [("529000101", Decimal("250.00"))]
    assert found.table("accounts").is_empty()  # what kind of account it is, the firm says


# --- HealthEquity


def test_healthequity_account_comes_before_the_file_name(tmp_path: Path) -> None:
    found = only(Book(tmp_path), f"H7001234_{HSA}", sample("healthequity-cash", HSA))
    assert found.table("transactions")["account_number"].unique().to_list() == ["H7001234"]
    assert found.files["message"].to_list() == [None]


def test_healthequity_files_of_two_people_stay_two(tmp_path: Path) -> None:
    one = sample("healthequity-cash", HSA).decode()
    other = one.replace('"$1,900.00"', '"$2,900.00"')
    rows = Book(tmp_path).drop("a.csv", one).drop("b.csv", other).night().table("transactions")
    assert rows.group_by("account_number").len()["len"].to_list() == [2, 2]
    assert all(number.startswith("*FILE") for number in rows["account_number"])
    assert only(Book(tmp_path / "c"), "c.csv", one).files["message"][0].startswith("no account is named: put it")


def test_healthequity_tax_year_is_the_one_in_the_words(tmp_path: Path) -> None:
    text = (
        '"Date","Transaction","Amount","Cash Balance"\n'
        '"2026-03-11","Employee Contribution (Tax year: 2025)","$100.00","$100.00"\n'
        '"2026-03-11","Employee Contribution (Tax year: 2026)","$100.00","$200.00"\n'
        '"2026-03-12","Employer Contribution","$100.00","$300.00"\n'
        '"2026-03-13","Pharmacy: INVENTED","($1,020.50)","($720.50)"\n'
    )
    rows = only(Book(tmp_path), HSA, text).table("transactions").sort("source_line")
    assert rows.select("transaction_type", "classification", "tax_year", "amount").rows() == [
        ("contribution", "mapped", 2025, Decimal("100.00")),
        ("contribution", "mapped", 2026, Decimal("100.00")),
        ("unclassified", "ambiguous", None, Decimal("100.00")),
        ("unclassified", "unmapped", None, Decimal("1020.50")),
    ]
    assert rows["transaction_id"].n_unique() == 4
