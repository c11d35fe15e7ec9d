"""The shared folder: where advisors find their workbook each morning, fill it in, and leave it.

`SHARED/<advisor>/<advisor>.xlsx` is Rothbook's to write, until somebody changes it: what Rothbook put there is known by
its bytes (`OUT/state/shared.json`, written before and after, so that a run killed in between knows both). A changed
workbook is taken in like a file of the inbox, copied and never moved. One that is open, was changed again, or holds a
mark that couldn't be read is not overwritten: the new workbook is put beside it under a dated name. Whatever is wrong
with the folder is told and stops no night.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeAlias

from transforms.folders import listed

STATE = "shared.json"
#: sha256 by `<folder>/<file>`: of what lies there, or of what lay there and what is about to.
Put: TypeAlias = dict[str, tuple[str, ...]]
#: How the files begin or are called that Excel and LibreOffice keep beside a workbook while it is open.
LOCKS = ("~${}", ".~lock.{}#")
#: How many names are tried for the workbooks of one day.
_MOST = 20


@dataclass
class Placed:
    """What came of putting a night's workbooks into the shared folder; names are our own, never a client's."""

    written: int = 0
    #: Workbooks put under a dated name because the one that lay there may not be overwritten.
    beside: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, object]:
        """For run.json."""
        return asdict(self)


def returned(shared: Path, out: Path) -> dict[str, Path]:
    """The advisor workbooks that aren't as Rothbook put them: the name to take each in under, and where it is.

    Other files there are the advisors' own and left alone. Raises `OSError` if the folder can't be read.
    """
    from transforms.intake import is_advisor_workbook

    put, found = _state(out), {}
    for path in _workbooks(shared):
        name, data = _name(path), path.read_bytes()
        if _sha(data) not in put.get(name, ()) and (name in put or is_advisor_workbook(data)):
            found[f"shared/{name}"] = path
    return found


def place(run: Path, shared: Path, out: Path, as_of: date) -> Placed:
    """Put a published run's advisor workbooks into the folder, each written aside and then renamed.

    Raises `OSError` if the folder isn't there; what goes wrong with one workbook is in `Placed.failed`.
    """
    shared.stat()
    put, read, placed = _state(out), _read_whole(run), Placed()
    own = [path for path in listed(run / "workbooks") if path.suffix == ".xlsx" and not path.name.startswith("_")]
    targets: dict[Path, Path] = {}
    for workbook in own:
        with _noted(workbook, placed):
            targets[workbook] = _free(shared / workbook.stem / workbook.name, as_of, put, read)
    coming = {_name(target): _sha(workbook.read_bytes()) for workbook, target in targets.items()}
    _keep(out, put | {name: (*put.get(name, ()), sha256) for name, sha256 in coming.items()})
    for workbook, target in targets.items():
        with _noted(workbook, placed):
            _write(workbook.read_bytes(), target)
            put[_name(target)] = (coming[_name(target)],)
            placed.written += 1
            if target.name != workbook.name:
                placed.beside.append(_name(target))
    _keep(out, put)
    return placed


@contextmanager
def _noted(workbook: Path, placed: Placed) -> Iterator[None]:
    """Put what goes wrong with one workbook down, and go on with the next."""
    try:
        yield
    except OSError as error:
        placed.failed.append(f"{workbook.stem}/{workbook.name} ({error.strerror or type(error).__name__})")


def _workbooks(shared: Path) -> Iterator[Path]:
    """Workbooks one folder down; not links, hidden files or the lock files of open ones."""
    for folder in sorted(shared.iterdir()):
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith("."):
            for path in sorted(folder.iterdir()):
                plain = path.is_file() and not path.is_symlink() and not path.name.startswith((".", "~$"))
                if plain and path.suffix.lower() == ".xlsx":
                    yield path


def _free(wanted: Path, as_of: date, put: Put, read: set[str]) -> Path:
    """The first of the workbook's names that may be written to: its own, then dated ones."""
    dated = f"{wanted.stem} {as_of}"
    names = (wanted.name, f"{dated}{wanted.suffix}", *(f"{dated} ({n}){wanted.suffix}" for n in range(2, _MOST)))
    free = (path for path in map(wanted.with_name, names) if _may_write(path, put, read))
    try:
        return next(free)
    except StopIteration:
        raise OSError(errno.EEXIST, "every name for it is taken by a file that may not be overwritten") from None


def _may_write(path: Path, put: Put, read: set[str]) -> bool:
    """True where nothing lies, or what was read whole or is still as Rothbook put it, and nobody has it open."""
    if any(path.with_name(lock.format(path.name)).exists() for lock in LOCKS):
        return False
    if not path.exists():
        return True
    sha256 = _sha(path.read_bytes())
    return sha256 in put.get(_name(path), ()) or sha256 in read


def _read_whole(run: Path) -> set[str]:
    """sha256 of the files of the book of which nothing was set aside: their marks are in the new workbook."""
    import polars as pl

    from transforms.vault import opened

    with opened(run) as tables:
        files = pl.read_parquet(tables / "canonical" / "files.parquet", columns=["sha256", "file_name", "state"])
        aside = pl.read_parquet(tables / "canonical" / "rejects.parquet", columns=["file"])["file"].drop_nulls()
    books = aside.str.replace(r"\[[^\]]*\]$", "").unique().implode()
    return set(files.filter(pl.col("state") == "accepted", ~pl.col("file_name").is_in(books))["sha256"])


def _write(data: bytes, target: Path) -> None:
    """Write the whole workbook or none; as readable as its folder is, for it isn't Rothbook's own."""
    if not target.parent.exists():
        target.parent.mkdir()
        target.parent.chmod(target.parent.parent.stat().st_mode & 0o7777)
    aside = target.with_name(f".{target.name}.part")
    try:
        with aside.open("wb") as file:
            os.fchmod(file.fileno(), target.parent.stat().st_mode & 0o666)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _state(out: Path) -> Put:
    """What Rothbook last put where; nothing if that is damaged. Raises `OSError` if it can't be read."""
    path = out / "state" / STATE
    try:
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError:
        return {}
    if not isinstance(stored, dict):
        return {}
    lists = {name: [known] if isinstance(known, str) else known for name, known in stored.items()}
    return {str(name): tuple(map(str, known)) for name, known in lists.items()}


def _keep(out: Path, put: Put) -> None:
    from transforms.intake import private_folder, write_private

    one = {name: sha256[0] if len(sha256) == 1 else sha256 for name, sha256 in sorted(put.items())}
    text = json.dumps(one, indent=1) + "\n"
    write_private(private_folder(out / "state") / STATE, text.encode(), 0o600)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
