"""What a file says of itself: the day its content is of, whether it lists everything, whom it was made for."""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.models import read_date
from transforms.intake.reading import Reading

#: How the lines around the rows write a day, whatever the rows of the layout use.
_STATED = ("%m/%d/%Y", "%m-%d-%Y", "%b-%d-%Y", "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")
#: Columns of a house file that say which day a row is of.
_HOUSE_DAYS = ("as_of", "trade_date")
#: Columns of a custodian's rows that do: `as_of` of values and payrolls, `day` of account events.
_CUSTODIAN_DAYS = ("as_of", "day")


def content_as_of(reading: Reading, received_at: date) -> date | None:
    """The day the content of a file is of; null where the file doesn't say.

    The day a line of the file states for the whole of it, else the newest day of its rows. A day after `received_at` is
    a slip of the pen or planned, never what the content is of, and is passed over.
    """
    if not reading.whole:
        return reading.day
    profile = reading.custodian_profile
    formats = (*(profile.dates if profile else ()), *_STATED)
    stated = pl.Series([reading.said.get("as_of")], dtype=pl.String)
    return _newest(stated, formats, received_at) or max(_of_rows(reading, formats, received_at), default=None)


def _of_rows(reading: Reading, formats: tuple[str, ...], received_at: date) -> list[date]:
    frames = [(reading.house, _HOUSE_DAYS)] if reading.house is not None else []
    frames += [(frame, _CUSTODIAN_DAYS) for frame in reading.sections.values()]
    days = [_newest(f[c], formats, received_at) for f, columns in frames for c in columns if c in f.columns]
    return [day for day in days if day is not None]


def _newest(texts: pl.Series, formats: tuple[str, ...], latest: date) -> date | None:
    days = texts.unique().to_frame("text").select(read_date(pl.col("text"), formats).alias("day"))
    newest: date | None = days.filter(pl.col("day") <= latest)["day"].max()  # type: ignore[assignment]
    return newest


def coverage(reading: Reading) -> str | None:
    """`full` or `delta` where the file says which it is; null where it doesn't."""
    profile = reading.custodian_profile
    return profile.modes.get(reading.said.get("mode", "")) if profile else None


def made_for(reading: Reading) -> str | None:
    """The recipient a file names (Pershing: the remote id of the firm); null where it names none."""
    return reading.said.get("remote")
