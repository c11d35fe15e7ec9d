"""The firms of a bureau: each has a folder, and may have a `rothbook.toml` in it that counts for its night alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import asked, config
from flows.errors import UsageError
from flows.pipeline import Night

CONFIGURATION = "rothbook.toml"


@dataclass(frozen=True)
class Firm:
    """A firm's folder, what its own configuration says, and whether it has one."""

    folder: Path
    settings: config.Settings
    configured: bool

    @classmethod
    def of(cls, folder: Path) -> Firm:
        """The firm in `folder`; raises `UsageError` for whatever is wrong with its configuration."""
        path = folder / CONFIGURATION
        if path.exists():
            return cls(folder, config.load(path), configured=True)
        return cls(folder, config.from_environment(), configured=False)

    @property
    def inbox(self) -> Path:
        """The inbox its configuration names, else the one in its folder."""
        return self.settings.folders.inbox or (self.folder / "inbox").resolve()

    @property
    def out(self) -> Path:
        """The folder of its runs, found in the same way."""
        return self.settings.folders.out or (self.folder / "out").resolve()

    @property
    def folders(self) -> list[Path]:
        """Every folder that must be this firm's alone."""
        return [path for path in (self.inbox, self.out, self.settings.folders.shared) if path]

    def night(self, as_of: date | None, tax_years: Sequence[int] | None) -> Night:
        """Its night; raises `UsageError` or `UnknownTaxYear`."""
        return asked.night(self.settings, self.inbox, self.out, as_of, tax_years, from_file=self.configured)


def firms_in(folder: Path) -> list[Path]:
    """The firms in `folder` by name: folders with an inbox or a configuration; raises `UsageError` if there is none."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; it must hold a folder for each firm, with its inbox/")
    inboxes = [path for path in folder.glob("*/inbox") if path.is_dir()]
    firms = {path.parent.resolve() for path in (*inboxes, *folder.glob(f"*/{CONFIGURATION}"))}
    if not firms:
        raise UsageError(f"{folder} holds no firm: a firm is a folder with inbox/ or {CONFIGURATION} in it")
    return sorted(firms)


def gathered(folders: Sequence[Path]) -> dict[Path, Firm | UsageError]:
    """Each firm in the order given, or why its night can't begin: its configuration, or a folder that two firms have.

    Two firms must never meet in a folder, or one's clients would stand in the other's book: a configuration copied from
    another firm's makes that happen, and so does a variable of the environment that names a folder.
    """
    read = {folder: _read(folder) for folder in folders}
    owners: dict[Path, set[Path]] = defaultdict(set)
    for firm in read.values():
        if isinstance(firm, Firm):
            for path in firm.folders:
                owners[path].add(firm.folder)
    met = {firm for path in owners for firm in _owners_around(path, owners)}
    refused = UsageError("its configuration names a folder that is another firm's too, or lies in one of its folders")
    return {folder: refused if folder in met else firm for folder, firm in read.items()}


def _owners_around(path: Path, owners: dict[Path, set[Path]]) -> set[Path]:
    """All who have `path` or a folder it lies in, where that is more than one firm."""
    found = {firm for above in (path, *path.parents) for firm in owners.get(above, ())}
    return found if len(found) > 1 else set()


def _read(folder: Path) -> Firm | UsageError:
    try:
        return Firm.of(folder)
    except UsageError as wrong:
        return wrong
