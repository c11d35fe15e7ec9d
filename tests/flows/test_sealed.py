"""Encryption at rest: the same tables with it as without, and no clear text of a client left under OUT."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msoffcrypto
import polars as pl
import pytest

from flows import audit
from flows.cli import main
from schemas.tables import RESULT_TABLES
from tests.flows.inbox import SECRETS, write_inbox
from transforms import keys, vault
from transforms.keys import KeyTrouble
from transforms.passwords import locked, unlocked
from transforms.vault import Vault, opened, seal, unseal

KEY, PASSWORD = "0123456789abcdef" * 2, "a password only for tests"


def rothbook(base: Path, command: str, *more: str | Path) -> int:
    return main([command, *map(str, more), "--out", str(base / "out")])


def run(base: Path, day: str) -> int:
    return rothbook(base, "run", "--direct", "--inbox", base / "inbox", "--as-of", day, "--tax-year", "2026")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A book with one night before it was protected and one after, and `plain`, the same two nights unprotected."""
    base = tmp_path_factory.mktemp("sealed")
    write_inbox(base / "inbox", bad_row=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(keys.FIRM_VARIABLE, "a firm key only for tests")
        patch.setenv(keys.AT_REST_VARIABLE, KEY)
        patch.setenv(keys.PASSWORD_VARIABLE, PASSWORD)
        assert run(base, "2027-05-01") == 1
        shutil.copytree(base / "out", base / "plain" / "out", symlinks=True)
        (base / "plain" / "inbox").symlink_to(base / "inbox")
        stated = ("--at-rest-key", "environment", "--workbook-passwords", "environment")
        assert rothbook(base, "protect", *stated) == 0
        assert run(base, "2027-05-02") == 1
        assert run(base / "plain", "2027-05-02") == 1
        yield base


def test_the_tables_are_the_same(sealed: Path) -> None:
    with opened(sealed / "out/runs/2027-05-02-001") as run:
        for name in RESULT_TABLES:
            plain = pl.read_parquet(sealed / f"plain/out/latest/results/{name}.parquet")
            assert pl.read_parquet(run / f"results/{name}.parquet").equals(plain), name
        assert run.stat().st_mode & 0o777 == 0o700
    assert not run.exists()


def test_nothing_under_out_can_be_read_without_the_key(sealed: Path) -> None:
    paths = [p for p in (sealed / "out").rglob("*") if p.is_file() and "2027-05-01-001/workbooks" not in p.as_posix()]
    assert {p.suffix for p in paths} >= {".sealed", ".xlsx", ".csv"}
    for path in paths:
        data = path.read_bytes()
        assert not data.startswith((b"PK", b"PAR1")), path
        assert [secret for secret in SECRETS if secret.encode() in data] == [], path
    names = " ".join(p.name for p in paths)
    assert "firm.key" not in names
    assert not list((sealed / "out/runs").rglob("*.duckdb"))


def test_a_workbook_opens_with_its_password_only(sealed: Path) -> None:
    data = (sealed / "out/latest/workbooks/ADV1.xlsx").read_bytes()
    assert unlocked(data, ["another password"]) is None
    clear = unlocked(data, ["another password", PASSWORD])
    assert clear is not None
    assert clear == (sealed / "plain/out/latest/workbooks/ADV1.xlsx").read_bytes()
    with (sealed / "out/latest/workbooks/_firm.xlsx").open("rb") as file:
        assert msoffcrypto.OfficeFile(file).is_encrypted()


def test_every_command_works_on_a_sealed_book(sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rothbook(sealed, "explain", "P1") == 0
    assert "Form 8606, tax year 2026" in capsys.readouterr().out
    assert rothbook(sealed, "brief", "P1", "--to", tmp_path / "brief.docx") == 0
    assert zipfile.is_zipfile(tmp_path / "brief.docx")
    capsys.readouterr()
    assert rothbook(sealed, "diff", "previous", "latest") == 0
    assert "2027-05-01-001" in capsys.readouterr().out
    assert rothbook(sealed, "history", "P1") == 0
    assert "ira_basis" in capsys.readouterr().out


def test_a_sealed_file_is_had_back_as_it_was(sealed: Path, tmp_path: Path) -> None:
    assert rothbook(sealed, "unseal", sealed / "out/latest", "--to", tmp_path / "run") == 0
    assert (tmp_path / "run/rothbook.duckdb").exists()
    for archived in (sealed / "plain/out/archive").iterdir():
        to = tmp_path / archived.name
        assert rothbook(sealed, "unseal", sealed / "out/archive" / archived.name, "--to", to) == 0
        assert (to / archived.name).read_bytes() == archived.read_bytes()
    assert rothbook(sealed, "unseal", sealed / "inbox/basis.csv", "--to", tmp_path / "no") == 2
    assert rothbook(sealed, "unseal", sealed / "out/latest", "--to", tmp_path) == 2


def test_the_wrong_key_changes_nothing(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted((sealed / "out").rglob("*"))
    monkeypatch.setenv(keys.AT_REST_VARIABLE, KEY[::-1])
    for command in ("run", "explain"):
        code = run(sealed, "2027-05-03") if command == "run" else rothbook(sealed, "explain", "P1")
        assert code == 2
        assert "isn't the at-rest key" in capsys.readouterr().err
    assert rothbook(sealed, "protect", "--at-rest-key", "environment") == 2
    assert sorted((sealed / "out").rglob("*")) == before


def test_protection_can_be_taken_off_again(sealed: Path, tmp_path: Path) -> None:
    shutil.copytree(sealed / "out", tmp_path / "out", symlinks=True)
    (tmp_path / "inbox").symlink_to(sealed / "inbox")
    assert rothbook(tmp_path, "protect", "--at-rest-key", "none", "--workbook-passwords", "none") == 0
    for name in ("archive", "quarantine", "runs/2027-05-01-001/results", "runs/2027-05-02-001/canonical"):
        mine, plain = tmp_path / "out" / name, sealed / "plain/out" / name
        assert {p.name: p.read_bytes() for p in mine.iterdir()} == {p.name: p.read_bytes() for p in plain.iterdir()}
    assert run(tmp_path, "2027-05-03") == 1
    assert (tmp_path / "out/latest/results/form_8606.parquet").exists()


def test_a_workbook_without_a_password_fails_the_night(
    sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(sealed / "out", tmp_path / "out", symlinks=True)
    (tmp_path / "inbox").symlink_to(sealed / "inbox")
    monkeypatch.delenv(keys.PASSWORD_VARIABLE)
    assert run(tmp_path, "2027-05-03") == 3
    assert "there is no password for the workbook of ADV1" in capsys.readouterr().err
    assert (tmp_path / "out/latest").readlink().name == "2027-05-02-001"


def test_what_a_killed_sealing_or_opening_was_writing_goes_when_it_is_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # in the order they are sealed
    names = ("archive/a", "quarantine/b", "state/nights/x/results/c", "runs/2027-05-01-001/results/d")
    real, book = vault.write_private, vault.Vault(tmp_path, bytes(32))
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(name.encode())

    def bytes_of() -> dict[str, bytes]:
        return {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def killed(path: Path, data: bytes, mode: int, *, at: str) -> None:
        if at in path.as_posix():
            path.with_name(f".{path.name}.123.part").write_bytes(data[: len(data) // 2])
            raise KeyboardInterrupt
        real(path, data, mode)

    clear = bytes_of()
    for change in (vault.seal_book, vault.unseal_book):
        for name in names:
            with monkeypatch.context() as patch:
                patch.setattr(vault, "write_private", partial(killed, at=name))
                with pytest.raises(KeyboardInterrupt):
                    change(book)
            assert any(left.endswith(".part") for left in bytes_of())
        change(book)
        after = bytes_of()
        if change is vault.seal_book:
            assert {name.removesuffix(".sealed") for name in after} == set(names)
            assert all(data.startswith(vault.MAGIC) for data in after.values())
    assert after == clear


@pytest.mark.parametrize("size", [0, 1, vault._CHUNK, vault._CHUNK + 1, 2 * vault._CHUNK])
def test_what_is_sealed_comes_back_and_any_change_is_noticed(size: int) -> None:
    data, key = bytes(range(256)) * (size // 256) + b"x" * (size % 256), KEY.encode()
    kept = seal(data, key, "archive/a")
    assert unseal(kept, key, "archive/a") == data
    assert seal(data, key, "archive/a") != kept
    start = len(vault.MAGIC)
    spoiled = {
        "a bit of the salt": kept[:start] + bytes([kept[start] ^ 1]) + kept[start + 1 :],
        "the last bit": kept[:-1] + bytes([kept[-1] ^ 1]),
        "cut off": kept[:-1],
        "longer": kept + b"\0",
        "the last chunk gone": kept[: start + vault._SALT + vault._CHUNK + vault._TAG] if size > vault._CHUNK else b"",
        "not sealed": data,
    }
    assert [what for what, other in spoiled.items() if opens(other, key, "archive/a")] == []
    assert not opens(kept, key, "archive/b")
    assert not opens(kept, key[::-1], "archive/a")


def opens(data: bytes, key: bytes, name: str) -> bool:
    try:
        unseal(data, key, name)
    except KeyTrouble:
        return False
    return True


def test_a_plain_file_among_sealed_ones_is_refused_and_a_sealed_one_among_plain(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    path = tmp_path / "archive/a"
    path.write_bytes(b"put there by somebody else")
    with pytest.raises(KeyTrouble, match="isn't sealed, but the book is"):
        Vault(tmp_path, KEY.encode()).read(path)
    path.unlink()
    Vault(tmp_path, KEY.encode()).write(path, b"ours", 0o400)
    with pytest.raises(KeyTrouble, match="is sealed, the book isn't"):
        Vault(tmp_path, None).read(path)
    assert KEY not in repr(Vault(tmp_path, KEY.encode()))


def test_a_locked_workbook_that_is_damaged_or_costly_is_not_opened(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (sealed / "out/latest/workbooks/ADV1.xlsx").read_bytes()
    for spoiled in (good[:600], good[: len(good) // 2], good[:3000] + bytes(3000) + good[6000:]):
        assert unlocked(spoiled, [PASSWORD]) is None
    monkeypatch.setattr("transforms.passwords.MOST_SPINS", 1)
    assert unlocked(good, [PASSWORD]) is None


def test_a_locked_workbook_that_comes_back_is_read(sealed: Path, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("person_id", "tax_year", "basis"), ("P1", 2024, 0)):
        sheet.append(row)
    book.save(tmp_path / "basis.xlsx")
    shutil.copytree(sealed / "out", tmp_path / "out", symlinks=True)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/basis.xlsx").write_bytes(locked((tmp_path / "basis.xlsx").read_bytes(), PASSWORD))
    assert run(tmp_path, "2027-05-03") == 1
    with opened(tmp_path / "out/runs/2027-05-03-001") as found:
        assert pl.read_parquet(found / "canonical/ira_basis.parquet")["tax_year"].sort().to_list() == [2024, 2025]


def test_a_locked_workbook_goes_to_its_folder_and_comes_back_from_there(sealed: Path, tmp_path: Path) -> None:
    shutil.copytree(sealed / "out", tmp_path / "out", symlinks=True)
    shared = tmp_path / "shared"
    for folder in ("inbox", "shared"):
        (tmp_path / folder).mkdir()

    def night(day: str) -> dict[str, Any]:
        where = ("--inbox", tmp_path / "inbox", "--shared", shared, "--as-of", day, "--tax-year", "2026")
        assert rothbook(tmp_path, "run", "--direct", *where) == 1
        facts: dict[str, Any] = json.loads((tmp_path / "out/latest/run.json").read_text(encoding="utf-8"))
        return facts

    assert night("2027-05-03")["placed"] == {"written": 1, "beside": [], "failed": []}
    workbook = shared / "ADV1/ADV1.xlsx"
    content = unlocked(workbook.read_bytes(), [PASSWORD])
    assert content is not None
    assert night("2027-05-04")["returned"] == 0
    saved = locked(content, PASSWORD)
    workbook.write_bytes(saved)
    again = night("2027-05-05")
    assert (again["returned"], again["placed"]["beside"]) == (1, [])
    read = {file["file_name"]: file["state"] for file in again["input_files"] if "shared/ADV1" in file["file_name"]}
    assert read["shared/ADV1/ADV1.xlsx"] == "accepted"
    assert len(read) > 1
    assert workbook.read_bytes() != saved


def test_status_and_doctor_of_a_sealed_book(
    sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "my.toml"
    config.write_text(f'[folders]\ninbox = "{sealed}/inbox"\nout = "{sealed}/out"\n', encoding="utf-8")

    def said(command: str, *more: str) -> dict[str, Any]:
        main([command, *more, "--format", "json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    now, plain = (said("status", "--out", str(where / "out")) for where in (sealed, sealed / "plain"))
    assert now["set_aside"] == plain["set_aside"] != []
    assert now["expected"] == plain["expected"]
    assert now["runs"][0]["rows_set_aside"] == plain["runs"][0]["rows_set_aside"]
    keys_found = {c["what"]: c["level"] for c in said("doctor", "--config", str(config))["checks"]}
    assert [keys_found[what] for what in ("firm key", "at-rest key", "passwords")] == ["ok"] * 3

    monkeypatch.delenv(keys.AT_REST_VARIABLE)
    monkeypatch.delenv(keys.PASSWORD_VARIABLE)
    without = said("status", "--out", str(sealed / "out"))
    assert without["runs"] == now["runs"]
    assert (without["set_aside"], without["exit_code"]) == ([], 1)
    assert any("there is no at-rest key in the environment variable" in need for need in without["needs_a_person"])
    checks = {c["what"]: c for c in said("doctor", "--config", str(config))["checks"]}
    assert [checks[what]["level"] for what in ("firm key", "at-rest key", "passwords")] == ["ok", "fail", "fail"]
    assert "without it neither a run nor any command opens this book" in checks["at-rest key"]["fix"]


def test_what_was_protected_and_unsealed_is_told(sealed: Path, tmp_path: Path) -> None:
    shutil.copytree(sealed / "out", tmp_path / "out", symlinks=True)
    protected = [line for line in audit.lines(tmp_path / "out") if line["event"] == audit.PROTECTED]
    assert [set(line) - {"at", "event", "who", "before"} for line in protected] == [
        {"at_rest_key", "at_rest_fingerprint", "workbook_passwords"},
    ]
    archived = next((tmp_path / "out/archive").iterdir())
    assert rothbook(tmp_path, "unseal", archived, "--to", tmp_path / "clear") == 0
    last = audit.lines(tmp_path / "out")[-1]
    assert last["event"] == audit.UNSEALED
    assert last["what"].startswith("archive/")
    assert audit.verify(tmp_path / "out").ok
