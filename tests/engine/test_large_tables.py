"""Tables too large for one file, and account numbers joined without holding every one against every other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.tables import RESULT_TABLES
from tests.book import Book
from transforms.engine import compute

AS_OF = date(2026, 12, 1)


def results(canonical: Path, run: Path) -> dict[str, bytes]:
    compute(canonical, run, as_of=AS_OF, tax_years=[2026], previous=None)
    return {name: (run / "results" / f"{name}.parquet").read_bytes() for name in RESULT_TABLES}


def test_a_table_may_be_a_folder_of_files(tmp_path: Path) -> None:
    book = Book().person().ira("T", 90_000).ira("R", 10_000, kind="roth_ira")
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=3_000)
    book.event("T", "2026-03-01", "contribution", 7_500).event("T", "2026-03-02", "market", 12).convert(
        "2026-04-01", 7_500
    )
    one = results(book.write(tmp_path / "one"), tmp_path / "run-one")
    folder = book.write(tmp_path / "many")
    for name in ("transactions", "balances"):
        path = folder / f"{name}.parquet"
        rows = pl.read_parquet(path)
        path.unlink()
        path.mkdir()
        rows[:1].write_parquet(path / "000000.parquet")
        rows[1:].write_parquet(path / "000001.parquet")
    assert results(folder, tmp_path / "run-many") == one
    (form,) = pl.read_parquet(tmp_path / "run-many/results/form_8606.parquet").to_dicts()
    assert (form["line_8"], form["line_2"]) == (7_500, 3_000)


@pytest.mark.parametrize(
    ("masked", "key"),
    [
        ("***4567", "testcust:00014567"),  # fits one
        ("*567", None),  # fits two
        ("*99914567", None),  # a longer ending than any number has
        ("*00014567", "testcust:00014567"),  # the whole number
        ("00024567", "testcust:00024567"),
    ],
)  # fmt: skip
def test_a_mask_is_the_one_account_its_ending_fits(tmp_path: Path, masked: str, key: str | None) -> None:
    book = Book().person().ira("00014567", None).ira("00024567", None).ira("00031567", None)
    if masked == "***4567":
        book.rows["accounts"] = [row for row in book.rows["accounts"] if row["account_number"] != "00024567"]
    book.add("balances", account_number=masked, as_of="2026-11-30", market_value=50_000)
    found = book.compute(run=tmp_path)["ira_aggregation"].filter(pl.col("market_value") == 50_000)
    assert found["account_key"].to_list() == ([key] if key else [])
