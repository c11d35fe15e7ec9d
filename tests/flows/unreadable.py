"""Folders that can't be listed for a moment, as a share or a disk may have them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No folder of that name can be listed any more, in whichever way."""
    for way in ("scandir", "listdir"):
        monkeypatch.setattr(os, way, _denying(name, getattr(os, way)))


def _denying(name: str, real: Callable[..., object]) -> Callable[..., object]:
    def denied(folder: Path | str | int = ".") -> object:
        if not isinstance(folder, int) and Path(folder).name == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return real(folder)

    return denied
