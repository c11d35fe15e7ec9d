"""What every file of a book came to, on disk: its canonical rows as Parquet, its rejects, and what else is told of it.

Files are read one after the other, and only one of them is ever in memory. What has been read of a file is needed again
only where one of its lines is set aside or fixed: then those lines are read again from the archive.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

import polars as pl

from transforms.intake import bounds, pgp, plain, rejects
from transforms.intake.cache import Cache, Kept
from transforms.intake.canonical import canonical_rows
from transforms.intake.content import content_as_of
from transforms.intake.failed import is_fault_of_a_reader, isolated
from transforms.intake.house import header_cells, house_rows
from transforms.intake.lines import FileSetAside, Record
from transforms.intake.marked_tests import refuse_test_file
from transforms.intake.reading import Reading, begin_house, take_house
from transforms.intake.recognise import HouseKind, recognise
from transforms.intake.register import Entry
from transforms.intake.unpack import GZIP, is_zip

_HEAD = 65_536
#: Readings of so many rows in all are kept as they are; others are read again where their lines are needed.
_ROWS_HELD = 20_000
#: Under which name a file's rejects stand beside its tables.
_REJECTS = "rejects"


@dataclass
class Parsed:
    """One file: what is told of it, how to read some of its lines again, and its rows and rejects on disk."""

    reading: Reading
    again: Callable[[set[int]], Reading]
    files: dict[str, list[Path]] = field(default_factory=dict)


class Store:
    """The files of one book, as far as they have been read."""

    def __init__(self, folder: Path, key: bytes, cache: Cache | None = None, ahead: Cache | None = None) -> None:
        """Rows are written into `folder`, or kept in the `cache`; `key` hashes tax ids.

        `ahead` is where other processes keep what they read for a night that keeps nothing.
        """
        self._folder, self._key, self._cache, self._ahead = folder, key, cache, ahead
        self._held = 0
        self.parsed: dict[Entry, Parsed] = {}

    def knows(self, entry: Entry) -> bool:
        """True if something is kept of a file, though it may not hold."""
        return any(cache.knows(entry) for cache in self._caches())

    def for_a_process(self) -> Store:
        """A store for another process to read files into, in which this one finds them."""
        return Store(self._folder, self._key, self._ahead or self._cache)

    def _caches(self) -> list[Cache]:
        return [cache for cache in (self._cache, self._ahead) if cache is not None]

    def find(self, opened: plain.Opener, entry: Entry, again: Callable[[], Reading]) -> Reading | None:
        """What was read of a file on an earlier night, without its rows; None if it must be read (`again`)."""
        kept = next((kept for cache in self._caches() if (kept := cache.find(entry)) is not None), None)
        if kept is None:
            return None
        if kept.header is not None:
            return self._found(kept, opened, kept.header)
        self.parsed[entry] = Parsed(kept.reading, lambda _: again(), kept.files)
        return kept.reading

    def take(self, reading: Reading, again: Callable[[], Reading], *, keep: bool = False) -> Reading:
        """Write the rows of a file; returns its reading without them. `again` reads the file anew.

        `keep` it for the nights after, if nothing but the file says what it comes to.
        """
        held = reading.rows <= _ROWS_HELD - self._held
        self._held += reading.rows if held else 0
        rows = self._rows()
        rows.write(reading)
        told = _emptied(reading, content_as_of(reading, reading.entry.received_at))
        files = self._keep(rows, Kept(told, rows.files), keep=keep and reading.error is None)
        self.parsed[reading.entry] = Parsed(told, (lambda _: reading) if held else (lambda _: again()), files)
        return told

    def take_large(self, opened: plain.Opener, entry: Entry) -> Reading | None:
        """Read a large house file block by block; None if it isn't one, or must be read line by line."""
        try:
            with opened() as source:
                found = _house(source, entry)
                if found is None:
                    return None
                rows = self._rows()
                kept = _in_blocks(source, opened, entry, found, rows)
        except (plain.Unusual, FileSetAside):
            return None
        except BaseException as error:
            if not is_fault_of_a_reader(error):
                raise
            return None  # the line reader may be able to read it, and if not tells why
        kept.files = self._keep(rows, kept, keep=True)
        return self._found(kept, opened, kept.header or [])

    def _rows(self) -> _Rows:
        return _Rows(Path(tempfile.mkdtemp(dir=self._folder)), self._key)

    def _keep(self, rows: _Rows, kept: Kept, *, keep: bool) -> dict[str, list[Path]]:
        return self._cache.keep(rows.folder, kept) if keep and self._cache is not None else rows.files

    def _found(self, kept: Kept, opened: plain.Opener, header: list[str]) -> Reading:
        """The reading of a file that was read in blocks: its lines are looked up where they are needed."""
        told = kept.reading
        told.raw = plain.Lines(opened, kept.blocks)
        take_house(told, house_rows(told.kind or "", header, []))
        self.parsed[told.entry] = Parsed(told, lambda lines: _some(told, header, lines), kept.files)
        return told

    def parts(self) -> dict[str, list[Path]]:
        """The rows of all files by table, in the order in which the files were received."""
        found: dict[str, list[Path]] = defaultdict(list)
        for _, parsed in sorted(self.parsed.items()):
            for table, paths in parsed.files.items():
                found[table].extend(paths)
        return found

    def rejected(self) -> pl.DataFrame:
        """The rejects of all files."""
        return pl.concat([pl.DataFrame(schema=rejects.SCHEMA), *map(pl.read_parquet, self.parts()[_REJECTS])])

    def with_lines(self, rejected: pl.DataFrame) -> dict[str, Reading]:
        """By sha256, every file with rejects of lines, as a reading that has these lines."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for sha256, line in rejected.drop_nulls("line_number").select("source_sha256", "line_number").unique().rows():
            wanted[sha256].add(line)
        by_sha = {entry.sha256: parsed for entry, parsed in self.parsed.items()}
        return {s: p.again(wanted[s]) if s in wanted else p.reading for s, p in by_sha.items()}


class _Rows:
    """The canonical rows of one file, and its rejects with the hash of their lines, written part by part."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = folder, key
        self.files: dict[str, list[Path]] = {}

    def write(self, reading: Reading) -> None:
        found = isolated(lambda some: canonical_rows(some, self._key), [reading])
        for table, frames in found.rows.items():
            self._write(table, pl.concat(frames))
        if found.rejects:
            aside = rejects.with_raw_hash(pl.concat(found.rejects), {reading.entry.sha256: reading})
            self._write(_REJECTS, aside)

    def _write(self, table: str, rows: pl.DataFrame) -> None:
        if rows.height:
            paths = self.files.setdefault(table, [])
            path = self.folder / f"{table}-{len(paths):06d}.parquet"
            rows.write_parquet(path, compression="lz4", statistics=False)
            paths.append(path)


