"""PGP-encrypted deliveries from the configuration file to the published run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import gnupg
import polars as pl
import pytest

from flows import config, deployments, operations
from tests.flows.inbox import FILES, rothbook
from tests.key_rings import key_ring

SECRET = "only for tests"


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Path]:
    with key_ring(tmp_path / "firm", SECRET) as home:
        yield home


def configured(tmp_path: Path, line: str) -> Path:
    text = config.DEFAULT.read_text(encoding="utf-8")
    text = text.replace('"inbox"', f'"{tmp_path}/inbox"').replace('"out"', f'"{tmp_path}/out"')
    text = text.replace("settle_seconds = 10.0", f"settle_seconds = 0.1\n{line}")
    target = tmp_path / "rothbook.toml"
    target.write_text(text, encoding="utf-8")
    return target


def test_the_key_ring_is_optional_and_typed(tmp_path: Path) -> None:
    assert config.load().intake.pgp_home is None
    found = config.load(configured(tmp_path, f'pgp_home = "{tmp_path}"'))
    assert found.intake.pgp_home == tmp_path
    assert deployments.parameters(operations.of(found))["pgp_home"] == str(tmp_path.resolve())
    with pytest.raises(config.UsageError, match="pgp_home needs text in quotes"):
        config.load(configured(tmp_path, "pgp_home = 5"))


def test_an_encrypted_inbox_is_computed_and_checked(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpg = gnupg.GPG(gnupghome=str(keyring))
    (tmp_path / "inbox").mkdir()
    for name, text in FILES.items():
        found = gpg.encrypt(text, "firm@example.test", always_trust=True)
        (tmp_path / "inbox" / f"{name}.asc").write_bytes(found.data)
    settings = configured(tmp_path, f'pgp_home = "{keyring}"')
    persons = tmp_path / "inbox" / "persons.csv.asc"

    monkeypatch.delenv("ROTHBOOK_PGP_PASSPHRASE", raising=False)
    locked = rothbook("check", "--config", settings, persons)
    assert (locked.returncode, "pgp_not_decrypted" in locked.stdout) == (1, True)
    assert "pgp_not_configured" in rothbook("check", persons).stdout

    monkeypatch.setitem(os.environ, "ROTHBOOK_PGP_PASSPHRASE", SECRET)
    checked = rothbook("check", "--config", settings, persons)
    assert (checked.returncode, "gives 1 persons" in checked.stdout) == (0, True)
    done = rothbook("run", "--direct", "--config", settings, "--as-of", "2027-05-01", "--tax-year", "2026")
    assert done.returncode == 0, done.stdout + done.stderr
    form = pl.read_parquet(tmp_path / "out/latest/results/form_8606.parquet").row(0, named=True)
    assert (form["status"], str(form["line_8"])) == ("COMPUTED", "7500.00")

    for path in (tmp_path / "inbox").iterdir():
        path.unlink()
    without = rothbook(
        "run", "--direct", "--config", configured(tmp_path, ""), "--as-of", "2027-05-01", "--tax-year", "2026"
    )
    assert without.returncode == 3
    assert "an encrypted file of the book can't be decrypted any more" in without.stderr
