"""What a disk or a share does in the middle of a run leaves the old state or the new one, and says so."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows import cli, nights, run_folder, shared
from flows.errors import StageFailed
from flows.pipeline import open_run, plan, run_direct
from flows.run_folder import RunFolder
from tests.flows.inbox import write_inbox
from tests.flows.unreadable import unreadable
from transforms.intake import deliver
from transforms.private import write_private

DAY = date(2027, 5, 1)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def raised(failure: BaseException) -> None:
    raise failure


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A partial run with something in it."""
    made = RunFolder.create(tmp_path / "out", DAY)
    made.note(run_id=made.run_id, as_of=str(DAY))
    (made.path / "results").mkdir()
    (made.path / "results" / "form_8606.parquet").write_bytes(b"written by somebody who didn't sync")
    return made


def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Inodes and names as they are synced from now on."""
    found: list[tuple[int, str]] = []
    real = os.fsync

    def noted(handle: int) -> None:
        found.append((os.fstat(handle).st_ino, Path(f"/proc/self/fd/{handle}").readlink().name))
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_everything_in_a_run_is_on_the_disk_before_it_gets_its_name(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, real, before = synced(monkeypatch), Path.rename, set[int]()

    def renamed(self: Path, target: Path) -> Path:
        before.update(inode for inode, _ in found)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    published = run.publish()
    inside = [published, *published.rglob("*")]
    assert len(inside) == 4
    assert {path.stat().st_ino for path in inside} <= before
    assert [name for _, name in found[-2:]] == ["runs", "out"]


def test_a_run_latest_can_not_be_moved_to_is_not_published(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(OSError, match="No space"):
        run.publish()
    assert run.path.is_dir()
    assert run_folder.published(run.out) == []
    assert run_folder.latest(run.out) is None


def test_a_sync_that_fails_after_latest_moved_leaves_the_run_published(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run_folder.sync
    monkeypatch.setattr(run_folder, "sync", lambda folder: full() if folder == run.out else real(folder))
    assert run.publish() == run_folder.latest(run.out)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "run.json"
    write_private(target, b"old", 0o600)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(target, b"new", 0o600)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("run.json", b"old")]


def test_a_whole_file_is_in_its_folder_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = synced(monkeypatch)
    write_private(tmp_path / "state.json", b"{}", 0o600)
    assert [inode for inode, _ in found] == [
        (tmp_path / "state.json").stat().st_ino, tmp_path.stat().st_ino,
    ]  # fmt: skip


def test_what_killed_runs_were_writing_is_cleared_away(run: RunFolder) -> None:
    run.publish()
    out = run.out
    left = ["runs/.2027-05-01-002.partial/results/x.parquet", ".latest.new", "runs/2027-05-01-001/.run.json.7.part",
            *(f"{folder}/.0123.7.part" for folder in ("archive", "quarantine", "state"))]  # fmt: skip
    for name in left:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"half")
    kept = out / "state" / "audit.jsonl"
    kept.write_text("{}\n", encoding="utf-8")
    assert RunFolder.create(out, DAY).run_id == "2027-05-01-002"
    assert [name for name in left if (out / name).exists()] == []
    assert kept.exists()
    assert run_folder.latest(out) == run.final


def test_a_failed_run_on_a_full_disk_makes_room_and_says_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = plan(write_inbox(tmp_path / "inbox"), tmp_path / "out", DAY, (2026,))
    failure = StageFailed("compute", "OSError (No space left on device)")
    with pytest.raises(StageFailed, match="failed to compute: OSError"), open_run(night):
        monkeypatch.setattr(Path, "write_text", full) or raised(failure)
    assert list((tmp_path / "out" / "runs").iterdir()) == []


@pytest.mark.parametrize("where", ["flows.pipeline.exclusive", "flows.nights.catch_up", "flows.audited.started"])
def test_a_disk_that_fails_before_the_first_stage_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setattr(where, full)
    inbox = write_inbox(tmp_path / "inbox")
    asked = ["run", "--direct", "--inbox", str(inbox), "--out", str(tmp_path / "out"), "--as-of", str(DAY)]
    assert cli.main([*asked, "--tax-year", "2026"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("rothbook: failed to begin the run: OSError (No space left on device)\n")
    assert "Traceback" not in said
    assert ".py:" not in said
    assert not list((tmp_path / "out").glob("runs/.*.partial"))


def test_past_nights_that_can_not_be_read_are_no_book_without_a_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state" / "nights").mkdir(parents=True)
    assert nights.past(tmp_path) == []

    for name in ("nights", "runs"):
        unreadable(monkeypatch, name)
    with pytest.raises(PermissionError):
        nights.past(tmp_path)
    with pytest.raises(PermissionError):
        run_folder.published(tmp_path)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """An inbox with two files."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(f"the whole of {name}", encoding="utf-8")
    return folder


