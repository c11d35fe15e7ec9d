"""The secrets of a book: where each comes from, and how a wrong one is noticed before it does harm.

`OUT/state/protection.json` remembers where each secret is kept and a fingerprint of it, never the secret itself. A
secret is in the environment, in a file of its owner's, or in the system's key store (`keyring`, loaded only then).
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from transforms.private import private_folder, write_private

FIRM_VARIABLE = "ROTHBOOK_FIRM_KEY"
AT_REST_VARIABLE = "ROTHBOOK_AT_REST_KEY"
PASSWORD_VARIABLE = "ROTHBOOK_WORKBOOK_PASSWORD"  # noqa: S105 - the name of the variable  # nosec B105
#: The name the system's key store keeps Rothbook's secrets under.
SERVICE = "rothbook"
DEFAULT, NONE, ENVIRONMENT, KEYRING = "default", "none", "environment", "keyring"
SHORTEST_KEY, SHORTEST_AT_REST, SHORTEST_PASSWORD = 16, 32, 12


class KeyTrouble(Exception):
    """A secret is missing, weak, readable by others or another one than the book's; the message never quotes it."""


@dataclass(frozen=True)
class Protection:
    """Where a book's secrets come from: `default` (environment or `OUT/state/firm.key`), `none`, `environment`,
    `keyring`, or the path of a file; and the fingerprints of the two keys the book is written with.
    `require_signature`: a PGP message new tonight is read only if somebody of the key ring has signed it.
    """

    firm_key: str = DEFAULT
    firm_fingerprint: str | None = None
    at_rest_key: str = NONE
    at_rest_fingerprint: str | None = None
    workbook_passwords: str = NONE
    require_signature: bool = False

    @classmethod
    def of(cls, out: Path) -> Protection:
        """What the book in `out` remembers; raises `KeyTrouble` if that can't be read."""
        path = out / "state" / "protection.json"
        if not path.exists():
            return cls()
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError):
            raise KeyTrouble(f"{path} is damaged; take it from a backup of {path.parent}") from None

    def write(self, out: Path) -> None:
        """Remember it with the book."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        write_private(private_folder(out / "state") / "protection.json", text.encode(), 0o600)


@dataclass(frozen=True)
class Handed:
    """The firm key of one firm's work, in a process that works for many; `key` is None where the book's own file is
    meant, whatever the environment holds. `taken_from` says in words where the key comes from.
    """

    key: str | None = field(default=None, repr=False)
    taken_from: str = "state/firm.key"


_HANDED: ContextVar[Handed | None] = ContextVar("the firm key of the work under way", default=None)


@contextmanager
def handed(key: Handed) -> Iterator[None]:
    """Let `key` be the firm's until the block ends, in this thread only: the environment would tell all of them."""
    token = _HANDED.set(key)
    try:
        yield
    finally:
        _HANDED.reset(token)


def handed_on() -> Handed | None:
    """The firm key of the work under way here; None where it is the environment's to say."""
    return _HANDED.get()


def fingerprint(key: bytes) -> str:
    """By which a key is known again; the key can't be got back from it."""
    return hmac.digest(key, b"rothbook: fingerprint of a key", "sha256").hex()[:16]


def firm_key(out: Path) -> bytes:
    """The key tax ids are hashed under; made on the first use of a book, and refused if it isn't the book's any more.

    By default it is what was `handed`, `ROTHBOOK_FIRM_KEY` or `out/state/firm.key` (mode 0600). Another key would give
    every tax id another hash, and nothing would fit what the firm's older tables say.
    """
    stated = Protection.of(out)
    key = _firm_key(out, stated)
    if stated.firm_fingerprint is None:
        replace(stated, firm_fingerprint=fingerprint(key)).write(out)
    elif stated.firm_fingerprint != fingerprint(key):
        raise KeyTrouble(
            f"this isn't the firm key the book in {out} was computed with (fingerprint {fingerprint(key)}, the book's"
            f" is {stated.firm_fingerprint}); put the old one back, or say"
            f" 'rothbook protect --out {out} --new-firm-key'"
        )
    return key


def _firm_key(out: Path, stated: Protection) -> bytes:
    if stated.firm_key != DEFAULT:
        return named("firm key", stated.firm_key, FIRM_VARIABLE, SHORTEST_KEY)
    given = handed_on() or Handed(os.environ.get(FIRM_VARIABLE))
    if given.key is not None:
        return _long_enough("firm key", given.key, SHORTEST_KEY)
    path = private_folder(out / "state") / "firm.key"
    if path.exists():
        return named("firm key", str(path), FIRM_VARIABLE, SHORTEST_KEY)
    if stated.firm_fingerprint is not None:
        raise KeyTrouble(
            f"the firm key of the book in {out} is gone: neither {FIRM_VARIABLE} nor {path} holds it; put it back"
            f" from a backup, or say 'rothbook protect --out {out} --new-firm-key'"
        )
    return make("firm key", str(path))


