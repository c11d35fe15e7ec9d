"""Files of a book at rest: as they are, or sealed with AES-256-GCM where the firm has given an at-rest key.

A sealed file is a magic line, a random salt, then chunks of 1 MiB each with its tag. Its key is derived (HKDF-SHA256)
from the book's, the salt and the file's name within the book, so that no sealed file can stand in for another; a
chunk's nonce is its number and whether it is the last, so that none can be left out, added or moved.

DuckDB and Parquet have an encryption of their own, but DuckDB writes it only with an extension that must be fetched
from the network; so the warehouse is sealed like every other file.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from transforms.folders import below, listed, matching
from transforms.keys import KeyTrouble, at_rest_key
from transforms.private import sweep_below, write_private

MAGIC = b"rothbook sealed 1\n"
SEALED = ".sealed"
_SALT, _TAG, _CHUNK = 16, 16, 1024**2
#: What of a run isn't sealed: counts without client data, and workbooks, which have passwords of their own.
OPEN_IN_A_RUN = ("run.json", "workbooks")
#: Where a sealed run is opened, so that it never reaches a disk; the system's folder for temporary files otherwise.
MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it  # nosec B108


class _AnotherFileError(Exception):
    """The file isn't the one that was meant."""


def _pieces(source: Path, sha256: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != sha256:
        raise _AnotherFileError


@dataclass(frozen=True)
class Vault:
    """The files of the book in `out`, read and written through its at-rest key (None: as they are)."""

    out: Path
    key: bytes | None = field(repr=False)

    @classmethod
    def of(cls, out: Path) -> Vault:
        """The vault of a book as it is protected now; raises `KeyTrouble` if its key can't be had."""
        return cls(out, at_rest_key(out))

    def write(self, path: Path, data: bytes, mode: int) -> None:
        """Write a whole file of the book or none, with permission bits `mode`."""
        write_private(path, data if self.key is None else seal(data, self.key, self._name(path)), mode)

    def read(self, path: Path) -> bytes:
        """What `write` wrote; raises `KeyTrouble` if it isn't sealed as the book is, or was tampered with."""
        data, name = path.read_bytes(), self._name(path)
        if self.key is not None:
            return unseal(data, self.key, name)
        if data.startswith(MAGIC):
            raise KeyTrouble(f"{name} is sealed, the book isn't: say 'rothbook protect' again with its at-rest key")
        return data

    @contextmanager
    def opened(self, path: Path) -> Iterator[BinaryIO]:
        """What `write` wrote, to be read piece by piece; of a sealed book it is held in memory."""
        with path.open("rb") as file:
            plain = self.key is None and file.read(len(MAGIC)) != MAGIC
            if plain:
                file.seek(0)
                yield file
        if not plain:
            yield BytesIO(self.read(path))

    def copy(self, source: Path, target: Path, mode: int) -> bool:
        """Put a file where `target` is, which is named for its sha256; False, and nothing there, if it isn't that file.

        Written as `write` does, and where the book isn't sealed piece by piece.
        """
        if self.key is not None:
            data = source.read_bytes()
            fits = hashlib.sha256(data).hexdigest() == target.name
            if fits:
                self.write(target, data, mode)
            return fits
        try:
            write_private(target, _pieces(source, target.name), mode)
        except _AnotherFileError:
            return False
        return True

    def _name(self, path: Path) -> str:
        return path.relative_to(self.out).as_posix()

    def seal_in_place(self, folder: Path, final: Path) -> None:
        """Seal every file of `folder`, which will be renamed `final`; nothing to do without a key."""
        for path in sorted(below(folder)):
            if self.key is not None and path.is_file():
                name = self._name(final / path.relative_to(folder))
                write_private(path, seal(path.read_bytes(), self.key, name), 0o600)

    @contextmanager
    def clear(self, folder: Path) -> Iterator[Path]:
        """A folder `seal_in_place` sealed, to read from: itself, or a private copy in memory."""
        if self.key is None:
            yield folder
            return
        with _in_memory() as copy:
            for path in sorted(below(folder)):
                if path.is_file():
                    target = copy / path.relative_to(folder)
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    write_private(target, self.read(path), 0o600)
            yield copy

    def seal_run(self, folder: Path, run_id: str) -> None:
        """Seal the tables of the run in `folder`, which is or will be `runs/<run_id>`; nothing to do without a key."""
        if self.key is None:
            return
        for path in _closed(folder):
            if path.suffix != SEALED:
                name = f"runs/{run_id}/{path.relative_to(folder).as_posix()}"
                write_private(path.with_name(path.name + SEALED), seal(path.read_bytes(), self.key, name), 0o600)
                path.unlink()

    def open_run(self, run: Path, to: Path, *, only: Callable[[Path], bool] | None = None) -> None:
        """Write the tables of a sealed run, opened, into the folder `to`: all, or those whose path `only` picks."""
        if self.key is None:
            raise KeyTrouble(
                f"{self._name(run)} is sealed, the book isn't: say 'rothbook protect' with its at-rest key"
            )
        for path in _closed(run):
            within = path.relative_to(run)
            target = to / within.with_name(within.name.removesuffix(SEALED))
            if path.suffix == SEALED and (only is None or only(target.relative_to(to))):
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                data = unseal(path.read_bytes(), self.key, f"runs/{run.name}/{target.relative_to(to).as_posix()}")
                write_private(target, data, 0o600)


def _closed(folder: Path) -> list[Path]:
    inside = (p for p in sorted(below(folder)) if p.is_file())
    return [p for p in inside if p.relative_to(folder).parts[0] not in OPEN_IN_A_RUN]


def is_sealed(run: Path) -> bool:
    """Whether the tables of a run are sealed."""
    return any(path.suffix == SEALED for path in _closed(run))


@contextmanager
def opened(run: Path, *tables: str) -> Iterator[Path]:
    """A finished run to read from: its own folder, or a private copy in memory for as long as it is needed.

    `tables` (`results/rejects.parquet`) says which are needed; without any, all but the warehouse are opened.
    """
    if not is_sealed(run):
        yield run
        return
    with _in_memory() as folder:
        copy = folder / run.name
        copy.mkdir(mode=0o700)
        wanted = {Path(table) for table in tables}
        needed = wanted.__contains__ if wanted else _is_no_warehouse
        Vault.of(run.parent.parent).open_run(run, copy, only=needed)
        for name in OPEN_IN_A_RUN:
            if (run / name).exists():
                (copy / name).symlink_to(run / name)
        yield copy


def _is_no_warehouse(path: Path) -> bool:
    return path.suffix != ".duckdb"


@contextmanager
def _in_memory() -> Iterator[Path]:
    beside = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="rothbook-", dir=beside) as folder:
        yield Path(folder)


