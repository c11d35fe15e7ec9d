"""A folder of OUT that can't be read for a moment is trouble to be told, never an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows import doctor, nights, purge, status
from flows.run_folder import newest
from tests.flows.inbox import FILES
from tests.flows.past_nights import PastNights
from tests.flows.unreadable import unreadable
from transforms import vault

LOOKS: dict[str, Callable[[Path], object]] = {
    "logs": lambda out: status.look(out, datetime.now(UTC)),
    "quarantine": lambda out: purge.find(out, 6),
    "canonical": lambda out: vault.is_sealed(newest(out)),
    "workbooks": lambda out: nights.digests(newest(out)),
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = PastNights(tmp_path_factory.mktemp("book"))
    book.drop(FILES)
    book.run("2027-02-01")
    (book.out / "quarantine").mkdir(mode=0o700, exist_ok=True)
    return book.out


@pytest.mark.parametrize("name", LOOKS)
def test_a_folder_that_can_not_be_read_is_not_an_empty_one(
    out: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    LOOKS[name](out)
    unreadable(monkeypatch, name)
    with pytest.raises(PermissionError):
        LOOKS[name](out)


def test_a_run_is_never_sealed_but_for_a_folder(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable(monkeypatch, "canonical")
    with pytest.raises(PermissionError):
        vault.Vault(out, bytes(32)).seal_run(newest(out), newest(out).name)
    assert not list(newest(out).rglob("*.sealed"))


def test_the_doctor_names_the_folder(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "my.toml"
    config.write_text(f'[folders]\nout = "{out}"\n', encoding="utf-8")
    config.chmod(0o600)
    unreadable(monkeypatch, "archive")
    found = [check for check in doctor.examine(config, date(2027, 2, 2)) if check.what == "permissions"]
    assert [(check.level, check.found) for check in found] == [
        ("fail", f"{out / 'archive'} can't be read (Permission denied)")
    ]
