"""Cells that are well written and can't be true: set aside by rule, with a way to put them right, and never quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.nights import Book, Night, sample

PERSONS = "person_id,advisor_id,given_name,family_name,birth_date,spouse_person_id\n"


def drop(tmp_path: Path, text: str) -> Night:
    return Book(tmp_path).drop("house.csv", text).night()


def told(night: Night) -> list[tuple[str, str, int]]:
    return night.rejects.select("column", "rule", "line_number").rows()


def test_a_birth_date_after_the_day_the_file_came(tmp_path: Path) -> None:
    """The file is of March 1, 2026: born that day is possible, the day after isn't."""
    night = drop(tmp_path, PERSONS + "P1,A1,Ana,Neil,2026-03-01,\nP2,A1,Bo,Neil,2026-03-02,\nP3,A1,Cy,Neil,,\n")
    assert night.table("persons")["person_id"].to_list() == ["P1", "P3"]
    assert told(night) == [("birth_date", "birth_date_in_future", 3)]


def test_nobody_is_married_to_themselves(tmp_path: Path) -> None:
    night = drop(tmp_path, PERSONS + "P1,A1,Ana,Neil,,P1\nP2,A1,Bo,Neil,,P3\nP3,A1,Cy,Neil,,P2\n")
    assert night.table("persons")["person_id"].to_list() == ["P2", "P3"]
    assert told(night) == [("spouse_person_id", "own_spouse", 2)]


def test_two_impossible_cells_of_one_row_are_two_rejects(tmp_path: Path) -> None:
    night = drop(tmp_path, PERSONS + "P1,A1,Ana,Neil,2030-01-01,P1\n")
    assert told(night) == [("birth_date", "birth_date_in_future", 2), ("spouse_person_id", "own_spouse", 2)]
    assert night.files["rejected"].to_list() == [1]


def test_a_marginal_rate_above_100_percent(tmp_path: Path) -> None:
    rows = "P1,2026,single,100\nP2,2026,single,100.01\nP3,2026,single,0.35\nP4,2026,single,\n"
    night = drop(tmp_path, "person_id,tax_year,filing_status,marginal_tax_rate\n" + rows)
    assert night.table("tax_profiles")["person_id"].to_list() == ["P1", "P3", "P4"]
    assert told(night) == [("marginal_tax_rate", "rate_above_100", 3)]


@pytest.mark.parametrize("number", ["2.11E+08", "2.11e+08", "9E+15"])
def test_an_account_number_a_spreadsheet_has_cut(tmp_path: Path, number: str) -> None:
    night = drop(tmp_path, f"custodian,account_number,as_of,market_value\nschwab,{number},2026-02-27,5\n")
    assert night.table("balances").is_empty()
    assert told(night) == [("account_number", "spreadsheet_number", 2)]
    said = night.rejects["message"].item()
    assert "format the column as text" in said
    assert number.upper() not in said.upper()


@pytest.mark.parametrize("number", ["211000101", "2E08", "E1234567", "Z2E+08X"])
def test_account_numbers_that_only_look_alike(tmp_path: Path, number: str) -> None:
    night = drop(tmp_path, f"custodian,account_number,as_of,market_value\nschwab,{number},2026-02-27,5\n")
    assert night.table("balances").height == 1
    assert night.rejects.is_empty()


def test_the_other_account_of_a_transaction_is_looked_at_too(tmp_path: Path) -> None:
    header = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,counter_account_number\n"
    night = drop(tmp_path, header + "schwab,1,t1,2026-02-02,rollover_out,5,2.11E+08\n")
    assert told(night) == [("counter_account_number", "spreadsheet_number", 2)]


def test_a_custodian_file_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    """The numbers of one account of a real layout are cut: its rows are set aside, the other accounts' are read."""
    text = sample("fidelity-history", "Accounts_History.csv").decode().replace('"211000101"', "2.11E+08")
    night = Book(tmp_path).drop("Accounts_History.csv", text).night("2026-05-01")
    whole = (
        Book(tmp_path / "whole").drop("A.csv", sample("fidelity-history", "Accounts_History.csv")).night("2026-05-01")
    )
    for table in ("accounts", "transactions"):
        others = [n for n in whole.table(table)["account_number"].to_list() if n != "211000101"]
        assert night.table(table)["account_number"].to_list() == others
    assert set(night.rules()) == {"spreadsheet_number"}
