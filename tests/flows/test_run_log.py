"""The log of a run: every event in a file of its own, lines or JSON on request, quiet elsewhere, never client data."""

import contextlib
import io
import json
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from rich.console import Console

from flows import progress, run_log
from flows.run_folder import RunFolder
from tests.flows.inbox import ROOT, SECRETS, rothbook, write_inbox

STAGES = ["take in", "read", "compute", "report", "complete run.json"]


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ROTHBOOK_LOGGING__LEVEL", "ROTHBOOK_LOGGING__FORMAT"):
        monkeypatch.setenv(name, "")
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "runs" / ".2027-05-01-001.partial").mkdir(parents=True)
    return RunFolder(tmp_path / "runs" / ".2027-05-01-001.partial")


def kept(folder: RunFolder) -> list[dict[str, object]]:
    return run_log.read(folder.out / "logs" / f"{folder.run_id}.jsonl")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """OUT, output and error output of a run whose stages were asked for as JSON."""
    base = tmp_path_factory.mktemp("told")
    inbox = write_inbox(base / "inbox", bad_row=True)
    done = rothbook("run", "--direct", "--inbox", inbox, "--out", base / "out", "--as-of", "2027-05-01",
                    "--tax-year", "2026", "--log-json")  # fmt: skip
    assert done.returncode == 1, done.stderr
    return base / "out", done.stdout, done.stderr


def test_each_line_has_run_stage_counts_and_seconds(told: tuple[Path, str, str]) -> None:
    lines = [json.loads(line) for line in told[2].splitlines()]
    assert {line["run_id"] for line in lines} == {"2027-05-01-001"}
    finished = {line["stage"]: line for line in lines if line["event"] == "stage finished"}
    assert list(finished) == STAGES
    assert all(isinstance(line["seconds"], float) for line in finished.values())
    assert (finished["read"]["files"], finished["read"]["files_set_aside"]) == (7, 0)
    assert finished["compute"]["rows_set_aside"] == 1
    assert (lines[0]["event"], lines[-1]["event"]) == ("run started", "run published")


def test_the_file_of_the_run_holds_every_event_and_is_its_owner_s(told: tuple[Path, str, str]) -> None:
    path = told[0] / "logs" / "2027-05-01-001.jsonl"
    assert [e["stage"] for e in run_log.read(path) if e["event"] == "stage started"] == STAGES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not list((told[0] / "latest").rglob("*.jsonl")), "a run's folder holds nothing that can't be made again"


def test_no_client_data_in_what_is_logged(told: tuple[Path, str, str]) -> None:
    text = told[2] + (told[0] / "logs" / "2027-05-01-001.jsonl").read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_output_holds_the_summary_only(told: tuple[Path, str, str]) -> None:
    assert told[1].startswith("Rothbook run 2027-05-01-001")
    assert "stage" not in told[1]


