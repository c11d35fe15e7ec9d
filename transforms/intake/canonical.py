"""From the readings of all files to good canonical rows and rejects, kind by kind, through both Pandera models."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import polars as pl

from schemas import models
from schemas.few import values, with_few_values
from schemas.profile import Profile
from schemas.tables import DTYPES, INPUT_TABLES, PROVENANCE, Column
from schemas.validate import failures
from transforms.intake import account_files, funds, mapping, payroll, pub1220, rejects, trees
from transforms.intake.mapping import Mapped, each, normalised
from transforms.intake.reading import Reading
from transforms.intake.register import tax_key

_PROVENANCE = [c.name for c in PROVENANCE]
_LOWER = ("custodian", "recordkeeper")
_TABLE_OF_SHAPE = {
    "transactions": "transactions", "positions": "balances", "payroll": "payroll_contributions",
    "pershing_accounts": "accounts", "tree_accounts": "accounts",
    "accounts": "accounts",
    "fund_positions": "balances",
    "listed": "balances",
    "tax_id_changes": "tax_id_changes", "control_total": "payroll_contributions",
}  # fmt: skip

#: How a section of each shape is mapped; `listed` ones are counted and no more.
_MAPPED = {
    "transactions": mapping.transactions, "positions": mapping.positions, "tree_accounts": trees.accounts,
    "fund_positions": funds.positions,
}  # fmt: skip
_MAPPED_WITH_KEY = {
    "pub1220": pub1220.returns,
    "tax_id_changes": payroll.tax_id_changes,
    "accounts": account_files.accounts,
}  # fmt: skip


@dataclass
class Found:
    """Good rows per table (several frames), and rejects."""

    rows: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    rejects: list[pl.DataFrame] = field(default_factory=list)


def canonical_rows(readings: list[Reading], key: bytes) -> Found:
    """Every good row of the readings in canonical form, and every row set aside with its reason."""
    found = Found()
    found.rejects.extend(rejects.of_problems(r, key) for r in readings if r.error or r.problems)
    house: dict[str, list[pl.DataFrame]] = defaultdict(list)
    custodian: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.house is not None and reading.kind is not None:
            house[reading.kind].append(reading.house)
        if reading.ragged is not None and reading.kind is not None:
            found.rejects.append(rejects.of_rows(reading.kind, _joined(reading.kind, reading.ragged)))
        if reading.sections and reading.profile is not None:
            custodian[reading.profile].append(reading)
    candidates = _marks(readings)
    for kind, frames in house.items():
        candidates[kind].append(_house(kind, pl.concat(frames), key, found))
    for some in custodian.values():
        for table, frames in _custodian(some, key, found).items():
            candidates[table].extend(frames)
    for kind, frames in candidates.items():
        found.rows[kind].append(_checked(kind, pl.concat(frames), found))
    return found


def _marks(readings: list[Reading]) -> dict[str, list[pl.DataFrame]]:
    """The marks read from advisors' workbooks, typed as they are read."""
    marks = [r.marks for r in readings if r.marks is not None]
    return defaultdict(list, {"finding_marks": marks} if marks else {})


def _split(kind: str, frame: pl.DataFrame, failed: pl.DataFrame, found: Found) -> pl.DataFrame:
    """The rows without failures; the others become rejects."""
    if failed.is_empty():
        return frame
    found.rejects.append(rejects.of_failures(kind, frame, failed))
    bad = failed["row"].unique().to_list()
    return frame.with_row_index("row").filter(~pl.col("row").is_in(bad)).drop("row")


def _house(kind: str, raw: pl.DataFrame, key: bytes, found: Found) -> pl.DataFrame:
    """A house kind: identifiers in joining form, text checked, then typed and tax ids hashed."""
    columns = INPUT_TABLES[kind].columns
    raw = _joined(kind, raw).select(*(c.name for c in columns), *_PROVENANCE)
    good = _split(kind, raw, failures(models.raw_house(kind), raw), found)
    typed = good.with_columns(_typed(good, c, key) for c in columns)
    extra = {"classification": "mapped", "coverage": "full"}
    internal = INPUT_TABLES[kind].internal
    typed = typed.with_columns(pl.lit(extra.get(c.name)).cast(DTYPES[c.kind]).alias(c.name) for c in internal)
    return typed.select(list(INPUT_TABLES[kind].schema))


def _joined(kind: str, raw: pl.DataFrame) -> pl.DataFrame:
    """The frame with account numbers and custodians in their joining form."""
    names = [c.name for c in INPUT_TABLES[kind].columns]
    return _lower(raw, [n for n in names if n in _LOWER]).with_columns(
        normalised(raw, n)
        for n in names
        if n in models.ACCOUNT_COLUMNS  # null where nothing is left of it
    )


