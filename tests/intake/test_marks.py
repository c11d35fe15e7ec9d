"""An advisor's workbook comes back, whole or mangled: every mark is read or told, and nothing else breaks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from reports import write_workbooks
from schemas import marks
from schemas.marks import FINDING_ID, MARK_HEADERS, MARK_ID, SHOWN_HEADERS
from tests.intake.nights import KEY, Book, Night
from tests.marked import answered, columns, day, fill_in, header_row, row_of
from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles, money
from transforms.intake import check_file, firm_fingerprint

FIRM = firm_fingerprint(KEY)
STATUS, OWNER, NOTE, SNOOZE = MARK_HEADERS.values()
Change = Callable[[Workbook], None]


def write(folder: Path, firm: str = FIRM) -> Path:
    """A workbook of advisor A1 with three findings: F1 and F3 unmarked, F2 with a mark in force."""
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Ada").person("P1", "A1", "Zebulon", "Quackenbush")
    run.finding("F1", "P1", "A1")
    run.finding("F2", "P1", "A1", mark_status="waiting", mark_note="called", mark_state=marks.mark_state("before"),
                amount=None, deadline=None)  # fmt: skip
    run.finding("F3", "P1", "A1", severity="low")
    write_workbooks(
        run.write(folder), as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0", firm=firm
    )
    return folder / "workbooks" / "A1.xlsx"


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("run"))


def night_of(tmp_path: Path, data: bytes, name: str = "A1.xlsx") -> Night:
    return Book(tmp_path).drop(name, data).night("2026-11-25")


def read(night: Night, *names: str) -> list[tuple[Any, ...]]:
    return night.table("finding_marks").sort("source_file", "source_line").select(names).rows()


def told(night: Night) -> list[tuple[Any, ...]]:
    return night.rejects.select("line_number", "column", "rule").rows()


def test_what_was_changed_is_a_mark_and_what_was_not_is_none(tmp_path: Path, workbook: Path) -> None:
    data = answered(
        workbook,
        {"F1": {"status": "dismissed", "owner": "Bo", "note": "spoke\nto her", "snooze_until": day("2027-01-15")}},
        saved_by="Ada",
    )
    night = night_of(tmp_path, data)
    assert read(night, "finding_id", "status", "owner", "note", "snooze_until", "saved_by", "workbook") == [
        ("F1", "dismissed", "Bo", "spoke\nto her", date(2027, 1, 15), "Ada", "A1.xlsx")
    ]
    assert read(night, "advisor_id", "workbook_as_of", "received_at", "source_file", "source_line", "shown_state") == [
        ("A1", AS_OF, date(2026, 11, 25), "A1.xlsx[Exceptions]", 5, marks.mark_state(None))
    ]
    assert read(night, "amount_shown", "deadline_shown", "severity_shown") == [
        (money("2423.08"), date(2026, 12, 31), "high")
    ]
    assert night.rejects.is_empty()
    assert night.files.select("file_name", "kind", "state", "rows", "message").rows() == [
        ("A1.xlsx", None, "accepted", 0, "read for its marks only"),
        ("A1.xlsx[Exceptions]", "finding_marks", "accepted", 3, "marks: 1; rows as they were shown: 2"),
    ]
    # nothing else of the workbook is read, though its sheets hold columns of house kinds
    assert [name for name, rows in night.counts.tables.items() if rows] == ["finding_marks"]


def test_taking_a_mark_away_is_a_mark(tmp_path: Path, workbook: Path) -> None:
    night = night_of(tmp_path, answered(workbook, {"F2": {"status": None, "note": None}}))
    assert read(night, "finding_id", "status", "note", "shown_state", "amount_shown", "severity_shown") == [
        ("F2", None, None, marks.mark_state("before"), None, "high")
    ]


def test_only_white_space_changed_is_no_mark(tmp_path: Path, workbook: Path) -> None:
    night = night_of(tmp_path, answered(workbook, {"F2": {"note": " called ", "status": "Waiting"}}))
    assert read(night, "finding_id") == []
    assert night.rejects.is_empty()


def test_the_workbook_in_an_archive_and_a_second_time(tmp_path: Path, workbook: Path) -> None:
    data = answered(workbook, {"F1": {"status": "done"}})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("back/A1.xlsx", data)
        archive.writestr("back/~$A1.xlsx", b"\x03Ada")
    night = Book(tmp_path).drop("marks.zip", packed.getvalue()).drop("z.xlsx", data).night("2026-11-25")
    assert read(night, "finding_id", "status", "source_file") == [("F1", "done", "marks.zip/back/A1.xlsx[Exceptions]")]
    assert night.rejects.is_empty()


# --- mangled, and still every mark is there -------------------------------------------------------------------------


def renamed(book: Workbook) -> None:
    book["Exceptions"].title = "My list"


def moved(book: Workbook) -> None:
    book.move_sheet("Exceptions", offset=4)


def others_deleted(book: Workbook) -> None:
    for name in book.sheetnames:
        if name != "Exceptions":
            del book[name]


def hidden(book: Workbook) -> None:
    book["Exceptions"].sheet_state = "hidden"


def protected(book: Workbook) -> None:
    book["Exceptions"].protection.sheet = True
    book["Exceptions"].protection.set_password("secret")


def filtered(book: Workbook) -> None:
    sheet = book["Exceptions"]
    for row in range(header_row(sheet) + 1, sheet.max_row + 1):
        sheet.row_dimensions[row].hidden = True


def retyped_headers(book: Workbook) -> None:
    sheet = book["Exceptions"]
    for cell in sheet[header_row(sheet)]:
        cell.value = str(cell.value).upper().replace(" ", "  ")


def properties_lost(book: Workbook) -> None:
    for name in list(book.custom_doc_props.names):
        del book.custom_doc_props[name]


def sorted_upside_down(book: Workbook) -> None:
    _rewrite(book, lambda rows: reversed(list(rows)))


def pasted_elsewhere(book: Workbook) -> None:
    sheet = book["Exceptions"]
    target = book.create_sheet("Copy of it")
    for number, row in enumerate(sheet.iter_rows(min_row=header_row(sheet), values_only=True), 9):
        for place, value in enumerate(row, 3):
            target.cell(number, place).value = value
    del book["Exceptions"]


def columns_reordered(book: Workbook) -> None:
    sheet = book["Exceptions"]
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=header_row(sheet))]
    for number, row in enumerate(rows, header_row(sheet)):
        for place, value in enumerate(reversed(row), 1):
            sheet.cell(number, place).value = value


def row_deleted(book: Workbook) -> None:
    sheet = book["Exceptions"]
    sheet.delete_rows(row_of(sheet, "F3"))


def rows_above(book: Workbook) -> None:
    book["Exceptions"].insert_rows(1, amount=3)


def _rewrite(book: Workbook, change: Callable[[Iterable[list[Any]]], Iterable[list[Any]]]) -> None:
    sheet = book["Exceptions"]
    first = header_row(sheet) + 1
    rows = [[c.value for c in row] for row in sheet.iter_rows(min_row=first)]
    for number, row in enumerate(change(rows), first):
        for place, value in enumerate(row, 1):
            sheet.cell(number, place).value = value


@pytest.mark.parametrize(
    "change",
    [renamed, moved, others_deleted, hidden, protected, filtered, retyped_headers, properties_lost, sorted_upside_down,
     pasted_elsewhere, columns_reordered, row_deleted, rows_above],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_a_mangled_workbook_gives_the_same_marks(tmp_path: Path, workbook: Path, change: Change) -> None:
    answers = {"F1": {"status": "done", "note": "=SUM(A1)"}, "F2": {"owner": "Cy", "snooze_until": day("2027-02-01")}}

    def typed_as_text(book: Workbook) -> None:
        change(book)
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value == "=SUM(A1)":
                        cell.data_type = "s"

    night = night_of(tmp_path, answered(workbook, answers, typed_as_text))
    found = sorted(read(night, "finding_id", "status", "owner", "note", "snooze_until"))
    assert found == [("F1", "done", None, "=SUM(A1)", None), ("F2", "waiting", "Cy", "called", date(2027, 2, 1))]
    assert night.rejects.is_empty()


def test_a_workbook_without_properties_says_not_whose_it_is_but_is_read(tmp_path: Path, workbook: Path) -> None:
    night = night_of(tmp_path, answered(workbook, {"F1": {"status": "done"}}, properties_lost))
    assert read(night, "finding_id", "advisor_id", "workbook_as_of") == [("F1", None, None)]


@pytest.mark.parametrize("header", [NOTE, OWNER, SNOOZE, STATUS])
def test_a_deleted_column_is_named_and_the_others_are_read(tmp_path: Path, workbook: Path, header: str) -> None:
    answer = {"status": "done", "owner": "Bo", "note": "n", "snooze_until": day("2027-02-01")}

    def without(book: Workbook) -> None:
        book["Exceptions"].delete_cols(columns(book["Exceptions"])[header])

    night = night_of(tmp_path, answered(workbook, {"F1": answer}, without))
    field = next(name for name, shown in MARK_HEADERS.items() if shown == header)
    expected = answer | {field: None}
    # F2, whose note or status was shown and is gone with its column, is not taken for changed
    assert read(night, "finding_id", *MARK_HEADERS, "not_read") == [("F1", *expected.values(), field)]
    assert told(night) == [(None, None, "mark_column_missing")]
    assert header in night.rejects["message"][0]


def test_without_the_mark_id_what_is_blank_says_nothing(tmp_path: Path, workbook: Path) -> None:
    def without(book: Workbook) -> None:
        book["Exceptions"].delete_cols(columns(book["Exceptions"])[MARK_ID])

    night = night_of(tmp_path, answered(workbook, {"F1": {"status": "done"}}, without))
    assert read(night, "finding_id", "status", "shown_state") == [("F1", "done", None), ("F2", "waiting", None)]


@pytest.mark.parametrize("header", [FINDING_ID, "all four"])
def test_without_the_columns_nobody_can_tell(tmp_path: Path, workbook: Path, header: str) -> None:
    def without(book: Workbook) -> None:
        for name in MARK_HEADERS.values() if header == "all four" else [header]:
            book["Exceptions"].delete_cols(columns(book["Exceptions"])[name])

    night = night_of(tmp_path, answered(workbook, {"F1": {"status": "done"}}, without))
    assert night.rules() == ["marks_not_found"]
    assert night.rejects.select("kind", "row_key").rows() == [("finding_marks", "A1")]  # told to the advisor too
    assert "Finding id" in night.rejects["message"][0]
    assert night.counts.register.entries == ()


def test_what_can_not_be_read_is_set_aside_by_row_and_the_rest_is_read(tmp_path: Path, workbook: Path) -> None:
    answers = {
        "F1": {"status": "finished", "note": "Quackenbush says so"},
        "F2": {"snooze_until": "next week"},
        "F3": {"status": " In  Progress "},
    }
    night = night_of(tmp_path, answered(workbook, answers))
    assert read(night, "finding_id", "status") == [("F3", "in progress")]
    assert told(night) == [(5, STATUS, "not_in_list"), (6, SNOOZE, "not_a_date")]
    said = night.rejects["message"].to_list()
    assert "cell K5: expected one of to do, in progress, waiting, done, dismissed" in said[0]
    assert not any(word in " ".join(said) for word in ("finished", "next week", "Quackenbush"))
    assert night.files.select("state", "rows", "accepted", "rejected").rows()[1] == ("partial", 3, 1, 2)


def test_a_row_that_was_not_read_is_told_until_the_advisor_marks_again(tmp_path: Path, workbook: Path) -> None:
    book = Book(tmp_path).drop("A1.xlsx", answered(workbook, {"F1": {"status": "finished"}}))
    assert book.night("2026-11-25").rules() == ["not_in_list"]
    assert book.clear().night("2026-11-26").rules() == ["not_in_list"]
    book.drop("again.xlsx", answered(workbook, {"F1": {"status": "done"}}))
    assert book.night("2026-11-27").rules() == []


def test_ids_that_were_sorted_apart_are_not_believed(tmp_path: Path, workbook: Path) -> None:
    def swapped(book: Workbook) -> None:
        sheet = book["Exceptions"]
        place, one, two = columns(sheet)[FINDING_ID], row_of(sheet, "F1"), row_of(sheet, "F3")
        sheet.cell(one, place).value, sheet.cell(two, place).value = "F3", "F1"

    night = night_of(tmp_path, answered(workbook, {"F1": {"status": "done"}}, swapped))
    assert read(night, "finding_id") == []
    assert told(night) == [(5, MARK_ID, "row_mixed_up")]


def test_pasted_rows_are_all_kept(tmp_path: Path, workbook: Path) -> None:
    def paste(book: Workbook) -> None:
        sheet = book["Exceptions"]
        places, last = columns(sheet), sheet.max_row
        for number, (finding_id, status) in enumerate([("F1", "dismissed"), ("F9", "done"), (None, "to do")], last + 1):
            sheet.cell(number, places[FINDING_ID]).value = finding_id
            sheet.cell(number, places[STATUS]).value = status

    night = night_of(tmp_path, answered(workbook, {"F1": {"status": "waiting"}}, paste))
    assert read(night, "finding_id", "status") == [("F1", "waiting"), ("F1", "dismissed"), ("F9", "done")]
    assert told(night) == [(10, FINDING_ID, "finding_id_missing")]


def test_formulas_typed_into_a_mark_arrive_as_what_was_typed(tmp_path: Path, workbook: Path) -> None:
    """As openpyxl writes it the formula has no value: a spreadsheet that hasn't computed it does the same."""
    answers = {"F1": {"note": '=HYPERLINK("http://x","y")', "owner": "=1+1"}, "F3": {"snooze_until": "=TODAY()"}}
    night = night_of(tmp_path, answered(workbook, answers))
    assert read(night, "finding_id", "note", "owner") == [("F1", '=HYPERLINK("http://x","y")', "=1+1")]
    assert told(night) == [(7, SNOOZE, "not_a_date")]


