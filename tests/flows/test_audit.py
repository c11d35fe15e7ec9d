"""The audit log: every change of it is seen, a crash isn't taken for one, and it knows clients by ids only."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows import audit, audited, config, firm_key
from flows.cli import main
from tests.flows.inbox import ROOT, SECRETS, rothbook
from tests.flows.past_nights import YEARS, PastNights


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of six lines."""
    for number in range(6):
        audit.append(tmp_path, "something", number=number)
    return tmp_path / "state" / audit.LOG


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PastNights:
    return PastNights(tmp_path_factory.mktemp("audited")).all_nights()


@pytest.fixture
def own(book: PastNights, tmp_path: Path) -> Path:
    """A copy of the book's OUT."""
    return Path(shutil.copytree(book.out, tmp_path / "out", symlinks=True))


def changed(log: Path, change: Callable[[list[bytes]], list[bytes]]) -> audit.Checked:
    lines = log.read_bytes().split(b"\n")[:-1]
    log.write_bytes(b"".join(line + b"\n" for line in change(lines)))
    return audit.verify(log.parent.parent)


def test_a_log_as_it_was_written_is_ok(log: Path) -> None:
    checked = audit.verify(log.parent.parent)
    assert (checked.ok, checked.count, checked.cut_short) == (True, 6, ())
    assert checked.head == audit._sha(log.read_bytes().split(b"\n")[-2])
    first = json.loads(log.read_bytes().split(b"\n")[0])
    assert first["before"] == "0" * 64
    assert first["who"].keys() == {"user", "host", "command"}
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("change", "at"),
    [
        pytest.param(lambda li: [li[0].replace(b'"number": 0', b'"number": 7'), *li[1:]], 2, id="first line changed"),
        pytest.param(lambda li: [*li[:3], li[3].replace(b"something", b"nothing"), *li[4:]], 5, id="middle changed"),
        pytest.param(lambda li: [*li[:2], *li[3:]], 3, id="taken out"),
        pytest.param(lambda li: li[1:], 1, id="first taken out"),
        pytest.param(lambda li: [*li[:2], li[3], li[2], *li[4:]], 3, id="two changed places"),
        pytest.param(lambda li: [*li[:2], li[1], *li[2:]], 3, id="one twice"),
        pytest.param(lambda li: [*li[:4], b"rubbish", *li[4:]], 5, id="rubbish put in"),
        pytest.param(lambda li: [*li[:4], b"", *li[4:]], 5, id="blank line put in"),
        pytest.param(lambda li: [*li, b"rubbish"], 7, id="rubbish at the end"),
        pytest.param(lambda li: [*li[:4], li[4][:40], li[5]], 5, id="cut in the middle"),
    ],
)
def test_every_change_is_seen_where_it_begins(log: Path, change: Callable[[list[bytes]], list[bytes]], at: int) -> None:
    checked = changed(log, change)
    assert not checked.ok
    assert checked.broken is not None
    assert checked.broken[0] == at
    assert checked.count == at - 1


def test_one_changed_byte_anywhere_before_the_last_line_is_seen(log: Path) -> None:
    whole = log.read_bytes()
    last = whole.rindex(b"\n", 0, len(whole) - 1)
    for place in range(0, last, 7):
        if whole[place : place + 1] != b"\n":
            log.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            assert not audit.verify(log.parent.parent).ok, place
    log.write_bytes(whole)
    assert audit.verify(log.parent.parent).ok


@pytest.mark.parametrize("left", [1, 20, 200, -1])
def test_a_line_cut_short_by_a_crash_is_told_apart_and_gone_on_after(log: Path, left: int) -> None:
    out = log.parent.parent
    whole = log.read_bytes()
    start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
    log.write_bytes(whole[: start + left] if left > 0 else whole[:-1])
    lost = int(left > 0)
    checked = audit.verify(out)
    assert (checked.ok, checked.cut_short, checked.count) == (True, (6,), 5)
    audit.append(out, "after the crash")
    checked = audit.verify(out)
    assert (checked.ok, checked.cut_short, checked.count) == (True, (6,) if lost else (), 7 - lost)
    assert [line["event"] for line in audit.lines(out)][-1] == "after the crash"
    audit.append(out, "later")
    assert audit.verify(out).ok
    if lost:  # the remains are held too
        broken = log.read_bytes().split(b"\n")
        broken[5] += b" "
        log.write_bytes(b"\n".join(broken))
        assert audit.verify(out).broken == (6, audit._NO_LINE)


