"""What is this file? Exactly one house kind or one custodian profile must fit, else the file is set aside."""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from schemas.profile import Profile, profiles
from schemas.tables import HOUSE_KINDS, INPUT_TABLES
from transforms.intake.drift import difference
from transforms.intake.lines import FileSetAside, header_name, header_section, line_count

_HEAD_BYTES = 65_536
_HEAD_LINES = 20
_BINARY = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"{\\rtf": "an RTF document",
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip file",
    b"Rar!": "a RAR file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"(\xb5/\xfd": "a Zstandard file",
}
_WEB_PAGE = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BOM_16 = (b"\xff\xfe", b"\xfe\xff")
#: What spreadsheets of other countries put between cells, and how it is called.
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
#: How text begins that is no table: data for programs.
_NO_TABLE = (
    (re.compile(rb"\s*<\?xml|\s*<[a-z]", re.IGNORECASE), "XML of a kind this book doesn't know"),
    (re.compile(rb"\s*[\[{]\s*(?:[\"{\[\]}]|$)"), "JSON"),
)
_TAR = slice(257, 262)
_LINE_END = re.compile(r"\r\n|\n|\r")
_UTF8_BOM = "\xef\xbb\xbf"


@dataclass(frozen=True)
class HouseKind:
    """A house file: its kind, and the columns of its header that the kind doesn't know."""

    kind: str
    unknown: tuple[str, ...]
    matched: int


def recognise(data: bytes, file_name: str) -> HouseKind | Profile:
    """The one house kind or profile the file fits; raises `FileSetAside` if none or several do."""
    refuse_binary(data)
    head = data[:_HEAD_BYTES].decode("latin-1").removeprefix(_UTF8_BOM)
    lines = _LINE_END.split(head)[:_HEAD_LINES]
    names = _cells(lines[:1], ",")
    house = _house_kinds(names[0] if names else [])
    rows = {
        delimiter: [{header_name(cell) for cell in row} for row in _cells(lines, delimiter)]
        for delimiter in {p.delimiter for p in profiles()}
    }
    custodian = [p for p in profiles() if _fits(p, lines, rows[p.delimiter])]
    found: list[HouseKind | Profile] = [*house, *custodian]
    if len(found) > 1:
        what = ", ".join(x.kind if isinstance(x, HouseKind) else x.name for x in found)
        raise FileSetAside(
            "several_kinds_fit", f"the header fits several kinds ({what}); add the columns of one of them"
        )
    if not found:
        _refuse_no_table(data)
        _refuse_other_delimiter(lines[:1])
        raise FileSetAside("kind_not_known", difference(lines))
    return _named(found[0], file_name)


def refuse_binary(data: bytes) -> None:
    """Raises `FileSetAside` for what can't be a text file: nothing at all, PDF, unknown archives, NUL bytes."""
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise FileSetAside("empty_file", "the file is empty; drop it again once it has been written")
    for magic, what in _BINARY.items():
        if data.startswith(magic):
            raise FileSetAside("not_text", f"the file is {what}; a text file is expected: export as CSV")
    if data[_TAR] == b"ustar":
        raise FileSetAside("not_text", "the file is a tar archive; deliver the files as they are, or as a zip file")
    if data.startswith(_BOM_16):
        raise FileSetAside("wrong_encoding", "the file is UTF-16 text ('Unicode' in Excel); save it as CSV UTF-8")
    if _WEB_PAGE.match(data[:_HEAD_BYTES]):
        raise FileSetAside("not_text", "the file is a web page (a log-in page, perhaps); download the file again")
    if b"\0" in data:
        line = line_count(data[: data.index(b"\0") + 1])
        raise FileSetAside(
            "nul_bytes", f"line {line} has NUL bytes: the file is damaged or UTF-16; save it as UTF-8 text"
        )


def _refuse_no_table(data: bytes) -> None:
    """Raises `FileSetAside` for text that was recognised as nothing and can't be a table either."""
    head = data[:_HEAD_BYTES].removeprefix(_UTF8_BOM.encode("latin-1"))
    for begins, what in _NO_TABLE:
        if begins.match(head):
            raise FileSetAside("not_a_table", f"the file is {what}, not a table; fetch or export it again as CSV")
    if len(head) == _HEAD_BYTES and not _LINE_END.search(head.decode("latin-1")):
        raise FileSetAside("line_too_long", f"line 1 has more than {_HEAD_BYTES:,} characters: it is no table's header")


def _named(found: HouseKind | Profile, file_name: str) -> HouseKind | Profile:
    name = PurePosixPath(file_name).name
    if isinstance(found, Profile):
        if found.refuse_name and found.refuse_name.search(name):
            raise FileSetAside("test_file", "the file name says it is a test file; test files are refused")
        if found.file_name and not found.file_name.search(name):
            raise FileSetAside("file_name_changed", found.file_name_says)
    return found


def _cells(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []


def _house_kinds(header: list[str]) -> list[HouseKind]:
    """The best kinds for a header: all required columns there; no unknown column, then most known ones, preferred."""
    header_names = [cell.strip() for cell in header]
    fits = []
    for kind in HOUSE_KINDS:
        table = INPUT_TABLES[kind]
        known = {c.name for c in table.columns}
        names = [n for n in header_names if n not in table.beside]
        if set(table.required) <= set(names):
            fits.append(HouseKind(kind, tuple(n for n in names if n not in known), sum(n in known for n in names)))
    best = max(((not f.unknown, f.matched) for f in fits), default=None)
    return [f for f in fits if (not f.unknown, f.matched) == best]


def _fits(profile: Profile, lines: list[str], rows: list[set[str]]) -> bool:
    if profile.first_line is not None and not (lines and profile.first_line.search(lines[0])):
        return False
    if profile.format == "fixed" or profile.columns:
        return True
    return any(header_section(profile, names) is not None for names in rows)


def _refuse_other_delimiter(first: list[str]) -> None:
    """Raises `FileSetAside` for a house header whose columns something else than commas parts."""
    for delimiter, called in _OTHER_DELIMITERS.items():
        if _house_kinds(next(iter(_cells(first, delimiter)), [])):
            raise FileSetAside(
                "wrong_delimiter", f"line 1: {called} part the columns; save the file as CSV with commas between them"
            )


def knows_a_column(header: list[str]) -> bool:
    """True when a name in the header is a required column of some house kind: the table is meant to be read."""
    return any(set(INPUT_TABLES[kind].required) & set(header) for kind in HOUSE_KINDS)


def house_kind(header: list[str]) -> HouseKind:
    """The one house kind a header is of; raises `FileSetAside` if it is of none or of several."""
    fits = _house_kinds(header)
    if len(fits) > 1:
        what = ", ".join(f.kind for f in fits)
        raise FileSetAside(
            "several_kinds_fit", f"the header fits several kinds ({what}); add the columns of one of them"
        )
    if not fits:
        wanted = {kind: set(INPUT_TABLES[kind].required) for kind in HOUSE_KINDS}
        nearest = max(wanted, key=lambda k: (len(wanted[k] & set(header)) / len(wanted[k]), k))
        missing = ", ".join(sorted(wanted[nearest] - set(header)))
        raise FileSetAside(
            "kind_not_known", f"the header fits no house kind; nearest is {nearest}, which also has {missing}"
        )
    return fits[0]
