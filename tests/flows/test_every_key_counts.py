"""Every key of rothbook.toml does something: stated otherwise, what reads it does otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows import config, deployments, firm_key, notify, operations, purge, run_log, status, watch
from flows.cli import main
from flows.config import Settings

ID = UUID(int=1)
Look = Callable[[Path, pytest.MonkeyPatch], Any]


def service(path: Path) -> operations.Operations:
    return operations.of(config.load(path))


def parameter(name: str) -> Look:
    """What the flow of the night is called with."""
    return lambda path, _: deployments.parameters(service(path))[name]


def scheduled(path: Path, _: pytest.MonkeyPatch) -> Any:
    """When the Prefect server starts the night."""
    schedule = deployments.schedule_options(service(path))["schedule"]
    return schedule.cron, schedule.timezone


def limited(path: Path, _: pytest.MonkeyPatch) -> Any:
    """What the Prefect server does with a second run."""
    return deployments.schedule_options(service(path))["concurrency_limit"]


def arranged(path: Path, _: pytest.MonkeyPatch) -> Any:
    """What the server watches for and whom it tells."""
    asked = service(path)
    named = sorted({*asked.on_failure, *asked.on_crash, *asked.on_late})
    blocks = {slug: UUID(int=number) for number, slug in enumerate(named, 2)}
    told = {UUID(int=number): slug for number, slug in enumerate(named, 2)}
    found = []
    for automation in notify.automations(ID, blocks, asked):
        within = getattr(automation.trigger, "within", None)
        found.append(
            (automation.name, within, [told.get(getattr(a, "block_document_id", None)) for a in automation.actions])
        )
    return found


def watched(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """How often the service looks into the inbox, and whether it does."""
    pauses: list[float] = []
    patch.setattr(watch, "_every", lambda pause, _act: pauses.append(pause))
    watch.start(ID, service(path))
    return pauses


def needs_a_person(path: Path, _: pytest.MonkeyPatch) -> Any:
    """What status says of a book whose last good run is 30 hours old."""
    out, now = config.load(path).out_folder(), datetime.now(UTC)
    (out / "runs").mkdir(parents=True, exist_ok=True)
    (out / "latest").unlink(missing_ok=True)
    (out / "latest").symlink_to("runs")
    then = (now - timedelta(hours=30)).timestamp()
    os.utime(out / "latest", (then, then), follow_symlinks=False)
    hours = config.load(path).schedule.overdue_after_hours
    return list(status._about_nights(out, now, hours))


def key(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """The key the stages find, and where it was taken from."""
    patch.setenv(firm_key.VARIABLE, "the key of the environment")
    patch.setattr("keyring.get_password", lambda service, user: f"{service}/{user}")
    firm_key.provide(config.load(path).security)
    return os.environ.get(firm_key.VARIABLE)


def kept_key(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """The key where the environment holds none."""
    patch.delenv(firm_key.VARIABLE, raising=False)
    for name in ("one.key", "other.key"):
        (path.parent / name).write_text(f"the key of {name}", encoding="ascii")
    firm_key.provide(config.load(path).security)
    return os.environ.get(firm_key.VARIABLE)


def purged(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """How many years `rothbook purge --config` keeps."""
    asked: list[int] = []

    def find(_out: Path, years: int, *_: object) -> purge.Purge:
        asked.append(years)
        return purge.Purge(datetime.now(UTC).date())

    patch.setattr(purge, "find", find)
    patch.setattr("flows.run_folder.newest", lambda out: out)
    assert main(["purge", "--out", str(path.parent / "out"), "--config", str(path)]) == 0
    return asked


def logged(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """What the processes of the schedule are told of their log."""
    for name in ("LEVEL", "FORMAT"):
        patch.setenv(f"ROTHBOOK_LOGGING__{name}", "")
    settings = config.load(path)
    run_log.hand_on(settings.logging.level, settings.logging.format)
    return [os.environ[f"ROTHBOOK_LOGGING__{name}"] for name in ("LEVEL", "FORMAT")]


_ON_LATE = {"notifications.on_late": "['slack-webhook/a']"}
_KEYRING = {"security.firm_key_source": "'keyring'"}
#: key -> two values in TOML, who reads it, and what else the file must say for it to matter.
KEYS: dict[str, tuple[str, str, Look, dict[str, str]]] = {
    "schedule.cron": ("'30 2 * * *'", "'15 4 * * *'", scheduled, {}),
    "schedule.timezone": ("'UTC'", "'America/New_York'", scheduled, {}),
    "schedule.late_after_minutes": ("60", "5", arranged, _ON_LATE),
    "schedule.overdue_after_hours": ("26", "74", needs_a_person, {}),
    "schedule.on_arrival": ("false", "true", watched, {}),
    "schedule.arrival_quiet_seconds": ("8", "16", watched, {"schedule.on_arrival": "true"}),
    "folders.inbox": ("'inbox'", "'in'", parameter("inbox"), {}),
    "folders.out": ("'out'", "'published'", parameter("out"), {}),
    "folders.shared": ("'a'", "'b'", parameter("shared"), {}),
    "intake.settle_seconds": ("10", "20", parameter("settle_seconds"), {}),
    "intake.pgp_home": ("'a'", "'b'", parameter("pgp_home"), {}),
    "prefect.artifacts": ("true", "false", parameter("artifacts"), {}),
    "prefect.retries": ("5", "6", parameter("retries"), {}),
    "prefect.retry_delay_seconds": ("30", "31", parameter("retry_delay_seconds"), {}),
    "prefect.timeout_minutes": ("240", "241", parameter("timeout_minutes"), {}),
    "prefect.stage_timeout_minutes": ("120", "121", parameter("stage_timeout_minutes"), {}),
    "prefect.when_running": ("'wait'", "'skip'", limited, {}),
    "security.firm_key_source": ("'automatic'", "'keyring'", key, {}),
    "security.firm_key_file": ("'one.key'", "'other.key'", kept_key, {}),
    "security.keyring_service": ("'one'", "'other'", key, _KEYRING),
    "security.keyring_user": ("'one'", "'other'", key, _KEYRING),
    "marks.percent": ("20", "25", parameter("comes_back"), {}),
    "marks.dollars": ("500", "600", parameter("comes_back"), {}),
    "marks.days": ("30", "45", parameter("comes_back"), {}),
    "retention.years": ("6", "7", purged, {}),
    "notifications.on_failure": ("[]", "['slack-webhook/a']", arranged, {}),
    "notifications.on_crash": ("[]", "['slack-webhook/a']", arranged, {}),
    "notifications.on_late": ("[]", "['slack-webhook/a']", arranged, {}),
    "logging.level": ("'info'", "'debug'", logged, {}),
    "logging.format": ("'text'", "'json'", logged, {}),
}


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Whatever is put into the environment is taken out again."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_every_key_is_looked_at() -> None:
    assert set(KEYS) == {
        f"{section}.{name}" for section, model in config.SECTIONS.items() for name in model.model_fields
    }
    assert set(Settings.model_fields) == set(config.SECTIONS)


def toml(stated: dict[str, str]) -> str:
    """`section.key` -> value, as a file of sections."""
    sections = sorted({name.partition(".")[0] for name in stated})
    lines = []
    for section in sections:
        keys = [(name, value) for name, value in stated.items() if name.startswith(f"{section}.")]
        lines += [f"[{section}]", *(f"{name.partition('.')[2]} = {value}" for name, value in keys)]
    return "\n".join(lines)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_stated_otherwise_does_something_else(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, look, more = KEYS[name]
    path, seen = tmp_path / "my.toml", []
    for value in (one, other, one):
        stated = {"folders.inbox": "'inbox'", "folders.out": "'out'", **more, name: value}
        path.write_text(toml(stated), encoding="utf-8")
        with monkeypatch.context() as patch:
            seen.append(look(path, patch))
    assert seen[0] == seen[2]
    assert seen[0] != seen[1], f"{name} changes nothing"


def test_what_the_schedule_hands_on_is_what_the_night_takes() -> None:
    """Every parameter of the deployment is one of the flow: nothing that is configured is lost on the way."""
    import inspect

    from flows.nightly import nightly

    asked = operations.of(Settings(folders=config.Folders(inbox=Path("inbox"), out=Path("out"))))
    assert set(deployments.parameters(asked)) <= set(inspect.signature(nightly.fn).parameters)
