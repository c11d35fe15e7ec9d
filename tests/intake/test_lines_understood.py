"""`rothbook check` says of every physical line how it is understood, and never what is in it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.intake.nights import GOLDEN, KEY, sample
from tests.intake.test_samples import CLASSES, SAMPLES
from transforms.intake import understood

TX = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,description\n"


def every_line(path: Path) -> list[tuple[int, str]]:
    found = [re.fullmatch(r"  line (\d+): (.*)", said) for said in understood(path, KEY, every=True)]
    return [(int(f.group(1)), f.group(2)) for f in found if f is not None]


@pytest.mark.parametrize(("profile", "name"), SAMPLES, ids=[n for _, n in SAMPLES])
def test_every_line_of_every_sample_is_told_once_in_its_class(profile: str, name: str) -> None:
    told = every_line(GOLDEN / profile / name)
    counts = Counter(what.split(",")[0] for _, what in told)
    expected = dict(zip(CLASSES, SAMPLES[profile, name], strict=True))
    assert [line for line, _ in told] == list(range(1, expected.pop("total") + 1))
    assert dict(counts) == {c: n for c, n in expected.items() if n}


def test_what_the_rows_of_a_custodian_s_file_became(tmp_path: Path) -> None:
    name = "OfxDownload.csv"
    path = tmp_path / name
    text = sample("vanguard-ofxdownload", name)
    path.write_bytes(text.replace(b"Advisor fee", b"Advisor QQX"))
    told = dict(every_line(path))
    assert told[8] == "data, section activity, transactions contribution"
    assert told[10] == "data, section activity, transactions roth_conversion_out"
    assert told[12].endswith("transactions unclassified: a known code that means different things")
    assert told[3] == "data, section holdings, no row of its own (added to another line's, or replaced by one)"
    assert told[5] == "blank"


def test_lines_set_aside_lines_over_two_lines_and_unknown_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        TX + 'schwab,1,a,2026-02-27,contribution,5,"over two\nlines Quackenbush"\n'
        "schwab,1,b,the day Quackenbush called,gift,5,\n\nschwab,1\n"
    )
    assert every_line(path) == [
        (1, "header"),
        (2, "data, transactions contribution"),
        (3, "data, transactions contribution"),
        (4, "data, set aside: not_a_date in column trade_date"),
        (5, "blank"),
        (6, "data, set aside: wrong_number_of_cells"),
    ]
    history = tmp_path / "Accounts_History.csv"
    cut = sample("fidelity-history", history.name).replace(b"04/09/2026", b"2026-04-09")
    history.write_bytes(cut)
    unknown = [what for _, what in every_line(history) if what.startswith("unknown")]
    assert unknown == ["unknown"] * 3


def test_long_files_show_the_first_lines_of_each_kind(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(
        "custodian,account_number,as_of,market_value\n" + "".join(f"c,{n},2026-02-27,5\n" for n in range(1200))
    )
    assert understood(path, KEY) == [
        "  header: line 1",
        "  data, balances full: lines 2, 3, 4, 5, 6 and 1,195 more",
    ]
    assert len(understood(path, KEY, every=True)) == 1201


def test_a_file_set_aside_whole_has_no_lines_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("what,is,this\n")
    assert understood(path, KEY) == []


@pytest.mark.parametrize(("profile", "name"), SAMPLES, ids=[n for _, n in SAMPLES])
def test_no_number_or_name_of_a_sample_is_told(profile: str, name: str) -> None:
    said = "\n".join(understood(GOLDEN / profile / name, KEY, every=True))
    without_our_words = re.sub(r"(?m)^  line \d+: |1099r|5498|401k|\(.*?\)", "", said)
    assert re.findall(r"\d+", without_our_words) == []
    assert re.findall(r"\b[A-Z]{2,}\b|\b[A-Z][a-z]+", without_our_words) == []
