"""Where a run's scratch tables lie: in a folder of a disk, or in one of any storage that fsspec knows (`s3://...`).

Nothing can be renamed there. So what must be whole is written under a name of its own, and a small file that is put in
one step says that name: whoever finds the small file finds everything.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from transforms.private import private_folder, write_private


@dataclass(frozen=True)
class Place:
    """A folder or file: an absolute path, or the URL of a storage that is not this machine's."""

    url: str

    @classmethod
    def at(cls, where: Path | str) -> Place:
        """The place of a path or URL; raises ValueError for a storage fsspec has no package for."""
        from fsspec.core import url_to_fs  # noqa: PLC0415 - only books in partitions need it
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415

        if "://" not in str(where):
            return cls(str(Path(where).absolute()))
        try:
            files, path = url_to_fs(str(where))
        except ImportError as error:
            raise ValueError(f"fsspec needs another package for {str(where).partition(':')[0]}:// ({error})") from None
        return cls(path if type(files) is LocalFileSystem else files.unstrip_protocol(path))

    def __truediv__(self, name: str) -> Place:
        return Place(f"{self.url}/{name}")

    @property
    def remote(self) -> bool:
        """Whether it is a storage's."""
        return "://" in self.url

    def read(self) -> bytes:
        """A file's bytes as they are there now; raises FileNotFoundError."""
        if not self.remote:
            return Path(self.url).read_bytes()
        found: bytes = self._files().cat_file(self.url)
        return found

    def put(self, data: bytes) -> None:
        """Make it a file of these bytes, whole or not at all."""
        if self.remote:
            self._files().pipe_file(self.url, data)
        else:
            write_private(Path(self.url), data, 0o600)

    def prepare(self) -> Place:
        """Make the folder, where folders are made."""
        if not self.remote:
            private_folder(Path(self.url))
        return self

    def below(self) -> list[str]:
        """The names of all files in the folder, as seen from it, sorted."""
        if not self.remote:
            return sorted(str(path.relative_to(self.url)) for path in Path(self.url).rglob("*") if path.is_file())
        files = self._files()
        files.invalidate_cache()  # somebody else may have written since
        start = len(files._strip_protocol(self.url)) + 1  # noqa: SLF001 - fsspec has no other name for it
        return sorted(path[start:] for path in files.find(self.url))

    def remove(self) -> None:
        """Take the folder away with everything in it, if it is there."""
        if not self.remote:
            shutil.rmtree(self.url, ignore_errors=True)
        elif self.below():
            self._files().rm(self.url, recursive=True)

    def show_to(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB read and write the storage; what of it, `transforms.database.confine` says."""
        if self.remote:
            con.register_filesystem(self._files())

    def _files(self) -> Any:
        from fsspec.core import url_to_fs  # noqa: PLC0415

        return url_to_fs(self.url)[0]
