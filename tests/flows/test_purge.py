"""What is old goes, and what a kept number rests on stays, however old; nothing goes unasked or untold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from flows import audit, nights, pipeline, purge, status
from flows.errors import UsageError
from flows.run_folder import RunFolder
from tests.flows.inbox import BAD_ROW, FILES, SECRETS, rothbook
from tests.flows.past_nights import BALANCES, PastNights

HEADER = FILES["transactions.csv"].splitlines(keepends=True)[0]
REFUSED = "who,what\nQuackenbush,900-11-2345\n"
SPOILED = HEADER + BAD_ROW
REPLACED = BALANCES + "testcust,887700551234,2026-12-31,2500\n"
#: The first three are more than six years before the last; their bad row and their value were put right since.
NIGHTS: dict[str, dict[str, str]] = {
    "2020-12-01": FILES,
    "2020-12-02": {"unknown.csv": REFUSED, "more.csv": SPOILED, "late.csv": REPLACED},
    "2020-12-03": {"right.csv": BALANCES + "testcust,887700551234,2026-12-31,0\n"},
    "2026-11-30": {"mended.csv": HEADER + "testcust,887700551234,T4,2026-03-01,market,100,,,\n"},
    "2027-02-01": {},
}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PastNights:
    past = PastNights(tmp_path_factory.mktemp("old"))
    for as_of, files in NIGHTS.items():
        past.drop(files)
        past.runs[as_of] = past.run(as_of)
        past.empty()
    kept = past.out / "prefect" / "storage" / "failure"  # what a failed run leaves of Prefect's
    kept.parent.mkdir(parents=True)
    kept.write_text("an exception", encoding="utf-8")
    moment = datetime(2020, 12, 3, tzinfo=UTC).timestamp()
    os.utime(kept, (moment, moment))
    return past


@pytest.fixture
def out(book: PastNights, tmp_path: Path) -> Path:
    return Path(shutil.copytree(book.out, tmp_path / "out", symlinks=True))


def everything(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file() and not p.is_symlink()}


def test_only_what_is_old_and_not_needed_is_found(book: PastNights) -> None:
    found = purge.find(book.out, 6)
    assert found.before.isoformat() == "2021-02-01"
    assert found.runs == ("2020-12-01-001", "2020-12-02-001", "2020-12-03-001")
    assert found.logs == tuple(f"{run_id}.jsonl" for run_id in found.runs)
    assert found.nights == ("2020-12-01-001", "2020-12-02-001")  # the first kept night is compared with the third
    assert set(found.archive) == {sha(REFUSED), sha(SPOILED), sha(REPLACED)}
    assert set(found.quarantine) == {sha(REFUSED), sha(SPOILED)}
    assert found.needed == 8  # the seven files of the first night and the value put right
    assert purge.find(book.out, 7).empty


def test_a_run_that_failed_or_died_keeps_its_number_when_its_log_has_gone(out: Path) -> None:
    died, failed = "2020-12-02-002", "2020-12-02-003"
    for run_id in (died, failed):
        (out / "logs" / f"{run_id}.jsonl").write_text('{"event": "run started"}\n', encoding="utf-8")
        audit.append(out, audit.STARTED, run_id=run_id)
    (out / "runs" / f"{failed}.failed.txt").write_text("failed to read\n", encoding="utf-8")
    found = purge.find(out, 6)
    assert found.notes == (f"{failed}.failed.txt",)
    assert {f"{died}.jsonl", f"{failed}.jsonl"} < set(found.logs)
    purge.remove(out, found)
    assert {a.run_id for a in status.look(out, datetime.now(UTC)).runs} == {"2026-11-30-001", "2027-02-01-001"}
    assert RunFolder.create(out, date(2020, 12, 2)).run_id == "2020-12-02-004"


def test_nothing_goes_unasked(out: Path) -> None:
    before = everything(out)
    for way in ((), ("--dry-run",)):
        done = rothbook("purge", "--out", out, *way)
        assert done.returncode == 0, done.stderr
        assert "would remove (nothing is removed without --yes)" in done.stdout
        assert "3 archived files" in done.stdout
        assert "8 archived files are as old and stay" in done.stdout
    assert everything(out) == before
    assert rothbook("purge", "--out", out, "--yes", "--dry-run").returncode == 2
    assert rothbook("purge", "--out", out, "--keep-years", "0").returncode == 2
    assert rothbook("purge", "--out", out / "nowhere").returncode == 2


def test_what_is_asked_goes_is_told_and_the_nights_go_on(out: Path, book: PastNights, tmp_path: Path) -> None:
    done = rothbook("purge", "--out", out, "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (out / "runs").iterdir()) == ["2026-11-30-001", "2027-02-01-001"]
    assert not {sha(REFUSED), sha(SPOILED), sha(REPLACED)} & {p.name for p in (out / "archive").iterdir()}
    assert len(list((out / "archive").iterdir())) == 9
    kept = {p.name.partition("-")[0] for p in (out / "state" / "parsed").iterdir()}
    assert kept
    assert kept <= {p.name for p in (out / "archive").iterdir()}
    assert list((out / "quarantine").iterdir()) == []
    assert sorted(p.stem for p in (out / "logs").iterdir()) == ["2026-11-30-001", "2027-02-01-001"]
    assert (out / "latest").resolve().name == "2027-02-01-001"
    began, ended = audit.lines(out)[-2:]
    assert (began["event"], ended["event"]) == ("purge started", "purge finished")
    assert set(began["archive"]) == {sha(REFUSED), sha(SPOILED), sha(REPLACED)}
    assert ended["counts"] == {
        "runs": 3, "notes": 0, "logs": 3, "nights": 2, "archive": 3, "quarantine": 2, "flow_runs": 0, "failures": 1,
    }  # fmt: skip
    assert list((out / "prefect" / "storage").iterdir()) == []
    assert audit.verify(out).ok
    text = (out / "state" / audit.LOG).read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in text + done.stdout] == []
    assert "nothing is older and not needed" in rothbook("purge", "--out", out, "--yes").stdout

    # a kept night again: every answer is the same, and what differs is put down to the purge
    own = PastNights(tmp_path)
    again = own.run("2026-11-30")
    for path in (book.runs["2026-11-30"] / "results").glob("*.parquet"):
        if path.stem not in ("files", "trend"):  # both count the files of the book
            assert (again / "results" / path.name).read_bytes() == path.read_bytes(), path.name
    facts = json.loads((again / "run.json").read_text(encoding="utf-8"))
    assert facts["again"]["changed"] == {"purged": [0, 3]}
    # the bytes of a purged file that come again are a file like any other
    own.drop({"once more.csv": REPLACED})
    tomorrow = own.run("2027-02-02")
    known = pl.read_parquet(tomorrow / "results/files.parquet").filter(pl.col("sha256") == sha(REPLACED))
    assert known.select("state", pl.col("received_at").cast(pl.String)).rows() == [("accepted", "2027-02-02")]
    assert pl.read_parquet(tomorrow / "results/form_8606.parquet")["line_6"].cast(pl.String).to_list() == ["2500.00"]


@pytest.mark.parametrize(
    ("at", "files_left"),
    [
        pytest.param("_unlink", 3, id="before the first file"),
        pytest.param("shutil.rmtree", 0, id="before the first run"),
    ],
)
def test_a_purge_that_was_killed_is_finished_by_the_next(
    out: Path, monkeypatch: pytest.MonkeyPatch, at: str, files_left: int
) -> None:
    found = purge.find(out, 6)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"flows.purge.{at}", die)
        with pytest.raises(KeyboardInterrupt):
            purge.remove(out, found)
    left = purge.find(out, 6)
    assert (left.runs, len(left.archive)) == (found.runs, files_left)
    purge.remove(out, left)
    assert purge.find(out, 6).empty
    assert len(list((out / "archive").iterdir())) == 9


def test_a_night_of_a_wrong_date_can_be_taken_back(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(date):
        @classmethod
        def today(cls) -> Clock:
            return cls(2027, 2, 2)

    monkeypatch.setattr(pipeline, "date", Clock)
    own = PastNights(tmp_path)
    new = BALANCES + "testcust,887700555678,2027-02-01,8000\n"
    own.drop({"new.csv": new})
    own.run("2099-01-01")
    with pytest.raises(UsageError, match="run 2099-01-01-001 is as of a later date than today, 2027-02-02"):
        pipeline.plan(own.inbox, out, None, (2026,))
    wrong = rothbook("purge", "--out", out, "--run", "2027-02-01-001", "--yes")
    assert (wrong.returncode, "only the newest night can be taken back" in wrong.stderr) == (2, True)
    asked = rothbook("purge", "--out", out, "--run", "2099-01-01-001").stdout
    assert "would take back run 2099-01-01-001 and forget 1 files" in asked
    assert (out / "latest").resolve().name == "2099-01-01-001"
    done = rothbook("purge", "--out", out, "--run", "2099-01-01-001", "--yes")
    assert f"new.csv  archive/{sha(new)}" in done.stdout
    assert (out / "latest").resolve().name == "2027-02-01-001"
    last = audit.lines(out)[-1]
    assert (last["event"], last["files"]) == ("run taken back", [sha(new)])
    assert audit.verify(out).ok
    assert pipeline.plan(own.inbox, out, None, (2026,)).as_of == date(2027, 2, 2)
    assert sha(new) not in {entry.sha256 for entry in nights.book(out, date(2100, 1, 1)).entries}


def test_nothing_of_the_archive_goes_if_the_book_would_not_be_the_same(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # even where the tables name no row of theirs: the book is read both ways before a file goes
    monkeypatch.setattr(purge, "_sources", lambda *_: set())
    monkeypatch.setattr(purge, "_delivered", lambda *_: set())
    found = purge.find(out, 6)
    assert found.archive == ()
    assert found.needed == 11


def test_a_container_stays_while_a_member_is_needed(out: Path) -> None:
    run = out / "runs" / "2027-02-01-001"
    files = pl.read_parquet(run / "canonical/files.parquet")
    night = nights.past(out)[1]
    delivered = night.deliveries
    delivered[0] = ("box.zip", "f" * 64, False)
    (night.path / "deliveries.json").write_text(json.dumps(delivered), encoding="utf-8")
    member = files.filter(pl.col("file_name") == "persons.csv").with_columns(file_name=pl.lit("box.zip/in/persons.csv"))
    pl.concat([files.filter(pl.col("file_name") != "persons.csv"), member]).write_parquet(
        run / "canonical/files.parquet"
    )
    assert "f" * 64 in purge._delivered(out, [run], set(member["sha256"]))
    assert "f" * 64 not in purge._delivered(out, [run], {sha(FILES["basis.csv"])})