def test_numbers_dates_and_ticks_in_text_columns_are_what_a_person_sees(tmp_path: Path, workbook: Path) -> None:
    answers = {"F1": {"note": 12500, "owner": True}, "F3": {"note": 0.5, "snooze_until": datetime(2027, 1, 5, 9)}}  # noqa: DTZ001
    night = night_of(tmp_path, answered(workbook, answers))
    assert read(night, "note", "owner", "snooze_until") == [("12500", "TRUE", None), ("0.5", None, date(2027, 1, 5))]


def test_a_note_keeps_no_tax_id_and_no_account_number(tmp_path: Path, workbook: Path) -> None:
    note = "SSN 900-11-2345, acct 887700551234, call 555-0100 about 12500 on 20270115"
    night = night_of(tmp_path, answered(workbook, {"F1": {"note": note}}))
    assert read(night, "note") == [("SSN [tax id], acct ...1234, call 555-0100 about 12500 on 20270115",)]


# --- workbooks that can't be used -----------------------------------------------------------------------------------


def test_a_workbook_of_another_firm_is_set_aside_whole(tmp_path: Path) -> None:
    other = write(tmp_path / "other", firm=firm_fingerprint(b"the key of another firm"))
    night = Book(tmp_path).drop("A1.xlsx", answered(other, {"F1": {"status": "done"}})).night("2026-11-25")
    assert night.rules() == ["other_firm"]
    assert night.rejects["row_key"].to_list() == [None]  # another firm's word for whose it is says nothing here
    assert "another firm" in night.rejects["message"][0]
    assert read(night, "finding_id") == []
    assert night.counts.register.entries == ()


