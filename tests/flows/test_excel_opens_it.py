"""Every workbook of the demo book against what Excel is known to offer a repair for, read from the XML it is given."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from openpyxl.utils.cell import range_boundaries
from openpyxl.xml.functions import fromstring

from flows import pipeline
from flows.demo import write_demo

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
#: What a worksheet's parts may follow one another as: Excel refuses any other order.
ORDER = (
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection",
    "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews",
    "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions",
    "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches",
    "ignoredErrors", "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF", "picture",
    "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
#: The parts of a font, in the order of the schema (CT_Font); the Open XML SDK takes no other (`make office`).
FONT = (
    "b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family",
    "charset", "scheme",
)  # fmt: skip
LONGEST = {"prompt": 255, "error": 255, "promptTitle": 32, "errorTitle": 32}


class Opened:
    """A workbook's parts as XML, by the names of its sheets."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self.names = archive.namelist()
            self.parts = {n: fromstring(archive.read(n)) for n in self.names if n.endswith((".xml", ".rels"))}
        self.book = self.parts["xl/workbook.xml"]
        places = {r.get("Id"): r for r in self.relations("xl/workbook.xml")}
        self.sheets = {
            s.attrib["name"]: _target("xl/workbook.xml", places[s.get(f"{OFFICE}id")])
            for s in self.book.iter(f"{MAIN}sheet")
        }
        strings = self.parts.get("xl/sharedStrings.xml")
        self.strings = [] if strings is None else ["".join(s.itertext()) for s in strings.iter(f"{MAIN}si")]

    def relations(self, part: str) -> list[Any]:
        folder = PurePosixPath(part)
        rels = self.parts.get(f"{folder.parent}/_rels/{folder.name}.rels")
        return [] if rels is None else list(rels.iter(RELATIONS))

    def text(self, cell: Any) -> str:
        value = cell.find(f"{MAIN}v")
        if cell.get("t") == "s" and value is not None:
            return self.strings[int(value.text or "")]
        return "".join(t.text or "" for t in cell.iter(f"{MAIN}t")) if cell.get("t") == "inlineStr" else ""

    def tables(self) -> Iterator[tuple[str, Any]]:
        for part in self.sheets.values():
            for relation in self.relations(part):
                if relation.attrib["Type"].endswith("/table"):
                    yield part, self.parts[_target(part, relation)]


def _target(part: str, relation: Any) -> str:
    path = relation.attrib["Target"]
    if path.startswith("/"):
        return path[1:]
    found: list[str] = []
    for step in [*PurePosixPath(part).parent.parts, *PurePosixPath(path).parts]:
        found = found[:-1] if step == ".." else [*found, step]
    return "/".join(found)


@pytest.fixture(scope="module")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opened]:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder / "inbox")
    run = pipeline.run_direct(pipeline.plan(folder / "inbox", folder / "out", date(2026, 12, 1), None, 0))
    found = {path.stem: Opened(path) for path in sorted((run / "workbooks").glob("*.xlsx"))}
    assert {"ADV1", "ADV5", "_firm", "_set_aside"} <= set(found)
    return found


def test_every_part_is_declared_and_every_relation_leads_to_one(workbooks: dict[str, Opened]) -> None:
    for name, book in workbooks.items():
        assert len(book.names) == len(set(book.names)), name
        types = list(book.parts["[Content_Types].xml"])
        declared = {t.attrib["PartName"][1:] for t in types if "PartName" in t.attrib}
        endings = {t.attrib["Extension"] for t in types if "Extension" in t.attrib}
        assert declared <= set(book.names), name
        for part in book.names:
            assert part in declared or part.rpartition(".")[2] in endings, (name, part)
            for relation in [] if part.endswith(".rels") else book.relations(part):
                if relation.get("TargetMode") != "External":
                    assert _target(part, relation) in book.names, (name, part, relation.attrib)


def test_sheets_and_names_are_ones_excel_takes(workbooks: dict[str, Opened]) -> None:
    for name, book in workbooks.items():
        folded = [title.casefold() for title in book.sheets]
        assert len(folded) == len(set(folded)), name
        for title in book.sheets:
            assert 0 < len(title) <= 31, (name, title)
            assert not re.search(r"[][:*?/\\]|^'|'$", title), (name, title)
        given = [(d.get("localSheetId"), d.attrib["name"].casefold()) for d in book.book.iter(f"{MAIN}definedName")]
        assert len(given) == len(set(given)), name
        for defined in book.book.iter(f"{MAIN}definedName"):
            word = defined.attrib["name"]
            assert re.fullmatch(r"[A-Za-z_\\][\w.\\]{0,254}", word), (name, word)
            assert not re.fullmatch(r"[A-Za-z]{1,3}\d+|[RrCc]\d*|[Rr]\d+[Cc]\d+", word), (name, word)
            assert "#REF!" not in (defined.text or ""), (name, word)
            for quoted, bare in re.findall(r"'((?:[^']|'')+)'!|\b([A-Za-z_]\w*)!", defined.text or ""):
                assert (quoted.replace("''", "'") or bare) in book.sheets, (name, word, defined.text)


