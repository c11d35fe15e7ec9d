"""Taking files in: settled files go unchanged to the archive, and the register remembers what the book consists of."""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from transforms.folders import below
from transforms.private import private_folder
from transforms.vault import Vault

UNFINISHED = (".part", ".tmp")
#: How the file begins that Excel keeps beside a workbook while it is open.
LOCK_FILE = "~$"
#: Size and time of a file, by which it is seen to change.
State: TypeAlias = tuple[int, int]


@dataclass(frozen=True, order=True)
class Entry:
    """A file of the book: the bytes' sha256, the name they came under, the as-of date of the run that took them in."""

    received_at: date
    file_name: str
    sha256: str


@dataclass(frozen=True)
class Delivery:
    """A file that lay in the inbox tonight. `duplicate`: its bytes are in the book already, or came twice tonight."""

    file_name: str
    sha256: str
    duplicate: bool


@dataclass(frozen=True)
class Register:
    """What the book consists of on `as_of`: its files, what lay in the inbox tonight, what was still being written.

    `kept` are files that a night now run again took into the book then: they must be readable now as well.
    """

    as_of: date
    entries: tuple[Entry, ...] = ()
    tonight: tuple[Delivery, ...] = ()
    waiting: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def without(self, rejected: set[str]) -> Register:
        """The register without tonight's wholly rejected files: they are looked at afresh when delivered again."""
        new = {d.sha256 for d in self.tonight if not d.duplicate} & rejected
        return replace(self, entries=tuple(e for e in self.entries if e.sha256 not in new))

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), default=str, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Register:
        """Read what `write` wrote; raises `ValueError` if the file isn't a register."""
        try:
            stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                as_of=date.fromisoformat(stored["as_of"]),
                entries=tuple(
                    Entry(date.fromisoformat(e["received_at"]), e["file_name"], e["sha256"]) for e in stored["entries"]
                ),
                tonight=tuple(Delivery(d["file_name"], d["sha256"], d["duplicate"]) for d in stored["tonight"]),
                waiting=tuple(stored["waiting"]),
                kept=tuple(stored["kept"]),
            )
        except (KeyError, TypeError) as bad:
            raise ValueError(f"{path.name} isn't a register of files: {bad}") from bad


def looked_at_on() -> date:
    """The night of a file that is only looked at: the machine's own day, since a date after it can't have been yet."""
    return date.today()  # noqa: DTZ011 - the firm's own calendar day is meant


def printable(name: str) -> str:
    """A name somebody else gave, as it may be printed and stored: no line breaks, no broken bytes."""
    return "".join(c if c.isprintable() else "?" for c in name)


def deliver(
    inbox: Path,
    out: Path,
    previous_register: Path | None,
    as_of: date,
    settle_seconds: float = 0.2,
    *,
    also: Mapping[str, Path] | None = None,
) -> Register:
    """Take every settled file of `inbox` (subfolders too) into `out/archive`; the inbox itself is left alone.

    The register returned holds the previous register's files and tonight's new ones. Files still changing over
    `settle_seconds` or while they are read, gone meanwhile, unfinished (`.part`, `.tmp`), hidden or linked are
    `waiting`. `also` are files from elsewhere that are taken in with them, by the name to take each in under. Raises
    `OSError` if the inbox, or a folder in it, can't be read, or is another one at the end (a share that went away).
    """
    before = Register.read(previous_register) if previous_register is not None else Register(as_of)
    archive, vault = private_folder(out / "archive"), Vault.of(out)
    elsewhere = [(name, path, True) for name, path in (also or {}).items()]
    home = _place(inbox)
    settled, waiting = _settled([*_lying(inbox), *elsewhere], settle_seconds)
    entries, tonight = list(before.entries), []
    known = {e.sha256 for e in entries}
    for name, path, state in settled:
        sha256 = _taken(path, state, archive, vault)
        if sha256 is None:
            waiting.append(name)
            continue
        tonight.append(Delivery(name, sha256, duplicate=sha256 in known))
        if sha256 not in known:
            known.add(sha256)
            entries.append(Entry(as_of, name, sha256))
    if _place(inbox) != home:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(inbox))
    return Register(as_of, tuple(sorted(entries)), tuple(tonight), tuple(waiting))


def _lying(inbox: Path) -> Iterator[tuple[str, Path, bool]]:
    """Every file of the inbox in order: its name, where it is, and whether it looks finished."""
    for path in sorted(below(inbox)):
        yield printable(path.relative_to(inbox).as_posix()), path, not _unfinished(path, inbox)


def _settled(files: list[tuple[str, Path, bool]], seconds: float) -> tuple[list[tuple[str, Path, State]], list[str]]:
    """The finished files that didn't change over `seconds` with their state, and the names of those that must wait."""
    first = {path: _state(path) for _, path, finished in files if finished}
    if first:
        time.sleep(seconds)
    settled = {path: state for path, state in first.items() if state is not None and _state(path) == state}
    return [(n, p, settled[p]) for n, p, _ in files if p in settled], [n for n, p, _ in files if p not in settled]


def _taken(path: Path, state: State, archive: Path, vault: Vault) -> str | None:
    """The sha256 of a settled file, which is in the archive now; None if it grew, was replaced or went away since."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if _state(path) != state:
            return None
        whole = (archive / sha256).exists() or vault.copy(path, archive / sha256, 0o400)
    except FileNotFoundError:
        return None
    return sha256 if whole else None


def _place(folder: Path) -> tuple[int, int]:
    """By which a folder is known: another file system mounted there, or none, is another folder."""
    found = folder.stat()
    return found.st_dev, found.st_ino


def _unfinished(path: Path, inbox: Path) -> bool:
    hidden = any(part.startswith((".", LOCK_FILE)) for part in path.relative_to(inbox).parts)
    return hidden or path.is_symlink() or path.suffix.lower() in UNFINISHED


def _state(path: Path) -> State | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def firm_fingerprint(key: bytes) -> str:
    """By which a workbook is known to be this firm's: derived from the firm's key, which can't be got back from it."""
    return hmac.digest(key, b"rothbook: workbooks of this firm", "sha256").hex()[:24]


def tax_key(tax_id: str, key: bytes) -> str:
    """HMAC-SHA256 (hex) of the digits of a tax id under the firm's key: equal ids, equal keys, and no way back."""
    digits = tax_id.replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        digits = "".join(c for c in digits if c.isdigit())
    return hmac.digest(key, digits.encode(), "sha256").hex()
