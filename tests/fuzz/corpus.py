"""What fuzzing starts from: golden files, a file of every house kind, containers around them; and how it is spoilt.

A spoilt file is a seed and a list of edits, and nothing else: the same edits always give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.profile import profiles
from schemas.tables import HOUSE_KINDS, INPUT_TABLES, Column

GOLDEN = Path(__file__).parents[1] / "golden"
SHEET = "xl/worksheets/sheet1.xml"
#: Cells no file should have, and that some file will.
NASTY = tuple(text.encode("utf-8", "surrogatepass") for text in (
    "1e308", "-0", "-0.00", "NaN", "sNaN", "Infinity", "-1", "9999999999999999.99", "999999999999999", "9" * 40,
    "1" * 5000, "0000-00-00", "0000-01-01", "9999-99-99", "2026-02-30", "-0005-01-01", "00000101", "99999999",
    "00/00/0000", "12/31/0000", "Jan-01-0000", "\ufeff", "\u202e", "\0", "\x1b[2J", "\x85", "\u2028", '"', '""', "'",
    "---", "XXXX-", "...1", "=1+1", "\u0663\u0664", "1,234.5", "$-1", "(1", "+", "%s{}", "A" * 40_000, "\r", "\n", "\t",
    ",", ";", "<a>", "]]>", "&x;", "<![CDATA[", "", " ", "\ud800", "caf\u00e9",
))  # fmt: skip
_CELL = re.compile(rb"[^,;|\t\r\n\"<>=/]+")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Seed(NamedTuple):
    """A file as it may come: its name (some layouts are known by it) and its bytes."""

    name: str
    data: bytes


class Edit(NamedTuple):
    """One way to spoil bytes: which, where (counted round and round), and with what."""

    kind: str
    place: int
    what: int


def _replace(data: bytes, edit: Edit) -> bytes:
    cells = list(_CELL.finditer(data))
    if not cells:
        return data
    cell = cells[edit.place % len(cells)]
    return data[: cell.start()] + NASTY[edit.what % len(NASTY)] + data[cell.end() :]


def _overwrite(data: bytes, edit: Edit) -> bytes:
    """As `_replace`, and nothing moves: what spoils a field of a fixed-width record."""
    place, text = edit.place % (len(data) + 1), NASTY[edit.what % len(NASTY)][:64]
    return data[:place] + text + data[place + len(text) :]


def _lines(data: bytes, edit: Edit) -> bytes:
    lines = [line for line in _LINE.findall(data) if line]
    if not lines:
        return data
    here, there = edit.place % len(lines), edit.what % len(lines)
    if edit.what % 3 == 0:
        lines.insert(there, lines[here])
    elif edit.what % 3 == 1:
        lines[here], lines[there] = lines[there], lines[here]
    else:
        del lines[here]
    return b"".join(lines)


_ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"")
_ENCODINGS = ("utf-16", "utf-32", "utf-7", "cp500", "utf-8-sig")


def _encode(data: bytes, edit: Edit) -> bytes:
    return data.decode("latin-1").encode(_ENCODINGS[edit.what % len(_ENCODINGS)])


_SPOIL = {
    "cell": _replace,
    "overwrite": _overwrite,
    "insert": lambda d, e: d[: (p := e.place % (len(d) + 1))] + NASTY[e.what % len(NASTY)] + d[p:],
    "cut": lambda d, e: d[: e.place % (len(d) + 1)],
    "drop": lambda d, e: d[: (p := e.place % (len(d) + 1))] + d[p + 1 + e.what % 64 :],
    "byte": lambda d, e: d[: (p := e.place % (len(d) + 1))] + bytes([e.what % 256]) + d[p + 1 :],
    "lines": _lines,
    "ends": lambda d, e: re.sub(rb"\r\n|\r|\n", _ENDS[e.what % len(_ENDS)], d),
    "encoding": _encode,
    "twice": lambda d, _: d + d,
}
KINDS = tuple(_SPOIL)
#: No spoilt file grows over this, so that a search looks at many small files.
LONGEST = 200_000


def spoilt(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes after every edit."""
    for edit in edits:
        data = _SPOIL[edit.kind](data, edit)[:LONGEST]
    return data


_STATED = {"money": "7500.00", "date": "2026-02-27", "year": "2026", "bool": "true", "int": "3", "percent": "24"}


_ANOTHER = {"date": "2026-01-30", "year": "2025", "int": "4"}


