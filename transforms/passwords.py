"""A password on an Office file, put on and taken off in memory (ECMA-376 agile encryption, as Excel does it)."""

from __future__ import annotations

import io
from collections.abc import Sequence

from msoffcrypto import OfficeFile
from msoffcrypto.format.ooxml import OOXMLFile

#: Excel hashes a password 100,000 times; a file that asks for far more is only meant to cost time.
MOST_SPINS = 1_000_000


def locked(data: bytes, password: str) -> bytes:
    """An .xlsx that opens with `password` only; two calls never give the same bytes."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()


def unlocked(data: bytes, passwords: Sequence[str]) -> bytes | None:
    """What a locked Office file holds, if one of `passwords` opens it."""
    for password in passwords:
        try:
            file = OfficeFile(io.BytesIO(data))
            if _spins(file) > MOST_SPINS:
                return None
            file.load_key(password=password, verify_password=True)
            out = io.BytesIO()
            file.decrypt(out)
            return out.getvalue()
        except Exception:  # noqa: BLE001, S112 - of a damaged file the library raises anything  # nosec B112
            continue
    return None


def _spins(file: object) -> int:
    return int(getattr(file, "info", {}).get("spinValue", 0))
