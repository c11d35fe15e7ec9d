"""The whole book from its files: canonical tables, rejects, one row per file; raw lines go only to the quarantine."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from schemas.tables import DTYPES, INPUT_TABLES, INTAKE_FILES, INTAKE_REJECTS, empty
from transforms.intake import bulk, corrections, row_fixes
from transforms.intake.bulk import Merged, merge_parts
from transforms.intake.cache import Cache, cache_of
from transforms.intake.canonical import canonical_rows
from transforms.intake.content import content_as_of, coverage, made_for
from transforms.intake.deliveries import Deliveries, read_deliveries
from transforms.intake.failed import isolated
from transforms.intake.merging import good_rows, merge, without_mended
from transforms.intake.pgp import Keyring
from transforms.intake.reading import Reading
from transforms.intake.register import Entry, Register, firm_fingerprint
from transforms.intake.rejects import SCHEMA, with_raw_hash
from transforms.intake.set_aside import to_fix
from transforms.intake.store import Store
from transforms.private import private_folder
from transforms.vault import Vault

_FILES_SCHEMA = {c.name: DTYPES[c.kind] for c in INTAKE_FILES.columns}
NO_KEYRING = Keyring()
_ORDER = ["file", "line_number", "column", "rule", "source_sha256"]
_QUARANTINE = ("file_name", "line_number", "column", "rule", "message", "raw_line")


@dataclass(frozen=True)
class BookCounts:
    """What reading the book came to: rows per canonical table, files by state, rejects, and the register to keep."""

    tables: dict[str, int]
    files: dict[str, int]
    rejects: int
    register: Register


def read_book(
    register: Register,
    out: Path,
    canonical: Path,
    firm_key: bytes,
    keyring: Keyring = NO_KEYRING,
    *,
    quarantine: bool = True,
) -> BookCounts:
    """Read every file of the book from `out/archive` and write `canonical/*.parquet` (every table, empty ones too).

    Also writes `out/quarantine/<sha256>.csv` for each file with lines set aside, unless `quarantine` is False: a look
    back at an earlier night leaves alone what is set aside now, and what is kept of the files that were read. Archives,
    workbooks and PGP messages (decrypted with `keyring`) are read member by member. Raises `FileNotFoundError` if an
    archived file is gone and `PermissionError` if one can't be decrypted any more: a book isn't computed from a part of
    itself.
    """
    canonical.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".reading-", dir=canonical.parent) as folder:
        scratch = Path(folder)
        cache = cache_of(out, firm_key, read_only=not quarantine)
        ahead = Cache(scratch, firm_key) if cache is None or not quarantine else None
        store = Store(scratch, firm_key, cache, ahead)
        found = read_deliveries(register, out, keyring, store, firm_fingerprint(firm_key))
        fixes = _fixes(found, store, firm_key)
        _mend(found, fixes, store)
        tables, rejected = _merged(store, scratch)
        not_applied = _corrected(tables, fixes, scratch)
        rejected = pl.concat([rejected, not_applied, fixes.refused()])
        by_sha = store.with_lines(rejected)
        rejected = with_raw_hash(rejected, by_sha).sort(_ORDER, nulls_last=True)
        heights = {name: table.height for name, table in tables.items()}
        for table in tables.values():
            table.write(canonical, scratch)
        if cache is not None:
            cache.forget_others()
    rejected.select(c.name for c in INTAKE_REJECTS.columns).write_parquet(canonical / "rejects.parquet")
    files = _files(found, register, rejected)
    files.write_parquet(canonical / "files.parquet")
    to_fix(rejected, by_sha).write_parquet(canonical / "set_aside.parquet")
    if quarantine:
        _quarantine(by_sha, rejected, out)
    states: Counter[str] = Counter(files["state"])
    return BookCounts(heights, dict(states), rejected.height, register.without(found.refused))


def _fixes(found: Deliveries, store: Store, key: bytes) -> row_fixes.Fixes:
    """The fixes of set-aside rows, judged by what their files come to without them."""
    stating = [found.again[r.entry]() for r in found.readings if r.kind == "row_fixes"]
    if not stating:
        return row_fixes.Fixes([])
    own = {r.entry.sha256 for r in found.readings if (r.profile or "").startswith("house-")}
    aside = store.rejected().filter(pl.col("source_sha256").is_in(own))
    stated = row_fixes.in_every_delivery(digest(stating, key)[0]["row_fixes"], aside)
    named = set(stated["file_sha256"])
    concerned = [found.again[r.entry]() for r in found.readings if r.entry.sha256 in named]
    # file by file: a later export that repeats a row mustn't make the fix of the earlier one look needless
    alone = [digest([], key), *(digest([r], key) for r in concerned)]
    transactions = pl.concat(tables["transactions"] for tables, _ in alone)
    return row_fixes.judge(stated, concerned, transactions, pl.concat(rejected for _, rejected in alone))


def _mend(found: Deliveries, fixes: row_fixes.Fixes, store: Store) -> None:
    """Puts fixed rows into the store, in place of their files as they were."""
    for place, reading in enumerate(found.readings):
        if reading.entry.sha256 in fixes.files:
            [mended] = fixes.mend([found.again[reading.entry]()])
            found.readings[place] = store.take(mended, partial(replace, mended))


def _merged(store: Store, scratch: Path) -> tuple[dict[str, Merged], pl.DataFrame]:
    """Every canonical table with each key once, and the rejects still open."""
    parts, tables, rejected = store.parts(), dict[str, Merged](), [store.rejected()]
    for name in INPUT_TABLES:
        tables[name], aside = merge_parts(name, parts[name], scratch)
        rejected.extend(aside)
    every = pl.concat(rejected)
    good = [rows for table in tables.values() for rows in bulk.good_rows(table, every)]
    return tables, without_mended(every, good)


def _corrected(tables: dict[str, Merged], fixes: row_fixes.Fixes, scratch: Path) -> pl.DataFrame:
    """Applies the firm's corrections and tells the fixes in the tables; the rejects of those that don't hold."""
    fixed = fixes.rows()
    named = corrections.rows_named(tables["corrections"].frame)
    for name, table in tables.items():
        table.pull([fixed["places"], *([fixed["events"]] if name == "transactions" else []), *named[name]], scratch)
    frames, not_applied = corrections.apply(fixes.told({name: table.frame for name, table in tables.items()}))
    for name, frame in frames.items():
        tables[name].frame = frame
    return not_applied


def digest(readings: list[Reading], key: bytes) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Canonical tables by name and the rejects still open, both in a fixed order.

    A reading that can't be digested even alone is set aside as a whole (`reader_failed`).
    """
    return isolated(lambda some: _digest(some, key), readings)