def test_tables_are_named_once_and_their_headers_are_their_cells(workbooks: dict[str, Opened]) -> None:
    seen = 0
    for name, book in workbooks.items():
        taken = {d.attrib["name"].casefold() for d in book.book.iter(f"{MAIN}definedName")}
        ids: set[str] = set()
        for part, table in book.tables():
            word = table.attrib["displayName"]
            assert word.casefold() not in taken, (name, word)
            assert table.attrib["id"] not in ids, (name, word)
            taken.add(word.casefold())
            ids.add(table.attrib["id"])
            left, top, right, bottom = range_boundaries(table.attrib["ref"])
            headers = [c.attrib["name"] for c in table.iter(f"{MAIN}tableColumn")]
            cells = {c.attrib["r"]: c for c in book.parts[part].iter(f"{MAIN}c")}
            written = [book.text(c) for r, c in cells.items() if range_boundaries(r)[1] == top]
            assert bottom > top, (name, word)
            assert written[left - 1 : right] == headers, (name, word)
            assert len({h.casefold() for h in headers}) == len(headers) == right - left + 1, (name, word)
            merged = [range_boundaries(m.attrib["ref"]) for m in book.parts[part].iter(f"{MAIN}mergeCell")]
            assert not [m for m in merged if _meet(m, (left, top, right, bottom))], (name, word)
            assert book.parts[part].find(f"{MAIN}autoFilter") is None, (name, word)
            seen += 1
    assert seen > 40


def _meet(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    sides = [n or 0 for n in (*a, *b)]
    return sides[0] <= sides[6] and sides[4] <= sides[2] and sides[1] <= sides[7] and sides[5] <= sides[3]


def test_worksheets_keep_the_order_and_the_limits_of_their_parts(workbooks: dict[str, Opened]) -> None:
    for name, book in workbooks.items():
        styles = book.parts["xl/styles.xml"]
        formats = len(styles.findall(f"{MAIN}cellXfs/{MAIN}xf"))
        differential = len(styles.findall(f"{MAIN}dxfs/{MAIN}dxf"))
        assert 0 < formats < 64_000, name
        for title, part in book.sheets.items():
            sheet = book.parts[part]
            here = (name, title)
            order = [ORDER.index(child.tag.removeprefix(MAIN)) for child in sheet]
            assert order == sorted(order), here
            rows = [int(r.attrib["r"]) for r in sheet.iter(f"{MAIN}row")]
            assert rows == sorted(set(rows)), here
            for row in sheet.iter(f"{MAIN}row"):
                columns = [range_boundaries(c.attrib["r"])[0] or 0 for c in row]
                assert columns == sorted(set(columns)), here
                assert float(row.get("ht", "0")) <= 409, here
            for cell in sheet.iter(f"{MAIN}c"):
                assert int(cell.get("s", "0")) < formats, here
                assert len(book.text(cell).encode("utf-16-le")) <= 2 * 32_767, here
                assert len(cell.findtext(f"{MAIN}f") or "") <= 8_192, here
            for rule in sheet.iter(f"{MAIN}cfRule"):
                assert int(rule.get("dxfId", "0")) < max(1, differential), here
            merged = [range_boundaries(m.attrib["ref"]) for m in sheet.iter(f"{MAIN}mergeCell")]
            assert not [n for n, m in enumerate(merged) for o in merged[:n] if _meet(m, o)], here
            for line in (n for h in sheet.iter(f"{MAIN}headerFooter") for n in h):
                assert len(line.text or "") <= 255, here


def test_fonts_keep_the_order_of_their_parts(workbooks: dict[str, Opened]) -> None:
    for name, book in workbooks.items():
        fonts = list(book.parts["xl/styles.xml"].iter(f"{MAIN}font"))
        assert len(fonts) > 10, name
        for font in fonts:
            order = [FONT.index(part.tag.removeprefix(MAIN)) for part in font]
            assert order == sorted(order), name


def test_validations_and_links_lead_somewhere_and_are_short_enough(workbooks: dict[str, Opened]) -> None:
    lists = links = 0
    for name, book in workbooks.items():
        for title, part in book.sheets.items():
            here = (name, title)
            sheet = book.parts[part]
            for check in sheet.iter(f"{MAIN}dataValidation"):
                formula = check.findtext(f"{MAIN}formula1") or ""
                assert check.attrib["sqref"], here
                assert formula, here
                assert len(formula) <= 255, here
                assert all(len(check.get(a, "")) <= n for a, n in LONGEST.items()), here
                for quoted, bare in re.findall(r"'([^']+)'!|\b(\w+)!", formula):
                    assert (quoted or bare) in book.sheets, here
                lists += 1
            places = {r.attrib["Id"] for r in book.relations(part)}
            cells = [link.attrib["ref"] for link in sheet.iter(f"{MAIN}hyperlink")]
            assert len(cells) == len(set(cells)), here
            for link in sheet.iter(f"{MAIN}hyperlink"):
                assert len(link.get("tooltip", "")) <= 255, here
                assert (link.get(f"{OFFICE}id") in places) or link.get("location"), (here, link.attrib)
                where = re.fullmatch(r"'((?:[^']|'')+)'![A-Z]{1,3}\d+", link.get("location", ""))
                if link.get(f"{OFFICE}id") is None:
                    assert where, (here, link.attrib)
                    assert where[1].replace("''", "'") in book.sheets, (here, link.attrib)
                links += 1
    assert lists > 20
    assert links > 100
