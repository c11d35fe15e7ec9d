"""Where a book's keys are kept, and that a lost or changed one is noticed before it does harm."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import keyring
import polars as pl
import pytest
from keyring.backend import KeyringBackend

from flows.cli import main
from tests.flows.inbox import write_inbox
from transforms import keys
from transforms.keys import KeyTrouble, Passwords, Protection, firm_key

KEY, OTHER = "a key only for tests", "another key only for tests"
LONG = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (keys.FIRM_VARIABLE, keys.AT_REST_VARIABLE, keys.PASSWORD_VARIABLE):
        monkeypatch.delenv(name, raising=False)


class InMemory(KeyringBackend):
    """A key store that forgets."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def store() -> object:
    before, store = keyring.get_keyring(), InMemory()
    keyring.set_keyring(store)
    yield store
    keyring.set_keyring(before)


def run(base: Path, day: str = "2027-05-01") -> int:
    if not (base / "inbox").exists():
        write_inbox(base / "inbox")
    where = ["--inbox", str(base / "inbox"), "--out", str(base / "out")]
    return main(["run", "--direct", *where, "--as-of", day, "--tax-year", "2026"])


def protect(base: Path, *more: str) -> int:
    return main(["protect", "--out", str(base / "out"), *more])


def tax_id_hash(base: Path) -> str:
    return str(pl.read_parquet(base / "out/latest/canonical/persons.parquet").row(0, named=True)["tax_id"])


def test_a_changed_key_is_refused_before_anything_is_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(keys.FIRM_VARIABLE, KEY)
    assert run(tmp_path) == 0
    first, archived = tax_id_hash(tmp_path), len(list((tmp_path / "out/archive").iterdir()))
    (tmp_path / "inbox/more.csv").write_text("person_id,tax_year,basis\nP1,2024,0\n", encoding="utf-8")
    monkeypatch.setenv(keys.FIRM_VARIABLE, OTHER)
    assert run(tmp_path, "2027-05-02") == 2
    said = capsys.readouterr().err
    assert "isn't the firm key the book" in said
    assert "--new-firm-key" in said
    assert OTHER not in said
    assert len(list((tmp_path / "out/archive").iterdir())) == archived
    assert not list((tmp_path / "out/runs").glob(".*"))
    assert protect(tmp_path, "--new-firm-key") == 0
    assert run(tmp_path, "2027-05-02") == 0
    assert tax_id_hash(tmp_path) != first


def test_a_lost_key_is_refused_and_not_made_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    (tmp_path / "out/state/firm.key").unlink()
    assert run(tmp_path, "2027-05-02") == 2
    assert "is gone" in capsys.readouterr().err
    assert not (tmp_path / "out/state/firm.key").exists()


def test_rotation_gives_new_hashes_and_the_same_answers(tmp_path: Path) -> None:
    assert run(tmp_path) == 0
    old, form = tax_id_hash(tmp_path), pl.read_parquet(tmp_path / "out/latest/results/form_8606.parquet")
    kept = (tmp_path / "out/state/firm.key").read_text(encoding="utf-8")
    assert protect(tmp_path, "--new-firm-key") == 0
    assert (tmp_path / "out/state/firm.key").read_text(encoding="utf-8") != kept
    assert run(tmp_path, "2027-05-02") == 0
    assert tax_id_hash(tmp_path) != old
    assert pl.read_parquet(tmp_path / "out/latest/results/form_8606.parquet").equals(form)


def test_the_key_moves_to_the_key_store_and_back(tmp_path: Path, store: InMemory) -> None:
    key = firm_key(tmp_path / "out")
    assert protect(tmp_path, "--firm-key", "keyring") == 0
    assert not (tmp_path / "out/state/firm.key").exists()
    assert store.kept == {("rothbook", "firm key"): key.decode()}
    assert firm_key(tmp_path / "out") == key
    assert protect(tmp_path, "--firm-key", "default") == 0
    assert firm_key(tmp_path / "out") == key
    store.kept["rothbook", "firm key"] = OTHER
    assert protect(tmp_path, "--firm-key", "keyring") == 2
    assert Protection.of(tmp_path / "out").firm_key == "default"


def test_the_key_is_kept_in_a_file_nobody_else_can_read(tmp_path: Path) -> None:
    key, path = firm_key(tmp_path / "out"), tmp_path / "elsewhere.key"
    assert protect(tmp_path, "--firm-key", str(path)) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert firm_key(tmp_path / "out") == key
    path.chmod(0o640)
    with pytest.raises(KeyTrouble, match="chmod 600"):
        firm_key(tmp_path / "out")


def test_a_key_beside_what_it_protects_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert protect(tmp_path, "--at-rest-key", str(tmp_path / "out/state/at-rest.key")) == 2
    assert "protects nothing" in capsys.readouterr().err
    assert protect(tmp_path, "--at-rest-key", "default") == 2
    assert protect(tmp_path, "--firm-key", "none") == 2


@pytest.mark.parametrize("stated", [None, "short"])
def test_an_at_rest_key_that_is_missing_or_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if stated is not None:
        monkeypatch.setenv(keys.AT_REST_VARIABLE, stated)
    assert protect(tmp_path, "--at-rest-key", "environment") == 2
    assert ("there is no at-rest key" if stated is None else "at least 32") in capsys.readouterr().err
    assert Protection.of(tmp_path / "out").at_rest_key == "none"


def test_what_a_book_remembers_holds_no_secret_and_is_its_owner_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(keys.FIRM_VARIABLE, KEY)
    monkeypatch.setenv(keys.AT_REST_VARIABLE, LONG)
    firm_key(tmp_path / "out")
    assert protect(tmp_path, "--at-rest-key", "environment") == 0
    path = tmp_path / "out/state/protection.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(json.loads(path.read_text(encoding="utf-8"))) == set(Protection.__dataclass_fields__)
    said = path.read_text(encoding="utf-8") + capsys.readouterr().out
    assert "fingerprint" in said
    assert [secret for secret in (KEY, LONG) if secret in said] == []
    path.write_text("{", encoding="utf-8")
    with pytest.raises(KeyTrouble, match="damaged"):
        Protection.of(tmp_path / "out")


def test_passwords_by_advisor_the_firm_s_own_and_everybody_else_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: InMemory
) -> None:
    monkeypatch.setenv("ROTHBOOK_WORKBOOK_PASSWORD_A_1", "the one of A-1")
    monkeypatch.setenv("ROTHBOOK_WORKBOOK_PASSWORD_FIRM", "the firm's own")
    asked = Passwords("environment")
    assert (asked.of_workbook("A-1"), asked.of_workbook("_links")) == ("the one of A-1", "the firm's own")
    with pytest.raises(KeyTrouble, match="no password for the workbook of B"):
        asked.of_workbook("B")
    monkeypatch.setenv("ROTHBOOK_WORKBOOK_PASSWORD", "everybody's")
    with pytest.raises(KeyTrouble, match="at least 12"):
        asked.of_workbook("B")
    assert asked.known(["A-1", "B", "_firm"]) == ("the firm's own", "everybody's", "the one of A-1")

    store.kept["rothbook", "workbook B"] = "the key store's"
    assert Passwords("keyring").of_workbook("B") == "the key store's"

    path = tmp_path / "passwords.toml"
    path.write_text('B = "the file\'s own"\n', encoding="utf-8")
    path.chmod(0o600)
    assert protect(tmp_path, "--workbook-passwords", str(path)) == 0
    found = Passwords.of(tmp_path / "out")
    assert found.of_workbook("B") == "the file's own"
    assert "the file's own" not in repr(found)
    assert not Passwords()
