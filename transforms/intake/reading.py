"""One file read: recognised, every line classified, its rows as all-text frames. Nothing is typed or merged yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import PurePosixPath

import polars as pl

from schemas.profile import Profile
from transforms.intake import bounds, file_says, plain, pub1220, trees
from transforms.intake.drift import renamed_fields, shown_names
from transforms.intake.flex import is_flex, read_flex
from transforms.intake.frames import check_totals, section_frames
from transforms.intake.house import HouseRows, header_cells, house_rows, refuse_repeated
from transforms.intake.lines import FileSetAside, Record, decode, line_count, records, scan
from transforms.intake.mapping import normalised
from transforms.intake.marked_tests import refuse_test_file
from transforms.intake.ofx import is_ofx, read_ofx
from transforms.intake.payroll_controls import check_named_totals, remark, whose
from transforms.intake.recognise import HouseKind, recognise
from transforms.intake.register import Entry
from transforms.intake.trees import Tree
from transforms.intake.workbook import CellFault, Sheet

#: Nested formats: how one is known, and its reader.
_TREES = ((is_ofx, read_ofx), (is_flex, read_flex))


@dataclass(frozen=True)
class Problem:
    """A line (or, without a line, a file) set aside before any cell could be checked."""

    line: int | None
    rule: str
    message: str
    account_number: str | None = None
    #: In clear, on its way to being hashed; never shown.
    tax_id: str | None = field(default=None, repr=False)
    #: Whose workbook of marks it is.
    advisor_id: str | None = None


@dataclass
class Reading:
    """What one file turned out to be. `error` is set when the whole file is set aside."""

    entry: Entry
    kind: str | None = None
    custodian: str | None = None
    profile: str | None = None
    layout: str | None = None
    note: str | None = None
    error: Problem | None = None
    counts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    house: pl.DataFrame | None = None
    sections: dict[str, pl.DataFrame] = field(default_factory=dict)
    custodian_profile: Profile | None = None
    problems: list[Problem] = field(default_factory=list)
    #: House rows with too few or too many cells, cell by cell from the left, with column, rule and message.
    ragged: pl.DataFrame | None = None
    #: Rows of `finding_marks`, typed: the marks of an advisor's workbook.
    marks: pl.DataFrame | None = None
    #: What the lines around a custodian file's rows say of the whole file (`as_of`, `mode` ...).
    said: dict[str, str] = field(default_factory=dict)
    raw: Callable[[int], str] = lambda _line: ""
    #: An archive, workbook or encrypted message: it has no rows of its own, what it contains has.
    is_container: bool = False
    #: Its bytes were read before under another name; it has no rows.
    repeats: bool = False
    #: It is PGP-encrypted and couldn't be decrypted.
    encrypted: bool = False
    #: False once its rows are on disk and no longer here; `day` is then the day its content is of.
    whole: bool = True
    day: date | None = None

    @property
    def lines(self) -> dict[str, int]:
        """Physical lines by class; `total` is their sum."""
        classes = ("preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
        return {"total": sum(self.counts.values()), **{c: self.counts[c] for c in classes}}


def read_file(data: bytes, entry: Entry) -> Reading:
    """Read one file; whatever is wrong with it as a whole ends in `error`, never in an exception."""
    reading = Reading(entry)
    try:
        bounds.refuse_too_large(data)
        refuse_test_file(entry.file_name, data)
        reader = next((read for fits, read in _TREES if fits(data)), None)
        found = recognise(data, entry.file_name) if reader is None else None
        if reader is not None:
            bounds.refuse_too_many_elements(data)
            _read_tree(reading, *reader(data))
        elif isinstance(found, Profile):
            _read_custodian(reading, found, data)
        elif found is not None:
            _read_house(reading, found, data)
    except FileSetAside as aside:
        set_aside(reading, aside, line_count(data))
    return reading


def with_provenance(reading: Reading, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame (which has `source_line`) with where its rows came from."""
    entry = reading.entry
    return frame.with_columns(
        pl.lit(entry.sha256).alias("source_sha256"),
        pl.lit(entry.file_name).alias("source_file"),
        pl.lit(reading.profile, pl.String).alias("profile"),
        pl.lit(entry.received_at).alias("received_at"),
    )


def _read_house(reading: Reading, found: HouseKind, data: bytes) -> None:
    if len(data) < plain.LARGE or not _read_in_blocks(reading, found, data):
        lines = list(records(decode(data, "utf-8-sig"), ","))
        _read_rows(reading, found, lines[0], lines[1:], [])


def _read_in_blocks(reading: Reading, found: HouseKind, data: bytes) -> bool:
    """Whether a house file could be read in blocks; if not, the reading is as it was."""
    source = BytesIO(data)
    try:
        header = plain.header_of(source)
        blocks = list(plain.blocks(source))
        parts = [plain.rows_of(found.kind, header, block) for block in blocks]
    except plain.Unusual:
        return False
    begin_house(reading, found, header)
    reading.raw = plain.Lines(lambda: BytesIO(data), [(b.first, b.start, len(b.data)) for b in blocks])
    take_house(reading, *parts)
    return True


