"""What the command line promises: exit codes, plain messages, a whole run or none, nobody's data in what it says."""

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from flows import run_folder
from schemas.tables import RESULT_TABLES
from tests.flows.inbox import ROOT, SECRETS, rothbook, run, write_inbox


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT after one run of a book with a bad row."""
    base = tmp_path_factory.mktemp("finished")
    code, said = run(write_inbox(base / "inbox", bad_row=True), base / "out")
    (base / "out" / "said.txt").write_text(said, encoding="utf-8")
    assert code == 1, said
    return base / "out"


def tables(run_path: Path) -> dict[str, pl.DataFrame]:
    return {name: pl.read_parquet(run_path / "results" / f"{name}.parquet") for name in RESULT_TABLES}


def test_a_clean_book_is_exit_0(tmp_path: Path) -> None:
    code, said = run(write_inbox(tmp_path / "inbox"), tmp_path / "out")
    assert code == 0, said
    form = pl.read_parquet(tmp_path / "out/latest/results/form_8606.parquet").row(0, named=True)
    assert (form["status"], str(form["line_8"]), str(form["line_18"])) == ("COMPUTED", "7500.00", "0.00")


def test_a_bad_row_is_exit_1_and_the_summary_says_where(finished: Path) -> None:
    said = (finished / "said.txt").read_text(encoding="utf-8")
    assert "transactions.csv:5" in said
    assert "_firm.xlsx" in said
    assert "quarantine" in said


def test_run_json_says_what_went_in_and_came_out(finished: Path) -> None:
    facts = json.loads((finished / "latest/run.json").read_text(encoding="utf-8"))
    assert facts["run_id"] == "2027-05-01-001"
    assert facts["exit_code"] == 1
    assert len(facts["input_files"]) == 7
    assert set(facts["result_rows"]) == set(RESULT_TABLES)
    assert set(facts["seconds"]) == {"take in", "read", "compute", "report", "complete run.json"}
    assert facts["fingerprint"]


def test_nothing_readable_by_others(finished: Path) -> None:
    paths = [p for p in (finished / "runs").rglob("*") if not p.is_symlink()]
    assert paths
    assert not [p for p in paths if stat.S_IMODE(p.stat().st_mode) & 0o077]


def test_no_client_data_in_what_is_said_or_kept_about_the_run(finished: Path) -> None:
    for name in ("said.txt", "latest/run.json"):
        text = (finished / name).read_text(encoding="utf-8")
        assert [secret for secret in SECRETS if secret in text] == [], name


def test_the_same_inbox_twice_changes_no_answer(tmp_path: Path) -> None:
    inbox, out = write_inbox(tmp_path / "inbox"), tmp_path / "out"
    assert run(inbox, out)[0] == 0
    first = tables((out / "latest").resolve())
    assert run(inbox, out)[0] == 0
    second = tables((out / "latest").resolve())
    assert (out / "latest").resolve().name == "2027-05-01-002"
    for name in set(RESULT_TABLES) - {"findings", "files"}:
        assert first[name].equals(second[name]), name
    ids = [t["findings"]["finding_id"].sort() for t in (first, second)]
    assert ids[0].equals(ids[1])


def test_two_empty_folders_of_one_firm_get_the_same_bytes(tmp_path: Path, finished: Path) -> None:
    (tmp_path / "out" / "state").mkdir(parents=True)
    shutil.copy(finished / "state" / "firm.key", tmp_path / "out" / "state")
    run(write_inbox(tmp_path / "inbox", bad_row=True), tmp_path / "out")
    other = tmp_path / "out" / "latest"
    names = [
        p.relative_to(finished / "latest")
        for p in sorted((finished / "latest").glob("*/*"))
        if "canonical" not in p.parts
    ]
    assert any(n.suffix == ".xlsx" for n in names)
    for name in names:
        assert (other / name).read_bytes() == (finished / "latest" / name).read_bytes(), name


def test_a_failed_run_publishes_nothing_and_quotes_nothing(tmp_path: Path) -> None:
    inbox, out = write_inbox(tmp_path / "inbox"), tmp_path / "out"
    assert run(inbox, out)[0] == 0
    before = (out / "latest").readlink()
    broken = tmp_path / "broken"
    broken.mkdir()
    for package in ("flows", "reports", "schemas", "limits"):
        (broken / package).symlink_to(ROOT / package)
    shutil.copytree(ROOT / "transforms", broken / "transforms")
    engine = broken / "transforms" / "engine.py"
    engine.write_text(
        engine.read_text(encoding="utf-8").replace(
            '    with connect(run / ".spill") as con:',
            "    raise ValueError('Zebulon Quackenbush 900-11-2345')\n    with connect(run / '.spill') as con:",
            1,
        ),
        encoding="utf-8",
    )
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
        "2027-05-02",
    ]
    done = subprocess.run([*command, "--tax-year", "2026"], cwd=broken, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "ValueError" in done.stderr
    assert (out / "latest").readlink() == before
    assert not list((out / "runs").glob(".*.partial"))
    note = (out / "runs" / "2027-05-02-001.failed.txt").read_text(encoding="utf-8")
    assert "engine.py" in note
    assert [secret for secret in SECRETS if secret in done.stdout + done.stderr + note] == []


def test_a_second_run_at_the_same_time_is_refused(tmp_path: Path) -> None:
    inbox, out = write_inbox(tmp_path / "inbox"), tmp_path / "out"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, said = run(inbox, out)
    assert code == 2
    assert "another run" in said


def test_what_a_dead_run_left_is_removed(tmp_path: Path) -> None:
    dead = tmp_path / "out/runs/.2027-04-30-001.partial"
    dead.mkdir(parents=True)
    assert run(write_inbox(tmp_path / "inbox"), tmp_path / "out")[0] == 0
    assert not dead.exists()


def test_run_ids_count_failed_runs_too(tmp_path: Path) -> None:
    from datetime import date

    (tmp_path / "runs/2027-05-01-001").mkdir(parents=True)
    (tmp_path / "runs/2027-05-01-002.failed.txt").touch()
    assert run_folder.RunFolder.create(tmp_path, date(2027, 5, 1)).run_id == "2027-05-01-003"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("--tax-year", "2027"), "limits/2027.toml", id="a tax year without limits is refused by name"),
        pytest.param(("--tax-year", "soon"), "YYYY", id="a tax year that is none"),
        pytest.param(("--as-of", "12/01/2026"), "YYYY-MM-DD", id="a date in another shape"),
        pytest.param(("--inbox", "no/such/folder"), "no inbox folder", id="an inbox that isn't there"),
        pytest.param(("--config", "no/such.toml"), "configuration file", id="a configuration that isn't there"),
        pytest.param(("--frobnicate",), "unrecognized", id="an option nobody knows"),
    ],
)
def test_usage_errors_are_exit_2(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "inbox").mkdir()
    base = ("run", "--direct", "--inbox", tmp_path / "inbox", "--out", tmp_path / "out", "--as-of", "2026-12-01")
    done = rothbook(*base, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_check_says_what_a_file_is_and_writes_nothing(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox", bad_row=True)
    before = sorted(tmp_path.rglob("*"))
    good, bad = rothbook("check", inbox / "persons.csv"), rothbook("check", inbox / "transactions.csv")
    assert (good.returncode, bad.returncode) == (0, 1), good.stderr + bad.stderr
    assert "persons" in good.stdout
    assert "5" in bad.stdout
    assert [secret for secret in SECRETS if secret in good.stdout + bad.stdout] == []
    assert sorted(tmp_path.rglob("*")) == before
    assert rothbook("check", inbox / "nothing.csv").returncode == 2


def test_explain_walks_back_to_a_file_and_line(finished: Path) -> None:
    told = rothbook("explain", "P1", "--out", finished, "--tax-year", "2026")
    assert told.returncode == 0, told.stderr
    assert "transactions.csv:" in told.stdout
    as_json = rothbook("explain", "P1", "--out", finished, "--format", "json")
    page = json.loads(as_json.stdout)
    assert page["contested_choices"]["partly_deductible"] == "worksheet_1_1"
    assert all(limit["authority"] for limit in page["limits_used"])
    assert "line_10: exact" in told.stdout
    assert rothbook("explain", "NOBODY", "--out", finished).returncode == 2
    assert rothbook("explain", "P1", "--out", finished / "nowhere").returncode == 2


def test_schedule_without_a_server_says_how_to_start_one() -> None:
    bare = {k: v for k, v in os.environ.items() if k != "PREFECT_API_URL"}
    command = [sys.executable, "-m", "flows", "schedule"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=bare, check=False)
    assert done.returncode == 2
    assert "prefect server start" in done.stderr


def test_the_launcher_works_through_a_link_from_any_folder(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    (checkout / "bin").mkdir(parents=True)
    (elsewhere / "limits").mkdir(parents=True)
    shutil.copy2(ROOT / "bin" / "rothbook", checkout / "bin")
    for package in ("flows", "limits", "transforms"):
        (checkout / package).symlink_to(ROOT / package)
    (checkout / ".venv").symlink_to(sys.prefix)
    link = tmp_path / "rothbook"
    link.symlink_to("checkout/bin/rothbook")
    done = subprocess.run([link, "--version"], cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("rothbook "), done.stderr