def test_a_changed_firm_key_takes_no_mark_away(tmp_path: Path, workbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(tmp_path).drop("A1.xlsx", answered(workbook, {"F1": {"status": "done"}}))
    book.night("2026-11-25")
    monkeypatch.setattr("tests.intake.nights.KEY", b"a new key of this firm")
    night = book.night("2026-11-26")
    assert read(night, "finding_id", "received_at") == [("F1", date(2026, 11, 25))]
    assert night.rejects.is_empty()


def test_an_encrypted_workbook_says_how_to_save_it(tmp_path: Path) -> None:
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    night = night_of(tmp_path, locked)
    assert night.rules() == ["workbook_encrypted"]
    assert "clear the password" in night.rejects["message"][0]


def test_a_cut_off_workbook_breaks_nothing_else(tmp_path: Path, workbook: Path) -> None:
    book = Book(tmp_path).drop("A1.xlsx", answered(workbook, {"F1": {"status": "done"}})[:-500])
    book.drop("basis.csv", "person_id,tax_year,basis\nP1,2024,6000\n")
    night = book.night("2026-11-25")
    assert night.rules() == ["archive_damaged"]
    assert night.table("ira_basis")["basis"].to_list() == [Decimal("6000.00")]


def test_broken_properties_are_no_properties(tmp_path: Path, workbook: Path) -> None:
    data, out = answered(workbook, {"F1": {"status": "done"}}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(out, "w") as after:
        for name in before.namelist():
            broken = name in ("docProps/custom.xml", "docProps/core.xml")
            after.writestr(name, b"<!DOCTYPE x><Properties" if broken else before.read(name))
    assert read(night_of(tmp_path, out.getvalue()), "finding_id", "saved_by") == [("F1", None)]


def test_lock_files_wait_and_the_workbook_beside_them_is_read(tmp_path: Path, workbook: Path) -> None:
    book = Book(tmp_path).drop("A1.xlsx", answered(workbook, {"F1": {"status": "done"}}))
    night = book.drop("~$A1.xlsx", b"\x03Ada").drop(".~lock.A1.xlsx#", b"Ada").night("2026-11-25")
    assert read(night, "finding_id") == [("F1",)]
    assert night.register.waiting == (".~lock.A1.xlsx#", "~$A1.xlsx")
    assert night.rejects.is_empty()


def test_check_says_what_a_workbook_would_give(tmp_path: Path, workbook: Path) -> None:
    path = tmp_path / "A1.xlsx"
    path.write_bytes(answered(workbook, {"F1": {"status": "done"}, "F3": {"status": "nope"}}))
    said = "\n".join(check_file(path, b"any key will do").lines())
    assert "Rothbook advisor workbook" in said
    assert "gives 1 finding_marks" in said
    assert "line 7: not_in_list" in said


def test_the_workbook_carries_a_fingerprint_and_never_the_key(workbook: Path) -> None:
    properties = {p.name: p.value for p in load_workbook(workbook).custom_doc_props.props}
    assert properties == {
        "rothbook_kind": "advisor", "rothbook_firm": FIRM, "rothbook_advisor": "A1", "rothbook_as_of": "2026-11-24",
    }  # fmt: skip
    with zipfile.ZipFile(workbook) as parts:
        assert not any(KEY in parts.read(name) or KEY.hex().encode() in parts.read(name) for name in parts.namelist())


def test_the_columns_read_back_are_columns_of_the_sheet(workbook: Path) -> None:
    there = set(columns(load_workbook(workbook)["Exceptions"]))
    assert {FINDING_ID, MARK_ID, *MARK_HEADERS.values(), *SHOWN_HEADERS.values()} <= there


typed = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Co", "Cn"]), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([None, *marks.MARK_STATUSES]),
    owner=typed,
    note=typed,
    snooze=st.none() | st.dates(date(2026, 1, 1), date(2099, 12, 31)),
)
def test_any_mark_survives_the_way_out_and_back(
    tmp_path_factory: pytest.TempPathFactory, status: str | None, owner: str, note: str, snooze: date | None
) -> None:
    """Shown, it is what was kept, and unedited it is no new mark; typed into another row, it is read as it was kept."""
    owner, note = marks.clean_mark(owner) or None, marks.clean_mark(note) or None  # type: ignore[assignment]
    folder = tmp_path_factory.mktemp("any")
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Ada").person("P1", "A1", "Zeb", "Quack")
    run.finding("F1", "P1", "A1", mark_status=status, mark_owner=owner, mark_note=note, snooze_until=snooze,
                mark_state=marks.mark_state("it"))  # fmt: skip
    run.finding("F2", "P1", "A1")
    write_workbooks(
        run.write(folder), as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0", firm=FIRM
    )

    def copied(book: Workbook) -> None:
        sheet = book["Exceptions"]
        places = columns(sheet)
        row = row_of(sheet, "F1")
        fill_in(sheet, {"F2": {f: sheet.cell(row, places[h]).value for f, h in MARK_HEADERS.items()}})
        for header in MARK_HEADERS.values():
            if isinstance(sheet.cell(row, places[header]).value, str):
                sheet.cell(row_of(sheet, "F2"), places[header]).data_type = "s"
                sheet.cell(row, places[header]).data_type = "s"

    night = night_of(folder, answered(folder / "workbooks" / "A1.xlsx", {}, copied))
    blank = not any((status, owner, note, snooze))
    assert read(night, "finding_id", *MARK_HEADERS) == ([] if blank else [("F2", status, owner, note, snooze)])
    assert night.rejects.is_empty()