def test_it_is_quiet_where_nobody_looks_unless_asked(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    base = ("run", "--direct", "--inbox", inbox, "--as-of", "2027-05-01", "--tax-year", "2026", "--out")
    assert rothbook(*base, tmp_path / "quiet").stderr == ""
    loud = rothbook(*base, tmp_path / "loud", "--verbose")
    assert "2027-05-01-001 read finished: " in loud.stderr
    assert "files 7" in loud.stderr


def test_on_a_terminal_the_stages_are_shown_on_the_error_output_only(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    command = [sys.executable, "-m", "flows", "run", "--direct", "--inbox", inbox, "--out", tmp_path / "out"]
    ours, theirs = pty.openpty()
    with (tmp_path / "said").open("w") as said, subprocess.Popen(
        [*command, "--as-of", "2027-05-01", "--tax-year", "2026"], cwd=ROOT, stdout=said, stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed when the run is over
            while chunk := os.read(ours, 65_536):
                shown += chunk
    os.close(ours)
    assert process.returncode == 0, shown
    assert b"reading the book" in shown
    assert b"read finished" in shown
    summary = (tmp_path / "said").read_text(encoding="utf-8")
    assert summary.startswith("Rothbook run")
    assert "reading the book" not in summary


def test_progress_shows_nothing_where_there_is_no_terminal(folder: RunFolder) -> None:
    shown = io.StringIO()
    with progress.shown(Console(file=shown)):
        run_log.tell(folder, "stage started", level="debug", stage="read")
    assert shown.getvalue() == ""


def test_lines_go_above_the_progress_whole(folder: RunFolder) -> None:
    shown = io.StringIO()
    run_log.configure("info")
    with progress.shown(Console(file=shown, force_terminal=True, width=40)):
        run_log.tell(folder, "stage finished", stage="take in", seconds=1.5, files=1234, rows=12345, files_waiting=7)
        run_log.tell(folder, "stage started", level="debug", stage="read")
    assert "2027-05-01-001 take in finished: 1.5 s, files 1,234, rows 12,345, files waiting 7\n" in shown.getvalue()
    assert "reading the book (1,234 files)" in shown.getvalue()


def test_every_text_is_masked(folder: RunFolder) -> None:
    run_log.tell(folder, "stage finished", stage="read", name="Z_887700551234.csv", more={"names": ["900-11-2345"]})
    event = kept(folder)[0]
    assert (event["name"], event["more"]) == ("Z_...1234.csv", {"names": ["...2345"]})
    assert event["run_id"] == "2027-05-01-001"


@pytest.mark.parametrize(
    ("level", "style", "shown"),
    [
        (None, "text", []),
        ("warning", "text", ["2027-05-01-001 warning: read failed: reason ValueError"]),
        ("info", "text", ["2027-05-01-001 take in finished: 1.5 s, files 1,234", "read failed: reason ValueError"]),
    ],
)
def test_what_is_shown_depends_on_the_level_what_is_kept_does_not(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], level: run_log.Level | None, style: str, shown: list[str]
) -> None:
    run_log.configure(level)
    run_log.tell(folder, "stage finished", stage="take in", seconds=1.5, files=1234)
    run_log.tell(folder, "stage failed", level="warning", stage="read", reason="ValueError")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(shown)
    assert all(line.endswith(part) for line, part in zip(lines, shown, strict=True))
    assert len(kept(folder)) == 2


def test_a_scheduled_process_tells_as_it_was_handed_on(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_log.tell(folder, "run started")
    assert capsys.readouterr().err == ""
    structlog.reset_defaults()
    run_log.hand_on("info", "json")
    run_log.tell(folder, "run started")
    assert json.loads(capsys.readouterr().err)["event"] == "run started"


def test_a_log_that_can_t_be_written_stops_no_run(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.out / "logs").write_text("in the way", encoding="utf-8")
    run_log.configure("info", "json")
    run_log.tell(folder, "run started")
    assert json.loads(capsys.readouterr().err)["log_not_kept"] is True


def test_a_line_cut_off_by_a_killed_run_is_left_out(folder: RunFolder) -> None:
    run_log.tell(folder, "run started")
    path = folder.out / "logs" / "2027-05-01-001.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"event": "stage st', encoding="utf-8")
    assert [event["event"] for event in run_log.read(path)] == ["run started"]


def test_a_failed_run_says_so_in_its_log_and_quotes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import pipeline

    def fail(*_: object, **__: object) -> None:
        raise ValueError(" ".join(SECRETS))

    monkeypatch.setattr("transforms.engine.compute", fail)
    night = pipeline.plan(write_inbox(tmp_path / "inbox"), tmp_path / "out", None, (2026,))
    with pytest.raises(pipeline.StageFailed):
        pipeline.run_direct(night)
    (path,) = (tmp_path / "out" / "logs").iterdir()
    events = run_log.read(path)
    assert [e["event"] for e in events][-2:] == ["stage failed", "run failed"]
    assert events[-1]["reason"] == "failed to compute: ValueError"
    assert [secret for secret in SECRETS if secret in path.read_text(encoding="utf-8")] == []
