"""Signatures of PGP messages: told, required where the firm wants that, and a wrong one never read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import gnupg
import polars as pl
import pytest

from flows.cli import main
from transforms.intake import Keyring, deliver, read_book
from transforms.intake.lines import FileSetAside
from transforms.intake.pgp import PASSPHRASE, _signature
from transforms.keys import Protection

BASIS = "person_id,tax_year,basis\nP1,2024,6000.00\n"
SECRET = "only for tests"
DAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The key rings of the firm, of a custodian whose public key the firm has, and of a stranger."""
    base = tmp_path_factory.mktemp("r")
    homes = {name: base / name for name in ("firm", "custodian", "stranger")}
    for name, home in homes.items():
        home.mkdir(mode=0o700)
        command = [
            "gpg",
            "--homedir",
            str(home),
            "--batch",
            "--quiet",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ]
        who = f"{name}@example.test"
        subprocess.run([*command, "--quick-gen-key", who, "future-default", "default", "never"], check=True)
    rings = {name: gnupg.GPG(gnupghome=str(home)) for name, home in homes.items()}
    rings["firm"].import_keys(rings["custodian"].export_keys("custodian@example.test"))
    for name in ("custodian", "stranger"):
        rings[name].import_keys(rings["firm"].export_keys("firm@example.test"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSPHRASE, SECRET)
        yield homes
    for home in homes.values():
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)


def message(home: Path, text: str, *, signer: str | None) -> bytes:
    made = gnupg.GPG(gnupghome=str(home)).encrypt(
        text, "firm@example.test", sign=signer, always_trust=True, passphrase=SECRET if signer else None
    )
    assert made.ok, made.status
    return bytes(made.data)


def night(base: Path, keyring: Keyring, day: date = DAY) -> pl.DataFrame:
    """The `files` rows of a night over `base/inbox`, after whatever nights were before it."""
    before = base / "register.json"
    register = deliver(base / "inbox", base / "out", before if before.exists() else None, day, 0)
    counts = read_book(register, base / "out", base / "canonical", b"a key only for tests", keyring)
    counts.register.write(before)
    return pl.read_parquet(base / "canonical/files.parquet")


def told(files: pl.DataFrame) -> dict[str, tuple[str, str | None]]:
    shown = files.filter(pl.col("file_name").str.ends_with(".asc") & (pl.col("state") != "duplicate"))
    return {name: (state, said) for name, state, said in shown.select("file_name", "state", "message").iter_rows()}


@pytest.fixture
def inbox(tmp_path: Path, rings: dict[str, Path]) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name, home, signer in (
        ("plain", "custodian", None),
        ("signed", "custodian", "custodian@example.test"),
        ("strange", "stranger", "stranger@example.test"),
    ):
        text = BASIS.replace("P1", name)
        (inbox / f"{name}.csv.asc").write_bytes(message(rings[home], text, signer=signer))
    return inbox


def test_a_signature_is_told(tmp_path: Path, inbox: Path, rings: dict[str, Path]) -> None:
    files = told(night(tmp_path, Keyring(rings["firm"])))
    signer = gnupg.GPG(gnupghome=str(rings["custodian"])).list_keys()[0]["fingerprint"]
    assert files == {
        "plain.csv.asc": ("accepted", "not signed"),
        "signed.csv.asc": ("accepted", f"signed by {files['signed.csv.asc'][1][-16:]}"),
        "strange.csv.asc": ("accepted", "signed with a key that isn't in the key ring, or has expired"),
    }
    assert files["signed.csv.asc"][1][-16:] in {signer[-16:], *_subkeys(rings["custodian"])}


def _subkeys(home: Path) -> set[str]:
    keys = gnupg.GPG(gnupghome=str(home)).list_keys()
    return {sub[2][-16:] for key in keys for sub in key["subkeys"]}


def test_a_required_signature_is_asked_of_what_is_new_tonight(
    tmp_path: Path, inbox: Path, rings: dict[str, Path]
) -> None:
    strict = Keyring(rings["firm"], require_signature=True)
    assert {name: state for name, (state, _) in told(night(tmp_path, strict)).items()} == {
        "plain.csv.asc": "rejected",
        "signed.csv.asc": "accepted",
        "strange.csv.asc": "rejected",
    }
    assert pl.read_parquet(tmp_path / "canonical/ira_basis.parquet")["person_id"].to_list() == ["signed"]
    rules = pl.read_parquet(tmp_path / "canonical/rejects.parquet")
    assert set(rules["rule"]) == {"pgp_not_signed"}
    night(tmp_path, Keyring(rings["firm"]), date(2026, 12, 2))
    again = told(night(tmp_path, strict, date(2026, 12, 3)))
    assert {state for state, _ in again.values()} == {"accepted"}, "what is in the book stays in it"


def test_a_wrong_signature_is_never_read() -> None:
    """The verdict of gpg on a message whose signature is another text's; nobody can make one without the firm's key."""
    found = SimpleNamespace(problems=[{"status": "signature bad"}], valid=False, fingerprint=None)
    for required in (False, True):
        with pytest.raises(FileSetAside, match="isn't that of what it says") as aside:
            _signature(found, Keyring(require_signature=required))
        assert aside.value.rule == "pgp_bad_signature"


def test_the_book_remembers_whether_signatures_are_required(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not Protection.of(out).require_signature
    assert main(["protect", "--out", str(out), "--require-signature"]) == 0
    assert Protection.of(out).require_signature
    assert main(["protect", "--out", str(out), "--no-require-signature"]) == 0
    assert not Protection.of(out).require_signature
