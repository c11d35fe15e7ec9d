"""Runs of rows in custodian files, split by Polars, come to exactly what the line reader makes of them."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from schemas.profile import Profile, profiles
from schemas.tables import INPUT_TABLES
from tests.intake.nights import GOLDEN
from transforms.intake import runs
from transforms.intake.lines import scan
from transforms.intake.reading import Reading, read_file
from transforms.intake.register import Entry

HISTORY = "Run Date,Account,Account Number,Action,Symbol,Description,Type,Price ($),Quantity,Amount ($),Settlement Date"
BOUGHT = "02/28/2026,Individual - TOD,200000498,YOU BOUGHT FUND (VTI) (Cash),VTI,,Cash,,0.000,-2247.75,"
END = "Date downloaded 02/28/2026 7:02 am"
#: Lines of a Fidelity history as exports, spreadsheets and hands leave them.
OF_A_HISTORY = (
    BOUGHT, BOUGHT, BOUGHT, BOUGHT + ",", BOUGHT + ",x", BOUGHT + ", ,", BOUGHT + ",,", "02/28/2026,IRA,1234", HISTORY,
    "", "  ", ",,,,,,,,,,", '"",,, ,,,,,,,', "x" * 50, '"' + "A sentence, of the disclaimer " * 3 + '"', END,
    f'"{END} ET"',
    HISTORY.replace("Symbol,", ""), HISTORY + ",,", '"' + HISTORY.replace(",", '","') + '"',
    "02/27/2026,Roth IRA,200000499,CASH CONTRIBUTION PRIOR YEAR (Cash),,,Cash,,,\t500.00 ,02/28/2026",
    ' 02/28/2026 ,Joint WROS, 200000500 ,"DIVIDEND, ""IN CASH"", (VTI)",--,n/a,Cash,,,$1.00,',
    '"02/28/2026","Roth IRA","200000501","YOU SOLD, ALL","","","","","","3.00",""',
    '02/28/2026,"Roth\nIRA",200000501,YOU SOLD,,,,,,3.00,', '02/28/2026,Roth IRA,2"00"1,YOU SOLD,,,,,,3.00,',
    '02/28/2026,"Roth IRA" ,200000501,YOU SOLD,,,,,,3.00,', '"02/28/2026,Roth IRA,200000501', 'note "to self",,',
    "02/28/2026,Roth IRA,200000501,YOU SOLD é\u00a0,\u2028,\u0085,,,,3.00,",
    "02/28/2026,Roth\x1c,\x1f2001,FEE,,,,,,3.00,",
    "2/28/2026,Roth IRA,200000501,YOU SOLD,,,,,,3.00,", '"Run Date\n,Account",Account Number,Action,Amount',
    '"Run Date","Account","Account Number","Action\n","Amount"',
)  # fmt: skip

POSITIONS = '"Symbol","Description","Quantity","Market Value","Cost Basis"'
HELD = '"VTI","FUND, TOTAL","2","$1,000.50","$900.00"'
BANNER = '"Positions for All-Accounts as of 09:00 PM ET, 02/28/2026"'
TOTAL = '"Account Total","--","","$1,000.50","--"'
#: Holds whatever the rows above it sum to.
UNKNOWN_TOTAL = '"Account Total","--","","--","--"'
#: Lines of Schwab positions: a label, a header, rows and a total for every account.
OF_POSITIONS = (
    HELD, HELD, HELD, UNKNOWN_TOTAL, UNKNOWN_TOTAL, '"CASH","","","--","--",', "VTI,FUND,1,$2.00,$3.00", TOTAL,
    TOTAL, "", '""', POSITIONS, POSITIONS,
    '"Contributory IRA XXXX-1234"', '"Roth IRA XXXX-1235"', "Individual ...236,,,,", BANNER,
    '"VTI","two\nlines","1","$2","3"',
    '"VTI","FUND","1","$2.00"', ' VTI,"F""D",1,N/A,3', '"VTI" ,"FUND","1","$2.00","3"', '"Account Total',
    '"","FUND","1","$2.00","3"', "VTI,Positions Total,1,$2.00,3", "Roth IRA …237", '"ÉTI","FUND","1","$2.00","3"',
)  # fmt: skip
#: Beside the samples of a layout stand the rows they come to.
EXPECTED = tuple(f".{kind}.csv" for kind in INPUT_TABLES)
ENDS = ("\n", "\r\n", "\n", "\n", "\r")


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    name, begin, of, ends_with = draw(st.sampled_from((
        ("Accounts_History.csv", ("", HISTORY), OF_A_HISTORY, (END,)),
        ("Accounts_History.csv", (HISTORY, BOUGHT, BOUGHT), OF_A_HISTORY[:12], (BOUGHT, "", END)),
        ("positions.csv", (BANNER, '"IRA XXXX-1233"', POSITIONS, HELD), OF_POSITIONS, ()),
        ("positions.csv", (BANNER, '"IRA XXXX-1233"', POSITIONS, HELD, TOTAL), OF_POSITIONS[:11], (UNKNOWN_TOTAL,)),
    )))  # fmt: skip
    ends = draw(st.sampled_from((("\n",), ("\r\n",), ("\n", "\r\n"), ENDS)))
    lines = draw(st.lists(st.sampled_from(of) | st.text(',"a \n\r\x1eé', max_size=12), max_size=10))
    text = "".join(line + draw(st.sampled_from(ends)) for line in (*begin, *lines, *ends_with))
    data = (draw(st.sampled_from(("", "\ufeff"))) + text).encode()
    return name, data.rstrip(b"\r\n") if draw(st.booleans()) else data


def read(name: str, data: bytes, monkeypatch: pytest.MonkeyPatch, *, long: int) -> Reading:
    monkeypatch.setattr(runs, "LONG", long)
    return read_file(data, Entry(date(2026, 12, 31), name, sha256(data).hexdigest()))


def told(reading: Reading) -> dict[str, object]:
    return {
        "kind": reading.kind, "profile": reading.profile, "layout": reading.layout, "note": reading.note,
        "lines": reading.lines, "rows": reading.rows, "said": reading.said, "problems": reading.problems,
        "error": reading.error and (reading.error.rule, reading.error.message),
    }  # fmt: skip


def text_of(reading: Reading, line: int) -> str | None:
    try:
        return reading.raw(line)
    except KeyError:
        return None


def same(name: str, data: bytes, long: int) -> Reading:
    """What a file comes to, having been read in both ways with the same result."""
    with pytest.MonkeyPatch.context() as patch:
        slow = read(name, data, patch, long=10**9)
        fast = read(name, data, patch, long=long)
    assert told(fast) == told(slow)
    assert fast.sections.keys() == slow.sections.keys()
    for section, expected in slow.sections.items():
        assert_frame_equal(fast.sections[section], expected)
    for line in range(data.count(b"\n") + data.count(b"\r") + 2):
        assert text_of(fast, line) == text_of(slow, line)
    return fast


def history(*lines: str) -> tuple[str, bytes]:
    return "Accounts_History.csv", "\n".join((HISTORY, *lines, END)).encode()


def positions(*lines: str) -> tuple[str, bytes]:
    return "positions.csv", "\n".join((BANNER, '"IRA XXXX-1233"', POSITIONS, HELD, *lines, UNKNOWN_TOTAL)).encode()


@settings(max_examples=200, deadline=None)
@given(files(), st.sampled_from((1, 1, 3)))
@example(history(BOUGHT, '"Roth', BOUGHT, BOUGHT, 'IRA",x', BOUGHT), 1)
@example(history(BOUGHT, BOUGHT, BOUGHT + ", x", "2001,x", HISTORY.replace("Symbol,", ""), BOUGHT, BOUGHT[:-1]), 1)
@example(history(BOUGHT, BOUGHT, '02/28/2026,"IRA, A",2001,"SOLD, ALL",,,,,,3.00', BOUGHT), 1)
@example(positions(HELD, POSITIONS, HELD, '"two', '",a","FUND","1","$2.00","3"', HELD, HELD), 1)
def test_runs_come_to_what_the_line_reader_does(file: tuple[str, bytes], long: int) -> None:
    same(*file, long)


@pytest.mark.parametrize(
    "profile", [p.name for p in profiles() if p.format == "delimited" and (GOLDEN / p.name).is_dir()]
)
def test_the_samples_of_every_delimited_layout_come_to_the_same(profile: str) -> None:
    samples = [path for path in (GOLDEN / profile).glob("*") if not path.name.endswith(EXPECTED)]
    for path in samples:
        assert same(path.name, path.read_bytes(), 1).profile == profile


def one_by_one(profile: str, text: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of rows the line reader took, of a file that is long enough."""
    monkeypatch.setattr(runs, "LONG", 1)
    found = scan(_profile(profile), text, {})
    return [line for table in found.tables for line in table.cells]


