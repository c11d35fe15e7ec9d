"""Which mark of a finding stands, who is contested, what is put aside and what brings it back. Night by night."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.marks import COMES_BACK, ComesBack, mark_state
from schemas.tables import INPUT_TABLES, INTAKE_REJECTS, result_schema
from transforms.engine import connect
from transforms.marks import write_marks

MARKS = {"mark_status", "mark_owner", "mark_note", "snooze_until", "marked_on", "put_aside", "came_back", "mark_told",
         "mark_state"}  # fmt: skip


def on(day: int, month: int = 11) -> date:
    return date(2026, month, day)


@dataclass
class Marked:
    """The marks of a few nights beside the findings of each."""

    root: Path
    rows: list[dict[str, Any]] = field(default_factory=list)
    nights: list[date] = field(default_factory=list)
    comes_back: ComesBack = COMES_BACK

    def mark(
        self, received: date, status: str | None = None, *, finding: str = "F1", made: date | None = None,
        on_state: str | None = "", file: str = "", amount: Any = "1000.00", deadline: date | None = date(2027, 6, 30),
        severity: str | None = "high", advisor: str = "A1", **more: Any,
    ) -> str:  # fmt: skip
        """A mark in a workbook of day `made`, received later; returns the state by which workbooks show it in force."""
        reading_id = f"reading {len(self.rows)}"
        made = made or date.fromordinal(received.toordinal() - 1)
        file = file or f"{advisor} {made}.xlsx"
        self.rows.append({
            "reading_id": reading_id, "finding_id": finding, "status": status, "state": mark_state(reading_id),
            "shown_state": mark_state(None) if on_state == "" else on_state, "advisor_id": advisor,
            "workbook_as_of": made, "workbook": file, "received_at": received, "severity_shown": severity,
            "amount_shown": None if amount is None else Decimal(amount), "deadline_shown": deadline,
            "source_file": f"{file}[Exceptions]", "source_sha256": file, "source_line": len(self.rows) + 5,
            "profile": "rothbook-marks", **more,
        })  # fmt: skip
        return mark_state(reading_id)

    def night(self, as_of: date, *findings: dict[str, Any], **one: Any) -> dict[str, pl.DataFrame]:
        """The tables of a night whose open findings are these (or the one described)."""
        before = self.root / str(self.nights[-1]) if self.nights else None
        with connect() as con:
            con.execute("create table run as select $day::date as as_of", {"day": as_of})
            schema = {k: v for k, v in result_schema("findings").items() if k not in MARKS}
            now = [finding(rank=n, **f) for n, f in enumerate(findings or [one], 1)]
            self._load(con, "findings", pl.DataFrame(now, schema=schema))
            old = pl.read_parquet(before / "results" / "findings.parquet") if before else pl.DataFrame(schema=schema)
            self._load(con, "previous_findings", old)
            self._load(con, "finding_marks", pl.DataFrame(self.rows, schema=INPUT_TABLES["finding_marks"].schema))
            self._load(con, "intake_rejects", pl.DataFrame(schema=INTAKE_REJECTS.schema))
            con.execute("create table persons (advisor_id varchar)")
            write_marks(con, before, self.comes_back)
            target = self.root / str(as_of) / "results"
            target.mkdir(parents=True)
            tables = {}
            for name in ("findings", "marks", "mark_history", "mark_problems"):
                con.sql(f"select * from {name} order by all").write_parquet(str(target / f"{name}.parquet"))
                tables[name] = pl.read_parquet(target / f"{name}.parquet")
        self.nights.append(as_of)
        return tables

    def _load(self, con: Any, name: str, frame: pl.DataFrame) -> None:
        path = self.root / f"{name}.parquet"
        frame.write_parquet(path)
        con.execute(f"create table {name} as select * from read_parquet('{path}')")


def finding(**more: Any) -> dict[str, Any]:
    return {
        "finding_id": "F1", "rule": "a_rule", "person_id": "P1", "advisor_id": "A1", "tax_year": 2026, "title": "A",
        "severity": "high", "status": "open", "amount": Decimal("1000.00"), "deadline": date(2027, 6, 30), **more,
    }  # fmt: skip


@pytest.fixture
def marked(tmp_path: Path) -> Marked:
    return Marked(tmp_path)


def one(tables: dict[str, pl.DataFrame], finding_id: str = "F1", table: str = "findings") -> dict[str, Any]:
    return tables[table].filter(pl.col("finding_id") == finding_id).row(0, named=True)


def became(tables: dict[str, pl.DataFrame]) -> list[tuple[str | None, str]]:
    return tables["mark_history"].sort("reading_id").select("status", "became").rows()


# --- which mark stands ----------------------------------------------------------------------------------------------


def test_without_a_mark_a_finding_has_none(marked: Marked) -> None:
    found = one(marked.night(on(1)))
    assert {name: found[name] for name in MARKS} == dict.fromkeys(MARKS) | {"put_aside": False}


def test_a_mark_made_on_the_one_before_replaces_it_without_a_conflict(marked: Marked) -> None:
    first = marked.mark(on(2), "to do")
    second = marked.mark(on(4), "in progress", on_state=first)
    marked.mark(on(6), None, on_state=second)
    tables = marked.night(on(6))
    assert became(tables) == [("to do", "replaced"), ("in progress", "replaced"), (None, "in force")]
    assert one(tables)["mark_status"] is None
    assert one(tables)["mark_told"] is None
    assert one(tables, table="marks")["conflict"] == []


def test_two_answers_of_one_night_are_both_told_and_the_later_workbook_counts(marked: Marked) -> None:
    marked.mark(on(5), "waiting", made=on(3), file="a.xlsx", note="Bo knows", saved_by="Ann")
    marked.mark(on(5), "in progress", made=on(2), file="b.xlsx", owner="Cy", saved_by="Cy")
    tables = marked.night(on(5))
    assert became(tables) == [("waiting", "in force"), ("in progress", "contested")]
    found = one(tables)
    assert found["mark_status"] == "waiting"
    assert found["mark_told"] == (
        'Two answers: waiting, "Bo knows" counts until somebody answers; also '
        "in progress, owner Cy [b.xlsx[Exceptions]:6, workbook of 2026-11-02, saved by Cy]"
    )
    problem = tables["mark_problems"].row(0, named=True)
    assert (problem["rule"], problem["advisor_id"], problem["person_id"]) == ("two_answers", "A1", "P1")
    assert "in progress, owner Cy" in problem["missing"]


@pytest.mark.parametrize(("one_said", "other_said", "counts"), [
    ("dismissed", "waiting", "waiting"), ("to do", "done", "to do"), (None, "dismissed", None),
])  # fmt: skip
def test_of_one_day_what_keeps_the_finding_in_sight_counts(
    marked: Marked, one_said: str | None, other_said: str | None, counts: str | None
) -> None:
    first = marked.mark(on(2), "in progress")
    marked.mark(on(5), one_said, made=on(3), on_state=first, file="a.xlsx")
    marked.mark(on(5), other_said, made=on(3), on_state=first, file="b.xlsx")
    found = one(marked.night(on(5)))
    assert (found["mark_status"], found["put_aside"]) == (counts, False)


def test_the_file_hash_decides_what_nothing_else_decides(marked: Marked) -> None:
    marked.mark(on(5), "waiting", made=on(3), file="b.xlsx", note="b")
    marked.mark(on(5), "waiting", made=on(3), file="a.xlsx", note="a")
    assert one(marked.night(on(5)))["mark_note"] == "b"


def test_two_answers_put_nothing_aside(marked: Marked) -> None:
    marked.mark(on(5), "dismissed", made=on(4), file="a.xlsx")
    marked.mark(on(5), "waiting", made=on(3), file="b.xlsx")
    found = one(marked.night(on(5)))
    assert (found["mark_status"], found["put_aside"], found["came_back"]) == (
        "dismissed", False, "two answers were given",
    )  # fmt: skip


def test_the_same_answer_twice_is_no_conflict(marked: Marked) -> None:
    marked.mark(on(5), "dismissed", made=on(4), file="a.xlsx")
    marked.mark(on(5), "dismissed", made=on(3), file="b.xlsx")
    assert one(marked.night(on(5)))["put_aside"] is True


def test_an_answer_to_a_conflict_settles_it(marked: Marked) -> None:
    shown = marked.mark(on(5), "waiting", made=on(4), file="a.xlsx")
    marked.mark(on(5), "in progress", made=on(3), file="b.xlsx")
    marked.mark(on(6), "done", made=on(5), on_state=shown)
    tables = marked.night(on(6))
    assert became(tables) == [("waiting", "replaced"), ("in progress", "replaced"), ("done", "in force")]
    assert one(tables)["put_aside"] is True


def test_an_answer_on_an_older_state_is_a_conflict_and_does_not_count(marked: Marked) -> None:
    """Somebody sends the copy of a week ago, after the finding was marked, shown and marked again."""
    first = marked.mark(on(2), "to do")
    marked.mark(on(4), "in progress", on_state=first)
    marked.mark(on(8), "dismissed", made=on(1), file="old copy.xlsx")
    tables = marked.night(on(8))
    assert became(tables) == [("to do", "replaced"), ("in progress", "in force"), ("dismissed", "contested")]
    assert "also dismissed" in one(tables)["mark_told"]


def test_a_row_pasted_from_an_old_workbook_into_a_new_one_is_a_conflict(marked: Marked) -> None:
    marked.mark(on(2), "to do")
    marked.mark(on(5), "dismissed")  # its row says that no mark stood there
    assert became(marked.night(on(5))) == [("to do", "contested"), ("dismissed", "in force")]


def test_going_on_in_the_same_file_is_no_conflict_but_another_hand_is(marked: Marked) -> None:
    marked.mark(on(2), "to do", made=on(1), file="A1.xlsx", saved_by="Ann")
    marked.mark(on(3), "done", made=on(1), file="A1.xlsx", saved_by="Ann")
    assert became(marked.night(on(3))) == [("to do", "replaced"), ("done", "in force")]
    marked.mark(on(4), "waiting", made=on(1), file="A1.xlsx", saved_by="Bo")
    assert became(marked.night(on(4))) == [("to do", "replaced"), ("done", "contested"), ("waiting", "in force")]


def test_in_the_shared_folder_a_file_is_one_whoever_saves_it(marked: Marked) -> None:
    marked.mark(on(2), "to do", made=on(1), file="shared/A1/A1.xlsx", saved_by="Ann")
    marked.mark(on(3), "done", made=on(1), file="shared/A1/A1.xlsx", saved_by="Bo")
    assert became(marked.night(on(3))) == [("to do", "replaced"), ("done", "in force")]


def test_a_workbook_dropped_again_repeats_no_mark(marked: Marked) -> None:
    first = marked.mark(on(2), "to do", made=on(1), file="A1.xlsx")
    marked.mark(on(3), "done", on_state=first)
    marked.mark(on(4), "to do", made=on(1), file="A1.xlsx")
    tables = marked.night(on(4))
    assert became(tables) == [("to do", "replaced"), ("done", "in force")]
    assert one(tables)["mark_told"].startswith("Put aside")


def test_changed_and_changed_back_in_one_file_is_a_new_mark(marked: Marked) -> None:
    for night, status in ((2, "to do"), (3, "done"), (4, "to do")):
        marked.mark(on(night), status, made=on(1), file="A1.xlsx")
    assert one(marked.night(on(4)))["mark_status"] == "to do"


def test_without_a_mark_id_the_day_of_the_workbook_says_what_was_seen(marked: Marked) -> None:
    marked.mark(on(2), "to do")
    marked.mark(on(4), "waiting", on_state=None)
    tables = marked.night(on(4))
    assert became(tables) == [("to do", "replaced"), ("waiting", "in force")]
    marked.mark(on(6), "waiting", on_state=None)  # stood there already
    assert len(became(marked.night(on(6)))) == 2


def test_a_column_that_is_gone_leaves_what_was_last_read_of_it(marked: Marked) -> None:
    first = marked.mark(on(2), "to do", note="call", owner="Bo")
    second = marked.mark(on(4), "waiting", on_state=first, not_read="note, owner")
    marked.mark(on(6), "done", on_state=second, owner="Cy", not_read="note")
    assert one(marked.night(on(4)))["mark_note"] == "call"
    found = one(marked.night(on(6)))
    assert (found["mark_status"], found["mark_note"], found["mark_owner"]) == ("done", "call", "Cy")


def test_a_mark_not_received_yet_does_not_exist(marked: Marked) -> None:
    marked.mark(on(9), "done")
    assert one(marked.night(on(8)))["mark_status"] is None


def test_a_mark_on_no_finding_is_told_once_and_kept(marked: Marked) -> None:
    marked.mark(on(2), "done", finding="F9", note="mine")
    tables = marked.night(on(2))
    assert tables["mark_problems"].select("rule", "advisor_id").rows() == [("mark_of_no_finding", "A1")]
    assert one(tables, "F9", "marks")["note"] == "mine"
    assert marked.night(on(3))["mark_problems"].is_empty()
    later = marked.night(on(4), {"finding_id": "F9"})
    assert one(later, "F9")["put_aside"] is True


def test_a_mark_of_a_client_who_moved_stays_with_the_finding(marked: Marked) -> None:
    marked.mark(on(2), "dismissed", advisor="A1")
    found = one(marked.night(on(2), advisor_id="B7"))
    assert (found["put_aside"], found["advisor_id"]) == (True, "B7")


# --- what is put aside, and what brings it back ---------------------------------------------------------------------


@pytest.mark.parametrize(("status", "snooze", "aside"), [
    ("dismissed", None, True), ("done", None, True), ("waiting", None, False), ("to do", None, False),
    ("waiting", on(20), True), (None, on(20), True), (None, on(2), False), ("done", on(1), True),
])  # fmt: skip
def test_done_dismissed_and_snoozed_are_put_aside(
    marked: Marked, status: str | None, snooze: date | None, aside: bool
) -> None:
    marked.mark(on(2), status, snooze_until=snooze)
    assert one(marked.night(on(2)))["put_aside"] is aside


def test_what_is_put_aside_ranks_after_the_others_and_before_the_resolved(marked: Marked) -> None:
    marked.mark(on(2), "dismissed")
    tables = marked.night(
        on(2),
        {"finding_id": "F1"},
        {"finding_id": "F2"},
        {"finding_id": "F3"},
        {"finding_id": "F4", "status": "resolved"},
    )
    assert tables["findings"].sort("rank")["finding_id"].to_list() == ["F2", "F3", "F1", "F4"]


@pytest.mark.parametrize(("then", "now", "back"), [
    ("10000.00", "12000.00", None),  # 20%, not more
    ("10000.00", "12000.01", "its dollars moved from $10,000 to $12,000.01"),
    ("10000.00", "7999.99", "its dollars moved from $10,000 to $7,999.99"),
    ("1000.00", "1499.99", None),  # 50%, but less than $500
    ("1000.00", "1500.00", "its dollars moved from $1,000 to $1,500"),
    ("0.00", "500.00", "its dollars moved from $0 to $500"),
    (None, "0.01", "its dollars are known now: $0.01"),
    ("1000.00", None, None),
    (None, None, None),
])  # fmt: skip
@pytest.mark.parametrize("mark", [{"status": "dismissed"}, {"snooze_until": date(2027, 3, 1)}])
def test_dollars_that_moved_bring_it_back(
    marked: Marked, mark: dict[str, Any], then: str | None, now: str | None, back: str | None
) -> None:
    marked.mark(on(2), amount=then, **mark)
    found = one(marked.night(on(3), amount=None if now is None else Decimal(now)))
    assert (found["came_back"], found["put_aside"]) == (back, back is None)


@pytest.mark.parametrize(("then", "now", "back"), [
    ("high", "critical", "it was high and is critical"), ("high", "high", None), ("high", "low", None),
    ("info", "low", "it was info and is low"),
])  # fmt: skip
def test_a_severity_that_rose_brings_it_back(marked: Marked, then: str, now: str, back: str | None) -> None:
    marked.mark(on(2), "dismissed", severity=then)
    assert one(marked.night(on(3), severity=now))["came_back"] == back


@pytest.mark.parametrize(("then", "now", "night", "back"), [
    (date(2026, 12, 31), date(2026, 12, 31), on(30), None),  # 31 days
    (date(2026, 12, 31), date(2026, 12, 31), on(1, 12), "its deadline, December 31, 2026, is near"),
    (on(30), on(30), on(5), None),  # was near when it was marked
    (None, on(30), on(5), "its deadline, November 30, 2026, is near"),
    (date(2026, 12, 31), None, on(1, 12), None),
])  # fmt: skip
def test_a_deadline_that_came_near_brings_it_back(
    marked: Marked, then: date | None, now: date | None, night: date, back: str | None
) -> None:
    marked.mark(on(2), "dismissed", deadline=then)
    assert one(marked.night(night, deadline=now))["came_back"] == back


def test_the_snooze_date_brings_it_back_on_its_day(marked: Marked) -> None:
    marked.mark(on(2), "waiting", snooze_until=on(9))
    assert one(marked.night(on(8)))["mark_told"] == "Put aside on November 2, 2026: snoozed until November 9, 2026"
    found = one(marked.night(on(9)))
    assert found["put_aside"] is False
    assert found["came_back"] == "the day it was snoozed until, November 9, 2026, has come"


def test_what_went_and_came_again_is_back(marked: Marked) -> None:
    marked.mark(on(2), "done")
    assert one(marked.night(on(2)))["put_aside"] is True
    assert one(marked.night(on(3), status="resolved"))["put_aside"] is False
    assert one(marked.night(on(4), {"finding_id": "F2"}), table="marks")["gone_on"] == on(3)
    assert one(marked.night(on(5), status="new"))["came_back"] == "it was gone on November 3, 2026 and is there again"
    marked.mark(on(6), "dismissed", on_state=mark_state("reading 0"))
    assert one(marked.night(on(6)))["put_aside"] is True


def test_a_row_that_says_nothing_of_the_finding_is_held_against_the_night_it_came_in(marked: Marked) -> None:
    """And from then on against what was carried, not against every new night."""
    marked.mark(on(2), "dismissed", severity=None, amount=None, deadline=None)
    assert one(marked.night(on(2), amount=Decimal(1000)))["put_aside"] is True
    tables = marked.night(on(3), amount=Decimal(1400))
    assert one(tables, table="marks")["amount_then"] == Decimal(1000)
    assert one(tables)["put_aside"] is True
    assert one(marked.night(on(4), amount=Decimal(1800)))["came_back"] == "its dollars moved from $1,000 to $1,800"


def test_a_part_that_got_graver_brings_the_whole_back(marked: Marked) -> None:
    """As Exceptions shows it: a row is as grave as the gravest of its parts, and due when the first of them is."""
    marked.mark(on(2), "dismissed", severity="high", deadline=None)
    whole, part = {"finding_id": "F1", "deadline": None}, {"finding_id": "F2", "part_of": "F1"}
    assert one(marked.night(on(3), whole, {**part, "severity": "low"}))["put_aside"] is True
    grave = marked.night(on(4), whole, {**part, "severity": "critical"})
    assert one(grave)["came_back"] == "it was high and is critical"
    due = marked.night(on(5), whole, {**part, "severity": "low", "deadline": on(20)})
    assert one(due)["came_back"] == "its deadline, November 20, 2026, is near"
    sooner = marked.night(on(6), {**whole, "deadline": on(30)}, {**part, "severity": "low", "deadline": on(20)})
    assert one(sooner)["came_back"] == "its deadline, November 20, 2026, is near"


def test_a_mark_made_again_on_what_came_back_puts_it_aside_again(marked: Marked) -> None:
    first = marked.mark(on(2), "dismissed", amount="1000")
    assert one(marked.night(on(3), amount=Decimal(9000)))["came_back"]
    marked.mark(on(4), "dismissed", amount="9000", on_state=first)
    tables = marked.night(on(4), amount=Decimal(9000))
    assert one(tables)["put_aside"] is True
    assert became(tables) == [("dismissed", "replaced"), ("dismissed", "in force")]


@pytest.mark.parametrize(
    ("comes_back", "back"),
    [
        pytest.param(ComesBack(), True, id="the default: 21% and $525"),
        pytest.param(ComesBack(percent=21), False, id="exactly 21% isn't more than 21%"),
        pytest.param(ComesBack(dollars=Decimal("525.00")), True, id="exactly the dollars"),
        pytest.param(ComesBack(dollars=Decimal("526.00")), False, id="a dollar short"),
    ],
)
def test_what_brings_a_finding_back_can_be_stated(marked: Marked, comes_back: ComesBack, *, back: bool) -> None:
    marked.comes_back = comes_back
    marked.mark(on(2), "done", amount="2500.00")
    assert one(marked.night(on(2), amount=Decimal("3025.00")))["put_aside"] is not back


@pytest.mark.parametrize(("days", "back"), [(30, False), (31, True)])
def test_how_near_a_deadline_brings_a_finding_back_can_be_stated(marked: Marked, days: int, *, back: bool) -> None:
    marked.comes_back = ComesBack(days=days)
    near = date(2026, 12, 3)
    marked.mark(on(1), "done", made=date(2026, 10, 1), deadline=near)
    assert one(marked.night(on(2), deadline=near))["put_aside"] is not back
