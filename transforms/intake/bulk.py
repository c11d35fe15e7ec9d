"""Merging of tables too large to be held in memory: only what has a key twice goes through `merging.merge`.

DuckDB finds the keys that stand in several rows of a table's Parquet files, by their hash, and spills what doesn't fit.
Rows with such a key are merged in batches that hold every row of a key; all others are good as they stand.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import duckdb
import polars as pl

from schemas.tables import INPUT_TABLES, PROVENANCE, empty
from transforms.database import confine, connect
from transforms.intake import merging, rejects
from transforms.intake.merging import merge

#: Tables of up to so many rows are merged in memory and are one file, in the order of their key.
IN_MEMORY = 250_000
_MEMORY = "2GB"
#: Hashes of keys that are sorted at a time: 8 bytes each, twice.
_HASHES = 50_000_000
#: Rows that are merged whether or not their key stands in several rows, because `merging` makes something of each.
_ALWAYS = {"accounts": "profile not like 'house-%'"}
#: Tables that are applied to others, and few rows: always in memory.
_APPLIED = ("corrections", "row_fixes")


@dataclass
class Merged:
    """A table with every key once: rows in memory and, of a large one, further rows on disk."""

    name: str
    frame: pl.DataFrame
    parts: list[Path] = field(default_factory=list)

    @property
    def height(self) -> int:
        """How many rows it has."""
        return self.frame.height + (self.scan().select(pl.len()).collect().item() if self.parts else 0)

    def scan(self) -> pl.LazyFrame:
        """The rows on disk."""
        return pl.scan_parquet(self.parts, include_file_paths="part")

    def pull(self, wanted: Iterable[pl.DataFrame], folder: Path) -> None:
        """Take rows from disk into memory: those that have the values of a row of one of the frames `wanted`."""
        for rows in wanted:
            if self.parts and rows.height:
                self._pull(rows, folder)

    def _pull(self, wanted: pl.DataFrame, folder: Path) -> None:
        on = wanted.columns
        found = self.scan().join(wanted.lazy(), on=on, how="semi", nulls_equal=True).collect(engine="streaming")
        for (path,), rows in found.group_by("part", maintain_order=True):
            part = Path(str(path))
            rest = folder / f"{part.stem}-less.parquet"
            pl.read_parquet(part).join(rows, on=on, how="anti", nulls_equal=True).write_parquet(rest, compression="lz4")
            self.parts[self.parts.index(part)] = rest
        self.frame = pl.concat([self.frame, found.drop("part")])

    def write(self, canonical: Path, scratch: Path) -> None:
        """Write `<name>.parquet`: a file, or for a table with rows on disk a folder of files."""
        target = canonical / f"{self.name}.parquet"
        if not self.parts:
            self.frame.write_parquet(target)
            return
        target.mkdir()
        for number, part in enumerate(self.parts):
            place = target / f"{number:06d}.parquet"
            if part.is_relative_to(scratch):
                part.rename(place)
            else:
                _link(part, place)
        if self.frame.height:
            self.frame.write_parquet(target / f"{len(self.parts):06d}.parquet")


def _link(part: Path, place: Path) -> None:
    """The same file under another name, or a copy of it where the disk knows no such thing."""
    try:
        os.link(part, place)
    except OSError:
        shutil.copyfile(part, place)


def merge_parts(name: str, parts: Sequence[Path], scratch: Path) -> tuple[Merged, list[pl.DataFrame]]:
    """The rows of a table's files with every key once, and the rejects the merge makes; see `merging.merge`."""
    if not parts:
        return Merged(name, empty(INPUT_TABLES[name])), []
    if name in _APPLIED or pl.scan_parquet(list(parts)).select(pl.len()).collect().item() <= IN_MEMORY:
        frame, aside = merge(name, pl.concat(map(pl.read_parquet, parts)))
        return Merged(name, frame), aside
    return _merge_on_disk(name, list(parts), scratch)


