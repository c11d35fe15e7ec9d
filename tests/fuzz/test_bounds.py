"""Memory and time stay bounded whatever arrives: each case runs in a process of its own that may not take more."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.intake.nights import Book
from transforms.intake import bounds

MIB = 1024**2
#: What reading every hostile file, one after the other, may take in all.
MEMORY, SECONDS = 4096 * MIB, 240
_CHECK = """
import json, sys
from pathlib import Path
from transforms.intake import check_file
for name in sys.argv[1:]:
    print(name, flush=True)
    found = check_file(Path(name), b"a key that only tests use")
    every = [found, *found.members]
    print(json.dumps([c.reading.error.rule if c.reading.error else None for c in every]), flush=True)
"""
BASIS = b"person_id,tax_year,basis\n"


def within_limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def rows(xml: str) -> bytes:
    sheet = corpus.PARTS[corpus.SHEET].replace("</sheetData>", xml + "</sheetData>")
    return corpus.workbook(sheet=sheet)


def many_members() -> bytes:
    return corpus.zipped({f"{n}.csv": b"" for n in range(20_000)})


def repeated_text() -> bytes:
    strings = corpus.PARTS["xl/sharedStrings.xml"].replace("P1", "P" * 1_000_000)
    cells = '<row r="3">' + '<c t="s"><v>3</v></c>' * 5_000 + "</row>"
    sheet = corpus.PARTS[corpus.SHEET].replace("</sheetData>", cells + "</sheetData>")
    return corpus.workbook(sheet=sheet, strings=strings)


def many_sheets() -> bytes:
    sheets = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r1"/>' for n in range(2, 2_000))
    return corpus.workbook(book=corpus.PARTS["xl/workbook.xml"].replace("</sheets>", sheets + "</sheets>"))


FLEX = next(iter(corpus.structured(".xml"))).data
OFX = next(iter(corpus.structured(".qfx"))).data

CASES: dict[str, tuple[str, Callable[[], bytes], str | None]] = {
    "line of 10 MB": ("a.csv", lambda: BASIS + b"P1,2024," + b"1" * 10_000_000 + b"\n", "line_too_long"),
    "open quote": ("a.csv", lambda: BASIS + b'P1,2024,"' + b"6000\nP2,2024,5\n" * 200_000, "quotes_broken"),
    "a million columns": ("a.csv", lambda: BASIS[:-1] + b",x" * 1_000_000 + b"\nP1,2024,5\n", "line_too_long"),
    "many columns": ("a.csv", lambda: BASIS[:-1] + b",x" * 5_000 + b"\nP1,2024,5\n", "too_many_columns"),
    "columns of nothing known": ("a.csv", lambda: b",".join(b"ab%d" % n for n in range(9_000)), "kind_not_known"),
    "blank lines": ("a.csv", lambda: BASIS + b"\n" * 20_000_000, "too_many_lines"),
    "blank lines, packed": ("a.csv.gz", lambda: gzip.compress(b"\n" * 21_000_000, mtime=0), "archive_too_large"),
    "members": ("a.zip", many_members, "archive_too_large"),
    "far cell": ("a.xlsx", lambda: rows('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "workbook_too_large"),
    "cell beyond": ("a.xlsx", lambda: rows('<row r="3"><c r="ZZZZZZZ3"><v>1</v></c></row>'), "workbook_damaged"),
    "one text in every cell": ("a.xlsx", repeated_text, "workbook_too_large"),
    "one part, many sheets": ("a.xlsx", many_sheets, "workbook_too_large"),
    "deep XML": ("a.xlsx", lambda: rows("<a>" * 200_000 + "</a>" * 200_000), None),
    "deep OFX": ("a.qfx", lambda: OFX.replace(b"</OFX>", b"<A>" * 200_000 + b"</A>" * 200_000 + b"</OFX>"), None),
    "OFX elements": ("a.qfx", lambda: OFX.replace(b"</OFX>", b"<A>b" * 4_000_000 + b"</OFX>"), "too_many_elements"),
    "OFX without an end": (
        "a.qfx", lambda: OFX.replace(b"</OFX>", b"<A><![CDATA[" * 500_000 + b"</OFX>"), "not_well_formed"
    ),
    "Flex elements": (
        "a.xml", lambda: FLEX.replace(b"</FlexQueryResponse>", b"<a/>" * 5_000_000 + b"</FlexQueryResponse>"),
        "too_many_elements",
    ),
}  # fmt: skip


def overlapping() -> bytes:
    """Every entry of the directory names the same 8 MB: what is added up is what comes out, not what is stored."""
    whole = corpus.zipped({"a.csv": b"0" * 8_000_000})
    start, last = whole.index(b"PK\x01\x02"), whole.index(b"PK\x05\x06")
    entries, end = 500, bytearray(whole[last:])
    end[8:10] = end[10:12] = entries.to_bytes(2, "little")
    end[12:16] = ((last - start) * entries).to_bytes(4, "little")
    return whole[:start] + whole[start:last] * entries + bytes(end)


CASES["overlapping members"] = ("b.zip", overlapping, "archive_too_large")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str | None]]:
    """The rule each reading of each case was set aside by, from one process with bounded memory and time."""
    root, paths = tmp_path_factory.mktemp("hostile"), {}
    for number, (case, (name, make, _)) in enumerate(CASES.items()):
        paths[case] = root / f"{number}-{name}"
        paths[case].write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, *map(str, paths.values())],
        cwd=Path(__file__).parents[2], preexec_fn=within_limits, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert done.returncode == 0, (said[-1:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    return {case: json.loads(said[2 * number + 1]) for number, case in enumerate(paths)}


@pytest.mark.parametrize("case", CASES)
def test_memory_and_time_are_bounded(read: dict[str, list[str | None]], case: str) -> None:
    assert read[case][-1] == CASES[case][2]


def test_a_file_over_the_bound_of_bytes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_FILE_BYTES", MIB)
    night = (
        Book(tmp_path).drop("a.csv", BASIS + (b"x" * 999 + b"\n") * 1_100).drop("b.csv", BASIS + b"P1,2024,5\n").night()
    )
    assert night.rejects.select("file", "rule", "message").rows() == [
        ("a.csv", "file_too_large", "the file has more than 1 MiB; split it and drop the parts")
    ]
    assert night.table("ira_basis").height == 1
