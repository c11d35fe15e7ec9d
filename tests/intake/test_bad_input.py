"""Faults fuzzing has found, one test each: what once broke a night, or was read as something it isn't."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from tests.fuzz import corpus
from tests.intake.nights import Book, Night, sample
from transforms.intake import deliveries, store

GOOD = "person_id,tax_year,basis\nP9,2024,5\n"
BALANCES = "custodian,account_number,as_of,market_value\n"
PUB1220 = sample("irs-pub1220", "1099r_5498_ty2025.crlf.txt")
FLEX = corpus.structured(".xml")[0].data.decode()
OFX = {seed.name: seed.data.decode() for seed in corpus.structured(".ofx .qfx")}


def night_of(tmp_path: Path, data: str | bytes, name: str = "bad.csv") -> Night:
    """A night on which a good file came beside the bad one."""
    return Book(tmp_path).drop(name, data).drop("good.csv", GOOD).night()


def refused(night: Night) -> str:
    """The rule by which one file was set aside as a whole, while the good one was read."""
    assert night.table("ira_basis")["person_id"].to_list() == ["P9"]
    assert night.rejects["line_number"].to_list() == [None]
    return str(night.rejects["rule"].item())


def told(night: Night) -> list[tuple[str | None, str, int]]:
    assert night.table("ira_basis")["person_id"].to_list() == ["P9"]
    return night.rejects.select("column", "rule", "line_number").rows()


@pytest.mark.parametrize("day", ["0000-01-01", "-0005-01-01", "0000-00-00", "9999-99-99", "2026-02-30", "1899-12-31"])
def test_days_there_never_were(tmp_path: Path, day: str) -> None:
    night = night_of(tmp_path, f"{BALANCES}schwab,1,{day},5\n")
    assert told(night) == [("as_of", "not_a_date", 2)]
    assert night.files.filter(pl.col("file_name") == "bad.csv")["content_as_of"].to_list() == [None]


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1e308", "9" * 40])
@pytest.mark.parametrize(
    ("name", "tag"),
    [(name, t) for name in sorted(OFX) for t in ("UNITS", "UNITPRICE", "MKTVAL", "AVAILCASH") if f"<{t}>" in OFX[name]],
)
def test_numbers_of_ofx_nobody_can_compute_with(tmp_path: Path, name: str, tag: str, number: str) -> None:
    text = re.sub(rf"<{tag}>[^<\r\n]*", f"<{tag}>{number}", OFX[name])
    night = night_of(tmp_path, text, name)
    assert set(night.rules()) <= {"amount_not_known", "not_a_number", "required", "account_incomplete"}
    values = night.table("balances")["market_value"].to_list()
    assert not values or tag in ("UNITS", "UNITPRICE")


@pytest.mark.parametrize(
    "encoding", ["rot13", "punycode", "utf-7", "x-foo", "idna", "undefined", "utf-32", "unicode_escape"]
)
def test_encodings_xml_may_not_declare(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + re.sub(r"<\?xml[^>]*\?>\s*", "", FLEX)
    assert refused(night_of(tmp_path, text, "flex.xml")) == "wrong_encoding"
    sheet = f'<?xml version="1.0" encoding="{encoding}"?>' + corpus.PARTS[corpus.SHEET]
    found = night_of(tmp_path / "xlsx", corpus.workbook(sheet=sheet), "a.xlsx")
    assert refused(found) == "workbook_damaged"


def changed(record: bytes, first: int, last: int, text: bytes) -> bytes:
    lines = PUB1220.split(b"\r\n")
    return b"\r\n".join(
        line[: first - 1] + text.ljust(last - first + 1) + line[last:] if line.startswith(record) else line
        for line in lines
    )


@pytest.mark.parametrize("text", [b"", b"abcdefgh"])
def test_control_records_that_state_no_number(tmp_path: Path, text: bytes) -> None:
    assert refused(night_of(tmp_path, changed(b"C", 2, 9, text), "1220.txt")) == "control_not_read"


def test_a_control_total_that_is_no_number(tmp_path: Path) -> None:
    assert refused(night_of(tmp_path, changed(b"C", 16, 33, b"x" * 18), "1220.txt")) == "control_not_read"


def test_a_control_record_before_what_it_controls(tmp_path: Path) -> None:
    lines = PUB1220.split(b"\r\n")
    controls = [line for line in lines if line.startswith(b"C")]
    moved = [lines[0], *controls, *(line for line in lines[1:] if not line.startswith(b"C"))]
    assert refused(night_of(tmp_path, b"\r\n".join(moved), "1220.txt")) == "records_out_of_order"


def test_an_account_number_of_nothing_but_hyphens(tmp_path: Path) -> None:
    assert told(night_of(tmp_path, f"{BALANCES}schwab,---,2026-02-27,5\n")) == [("account_number", "required", 2)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_two_files_joined_into_one(tmp_path: Path, mark: str) -> None:
    header = "advisor_id,advisor_name\n"
    night = night_of(tmp_path, f"{header}A1,Ann Poe\n{mark}{header}A2,Bo Poe\n")
    assert told(night) == [(None, "header_repeated", 3)]
    assert night.table("advisors")["advisor_id"].to_list() == ["A1", "A2"]


@pytest.mark.parametrize("unseen", ["\x01", "\x1b[2J", "\x7f", "\u200b", "\u202e", "\ufeff"])
def test_characters_nobody_sees(tmp_path: Path, unseen: str) -> None:
    """An id with one in it would join nothing, and nobody could see why."""
    night = night_of(tmp_path, f"advisor_id,advisor_name\nA{unseen}1,Ann Poe\n")
    assert told(night) == [("advisor_id", "unseen_character", 2)]
    assert night.table("advisors").is_empty()


def test_letters_of_every_script_are_seen(tmp_path: Path) -> None:
    names = [
        "Zo\u00eb",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u5c71\u7530 \u592a\u90ce",
        "O\u2019Neil\u00ad-Poe",
    ]
    night = night_of(tmp_path, "advisor_id,advisor_name\n" + "".join(f"A{n},{name}\n" for n, name in enumerate(names)))
    assert told(night) == []
    assert night.table("advisors")["advisor_name"].to_list() == names


def test_an_amount_no_client_has(tmp_path: Path) -> None:
    """Sixteen digits fit the type and not the sums made of it: once, one such cell cost the whole night."""
    rows = "schwab,1,2026-02-27,99999999999.99\nschwab,2,2026-02-27,100000000000\n"
    rows += "schwab,3,2026-02-27,-9999999999999999.99\n"
    night = night_of(tmp_path, BALANCES + rows)
    assert [(rule, line) for _, rule, line in told(night)] == [("amount_not_possible", 3), ("amount_not_possible", 4)]


def test_positions_whose_sum_no_account_has(tmp_path: Path) -> None:
    name = "Portfolio_Positions_Feb-27-2026.csv"
    text = sample("fidelity-positions", name).decode("utf-8-sig")
    big = re.sub(r"\$[0-9][0-9,.]*", "$999999999999999", text)
    night = night_of(tmp_path, big, name)
    assert "amount_not_possible" in night.rules()
    assert night.table("balances").is_empty()


@pytest.mark.parametrize(
    ("data", "rule", "word"),
    [
        (b"advisor_id;advisor_name\nA1;Ann\n", "wrong_delimiter", "semicolons"),
        (b"advisor_id\tadvisor_name\nA1\tAnn\n", "wrong_delimiter", "tabs"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_text", "picture"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "not_text", "web page"),
        (b"%PDF-1.7\n", "not_text", "PDF"),
        (corpus.zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "not_text", "Office document"),
        ("advisor_id,advisor_name\nA1,Ann\n".encode("utf-16"), "wrong_encoding", "UTF-16"),
        (b"\xef\xbb\xbf", "empty_file", "empty"),
        (b"advisor_id,advisor_name\nA1,A\0nn\n", "nul_bytes", "line 2"),
        (b"advisor_id,advisor_name\nA1,Ann\nA2,Caf\xe9\n", "wrong_encoding", "line 3"),
        (b'advisor_id,advisor_name\nA1,Ann\nA2,"Bo\nA3,Cy\n', "quotes_broken", "line 3"),
        (b"advisor_id,advisor_name\nA1,Ann\nA2," + b"x" * 40_000, "line_too_long", "line 3"),
        (b'advisor_id,advisor_name\nA1,"' + b"x\n" * 100_000 + b'"\n', "quotes_broken", "131,072"),
    ],
    ids=[
        "semicolons",
        "tabs",
        "png",
        "html",
        "pdf",
        "docx",
        "utf-16",
        "bom",
        "nul",
        "latin-1",
        "quote",
        "long",
        "cell",
    ],
)
def test_files_that_are_something_else_are_told_by_name(tmp_path: Path, data: bytes, rule: str, word: str) -> None:
    night = night_of(tmp_path, data)
    assert refused(night) == rule
    assert word in night.rejects["message"].item()


def test_a_column_that_is_read_twice_in_a_custodian_s_header(tmp_path: Path) -> None:
    """Both were once read as none: an amount in such a column was lost without a word."""
    name = "Portfolio_Positions_Feb-27-2026.csv"
    lines = sample("fidelity-positions", name).decode("utf-8-sig").splitlines(keepends=True)
    lines[0] = lines[0].rstrip("\r\n") + ",Current Value\n"
    assert refused(night_of(tmp_path, "".join(lines), name)) == "column_repeated"


def test_a_workbook_with_entities_in_its_texts(tmp_path: Path) -> None:
    strings = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + corpus.PARTS["xl/sharedStrings.xml"]
    data = corpus.workbook(strings=strings.replace("P1", "&b;"))
    assert refused(night_of(tmp_path, data, "a.xlsx")) == "dtd_refused"


@pytest.mark.parametrize("value", ["NaN", "inf", "-inf", "1e308"])
def test_numbers_of_a_workbook_that_are_none(tmp_path: Path, value: str) -> None:
    sheet = corpus.PARTS[corpus.SHEET].replace("<v>2024</v>", f"<v>{value}</v>")
    assert ("tax_year", "number_not_exact", 2) in told(night_of(tmp_path, corpus.workbook(sheet=sheet), "a.xlsx"))


def test_an_archive_with_a_member_without_a_name(tmp_path: Path) -> None:
    whole = corpus.zipped({"a": b"x"})
    short = bytearray(whole.replace(b"a", b""))
    short[26:28] = (0).to_bytes(2, "little")
    directory = short.index(b"PK\x01\x02")
    short[directory + 28 : directory + 30] = (0).to_bytes(2, "little")
    end = short.index(b"PK\x05\x06")
    short[end + 12 : end + 16] = (end - directory).to_bytes(4, "little")
    short[end + 16 : end + 20] = directory.to_bytes(4, "little")
    assert refused(night_of(tmp_path, bytes(short), "a.zip")) == "archive_damaged"


@pytest.mark.parametrize("name", [".", "a/" + "b" * 300])
def test_archives_with_names_no_file_has(tmp_path: Path, name: str) -> None:
    night = night_of(tmp_path, corpus.zipped({name: b"x"}), "a.zip")
    assert refused(night) in ("unsafe_name", "kind_not_known")
    assert max(map(len, night.files["file_name"])) < 300


def test_many_element_names_are_told_in_a_few_words(tmp_path: Path) -> None:
    extra = "".join(f"<Odd{n}/>" for n in range(500)) + "<x\u00e9/>"
    text = FLEX.replace("</FlexQueryResponse>", extra + "</FlexQueryResponse>")
    note = night_of(tmp_path, text, "flex.xml").files.filter(pl.col("file_name") == "flex.xml")["message"].item()
    assert note.endswith("481 more")
    assert note.isprintable()


def test_a_header_with_unseen_characters_is_told_in_print(tmp_path: Path) -> None:
    night = night_of(tmp_path, "person_id\x1b,tax_year,bas\u202eis\nP1,2024,5\n")
    assert refused(night) == "kind_not_known"
    assert night.rejects["message"].item().isprintable()


def test_a_file_a_reader_itself_fails_on_is_set_aside_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has thought of costs a file, not the night, and nothing of the exception's text is told."""
    read_file = deliveries.read_file

    def failing(data: bytes, entry: deliveries.Entry) -> deliveries.Reading:
        if b"boom" in data:
            raise LookupError("Ann Poe 901-14-7721")
        return read_file(data, entry)

    monkeypatch.setattr(deliveries, "read_file", failing)
    night = night_of(tmp_path, "boom")
    assert refused(night) == "reader_failed"
    message = night.rejects["message"].item()
    assert "LookupError at " in message
    assert "Poe" not in message
    assert night.counts.register.entries[0].file_name == "good.csv"


class PanicException(BaseException):
    """As Rust libraries raise it: no `Exception`."""


@pytest.mark.parametrize("error", [PanicException("Ann Poe"), ZeroDivisionError("Ann Poe")])
def test_a_reading_nothing_can_be_made_of_is_set_aside_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    canonical_rows = store.canonical_rows

    def failing(readings: list[deliveries.Reading], key: bytes) -> object:
        if any(r.kind == "advisors" and r.error is None for r in readings):
            raise error
        return canonical_rows(readings, key)

    monkeypatch.setattr(store, "canonical_rows", failing)
    night = night_of(tmp_path, "advisor_id,advisor_name\nA1,Ann Poe\n")
    assert refused(night) == "reader_failed"
    assert night.files.select("file_name", "state").rows() == [("bad.csv", "rejected"), ("good.csv", "accepted")]
