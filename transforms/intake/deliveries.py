"""From the archive to readings: a delivered file is read as it is, or unpacked and each member read as its own file.

The archive and the register hold what was delivered; what is inside is derived anew at every reading, in memory. A
member is named `archive.zip/member` and known by the sha256 of its own bytes, a sheet is named `book.xlsx[sheet]` and
known by its workbook and name. Bytes that are in the book already, on their own or in another archive, are not read
again.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

from transforms.intake import pgp
from transforms.intake.ahead import reading_ahead
from transforms.intake.failed import as_set_aside, is_fault_of_a_reader
from transforms.intake.lines import FileSetAside
from transforms.intake.marks import is_marked_workbook, read_marks
from transforms.intake.plain import Opener
from transforms.intake.reading import Reading, read_file, read_sheet, set_aside
from transforms.intake.register import Entry, Register
from transforms.intake.store import Store
from transforms.intake.unpack import (
    GZIP,
    MAX_DEPTH,
    Budget,
    Member,
    Unpacked,
    gunzip,
    inner_name,
    is_zip,
    told,
    unzip,
)
from transforms.intake.workbook import is_locked, is_workbook, read_workbook, workbook_parts
from transforms.passwords import unlocked
from transforms.vault import Vault

CONTAINER = "container"


@dataclass
class Deliveries:
    """The readings of the whole book: containers and files, members whose bytes were there before, and refused ones.

    The readings are without rows. `refused` are the delivered files (by sha256) nothing of which could be used.
    """

    readings: list[Reading] = field(default_factory=list)
    duplicates: list[Reading] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    #: Reads a file anew, with its rows.
    again: dict[Entry, Callable[[], Reading]] = field(default_factory=dict)


def read_deliveries(
    register: Register, out: Path, keyring: pgp.Keyring, store: Store, firm: str | None = None
) -> Deliveries:
    """Read every delivered file of the register from `out/archive`, in its order, and write its rows into `store`.

    `firm` is whose marks are read (`firm_fingerprint`).

    Raises `FileNotFoundError` if an archived file is gone, `OSError` if it was changed, and `PermissionError` if one of
    an earlier night can't be decrypted any more: a book isn't computed from a part of itself.
    """
    book, seen, vault = Deliveries(), dict[str, Reading](), Vault.of(out)
    tonight = {d.sha256: d.duplicate for d in register.tonight}
    kept = set(register.kept)
    with reading_ahead(register.entries, vault, store) as ahead:
        for entry in register.entries:
            # asked once, when a file is new: whose workbook it is (a changed firm key doesn't take old marks away), and
            # whether a signature is required
            known = tonight.get(entry.sha256, True)
            whose = None if known else firm
            asked = replace(keyring, require_signature=False) if known else keyring
            opened = partial(vault.opened, out / "archive" / entry.sha256)
            ahead.check(opened, entry)
            before = _read_before(opened, entry, store, seen, partial(_again, opened, entry, asked, whose, entry))
            found = [before] if before is not None else _as_a_whole(opened, entry, asked, seen, whose)
            first = found[0]
            if first.encrypted and (known or entry.sha256 in kept):
                raise PermissionError(
                    errno.EACCES, "an encrypted file of the book can't be decrypted any more: see pgp_home"
                )
            alone = len(found) == 1 and not first.is_container
            members = [r for r in found[1:] if not r.is_container]
            if first.error or (members and all(r.error for r in members)):
                book.refused.add(entry.sha256)
            for reading in found:
                book.again[reading.entry] = again = partial(_again, opened, entry, asked, whose, reading.entry)
                if reading.repeats:
                    book.duplicates.append(reading)
                elif reading is first or not reading.error or entry.sha256 in tonight:
                    # a refused member is told, like a refused file, while it is delivered
                    book.readings.append(store.take(reading, again, keep=alone) if reading.whole else reading)
                if reading.entry.sha256 in seen:
                    seen[reading.entry.sha256] = replace(
                        seen[reading.entry.sha256], house=None, ragged=None, sections={}
                    )
    return book


def _read_before(
    opened: Opener, entry: Entry, store: Store, seen: dict[str, Reading], again: Callable[[], Reading]
) -> Reading | None:
    """What an earlier night made of a file, or its blocks make of a large one; None for a file still to be read."""
    if entry.sha256 in seen:
        return None
    found = store.find(opened, entry, again) or store.take_large(opened, entry)
    if found is not None:
        seen[entry.sha256] = found
    return found


def _as_a_whole(
    opened: Opener, entry: Entry, keyring: pgp.Keyring, seen: dict[str, Reading], firm: str | None
) -> list[Reading]:
    with opened() as source:
        return read_delivery(source.read(), entry, keyring, seen, firm)


def _again(opened: Opener, outer: Entry, keyring: pgp.Keyring, firm: str | None, entry: Entry) -> Reading:
    """A file of the book read anew, from what it was delivered as or in."""
    return next(r for r in _as_a_whole(opened, outer, keyring, {}, firm) if r.entry == entry)


def read_delivery(
    data: bytes, entry: Entry, keyring: pgp.Keyring, seen: dict[str, Reading], firm: str | None = None
) -> list[Reading]:
    """The reading of a delivered file, followed by those of what it contains if it is a container.

    `seen` holds what was read before by sha256, and is added to. Marks of another firm than `firm` are set aside; None
    reads anybody's.
    """
    try:
        return list(_read(data, entry, _Way(keyring, seen, Budget(len(data)), firm)))
    except pgp.Undecryptable as aside:
        reading = set_aside(Reading(entry, profile=CONTAINER, layout="PGP message", is_container=True), aside, 0)
        reading.encrypted = True
        return [reading]


@dataclass(frozen=True)
class _Way:
    """How a file was come to: through how many archives and PGP layers, and what unpacking may still cost."""

    keyring: pgp.Keyring
    seen: dict[str, Reading]
    budget: Budget
    firm: str | None = None
    archives: int = 0
    layers: int = 0


def _read(data: bytes, entry: Entry, way: _Way) -> Iterator[Reading]:
    before = way.seen.get(entry.sha256)
    if before is not None:
        yield Reading(entry, before.kind, before.custodian, before.profile, before.layout,
                      f"these bytes are in the book already, as {before.entry.file_name}", repeats=True)  # fmt: skip
        return
    try:
        found = list(_contents(data, entry, way))
    except pgp.Undecryptable:
        raise
    except FileSetAside as aside:
        found = [set_aside(Reading(entry), aside, 0)]
    except BaseException as error:
        if not is_fault_of_a_reader(error):
            raise
        found = [set_aside(Reading(entry), as_set_aside(error), 0)]
    if found[0].error is None:
        way.seen[entry.sha256] = found[0]
    yield from found


def _contents(data: bytes, entry: Entry, way: _Way) -> Iterator[Reading]:
    if way.keyring.passwords and is_locked(data):
        data = unlocked(data, way.keyring.passwords) or data
    if is_workbook(data):
        yield from _workbook(data, entry, way)
    elif pgp.is_pgp(data):
        yield from _pgp(data, entry, way)
    elif is_zip(data) or data.startswith(GZIP):
        yield from _archive(data, entry, way)
    else:
        yield read_file(data, entry)


def _container(entry: Entry, what: str, note: str | None) -> Reading:
    return Reading(entry, profile=CONTAINER, layout=what, note=note, is_container=True)


def _workbook(data: bytes, entry: Entry, way: _Way) -> Iterator[Reading]:
    parts = workbook_parts(data, way.budget)
    if is_marked_workbook(parts):
        yield from _marks(parts, entry, way)
        return
    book = read_workbook(parts)
    note = "sheets left out: " + "; ".join(book.left_out) if book.left_out else None
    yield _container(entry, "Excel workbook", note)
    for sheet in book.sheets:
        name = f"{entry.file_name}[{sheet.name}]"
        known_by = sha256(f"{entry.sha256}[{sheet.name}]".encode()).hexdigest()
        yield read_sheet(sheet, replace(entry, file_name=name, sha256=known_by))


def _marks(parts: dict[str, bytes], entry: Entry, way: _Way) -> Iterator[Reading]:
    """An advisor's workbook that came back: the marks on its sheets, and nothing else of it."""
    sheets = read_marks(parts, entry, way.firm)
    yield _container(entry, "Rothbook advisor workbook", "read for its marks only")
    yield from sheets


