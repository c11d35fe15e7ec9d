"""Folders as they are: what can't be listed is an error, never an empty folder; what was put into one stays there.

`Path.glob` and `Path.rglob` pass over a folder that may not be read. A book whose past nights can't be read would so
become a book without any, and be published as such.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path


def listed(folder: Path) -> list[Path]:
    """What lies in `folder`, sorted, hidden too; nothing if it isn't there. Raises `OSError` if it can't be read."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def matching(folder: Path, pattern: str) -> list[Path]:
    """What in `folder` has a name like `pattern` (`*.csv`), as `listed` lists it."""
    return [path for path in listed(folder) if fnmatchcase(path.name, pattern)]


def below(folder: Path) -> Iterator[Path]:
    """Every file and link below `folder`, as `everything` finds them."""
    yield from (path for path in everything(folder) if path.is_symlink() or path.is_file())


def everything(folder: Path) -> Iterator[Path]:
    """What lies below `folder`, folders that are links not entered; raises `OSError` if one can't be read.

    A folder in it that goes away meanwhile had nothing in it; `folder` itself has to be there.
    """

    def told(error: OSError) -> None:
        gone = isinstance(error, FileNotFoundError) and Path(error.filename) != folder
        if not gone:
            raise error

    for parent, folders, files in os.walk(folder, onerror=told):
        yield from (Path(parent, name) for name in (*folders, *files))


def sync(folder: Path) -> None:
    """Make what was created in or renamed into `folder` last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_below(folder: Path) -> None:
    """Make everything in `folder` last, whoever wrote it: after a power cut a file may else be there and empty."""
    for parent, _, files in os.walk(folder):
        for name in files:
            sync(Path(parent, name))
        sync(Path(parent))
