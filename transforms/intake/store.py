"""What every file of a book came to, on disk: its canonical rows as Parquet, its rejects, and what else is told of it.

Files are read one after the other, and only one of them is ever in memory. What has been read of a file is needed again
only where one of its lines is set aside or fixed: then those lines are read again from the archive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

import polars as pl

from transforms.intake import bounds, pgp, plain, rejects
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
_ROWS_KEPT = 50_000


@dataclass
class Parsed:
    """One file: what is told of it, its rows by table, its rejects, and how to read some of its lines again."""

    reading: Reading
    again: Callable[[set[int]], Reading]
    parts: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    rejects: list[pl.DataFrame] = field(default_factory=list)


class Store:
    """The files of one book, as far as they have been read."""

    def __init__(self, folder: Path, key: bytes) -> None:
        """Rows are written into `folder`; `key` hashes tax ids."""
        self._folder, self._key = folder, key
        self._written, self._rows_kept = 0, 0
        self.parsed: dict[Entry, Parsed] = {}

    def take(self, reading: Reading, again: Callable[[], Reading]) -> Reading:
        """Write the rows of a file; returns its reading without them. `again` reads the file anew."""
        kept = reading.rows <= _ROWS_KEPT - self._rows_kept
        self._rows_kept += reading.rows if kept else 0
        parsed = Parsed(reading, (lambda _lines: reading) if kept else (lambda _lines: again()))
        self._write(parsed, reading)
        day = content_as_of(reading, reading.entry.received_at)
        parsed.reading = _emptied(reading, day)
        self.parsed[reading.entry] = parsed
        return parsed.reading

    def take_large(self, opened: plain.Opener, entry: Entry) -> Reading | None:
        """Read a large house file block by block; None if it isn't one, or must be read line by line."""
        before = self._written
        try:
            with opened() as source:
                found = _house(source, entry)
                parsed = self._blocks(source, opened, entry, found) if found is not None else None
        except (plain.Unusual, FileSetAside):
            parsed = None
        except BaseException as error:
            if not is_fault_of_a_reader(error):
                raise
            parsed = None  # the line reader may be able to read it, and if not tells why
        if parsed is None:
            self._forget(before)
            return None
        self.parsed[entry] = parsed
        return parsed.reading

    def _blocks(self, source: BinaryIO, opened: plain.Opener, entry: Entry, found: HouseKind) -> Parsed:
        header = plain.header_of(source)
        whole, days, places = _begun(entry, found, header), list[date | None](), list[tuple[int, int, int]]()
        parsed = Parsed(whole, lambda lines: _some(whole, found, header, lines))
        for block in plain.blocks(source):
            places.append((block.first, block.start, len(block.data)))
            if block.first > bounds.MAX_LINES:
                raise plain.Unusual
            some = _begun(entry, found, header)
            take_house(some, plain.rows_of(found.kind, header, block))
            some.raw = plain.Lines(opened, [places[-1]])
            self._write(parsed, some)
            days.append(content_as_of(some, entry.received_at))
            whole.counts.update(data=some.counts["data"], blank=some.counts["blank"])
            whole.rows += some.rows
        take_house(whole, house_rows(found.kind, header_cells(header), []))
        whole.raw, whole.whole = plain.Lines(opened, places), False
        whole.day = max((day for day in days if day is not None), default=None)
        return parsed

    def _write(self, parsed: Parsed, reading: Reading) -> None:
        """The canonical rows of a reading to disk, its rejects with the hash of their lines."""
        found = isolated(lambda some: canonical_rows(some, self._key), [reading])
        for table, frames in found.rows.items():
            rows = pl.concat(frames)
            if rows.height:
                path = self._folder / f"{self._written:06d}.parquet"
                rows.write_parquet(path, compression="lz4", statistics=False)
                self._written += 1
                parsed.parts[table].append(path)
        aside = [frame for frame in found.rejects if frame.height]
        if aside:
            parsed.rejects.append(rejects.with_raw_hash(pl.concat(aside), {reading.entry.sha256: reading}))

    def _forget(self, before: int) -> None:
        """Removes what was written since."""
        for number in range(before, self._written):
            (self._folder / f"{number:06d}.parquet").unlink(missing_ok=True)
        self._written = before

    def parts(self) -> dict[str, list[Path]]:
        """The rows of all files by table, in the order in which the files were received."""
        found: dict[str, list[Path]] = defaultdict(list)
        for _, parsed in sorted(self.parsed.items()):
            for table, paths in parsed.parts.items():
                found[table].extend(paths)
        return found

    def rejected(self) -> pl.DataFrame:
        """The rejects of all files."""
        every = (frame for _, parsed in sorted(self.parsed.items()) for frame in parsed.rejects)
        return pl.concat([pl.DataFrame(schema=rejects.SCHEMA), *every])

    def with_lines(self, rejected: pl.DataFrame) -> dict[str, Reading]:
        """By sha256, every file with rejects of lines, as a reading that has these lines."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for sha256, line in rejected.drop_nulls("line_number").select("source_sha256", "line_number").unique().rows():
            wanted[sha256].add(line)
        by_sha = {entry.sha256: parsed for entry, parsed in self.parsed.items()}
        return {s: p.again(wanted[s]) if s in wanted else p.reading for s, p in by_sha.items()}


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


def _some(whole: Reading, found: HouseKind, header: Record, lines: set[int]) -> Reading:
    """A large file with these lines only."""
    some = _begun(whole.entry, found, header)
    some.counts, some.rows, some.raw = whole.counts, 0, whole.raw
    records = [plain.record(n, whole.raw(n)) for n in sorted(lines)]
    take_house(some, house_rows(found.kind, header_cells(header), records))
    some.counts, some.rows = whole.counts, whole.rows
    return some
