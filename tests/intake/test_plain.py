"""House files read in blocks come to exactly what the line reader makes of them, however messy they are."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from io import BytesIO

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from transforms.intake import plain
from transforms.intake.reading import Reading, read_file
from transforms.intake.register import Entry

HEADER = "custodian,account_number,as_of,market_value"
ROW = "bench,211-000101,2026-12-31,1.50"
#: Lines as exports, spreadsheets and hands leave them.
LINES = (
    ROW, "", " ", ",,,", ' , ,"", ', "a,b", "a,b,c,d,e", HEADER, "\ufeff" + HEADER, f"{HEADER},",
    'custodian,"account_number",as_of,market_value', '"bench","21,1","2026-12-31","1.50"', '"be""nch",x,,',
    'be"nch,x,,',
    'bench," x",y,"', '"two', 'lines",x,y,z', '"a" ,b,c,d', "é\u00a0,\u2028x,\u0085,z", "a,\x1cb\x1f,c,d",
    "custodian,x,y,z", ",x,y,z", "  bench\t,x , y,\x0b", '"",x,y,z', '"a""",b,c,d', '"""",b,c,d', '"a"b,c,d,e',
    "\ufeffa,b,c,d", "x" * 40,
)  # fmt: skip
ENDS = ("\n", "\r\n", "\n", "\n", "\r")


@st.composite
def files(draw: st.DrawFn) -> bytes:
    header = draw(
        st.sampled_from((HEADER, HEADER, HEADER + ",note", '"custodian",account_number, as_of ,market_value'))
    )
    ends = draw(st.sampled_from((("\n",), ("\r\n",), ("\n", "\r\n"), ENDS)))
    of = draw(st.sampled_from((LINES, tuple(line for line in LINES if '"' not in line))))
    lines = draw(st.lists(st.sampled_from(of) | st.text(',"a \n\r\x1eé', max_size=12), max_size=8))
    text = "".join(line + draw(st.sampled_from(ends)) for line in (header, *lines))
    data = (draw(st.sampled_from(("", "\ufeff"))) + text).encode()
    data = data.rstrip(b"\r\n") if draw(st.booleans()) else data
    return data + draw(st.sampled_from((b"", b"", b"", b"\xff", b"\x00", b"bench,1,2026-12-31,2")))


def told(reading: Reading) -> dict[str, object]:
    return {
        "kind": reading.kind, "note": reading.note, "lines": reading.lines, "rows": reading.rows,
        "error": reading.error and (reading.error.rule, reading.error.message),
    }  # fmt: skip


def frames(reading: Reading) -> list[pl.DataFrame | None]:
    ragged = None if reading.ragged is None else reading.ragged.sort("source_line", "rule")
    return [reading.house, ragged]


def read(data: bytes, monkeypatch: pytest.MonkeyPatch, *, large: int, block: int = plain.BLOCK) -> Reading:
    monkeypatch.setattr(plain, "LARGE", large)
    monkeypatch.setattr(plain, "BLOCK", block)
    return read_file(data, Entry(date(2026, 12, 31), "balances.csv", sha256(data).hexdigest()))


@settings(max_examples=150, deadline=None)
@given(files(), st.sampled_from((1, 40, 100, 10_000)))
@example(f"{HEADER}\n{ROW}\n{ROW}\na,b\n".encode(), 10_000)
@example(f"{HEADER}\n{ROW}\na,b\na,b,c,d,e,f\n{ROW}".encode(), 10_000)
@example(f"{HEADER}\n{ROW}\n\n{ROW}".encode(), 40)
@example((f"{HEADER}\n" + f"{ROW}\n" * 20 + "short,row\n" + f'"bench","x",,"1"\n{HEADER}\n').encode(), 100)
def test_blocks_come_to_what_the_line_reader_does(data: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        slow = read(data, patch, large=10**9)
        fast = read(data, patch, large=0, block=block)
    assert told(fast) == told(slow)
    for found, expected in zip(frames(fast), frames(slow), strict=True):
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert_frame_equal(found, expected)
            for line in found["source_line"]:
                assert fast.raw(line) == slow.raw(line)


def in_blocks(text: str) -> bool:
    source = BytesIO(text.encode())
    try:
        header = plain.header_of(source)
        for block in plain.blocks(source):
            plain.rows_of("balances", header, block)
    except plain.Unusual:
        return False
    return True


QUOTED = 'custodian,"account_number",as_of,market_value'


@pytest.mark.parametrize("line", [ROW, "", ",,,", "a,b", HEADER, '"bench","21,1",,"1.50"', QUOTED, "é,x,y,z"])
def test_rows_of_a_line_each_are_read_in_blocks(line: str) -> None:
    assert in_blocks(f"{HEADER}\n{ROW}\n{line}\n{ROW}\n")
    assert in_blocks(f"{HEADER}\r\n{ROW}\r\n{line}\r\n{ROW}")


OTHERS = ['"two\nlines",x,y,z', 'be"nch,x,y,z', "a\rb,x,y,z", "a,\x1c,y,z", "a,\0,y,z", "a" * 40_000]


@pytest.mark.parametrize("line", OTHERS)
def test_what_may_be_read_otherwise_is_left_to_the_line_reader(line: str) -> None:
    assert not in_blocks(f"{HEADER}\n{ROW}\n{line}\n{ROW}\n")