def _in_blocks(source: BinaryIO, opened: plain.Opener, entry: Entry, found: HouseKind, rows: _Rows) -> Kept:
    header = plain.header_of(source)
    whole, days = _begun(entry, found, header), list[date | None]()
    kept = Kept(whole, rows.files, header_cells(header))
    for block in plain.blocks(source):
        if block.first > bounds.MAX_LINES:
            raise plain.Unusual
        kept.blocks.append((block.first, block.start, len(block.data)))
        some = _begun(entry, found, header)
        some.raw = plain.Lines(opened, kept.blocks[-1:])
        take_house(some, plain.rows_of(found.kind, header, block))
        rows.write(some)
        if some.error is not None:
            raise plain.Unusual
        days.append(content_as_of(some, entry.received_at))
        whole.counts.update(data=some.counts["data"], blank=some.counts["blank"])
        whole.rows += some.rows
    whole.whole, whole.day = False, max((day for day in days if day is not None), default=None)
    return kept


def _emptied(reading: Reading, day: date | None) -> Reading:
    rowless = replace(reading, house=None, ragged=None, sections={}, problems=[], marks=None)
    return replace(rowless, raw=lambda _line: "", whole=False, day=day)


def _house(source: BinaryIO, entry: Entry) -> HouseKind | None:
    """The house kind of a file, told by its beginning; None for anything else."""
    head = source.read(_HEAD)
    if is_zip(head) or head.startswith(GZIP) or pgp.is_pgp(head):
        return None
    if source.seek(0, 2) > bounds.MAX_FILE_BYTES or source.tell() < plain.LARGE:
        return None
    source.seek(0)
    refuse_test_file(entry.file_name, head)
    found = recognise(head, entry.file_name)
    return found if isinstance(found, HouseKind) else None


def _begun(entry: Entry, found: HouseKind, header: Record) -> Reading:
    reading = Reading(entry)
    begin_house(reading, found, header)
    return reading


def _some(whole: Reading, header: list[str], lines: set[int]) -> Reading:
    """A file read in blocks with these lines only."""
    records = [plain.record(n, whole.raw(n)) for n in sorted(lines)]
    some = replace(whole, counts=Counter(), rows=0)
    take_house(some, house_rows(whole.kind or "", header, records))
    return replace(some, counts=whole.counts, rows=whole.rows)