def _digest(readings: list[Reading], key: bytes) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    found = canonical_rows(readings, key)
    tables: dict[str, pl.DataFrame] = {}
    rejected = [pl.DataFrame(schema=SCHEMA), *found.rejects]
    for name, table in INPUT_TABLES.items():
        tables[name] = empty(table)
        if found.rows[name]:
            tables[name], aside = merge(name, pl.concat(found.rows[name]))
            rejected.extend(aside)
    still = without_mended(pl.concat(rejected), good_rows(tables))
    hashed = with_raw_hash(still, {r.entry.sha256: r for r in readings})
    return tables, hashed.sort(_ORDER, nulls_last=True)


def _files(found: Deliveries, register: Register, rejected: pl.DataFrame) -> pl.DataFrame:
    """One row per file of the book, container and member, and one per file delivered again tonight."""
    readings = found.readings
    lines = rejected.drop_nulls("line_number").unique(["source_sha256", "line_number"])
    aside = dict(lines.group_by("source_sha256").len().iter_rows())
    rows = [file_row(r, aside.get(r.entry.sha256, 0)) for r in readings]
    rows += [{**file_row(r, 0), "state": "duplicate"} for r in found.duplicates]
    by_sha = {r.entry.sha256: r for r in (*found.duplicates, *readings)}
    for delivery in register.tonight:
        if delivery.duplicate:
            first = by_sha[delivery.sha256]
            again = Reading(Entry(register.as_of, delivery.file_name, delivery.sha256), first.kind, first.custodian,
                            first.profile, first.layout, "these bytes are in the book already")  # fmt: skip
            rows.append({**file_row(again, 0), "state": "duplicate"})
    return pl.DataFrame(rows, schema=_FILES_SCHEMA).sort("file_name", "sha256", "state", "received_at")


def file_row(reading: Reading, aside: int) -> dict[str, object]:
    """The `files` row of a reading of which `aside` rows were set aside."""
    entry = reading.entry
    refused = reading.error is not None
    lost = reading.rows if refused else aside
    state = "rejected" if refused else "partial" if aside else "accepted"
    return {
        "sha256": entry.sha256, "file_name": entry.file_name, "kind": reading.kind, "custodian": reading.custodian,
        "rows": reading.rows, "accepted": reading.rows - lost, "rejected": lost, "state": state,
        "received_at": entry.received_at, "profile": reading.profile, "layout": reading.layout,
        "message": reading.error.message if reading.error else reading.note,
        **{f"lines_{name}": count for name, count in reading.lines.items()},
        "content_as_of": content_as_of(reading, entry.received_at), "coverage": coverage(reading),
        "made_for": made_for(reading),
    }  # fmt: skip


def _quarantine(readings: dict[str, Reading], rejected: pl.DataFrame, out: Path) -> None:
    folder, vault = private_folder(out / "quarantine"), Vault.of(out)
    for (sha256,), part in rejected.group_by("source_sha256", maintain_order=True):
        reading = readings[str(sha256)]
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(_QUARANTINE)
        for row in part.select("file", "line_number", "column", "rule", "message").iter_rows():
            table.writerow((*row, reading.raw(row[1]) if row[1] is not None else ""))
        vault.write(folder / f"{sha256}.csv", text.getvalue().encode(), 0o600)