def at_rest_key(out: Path) -> bytes | None:
    """The key the book's files are sealed with, None if they aren't; refused if it isn't the book's."""
    stated = Protection.of(out)
    if stated.at_rest_key == NONE:
        return None
    key = named("at-rest key", stated.at_rest_key, AT_REST_VARIABLE, SHORTEST_AT_REST)
    if fingerprint(key) != stated.at_rest_fingerprint:
        raise KeyTrouble(
            f"this isn't the at-rest key the book in {out} is sealed with (fingerprint {fingerprint(key)}, the book's"
            f" is {stated.at_rest_fingerprint}); put the old one back"
        )
    return key


def named(what: str, source: str, variable: str, shortest: int) -> bytes:
    """The secret `what` from `source`; raises `KeyTrouble` if it isn't there or has fewer than `shortest` letters."""
    found = _look_up(what, source, variable)
    if found is None:
        where = {ENVIRONMENT: f"the environment variable {variable}", KEYRING: "the system's key store"}
        raise KeyTrouble(f"there is no {what} in {where.get(source, source)}")
    return _long_enough(what, found, shortest)


def _long_enough(what: str, secret: str, shortest: int) -> bytes:
    if len(secret.strip()) < shortest:
        raise KeyTrouble(f"the {what} must have at least {shortest} characters")
    return secret.strip().encode()


def _look_up(what: str, source: str, variable: str) -> str | None:
    if source == ENVIRONMENT:
        found = os.environ.get(variable)
    elif source == KEYRING:
        found = _keyring_get(what)
    else:
        found = _read_own(Path(source))
    return found.strip() if found is not None else None


def make(what: str, source: str, value: str | None = None) -> bytes:
    """Put `value`, or a new random secret, where `source` says; raises `KeyTrouble` where nothing can be put."""
    secret = value or secrets.token_hex(32)
    if source == ENVIRONMENT:
        raise KeyTrouble(f"a new {what} can't be put into the environment: set the variable yourself")
    if source == KEYRING:
        _keyring_set(what, secret)
    else:
        path = Path(source)
        if not path.parent.is_dir():
            raise KeyTrouble(f"there is no folder {path.parent} for the {what}")
        write_private(path, secret.encode() + b"\n", 0o600)
    return secret.encode()


def there(what: str, source: str, variable: str) -> bool:
    """Whether `source` holds the secret `what`."""
    return _look_up(what, source, variable) is not None


def _read_own(path: Path) -> str | None:
    if not path.is_file():
        return None
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyTrouble(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise KeyTrouble(f"{path} can't be read as text by this user") from None


def _keyring_get(what: str) -> str | None:
    import keyring  # noqa: PLC0415 - loads the desktop's libraries, so only where a firm asked for it
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(SERVICE, what)
    except KeyringError:
        raise KeyTrouble("the system's key store doesn't answer; unlock it, or keep the key elsewhere") from None


def _keyring_set(what: str, secret: str) -> None:
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        keyring.set_password(SERVICE, what, secret)
    except KeyringError:
        raise KeyTrouble("the system's key store takes no secret; unlock it, or keep the key elsewhere") from None


@dataclass(frozen=True)
class Passwords:
    """The passwords of workbooks, by advisor id; `_firm` is the one of the firm's own, `default` everybody else's."""

    source: str = NONE
    stated: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, out: Path) -> Passwords:
        """Where the book's passwords come from."""
        source = Protection.of(out).workbook_passwords
        stated = {} if source in (NONE, ENVIRONMENT, KEYRING) else _password_file(Path(source))
        return cls(source, stated)

    def __bool__(self) -> bool:
        return self.source != NONE

    def of_workbook(self, stem: str) -> str:
        """The password of the workbook `<stem>.xlsx`; raises `KeyTrouble` if there is none or it is too short."""
        whose = "_firm" if stem.startswith("_") else stem
        found = self._find(whose) or self._find("default")
        if found is None:
            raise KeyTrouble(f"there is no password for the workbook of {whose}, and no default one")
        if len(found) < SHORTEST_PASSWORD:
            raise KeyTrouble(f"the workbook password of {whose} must have at least {SHORTEST_PASSWORD} characters")
        return found

    def known(self, stems: list[str]) -> tuple[str, ...]:
        """Every password a workbook that comes back may have, `stems` being the workbooks there are."""
        wanted = dict.fromkeys(["_firm", "default", *(s for s in stems if not s.startswith("_"))]) if self else ()
        return tuple(dict.fromkeys(found for who in wanted if (found := self._find(who))))

    def _find(self, whose: str) -> str | None:
        if self.source == ENVIRONMENT:
            suffix = "" if whose == "default" else "_" + re.sub(r"[^A-Z0-9]", "_", whose.upper().lstrip("_"))
            return os.environ.get(PASSWORD_VARIABLE + suffix)
        if self.source == KEYRING:
            return _keyring_get(f"workbook {whose}")
        return self.stated.get(whose)


def _password_file(path: Path) -> dict[str, str]:
    text = _read_own(path)
    if text is None:
        raise KeyTrouble(f"there is no file of workbook passwords {path}")
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except ValueError:
        raise KeyTrouble(f'{path} isn\'t TOML: one line for each advisor id, id = "password"') from None
    if not all(isinstance(value, str) for value in found.values()):
        raise KeyTrouble(f"{path} holds something else than advisor ids and passwords")
    return found
