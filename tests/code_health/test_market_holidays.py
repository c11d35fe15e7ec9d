"""The list of market holidays against the exchange's rule, computed here from nothing but the calendar."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from limits import load

DAY = timedelta(days=1)
#: Days of mourning no rule gives: G. H. W. Bush and Carter.
MOURNING = {date(2018, 12, 5), date(2025, 1, 9)}
FIRST, LAST = load.holiday_years()


def easter(year: int) -> date:
    """Easter Sunday by Oudin's method (Gregorian calendar)."""
    century, golden = year // 100, year % 19
    moon = (century - century // 4 - (century - (century - 17) // 25) // 3 + 19 * golden + 15) % 30
    moon -= (moon // 28) * (1 - (moon // 28) * (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    place = moon - weekday
    month = 3 + (place + 40) // 44
    return date(year, month, place + 28 - 31 * (month // 4))


def nth(year: int, month: int, weekday: int, n: int) -> date:
    days = [d for d in (date(year, month, 1) + k * DAY for k in range(31)) if d.month == month]
    return [d for d in days if d.weekday() == weekday][n]


def observed(day: date) -> date:
    return day - DAY if day.weekday() == 5 else day + DAY if day.weekday() == 6 else day


def by_rule(year: int) -> Iterator[date]:
    if date(year, 1, 1).weekday() != 5:  # a New Year's Day on a Saturday is not made up for
        yield observed(date(year, 1, 1))
    yield from (nth(year, 1, 0, 2), nth(year, 2, 0, 2), easter(year) - 2 * DAY, nth(year, 5, 0, -1))
    if year >= 2022:
        yield observed(date(year, 6, 19))
    yield from (observed(date(year, 7, 4)), nth(year, 9, 0, 0), nth(year, 11, 3, 3), observed(date(year, 12, 25)))


@pytest.mark.parametrize("year", range(FIRST, LAST + 1))
def test_the_year_holds_the_days_of_the_rule_and_of_mourning_only(year: int) -> None:
    held = {day for day in load.market_holidays() if day.year == year}
    assert held == set(by_rule(year)) | {day for day in MOURNING if day.year == year}
    assert all(day.weekday() < 5 for day in held)


def test_every_tax_year_with_limits_has_its_holidays() -> None:
    assert set(load.years()) <= set(range(FIRST, LAST + 1))
