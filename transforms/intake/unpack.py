"""Zip and gzip deliveries: their members, in memory and within limits. Nothing is ever extracted to disk.

Bounds hold on what really comes out, never on what a header claims. A member that can't be had is set aside by name
with its reason; folders, hidden and unfinished members are left out and told.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import PurePosixPath
from typing import Protocol

from transforms.intake.lines import FileSetAside
from transforms.intake.register import LOCK_FILE, UNFINISHED, printable

#: A delivery may unpack to this much in all, nested archives included ...
MAX_BYTES = 2 * 1024**3
#: ... and to this many times its own size, looked at from RATIO_FROM bytes on (a fixed-width file is mostly blanks).
MAX_RATIO = 200
RATIO_FROM = 16 * 1024**2
MAX_MEMBERS = 10_000
#: An archive in an archive is unpacked; one inside that isn't.
MAX_DEPTH = 2
_CHUNK = 1024**2
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP, _DIRECTORY_ENTRY = b"PK\x05\x06", b"PK\x01\x02"
#: Characters of a member's name.
MAX_NAME = 255
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, LZMAError, struct.error, EOFError, OSError, NotImplementedError, ValueError,
    LookupError,
)  # fmt: skip


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass
class Budget:
    """How much a delivery of `packed` bytes may still unpack to."""

    packed: int
    used: int = 0

    def read(self, source: _Source) -> bytes:
        """All of `source`; raises `FileSetAside` as soon as a limit is passed."""
        parts = []
        while part := source.read(_CHUNK):
            self.used += len(part)
            allowed = min(MAX_BYTES, max(RATIO_FROM, MAX_RATIO * self.packed))
            if self.used > allowed:
                raise FileSetAside(
                    "archive_too_large",
                    f"the archive unpacks to more than {MAX_BYTES // 1024**3} GiB or {MAX_RATIO} times its size; "
                    "it isn't read any further: deliver the files one by one",
                )
            parts.append(part)
        return b"".join(parts)


@dataclass(frozen=True)
class Member:
    """One file of an archive: its bytes, or why they can't be had."""

    name: str
    data: bytes = b""
    problem: FileSetAside | None = None


@dataclass
class Unpacked:
    """What a container holds: what it is, its members in order, what was left out (names of kinds only), and a note."""

    what: str
    members: list[Member] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    note: str | None = None


def is_zip(data: bytes) -> bool:
    """True for a zip file, an empty one too."""
    return data.startswith((ZIP, _EMPTY_ZIP))


def open_zip(data: bytes) -> zipfile.ZipFile:
    """The directory of a zip file; raises `FileSetAside` if it is damaged or has too many members."""
    if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:  # before anything is made of each
        raise FileSetAside("archive_too_large", f"the archive has more than {MAX_MEMBERS:,} members; split it")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        if not all(info.filename for info in archive.infolist()):
            raise zipfile.BadZipFile("a member without a name")
    except _DAMAGED:
        raise FileSetAside("archive_damaged", "the archive is cut off or damaged; fetch it again") from None
    return archive


def unzip(data: bytes, budget: Budget) -> Unpacked:
    """The members of a zip file; raises `FileSetAside` for one that is damaged, empty or too large."""
    found = Unpacked("zip archive")
    with open_zip(data) as archive:
        for info in archive.infolist():
            why = _left_out(info)
            if why:
                found.left_out.append(why)
            else:
                found.members.append(_member(archive, info, budget))
    if not found.members:
        raise FileSetAside("empty_archive", "the archive holds no files; drop it again once it has been filled")
    return found


def _left_out(info: zipfile.ZipInfo) -> str | None:
    if info.is_dir():
        return "folder"
    parts = PurePosixPath(info.filename).parts
    if any(p.startswith(".") and p not in ("..", ".") for p in parts) or "__MACOSX" in parts:
        return "hidden file"
    if parts and parts[-1].startswith(LOCK_FILE):
        return "lock file"
    return "unfinished file" if info.filename.lower().endswith(UNFINISHED) else None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Member:
    name = printable(info.filename)
    if len(name) > MAX_NAME:
        why = f"the member's name has more than {MAX_NAME} characters; rename it"
        return Member(name[:MAX_NAME], problem=FileSetAside("unsafe_name", why))
    if _unsafe(info.filename):
        why = "the member's name leads out of the archive (.., an absolute path, a drive) or can't be printed"
        return Member(name, problem=FileSetAside("unsafe_name", f"{why}; such a member isn't read"))
    if info.flag_bits & 1:
        why = "the member is encrypted with a zip password; unzip it yourself, or have it sent PGP-encrypted"
        return Member(name, problem=FileSetAside("zip_encrypted", why))
    try:
        return Member(name, entry_bytes(archive, info, budget))
    except FileSetAside as aside:
        if aside.rule == "archive_too_large":
            raise
        return Member(name, problem=aside)


def _unsafe(name: str) -> bool:
    leads_out = name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts
    return leads_out or not name.isprintable()


def entry_bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes:
    """The bytes of one entry, checked against its checksum; raises `FileSetAside` if damaged or too large."""
    try:
        with archive.open(info) as source:
            return budget.read(source)
    except _DAMAGED:
        raise FileSetAside("archive_damaged", "the member is cut off or damaged; fetch the archive again") from None


def gunzip(data: bytes, name: str, budget: Budget) -> Unpacked:
    """The one file inside a gzip file; raises `FileSetAside` for one that is cut off, damaged or too large."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as source:
            inner = budget.read(source)
    except _DAMAGED:
        raise FileSetAside("archive_damaged", "the gzip file is cut off or damaged; fetch it again") from None
    return Unpacked("gzip file", [Member(inner_name(name, (".gz", ".gzip")), inner)])


def inner_name(name: str, endings: tuple[str, ...]) -> str:
    """The name of the file inside a container of one file: without the ending that says how it was packed."""
    last = PurePosixPath(name).name
    return next((last[: -len(e)] for e in endings if last.lower().endswith(e) and len(last) > len(e)), last)


def told(left_out: list[str]) -> Iterator[str]:
    """How many of each kind were left out: `2 folders`."""
    for what in sorted(set(left_out)):
        count = left_out.count(what)
        yield f"{count} {what}{'' if count == 1 else 's'}"