def _stated(column: Column) -> str:
    if column.name.endswith("tax_id"):
        return "901-14-7721"
    if column.name == "due_by":
        return ""
    if column.values:
        return column.values[0]
    return _STATED.get(column.kind, f"{column.name.split('_')[0]}1")


@cache
def house() -> tuple[Seed, ...]:
    """A file of two rows of every house kind, with every column it knows."""
    seeds = []
    for kind in HOUSE_KINDS:
        columns = INPUT_TABLES[kind].columns
        row = [_stated(c) for c in columns]
        keys = INPUT_TABLES[kind].key or ("person_id",)
        other = [
            _ANOTHER.get(c.kind, f"{text}0") if c.name in keys and not c.values else text if c.required else ""
            for c, text in zip(columns, row, strict=True)
        ]
        rows = ([c.name for c in columns], row, other)
        seeds.append(Seed(f"{kind}.csv", "\n".join(",".join(cells) for cells in (*rows, ())).encode()))
    return tuple(seeds)


@cache
def custodian(shape: str) -> tuple[Seed, ...]:
    """The golden files of the custodian layouts that are `delimited`, `fixed`, `records` or `pub1220`."""
    shapes = {p.name: _shape(p.name, p.format, several=bool(p.logical)) for p in profiles()}
    return tuple(
        Seed(path.name, path.read_bytes())
        for path in sorted((GOLDEN / "profiles").glob("*/*"))
        if shapes.get(path.parent.name) == shape and not _is_expected(path)
    )


def _shape(name: str, layout: str, *, several: bool) -> str:
    if name == "irs-pub1220":
        return "pub1220"
    return "records" if several or name.startswith("pershing") else layout


def _is_expected(path: Path) -> bool:
    """True for what a golden file must become, which lies beside it."""
    return any(other != path and path.name.startswith(f"{other.name}.") for other in path.parent.iterdir())


@cache
def structured(ending: str) -> tuple[Seed, ...]:
    """The golden OFX, QFX or Flex files."""
    every = sorted((GOLDEN / "structured").glob("*/*"))
    return tuple(Seed(p.name, p.read_bytes()) for p in every if not _is_expected(p) and p.suffix in ending.split())


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The members of a whole zip file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def archives() -> tuple[Seed, ...]:
    """Zip and gzip files, nested ones, and the start of a PGP message."""
    files = {seed.name: seed.data for seed in house()[:3]}
    one = zipped(files)
    return (
        Seed("a.zip", one),
        Seed(
            "b.zip", zipped({"in/a.zip": one, "x/y.csv.gz": gzip.compress(house()[3].data, mtime=0), ".hidden": b"x"})
        ),
        Seed("c.csv.gz", gzip.compress(house()[4].data, mtime=0)),
        Seed("d.csv.pgp", b"\x85\x01\x0c\x03" + bytes(range(256))),
        Seed("e.csv.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"),
    )


_NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
#: A workbook of one sheet whose texts are shared ones, as Excel writes it.
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
    'ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {_NS} xmlns:r="{_REL}"><sheets><sheet name="basis" sheetId="1" r:id="r1"/></sheets>'
    "</workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_REL}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/sharedStrings.xml": f"<sst {_NS}><si><t>person_id</t></si><si><t>tax_year</t></si><si><t>basis</t></si>"
    "<si><t>P1</t></si></sst>",
    SHEET: f'<worksheet {_NS}><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
    '<c r="C1" t="s"><v>2</v></c></row>\n<row r="2"><c r="A2" t="s"><v>3</v></c><c r="B2"><v>2024</v></c>'
    '<c r="C2"><f>3000*2</f><v>6000</v></c></row>\n</sheetData></worksheet>',
}  # fmt: skip


def workbook(**parts: bytes | str) -> bytes:
    """The workbook with some parts put in the place of its own (`sheet`, `strings`, `book`)."""
    names = {"sheet": SHEET, "strings": "xl/sharedStrings.xml", "book": "xl/workbook.xml"}
    changed = {**PARTS, **{names[key]: part for key, part in parts.items()}}
    return zipped({name: part.encode() if isinstance(part, str) else part for name, part in changed.items()})


@cache
def marked() -> dict[str, bytes]:
    """The parts of an advisor's workbook as Rothbook writes it, which comes back with marks."""
    from reports import write_workbooks
    from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles

    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Ada").person("P1", "A1", "Zebulon", "Quackenbush")
    run.finding("F1", "P1", "A1")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        write_workbooks(run.write(root), as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0")
        return unzipped((root / "workbooks" / "A1.xlsx").read_bytes())
