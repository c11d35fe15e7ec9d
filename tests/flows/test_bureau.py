"""Many firms on a Dask cluster: the tables of one process though a worker is killed, and a firm that fails alone."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows import bureau_command, cli, firms, pipeline
from tests.flows.inbox import SECRETS, write_inbox

AS_OF, YEARS = date(2027, 5, 1), (2026,)


@pytest.fixture
def cluster() -> Iterator[Any]:
    pytest.importorskip("prefect_dask")
    with bureau_command.local_cluster(2) as cluster:
        yield cluster


def _pids(cluster: Any) -> dict[str, int]:
    return {name: worker.pid for name, worker in cluster.workers.items()}


def _kill_one(firms: Path, cluster: Any, killed: list[int]) -> None:
    """Kill a worker once a partition is under way."""
    until = time.monotonic() + 120
    while time.monotonic() < until and not killed:
        if any(firms.glob("*/out/runs/.*.partial/.parts/out-*")):
            killed.append(min(_pids(cluster).values()))
            os.kill(killed[0], signal.SIGKILL)
        time.sleep(0.005)


@pytest.mark.usefixtures("prefect")
def test_a_killed_worker_and_a_failing_firm_leave_the_others_as_one_process_makes_them(
    tmp_path: Path, cluster: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
    from prefect_dask.task_runners import DaskTaskRunner

    from flows.bureau import bureau

    inbox = write_inbox(tmp_path / "firms/north/inbox", bad_row=True)
    shutil.copytree(inbox, tmp_path / "firms/south/inbox")
    (tmp_path / "firms/south/out").write_text("a file where a folder should be", encoding="utf-8")
    alone = pipeline.run_direct(pipeline.plan(inbox, tmp_path / "alone", AS_OF, YEARS))

    killed: list[int] = []
    killer = threading.Thread(target=_kill_one, args=(tmp_path / "firms", cluster, killed))
    killer.start()
    flow = bureau.with_options(task_runner=DaskTaskRunner(address=cluster.scheduler_address))
    north, south = flow(firms.firms_in(tmp_path / "firms"), AS_OF, list(YEARS), most=2, people_each=1)
    killer.join()
    assert len(killed) == 1

    assert south.run is None
    assert "--out must name a folder" in str(south.failure)
    assert north.failure is None
    assert (tmp_path / "firms/north/out/latest").resolve() == north.run
    for path in sorted(alone.glob("*/*.parquet")):
        if path.parent.name in {"results", "derived"}:
            assert (north.run / path.relative_to(alone)).read_bytes() == path.read_bytes(), path.name
    assert not list(north.run.glob(".*"))
    assert {path.name for path in north.run.iterdir()} == {path.name for path in alone.iterdir()}

    path = str(PREFECT_API_DATABASE_CONNECTION_URL.value()).split("///")[-1]
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        kept = "\n".join(db.iterdump()) + caplog.text
    db.close()
    assert "compute partition" in kept
    assert [secret for secret in SECRETS if secret in kept] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--firms", "nowhere"], "there is no folder nowhere"),
        (["--firms", "."], "holds no firm"),
        (["--firms", "firms", "--partitions", "0"], "--partitions must be at least 1"),
        (["--firms", "firms", "--storage", "nowhere://bucket"], "--storage: "),
        (["--firms", "firms", "--storage", "gs://bucket"], "fsspec needs another package for gs://"),
        (["--firms", "firms", "--storage", "scratch"], "--storage must be the URL of a storage"),
        (["--firms", "firms", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler needs PREFECT_API_URL"),
    ],
)
def test_what_is_asked_wrongly_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / "firms/north/inbox").mkdir(parents=True)
    assert cli.main(["bureau", *arguments]) == cli.USAGE
    assert said in capsys.readouterr().err


def test_without_its_packages_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "north/inbox").mkdir(parents=True)
    monkeypatch.setattr(bureau_command, "find_spec", lambda _name: None)
    assert cli.main(["bureau", "--firms", str(tmp_path)]) == cli.USAGE
    assert "prefect-dask" in capsys.readouterr().err
