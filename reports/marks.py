"""The columns of sheet Exceptions an advisor fills in, what they show again, and how the workbook is known later.

Nothing is lost by leaving a cell alone: the unprinted Mark id says what the row showed, so that only what somebody
changed counts as a mark when the workbook comes back.
"""

from __future__ import annotations

from datetime import date

import polars as pl
from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty

from reports.sheet import Column
from schemas import marks
from schemas.marks import MARK_HEADERS, MARK_ID, MARK_STATUSES

#: Stand after "What to do".
ENTRIES = (
    Column("your_status", MARK_HEADERS["status"], "text", 12, printed=False, entry=True, choices=MARK_STATUSES),
    Column("your_owner", MARK_HEADERS["owner"], "text", 12, printed=False, entry=True),
    Column("your_note", MARK_HEADERS["note"], "wrap", 28, printed=False, entry=True),
    Column("your_snooze", MARK_HEADERS["snooze_until"], "date", 12.5, printed=False, entry=True),
    Column("mark_told", "About your mark", "wrap", 28, printed=False),
)
#: Stands among the unprinted ones.
SHOWN_ID = Column("mark_id", MARK_ID, "id", 18, printed=False)

_CLOSED = ("done", "dismissed")
_SHOWN = {"your_status": "status", "your_owner": "owner", "your_note": "note", "your_snooze": "snooze_until"}


def with_marks(findings: pl.DataFrame) -> pl.DataFrame:
    """The findings with the fields of `ENTRIES` and `SHOWN_ID`.

    What brought a finding back takes its answer away: status (where it was closed) and snooze date are shown blank, so
    that giving the same answer again is a new mark. `put_aside` is never null.
    """
    back = pl.col("came_back").is_not_null()
    shown = findings.with_columns(
        pl.col("put_aside").fill_null(value=False),
        pl.when(back & pl.col("mark_status").is_in(_CLOSED)).then(None).otherwise("mark_status").alias("your_status"),
        pl.col("mark_owner").alias("your_owner"),
        pl.col("mark_note").alias("your_note"),
        pl.when(~back).then("snooze_until").alias("your_snooze"),
        pl.col("mark_told").map_elements(marks.clean_mark, return_dtype=pl.String),
    )
    as_shown = pl.struct("finding_id", "mark_state", *(pl.col(c).cast(pl.String) for c in _SHOWN))
    return shown.with_columns(as_shown.map_elements(_mark_id, return_dtype=pl.String).alias("mark_id"))


def _mark_id(row: dict[str, str | None]) -> str:
    fields = {name: row[column] for column, name in _SHOWN.items()}
    return marks.mark_id(row["finding_id"] or "", fields, row["mark_state"])


def sign(workbook: Workbook, *, firm: str, advisor_id: str, as_of: date) -> None:
    """Write into the workbook's properties whose it is and of which day, to know it by when it comes back.

    `firm` is the fingerprint of the firm, never its key.
    """
    stated = {
        marks.KIND_PROPERTY: marks.ADVISOR_WORKBOOK,
        marks.FIRM_PROPERTY: firm,
        marks.ADVISOR_PROPERTY: advisor_id,
        marks.AS_OF_PROPERTY: as_of.isoformat(),
    }
    for name, value in stated.items():
        workbook.custom_doc_props.append(StringProperty(name=name, value=value))
