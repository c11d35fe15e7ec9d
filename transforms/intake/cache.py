"""What was read of a file, kept for the nights after: `OUT/state/parsed/<sha256>-<key>/`.

It isn't truth: whatever of it is missing, changed or of another version is read again from the archive, and comes to
the same. Its key is everything a file's rows depend on: the bytes, the name and night it was received under, the firm
key that hashes tax ids, and the code, profiles and packages that read it. It holds what a run's canonical tables hold
and nothing more; in a book that is sealed at rest none is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.profile import Profile, profiles
from schemas.trees import STRUCTURED, tree_profile
from transforms.intake.reading import Reading
from transforms.intake.register import Entry
from transforms.private import private_folder
from transforms.vault import Vault

FOLDER = "parsed"
_FACTS = "facts.json"
_CODE = ("schemas", "transforms/intake")
_PACKAGES = ("polars", "pandera")
#: What the lines around the rows say that is told of a file after it was read.
_SAID = ("mode", "remote")


@dataclass
class Kept:
    """What is kept of one file: what is told of it, and its files by table; `rejects` is a table like any other.

    `header` and `blocks` (first line, begin, bytes) are those of a file that was read in blocks.
    """

    reading: Reading
    files: dict[str, list[Path]] = field(default_factory=dict)
    header: list[str] | None = None
    blocks: list[tuple[int, int, int]] = field(default_factory=list)


class Cache:
    """The files that were read before, of one book."""

    def __init__(self, out: Path, firm_key: bytes, *, read_only: bool = False) -> None:
        """`firm_key` is the one that hashes tax ids. In a `read_only` one files are found and nothing changes."""
        self._read_only = read_only
        self._root = private_folder(private_folder(out / "state") / FOLDER)
        self._of = hmac.digest(firm_key, b"rothbook: parsed files\n" + _software(), "sha256").hex()
        self._used: set[str] = set()

    def keep(self, folder: Path, kept: Kept) -> dict[str, list[Path]]:
        """Keep what was written of a file into a folder, which is moved; returns where its files are now."""
        if self._read_only:
            return kept.files
        place = self._root / self._name(kept.reading.entry)
        facts = {**_told(kept), "files": {t: [[p.name, _sha256(p)] for p in paths] for t, paths in kept.files.items()}}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        for path in folder.iterdir():
            path.chmod(0o600)
        folder.chmod(0o700)
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(folder, place)
        self._used.add(place.name)
        return {table: [place / path.name for path in paths] for table, paths in kept.files.items()}

    def knows(self, entry: Entry) -> bool:
        """True if something is kept of a file, though it may not hold."""
        return (self._root / self._name(entry) / _FACTS).exists()

    def find(self, entry: Entry) -> Kept | None:
        """What is kept of a file; None if there is nothing, or not what was kept."""
        place = self._root / self._name(entry)
        try:
            facts = json.loads((place / _FACTS).read_text(encoding="utf-8"))
            files = {table: [place / name for name, _ in named] for table, named in facts["files"].items()}
            whole = all(_sha256(place / name) == sha for named in facts["files"].values() for name, sha in named)
            kept = Kept(_reading(entry, facts), files, facts["header"], [tuple(block) for block in facts["blocks"]])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if not whole:
            return None
        self._used.add(place.name)
        return kept

    def forget_others(self) -> None:
        """Remove what wasn't asked for since: files that are no longer of the book, and what older software kept."""
        for path in self._root.iterdir():
            if path.name not in self._used and not self._read_only:
                shutil.rmtree(path, ignore_errors=True)

    def _name(self, entry: Entry) -> str:
        said = f"{self._of}\n{entry.sha256}\n{entry.file_name}\n{entry.received_at}"
        return f"{entry.sha256}-{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def cache_of(out: Path, firm_key: bytes, *, read_only: bool = False) -> Cache | None:
    """The cache of a book; None, and whatever was there is gone, if the book is sealed at rest."""
    if Vault.of(out).key is None:
        return Cache(out, firm_key, read_only=read_only)
    forget(out)
    return None


def forget(out: Path, sha256: str | None = None) -> None:
    """Remove what is kept of one archived file, or of all."""
    root = out / "state" / FOLDER
    for path in root.glob(f"*{sha256}-*") if sha256 else [root]:
        shutil.rmtree(path, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _software() -> bytes:
    """A digest of all that decides what a file comes to."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256("\n".join(f"{name} {version(name)}" for name in _PACKAGES).encode())
    for path in sorted(p for folder in _CODE for p in (root / folder).rglob("*") if p.suffix in (".py", ".toml")):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return digest.digest()


def _told(kept: Kept) -> dict[str, Any]:
    r = kept.reading
    return {
        "kind": r.kind, "custodian": r.custodian, "profile": r.profile, "layout": r.layout, "note": r.note,
        "counts": dict(r.counts), "rows": r.rows, "day": r.day.isoformat() if r.day else None,
        "said": {name: r.said[name] for name in _SAID if name in r.said},
        "header": kept.header, "blocks": kept.blocks,
    }  # fmt: skip


def _reading(entry: Entry, facts: dict[str, Any]) -> Reading:
    names = ("kind", "custodian", "profile", "layout", "note", "rows", "said")
    told = Reading(entry, **{name: facts[name] for name in names}, counts=Counter(facts["counts"]), whole=False)
    day = date.fromisoformat(facts["day"]) if facts["day"] else None
    return replace(told, day=day, custodian_profile=_profiles().get(facts["profile"]))


@cache
def _profiles() -> dict[str, Profile]:
    trees = (tree_profile(path.stem).profile for path in STRUCTURED.glob("*.toml"))
    return {p.name: p for p in (*profiles(), *trees)}
