"""What was due and what came: arrived, late, stale, missing, empty and not due told apart, without a clock."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from tests.flows.deliveries import Nights, balances
from tests.intake.nights import Book, sample
from tests.intake.test_workbooks import workbook

# November 23-27, 2026 is a week with a holiday on its Thursday.
DAILY = "Positions,,balances,pos_*.csv,business_day,,1,,2026-11-23"


def test_a_week_of_a_business_day_file(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    assert nights.state("2026-11-23", {"pos_1123.csv": balances("2026-11-20")}) == ("arrived", "2026-11-23")
    assert nights.state("2026-11-24") == ("late", "2026-11-24")
    assert nights.state("2026-11-25") == ("late", "2026-11-24")
    # Thanksgiving: nothing new is due, and the grace of Tuesday is over
    assert nights.state("2026-11-26") == ("missing", "2026-11-24")
    assert nights.state("2026-11-27", {"pos_1127.csv": balances("2026-11-25")}) == ("arrived", "2026-11-27")
    assert nights.state("2026-11-29") == ("arrived", "2026-11-27")
    assert nights.state("2026-11-30") == ("late", "2026-11-30")


def test_a_holiday_and_a_weekend_owe_nothing(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    assert nights.state("2026-11-25", {"pos_1125.csv": balances("2026-11-24")}) == ("arrived", "2026-11-25")
    assert nights.state("2026-11-26") == ("arrived", "2026-11-25")


def test_old_bytes_under_a_new_name_are_stale_and_lying_there_still_is_no_delivery(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    first = {"pos_1123.csv": balances("2026-11-20")}
    assert nights.state("2026-11-23", first)[0] == "arrived"
    found = nights.night("2026-11-24", {"pos_1124.csv": balances("2026-11-20")})
    row = found["arrivals"].row(0, named=True)
    assert (row["state"], row["last_received_at"], row["last_as_of"]) == (
        "stale", date(2026, 11, 24), date(2026, 11, 20))  # fmt: skip
    assert "bytes are those of an earlier file" in row["message"]
    assert found["findings"].filter(rule="stale_or_missing_feed")["title"].to_list() == ["Old content from Positions"]
    other = Nights(tmp_path / "b").expect(DAILY)
    assert other.state("2026-11-23", first, clear=False)[0] == "arrived"
    assert other.state("2026-11-24")[0] == "late"


def test_new_bytes_of_an_old_day_are_stale(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    nights.night("2026-11-23", {"pos_1123.csv": balances("2026-11-20")})
    row = nights.night("2026-11-24", {"pos_1124.csv": balances("2026-11-20", value="101.00")})["arrivals"].row(
        0, named=True
    )
    assert row["state"] == "stale"
    assert "no newer" in row["message"]
    assert nights.state("2026-11-25", {"pos_1125.csv": balances("2026-11-24")}) == ("arrived", "2026-11-25")


def test_stale_after_days_counts_from_the_day_of_receipt(tmp_path: Path) -> None:
    for days, state in ((3, "arrived"), (2, "stale")):
        nights = Nights(tmp_path / str(days)).expect(f"Positions,,balances,,business_day,,,{days},2026-11-23")
        assert nights.state("2026-11-23", {"p.csv": balances("2026-11-20")})[0] == state


def test_a_good_file_without_rows_is_told_as_such(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    assert nights.state("2026-11-23", {"pos_1.csv": balances("2026-11-20", 0)}) == ("empty_but_valid", "2026-11-23")


def test_a_file_set_aside_whole_has_not_arrived_and_the_message_says_so(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(DAILY)
    row = nights.night("2026-11-23", {"pos_1.csv": "what,is,this\n1,2,3\n"})["arrivals"].row(0, named=True)
    assert (row["state"], str(row["expected_on"])) == ("late", "2026-11-23")
    assert "set aside whole" in row["message"]


@pytest.mark.parametrize(
    ("expected", "nights"),
    [
        pytest.param(
            "A,,balances,,weekly,friday,3,,2026-11-02",
            [("2026-11-05", "2026-11-04", ("arrived", "2026-11-06")),  # Thursday, for Friday
             ("2026-11-14", None, ("late", "2026-11-13")),
             ("2026-11-16", "2026-11-13", ("arrived", "2026-11-13")),  # Monday, in the grace of the Friday before
             ("2026-11-20", None, ("late", "2026-11-20"))],
            id="weekly, early and late",
        ),
        pytest.param(
            "A,,balances,,monthly,5,,,2026-09-01",
            [("2026-09-08", None, ("late", "2026-09-08")),  # 5th a Saturday, 7th Labor Day
             ("2026-09-09", None, ("missing", "2026-09-08")),
             ("2026-09-30", "2026-08-31", ("arrived", "2026-09-08"))],
            id="monthly, moved past a weekend and a holiday",
        ),
        pytest.param(
            "A,,balances,,yearly,05-31,10,,2027-01-01",
            [("2026-11-30", None, ("not_due", "2027-06-01")),
             ("2027-06-11", None, ("late", "2027-06-01")),
             ("2027-06-12", None, ("missing", "2027-06-01"))],
            id="yearly, not yet due, then past its grace",
        ),
        pytest.param(
            "A,,balances,,monthly,,,,",
            [("2026-11-29", None, ("missing", "2026-11-02"))],  # October 31 is a Saturday
            id="never received and no first day stated",
        ),
    ],
)  # fmt: skip
def test_frequencies(tmp_path: Path, expected: str, nights: list[tuple[str, str | None, tuple[str, str]]]) -> None:
    book = Nights(tmp_path).expect(expected)
    for as_of, content, wanted in nights:
        assert book.state(as_of, {f"{as_of}.csv": balances(content)} if content else None) == wanted, as_of


def test_custodian_profile_and_pattern_choose_the_file(tmp_path: Path) -> None:
    nights = Nights(tmp_path).expect(
        "By profile,pershing,pershing-gcus,,business_day,,,,2026-03-02",
        "By kind,pershing,balances,gcus*,business_day,,,,2026-03-02",
        "Other custodian,schwab,balances,,business_day,,,,2026-03-02",
        "Other name,,balances,HOLDINGS*,business_day,,,,2026-03-02",
    )
    arrivals = nights.night("2026-03-02", {"in/GCUS.txt": sample("pershing-gcus", "GCUS.txt")})["arrivals"]
    assert arrivals.select("source", "state").rows() == [
        ("By kind", "arrived"), ("By profile", "arrived"), ("Other custodian", "late"), ("Other name", "late"),
    ]  # fmt: skip
    assert arrivals["last_as_of"].drop_nulls().unique().to_list() == [date(2026, 2, 27)]


def test_a_quiet_day_of_transactions_is_not_stale(tmp_path: Path) -> None:
    head = "custodian,account_number,transaction_id,trade_date,transaction_type,amount\n"
    row = "testcust,1111,t{},2026-11-20,market,1.00\n"
    nights = Nights(tmp_path).expect("Activity,,transactions,,business_day,,,,2026-11-23")
    nights.night("2026-11-23", {"a.csv": head + row.format(1)})
    assert nights.state("2026-11-24", {"b.csv": head + row.format(2)})[0] == "arrived"
    older = row.format(3).replace("11-20", "11-19")
    assert nights.state("2026-11-25", {"c.csv": head + older})[0] == "stale"


@pytest.mark.parametrize(
    ("frequency", "due_by", "good"),
    [
        ("business_day", "", True), ("business_day", "friday", False), ("weekly", "Friday", True),
        ("weekly", "5", False),
        ("monthly", "31", True), ("monthly", "32", False), ("yearly", "02-29", True), ("yearly", "2", False),
        ("hourly", "", False),
    ],
)  # fmt: skip
def test_a_calendar_nobody_can_read_is_set_aside(tmp_path: Path, frequency: str, due_by: str, good: bool) -> None:
    text = f"source,kind,frequency,due_by\nA,balances,{frequency},{due_by}\n"
    night = Book(tmp_path).drop("e.csv", text).night()
    rejects = night.rejects.select("rule", "column").rows()
    wrong = ("not_in_list", "frequency") if frequency == "hourly" else ("due_by_not_understood", "due_by")
    assert rejects == ([] if good else [wrong])


@pytest.mark.parametrize(
    ("profile", "name", "as_of", "coverage"),
    [
        ("schwab-positions", "All-Accounts-Positions-2020-11-16-074214.CSV", date(2020, 11, 16), None),
        ("schwab-transactions", "Contributory_XXX101_Transactions_20260309-071502.csv", date(2026, 3, 6), None),
        ("fidelity-history", "Accounts_History.csv", date(2026, 4, 12), None),
        ("fidelity-positions", "Portfolio_Positions_Feb-27-2026.csv", date(2026, 2, 27), None),
        ("pershing-acct", "ACCT.txt", date(2026, 2, 27), "full"),
        ("pershing-gcus", "GCUS.txt", date(2026, 2, 27), "delta"),
        ("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv", date(2026, 2, 27), None),
        ("irs-pub1220", "1099r_5498_ty2025.crlf.txt", None, None),
    ],
)
def test_the_day_a_file_s_content_is_of(
    tmp_path: Path, profile: str, name: str, as_of: date | None, coverage: str | None
) -> None:
    night = Book(tmp_path).drop(name, sample(profile, name)).night("2026-12-01")
    assert night.files.select("content_as_of", "coverage").rows() == [(as_of, coverage)]


def test_a_day_after_receipt_is_not_what_the_content_is_of(tmp_path: Path) -> None:
    text = balances("2026-02-27") + "testcust,9999,2062-02-27,5\n"
    assert Book(tmp_path).drop("b.csv", text).night().files["content_as_of"].to_list() == [date(2026, 2, 27)]


def test_a_workbook_and_a_zip_arrive_under_their_own_names(tmp_path: Path) -> None:
    cells = [["custodian", "account_number", "as_of", "market_value"], ["testcust", "1111", "2026-11-20", 5]]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.csv", balances("2026-11-20"))
    nights = Nights(tmp_path).expect(
        "In Excel,,balances,values_*.xlsx,business_day,,,,2026-11-23",
        "Zipped,,balances,inner*,business_day,,,,2026-11-23",
        "Never,,balances,other*,business_day,,,,2026-11-23",
    )
    files = {"values_1123.xlsx": workbook({"balances": cells}), "night.zip": packed.getvalue()}
    arrivals = nights.night("2026-11-23", files)["arrivals"]
    assert arrivals.select("source", "state").rows() == [
        ("In Excel", "arrived"),
        ("Never", "late"),
        ("Zipped", "arrived"),
    ]
    night = Book(tmp_path / "uat").drop("values_UAT.xlsx", workbook({"balances": cells})).night()
    assert (set(night.rules()), night.table("balances").height) == ({"test_file"}, 0)
