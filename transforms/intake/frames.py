"""From classified lines to all-text frames, and the control totals a file states about itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby

import polars as pl

from schemas.models import MOST_DOLLARS, NUMBER_PATTERNS, read_date
from schemas.profile import Profile, Section
from transforms.intake.lines import FileSetAside, Scan, SectionRows, cells_of
from transforms.intake.payroll_columns import row_text, source_columns
from transforms.intake.runs import cell_in, place_of

CENT = Decimal("0.01")
#: What lines around the rows may say of them.
_CONTEXT = ("account", "label", "as_of", "mode", "plan")
WIDE = pl.Decimal(38, 6)


def blank_to_null(frame: pl.DataFrame, columns: list[str], tokens: tuple[str, ...] = ("",)) -> pl.DataFrame:
    """Trimmed text; the tokens that stand for nothing become null."""
    trimmed = frame.with_columns(pl.col(columns).str.strip_chars())
    return trimmed.with_columns(pl.when(~pl.col(c).is_in(tokens)).then(c) for c in columns)


def number(column: pl.Expr, profile: Profile) -> pl.Expr:
    """The exact number a text states in the profile's grammar; null where it states none."""
    shaped = pl.when(column.str.contains(NUMBER_PATTERNS[profile.number])).then(column)
    if profile.number in ("implied", "signed_implied"):
        return shaped.str.strip_prefix("+").cast(WIDE) / pl.lit(10**profile.decimals).cast(WIDE)
    plain = shaped.str.replace_all(r"[$,+)]", "").str.replace(r"\(", "-")
    return plain.cast(WIDE)


def cents(value: Decimal) -> Decimal:
    """A sum rounded to cents, halves away from nought."""
    return value.quantize(CENT, ROUND_HALF_UP)


def possible(value: Decimal) -> Decimal:
    """A sum in cents; one beyond what a client can have is held at the bound, where the typed model refuses it."""
    return max(Decimal(-MOST_DOLLARS), min(Decimal(MOST_DOLLARS), cents(value)))


def section_frames(profile: Profile, scan: Scan) -> dict[str, pl.DataFrame]:
    """One all-text frame per section that has rows: our field names, context, `source_line` and `group`."""
    parts: dict[str, list[SectionRows]] = defaultdict(list)
    for table in scan.tables:
        if table.lines:
            parts[table.section.name].append(table)
    # two tables of one section may have different money-source columns
    frames = {
        name: pl.concat([_frame(profile, table, scan) for table in _joined(tables)], how="diagonal")
        for name, tables in parts.items()
    }
    return _date_holdings(profile, frames)


def _joined(tables: list[SectionRows]) -> Iterator[SectionRows]:
    """Tables of a section that follow one another with the same header as one: there may be one for every account."""
    for _, same in groupby(tables, key=lambda table: table.header):
        first, *others = same
        joined = replace(
            first, cells=dict(first.cells), runs=[*first.runs], lines=[*first.lines], groups=[*first.groups],
            context=[*first.context],
        )  # fmt: skip
        for table in others:
            joined.cells.update(table.cells)
            joined.runs.extend(table.runs)
            joined.lines.extend(table.lines)
            joined.groups.extend(table.groups)
            joined.context.extend(table.context)
        yield joined


def _frame(profile: Profile, table: SectionRows, scan: Scan) -> pl.DataFrame:
    frame = _fixed(table) if profile.format == "fixed" else _delimited(profile, table)
    frame = frame.with_columns(_said_before(table, scan, [name for name in _CONTEXT if name not in frame.columns]))
    frame = blank_to_null(frame, [name for name in frame.columns if name != "source_line"], profile.null_tokens)
    if "own_code" in frame.columns:
        frame = frame.with_columns(pl.coalesce("action", "own_code").alias("action"))
    if profile.account_name is not None:
        account = pl.col("account").str.extract_groups(profile.account_name.pattern)
        frame = frame.with_columns(account.struct.field("label"), account.struct.field("account"))
    return frame.with_columns(pl.Series("group", table.groups, pl.Int64))


