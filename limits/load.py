"""Read the yearly figures and hand them out as plain rows.

A figure is (tax_year, key, filing_status, value, authority). Values are whole US dollars. `IDENTITIES`
of the law between figures, and completeness of every year, are tested in tests/code_health.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: Figures that the law only has from a certain year on; every other key must be in every year.
FIRST_YEAR = {
    "roth_catch_up_fica_wage_threshold": 2024,  # SECURE 2.0 s.603
    "simple_catch_up_50_enhanced_110pct": 2024,  # SECURE 2.0 s.117
    "simple_deferral_enhanced_110pct": 2024,  # SECURE 2.0 s.117
    "catch_up_414v_60_63": 2025,  # SECURE 2.0 s.109
    "simple_catch_up_60_63": 2025,  # SECURE 2.0 s.109
}

#: October 15: the extended due date by which an excess is still cured (IRC 408(d)(4), Reg. 301.9100-2).
EXTENDED_DUE_MONTH_DAY = (10, 15)


class UnknownTaxYear(ValueError):
    """Raised for a tax year without a limits file; the message names the year and the file to add."""


@dataclass(frozen=True)
class Limit:
    """One figure of one tax year, in whole US dollars, with the authority that set it."""

    tax_year: int
    key: str
    filing_status: str
    value: int
    authority: str
    how_verified: str


@dataclass(frozen=True)
class YearLimits:
    """Every figure of one tax year and the IRA contribution due date (April of the next year)."""

    tax_year: int
    limits: tuple[Limit, ...]
    ira_contribution_due_date: date
    due_date_note: str

    @property
    def extended_due_date(self) -> date:
        """October 15 of the next year, or the Monday after it where that is a weekend (IRC 7503)."""
        due = date(self.tax_year + 1, *EXTENDED_DUE_MONTH_DAY)
        return due + timedelta(days=max(0, 7 - due.weekday()) if due.weekday() > 4 else 0)


def years() -> tuple[int, ...]:
    """Tax years that have a limits file, ascending."""
    return tuple(sorted(int(p.stem) for p in HERE.glob("[0-9][0-9][0-9][0-9].toml")))


@lru_cache
def for_year(tax_year: int) -> YearLimits:
    """The figures of `tax_year`. Raises `UnknownTaxYear`; never projects another year's figures."""
    path = HERE / f"{tax_year}.toml"
    if not path.exists():
        known = years()
        raise UnknownTaxYear(
            f"there are no limits for tax year {tax_year} (held: {known[0]}-{known[-1]}); "
            f"add limits/{tax_year}.toml with every figure and its authority, or leave that year out"
        )
    return _parse(tax_year, tomllib.loads(path.read_text(encoding="utf-8")))


def _parse(tax_year: int, raw: dict[str, Any]) -> YearLimits:
    if raw["tax_year"] != tax_year:
        raise ValueError(f"limits/{tax_year}.toml says tax_year = {raw['tax_year']}")
    due = raw["ira_contribution_due_date"]
    found = tuple(
        Limit(tax_year, r["key"], r.get("filing_status", ""), r["value"], r["authority"], r["how_verified"])
        for r in raw["limit"]
    )
    return YearLimits(tax_year, found, due["date"], due["note"])


def for_years(tax_years: Sequence[int]) -> tuple[YearLimits, ...]:
    """The figures of several tax years, in the order given."""
    return tuple(for_year(y) for y in tax_years)


def rmd_ages() -> tuple[tuple[int, int], ...]:
    """(born in this year or later, age at which required minimum distributions begin), ascending; IRC 401(a)(9)(C)."""
    raw = tomllib.loads((HERE / "rmd_ages.toml").read_text(encoding="utf-8"))
    return tuple((r["born_from"], r["age"]) for r in raw["rmd_age"])


@lru_cache
def market_holidays() -> tuple[date, ...]:
    """Days from Monday to Friday on which the US stock markets are closed, ascending; whole for `holiday_years`.

    Raises ValueError where a day is of a year the file doesn't claim to hold.
    """
    raw = tomllib.loads((HERE / "market_holidays.toml").read_text(encoding="utf-8"))
    found: tuple[date, ...] = tuple(sorted(raw["closed"]))
    held = range(raw["first_year"], raw["last_year"] + 1)
    if any(day.year not in held for day in found):
        raise ValueError(f"limits/market_holidays.toml has a day outside {held[0]}-{held[-1]}")
    return found


@lru_cache
def holiday_years() -> tuple[int, int]:
    """The first and the last year for which `market_holidays` is whole."""
    raw = tomllib.loads((HERE / "market_holidays.toml").read_text(encoding="utf-8"))
    return raw["first_year"], raw["last_year"]


def default_tax_years(as_of: date) -> tuple[int, ...]:
    """The tax year of `as_of`, and the year before while its returns can still be filed on extension (October 15)."""
    before = as_of.year - 1
    open_until = date(as_of.year, *EXTENDED_DUE_MONTH_DAY)
    return (before, as_of.year) if as_of <= open_until else (as_of.year,)


def digest() -> str:
    """sha256 over every file of figures and switches in limits/, so that a workbook says which figures it rests on."""
    whole = hashlib.sha256()
    for year in years():
        whole.update((HERE / f"{year}.toml").read_bytes())
    for name in ("contested.toml", "rmd_ages.toml", "market_holidays.toml"):
        whole.update((HERE / name).read_bytes())
    return whole.hexdigest()
