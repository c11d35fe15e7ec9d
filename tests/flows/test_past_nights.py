"""A night comes out as it did, whatever has happened since: files, corrections, an emptied inbox, only state left."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows import nights, pipeline, summary
from flows.run_folder import latest
from limits.load import UnknownTaxYear
from tests.flows.inbox import SECRETS, rothbook
from tests.flows.past_nights import BALANCES, NIGHTS, YEARS, PastNights, bytes_of

DAYS = list(NIGHTS)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PastNights:
    return PastNights(tmp_path_factory.mktemp("nights")).all_nights()


def facts(run: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return found


def line_18(run: Path) -> list[str | None]:
    return pl.read_parquet(run / "results/form_8606.parquet")["line_18"].cast(pl.String).to_list()


def found(run: Path) -> dict[str, tuple[str, str]]:
    table = pl.read_parquet(run / "results/findings.parquet")
    return {r["rule"]: (r["status"], str(r["first_seen"])) for r in table.to_dicts()}


def only_archive_and_state(book: PastNights, out: Path) -> Path:
    for name in ("archive", "state"):
        shutil.copytree(book.out / name, out / name)
    return out


def test_the_nights_are_what_they_were_worked_out_to_be(book: PastNights) -> None:
    # 7,500 converted out of 10,000, of which 7,500 is basis: 75% of 7,500 is not taxed, 1,875 is
    assert [line_18(book.runs[day]) for day in DAYS] == [["0.00"], ["1875.00"], [None], ["0.00"]]
    assert [found(book.runs[day]) for day in DAYS] == [
        {},
        {"conversion_taxed_pro_rata": ("new", "2027-02-02")},
        {"conversion_taxed_pro_rata": ("open", "2027-02-02"), "row_set_aside": ("new", "2027-02-03")},
        {"conversion_taxed_pro_rata": ("resolved", "2027-02-02"), "row_set_aside": ("resolved", "2027-02-03")},
    ]
    assert [facts(book.runs[day])["previous"] for day in DAYS] == [None, *(f"{day}-001" for day in DAYS[:-1])]
    states = [sorted(file["state"] for file in facts(book.runs[day])["input_files"]) for day in DAYS]
    assert states[1] == ["accepted"] * 8 + ["duplicate", "rejected"]
    assert states[3].count("duplicate") == 3
    marks = [pl.read_parquet(book.runs[day] / "results/marks.parquet")["status"].to_list() for day in DAYS]
    assert marks == [[], [], ["waiting"], ["waiting"]]


def test_an_old_date_again_is_that_night_to_the_byte_and_takes_nothing_in(book: PastNights, tmp_path: Path) -> None:
    own = PastNights(tmp_path)
    shutil.copytree(book.out, own.out, symlinks=True)
    own.drop({"tonight.csv": BALANCES + "testcust,887700555678,2027-02-04,9000\n"})
    aside = {path.name: path.read_bytes() for path in (own.out / "quarantine").iterdir()}
    shared = tmp_path / "shared"
    shared.mkdir()
    for day in DAYS[:-1]:
        again = own.run(day, years=None, shared=shared)
        assert again.name == f"{day}-002"
        assert bytes_of(again) == bytes_of(book.runs[day])
        assert facts(again)["fingerprint"] == facts(book.runs[day])["fingerprint"]
        assert facts(again)["again"] == {
            "run_id": f"{day}-001", "same": len(bytes_of(again)), "differ": [], "changed": {},
        }  # fmt: skip
        assert f"run {day}-001 to the byte" in summary.text(again)
        assert latest(own.out) == own.out / "runs" / "2027-02-04-001"
    assert {path.name: path.read_bytes() for path in (own.out / "quarantine").iterdir()} == aside
    assert {p.name for p in (own.out / "archive").iterdir()} == {p.name for p in (book.out / "archive").iterdir()}
    assert list(shared.iterdir()) == []  # advisors work on the newest night
    # the next night is compared with the night before it, not with a look back, and takes the file in
    tomorrow = own.run("2027-02-05")
    assert facts(tomorrow)["previous"] == "2027-02-04-001"
    assert found(tomorrow) == {}
    assert latest(own.out) == tomorrow
    assert "tonight.csv" in {file["file_name"] for file in facts(tomorrow)["input_files"]}


def test_archive_and_state_alone_are_enough(book: PastNights, tmp_path: Path) -> None:
    own = PastNights(tmp_path)
    only_archive_and_state(book, own.out)
    for day in ("2027-02-03", "2027-02-04"):  # one looked back at, and the newest with an empty inbox
        again = own.run(day)
        assert again.name == f"{day}-002"  # the log speaks of 001
        assert bytes_of(again) == bytes_of(book.runs[day])


def test_a_date_between_nights_knows_what_was_known_then_and_disturbs_nobody(book: PastNights, tmp_path: Path) -> None:
    own = PastNights(tmp_path)
    only_archive_and_state(book, own.out)
    early = own.run("2027-01-31")
    assert facts(early)["input_files"] == []
    assert nights.before(own.out, date(2027, 2, 1)) is None
    assert [n.run_id for n in nights.past(own.out) if n.looked_back] == ["2027-01-31-001"]


def test_newer_software_is_told(book: PastNights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = PastNights(tmp_path)
    only_archive_and_state(book, own.out)
    monkeypatch.setattr(pipeline, "__version__", "99.0")
    again = own.run("2027-02-01")
    told = facts(again)["again"]
    assert told["changed"] == {"version": ["0.1.0", "99.0"]}
    assert told["differ"] == ["workbooks/ADV1.xlsx", "workbooks/_firm.xlsx"]
    said = summary.text(again)
    assert "differ from run 2027-02-01-001" in said
    assert "software changed since: 0.1.0 then, 99.0 now" in said


def test_a_run_killed_before_it_was_remembered_is_remembered_by_the_next(book: PastNights, tmp_path: Path) -> None:
    own = tmp_path / "out"
    shutil.copytree(book.out, own, symlinks=True)
    before = (own / "state/nights/2027-02-04-001/night.json").read_bytes()
    shutil.rmtree(own / "state/nights/2027-02-04-001")
    (own / "latest").unlink()
    (own / "latest").symlink_to("runs/2027-02-03-001")
    nights.catch_up(own)
    assert (own / "state/nights/2027-02-04-001/night.json").read_bytes() == before
    assert latest(own) == own / "runs/2027-02-04-001"


def test_the_years_of_a_night_are_kept(book: PastNights) -> None:
    # by default a run of these dates would compute 2027 too, which has no limits yet
    assert pipeline.plan(book.inbox, book.out, date(2027, 2, 2), None).tax_years == YEARS
    with pytest.raises(UnknownTaxYear):
        pipeline.plan(book.inbox, book.out, date(2027, 2, 5), None)


# ---- rothbook diff -------------------------------------------------------------------------------------------------


def test_diff_says_what_changed_and_why(book: PastNights) -> None:
    done = rothbook("diff", "2027-02-01", "2027-02-02-001", "--out", book.out, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["runs"]["changed"] == {"as_of": ["2027-02-01", "2027-02-02"]}
    assert [f["file_name"] for f in told["files"]["arrived"]] == ["late_...1234.csv", "unknown.csv"]
    assert told["facts"] == {"balances": {"added": 0, "removed": 0, "changed": 1}}
    assert told["tables"]["form_8606"] == {"added": 0, "removed": 0, "changed": 1}
    (person,) = told["persons"]
    assert person["person_id"] == "P1"
    numbers = {n["column"]: (n["before"], n["after"]) for n in person["numbers"]}
    assert numbers == {
        "line_6": ("0.00", "2500.00"), "line_9": ("7500.00", "10000.00"), "line_10": ("1.0000000000", "0.7500000000"),
        "line_11": ("7500.00", "5625.00"), "line_13": ("7500.00", "5625.00"), "line_14": ("0.00", "1875.00"),
        "line_17": ("7500.00", "5625.00"), "line_18": ("0.00", "1875.00"),
    }  # fmt: skip
    assert person["causes"] == [
        {
            "source": "balances", "change": "changed", "fact": "2026-12-31", "account": "testcust ...1234",
            "columns": ["market_value 0.00 -> 2500.00"], "place": "late_...1234.csv:2",
        }
    ]  # fmt: skip
    assert [f["rule"] for f in told["findings"]["new"]] == ["conversion_taxed_pro_rata"]
    assert told["findings"]["resolved"] == told["findings"]["changed"] == told["findings"]["marked"] == []


def test_diff_as_text_is_bounded_and_holds_no_client_data(book: PastNights) -> None:
    whole = rothbook("diff", "previous", "latest", "--out", book.out).stdout
    assert "  P1\n    2026 form_8606 status: UNKNOWN -> COMPUTED\n" in whole
    assert "because set_aside removed: 2026 [more.csv:2]" in whole
    assert "because ira_basis changed: 2025 basis 0.00 -> 400.00; source changed [basis.csv:2]" in whole
    assert "findings: 0 new, 2 resolved, 0 changed, 0 marked" in whole
    short = rothbook("diff", "2027-02-03", "2027-02-04", "--out", book.out, "--limit", "2").stdout
    assert "files arrived: 3" in short
    assert "  ... and 1 more (--limit)" in short
    assert len(short.splitlines()) < len(whole.splitlines())
    emptied = rothbook("diff", "2027-02-02", "2027-02-03", "--out", book.out).stdout
    assert "2026 form_8606: 21 numbers are blank now" in emptied
    assert "marked: conversion_taxed_pro_rata P1 2026 (mark blank -> waiting)" in emptied
    assert [s for s in SECRETS if s in whole + short + emptied] == []


def test_diff_of_a_run_with_itself_is_empty(book: PastNights) -> None:
    said = rothbook("diff", "latest", "latest", "--out", book.out).stdout.splitlines()
    assert said[2:] == [
        "files: the same", "facts read: the same", "results: the same", "persons with changed numbers: 0",
        "findings: 0 new, 0 resolved, 0 changed, 0 marked",
    ]  # fmt: skip


@pytest.mark.parametrize("which", ["2027-02-09", "2027-02-01-007", "nonsense"])
def test_a_run_that_is_not_there_is_refused(book: PastNights, which: str) -> None:
    done = rothbook("diff", which, "latest", "--out", book.out)
    assert done.returncode == 2
    assert f"there is no run '{which}'" in done.stderr


# ---- rothbook history ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["P1", "testcust:8877-0055-1234", "887700551234"])
def test_history_says_what_was_known_on_which_night(book: PastNights, who: str) -> None:
    done = rothbook("history", who, "--out", book.out, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = [v for v in json.loads(done.stdout)["versions"] if v["table"] == "balances" and "1234" in v["fact"]]
    spans = [(v["values"]["market_value"], v["known_from"], v["known_until"], v["place"]) for v in told]
    assert spans == [
        ("0.00", "2027-02-01", "2027-02-01", "balances_...1234.csv:2"),
        ("2500.00", "2027-02-02", "2027-02-03", "late_...1234.csv:2"),
        ("0.00", "2027-02-04", None, "right.csv:2"),
    ]
    assert [s for s in SECRETS if s in done.stdout] == []


def test_history_of_a_person_has_the_answers_too(book: PastNights) -> None:
    said = rothbook("history", "P1", "--out", book.out).stdout
    assert "ira_basis 2025\n  2027-02-01 until 2027-02-03 basis 0.00 [basis.csv:2, received 2027-02-01]\n" in said
    assert "  2027-02-02 until 2027-02-02 line_6 2500.00, line_9 10000.00" in said
    assert "4 nights, 2027-02-01 to 2027-02-04" in said
    nobody = rothbook("history", "P9", "--out", book.out)
    assert (nobody.returncode, nobody.stdout) == (2, "")