def _said_before(table: SectionRows, scan: Scan, names: list[str]) -> list[pl.Series]:
    """What the lines before a row, or around all rows, say of it."""
    same = [(context, len(list(rows))) for context, rows in groupby(table.context)]
    often = pl.DataFrame(
        {"n": range(len(same)), "often": [often for _, often in same]}, schema=dict.fromkeys(("n", "often"), pl.UInt32)
    )
    which = often.select(pl.col("n").repeat_by("often").explode()).to_series()
    return [
        pl.Series(name, [context.get(name, scan.said.get(name)) for context, _ in same], pl.String).gather(which)
        for name in names
    ]


def _text(fields: Mapping[str, Sequence[str | None]], table: SectionRows) -> pl.DataFrame:
    """The rows that were read one by one, in columns, with `source_line`."""
    texts = {**fields, **row_text(table)}
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
    return frame.with_columns(pl.Series("source_line", list(table.cells), pl.Int64))


def _fixed(table: SectionRows) -> pl.DataFrame:
    lines = [cells[0] for cells in table.cells.values()]
    return _text(
        {name: [x[first - 1 : last] for x in lines] for name, (first, last) in table.section.slices.items()}, table
    )


def _delimited(profile: Profile, table: SectionRows) -> pl.DataFrame:
    wanted = dict(table.section.fields)
    if table.section.shape == "payroll":
        wanted.update(source_columns(profile, table))
    one_by_one = _text({name: cells_of(table, table.cells.values(), names) for name, names in wanted.items()}, table)
    if not table.runs:
        return one_by_one
    runs = (
        run.select(
            *(cell_in(run, place_of(table.header, names)).alias(name) for name, names in wanted.items()), "source_line"
        )
        for run in table.runs
    )
    return pl.concat([one_by_one, *runs]).sort("source_line")


def _date_holdings(profile: Profile, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Holdings that carry no date take the newest trade date of the same file, if there is one."""
    shapes = {s.name: s.shape for s in profile.sections}
    days = [
        frames[n].select(read_date(pl.col("date"), profile.dates).max()).item()
        for n, shape in shapes.items()
        if shape == "transactions" and n in frames
    ]
    newest = max((d for d in days if d is not None), default=None)
    if newest is None:
        return frames
    stated = newest.strftime(profile.dates[0])
    return {
        n: f.with_columns(pl.col("as_of").fill_null(stated)) if shapes[n] == "positions" else f
        for n, f in frames.items()
    }


def check_totals(profile: Profile, scan: Scan, frames: dict[str, pl.DataFrame]) -> None:
    """Raises `FileSetAside` when the rows of a group don't sum to the total the file states for it."""
    if not scan.totals:
        return
    sums = _group_sums(profile, frames)
    stated = pl.DataFrame({"text": [t.text for t in scan.totals]}, schema={"text": pl.String})
    values = blank_to_null(stated, ["text"], profile.null_tokens).select(number(pl.col("text"), profile)).to_series()
    for total, value in zip(scan.totals, values, strict=True):
        found = sums.get(total.group, Decimal(0))
        if value is not None and cents(value) != found:
            raise FileSetAside(
                "total_differs",
                f"line {total.line}: it states a total of {cents(value)}, its rows sum to {found}; fetch it again",
            )


def _group_sums(profile: Profile, frames: dict[str, pl.DataFrame]) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for section in profile.sections:
        if section.total_field and section.name in frames:
            for group, value in _sums(profile, section, frames[section.name]):
                sums[group] += cents(value)
    return sums


def _sums(profile: Profile, section: Section, frame: pl.DataFrame) -> list[tuple[int, Decimal]]:
    value = number(pl.col(section.total_field), profile).sum()
    return frame.group_by("group").agg(value).rows()
