"""PGP-encrypted deliveries, through gpg and the firm's own key ring. What was in them stays in memory.

The archive keeps the bytes as they were delivered; a run decrypts them anew each time it reads the book.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import gnupg

from transforms.intake.lines import FileSetAside
from transforms.intake.unpack import MAX_BYTES

ENDINGS = (".pgp", ".gpg", ".asc")
PASSPHRASE = "ROTHBOOK_PGP_PASSPHRASE"  # noqa: S105 - the name of the variable  # nosec B105
#: What gpg says of a message whose signature is another text's; it then counts as not decrypted.
_BAD = "signature bad"
_ARMOUR = b"-----BEGIN PGP MESSAGE-----"
# a session key packet, old or new style: for a public key (version 3 or 6) or for a passphrase (version 4 to 6)
_BINARY = re.compile(
    rb"\A(?:\x84.[\x03\x06]|\x85..[\x03\x06]|\xc1.[\x03\x06]|\x8c.[\x04-\x06]|\xc3.[\x04-\x06])", re.DOTALL
)
logging.getLogger("gnupg").addHandler(logging.NullHandler())  # gpg's own words stay out of our output


class Undecryptable(FileSetAside):
    """An encrypted file that can't be decrypted here; the whole delivery is set aside until it can."""


@dataclass(frozen=True)
class Keyring:
    """What deliveries are opened with: where gpg keeps the firm's secret key (`pgp_home` of the configuration; None: no
    key is configured), the passwords Rothbook puts on its own workbooks, and whether a PGP message must be signed.
    """

    home: Path | None = None
    passwords: tuple[str, ...] = field(default=(), repr=False)
    require_signature: bool = False


@dataclass(frozen=True)
class Message:
    """What a PGP message said, and whose signature it has, in words."""

    data: bytes
    signature: str


def is_pgp(data: bytes) -> bool:
    """True for an encrypted PGP message, armoured or not."""
    return data.lstrip().startswith(_ARMOUR) or _BINARY.match(data) is not None


def decrypt(data: bytes, keyring: Keyring) -> Message:
    """What a PGP message says; raises `Undecryptable` with what to configure, and quotes nothing gpg says.

    Raises `FileSetAside` for a signature that is wrong, or missing where one is required.
    """
    if keyring.home is None:
        raise Undecryptable(
            "pgp_not_configured", "the file is PGP-encrypted and no key is configured; name the folder of gpg's key "
            f"ring as pgp_home in [intake] of the configuration and put the passphrase into {PASSPHRASE}"
        )  # fmt: skip
    if not keyring.home.is_dir():
        raise Undecryptable("pgp_not_configured", "pgp_home of the configuration is no folder; correct it")
    try:
        gpg = gnupg.GPG(gnupghome=str(keyring.home))
    except (OSError, ValueError):
        raise Undecryptable("pgp_not_configured", "gpg isn't installed on this machine; install it") from None
    found = try_to_open(gpg, data)
    if not found.ok and _BAD not in _problems(found):
        raise Undecryptable(
            "pgp_not_decrypted", "the file is PGP-encrypted and the configured key or passphrase doesn't open it; give "
            f"the sender the firm's public key, or correct pgp_home and {PASSPHRASE}"
        )  # fmt: skip
    return Message(bytes(found.data), _signature(found, keyring))


def try_to_open(gpg: gnupg.GPG, data: bytes) -> gnupg.Crypt:
    """What gpg makes of a message with the passphrase of the environment, or with none; it never asks a person."""
    passphrase = os.environ.get(PASSPHRASE) or None  # an empty one would have gpg take the message's first line for it
    unasked = [] if passphrase else ["--pinentry-mode", "error"]
    bounds = ["--no-random-seed-file", "--max-output", str(MAX_BYTES)]
    return gpg.decrypt(data, always_trust=True, passphrase=passphrase, extra_args=[*unasked, *bounds])


def _problems(found: gnupg.Crypt) -> set[str]:
    # a message to several people has keys we don't have: that is no problem of its signature
    return {problem["status"] for problem in found.problems} - {"no secret key"}


def _signature(found: gnupg.Crypt, keyring: Keyring) -> str:
    problems = _problems(found)
    if _BAD in problems:
        raise FileSetAside(
            "pgp_bad_signature", "the signature in the PGP message isn't that of what it says; ask the sender to send "
            "it again, and find out who changed it"
        )  # fmt: skip
    if found.valid and not problems:
        return f"signed by {found.fingerprint[-16:]}"
    told = "not signed"
    if problems:
        told = "signed with a key that isn't in the key ring, or has expired"
    if keyring.require_signature:
        raise FileSetAside(
            "pgp_not_signed", f"the PGP message is {told}, and a signature is required; import the sender's public key "
            "into the key ring of pgp_home, or have it sent signed"
        )  # fmt: skip
    return told
