"""Signatures of PGP messages: told, required where the firm wants that, and a wrong one never read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import gnupg
import polars as pl
import pytest

from flows.cli import main
from tests.key_rings import end_agent, gpg, key_ring, needs_gpg
from transforms.intake import Keyring, deliver, read_book
from transforms.keys import Protection

pytestmark = needs_gpg

BASIS = "person_id,tax_year,basis\nP1,2024,6000.00\n"
DAY = date(2026, 12, 1)


@pytest.fixture(scope="module")
def rings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The key rings of the firm, of a custodian whose public key the firm has, and of a stranger."""
    base = tmp_path_factory.mktemp("r")
    with ExitStack() as stack:
        homes = {name: stack.enter_context(key_ring(base / name)) for name in ("firm", "custodian", "stranger")}
        rings = {name: gnupg.GPG(gnupghome=str(home)) for name, home in homes.items()}
        rings["firm"].import_keys(rings["custodian"].export_keys("custodian@example.test"))
        for name in ("custodian", "stranger"):
            rings[name].import_keys(rings["firm"].export_keys("firm@example.test"))
        yield homes


def message(home: Path, text: str, *, signer: str | None) -> bytes:
    made = gnupg.GPG(gnupghome=str(home)).encrypt(text, "firm@example.test", sign=signer, always_trust=True)
    assert made.ok, made.status
    return bytes(made.data)


def forged(home: Path, text: str, instead: str) -> bytes:
    """A message to the firm that holds a signature over `text`, and another text of the same length beside it."""
    signed = gpg(home, "-z", "0", "--sign", "--output", "-", data=text.encode())
    assert signed.count(text.encode()) == 1
    to_firm = ("--no-literal", "--encrypt", "--trust-model", "always", "-r", "firm@example.test", "--output", "-")
    return gpg(home, *to_firm, data=signed.replace(text.encode(), instead.encode()))


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


@pytest.mark.parametrize("required", [False, True])
def test_a_wrong_signature_is_never_read(tmp_path: Path, rings: dict[str, Path], *, required: bool) -> None:
    """Whoever changes what a custodian signed and encrypts it to the firm again is told from a key that is missing."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name, basis in (("as_signed", "6000.00"), ("changed", "9000.00")):
        data = forged(rings["custodian"], BASIS, BASIS.replace("6000.00", basis))
        (inbox / f"{name}.csv.asc").write_bytes(data)
    keyring = Keyring(rings["firm"], require_signature=required)
    states = {name: state for name, (state, _) in told(night(tmp_path, keyring)).items()}
    assert states == {"as_signed.csv.asc": "accepted", "changed.csv.asc": "rejected"}
    rejects = pl.read_parquet(tmp_path / "canonical/rejects.parquet")
    assert rejects["rule"].to_list() == ["pgp_bad_signature"]
    assert "isn't that of what it says" in rejects["message"].item()
    basis = pl.read_parquet(tmp_path / "canonical/ira_basis.parquet")["basis"]
    assert basis.cast(pl.String).to_list() == ["6000.00"]


def test_the_key_of_a_sender_that_was_revoked_signs_nothing(tmp_path: Path, rings: dict[str, Path]) -> None:
    ring = tmp_path / "f"
    shutil.copytree(rings["firm"], ring, ignore=shutil.ignore_patterns("S.*"))
    revocation = next((rings["custodian"] / "openpgp-revocs.d").iterdir()).read_text(encoding="utf-8")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    signed = message(rings["custodian"], BASIS, signer="custodian@example.test")
    (inbox / "signed.csv.asc").write_bytes(signed)
    try:
        gpg(ring, "--import", data=revocation.replace(":-----BEGIN", "-----BEGIN").encode())
        files = told(night(tmp_path, Keyring(ring, require_signature=True)))
    finally:
        end_agent(ring)
    assert files["signed.csv.asc"][0] == "rejected"


def test_the_book_remembers_whether_signatures_are_required(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not Protection.of(out).require_signature
    assert main(["protect", "--out", str(out), "--require-signature"]) == 0
    assert Protection.of(out).require_signature
    assert main(["protect", "--out", str(out), "--no-require-signature"]) == 0
    assert not Protection.of(out).require_signature
