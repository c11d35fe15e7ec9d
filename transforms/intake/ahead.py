"""Files read ahead of the night, several at a time, each by whichever process is free.

A process reads a delivered file and keeps what it came to in a cache (`cache`), where the night finds it in its turn as
it finds what an earlier night kept; so order, duplicates, containers, passwords and refusals are the night's alone.
The night doesn't wait for a file nobody has begun: it reads that one itself, from the first file on, while the
processes begin with the last. A file that isn't plain, has a problem of its own or made a process fail is left to the
night, which reads it and says what is wrong with it: nothing but yes and no comes back from a process.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from multiprocessing import current_process, get_context
from pathlib import Path

from transforms.intake import pgp
from transforms.intake.failed import is_fault_of_a_reader
from transforms.intake.plain import Opener
from transforms.intake.reading import read_file
from transforms.intake.register import Entry
from transforms.intake.store import Store
from transforms.intake.unpack import GZIP, is_zip
from transforms.intake.workbook import is_workbook
from transforms.vault import Vault

#: Bytes to be read from which starting processes (a second of work each) is worth it: three seconds of reading.
WORTH_PROCESSES = 96 * 1024**2
#: What is spent on a file whatever its size, in bytes that take as long to read.
_OF_A_FILE = 512 * 1024
#: More processes would need more memory (some hundreds of megabytes each) than a machine may have.
_MOST = 8
#: A file of more bytes that must be in memory as a whole is the night's, so that only one is there at a time.
_WHOLE = 32 * 1024**2
_PIECE = 1024**2
_THREADS = "POLARS_MAX_THREADS"


class Ahead:
    """The files some process is asked to read."""

    def __init__(self, asked: dict[Entry, Future[bool]] | None = None) -> None:
        """`asked` is told, for each file, whether a process found it to be what was delivered."""
        self._asked = asked or {}

    def check(self, opened: Opener, entry: Entry) -> None:
        """Hold an archived file against its sha256, once it has been read if some process has begun to.

        Raises `OSError` if it isn't what was delivered, and `FileNotFoundError` if it is gone.
        """
        asked = self._asked.get(entry)
        # where a process failed or was killed, nothing is known of its file and of those it and the others owe
        if asked is None or asked.cancel() or asked.exception() is not None or not asked.result():
            _check_whole(opened, entry)


def _check_whole(opened: Opener, entry: Entry) -> None:
    with opened() as source:
        digest = sha256()
        while piece := source.read(_PIECE):
            digest.update(piece)
        if digest.hexdigest() != entry.sha256:
            raise OSError(errno.EIO, "an archived file isn't what was delivered any more: take it from a backup")


@contextmanager
def reading_ahead(entries: Sequence[Entry], vault: Vault, store: Store) -> Iterator[Ahead]:
    """Have the files of a book read that aren't in the store's cache, if there is enough to read.

    Files still to be begun at the end of the block aren't read any more.
    """
    unread = [entry for entry in entries if not store.knows(entry)]
    cores = os.cpu_count() or 1
    processes = min(cores, len(unread), _MOST) - 1  # beside the night's own
    daemon = current_process().daemon  # one of those may have no processes of its own
    if processes < 1 or daemon or _work(unread, vault.out) < WORTH_PROCESSES:
        yield Ahead()
        return
    read = partial(read_one, vault=vault, store=store.for_a_process())
    # started afresh: a fork of a process in which Polars has threads can hang
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            with _polars_threads(max(1, cores // (processes + 1))):
                asked = dict(_asked(pool, read, reversed(unread)))
            yield Ahead(asked)
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _polars_threads(count: int) -> Iterator[None]:
    """Processes started in this block have so many threads of Polars, which asks for the number when it is imported."""
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = str(count)
    try:
        yield
    finally:
        os.environ.pop(_THREADS)
        if before is not None:
            os.environ[_THREADS] = before


def _asked(
    pool: ProcessPoolExecutor, read: Callable[[Entry], bool], entries: Iterable[Entry]
) -> Iterator[tuple[Entry, Future[bool]]]:
    with suppress(BrokenProcessPool, OSError):  # a machine that gives no more processes: the night reads the rest
        for entry in entries:
            yield entry, pool.submit(read, entry)


def _work(entries: Sequence[Entry], out: Path) -> int:
    paths = [out / "archive" / entry.sha256 for entry in entries]
    return sum(path.stat().st_size + _OF_A_FILE for path in paths if path.exists())


def read_one(entry: Entry, *, vault: Vault, store: Store) -> bool:
    """Read one file into the store's cache, if it can be; True if it is what was delivered.

    Raises nothing a reader or the disk says: the night comes to the same and tells it.
    """
    opened, whole = partial(vault.opened, vault.out / "archive" / entry.sha256), False
    try:
        _check_whole(opened, entry)
        whole = True
        if store.take_large(opened, entry) is None:
            _read_whole(opened, entry, store)
    except BaseException as error:
        if not is_fault_of_a_reader(error):
            raise
    store.parsed.clear()
    return whole


def _read_whole(opened: Opener, entry: Entry, store: Store) -> None:
    with opened() as source:
        data = source.read(_WHOLE + 1)
    if len(data) > _WHOLE or is_workbook(data) or is_zip(data) or data.startswith(GZIP) or pgp.is_pgp(data):
        return
    reading = read_file(data, entry)
    if reading.error is None:
        store.take(reading, lambda: reading, keep=True)
