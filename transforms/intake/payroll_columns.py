"""Which columns of a payroll file hold money: bound by name or name pattern, so that a new one is never passed over."""

from __future__ import annotations

import re

from schemas.profile import Profile
from transforms.intake.lines import SectionRows

#: The text of a row by which a repeated row is known: without and with the cells in which repetitions differ.
ROW, WHOLE_ROW = "row text", "whole row text"
PERIOD, YEAR_TO_DATE = "source ", "ytd "
#: How a tax id is written; anything else in its place is a participant id.
TAX_ID = re.compile(r"[0-9]{9}|[0-9]{3}-[0-9]{2}-[0-9]{4}")


def source_columns(profile: Profile, table: SectionRows) -> dict[str, tuple[str, ...]]:
    """Our name (`source <column>` or `ytd <column>`) of every money column in the header, and its header name."""
    layout = table.section.payroll
    found: dict[str, tuple[str, ...]] = {}
    for name in table.header:
        if name in profile.money_sources or (layout.period is not None and layout.period.search(name)):
            found[PERIOD + name] = (name,)
        to_date = layout.year_to_date.search(name) if layout.year_to_date is not None else None
        if to_date is not None:
            found[YEAR_TO_DATE + to_date.expand(layout.year_to_date_of)] = (name,)
    return found


def row_text(table: SectionRows) -> dict[str, list[str | None]]:
    """For layouts that repeat rows: each row's text, once without the cells that may differ and once whole."""
    layout = table.section.payroll
    if not layout.once:
        return {}
    kept = [n for n, name in enumerate(table.header) if name not in layout.once_but]
    return {
        ROW: ["\x1f".join(cells[n] for n in kept if n < len(cells)) for cells in table.cells.values()],
        WHOLE_ROW: ["\x1f".join(cells) for cells in table.cells.values()],
    }
