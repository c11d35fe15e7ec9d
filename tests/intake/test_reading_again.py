"""A file read on an earlier night isn't read again, and large tables are merged on disk: both come to the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.tables import INPUT_TABLES
from tests.intake.nights import FIXES, PERSONS, TX, Book, Night
from transforms.intake import bulk, deliveries, plain

FIRST = TX + "".join(f"bench,{n % 7:03},T{n},2026-02-{1 + n % 28:02},market,{n}.00,\n" for n in range(40))
#: Rows the first file has, one of them changed, one twice, one with a new amount and then another, one that is bad.
SECOND = TX + (
    "bench,000,T7,2026-02-08,market,7.00,\nbench,001,T8,2026-02-09,market,80.00,\nbench,002,T9,2026-02-10,market,9.00,\n"
    "bench,002,T9,2026-02-10,market,9.00,\nbench,003,T10,2026-02-11,market,1.00,\nbench,003,T10,2026-02-11,market,2.00,\n"
    "bench,003,T99,2026-13-11,market,2.00,\nragged,row\n"
)


def two_nights(root: Path) -> Night:
    book = Book(root).drop("first.csv", FIRST).drop("persons.csv", PERSONS)
    book.night("2026-03-01")
    return book.drop("second.csv", SECOND).drop("corrections.csv", FIXES).night("2026-03-02")


def tables(night: Night) -> dict[str, pl.DataFrame]:
    found = {name: night.table(name) for name in (*INPUT_TABLES, "rejects", "files", "set_aside")}
    keys = {name: [*table.key, "source_file", "source_line"] for name, table in INPUT_TABLES.items() if table.key}
    return {name: frame.sort(keys[name]) if name in keys else frame for name, frame in found.items()}


def assert_same(one: Night, two: Night) -> None:
    expected = tables(two)
    for name, frame in tables(one).items():
        assert_frame_equal(frame, expected[name])
    quarantined = [{p.name: p.read_bytes() for p in (n.out / "quarantine").iterdir()} for n in (one, two)]
    assert quarantined[0] == quarantined[1]


def kept(out: Path) -> list[Path]:
    return sorted(p for p in (out / "state" / "parsed").rglob("*") if p.is_file())


@pytest.fixture(params=[0, 10**9], ids=["in blocks", "line by line"])
def as_large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LARGE", request.param)
    monkeypatch.setattr(plain, "BLOCK", 300)


@pytest.mark.usefixtures("as_large")
def test_large_tables_come_to_what_small_ones_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = two_nights(tmp_path / "small")
    rules = {"conflicting_rows", "duplicate_row", "not_a_date", "not_a_tax_id", "wrong_number_of_cells"}
    assert set(small.rules()) == rules
    monkeypatch.setattr(bulk, "IN_MEMORY", 3)
    monkeypatch.setattr(bulk, "_HASHES", 4)  # several passes
    large = two_nights(tmp_path / "large")
    assert (large.canonical / "transactions.parquet").is_dir()
    assert_same(large, small)
    corrected = large.table("transactions").filter(pl.col("transaction_id") == "T3")
    assert corrected.select("amount", "source_file").rows() == [
        (pl.Series([3.5]).cast(pl.Decimal(18, 2)).item(), "first.csv (corrected by corrections.csv:2)")
    ]


@pytest.mark.usefixtures("as_large")
def test_a_file_of_an_earlier_night_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_nights(tmp_path)
    read: list[str] = []
    read_file = deliveries.read_file

    def told(data: bytes, entry: deliveries.Entry) -> deliveries.Reading:
        read.append(entry.file_name)
        return read_file(data, entry)

    monkeypatch.setattr(deliveries, "read_file", told)
    monkeypatch.setattr(plain, "rows_of", lambda *_: read.append("blocks"))
    book = Book(tmp_path)
    (tmp_path / "again").mkdir()
    again = Book(tmp_path / "again", []).drop("first.csv", FIRST)
    assert kept(book.root / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "again" / "out")
    again.night("2026-03-01")
    assert read == []


@pytest.mark.usefixtures("as_large")
@pytest.mark.parametrize("harm", ["gone", "cut off", "changed", "not there"])
def test_what_is_kept_is_no_truth(tmp_path: Path, harm: str) -> None:
    expected = two_nights(tmp_path / "one")
    book = Book(tmp_path / "two").drop("first.csv", FIRST).drop("persons.csv", PERSONS)
    out = book.night("2026-03-01").out
    if harm == "not there":
        shutil.rmtree(out / "state" / "parsed")
    else:
        for path in kept(out):
            data = path.read_bytes()
            if harm == "gone":
                path.unlink()
            else:
                path.write_bytes(data[:-5] if harm == "cut off" else data.replace(b"bench", b"bonch") + b" ")
    assert_same(book.drop("second.csv", SECOND).drop("corrections.csv", FIXES).night("2026-03-02"), expected)


@pytest.mark.usefixtures("as_large")
def test_what_is_kept_is_private_and_holds_no_tax_id_and_no_raw_line(tmp_path: Path) -> None:
    two_nights(tmp_path)
    paths = kept(tmp_path / "out")
    assert {p.stat().st_mode & 0o777 for p in paths} == {0o600}
    assert {p.parent.stat().st_mode & 0o777 for p in paths} == {0o700}
    texts = [str(pl.read_parquet(p).to_dicts()) for p in paths if p.suffix == ".parquet"]
    texts += [p.read_text(encoding="utf-8") for p in paths if p.suffix != ".parquet"]
    assert texts
    assert not [text for text in texts if "901-14-7721" in text or "901147721" in text or "not one" in text]


def test_what_is_no_longer_of_the_book_is_not_kept(tmp_path: Path) -> None:
    two_nights(tmp_path)
    shas = {p.parent.name.partition("-")[0] for p in kept(tmp_path / "out")}
    fewer = Book(tmp_path).clear().drop("persons.csv", PERSONS)
    fewer.night("2026-03-01")
    left = {p.parent.name.partition("-")[0] for p in kept(tmp_path / "out")}
    assert len(left) == 1
    assert left < shas