def while_read(monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[Path], object], *, time: int = 1) -> None:
    """Have something happen to a file just before it is opened to be read, the first or a later time."""
    real, left = Path.open, [happens, *[lambda _: None] * (time - 1)]

    def opened(path: Path, *how: Any, **more: Any) -> Any:
        if path.name == name and left:
            left.pop()(path)
        return real(path, *how, **more)

    monkeypatch.setattr(Path, "open", opened)


def test_a_file_that_goes_away_before_it_is_read_has_not_come(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_read(monkeypatch, "a.csv", Path.unlink)
    register = deliver(inbox, tmp_path / "out", None, DAY, settle_seconds=0)
    assert [entry.file_name for entry in register.entries] == ["b.csv"]
    assert register.waiting == ("a.csv",)


@pytest.mark.parametrize("time", [1, 2])
def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time: int
) -> None:
    def grow(path: Path) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(" and more")

    while_read(monkeypatch, "a.csv", grow, time=time)
    register = deliver(inbox, tmp_path / "out", None, DAY, settle_seconds=0)
    assert [entry.file_name for entry in register.entries] == ["b.csv"]
    assert register.waiting == ("a.csv",)
    assert len(list((tmp_path / "out" / "archive").iterdir())) == 1


def test_a_share_that_goes_away_while_it_is_read_is_no_empty_night(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmount(path: Path) -> None:
        path.parent.rename(tmp_path / "away")
        inbox.mkdir()

    while_read(monkeypatch, "a.csv", unmount)
    with pytest.raises(OSError, match=r"[Ss]tale") as failure:
        deliver(inbox, tmp_path / "out", None, DAY, settle_seconds=0)
    assert failure.value.filename == str(inbox)


def test_a_folder_of_the_inbox_that_can_not_be_listed_fails_the_night(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "schwab").mkdir()
    unreadable(monkeypatch, "schwab")
    with pytest.raises(PermissionError):
        deliver(inbox, tmp_path / "out", None, DAY, settle_seconds=0)


@pytest.fixture(scope="module")
def shared_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT after a night whose workbooks are in a shared folder beside it."""
    base = tmp_path_factory.mktemp("shared book")
    (base / "shared").mkdir()
    run_direct(plan(write_inbox(base / "inbox"), base / "out", DAY, (2026,), settle_seconds=0, shared=base / "shared"))
    return base


def test_a_run_killed_while_it_puts_workbooks_out_knows_them_again(
    shared_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = shutil.copytree(shared_book, tmp_path / "book", symlinks=True)
    run, office, state = base / "out" / "latest", base / "shared", base / "out" / "state" / "shared.json"
    placed = office / "ADV1" / "ADV1.xlsx"
    placed.write_bytes(placed.read_bytes() + b"of the night before")
    state.write_text(f'{{"ADV1/ADV1.xlsx": "{shared._sha(placed.read_bytes())}"}}', encoding="utf-8")
    assert shared.returned(office, base / "out") == {}

    real = shared._write
    monkeypatch.setattr(shared, "_write", lambda *_: raised(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        shared.place(run.resolve(), office, base / "out", DAY)
    assert shared.returned(office, base / "out") == {}, "what lay there before is still Rothbook's"
    monkeypatch.setattr(shared, "_write", lambda *what: (real(*what), raised(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        shared.place(run.resolve(), office, base / "out", DAY)
    assert placed.read_bytes() == (run / "workbooks" / "ADV1.xlsx").read_bytes()
    assert shared.returned(office, base / "out") == {}, "and so is what took its place"


def test_what_was_put_out_is_not_forgotten_because_it_can_not_be_read(
    shared_book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_text", full)
    with pytest.raises(OSError, match="No space"):
        shared.returned(shared_book / "shared", shared_book / "out")


def test_a_published_run_whose_summary_can_not_be_told_is_published(
    shared_book: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.summary.text", full)
    assert cli._told((shared_book / "out" / "latest").resolve()) == 0
    assert capsys.readouterr().err == (
        "rothbook: run 2027-05-01-001 is published, but its summary can't be told (No space left on device)\n"
    )
