"""Whatever is wrong with a file, and whichever stage fails: nothing that is printed, logged or kept of a run says a
client's name, tax id or account number. Only workbooks, tables, archive and quarantine may.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandera.polars as pa
import polars as pl
import pytest

from flows import summary
from flows.cli import main
from flows.errors import StageFailed
from tests.flows.inbox import write_inbox
from tests.flows.spoiled import BAD, PLANTED, found_in, secrets_of, write_spoiled

AS_OF = date(2026, 12, 1)
#: What OUT keeps of a run that isn't client data by its nature.
KEPT = ("run.json", "*.failed.txt", "*.log", "audit.jsonl", "protection.json")


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
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        dump = "\n".join(db.iterdump())
    db.close()
    stored = [p.read_bytes().decode("utf-8", "replace") for p in path.parent.rglob("*") if p.is_file()]
    return "\n".join([dump, *stored])


def kept_in(out: Path) -> str:
    return "\n".join(p.read_text(encoding="utf-8") for name in KEPT for p in sorted(out.rglob(name)))


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
    assert found_in(kept_in(out), secrets) == []
    assert found_in(database, secrets) == []
    messages = pl.concat(
        [
            pl.read_parquet(run / "results/rejects.parquet", columns=["message"]),
            pl.read_parquet(run / "results/files.parquet", columns=["message"]),
        ]
    )
    assert found_in("\n".join(messages["message"].drop_nulls()), secrets) == []


def by_pandera(*_: object, **__: object) -> None:
    frame = pl.DataFrame({"tax_id": [BAD]})
    pa.DataFrameSchema({"tax_id": pa.Column(str, pa.Check.str_length(max_value=9))}).validate(frame, lazy=True)


def by_polars(*_: object, **__: object) -> None:
    pl.DataFrame({"market_value": [BAD]}).select(pl.col("market_value").cast(pl.Int64))


def by_duckdb(*_: object, **__: object) -> None:
    duckdb.sql("select $cell::integer", params={"cell": BAD}).fetchall()


def by_a_file(*_: object, **__: object) -> None:
    Path(f"/nowhere/{BAD}").read_bytes()


def by_a_chain(*_: object, **__: object) -> None:
    try:
        int(BAD)
    except ValueError as error:
        raise RuntimeError(BAD) from error


class Quoting(Exception):
    """An exception whose attributes and notes quote a cell as well."""


def by_notes(*_: object, **__: object) -> None:
    error = Quoting(BAD)
    error.cell = BAD  # type: ignore[attr-defined]
    error.add_note(BAD)
    raise error


#: Where each stage is made to fail, and with whose exception.
STAGES: dict[str, tuple[str, Callable[..., None]]] = {
    "take in": ("transforms.intake.deliver", by_a_file),
    "read": ("transforms.intake.read_book", by_pandera),
    "compute": ("transforms.engine.compute", by_duckdb),
    "report": ("reports.write_workbooks", by_polars),
    "complete run.json": ("flows.pipeline._complete", by_notes),
    "publish": ("flows.run_folder.RunFolder.publish", by_a_file),
}


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
    notes = kept_in(out)
    assert notes.count(f"failed to {stage}") == 4  # a note and a line of the log for each of the two runs
    told = "".join(capfd.readouterr()) + caplog.text + notes + database + repr(vars(failed.value))
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