def begin_house(reading: Reading, found: HouseKind, header: Record) -> None:
    """Says what a house file is; raises `FileSetAside` for a header with a column twice."""
    reading.kind, reading.profile, reading.layout = found.kind, f"house-{found.kind}", "house"
    if found.unknown:
        extra = ", ".join(shown_names(found.unknown, house=True))
        reading.note = f"columns not known for {found.kind}, kept in the archive and not read: {extra}"
    reading.counts["header"] += header.lines
    refuse_repeated(header_cells(header), found.kind)


def take_house(reading: Reading, *parts: HouseRows) -> None:
    """The rows of a house file, in one or several parts, with where they came from."""
    kind = reading.kind or ""
    asides = [part.aside for part in parts if part.aside is not None]
    frames = [part.house for part in parts] or [house_rows(kind, [], []).house]
    reading.house = with_provenance(reading, pl.concat(frames))
    reading.ragged = with_provenance(reading, pl.concat(asides)) if asides else None
    for part in parts:
        reading.counts.update(part.counts)
        reading.rows += part.rows


def _read_rows(reading: Reading, found: HouseKind, first: Record, every: list[Record], faults: list[CellFault]) -> None:
    """A house table from its header and the records under it; rows with a faulty cell are set aside as they stand."""
    begin_house(reading, found, first)
    reading.raw = {r.first: r.raw for r in every}.__getitem__
    take_house(reading, house_rows(found.kind, header_cells(first), every, faults))


def read_sheet(sheet: Sheet, entry: Entry) -> Reading:
    """Read one sheet of a workbook; a line is a row of the sheet."""
    reading = Reading(entry)
    try:
        refuse_test_file(entry.file_name)
        if sheet.problem is not None:
            raise sheet.problem
        if sheet.kind is not None:
            _read_rows(reading, sheet.kind, sheet.records[0], sheet.records[1:], sheet.faults)
    except FileSetAside as aside:
        set_aside(reading, aside, 0)
    return reading


def set_aside(reading: Reading, aside: FileSetAside, lines: int) -> Reading:
    """The reading of a file set aside as a whole: nothing of it is kept, its `lines` are lines nobody understood."""
    reading.error = Problem(None, aside.rule, str(aside), advisor_id=aside.advisor_id)
    reading.house, reading.ragged, reading.sections, reading.problems = None, None, {}, []
    reading.counts = Counter(unknown=lines)
    return reading


def _read_custodian(reading: Reading, profile: Profile, data: bytes) -> None:
    reading.kind, reading.custodian = profile.kind, profile.custodian or None
    reading.profile, reading.layout, reading.custodian_profile = profile.name, profile.layout, profile
    named = profile.file_name.search(PurePosixPath(reading.entry.file_name).name) if profile.file_name else None
    context = file_says.by_name(profile, reading.entry, named)
    found = scan(profile, decode(data, profile.encoding), context)
    reading.layout = file_says.layout(profile, data, found)
    reading.said = found.said
    frames = section_frames(profile, found)
    check_totals(profile, found, frames)
    check_named_totals(profile, found, frames)
    said = remark(profile, frames)
    rows = _rows(profile, found.counts, frames)
    frames, kept_out = file_says.without_kept_out(profile, frames)
    reading.note = file_says.note(profile, reading.entry, context, kept_out)
    if profile.name == "irs-pub1220":
        pub1220.check_file(profile, frames, found.said["payers"])
        frames = pub1220.flagged(frames)
    reading.counts, reading.raw, reading.rows = (
        found.counts,
        found.raw.__getitem__,
        rows,
    )
    reading.problems = [
        Problem(record.first, "line_not_understood", "the line fits nothing this layout has; fetch the file again",
                account, whose(profile, found, record))
        for record, account in found.unknown
    ]  # fmt: skip
    reading.sections = {name: with_provenance(reading, _subject(frame)) for name, frame in frames.items()}
    reading.note = "; ".join(filter(None, (reading.note, said, renamed_fields(profile, found.tables)))) or None


def _read_tree(reading: Reading, tree: Tree, lines: list[str]) -> None:
    profile = tree.profile
    reading.kind, reading.custodian = profile.kind, profile.custodian
    reading.profile, reading.layout, reading.custodian_profile = profile.name, profile.layout, profile
    reading.note, reading.counts = tree.note, trees.line_counts(tree, lines)
    reading.raw = lambda number: trees.raw(lines[number - 1])
    frames = trees.frames(tree)
    reading.rows = sum(frame.height for frame in frames.values())
    reading.sections = {name: with_provenance(reading, _subject(frame)) for name, frame in frames.items()}


def _rows(profile: Profile, counts: Counter[str], frames: dict[str, pl.DataFrame]) -> int:
    data = {s.name for s in profile.sections if s.line_class == "data"}
    return sum(f.height for name, f in frames.items() if name in data) + counts["unknown"]


def _subject(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `account_number` in its joining form and `day`, the text of the posting date."""
    account = next((c for c in ("payer_account_number", "account") if c in frame.columns), None)
    frame = frame.with_columns(
        (normalised(frame, account) if account else pl.lit(None, pl.String)).alias("account_number")
    )
    day = pl.col("date").str.extract(r"^(\S+)") if "date" in frame.columns else pl.lit(None, pl.String)
    return frame.with_columns(day.alias("day"))
