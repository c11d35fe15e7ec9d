"""`rothbook status`: what needs a person comes first, and nobody's name, account or tax id comes at all."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows import run_log, status
from flows.errors import StageFailed, UsageError
from flows.pipeline import open_run, plan
from flows.run_folder import exclusive
from tests.flows.deliveries import EXPECTED
from tests.flows.inbox import ROOT, SECRETS, rothbook, run, write_inbox

NOW = datetime(2027, 5, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT after a night with a bad row, a picture and a delivery that didn't come."""
    base = tmp_path_factory.mktemp("book")
    inbox = write_inbox(base / "inbox", bad_row=True)
    row = "Custodian A,testcust,balances,positions_*.csv,business_day,,0,,2027-04-20\n"
    (inbox / "expected.csv").write_text(EXPECTED + row, encoding="utf-8")
    (inbox / "scan_887700551234.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (inbox / "late.csv.part").write_text("x", encoding="utf-8")
    code, said = run(inbox, base / "out")
    assert code == 1, said
    (base / "out" / "said.txt").write_text(said, encoding="utf-8")
    return base / "out"


@pytest.fixture
def out(book: Path, tmp_path: Path) -> Path:
    """A copy a test may change."""
    return Path(shutil.copytree(book, tmp_path / "out", symlinks=True))


def look(out: Path) -> status.Status:
    return status.look(out, NOW)


def test_it_says_what_was_set_aside_and_what_did_not_come(book: Path) -> None:
    found = look(book)
    assert found.newest_good == "2027-05-01-001"
    assert [(e.source, e.state) for e in found.expected] == [("Custodian A", "missing")]
    aside = {a.file: (a.rows, a.whole) for a in found.set_aside}
    assert aside == {"scan_...1234.png": (0, True), "transactions.csv": (1, False)}
    assert found.still_arriving == ("late.csv.part",)
    assert found.runs[0].rows_set_aside == 2
    assert found.runs[0].files_set_aside == 1
    assert found.exit_code == 1
    assert "waiting to be put right: 1 row and 1 whole file:" in found.needs_a_person[1]
    assert [need.split(":")[0] for need in found.needs_a_person] == [
        "missing", "waiting to be put right",
    ]  # fmt: skip


def test_the_command_prints_it_as_text_and_as_json_without_client_data(book: Path) -> None:
    text, machine = rothbook("status", "--out", book), rothbook("status", "--out", book, "--format", "json")
    assert (text.returncode, machine.returncode) == (1, 1), text.stderr + machine.stderr
    assert text.stdout.startswith("needs a person: missing: Custodian A")
    assert json.loads(machine.stdout)["runs"][0]["run_id"] == "2027-05-01-001"
    assert [secret for secret in SECRETS if secret in text.stdout + machine.stdout] == []


def test_the_summary_says_first_what_came_of_the_files(book: Path) -> None:
    said = (book / "said.txt").read_text(encoding="utf-8").splitlines()
    assert said[1] == "result:     1 row and 1 whole file set aside; of the files that should have come: 1 missing"


def test_a_missing_file_alone_is_exit_0_and_told_first(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    row = "Custodian A,testcust,balances,positions_*.csv,business_day,,0,,2027-04-20\n"
    (inbox / "expected.csv").write_text(EXPECTED + row, encoding="utf-8")
    code, said = run(inbox, tmp_path / "out")
    assert code == 0, said
    told = said.splitlines()
    assert told[1] == "result:     every file and row accepted; of the files that should have come: 1 missing"
    assert "'rothbook status' ends with 1" in told[2]
    assert look(tmp_path / "out").exit_code == 1


def test_nothing_ever_run_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing was ever run"):
        look(tmp_path)
    assert rothbook("status", "--out", tmp_path / "nowhere").returncode == 2
    assert rothbook("status").returncode == 2


def test_no_good_run_for_too_long_needs_a_person_where_the_configuration_says_how_long(out: Path) -> None:
    ended = (NOW - timedelta(hours=27)).timestamp()
    os.utime(out / "latest", (ended, ended), follow_symlinks=False)
    overdue = "the newest good run ended 27 hours ago, more than 26: see 'rothbook doctor'"
    assert overdue in status.look(out, NOW, overdue_after_hours=26).needs_a_person
    for hours in (27, None):
        told = status.look(out, NOW, overdue_after_hours=hours).needs_a_person
        assert not [need for need in told if "hours ago" in need]


def test_a_failed_run_needs_a_person_until_one_ends_well(out: Path, tmp_path: Path) -> None:
    night = plan(write_inbox(tmp_path / "inbox"), out, date(2027, 5, 2), (2026,))
    with pytest.raises(StageFailed), open_run(night):
        raise StageFailed("compute", "OSError (No space left on device)")
    found = look(out)
    assert (found.runs[0].run_id, found.runs[0].state, found.runs[0].exit_code) == ("2027-05-02-001", "failed", 3)
    assert found.needs_a_person[0] == (
        "run 2027-05-02-001 failed (failed to compute: OSError (No space left on device)): run it again"
    )
    shutil.copytree(out / "runs" / "2027-05-01-001", out / "runs" / "2027-05-01-002")  # an old night, looked at again
    os.utime(out / "runs" / "2027-05-01-002" / "run.json", (NOW.timestamp(), NOW.timestamp()))
    assert look(out).runs[0].run_id == "2027-05-01-002"
    assert look(out).needs_a_person == found.needs_a_person
    code, said = run(tmp_path / "inbox", out, as_of="2027-05-02")
    assert code == 1, said  # the row set aside the night before still is
    assert look(out).newest_good == "2027-05-02-002"
    assert not [need for need in look(out).needs_a_person if need.startswith("run ")]


def test_a_run_is_under_way_then_died(out: Path) -> None:
    partial = out / "runs" / ".2027-05-02-001.partial"
    partial.mkdir()
    folder = run_log.RunFolder(partial)
    run_log.tell(folder, "run started", as_of="2027-05-02")
    run_log.tell(folder, "stage started", level="debug", stage="compute")
    with exclusive(out):
        found = look(out)
        assert (found.runs[0].state, found.runs[0].detail) == ("under way", "in stage 'compute'")
        assert found.partial_folders == ()
    found = look(out)
    assert found.runs[0].state == "died"
    assert found.partial_folders == (".2027-05-02-001.partial",)
    assert found.needs_a_person[0].startswith("run 2027-05-02-001 was stopped or killed")
    assert "removed by the next one: runs/.2027-05-02-001.partial" in status.as_text(found)
    shutil.rmtree(partial)
    assert look(out).runs[0].state == "died", "its log is still there"


def test_asking_for_the_status_refuses_no_run(out: Path) -> None:
    ask = (
        "import sys, pathlib; from flows.run_folder import under_way\nwhile True: under_way(pathlib.Path(sys.argv[1]))"
    )
    asking = subprocess.Popen([sys.executable, "-c", ask, out], cwd=ROOT)
    try:
        for _ in range(20):
            with exclusive(out):
                pass
    finally:
        asking.kill()
        asking.wait()


def test_a_purged_run_did_not_die(out: Path) -> None:
    (out / "latest").unlink()
    shutil.rmtree(out / "runs" / "2027-05-01-001")
    found = look(out)
    assert found.runs == ()
    assert found.needs_a_person == ("no run has ended well yet",)


def test_a_damaged_run_is_told(out: Path) -> None:
    older = out / "runs" / "2027-04-01-001"
    older.mkdir()
    (older / "run.json").write_text("{", encoding="utf-8")
    found = look(out)
    assert "run 2027-04-01-001 is damaged (run.json can't be read): restore it from the backup" in found.needs_a_person


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """OUT of a real run killed in the middle of its work."""
    inbox, out = write_inbox(tmp_path / "inbox"), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "flows",
        "run",
        "--direct",
        "--inbox",
        inbox,
        "--out",
        out,
        "--as-of",
        "2027-05-01",
    ]
    process = subprocess.Popen(
        [*command, "--tax-year", "2026"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    log = out / "logs" / "2027-05-01-001.jsonl"
    while process.poll() is None and not (log.exists() and "read" in log.read_text(encoding="utf-8")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return out


def test_what_a_killed_run_left_is_told_and_its_number_not_given_again(killed: Path) -> None:
    found = look(killed)
    assert (found.runs[0].run_id, found.runs[0].state) == ("2027-05-01-001", "died")
    code, said = run(killed.parent / "inbox", killed)
    assert code == 0, said
    assert (killed / "latest").resolve().name == "2027-05-01-002"
    assert look(killed).exit_code == 0