def _pgp(data: bytes, entry: Entry, way: _Way) -> Iterator[Reading]:
    if way.layers:
        raise FileSetAside("nested_too_deep", "a PGP message inside a PGP message isn't decrypted")
    inner = pgp.decrypt(data, way.keyring)
    way.budget.used += len(inner.data)
    members = [Member(inner_name(entry.file_name, pgp.ENDINGS), inner.data)]
    found = Unpacked("PGP message", members, note=inner.signature)
    yield from _members(found, entry, replace(way, layers=1))


def _archive(data: bytes, entry: Entry, way: _Way) -> Iterator[Reading]:
    if way.archives >= MAX_DEPTH:
        raise FileSetAside(
            "nested_too_deep", f"archives are unpacked {MAX_DEPTH} deep; deliver the inner one on its own"
        )
    found = unzip(data, way.budget) if is_zip(data) else gunzip(data, entry.file_name, way.budget)
    yield from _members(found, entry, replace(way, archives=way.archives + 1))


def _members(found: Unpacked, entry: Entry, way: _Way) -> Iterator[Reading]:
    left_out = "left out: " + ", ".join(told(found.left_out)) if found.left_out else None
    note = "; ".join(filter(None, (found.note, left_out))) or None
    count = len(found.members)
    yield _container(entry, f"{found.what}, {count} file{'' if count == 1 else 's'}", note)
    for member in found.members:
        name = f"{entry.file_name}/{member.name}"
        if member.problem is None:
            yield from _read(member.data, replace(entry, file_name=name, sha256=_sha(member.data)), way)
        else:
            known_by = _sha(f"{entry.sha256}/{member.name}".encode())
            yield set_aside(Reading(replace(entry, file_name=name, sha256=known_by)), member.problem, 0)


def _sha(data: bytes) -> str:
    return sha256(data).hexdigest()
