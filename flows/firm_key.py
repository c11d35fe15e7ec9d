"""Where the firm key comes from, as `[security]` says. The key is handed to the stages through the environment only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import UsageError
from transforms.keys import DEFAULT, KEYRING, SERVICE, Protection

if TYPE_CHECKING:
    from flows.config import Security

VARIABLE = "ROTHBOOK_FIRM_KEY"
#: Where the key in `VARIABLE` was taken from, for the audit log; not set where the environment itself held it.
TAKEN_FROM = "ROTHBOOK_FIRM_KEY_TAKEN_FROM"


def provide(security: Security) -> None:
    """Make the configured key the one the stages find; raises `UsageError` where it isn't there.

    A key that was named and is gone is never replaced by a new one: under a new key nobody's tax id would match the
    book's any more. Only the file without a path of its own is made on first use, by the stage that needs it.
    """
    os.environ.pop(TAKEN_FROM, None)
    if security.firm_key_source == "environment" and not os.environ.get(VARIABLE):
        raise UsageError(f"[security] firm_key_source is environment, and {VARIABLE} isn't set")
    if security.firm_key_source == "keyring":
        _hand_on(from_keyring(security), f"keyring: {security.keyring_service} {security.keyring_user}")
    if security.firm_key_source == "file":
        os.environ.pop(VARIABLE, None)
    if security.firm_key_file and security.firm_key_source in ("file", "automatic") and VARIABLE not in os.environ:
        _hand_on(from_file(security.firm_key_file), f"file: {security.firm_key_file}")


def _hand_on(key: str, source: str) -> None:
    os.environ[VARIABLE], os.environ[TAKEN_FROM] = key, source


def taken_from(out: Path) -> str:
    """In words, where the key of the book in `out` comes from in this process: what `protect` decided comes first."""
    kept = Protection.of(out).firm_key
    if kept != DEFAULT:
        return f"keyring: {SERVICE} firm key" if kept == KEYRING else f"file: {kept}"
    if VARIABLE in os.environ:
        return os.environ.get(TAKEN_FROM, "environment")
    return "state/firm.key"


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
