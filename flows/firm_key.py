"""Where the firm key comes from, as `[security]` says.

Where a process works for one firm, its stages find the key in the environment; where it works for many, in `of_firm`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import UsageError
from transforms.keys import DEFAULT, KEYRING, SERVICE, Handed, Protection, handed, handed_on

if TYPE_CHECKING:
    from flows.config import Security

VARIABLE = "ROTHBOOK_FIRM_KEY"
#: Where the key in `VARIABLE` was taken from, for the audit log; not set where the environment itself held it.
TAKEN_FROM = "ROTHBOOK_FIRM_KEY_TAKEN_FROM"
_ENVIRONMENT = "environment"


def provide(security: Security) -> None:
    """Make the configured key the one the stages find; raises `UsageError` where it isn't there.

    A key that was named and is gone is never replaced by a new one: under a new key nobody's tax id would match the
    book's any more. Only the file without a path of its own is made on first use, by the stage that needs it.
    """
    os.environ.pop(TAKEN_FROM, None)
    key = found(security)
    if key.key is None:
        os.environ.pop(VARIABLE, None)
    elif key.taken_from != _ENVIRONMENT:
        os.environ[VARIABLE], os.environ[TAKEN_FROM] = key.key, key.taken_from


@contextmanager
def of_firm(security: Security) -> Iterator[None]:
    """Let the stages within find this firm's key, and nobody else; raises `UsageError` as `provide` does.

    A process that works for many firms never puts one's key into its environment, where the next firm would find it.
    """
    with handed(found(security)):
        yield


def found(security: Security) -> Handed:
    """The configured key, without `key` where the book's own file is meant; raises `UsageError` as `provide` does."""
    given = os.environ.get(VARIABLE)
    if security.firm_key_source == "environment" and not given:
        raise UsageError(f"[security] firm_key_source is environment, and {VARIABLE} isn't set")
    if security.firm_key_source == "keyring":
        return Handed(from_keyring(security), f"keyring: {security.keyring_service} {security.keyring_user}")
    if given is not None and security.firm_key_source != "file":
        return Handed(given, _ENVIRONMENT)
    if security.firm_key_file:
        return Handed(from_file(security.firm_key_file), f"file: {security.firm_key_file}")
    return Handed()


def taken_from(out: Path) -> str:
    """In words, where the key of the book in `out` comes from in this process: what `protect` decided comes first."""
    kept, given = Protection.of(out).firm_key, handed_on()
    if kept != DEFAULT:
        return f"keyring: {SERVICE} firm key" if kept == KEYRING else f"file: {kept}"
    if given is not None:
        return given.taken_from
    if VARIABLE in os.environ:
        return os.environ.get(TAKEN_FROM, _ENVIRONMENT)
    return Handed().taken_from


def from_file(path: Path) -> str:
    """The key in a file of the firm's; raises `UsageError` if it can't be read."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise UsageError(f"[security] firm_key_file {path} can't be read; restore it from the backup") from None


def from_keyring(security: Security) -> str:
    """The key in the system's key store; raises `UsageError` if it isn't there or the store can't be opened."""
    import keyring
    from keyring.errors import KeyringError

    entry = f"service '{security.keyring_service}', user '{security.keyring_user}'"
    try:
        found = keyring.get_password(security.keyring_service, security.keyring_user)
    except (KeyringError, RuntimeError):
        raise UsageError(f"the system's key store can't be opened for the firm key ({entry})") from None
    if not found:
        raise UsageError(f"the system's key store has no firm key ({entry}); put it there with 'keyring set'")
    return found
