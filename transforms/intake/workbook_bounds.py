"""How large a workbook may be before anything opens it: a few bytes of XML can claim billions of cells.

What reads a sheet lays out every cell of the rectangle from A1 to the last one, and repeats a shared text in each cell
that refers to it. So both are added up here from the XML alone, and a workbook over a bound is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from io import BytesIO

from defusedxml import ElementTree as SafeXml

from transforms.intake.bounds import declares_another_encoding
from transforms.intake.lines import FileSetAside

#: Cells of all sheets together, each sheet counted as the rectangle from A1 to its last cell.
MAX_CELLS = 5_000_000
#: Characters of the shared texts of a workbook, each counted as often as a cell refers to it.
MAX_TEXT = 256 * 1024**2
#: Bytes of the XML of one part.
MAX_PART_BYTES = 256 * 1024**2
MAX_SHEETS = 256
#: Excel's own last row and column; what claims to be beyond them is damaged.
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384

_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]+)["']""")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*([0-9]+)""")
_ROW, _CELL = re.compile(rb"<(?:\w+:)?row[\s>/]"), re.compile(rb"<(?:\w+:)?c[\s>/]")
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_SI = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}si"
_STRINGS = "xl/sharedStrings.xml"


def refuse_too_large(parts: Mapping[str, bytes], sheets: Iterable[str]) -> None:
    """Raises `FileSetAside` for a workbook whose parts, or `sheets` (the part of each), are over a bound.

    Raises `KeyError` if a sheet's part isn't there, `ValueError` if a cell lies where no workbook has cells or a part
    is in another encoding, and what defusedxml raises for texts that are no XML.
    """
    for name, data in parts.items():
        if len(data) > MAX_PART_BYTES:
            raise _too_large(f"a part of it unpacks to more than {MAX_PART_BYTES // 1024**2} MiB")
        if not name.startswith("xl/") or not name.endswith((".xml", ".rels")):
            continue
        if declares_another_encoding(data):
            raise ValueError("a part is in another encoding than UTF-8")
        if _DECLARES.search(data):
            raise FileSetAside(
                "dtd_refused", "the workbook declares a DTD or entities, which Excel never writes; it isn't read"
            )
    paths = list(sheets)
    if len(paths) > MAX_SHEETS:
        raise _too_large(f"it has more than {MAX_SHEETS} sheets")
    if sum(map({p: _cells(parts[p]) for p in set(paths)}.__getitem__, paths)) > MAX_CELLS:
        raise _too_large(f"its sheets reach over more than {MAX_CELLS:,} cells")
    if _STRINGS in parts:
        _refuse_repeated_text(parts[_STRINGS], [parts[p] for p in paths])


def _too_large(why: str) -> FileSetAside:
    return FileSetAside(
        "workbook_too_large",
        f"{why}; delete the empty rows and columns after the table (Ctrl+End shows the last cell), or save as CSV",
    )


def _cells(xml: bytes) -> int:
    """How many cells the rectangle from A1 to the last cell of a sheet has."""
    places = set(_PLACE.findall(xml))
    bottom = max((int(number[:9]) for _, number in places), default=0)
    right = max((_column(letters) for letters in {letters for letters, _ in places}), default=0)
    if bottom > _LAST_ROW or right > _LAST_COLUMN:
        raise ValueError("a cell beyond the last row or column of a workbook")
    rows, cells = len(_ROW.findall(xml)), len(_CELL.findall(xml))
    if len(_PLACE.findall(xml)) < rows + cells:  # some don't say where they are: each is after the one before it
        bottom, right = bottom + rows, right + cells
    return bottom * right


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters.upper()[:8]:
        place = place * 26 + letter - 64
    return place


def _refuse_repeated_text(strings: bytes, sheets: list[bytes]) -> None:
    lengths = []
    for _, element in SafeXml.iterparse(BytesIO(strings), forbid_dtd=True):
        if element.tag == _SI:
            lengths.append(sum(map(len, element.itertext())))
            element.clear()
    total, longest = 0, max(lengths, default=0)
    for xml in sheets:
        used = _SHARED.findall(xml)
        if total + longest * len(used) <= MAX_TEXT:
            total += longest * len(used)  # however they are spread, it isn't too much
        else:
            total += sum(lengths[n] for text in used if (n := int(text[:9])) < len(lengths))
        if total > MAX_TEXT:
            raise _too_large(f"its cells repeat more than {MAX_TEXT // 1024**2} MiB of text")
