"""What the nightly service decides by itself, without a server: which failures are the share's, when the inbox has
settled, when a night is overdue, and what a second run does.
"""

import errno
import inspect
import os
import threading
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import config, deployments, operations, overdue, pipeline, reaching, watch
from flows.errors import Busy, ShareUnreachable, StageFailed
from flows.run_folder import exclusive
from tests.flows.inbox import rothbook, write_inbox

AS_OF = date(2027, 5, 1)
NOW = datetime(2027, 5, 2, 8, tzinfo=UTC)


def _os_error(number: int, path: Path | None) -> OSError:
    return OSError(number, os.strerror(number), str(path)) if path else OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "where", "of_the_share"),
    [
        pytest.param(errno.EACCES, "inbox/a.csv", True, id="a file of the inbox"),
        pytest.param(errno.ENOENT, "inbox", True, id="the inbox itself"),
        pytest.param(errno.ESTALE, None, True, id="a network's error while reading an open file"),
        pytest.param(errno.ENOSPC, None, False, id="the disk of OUT is full"),
        pytest.param(errno.EACCES, "out/archive/x", False, id="a file of OUT"),
        pytest.param(errno.ENOENT, "inbox2/a.csv", False, id="a folder whose name begins the same"),
    ],
)
def test_only_the_inbox_s_own_failures_are_the_share_s(
    tmp_path: Path, number: int, where: str | None, of_the_share: bool
) -> None:
    error = _os_error(number, tmp_path / where if where else None)
    with pytest.raises(ShareUnreachable if of_the_share else OSError) as raised, reaching.reaching(tmp_path / "inbox"):
        raise error
    assert isinstance(raised.value, ShareUnreachable) is of_the_share


def test_an_inbox_that_isn_t_there_is_worth_waiting_for(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="the inbox can't be read") as raised:
        reaching.reach(tmp_path / "inbox")
    assert raised.value.waiting_helps
    (tmp_path / "inbox").mkdir()
    reaching.reach(tmp_path / "inbox")


def test_a_share_that_breaks_while_it_is_read_is_worth_waiting_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, opened = write_inbox(tmp_path / "inbox"), Path.open

    def fail(path: Path, *how: Any, **more: Any) -> Any:
        if path.is_relative_to(inbox):
            raise _os_error(errno.EIO, None)
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", fail)
    assert _failure_to_take_in(inbox, tmp_path / "out").waiting_helps


def test_a_full_disk_isn_t_worth_waiting_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise _os_error(errno.ENOSPC, None)

    monkeypatch.setattr("transforms.vault.write_private", fail)
    assert not _failure_to_take_in(write_inbox(tmp_path / "inbox"), tmp_path / "out").waiting_helps


def _failure_to_take_in(inbox: Path, out: Path) -> StageFailed:
    with pytest.raises(StageFailed, match="failed to take in") as raised:
        pipeline.run_direct(pipeline.plan(inbox, out, AS_OF, [2026], 0.0))
    return raised.value


def _inbox(**files: int) -> watch.Look:
    return frozenset((name, size, 0) for name, size in files.items())


def test_what_is_there_at_the_first_look_starts_nothing() -> None:
    settling = watch.Settling(quiet=10)
    assert [settling.due(_inbox(a=1), now) for now in (0, 100, 200)] == [False, False, False]


def test_a_file_starts_one_run_once_it_has_been_still() -> None:
    settling = watch.Settling(quiet=10)
    looks = [(_inbox(), 0), (_inbox(a=1), 5), (_inbox(a=2), 12), (_inbox(a=2), 21)]
    assert [settling.due(seen, now) for seen, now in looks] == [False, False, False, False]
    assert settling.due(_inbox(a=2), 22)
    assert settling.due(_inbox(a=2), 23), "nobody has been asked for a run yet"
    settling.asked()
    assert not settling.due(_inbox(a=2), 1000)


def test_a_file_that_changes_again_starts_another_run_and_one_that_goes_away_none() -> None:
    settling = watch.Settling(quiet=10)
    settling.due(_inbox(a=1, b=1), 0)
    assert not settling.due(_inbox(b=1), 50)
    settling.due(_inbox(b=2), 60)
    assert settling.due(_inbox(b=2), 70)


