"""The Prefect flow gives what the direct run gives, and Prefect's own database learns nothing about a client."""

import inspect
import re
import sqlite3
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows import config, deployments, operations, pipeline
from schemas.tables import RESULT_TABLES
from tests.flows.inbox import ROOT, SECRETS, rothbook, write_inbox

AS_OF, YEARS = date(2027, 5, 1), (2026,)


@pytest.mark.usefixtures("prefect")
def test_flow_and_direct_run_agree_and_a_failure_tells_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    from flows.nightly import nightly

    inbox = write_inbox(tmp_path / "inbox", bad_row=True)
    for name in ("shared flow", "shared direct"):
        (tmp_path / name).mkdir()
    by_flow = nightly(inbox, tmp_path / "flow", AS_OF, list(YEARS), shared=tmp_path / "shared flow")
    plan = pipeline.plan(inbox, tmp_path / "direct", AS_OF, YEARS, shared=tmp_path / "shared direct")
    direct = pipeline.run_direct(plan)
    assert all((tmp_path / name / "ADV1" / "ADV1.xlsx").is_file() for name in ("shared flow", "shared direct"))
    for name in RESULT_TABLES:
        tables = [pl.read_parquet(run / "results" / f"{name}.parquet") for run in (by_flow, direct)]
        assert tables[0].equals(tables[1]), name

    def fail(*_: object, **__: object) -> None:
        raise ValueError(" ".join(SECRETS))

    monkeypatch.setattr("transforms.engine.compute", fail)
    with pytest.raises(pipeline.StageFailed, match="compute: ValueError"):
        nightly(inbox, tmp_path / "flow", AS_OF, list(YEARS))
    assert (tmp_path / "flow/latest").resolve() == by_flow
    kept = _everything(PREFECT_API_DATABASE_CONNECTION_URL.value()) + caplog.text
    assert "StageFailed" in kept
    assert [secret for secret in SECRETS if secret in kept] == []


def _everything(url: object) -> str:
    path = str(url).split("///")[-1]
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        dump = "\n".join(db.iterdump())
    db.close()
    return dump


def test_the_schedule_calls_the_flow_as_it_is_written() -> None:
    from flows.nightly import nightly

    settings = operations.of(config.load())
    known = inspect.signature(nightly.fn).parameters
    given = deployments.parameters(settings)
    assert set(given) <= set(known)
    assert {name for name, p in known.items() if p.default is inspect.Parameter.empty} <= set(given)
    nightly.validate_parameters(given)


def test_the_flow_s_annotations_are_types_not_text() -> None:
    # A scheduled run loads the file in a way in which Prefect can't resolve annotations kept as text: every run failed.
    from flows.nightly import nightly

    parameters = inspect.signature(nightly.fn).parameters.values()
    assert [p.name for p in parameters if isinstance(p.annotation, str)] == []


def test_the_served_prefect_forgets_runs_when_rothbook_s_own_logs_go(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings.models.server.services import ServerServicesDBVacuumSettings

    unit = (ROOT / "flows/service/rothbook-prefect.service").read_text(encoding="utf-8")
    for name, value in re.findall(r"^Environment=(PREFECT_SERVER_SERVICES_DB_VACUUM_\w+)=(\S+)$", unit, re.MULTILINE):
        monkeypatch.setenv(name, value)
    asked = ServerServicesDBVacuumSettings()
    assert asked.enabled_vacuum_types == {"events", "flow_runs"}
    assert asked.retention_period.days == int(config.load().retention.years * 365.25)


def test_a_temporary_prefect_server_that_does_not_start_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "0")
    folders = ("--inbox", write_inbox(tmp_path / "inbox"), "--out", tmp_path / "out")
    done = rothbook("run", *folders, "--as-of", str(AS_OF), "--tax-year", "2026")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "rothbook: failed to start Prefect's temporary server: no answer in 0 seconds; try again, or say --direct",
        "rothbook: nothing was published; the newest good run is still the newest",
    ]
    assert not (tmp_path / "out" / "latest").exists()