def _lower(raw: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    few = with_few_values(raw, names)
    some = {n: raw.select(values(n, few)).to_series() for n in names}
    upper = [n for n, cells in some.items() if (cells.str.to_lowercase() != cells).any()]
    return raw.with_columns(pl.col(n).str.to_lowercase() for n in upper)


def _typed(frame: pl.DataFrame, column: Column, key: bytes) -> pl.Expr:
    name = pl.col(column.name)
    if column.name in models.TAX_ID_COLUMNS:
        return each(frame, column.name, lambda t: tax_key(t, key))
    if column.kind == "date":
        return name.str.to_date("%Y-%m-%d")
    if column.kind == "bool":
        return name == "true"
    return name.cast(DTYPES[column.kind])


def _custodian(readings: list[Reading], key: bytes, found: Found) -> dict[str, list[pl.DataFrame]]:
    """All files of one profile: raw text checked section by section, then mapped by the section's shape."""
    profile = readings[0].custodian_profile
    if profile is None:
        return {}
    into = Mapped()
    parts: dict[str, pl.DataFrame] = {}
    for section in profile.sections:
        frames = [r.sections[section.name] for r in readings if section.name in r.sections]
        if frames:
            raw = payroll.with_person(section, pl.concat(frames, how="diagonal"), profile, key)
            parts[section.name] = _good_raw(profile, section.name, section.shape, raw, found)
    _map(profile, parts, into, key)
    for bad, column, rule, why in into.aside:
        said = bad.with_columns(
            pl.lit(column).alias("column"), pl.lit(rule).alias("rule"), pl.lit(why).alias("message")
        )
        found.rejects.append(rejects.of_rows(into.aside_kind, said))
    return into.rows


def _map(profile: Profile, parts: dict[str, pl.DataFrame], into: Mapped, key: bytes) -> None:
    shapes = {s.name: s.shape for s in profile.sections}
    if "pershing_accounts" in shapes.values():
        mapping.pershing_accounts(profile, parts, into, key)
        return
    for name, frame in parts.items():
        shape = shapes[name]
        if shape == "payroll":
            payroll.contributions(profile, name, frame, into)
        elif shape in _MAPPED:
            _MAPPED[shape](profile, frame, into)
        elif shape in _MAPPED_WITH_KEY:
            _MAPPED_WITH_KEY[shape](profile, frame, into, key)
        if "owner_code" in frame.columns:
            account_files.owners(profile, frame, into, key)


def _good_raw(profile: Profile, section: str, shape: str, raw: pl.DataFrame, found: Found) -> pl.DataFrame:
    failed = failures(models.raw_section(profile, section), raw)
    if failed.is_empty():
        return raw
    unknown_day = (pl.col("column") == "as_of") & (pl.col("rule") == "required")
    failed = failed.with_columns(
        pl.when(unknown_day).then(pl.lit("as_of_not_known")).otherwise(pl.col("rule")).alias("rule"))  # fmt: skip
    if shape in ("positions", "fund_positions"):
        failed = _whole_accounts(raw, failed)
    if shape == "payroll":
        failed = payroll.whole_sums(profile, section, raw, failed)
    kind = _TABLE_OF_SHAPE.get(shape)
    for table, part in _by_table(kind, raw, failed):
        found.rejects.append(rejects.of_failures(table, _subjects(profile, raw), part))
    bad = failed["row"].unique().to_list()
    return raw.with_row_index("row").filter(~pl.col("row").is_in(bad)).drop("row")


def _subjects(profile: Profile, raw: pl.DataFrame) -> pl.DataFrame:
    """A raw custodian frame with the columns by which a reject says whom it was about."""
    named = raw.with_columns(pl.lit(profile.custodian or None, pl.String).alias("custodian"))
    return named.with_columns(pl.col("day").alias("trade_date")) if "date" in raw.columns else named


def _by_table(kind: str | None, raw: pl.DataFrame, failed: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    if kind is not None:
        return [(kind, failed)]
    is_5498 = raw["type_of_return"].eq("L").fill_null(value=False).to_list()
    return [
        (table, part)
        for table, wanted in (("form_5498", True), ("form_1099r", False))
        if (part := failed.filter(pl.Series([is_5498[r] is wanted for r in failed["row"]], dtype=pl.Boolean))).height
    ]


def _whole_accounts(raw: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """A position that can't be read makes the account's sum unknown: its other positions are set aside too."""
    rows = raw.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    account = ["source_sha256", "account_number"]
    touched = rows.join(failed.select("row").unique(), on="row").select(account).unique()
    others = rows.join(touched, on=account, nulls_equal=True).join(failed, on="row", how="anti")
    rest = others.select("row", pl.lit("value").alias("column"), pl.lit("account_incomplete").alias("rule"))
    return pl.concat([failed, rest])


def _checked(kind: str, frame: pl.DataFrame, found: Found) -> pl.DataFrame:
    """Canonical rows that pass the typed model."""
    return _split(kind, frame, failures(models.typed(kind), frame), found)