def _profile(name: str) -> Profile:
    return next(p for p in profiles() if p.name == name)


@pytest.mark.parametrize("line", [BOUGHT, BOUGHT + ",", '"02/28/2026","IRA, A","2,0","S, A","","","","","3.00","",""'])
def test_ordinary_rows_are_taken_in_runs(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one_by_one("fidelity-history", f"{HISTORY}\r\n{BOUGHT}\r\n{line}\r\n\r\n{line}\r\n{END}", monkeypatch) == []


def test_rows_under_a_header_that_ends_in_a_comma_are_taken_in_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join((BANNER, '"IRA XXXX-1233"', f"{POSITIONS},", f"{HELD},", f"{HELD},", UNKNOWN_TOTAL))
    assert one_by_one("schwab-positions", text, monkeypatch) == []


def test_rows_that_may_be_read_otherwise_are_left_to_the_line_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = BOUGHT.replace("FUND", "FÜND")
    text = "\n".join(
        (HISTORY, BOUGHT, odd, BOUGHT.replace("VTI,", 'V"T,'), BOUGHT.replace("VTI,", "\x1c,"), BOUGHT, END)
    )
    assert one_by_one("fidelity-history", text, monkeypatch) == [3, 4, 5]


def test_short_files_are_left_to_the_line_reader() -> None:
    found = scan(_profile("fidelity-history"), f"{HISTORY}\n{BOUGHT}\n{END}", {})
    assert list(found.tables[0].cells) == [2]
    long = scan(_profile("fidelity-history"), "\n".join((HISTORY, *[BOUGHT] * runs.LONG, END)), {})
    assert not long.tables[0].cells
    assert long.tables[0].lines == list(range(2, runs.LONG + 2))


@pytest.mark.parametrize("pattern", ["[a[b]", "a--b", "(?=a)", "a++", r"\Z", r"\<a", "a{,2}", "(?i)a"])
def test_patterns_polars_may_read_otherwise_are_not_left_to_it(pattern: str) -> None:
    assert runs._shared(pattern) is None


def test_the_patterns_of_all_delimited_profiles_are_shared() -> None:
    for profile in (p for p in profiles() if p.format == "delimited"):
        for section in profile.sections:
            assert section.data_match is None or runs._shared(section.data_match.pattern), profile.name
        for rule in profile.lines:
            assert runs._shared(runs._LOOKAHEAD.sub("", rule.match.pattern)), profile.name