def seal(data: bytes, key: bytes, name: str) -> bytes:
    """`data` sealed as the file `name` of a book."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only where a firm seals

    salt = os.urandom(_SALT)
    cipher = AESGCM(_file_key(key, salt, name))
    last = max(len(data) - 1, 0) // _CHUNK
    chunks = (
        cipher.encrypt(_nonce(n, last=n == last), data[n * _CHUNK : (n + 1) * _CHUNK], None) for n in range(last + 1)
    )
    return b"".join((MAGIC, salt, *chunks))


def unseal(sealed: bytes, key: bytes, name: str) -> bytes:
    """What was sealed as `name`; raises `KeyTrouble` for anything else, whatever was changed in it."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    start, size = len(MAGIC) + _SALT, _CHUNK + _TAG
    if not sealed.startswith(MAGIC) or len(sealed) < start + _TAG:
        raise KeyTrouble(
            f"{name} isn't sealed, but the book is: it was put there by somebody else, is cut off, or opening the book"
            " was broken off; in that case say 'rothbook protect --at-rest-key none' again"
        )
    cipher = AESGCM(_file_key(key, sealed[len(MAGIC) : start], name))
    last = (len(sealed) - start - 1) // size
    try:
        return b"".join(
            cipher.decrypt(_nonce(n, last=n == last), sealed[start + n * size : start + (n + 1) * size], None)
            for n in range(last + 1)
        )
    except InvalidTag:
        raise KeyTrouble(f"{name} was changed after it was sealed, or is another file; take it from a backup") from None


def _file_key(key: bytes, salt: bytes, name: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(SHA256(), 32, salt, b"rothbook at rest\n" + name.encode()).derive(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def seal_book(vault: Vault) -> None:
    """Seal the archive, the quarantine and every run of a book that isn't sealed yet, or only in part.

    Nobody else may be writing: what an earlier try was writing when it was killed is removed first.
    """
    _sweep(vault.out)
    for path in _delivered(vault.out):
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            vault.write(path, data, path.stat().st_mode & 0o777)
    for run in _runs(vault.out):
        vault.seal_run(run, run.name)


def unseal_book(vault: Vault) -> None:
    """Put everything `seal_book` sealed back as it was, as alone as that."""
    _sweep(vault.out)
    for path in _delivered(vault.out):
        if path.read_bytes().startswith(MAGIC):
            write_private(path, vault.read(path), path.stat().st_mode & 0o777)
    for run in _runs(vault.out):
        vault.open_run(run, run)
        for path in _closed(run):
            if path.suffix == SEALED:
                path.unlink()


def _sweep(out: Path) -> None:
    for name in ("archive", "quarantine", "state", "runs"):
        sweep_below(out / name)


def _delivered(out: Path) -> list[Path]:
    found = [p for name in ("archive", "quarantine") for p in listed(out / name)]
    nights = [p for night in listed(out / "state" / "nights") for p in sorted(below(night))]
    return [p for p in (*found, *nights) if p.is_file()]


def _runs(out: Path) -> list[Path]:
    return [p for p in matching(out / "runs", "[!.]*") if p.is_dir()]
