"""Columns with few values are asked value by value; the one cell among thousands that is another is still seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.few import values, with_few_values
from schemas.tables import INPUT_TABLES
from tests.intake.nights import Book, Night
from transforms.intake import plain
from transforms.intake.merging import merge

TX = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,description\n"
ROWS = 2_600
#: Cells no sample of the rows has: place, column and text, and the rule it breaks, if it breaks one.
ODD = {
    "padded": (701, 3, " 2026-02-03\t", None), "blank": (702, 7, "  ", None), "upper": (703, 0, "BENCH", None),
    "no day": (704, 3, "2026-02-30", "not_a_date"), "no type": (705, 4, "markets", "not_in_list"),
    "missing": (706, 3, "", "required"), "unseen": (707, 7, "a\u200bfee", "unseen_character"),
    "beyond": (708, 7, "\u00a0fee\u3000", None), "no year": (709, 6, "20266", "not_a_year"),
    "mask": (710, 1, "XXX-710", None), "spreadsheet": (711, 1, "2.11E+08", "spreadsheet_number"),
}  # fmt: skip


def lines() -> Iterator[str]:
    odd = {place: (column, text) for place, column, text, _ in ODD.values()}
    for n in range(ROWS):
        cells = ["bench", f"{n % 97:03}", f"T{n}", f"2026-02-{1 + n % 28:02}", "market", f"{n}.00", "2026", "fee"]
        if n in odd:
            cells[odd[n][0]] = odd[n][1]
        yield ",".join(cells) + "\n"


def night(folder: Path) -> Night:
    return Book(folder).drop("transactions.csv", TX + "".join(lines())).night("2026-03-01")


def test_a_cell_no_sample_has_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = night(tmp_path / "in blocks")
    expected = sorted((place + 2, rule) for place, _, _, rule in ODD.values() if rule)
    assert judged.rejects.select("line_number", "rule").sort("line_number").rows() == expected
    rows = judged.table("transactions").rows_by_key("transaction_id", named=True, unique=True)
    assert len(rows) == ROWS - len(expected)
    assert rows["T701"]["trade_date"] == date(2026, 2, 3)
    assert (rows["T702"]["description"], rows["T708"]["description"]) == (None, "fee")
    assert (rows["T703"]["custodian"], rows["T710"]["account_number"]) == ("bench", "*710")
    monkeypatch.setattr(plain, "LARGE", 10**9)
    by_line = night(tmp_path / "line by line")
    for name in ("transactions", "rejects", "files"):
        assert_frame_equal(judged.table(name), by_line.table(name))


def test_few_values_are_told_by_a_sample() -> None:
    frame = pl.DataFrame({"few": [str(n % 7) for n in range(5_000)], "many": [str(n) for n in range(5_000)]})
    assert with_few_values(frame, frame.columns) == {"few"}
    assert with_few_values(frame.head(100), frame.columns) == set()
    assert frame.select(values("few", {"few"}).sort()).to_series().to_list() == [str(n) for n in range(7)]
    assert frame.select(values("many", {"few"})).height == 5_000


def account(file: str, opened_on: date, **cells: object) -> dict[str, object]:
    told = {"custodian": "fidelity", "account_number": "1", "account_type": "roth_ira", "opened_on": opened_on}
    source = {"source_file": file, "source_sha256": file, "source_line": 3, "profile": "fidelity-history",
              "received_at": date(2026, 3, 1)}  # fmt: skip
    return {**told, **source, **cells}


def test_an_account_every_file_names_is_the_first_ones() -> None:
    day, other = date(2018, 1, 2), date(2019, 1, 2)
    same = [account(file, day) for file in ("c.csv", "a.csv", "b.csv")]
    differing = [account(file, d, account_number="2") for file, d in (("c.csv", day), ("a.csv", day), ("b.csv", other))]
    house = [account("house.csv", other, profile="house-accounts", source_line=n, account_number="1") for n in (2, 3)]
    rows = pl.DataFrame([*same, *differing, *house], schema=INPUT_TABLES["accounts"].schema)
    once, aside = merge("accounts", rows)
    assert once.select("account_number", "source_file", "source_line").sort("source_file").rows() == [
        ("1", "a.csv", 3), ("1", "house.csv", 2),
    ]  # fmt: skip
    said = pl.concat(aside).select("rule", "file", "line_number").sort("rule", "file").rows()
    conflicts = [("conflicting_rows", file, 3) for file in ("a.csv", "b.csv", "c.csv")]
    assert said == [*conflicts, ("duplicate_row", "house.csv", 3)]


def test_rows_of_two_nights_keep_their_night() -> None:
    nights = [date(2026, 3, 1), date(2026, 3, 2)]
    rows = [account(f"{n}.csv", date(2018, 1, 2), received_at=night) for night in nights for n in (1, 2)]
    once, aside = merge("accounts", pl.DataFrame(rows, schema=INPUT_TABLES["accounts"].schema))
    assert once.select("received_at", "source_file").rows() == [(nights[1], "1.csv")]
    assert not any(frame.height for frame in aside)