def test_the_watcher_sees_what_a_run_would_take_in(tmp_path: Path) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    (inbox / "sub").mkdir()
    for name in ("sub/more.csv", "new.csv.part", "~new.TMP", "~$book.xlsx", ".hidden"):
        (inbox / name).write_text("x", encoding="utf-8")
    (inbox / "link.csv").symlink_to(inbox / "persons.csv")
    from transforms.intake import deliver

    taken = {delivery.file_name for delivery in deliver(inbox, tmp_path / "out", None, AS_OF, 0.0).tonight}
    assert {Path(name).relative_to(inbox).as_posix() for name, _, _ in watch.listing(inbox)} == taken
    with pytest.raises(FileNotFoundError):
        watch.listing(tmp_path / "away")


def _published(out: Path, at: datetime) -> Path:
    (out / "runs" / "2027-05-01-001").mkdir(parents=True)
    (out / "latest").symlink_to(Path("runs") / "2027-05-01-001")
    os.utime(out / "latest", (at.timestamp(), at.timestamp()), follow_symlinks=False)
    return out


def test_a_night_is_overdue_after_the_hours_stated(tmp_path: Path) -> None:
    assert overdue.overdue(tmp_path, 26, NOW) == "there has been no good run yet"
    out = _published(tmp_path, NOW - timedelta(hours=26))
    assert overdue.last_good(out) == NOW - timedelta(hours=26)
    assert overdue.overdue(out, 26, NOW) is None
    told = overdue.overdue(out, 26, NOW + timedelta(hours=1))
    assert told == "the newest good run is 27 hours old; more than 26 is too old"


def test_the_command_says_overdue_with_exit_code_3(tmp_path: Path) -> None:
    before = rothbook("overdue", "--out", tmp_path)
    assert (before.returncode, before.stderr) == (3, "rothbook: there has been no good run yet\n")
    _published(tmp_path, datetime.now(UTC))
    after = rothbook("overdue", "--out", tmp_path, "--hours", "1")
    assert (after.returncode, after.stderr) == (0, "")
    assert rothbook("overdue").returncode == 2


def test_a_run_waits_for_another_one_as_long_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import nightly

    monkeypatch.setattr(nightly, "LOOK_AGAIN_SECONDS", 0.01)
    night = pipeline.plan(write_inbox(tmp_path / "inbox"), tmp_path / "out", AS_OF, [2026])
    locked, release = threading.Event(), threading.Event()

    def other_run() -> None:
        with exclusive(night.out):
            locked.set()
            release.wait(30)

    other = threading.Thread(target=other_run)
    other.start()
    locked.wait(30)
    with ExitStack() as stack, pytest.raises(Busy):
        nightly._alone(stack, night, 0.0)
    release.set()
    with ExitStack() as stack:
        assert nightly._alone(stack, night, 30.0).name == ".2027-05-01-001.partial"
    other.join()


def test_a_second_run_waits_or_is_cancelled_as_configured() -> None:
    from dataclasses import replace

    from flows.nightly import nightly

    asked = operations.of(config.load())
    found = {}
    for policy in ("wait", "skip"):
        options = deployments.schedule_options(replace(asked, when_running=policy))
        limit = options["concurrency_limit"]
        found[policy] = (limit.limit, limit.collision_strategy.value, options["parameters"]["wait_minutes"])
    assert found == {"wait": (1, "ENQUEUE", asked.timeout_minutes), "skip": (1, "CANCEL_NEW", 0)}
    assert set(deployments.schedule_options(asked)) <= set(inspect.signature(nightly.to_deployment).parameters)


def test_the_units_name_what_is_there_and_shut_the_rest() -> None:
    folder = Path(deployments.__file__).parent / "service"
    for unit in ("rothbook.service", "rothbook-prefect.service"):
        lines = (folder / unit).read_text(encoding="utf-8").splitlines()
        assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077", "CapabilityBoundingSet="} <= set(lines)
    assert "IPAddressDeny=any" in (folder / "rothbook.service").read_text(encoding="utf-8")


def test_an_inbox_that_goes_away_before_it_is_taken_in_isn_t_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = write_inbox(tmp_path / "inbox")
    night = pipeline.plan(inbox, tmp_path / "out", AS_OF, [2026], 0.0)
    inbox.rename(tmp_path / "away")
    with pytest.raises(StageFailed, match="failed to take in: the inbox can't be read") as raised:
        pipeline.run_direct(night)
    assert raised.value.waiting_helps
