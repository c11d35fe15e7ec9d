"""The nightly deployment against a Prefect server: what is tried again, time limits, who is told, what is put right."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from flows import config, deployments, notify, operations, prefect_history, recovery, watch
from flows.errors import StageFailed, UsageError
from flows.operations import Operations
from flows.run_folder import exclusive
from tests.flows.inbox import write_inbox

pytestmark = pytest.mark.usefixtures("prefect")
AS_OF = date(2027, 5, 1)


@pytest.fixture
def client() -> Iterator[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as asking:
        yield asking


@pytest.fixture
def asked(tmp_path: Path) -> Operations:
    """A service of a firm that wants to be told, with folders of the test's own."""
    told = {"on_failure": (SLUG,), "on_crash": (SLUG,), "on_late": (SLUG,)}
    return replace(operations.of(config.load()), inbox=tmp_path / "inbox", out=tmp_path / "out", **told)


@pytest.fixture
def deployment_id(asked: Operations) -> UUID:
    """The deployment as the service applies it, under a name no other test uses."""
    from flows.nightly import nightly

    options = deployments.schedule_options(asked) | {"name": asked.out.parent.name}
    applied: Any = nightly.to_deployment(**options)
    made: UUID = applied.apply()
    return made


SLUG = "custom-webhook/operations"


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages that compute nothing and publish an empty run: these tests are about what Prefect does around them."""
    facts = {
        "input_files": [],
        "canonical_rows": {},
        "result_rows": {"findings": 0, "rejects": 0},
        "workbooks": [],
        "exit_code": 0,
    }
    for stage in ("_read", "_compute", "_report", "_complete"):
        monkeypatch.setattr(f"flows.pipeline.{stage}", lambda run: run.note(**facts))


def _run(tmp_path: Path, **options: Any) -> Any:
    from flows.nightly import nightly

    inbox = tmp_path / "inbox"
    if not inbox.exists():
        write_inbox(inbox)
    return nightly(inbox, tmp_path / "out", AS_OF, [2026], 0.0, return_state=True, artifacts=False, **options)


@pytest.mark.usefixtures("light")
def test_reading_the_share_is_tried_again_and_the_night_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def away_twice(inbox: Path) -> None:
        tried.append(inbox)
        if len(tried) < 3:
            raise StageFailed("reach the inbox", "the inbox can't be read", waiting_helps=True)

    monkeypatch.setattr("flows.reaching.reach", away_twice)
    state = _run(tmp_path, retries=2, retry_delay_seconds=0.0)
    assert (state.name, len(tried)) == ("Completed", 3)


@pytest.mark.parametrize("stage", ["take_in", "compute"])
def test_nothing_else_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    tried = []

    def fail(_folder: Path) -> None:
        tried.append(stage)
        raise StageFailed(stage, "OSError (No space left on device)")

    monkeypatch.setattr(f"flows.pipeline.{stage}", fail)
    state = _run(tmp_path, retries=2, retry_delay_seconds=0.0)
    assert (state.name, tried) == ("Failed", [stage])


@pytest.mark.usefixtures("light")
def test_a_stage_over_its_time_limit_ends_the_run_and_frees_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_folder: Path) -> None:
        while True:
            sum(range(1000))

    with monkeypatch.context() as hanging:
        hanging.setattr("flows.pipeline.read", hang)
        state = _run(tmp_path, stage_timeout_minutes=0.05, retries=2, retry_delay_seconds=0.0)
    assert (state.type.value, state.name) == ("FAILED", "TimedOut")
    assert not (tmp_path / "out/latest").exists()
    assert _run(tmp_path).name == "Completed"
    assert list((tmp_path / "out/runs").glob(".*.partial")) == []


@pytest.mark.usefixtures("light")
def test_a_shared_folder_that_hangs_after_publishing_doesn_t_fail_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(_run: object) -> None:
        while True:
            sum(range(1000))

    monkeypatch.setattr("flows.pipeline._share", hang)
    state = _run(tmp_path, stage_timeout_minutes=0.05)
    assert state.name == "Completed"
    assert state.result() == (tmp_path / "out/latest").resolve()


def test_an_exception_outside_the_stages_tells_no_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("Quackenbush")

    monkeypatch.setattr("flows.pipeline.plan", fail)
    state = _run(tmp_path)
    assert state.message == "Flow run encountered an exception: StageFailed: failed to run the book: ValueError"


def _block(client: Any) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    CustomWebhookNotificationBlock(name="x", url="http://127.0.0.1:1/").save("operations", overwrite=True)


def _automations(client: Any, deployment_id: UUID) -> list[str]:
    owner = f"rothbook.deployment.{deployment_id}"
    return sorted(automation.name for automation in client.read_resource_related_automations(owner))


def test_the_server_is_told_whom_to_tell_and_told_anew(client: Any, asked: Operations, deployment_id: UUID) -> None:
    _block(client)
    blocks = notify.find_blocks(client, asked)
    for told in (asked, asked, replace(asked, on_late=())):
        notify.arrange(client, deployment_id, notify.automations(deployment_id, blocks, told))
    assert _automations(client, deployment_id) == ["rothbook: crashed", "rothbook: failed", "rothbook: gone quiet"]


@pytest.mark.parametrize(
    ("slug", "told"),
    [("slack-webhook/nobody", "the server has none"), ("secret/there", "can't send a notification")],
)
def test_a_block_that_isn_t_there_or_can_t_notify_is_refused_by_name(
    client: Any, asked: Operations, slug: str, told: str
) -> None:
    from prefect.blocks.system import Secret

    Secret(value="x").save("there", overwrite=True)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"'{slug}'.*{told}"):
        notify.find_blocks(client, replace(asked, on_failure=(slug,), on_crash=(), on_late=()))


def _flow_run(client: Any, deployment_id: UUID, *states: Any) -> UUID:
    made: UUID = client.create_flow_run_from_deployment(deployment_id).id
    for state in states:
        client.set_flow_run_state(made, state)
    return made


def _states(client: Any, *runs: UUID) -> list[str]:
    return [client.read_flow_run(run).state_name for run in runs]


def test_a_run_nobody_works_on_is_crashed_and_gives_its_slot_back(
    client: Any, asked: Operations, deployment_id: UUID
) -> None:
    from prefect.states import Pending, Running

    dead = _flow_run(client, deployment_id, Pending(), Running())
    with exclusive(asked.out):  # somebody is writing, so it may well be alive
        recovery.tidy(client, deployment_id, asked.out)
    assert _states(client, dead) == ["Running"]
    recovery.tidy(client, deployment_id, asked.out)
    assert _states(client, dead) == ["Crashed"]
    following = _flow_run(client, deployment_id, Pending(), Running())
    assert _states(client, following) == ["Running"]


def test_of_nights_missed_only_the_newest_is_done(client: Any, asked: Operations, deployment_id: UUID) -> None:
    from prefect.states import Late

    now = datetime.now(UTC)
    nights = [Late(scheduled_time=now - timedelta(days=days)) for days in (3, 1, 2)]
    missed = [_flow_run(client, deployment_id, night) for night in nights]
    recovery.tidy(client, deployment_id, asked.out)
    assert _states(client, *missed) == ["Cancelled", "Late", "Cancelled"]


def test_an_arrival_asks_for_a_run_unless_one_is_waiting(client: Any, deployment_id: UUID) -> None:
    assert [watch.start_run(client, deployment_id) for _ in range(2)] == [True, False]


def _told_of(database: Path) -> dict[str, set[str]]:
    """By table, the flow runs something is kept of."""
    columns = {"flow_run": "id", "flow_run_state": "flow_run_id", "log": "flow_run_id", "artifact": "flow_run_id"}
    with closing(sqlite3.connect(database)) as db:
        return {
            table: {run for (run,) in db.execute(f"select {column} from {table}")} for table, column in columns.items()
        }


def test_what_prefect_s_own_database_tells_of_old_runs_can_be_removed(
    client: Any, deployment_id: UUID, tmp_path: Path
) -> None:
    from prefect.client.schemas.actions import ArtifactCreate, LogCreate
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL
    from prefect.states import Completed, Pending, Running

    done, killed, new = (
        _flow_run(client, deployment_id, Pending(), Running(), *ended) for ended in ([Completed()], [], [Completed()])
    )
    for run in (done, new):
        client.create_artifact(ArtifactCreate(key="night", type="markdown", data="counts", flow_run_id=run))
        line = {"name": "night", "level": 20, "message": "done", "timestamp": datetime.now(UTC), "flow_run_id": run}
        client.create_logs([LogCreate(**line)])
    database = tmp_path / "out/prefect/prefect.db"
    (database.parent / "storage").mkdir(parents=True)
    served = str(PREFECT_API_DATABASE_CONNECTION_URL.value()).split("///")[-1]
    with closing(sqlite3.connect(served)) as whole, closing(sqlite3.connect(database)) as copy:
        whole.backup(copy)
        long_ago = "update flow_run set expected_start_time = '2020-12-01 02:30:00.000000' where id in (?, ?)"
        copy.execute(long_ago, (str(done), str(killed)))
        copy.commit()
    before = _told_of(database)
    for name, moment in (("old", datetime(2020, 12, 1, tzinfo=UTC)), ("new", datetime.now(UTC))):
        (database.parent / "storage" / name).write_text("an exception", encoding="utf-8")
        os.utime(database.parent / "storage" / name, (moment.timestamp(), moment.timestamp()))

    with mock.patch.dict(os.environ):
        found = prefect_history.runs_before(tmp_path / "out", date(2021, 2, 1))
        failures = prefect_history.failures_before(tmp_path / "out", date(2021, 2, 1))
        assert found == tuple(sorted((str(done), str(killed))))
        assert failures == ("old",)
        assert _told_of(database) == before
        prefect_history.remove(tmp_path / "out", found, failures)
        assert prefect_history.runs_before(tmp_path / "out", date(2021, 2, 1)) == ()
    after = _told_of(database)
    assert after == {table: runs - {str(done), str(killed)} for table, runs in before.items()}
    assert all(str(new) in runs for runs in after.values())
    assert [path.name for path in (database.parent / "storage").iterdir()] == ["new"]
    assert _states(client, done, killed) == ["Completed", "Running"], "the server's own database is left alone"
