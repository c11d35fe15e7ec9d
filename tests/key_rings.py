"""Real gpg key rings for tests, each in a folder of its own; their agents are ended with them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg isn't installed here (Debian: gnupg)")


@contextmanager
def key_ring(home: Path, passphrase: str = "") -> Iterator[Path]:
    """`home` with the secret key of `<name of the folder>@example.test`; the path must be short, for gpg's sockets."""
    home.mkdir(mode=0o700)
    gpg(home, "--passphrase", passphrase, "--quick-gen-key", address(home), "future-default", "default", "never")
    try:
        yield home
    finally:
        end_agent(home)


def end_agent(home: Path) -> None:
    """End the gpg-agent gpg left running for a key ring."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)


def address(home: Path) -> str:
    return f"{home.name}@example.test"


def gpg(home: Path, *arguments: str, data: bytes = b"") -> bytes:
    """What gpg writes for `data`."""
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--yes"]
    return subprocess.run([*command, *arguments], input=data, capture_output=True, check=True).stdout
