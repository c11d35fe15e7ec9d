"""Whatever is wrong with a file, and whichever stage fails: nothing that is printed, logged or kept of a run says a
client's name, tax id or account number. Only workbooks, tables, archive and quarantine may.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows import summary
from flows.cli import main
from flows.errors import StageFailed
from tests.client_data import KEPT, Database, found_in, kept_in, read
from tests.flows.failing import STAGES, by_a_chain, by_a_file, by_duckdb, by_notes, by_pandera, by_polars
from tests.flows.inbox import write_inbox
from tests.flows.spoiled import BAD, PLANTED, secrets_of, write_spoiled

AS_OF = date(2026, 12, 1)


@pytest.fixture(scope="module")
def prefect() -> Iterator[str]:
    """The address of the database of one Prefect server for the module."""
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_DATABASE_CONNECTION_URL.value())


def everything_in(url: str) -> str:
    """Every row of Prefect's database, and every file beside it."""
    path = Path(url.partition(":///")[2])
    stored = [read(p) for p in path.parent.rglob("*") if p.is_file()]
    return "\n".join([Database.of(path).text, *stored])


def everything_kept(out: Path, *what: str) -> str:
    return "\n".join(kept_in(out, what=what or KEPT).values())


def test_the_whole_spoiled_demo_book(
    tmp_path: Path, prefect: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from flows.nightly import nightly

    caplog.set_level(logging.DEBUG)
    inbox, out = write_spoiled(tmp_path / "inbox"), tmp_path / "out"
    secrets = secrets_of(inbox)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run = nightly(inbox, out, AS_OF, [2025, 2026])
        print(summary.text(run))
        main(["check", "--lines", *(str(path) for path in sorted(inbox.iterdir()))])
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert len({file["file_name"] for file in facts["input_files"]}) > 150
    assert facts["result_rows"]["rejects"] > 400
    assert len(secrets) > 350
    said, database = "".join(capfd.readouterr()), everything_in(prefect)
    assert "set aside whole" in said
    assert "rothbook-nightly" in database
    assert found_in(said, secrets) == []
    assert found_in(caplog.text, secrets) == []
    assert found_in("\n".join(str(w.message) for w in warned), secrets) == []
    assert [name for name in KEPT if not kept_in(out, what=[name]) and name != "notes of failed runs"] == []
    assert found_in(everything_kept(out), secrets) == []
    assert found_in(database, secrets) == []
    messages = pl.concat(
        [
            pl.read_parquet(run / "results/rejects.parquet", columns=["message"]),
            pl.read_parquet(run / "results/files.parquet", columns=["message"]),
        ]
    )
    assert found_in("\n".join(messages["message"].drop_nulls()), secrets) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_quoting_a_client(
    tmp_path: Path,
    prefect: str,
    stage: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    from flows import nightly

    where, fail = STAGES[stage]
    with pytest.raises(Exception, match=r"Quackenbush|out of range|conversion"):
        fail()
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(where, fail)
    monkeypatch.setattr(nightly, "take_in", nightly.take_in.with_options(retries=0))
    inbox, out = write_inbox(tmp_path / "inbox"), tmp_path / "out"
    with pytest.raises(StageFailed, match=f"failed to {stage}") as failed:
        nightly.nightly(inbox, out, date(2027, 5, 1), [2026])
    where_to = ["--inbox", str(inbox), "--out", str(out), "--as-of", "2027-05-01", "--tax-year", "2026"]
    assert main(["run", "--direct", *where_to]) == 3
    assert failed.value.__cause__ is None
    assert not (out / "latest").exists()
    database = everything_in(prefect)
    assert f"failed to {stage}" in database
    notes = everything_kept(out, "notes of failed runs", "audit log")
    assert notes.count(f"failed to {stage}") == 4  # a note and a line of the log for each of the two runs
    told = "".join(capfd.readouterr()) + caplog.text + everything_kept(out) + database + repr(vars(failed.value))
    assert found_in(told, list(PLANTED)) == []


@pytest.mark.parametrize("fail", [by_pandera, by_polars, by_duckdb, by_a_file, by_a_chain, by_notes])
def test_a_command_that_fails_quoting_a_client(
    tmp_path: Path, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("transforms.intake.check_file", fail)
    path = tmp_path / "file.csv"
    path.write_text(BAD, encoding="utf-8")
    assert main(["check", str(path)]) == 3
    said = "".join(capfd.readouterr())
    assert "failed to do 'check'" in said
    assert found_in(said, list(PLANTED)) == []


def test_the_scan_itself_sees_what_it_looks_for(tmp_path: Path) -> None:
    secrets = secrets_of(write_spoiled(tmp_path / "inbox"))
    assert {"Quillfeather", "901-18-1137", "901181137", "AL7700101", *PLANTED} <= set(secrets)
    assert found_in(f"reading {BAD}", secrets) == sorted({"Xanthippe", "Quackenbush", "900-11-2345", "887700551234"})
    assert found_in("account_887700551234.csv of 'Quillfeather'", secrets) == ["887700551234", "Quillfeather"]
