"""Deliveries out of line with those before them are told, and nothing is set aside or closed for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.deliveries import Nights, balances
from tests.intake.nights import sample

DAYS = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-23", "2026-11-24")


@pytest.mark.parametrize(
    ("before", "tonight", "told"),
    [
        ([10, 12, 14], 5, "5 that night, 12 is the median of the 3 nights before"),
        ([10, 12, 14], 6, None),
        ([10, 12, 14], 24, None),
        ([10, 12, 14], 25, "25 that night, 12 is"),
        ([10, 12], 1, None),
        ([10], 1, None),
        ([50, 10, 10, 10, 10, 10], 21, "21 that night, 10 is the median of the 5 nights"),
        ([3, 4, 3, 4], 1, "1 that night, 3.5 is"),
    ],
    ids=["under half", "half", "double", "over double", "two nights", "one night", "only five count", "half a row"],
)
def test_row_count_band(tmp_path: Path, before: list[int], tonight: int, told: str | None) -> None:
    nights = Nights(tmp_path)
    for day, rows in zip(DAYS, [*before, tonight], strict=False):
        found = nights.night(day, {f"Positions_{day.replace('-', '')}.csv": balances(day, rows)})
    file = found["files"].filter(received_at=found["files"]["received_at"].max()).row(0, named=True)
    assert (file["state"], file["accepted"]) == ("accepted", tonight)
    assert (told is None) == (file["message"] is None)
    assert told is None or told in file["message"]
    assert found["controls"].filter(control="row_count").height == int(told is not None)
    assert found["findings"].filter(rule="unusual_row_count").height == int(told is not None)


def test_files_of_other_names_are_not_compared_and_month_names_do_not_part_them(tmp_path: Path) -> None:
    nights = Nights(tmp_path)
    names = ("P_Oct-30-2026.csv", "P_Nov-02-2026.csv", "P_Nov-03-2026.csv", "Q_Nov-04-2026.csv", "P_Dec-01-2026.csv")
    for day, name, rows in zip(DAYS, names, (10, 10, 10, 1, 1), strict=False):
        found = nights.night(day, {name: balances(day, rows)})
    assert found["controls"]["file_name"].to_list() == ["P_Dec-01-2026.csv"]


def delta(text: str) -> str:
    return text.replace("REFRESHED", "UPDATED  ")


def without(text: str, account: str) -> str:
    """A Pershing file without the records of one account, its trailer counting right."""
    lines = [line for line in text.splitlines(keepends=True) if line[11:20] != account]
    lines[-1] = lines[-1].replace(f"{text.count(chr(10)) - 2:010}", f"{len(lines) - 2:010}")
    return "".join(lines)


def test_a_full_file_that_lacks_an_account_is_told_and_a_delta_closes_nothing(tmp_path: Path) -> None:
    text = sample("pershing-acct", "ACCT.txt").decode()
    accounts = sorted({line[11:20] for line in text.splitlines() if line.startswith("CIA")})
    gone = accounts[0]
    later = without(text, gone).replace("02/27/2026", "03/02/2026")
    for folder, second, told in (("full", later, [f"pershing:{gone}"]), ("delta", delta(later), [])):
        nights = Nights(tmp_path / folder)
        nights.night("2026-03-01", {"ACCT.txt": text})
        before = nights.book.nights[-1].table("accounts")
        found = nights.night("2026-03-02", {"ACCT.txt": second})
        assert found["files"]["state"].to_list() == ["accepted", "accepted"]
        assert found["files"]["coverage"].unique().sort().to_list() == sorted({"full", folder})
        assert found["controls"].filter(control="not_in_full_file")["account_key"].to_list() == told
        titles = found["findings"].filter(rule="account_not_in_full_file")["title"].to_list()
        assert titles == [f"Account pershing ...{gone[-4:]} is no longer in the custodian's full file"] * len(told)
        after = nights.book.nights[-1].table("accounts")
        kept = ["account_number", "account_type", "opened_on", "closed_on"]
        assert after.select(kept).equals(before.select(kept))


def test_a_file_made_for_another_firm_is_told(tmp_path: Path) -> None:
    text = sample("pershing-acct", "ACCT.txt").decode()
    nights = Nights(tmp_path)
    first = nights.night("2026-03-01", {"ACCT.txt": text})
    assert first["controls"].is_empty()
    assert first["files"]["made_for"].to_list() == ["ZZZ"]
    other = text.replace("TO REMOTE ZZZ", "TO REMOTE YYY").replace("02/27/2026", "03/02/2026")
    found = nights.night("2026-03-02", {"ACCT2.txt": other})
    told = found["files"].filter(file_name="ACCT2.txt").row(0, named=True)
    assert told["state"] == "accepted"
    assert "made for another recipient" in told["message"]
    assert found["findings"].filter(rule="file_for_another_recipient")["severity"].to_list() == ["high"]
    again = nights.night("2026-03-03", {"ACCT3.txt": text.replace("02/27/2026", "03/03/2026")})
    assert again["findings"].filter(rule="file_for_another_recipient").is_empty()
