"""Files and folders that only their owner can read, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transforms.folders import below, listed, sync

_UNFINISHED = ".part"


def private_folder(path: Path) -> Path:
    """The folder, made if need be, readable by its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def write_private(path: Path, data: bytes | Iterable[bytes], mode: int) -> None:
    """Write a whole file or none: to a temporary name, synced, then renamed, with permission bits `mode`.

    `data` may come in pieces; what is raised where they come from leaves no file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_UNFINISHED}")
    try:
        with temporary.open("wb") as out:
            os.fchmod(out.fileno(), mode)
            out.writelines([data] if isinstance(data, bytes) else data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sweep(folder: Path) -> None:
    """Remove what `write_private` was writing into `folder` when it was killed; nobody may be writing there now."""
    _sweep(listed(folder))


def sweep_below(folder: Path) -> None:
    """The same in every folder below it, too; nothing if it isn't there."""
    if folder.is_dir():
        _sweep(list(below(folder)))


def _sweep(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.name.startswith(".") and path.name.endswith(_UNFINISHED) and not path.is_dir():
            path.unlink()
