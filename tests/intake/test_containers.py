"""Zip, gzip, workbook and PGP deliveries: the same book however it was packed, and nothing that breaks a night."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import gnupg
import openpyxl
import polars as pl
import pytest

from schemas.tables import INPUT_TABLES, PROVENANCE
from tests.intake.nights import KEY, Book, Night, sample
from tests.key_rings import end_agent, key_ring
from transforms.intake import Keyring, check_file, deliver, read_book, unpack
from transforms.intake.pgp import PASSPHRASE, is_pgp

BASIS = "person_id,tax_year,basis\nP1,2024,6000.00\n"
HOUSE = {
    "persons.csv": (
        "person_id,advisor_id,given_name,family_name,birth_date,tax_id\n"
        'P1,A1,Ana,"Berg, Jr",1970-02-28,901-14-7721\nP2,A1,Bo,Cole,,\n'
    ),
    "basis.csv": BASIS,
    "facts.csv": (
        "person_id,tax_year,filing_status,roth_magi,marginal_tax_rate,active_participant\n"
        "P1,2025,single,98000.80,24,true\nP2,2025,hoh,,12.5,\n"
    ),
    "accounts.csv": "custodian,account_number,account_type,person_id\nschwab,0011-2222,traditional_ira,P1\n",
    "moves.csv": (
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year\n"
        "schwab,0011-2222,t1,2026-04-15,contribution,7500.00,2025\n"
        "schwab,0011-2222,t2,2026-04-16,roth_conversion_out,98.80,\n"
    ),
}
NUMBERS = {"tax_year", "basis", "roth_magi", "marginal_tax_rate", "amount"}
SECRET = "only for tests"


def zipped(files: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def as_workbook() -> bytes:
    """The house files as the sheets of one workbook, with real dates, numbers and ticks."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in HOUSE.items():
        sheet = book.create_sheet(name.removesuffix(".csv"))
        header, *rows = csv.reader(io.StringIO(text))
        sheet.append(header)
        for row in rows:
            sheet.append([as_cell(column, cell) for column, cell in zip(header, row, strict=True)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_cell(column: str, cell: str) -> object:
    if not cell:
        return None
    if column in ("birth_date", "trade_date"):
        return date.fromisoformat(cell)
    if column in NUMBERS:
        return float(cell)
    return True if cell == "true" else cell


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A throwaway key ring with one secret key, protected by a passphrase."""
    with key_ring(tmp_path_factory.mktemp("g") / "firm", SECRET) as home:
        yield home


def encrypted(home: Path, data: bytes, *, armor: bool = False) -> bytes:
    found = gnupg.GPG(gnupghome=str(home)).encrypt(data, "firm@example.test", always_trust=True, armor=armor)
    assert found.ok
    return bytes(found.data)


def night_of(book: Book, home: Path | None = None, as_of: str = "2026-03-01") -> Night:
    """A night with a key ring."""
    number, out = len(book.nights), book.root / "out"
    previous = book.root / f"register-{number - 1}.json" if number else None
    register = deliver(book.root / "inbox", out, previous, date.fromisoformat(as_of), settle_seconds=0)
    counts = read_book(register, out, book.root / f"canonical-{number}", KEY, Keyring(home))
    counts.register.write(book.root / f"register-{number}.json")
    book.nights.append(Night(register, counts, book.root / f"canonical-{number}", out))
    return book.nights[-1]


def tables(night: Night) -> dict[str, list[dict[str, object]]]:
    """The canonical tables without what only says where a row came from."""
    where = [c.name for c in PROVENANCE]
    return {name: night.table(name).drop(where).sort(pl.all()).to_dicts() for name in INPUT_TABLES}


def delivered(how: str, home: Path) -> dict[str, bytes]:
    """The house files, packed in one of the ways they may come."""
    every = {name: text.encode() for name, text in HOUSE.items()}
    if how == "workbook":
        return {"book.xlsx": as_workbook()}
    if how == "zip":
        return {"book.zip": zipped(dict(HOUSE))}
    if how == "gzip":
        return {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in every.items()}
    if how == "pgp":
        return {f"{n}.pgp": encrypted(home, d, armor=n < "c") for n, d in every.items()}
    if how == "all at once":
        return {"a.zip.gpg": encrypted(home, zipped({"x/book.xlsx": as_workbook()}))}
    return {"outer.zip": zipped({"inner.zip": zipped(dict(HOUSE)), "readme/": "", "__MACOSX/x": "y", "late.part": "z"})}


@pytest.mark.parametrize("how", ["workbook", "zip", "gzip", "pgp", "all at once", "zip in zip"])
def test_the_same_book_however_it_is_packed(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv(PASSPHRASE, SECRET)
    plain, packed = Book(tmp_path / "plain"), Book(tmp_path / "packed")
    for name, text in HOUSE.items():
        plain.drop(name, text)
    for name, data in delivered(how, keyring).items():
        packed.drop(name, data)
    one, two = plain.night(), night_of(packed, keyring)
    assert tables(one) == tables(two)
    assert two.table("transactions").height == 2
    assert two.rejects.is_empty()
    assert set(two.files["state"]) == {"accepted"}
    assert two.files["rows"].sum() == one.files["rows"].sum()
    archived = {path.name for path in (packed.root / "out" / "archive").iterdir()}
    assert archived == {entry.sha256 for entry in two.register.entries}


@pytest.mark.parametrize("how", ["pgp", "all at once"])
def test_decrypted_content_is_nowhere_on_disk(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv(PASSPHRASE, SECRET)
    book = Book(tmp_path)
    for name, data in delivered(how, keyring).items():
        book.drop(name, data)
    night_of(book, keyring)
    raw = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and "canonical" not in p.parts[-2]]
    assert raw
    assert not any(b"901-14-7721" in data or b"0011-2222" in data for data in raw)


def test_members_have_names_hashes_and_rows_of_their_own(tmp_path: Path) -> None:
    files = {"sub/basis.csv": BASIS, "late.part": "x", ".hidden": "x", "folder/": "", "also/.x": "y"}
    night = Book(tmp_path).drop("d.zip", zipped(files)).night()
    rows = night.files.select("file_name", "profile", "layout", "state", "rows", "message").rows()
    assert rows == [
        (
            "d.zip",
            "container",
            "zip archive, 1 file",
            "accepted",
            0,
            "left out: 1 folder, 2 hidden files, 1 unfinished file",
        ),
        ("d.zip/sub/basis.csv", "house-ira_basis", "house", "accepted", 1, None),
    ]
    assert night.table("ira_basis").select("source_file", "source_line").rows() == [("d.zip/sub/basis.csv", 2)]
    assert set(night.table("ira_basis")["source_sha256"]) == set(night.files["sha256"][1:])


def test_bytes_that_are_there_already_are_not_read_twice(tmp_path: Path) -> None:
    name = "Accounts_History.csv"
    history = sample("fidelity-history", name)
    book = Book(tmp_path).drop(name, history).drop("b.zip", zipped({name: history, "basis.csv": BASIS}))
    night = book.drop("c.csv.gz", gzip.compress(history)).night()
    assert night.files.select("file_name", "state").rows() == [
        (name, "accepted"), ("b.zip", "accepted"), (f"b.zip/{name}", "duplicate"), ("b.zip/basis.csv", "accepted"),
        ("c.csv.gz", "accepted"), ("c.csv.gz/c.csv", "duplicate"),
    ]  # fmt: skip
    alone = Book(tmp_path / "alone").drop(name, history).night()
    assert night.table("transactions").equals(alone.table("transactions"))
    assert night.files["message"][2] == f"these bytes are in the book already, as {name}"


def test_a_plain_file_after_its_archive_is_the_duplicate(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("b.zip", zipped({"basis.csv": BASIS}))
    book.night()
    night = book.drop("a.csv", BASIS).night("2026-03-02")
    states = dict(night.files.filter(pl.col("file_name") != "b.zip").select("file_name", "state").rows())
    assert states == {"b.zip/basis.csv": "accepted", "a.csv": "duplicate"}
    assert night.table("ira_basis")["received_at"].to_list() == [date(2026, 3, 1)]


def test_a_member_keeps_the_account_its_name_says(tmp_path: Path) -> None:
    name = "Contributory_XXX101_Transactions_20260309-071502.csv"
    night = Book(tmp_path).drop("s.zip", zipped({f"x/{name}": sample("schwab-transactions", name)})).night()
    assert set(night.table("transactions")["account_number"]) == {"*101"}


def test_one_bad_member_sets_no_other_aside_and_is_told_while_it_is_delivered(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("d.zip", zipped({"basis.csv": BASIS, "odd.csv": "a,b\n1,2\n"}))
    night = book.night()
    assert night.rejects.select("file", "rule").rows() == [("d.zip/odd.csv", "kind_not_known")]
    assert book.night("2026-03-02").rules() == ["kind_not_known"]
    later = book.clear().night("2026-03-03")
    assert later.rejects.is_empty()
    assert later.table("ira_basis").height == 1


def with_encrypted_flag(data: bytes) -> bytes:
    """The zip file with its first member marked as encrypted, in both of its headers."""
    changed = bytearray(data)
    changed[6] |= 1
    changed[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


BAD = {
    "parent": ("d.zip", zipped({"../../basis.csv": BASIS}), "unsafe_name"),
    "absolute": ("d.zip", zipped({"/etc/basis.csv": BASIS}), "unsafe_name"),
    "line break": ("d.zip", zipped({"basis\x1b.csv": BASIS}), "unsafe_name"),
    "drive": ("d.zip", zipped({"C:\\basis.csv": BASIS}), "unsafe_name"),
    "zip password": ("d.zip", with_encrypted_flag(zipped({"basis.csv": BASIS})), "zip_encrypted"),
    "cut zip": ("d.zip", zipped({"basis.csv": BASIS})[:-30], "archive_damaged"),
    "broken member": (
        "d.zip",
        zipped({"basis.csv": BASIS * 9}).replace(b"basis.csv", b"basis.csw", 1),
        "archive_damaged",
    ),
    "empty": ("d.zip", zipped({}), "empty_archive"),
    "only folders": ("d.zip", zipped({"a/": ""}), "empty_archive"),
    "cut gzip": ("d.csv.gz", gzip.compress(BASIS.encode() * 50)[:-6], "archive_damaged"),
    "no gzip": ("d.csv.gz", b"\x1f\x8bnothing of the kind", "archive_damaged"),
    "too deep": ("d.zip", zipped({"e.zip": zipped({"f.csv.gz": gzip.compress(b"x")})}), "nested_too_deep"),
    "tar": ("d.tgz", gzip.compress(b"a" * 257 + b"ustar" + bytes(400)), "not_text"),
    "word": ("d.docx", zipped({"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"}), "not_text"),
}


@pytest.mark.parametrize("case", BAD)
def test_archives_that_can_not_be_read(tmp_path: Path, case: str) -> None:
    name, data, rule = BAD[case]
    night = Book(tmp_path).drop(name, data).night()
    assert night.rules() == [rule]
    assert sum(night.counts.tables.values()) == 0
    assert "rejected" in night.files["state"].to_list()
    assert night.counts.register.entries == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["canonical-0", "inbox", "out", "register-0.json"]


def lying(data: bytes, size: int) -> bytes:
    """The zip file with the size of its first member understated in both of its headers."""
    changed, central = bytearray(data), data.index(b"PK\x01\x02")
    changed[22:26] = changed[central + 24 : central + 28] = size.to_bytes(4, "little")
    return bytes(changed)


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: zipped({"x.csv": b"0" * 40_000_000}),
    "nested zip": lambda: zipped({"y.zip": zipped({"x.csv": b"0" * 40_000_000})}),
    "many": lambda: zipped({f"{n}.csv": str(n).encode() + b"0" * 4_000_000 for n in range(8)}),
    "gzip": lambda: gzip.compress(b"0" * 40_000_000),
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_bomb_is_defused(tmp_path: Path, case: str) -> None:
    night = Book(tmp_path).drop("bomb", BOMBS[case]()).night()
    assert night.rules() == ["archive_too_large"]
    assert night.counts.register.entries == ()


def test_a_bomb_that_understates_its_size_is_damaged(tmp_path: Path) -> None:
    night = Book(tmp_path).drop("bomb.zip", lying(zipped({"x.csv": b"0" * 1_000_000}), 10)).night()
    assert night.rules() == ["archive_damaged"]


def test_limits_are_what_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (unpack.MAX_BYTES, unpack.MAX_RATIO, unpack.MAX_DEPTH) == (2 * 1024**3, 200, 2)
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 2)
    files = {f"{n}.csv": BASIS.replace("P1", f"P{n}") for n in range(3)}
    assert Book(tmp_path).drop("d.zip", zipped(files)).night().rules() == ["archive_too_large"]


def test_without_a_key_the_message_says_what_to_configure(tmp_path: Path, keyring: Path) -> None:
    book = Book(tmp_path).drop("basis.csv.pgp", encrypted(keyring, BASIS.encode()))
    night = book.night()
    assert night.rules() == ["pgp_not_configured"]
    assert "pgp_home" in night.rejects["message"][0]
    assert PASSPHRASE in night.rejects["message"][0]
    assert night.counts.register.entries == ()


def test_a_wrong_passphrase_or_key_is_told_and_mended(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir(mode=0o700)
    message = zipped({"basis.csv": BASIS, "b.pgp": encrypted(keyring, BASIS.replace("P1", "P2").encode())})
    book = Book(tmp_path / "book").drop("d.zip", message)
    monkeypatch.setenv(PASSPHRASE, SECRET)
    assert night_of(book, stranger).rules() == ["pgp_not_decrypted"]
    assert book.nights[-1].table("ira_basis").is_empty()
    night = night_of(book, keyring, "2026-03-02")
    assert night.rejects.is_empty()
    assert night.table("ira_basis")["person_id"].to_list() == ["P1", "P2"]
    end_agent(stranger)


def test_a_book_is_not_computed_without_an_encrypted_part_of_it(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(tmp_path).drop("basis.csv.pgp", encrypted(keyring, BASIS.encode()))
    monkeypatch.setenv(PASSPHRASE, SECRET)
    night_of(book, keyring)
    with pytest.raises(PermissionError, match="can't be decrypted any more"):
        night_of(book.clear(), None, "2026-03-02")


def test_a_damaged_pgp_message_is_set_aside(tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, SECRET)
    data = encrypted(keyring, BASIS.encode())
    assert is_pgp(data)
    assert is_pgp(encrypted(keyring, b"x", armor=True))
    assert not is_pgp(BASIS.encode())
    assert night_of(Book(tmp_path).drop("b.pgp", data[:-20]), keyring).rules() == ["pgp_not_decrypted"]


def test_check_says_what_is_inside_and_writes_nothing(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE, SECRET)
    path = tmp_path / "d.zip.pgp"
    path.write_bytes(encrypted(keyring, zipped({"basis.csv": BASIS, "again.csv": BASIS, "odd.csv": "a,b\n"})))
    found = check_file(path, KEY, Keyring(keyring))
    assert not found.ok
    assert found.members[-1].reading.error is not None
    assert found.lines() == [
        "d.zip.pgp: PGP message, 1 file",
        "  note: not signed",
        "d.zip.pgp/d.zip: zip archive, 3 files",
        "d.zip.pgp/d.zip/basis.csv: house-ira_basis (house)",
        "  lines: 2 total, 1 header, 1 data",
        "  rows: 1 read, 1 accepted, 0 set aside; gives 1 ira_basis",
        "d.zip.pgp/d.zip/again.csv: the same bytes as before",
        "  these bytes are in the book already, as d.zip.pgp/d.zip/basis.csv",
        "d.zip.pgp/d.zip/odd.csv: set aside",
        f"  kind_not_known: {found.members[-1].reading.error.message}",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["d.zip.pgp"]
    without = check_file(path, KEY)
    assert without.lines()[0] == "d.zip.pgp: set aside (container)"
