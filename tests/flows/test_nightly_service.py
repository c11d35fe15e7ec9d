"""The nightly deployment against a Prefect server: what is tried again, time limits, who is told, what is put right."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows import config, deployments, notify, operations, recovery, watch
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