def _merge_on_disk(name: str, parts: list[Path], scratch: Path) -> tuple[Merged, list[pl.DataFrame]]:
    folder = scratch / f"merge-{name}"
    folder.mkdir()
    repeated = _repeated(name, parts)
    if repeated.is_empty() and name not in _ALWAYS:
        return Merged(name, empty(INPUT_TABLES[name]), parts), []
    repeated.write_parquet(folder / "repeated.parquet")
    again = f"{_ALWAYS.get(name, 'false')} or {_hash(name)} in (select h from again)"
    with _connect(folder, parts) as con:
        con.execute(
            f"create table again as select distinct {_hash(name)} as h from read_parquet($repeated)",
            {"repeated": str(folder / "repeated.parquet")},
        )
        touched = con.execute(
            f"select filename, count(*) from read_parquet($parts, filename = true) where {again} group by filename",
            {"parts": _names(parts)},
        ).fetchall()
        if not touched:
            return Merged(name, empty(INPUT_TABLES[name]), parts), []
        paths = sorted(path for path, _ in touched)
        kept = [part for part in parts if str(part) not in set(paths)]
        rest = folder / "rest.parquet"
        touching = con.read_parquet(paths)
        touching.filter(f"not ({again})").write_parquet(str(rest))
        count = ceil(sum(rows for _, rows in touched) / IN_MEMORY)
        batches = folder / "batches"
        every = touching.filter(again).project(f"*, {_hash(name)} % {count} as batch")
        every.write_parquet(str(batches), partition_by=["batch"])
    merged, aside = _merge_batches(name, sorted(batches.glob("*"), key=_number), folder)
    return Merged(name, empty(INPUT_TABLES[name]), [*kept, rest, *merged]), aside


def _repeated(name: str, parts: list[Path]) -> pl.DataFrame:
    """The keys that stand in several rows of the files, and now and then one of the same hash that doesn't.

    Sorting the hashes costs a fifth of grouping by them. Only some tens of millions are in memory at a time.
    """
    every, key = pl.scan_parquet(parts), list(_key(name))
    hashed = pl.struct(key).hash()
    passes = ceil(every.select(pl.len()).collect().item() / _HASHES)
    found = [pl.DataFrame(schema={n: INPUT_TABLES[name].schema[n] for n in key})]
    for nth in range(passes):
        some = hashed if passes == 1 else hashed.filter(hashed % passes == nth)
        hashes = every.select(some.alias("h")).collect(engine="streaming")["h"].sort()
        twice = hashes.filter(hashes == hashes.shift(1)).unique()
        if not twice.is_empty():
            found.append(every.filter(hashed.is_in(twice.implode())).select(key).collect(engine="streaming"))
    return pl.concat(found).unique()


def _merge_batches(name: str, batches: list[Path], folder: Path) -> tuple[list[Path], list[pl.DataFrame]]:
    done, aside = list[Path](), list[pl.DataFrame]()
    for batch in batches:
        rows = pl.read_parquet(sorted(batch.glob("*.parquet")), hive_partitioning=False)
        schema = INPUT_TABLES[name].schema
        once, rejected = merge(name, rows.select(list(schema)).cast(schema))  # type: ignore[arg-type]
        done.append(folder / f"{batch.name}.parquet")
        once.write_parquet(done[-1], compression="lz4")
        aside.extend(frame for frame in rejected if frame.height)
    return done, aside


def _number(batch: Path) -> int:
    return int(batch.name.rpartition("=")[2])


def _connect(folder: Path, parts: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    con = connect(folder, memory_limit=_MEMORY)
    confine(con, folder, *sorted({part.parent.parent for part in parts}))
    return con


def _names(parts: Iterable[Path]) -> list[str]:
    return [str(part) for part in parts]


def _hash(name: str) -> str:
    """The hash of a row's key; of a table without one, of all it says."""
    return f"hash({', '.join(_key(name))})"


def _key(name: str) -> tuple[str, ...]:
    """The columns that say which fact a row is; of a table without a key, all that says something."""
    known = {c.name for c in PROVENANCE}
    return INPUT_TABLES[name].key or tuple(c for c in INPUT_TABLES[name].schema if c not in known)


def good_rows(merged: Merged, rejected: pl.DataFrame) -> list[pl.DataFrame]:
    """What `merging.good_rows` gives of a table: of its rows on disk, those that may put one of the rejects right."""
    found = merging.good_rows({merged.name: merged.frame})
    own = rejected.filter(pl.col("kind") == merged.name).drop_nulls("row_key")
    if merged.parts and own.height:
        later = merged.scan().filter(pl.col("received_at") > own["received_at"].min())
        told = later.select(
            pl.lit(merged.name).alias("kind"), rejects.row_key(merged.name).alias("row_key"), "received_at"
        )
        found.append(told.join(own.select("row_key").lazy(), on="row_key", how="semi").collect(engine="streaming"))
    return found
