"""`rothbook doctor`: each thing that would spoil a night is found, told with its remedy, and no key is ever printed."""

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import gnupg
import keyring.errors
import pytest

from flows import config, doctor
from tests.flows.inbox import SECRETS, rothbook, write_inbox
from tests.key_rings import address, key_ring, needs_gpg
from transforms import keys, vault

KEY = "0123456789abcdef0123456789abcdef"
TODAY = date(2026, 9, 15)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.delenv("ROTHBOOK_FIRM_KEY", raising=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100 * 2**30, 0, 100 * 2**30))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration, an inbox and an OUT with one run and its key."""
    write_inbox(tmp_path / "inbox").chmod(0o750)
    run = tmp_path / "out" / "runs" / "2026-09-14-001"
    run.mkdir(parents=True)
    (run / "run.json").write_text('{"as_of": "2026-09-14"}', encoding="utf-8")
    (tmp_path / "out" / "latest").symlink_to("runs/2026-09-14-001")
    (tmp_path / "out" / "state").mkdir()
    (tmp_path / "out" / "state" / "firm.key").write_text(f"{KEY}\n", encoding="ascii")
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    write(tmp_path)
    return tmp_path


def write(place: Path, more: str = "") -> None:
    zone = "[schedule]\ntimezone = 'UTC'\n"
    text = f"{zone}[folders]\ninbox = 'inbox'\nout = 'out'\n{more}"
    (place / "my.toml").write_text(text, encoding="utf-8")
    (place / "my.toml").chmod(0o600)


def examined(place: Path, today: date = TODAY) -> dict[str, list[doctor.Check]]:
    """The checks by what was looked at."""
    checks = doctor.examine(place / "my.toml", today)
    return {what: [c for c in checks if c.what == what] for what in {c.what for c in checks}}


def worst(checks: list[doctor.Check]) -> tuple[str, str, str]:
    """Level, finding and remedy of the worst of some checks."""
    check = max(checks, key=lambda c: doctor.exit_code([c]))
    return check.level, check.found, check.fix or ""


def test_a_place_in_order_is_all_ok(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    doctor.time.tzset()
    checks = doctor.examine(place / "my.toml", TODAY)
    assert [c for c in checks if c.level != "ok"] == []
    assert doctor.exit_code(checks) == 0
    assert {c.what for c in checks} == {
        "configuration", "inbox", "out", "permissions", "firm key", "at-rest key", "passwords", "disk", "pgp", "clock",
        "time zone", "limits", "python", "packages", "prefect",
    }  # fmt: skip


def test_the_command_says_it_as_text_and_json_and_never_the_key(place: Path) -> None:
    (place / "out" / "state" / "firm.key").chmod(0o644)
    text, machine = (rothbook("doctor", "--config", place / "my.toml", *more) for more in ((), ("--format", "json")))
    assert (text.returncode, machine.returncode) == (2, 2), text.stderr + machine.stderr
    assert "fail  firm key" in text.stdout
    assert "-> chmod 600" in text.stdout
    assert json.loads(machine.stdout)["exit_code"] == 2
    assert [s for s in (KEY, *SECRETS) if s in text.stdout + machine.stdout] == []


def test_a_wrong_configuration_is_the_first_failure_and_the_rest_is_looked_at(place: Path) -> None:
    write(place, "[intake]\nsettle = 1\n")
    found = examined(place)
    level, said, _ = worst(found["configuration"])
    assert level == "fail"
    assert "did you mean 'settle_seconds'?" in said
    assert "limits" in found
    assert "out" not in found


def test_a_configuration_that_is_not_there(place: Path) -> None:
    (place / "my.toml").unlink()
    level, said, _ = worst(examined(place)["configuration"])
    assert (level, said) == (
        "fail",
        f"can't read the configuration file {place / 'my.toml'}: No such file or directory",
    )


def test_without_a_file_the_environment_is_looked_at(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTHBOOK_FOLDERS__OUT", str(place / "out"))
    found = {c.what: c.level for c in doctor.examine(None, TODAY)}
    assert (found["configuration"], found["inbox"], found["out"]) == ("warn", "warn", "ok")


def test_a_folder_that_is_not_there(place: Path) -> None:
    shutil.rmtree(place / "inbox")
    shutil.rmtree(place / "out")
    write(place, "shared = 'share'\n")
    found = examined(place)
    assert worst(found["inbox"])[0] == "fail"
    assert worst(found["shared"])[0] == "fail"
    assert worst(found["out"]) == ("ok", f"{place / 'out'} isn't there yet; the first run makes it", "")


def test_folders_that_cannot_be_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = examined(place)
    assert worst(found["inbox"])[:2] == ("fail", f"{place / 'inbox'} can't be read by this user")
    assert worst(found["out"])[:2] == ("fail", f"{place / 'out'} can't be written to by this user")
    shutil.rmtree(place / "out")
    assert worst(examined(place)["out"])[0] == "fail"


def test_what_others_can_read(place: Path) -> None:
    (place / "out" / "runs" / "2026-09-14-001" / "run.json").chmod(0o644)
    level, said, fix = worst(examined(place)["permissions"])
    assert (level, said.split(" of ")[0], fix) == ("fail", "1 files and folders", f"chmod -R go= {place / 'out'}")
    (place / "out" / "runs" / "2026-09-14-001" / "run.json").chmod(0o600)
    (place / "out").chmod(0o755)
    assert worst(examined(place)["permissions"])[0] == "warn"
    (place / "out").chmod(0o700)
    (place / "inbox").chmod(0o755)
    assert worst(examined(place)["permissions"])[0] == "warn"


def test_advisors_folders_everybody_can_look_into(place: Path) -> None:
    for name, mode in (("ADV1", 0o770), ("ADV2", 0o775)):
        (place / "share" / name).mkdir(parents=True)
        (place / "share" / name).chmod(mode)
    write(place, "shared = 'share'\n")
    level, said, _ = worst(examined(place)["permissions"])
    assert (level, said) == (
        "warn", "everybody on this machine can look into 1 of 2 advisors' folders (ADV2 first)",
    )  # fmt: skip
    (place / "share" / "ADV2").chmod(0o770)
    assert worst(examined(place)["permissions"])[0] == "ok"


def test_a_configuration_others_may_change(place: Path) -> None:
    (place / "my.toml").chmod(0o666)
    assert worst(examined(place)["configuration"])[0] == "warn"


@pytest.mark.parametrize(
    ("more", "variable", "level"),
    [
        pytest.param("", KEY, "ok", id="automatic: the environment first"),
        pytest.param("", "short", "fail", id="a short one"),
        pytest.param("[security]\nfirm_key_source = 'environment'\n", None, "fail", id="not in the environment"),
        pytest.param("[security]\nfirm_key_source = 'environment'\n", KEY, "ok", id="in the environment"),
        pytest.param("[security]\nfirm_key_source = 'file'\n", None, "ok", id="in OUT"),
        pytest.param("[security]\nfirm_key_file = 'gone.key'\n", None, "fail", id="the file named is gone"),
        pytest.param("[security]\nfirm_key_source = 'keyring'\n", None, "fail", id="not in the key store"),
    ],
)
def test_the_firm_key(
    place: Path, monkeypatch: pytest.MonkeyPatch, more: str, variable: str | None, level: str
) -> None:
    monkeypatch.setattr("keyring.get_password", lambda *_: None)
    if variable is not None:
        monkeypatch.setenv("ROTHBOOK_FIRM_KEY", variable)
    write(place, more)
    assert worst(examined(place)["firm key"])[0] == level


def protect(place: Path, **stated: Any) -> None:
    keys.Protection(**stated).write(place / "out")


def test_a_key_that_is_not_the_books(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protect(place, firm_fingerprint=keys.fingerprint(KEY.encode()))
    assert worst(examined(place)["firm key"])[0] == "ok"
    monkeypatch.setenv("ROTHBOOK_FIRM_KEY", KEY[::-1])
    level, said, fix = worst(examined(place)["firm key"])
    assert (level, "isn't the book's" in said, "--new-firm-key" in fix, KEY[::-1] in said) == (
        "fail",
        True,
        True,
        False,
    )


@pytest.mark.parametrize("source", ["keyring", "a file"])
def test_a_firm_key_the_book_keeps_elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr("keyring.get_password", lambda _, user: kept.get(user))
    named = source if source == "keyring" else str(place / "firm.key")
    protect(place, firm_key=named, firm_fingerprint=keys.fingerprint(KEY.encode()))
    (place / "out" / "state" / "firm.key").unlink()
    level, said, fix = worst(examined(place)["firm key"])
    where = "the system's key store" if source == "keyring" else named
    assert (level, said, "restore it" in fix) == ("fail", f"there is no firm key in {where}", True)
    kept["firm key"] = KEY
    (place / "firm.key").write_text(KEY, encoding="ascii")
    (place / "firm.key").chmod(0o600)
    assert worst(examined(place)["firm key"])[:2] == ("ok", f"found in {where}")
    write(place, "[security]\nfirm_key_source = 'file'\n")
    assert worst(examined(place)["firm key"])[0] == "warn", "a place that isn't looked at"


def test_a_key_store_that_does_not_answer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise keyring.errors.KeyringLocked

    monkeypatch.setattr("keyring.get_password", refuse)
    mark = keys.fingerprint(KEY.encode())
    protect(place, firm_key="keyring", at_rest_key="keyring", at_rest_fingerprint=mark, workbook_passwords="keyring")
    found = examined(place)
    for what in ("firm key", "at-rest key", "passwords"):
        level, said, _ = worst(found[what])
        assert (level, "key store doesn't answer" in said) == ("fail", True), what


def test_a_sealed_book_needs_the_key_it_was_sealed_with(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    protect(place, at_rest_key="environment", at_rest_fingerprint=keys.fingerprint(KEY.encode()))
    assert worst(examined(place)["at-rest key"])[:2] == (
        "fail", "there is no at-rest key in the environment variable ROTHBOOK_AT_REST_KEY",
    )  # fmt: skip
    monkeypatch.setenv(keys.AT_REST_VARIABLE, KEY[::-1])
    assert "isn't the at-rest key" in worst(examined(place)["at-rest key"])[1]
    monkeypatch.setenv(keys.AT_REST_VARIABLE, KEY)
    assert worst(examined(place)["at-rest key"])[0] == "ok"
    monkeypatch.setattr(vault, "MEMORY", place / "nowhere")
    assert worst(examined(place)["at-rest key"])[0] == "warn"


def test_a_password_for_every_workbook_of_the_newest_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(keys.PASSWORD_VARIABLE, raising=False)
    books = place / "out" / "latest" / "workbooks"
    books.mkdir(mode=0o700)
    for name in ("_firm.xlsx", "ADV1.xlsx"):
        (books / name).touch(mode=0o600)
    protect(place, workbook_passwords="environment")
    monkeypatch.setenv(f"{keys.PASSWORD_VARIABLE}_FIRM", "the firm's own password")
    assert worst(examined(place)["passwords"])[:2] == (
        "fail", "there is no password for the workbook of ADV1, and no default one",
    )  # fmt: skip
    monkeypatch.setenv(f"{keys.PASSWORD_VARIABLE}_ADV1", "too short")
    assert "at least 12" in worst(examined(place)["passwords"])[1]
    monkeypatch.setenv(f"{keys.PASSWORD_VARIABLE}_ADV1", "a password that is not")
    assert worst(examined(place)["passwords"])[0] == "ok"


def test_what_a_book_remembers_of_its_keys_is_damaged(place: Path) -> None:
    (place / "out" / "state" / "protection.json").write_text("{", encoding="ascii")
    (place / "out" / "state" / "protection.json").chmod(0o600)
    level, said, _ = worst(examined(place)["firm key"])
    assert (level, "protection.json is damaged" in said) == ("fail", True)


def test_a_lost_key_is_a_failure_and_a_new_place_has_none_yet(place: Path) -> None:
    (place / "out" / "state" / "firm.key").unlink()
    assert "no tax id of the book would match" in worst(examined(place)["firm key"])[2]
    (place / "out" / "latest").unlink()
    assert worst(examined(place)["firm key"])[0] == "ok"


@pytest.mark.parametrize(
    ("free", "level"), [(50 * 2**20, "fail"), (150 * 2**20, "fail"), (250 * 2**20, "warn"), (2 * 2**30, "ok")]
)
def test_disk_space_against_the_size_of_the_newest_run(
    place: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    with (place / "out" / "runs" / "2026-09-14-001" / "rothbook.duckdb").open("wb") as book:
        book.truncate(100 * 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, free))
    level_found, said, _ = worst(examined(place)["disk"])
    assert (level_found, said.endswith("the newest run takes 100.0 MB")) == (level, True)


def test_pgp(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(place, "[intake]\npgp_home = 'keys'\n")
    assert worst(examined(place)["pgp"])[1] == f"pgp_home {place / 'keys'} is no folder"
    (place / "keys").mkdir()
    (place / "keys").chmod(0o755)
    assert worst(examined(place)["pgp"])[1].endswith("can be read by others")
    (place / "keys").chmod(0o700)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert worst(examined(place)["pgp"])[1] == "gpg isn't installed"


def test_signatures_that_are_required_and_cannot_be_looked_at(place: Path) -> None:
    protect(place, require_signature=True)
    level, said, _ = worst(examined(place)["pgp"])
    assert (level, "no key ring is configured" in said) == ("fail", True)


@needs_gpg
def test_a_key_ring_is_tried_with_its_passphrase(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROTHBOOK_PGP_PASSPHRASE", raising=False)
    with key_ring(tmp_path / "firm", "only for tests") as firm, key_ring(tmp_path / "sender") as sender:
        write(place, f"[intake]\npgp_home = '{firm}'\n")
        level, said, fix = worst(examined(place)["pgp"])
        assert (level, "isn't opened by the passphrase" in said) == ("fail", True)
        assert "ROTHBOOK_PGP_PASSPHRASE" in fix
        monkeypatch.setenv("ROTHBOOK_PGP_PASSPHRASE", "only for tests")
        assert worst(examined(place)["pgp"])[0] == "ok"
        protect(place, require_signature=True)
        assert worst(examined(place)["pgp"])[0] == "warn", "nobody's signature is known"
        gnupg.GPG(gnupghome=str(firm)).import_keys(gnupg.GPG(gnupghome=str(sender)).export_keys(address(sender)))
        assert worst(examined(place)["pgp"])[0] == "ok"


@needs_gpg
def test_a_key_ring_without_a_secret_key(place: Path) -> None:
    (place / "keys").mkdir(mode=0o700)
    write(place, "[intake]\npgp_home = 'keys'\n")
    assert worst(examined(place)["pgp"])[1] == f"{place / 'keys'} holds no secret key"


def test_limits_of_this_year_and_from_october_of_the_next(place: Path) -> None:
    assert worst(examined(place, date(2026, 9, 30))["limits"])[0] == "ok"
    assert worst(examined(place, date(2026, 10, 1))["limits"])[:2] == (
        "warn", "there are no limits for 2027 yet; the IRS publishes them now",
    )  # fmt: skip
    assert worst(examined(place, date(2027, 1, 2))["limits"])[:2] == (
        "fail", "there are no limits for 2027: runs of it are refused",
    )  # fmt: skip


def test_a_clock_that_went_back_and_another_zone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    doctor.time.tzset()
    try:
        found = examined(place, date(2026, 9, 1))
    finally:
        monkeypatch.undo()
        doctor.time.tzset()
    assert worst(found["clock"])[:2] == ("warn", "today is 2026-09-01 here, and the newest run is as of 2026-09-14")
    assert worst(found["time zone"])[0] == "warn"


def test_packages_against_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "polars==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1 \\\n    --hash=sha256:00\n"
        "not-for-here==1 ; sys_platform == 'plan9' \\\n    --hash=sha256:00\n",
        encoding="utf-8",
    )
    checks = list(doctor._versions(doctor.Patient(config.Settings(), TODAY, lock=lock)))
    level, said, fix = worst(checks)
    assert (level, fix) == ("fail", "make setup")
    assert "no-such-package (missing), polars " in said
    assert "not-for-here" not in said


def test_a_prefect_server_that_does_not_answer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    level, said, fix = worst(examined(place)["prefect"])
    assert (level, said) == ("fail", "no Prefect server answers at PREFECT_API_URL")
    assert "prefect server start" in fix