def test_lines_written_at_the_same_time_follow_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: audit.append(tmp_path, "something", number=n, long="x" * 5000), range(40)))
    checked = audit.verify(tmp_path)
    assert (checked.ok, checked.count) == (True, 40)
    assert sorted(line["number"] for line in audit.lines(tmp_path)) == list(range(40))


def test_a_line_longer_than_what_is_read_back_is_found(tmp_path: Path) -> None:
    audit.append(tmp_path, "long", text="x" * 300_000)
    audit.append(tmp_path, "after it")
    assert audit.verify(tmp_path).count == 2


# ---- what a run tells ----------------------------------------------------------------------------------------------


def test_a_night_tells_who_ran_what_on_which_files(book: PastNights) -> None:
    told = audit.lines(book.out)
    assert [line["event"] for line in told] == [audit.STARTED, audit.PUBLISHED] * 4
    third = told[5]
    run = json.loads((book.out / "runs/2027-02-03-001/run.json").read_text(encoding="utf-8"))
    assert third["run_id"] == "2027-02-03-001"
    assert third["fingerprint"] == run["fingerprint"]
    assert third["files"] == {"accepted": 11, "partial": 1}
    assert third["took_in"]["files"] == 3
    by_kind = {file["kind"]: file["sha256"] for file in run["input_files"]}
    assert third["overrides"] == [
        {"table": kind, "sha256": by_kind[kind], "rows": 1} for kind in ("corrections", "finding_marks")
    ]
    assert third["key"]["source"] == "state/firm.key"
    assert audit.verify(book.out).ok


def test_exports_of_a_client_are_told_and_nothing_of_the_client(own: Path, tmp_path: Path) -> None:
    assert rothbook("explain", "P1", "--out", own).returncode == 0
    assert rothbook("brief", "P1", "--out", own, "--to", tmp_path / "b.docx", "--for", "cpa").returncode == 0
    assert rothbook("history", "testcust:887700551234", "--out", own).returncode == 0
    assert rothbook("diff", "2027-02-01", "latest", "--out", own, "--format", "json").returncode == 0
    told = [line for line in audit.lines(own) if line["event"] == "client exported"]
    assert [(line["what"], line.get("person_id", line.get("persons"))) for line in told] == [
        ("explain", "P1"), ("brief for cpa", "P1"), ("history", "testcust:...1234"), ("diff", 1),
    ]  # fmt: skip
    assert told[-1]["beside"] == "2027-02-01-001"
    assert {line["run_id"] for line in told} == {"2027-02-04-001"}
    text = (own / "state" / audit.LOG).read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in text] == []
    assert audit.verify(own).ok


