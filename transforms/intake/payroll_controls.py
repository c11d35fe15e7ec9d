"""What a recordkeeper's file says of itself: control totals by name, and the remark that goes into `files.message`."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import polars as pl

from schemas.profile import Profile, Section
from transforms.intake.frames import cents, number
from transforms.intake.lines import FileSetAside, Record, Scan, cell_of
from transforms.intake.payroll_columns import ROW, TAX_ID

_UNDATED = (
    "neither the file nor its name says the pay date, so these amounts belong to no year: state the year to date in a"
    " plan_contributions file, and have the next files sent under a name with the pay date in it (..._20260227.csv)"
)


def check_named_totals(profile: Profile, found: Scan, frames: dict[str, pl.DataFrame]) -> None:
    """Raises `FileSetAside` where the rows don't sum to a total the last record states, with both numbers."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for section in profile.sections:
        for name, fields in section.totals.items():
            sums[name] += _sum(profile, frames.get(section.name), fields)
    for name, rows in sums.items():
        text = found.said.get(f"total_{name}")
        if text is None:
            continue
        stated = pl.select(number(pl.lit(text), profile)).item()
        if stated is None or cents(stated) != cents(rows):
            said = "an amount that can't be read" if stated is None else str(cents(stated))
            raise FileSetAside(
                "total_differs",
                f"the last record says {name} of {said}, the rows sum to {cents(rows)}; fetch the file again",
            )


def _sum(profile: Profile, frame: pl.DataFrame | None, fields: tuple[str, ...]) -> Decimal:
    if frame is None:
        return Decimal(0)
    each = frame.select(number(pl.col(f), profile).sum().alias(f) for f in fields)
    return sum((value for value in each.row(0) if value is not None), Decimal(0))


def whose(profile: Profile, found: Scan, record: Record) -> str | None:
    """The tax id of a payroll line nobody could read, where its place in the line still holds one."""
    if profile.kind != "payroll_contributions":
        return None
    if profile.format == "fixed":
        places = {s.slices["tax_id"] for s in profile.sections if "tax_id" in s.slices}
        stated = [record.raw[first - 1 : last].strip() for first, last in sorted(places)]
    else:
        tables = found.tables[-1:]
        stated = [cell_of(t, record.cells, t.section.fields["tax_id"]) for t in tables]
    return next((text for text in stated if TAX_ID.fullmatch(text)), None)


def remark(profile: Profile, frames: dict[str, pl.DataFrame]) -> str | None:
    """What the file's reader should know of it: never a cell, only counts, sums and what the layout lacks."""
    said = [profile.note] if profile.note else []
    for section in profile.sections:
        if section.name in frames:
            said += _of_section(profile, section, frames[section.name])
    return "; ".join(said) or None


def _of_section(profile: Profile, section: Section, frame: pl.DataFrame) -> list[str]:
    said = []
    if section.shape == "control_total":
        said.append(_control_total(profile, section, frame))
    if section.payroll.once:
        repeated = frame.height - frame[ROW].n_unique()
        what = "1 row repeats" if repeated == 1 else f"{repeated} rows repeat"
        said += [f"{what} the contributions of another row and count once"] if repeated else []
    if section.payroll.undated and frame["as_of"].null_count():
        said.append(_UNDATED)
    return said


def _control_total(profile: Profile, section: Section, frame: pl.DataFrame) -> str:
    pattern = section.payroll.period
    paid = frame.filter(pl.col("action").str.contains(pattern.pattern)) if pattern else frame
    total = cents(_sum(profile, paid, ("amount",)))
    return f"control total only: {paid.height} contributions of {total}, {frame.height} rows; no row of the book"
