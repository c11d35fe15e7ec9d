"""Files read ahead by other processes: the night comes to the same, to the byte, whatever becomes of a process."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from tests.intake.nights import FIXES, KEY, PERSONS, TX, Book, sample
from transforms.intake import ahead, deliveries, plain, read_book
from transforms.intake.ahead import Ahead, read_one
from transforms.intake.cache import Cache
from transforms.intake.register import Entry
from transforms.intake.store import Store
from transforms.vault import Vault

LARGE = TX + "".join(f"bench,{n % 7:03},T{n},2026-02-{1 + n % 28:02},market,{n}.00,\n" for n in range(900))
MESSY = TX + (
    "bench,000,T7,2026-02-08,market,7.00,\nbench,001,T8,2026-02-09,market,80.00,\n"
    "bench,003,T10,2026-02-11,market,1.00,\nbench,003,T10,2026-02-11,market,2.00,\n"
    "bench,003,T99,2026-13-11,market,2.00,\nragged,row\n"
)


def killed(entry: Entry, *, vault: Vault, store: Store) -> bool:
    """A process that is killed at its third file."""
    if entry.file_name == "messy.csv":
        os.kill(os.getpid(), signal.SIGKILL)
    return read_one(entry, vault=vault, store=store)


def counted(entry: Entry, *, vault: Vault, store: Store) -> bool:
    """A process that tells how many threads Polars has in it."""
    (vault.out / f"{entry.file_name} {pl.thread_pool_size()}").touch()
    return read_one(entry, vault=vault, store=store)


def zipped(members: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


def read(root: Path, nights: int = 2) -> Book:
    """A book with one of everything: large, messy, refused, packed, and the same bytes twice, on their own and not."""
    book = Book(root).drop("large.csv", LARGE).drop("messy.csv", MESSY).drop("persons.csv", PERSONS)
    book.drop("history.csv", sample("fidelity-history", "Accounts_History.csv"))
    book.drop("nothing known.csv", "a,b\n1,2\n").drop("broken.xlsx", b"PK\3\4")
    book.night("2026-03-01")
    if nights == 1:
        return book
    book.drop("a.zip", zipped({"messy again.csv": MESSY, "inside.csv": MESSY.replace("T8", "T8b")}))
    book.drop("z.csv", MESSY.replace("T8", "T8b")).drop("again.csv", LARGE)
    book.drop("a.csv.gz", gzip.compress(MESSY.replace("T8", "T8c").encode(), mtime=0)).drop("corrections.csv", FIXES)
    book.night("2026-03-02")
    return book


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_same(one: Book, two: Book) -> None:
    for a, b in zip(one.nights, two.nights, strict=False):
        assert files(a.canonical) == files(b.canonical)
        assert (a.counts, a.register) == (b.counts, b.register)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """The book read by one process."""
    return read(tmp_path_factory.mktemp("alone"))


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to read, two processes read it beside the night, which leaves all it can to them."""
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(Future, "cancel", lambda _: False)
    monkeypatch.setattr(ahead, "WORTH_PROCESSES", 0)


@pytest.mark.usefixtures("several")
def test_several_processes_come_to_what_one_does(alone: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"conflicting_rows", "not_a_date", "not_a_tax_id", "wrong_number_of_cells"}
    assert rules <= set(alone.nights[-1].rules())
    assert len(LARGE) > plain.LARGE
    here = list[str]()
    read_file = deliveries.read_file

    def told(data: bytes, entry: Entry) -> deliveries.Reading:
        here.append(entry.file_name)
        return read_file(data, entry)

    monkeypatch.setattr(deliveries, "read_file", told)
    monkeypatch.setattr(ahead, "read_one", counted)
    monkeypatch.setattr(plain, "rows_of", lambda *_: pytest.fail("a large file was read again"))
    book = read(tmp_path)
    assert_same(book, alone)
    assert files(book.root / "out" / "quarantine") == files(alone.root / "out" / "quarantine")
    assert "history.csv" not in here
    assert (book.root / "out" / "history.csv 1").exists()
    assert "nothing known.csv" in here


def test_the_night_reads_what_none_has_begun(alone: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(ahead, "WORTH_PROCESSES", 0)
    asked = list[str]()

    def nobody(_pool: object, _read: object, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Future[bool]]]:
        for entry in entries:
            asked.append(entry.file_name)
            yield entry, Future()

    monkeypatch.setattr(ahead, "_asked", nobody)
    assert_same(read(tmp_path, nights=1), alone)
    assert asked == [entry.file_name for entry in reversed(alone.nights[0].register.entries)]


@pytest.mark.usefixtures("several")
def test_a_process_that_is_killed_changes_nothing(alone: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "read_one", killed)
    assert_same(read(tmp_path, nights=1), alone)


def test_what_a_process_failed_with_is_not_told(tmp_path: Path) -> None:
    path = tmp_path / "persons.csv"
    path.write_text(PERSONS, encoding="utf-8")
    entry = Entry(date(2026, 3, 1), path.name, sha256(PERSONS.encode()).hexdigest())
    failed: Future[bool] = Future()
    failed.set_exception(ValueError("901-14-7721"))
    asked = Ahead({entry: failed})
    opened = partial(Vault(tmp_path, None).opened, path)
    asked.check(opened, entry)
    path.write_text(PERSONS.replace("Ana", "Ann"), encoding="utf-8")
    with pytest.raises(OSError, match="isn't what was delivered") as raised:
        asked.check(opened, entry)
    assert raised.value.__context__ is None


@pytest.mark.usefixtures("several")
def test_a_night_that_keeps_nothing_reads_in_processes_too(alone: Book, tmp_path: Path) -> None:
    last, place = alone.nights[-1], tmp_path / "look back"
    shutil.copytree(last.out / "archive", tmp_path / "out" / "archive")
    read_book(last.register, tmp_path / "out", place, KEY, quarantine=False)
    assert files(place) == files(last.canonical)
    assert not list((tmp_path / "out" / "state" / "parsed").iterdir())


def test_a_file_that_is_not_what_was_delivered_is_not_kept(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    entry = Entry(date(2026, 3, 1), "persons.csv", sha256(PERSONS.encode()).hexdigest())
    store = Store(tmp_path, KEY, Cache(tmp_path, KEY))
    assert not read_one(entry, vault=Vault(tmp_path, None), store=store)
    (archive / entry.sha256).write_text(PERSONS.replace("Ana", "Ann"), encoding="utf-8")
    assert not read_one(entry, vault=Vault(tmp_path, None), store=store)
    assert not store.knows(entry)
    (archive / entry.sha256).write_text(PERSONS, encoding="utf-8")
    assert read_one(entry, vault=Vault(tmp_path, None), store=store)
    assert store.knows(entry)