def test_a_changed_key_is_told(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = own / "runs/2027-02-04-001"
    audited.finished(run)
    monkeypatch.setenv("ROTHBOOK_FIRM_KEY", "another key of a firm")
    assert main(["protect", "--out", str(own), "--new-firm-key"]) == 0
    audited.finished(run)
    audited.finished(run)
    same, asked, other, again = audit.lines(own)[-4:]
    assert "key_changed" not in same
    assert (asked["event"], set(asked["firm_fingerprint"])) == ("protection changed", {"before", "now"})
    assert other["key_changed"] is True
    assert other["key"]["source"] == "environment"
    assert "key_changed" not in again
    assert "another key" not in (own / "state" / audit.LOG).read_text(encoding="utf-8")


def test_where_the_key_was_taken_from_is_told(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = (own / "state/firm.key").read_text(encoding="ascii").strip()
    (tmp_path / "kept.key").write_text(key, encoding="ascii")
    monkeypatch.setattr("keyring.get_password", lambda *_: key)
    monkeypatch.setattr("keyring.set_password", lambda *_: None)
    monkeypatch.setenv(firm_key.TAKEN_FROM, "something an earlier process said")
    run = own / "runs/2027-02-04-001"
    told = []
    for security in (
        config.Security(),
        config.Security(firm_key_file=tmp_path / "kept.key"),
        config.Security(firm_key_source="keyring", keyring_service="the firm"),
    ):
        monkeypatch.delenv(firm_key.VARIABLE, raising=False)
        firm_key.provide(security)
        audited.finished(run)
        told.append(audit.lines(own)[-1])
    assert main(["protect", "--out", str(own), "--firm-key", "keyring"]) == 0
    audited.finished(run)
    moved, last = audit.lines(own)[-2:]
    assert [line["key"]["source"] for line in (*told, last)] == [
        "state/firm.key", f"file: {tmp_path / 'kept.key'}", "keyring: the firm firm-key", "keyring: rothbook firm key",
    ]  # fmt: skip
    assert ["key_moved" in line for line in (*told, last)] == [False, True, True, True]
    assert not any("key_changed" in line for line in (*told, last))
    assert moved["firm_key"] == {"before": "default", "now": "keyring"}
    assert key not in (own / "state" / audit.LOG).read_text(encoding="utf-8") + capsys.readouterr().out


def test_a_failed_run_is_told(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(" ".join(SECRETS))

    monkeypatch.setattr("transforms.engine.compute", fail)
    nights = PastNights(tmp_path)
    with pytest.raises(Exception, match="failed to compute"):
        nights.run("2027-02-05")
    last = audit.lines(own)[-1]
    assert (last["event"], last["run_id"], last["stage"]) == (audit.FAILED, "2027-02-05-001", "compute")
    assert [secret for secret in SECRETS if secret in json.dumps(last)] == []


_KILLED = """
import os, sys
from flows import audited, cli, pipeline
{where} = lambda *_: os._exit(9)
cli.main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("where", "event"),
    [("audited.finished", audit.PUBLISHED), ("pipeline._compute", audit.DIED)],
    ids=["published", "died"],
)
def test_what_a_killed_run_didn_t_tell_the_next_one_does(own: Path, tmp_path: Path, where: str, event: str) -> None:
    nights = PastNights(tmp_path)
    nights.drop({})
    command = ["run", "--direct", "--inbox", nights.inbox, "--out", own, "--as-of", "2027-02-05", "--tax-year", "2026"]
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED.format(where=where), *map(str, command)], cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert killed.returncode == 9
    checked = audit.verify(own)
    assert checked.broken is None
    assert [run.split()[1] for run in checked.runs] == (["2027-02-05-001"] if event == audit.PUBLISHED else [])
    nights.run("2027-02-06", years=YEARS)
    told = [(line["event"], line["run_id"], line.get("told_by")) for line in audit.lines(own)[8:]]
    second = "2027-02-06-001"
    assert told == [
        (audit.STARTED, "2027-02-05-001", None), (event, "2027-02-05-001", "the next run"),
        (audit.STARTED, second, None), (audit.PUBLISHED, second, None),
    ]  # fmt: skip
    assert audit.verify(own).ok


def test_a_second_death_under_the_same_id_is_told_too(tmp_path: Path) -> None:
    for _ in range(2):
        audit.append(tmp_path, audit.STARTED, run_id="2027-02-01-001")
        audited.catch_up(tmp_path)
        audited.catch_up(tmp_path)
    assert [line["event"] for line in audit.lines(tmp_path)] == [audit.STARTED, audit.DIED] * 2


def test_lines_missing_at_the_end_are_seen_beside_the_runs(own: Path) -> None:
    log = own / "state" / audit.LOG
    log.write_bytes(b"".join(line + b"\n" for line in log.read_bytes().split(b"\n")[:-3]))
    done = rothbook("audit", "verify", "--out", own)
    assert done.returncode == 1
    assert "run 2027-02-04-001 is published and not in the log" in done.stdout
    assert "the chain is whole: 6 lines" in done.stdout


def test_a_run_put_in_the_place_of_another_is_seen(own: Path) -> None:
    path = own / "runs/2027-02-02-001/run.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"fingerprint": "', '"fingerprint": "0'), encoding="utf-8")
    done = rothbook("audit", "verify", "--out", own)
    assert done.returncode == 1
    assert "run 2027-02-02-001 isn't the one in the log" in done.stdout


def test_verify_and_show_on_the_command_line(own: Path, tmp_path: Path) -> None:
    done = rothbook("audit", "verify", "--out", own)
    assert (done.returncode, done.stdout) == (0, f"ok: 8 lines, head {audit.verify(own).head}\n")
    shown = rothbook("audit", "show", "--out", own, "--last", "1").stdout
    assert "run published" in shown.splitlines()[0]
    assert "run_id: 2027-02-04-001" in shown
    as_json = rothbook("audit", "show", "--out", own, "--format", "json").stdout.splitlines()
    assert [json.loads(line)["event"] for line in as_json] == [audit.STARTED, audit.PUBLISHED] * 4
    log = own / "state" / audit.LOG
    log.write_bytes(log.read_bytes().replace(b"2027-02-02", b"2027-02-09", 1))
    broken = rothbook("audit", "verify", "--out", own)
    assert broken.returncode == 1
    assert "BROKEN at line 4" in broken.stdout
    assert "the first 2 whole lines are as they were written" in broken.stdout
    nothing = rothbook("audit", "verify", "--out", tmp_path / "nowhere")
    assert (nothing.returncode, "there is no audit log" in nothing.stderr) == (2, True)
