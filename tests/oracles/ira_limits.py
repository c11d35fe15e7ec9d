"""IRA contribution limits, excess and the 6% tax of one person: sections 219, 408A(c), 4973, in exact fractions.

Written from the rules and Pub 590-A, not from the engine, so that the two can be held against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ZERO = Decimal(0)
Range = tuple[int, int]


@dataclass(frozen=True)
class Figures:
    """The year's dollar figures by filing status; what `single` has, head of household and married apart have too."""

    limit: int
    catch_up: int
    roth_single: Range
    roth_joint: Range
    covered_single: Range
    covered_joint: Range

    def roth(self, filing_status: str) -> Range:
        """The Roth range, 408A(c)(3)."""
        return _pick(filing_status, self.roth_single, self.roth_joint)

    def covered(self, filing_status: str) -> Range:
        """The deduction range of somebody covered at work, 219(g)(3)(B)."""
        return _pick(filing_status, self.covered_single, self.covered_joint)

    def spouse_covered(self, filing_status: str) -> Range | None:
        """The deduction range where only the spouse is covered, 219(g)(7): the joint Roth range, or None."""
        return {"mfj": self.roth_joint, "mfs_lived_with_spouse": (0, 10_000)}.get(filing_status)


def _pick(filing_status: str, single: Range, joint: Range) -> Range:
    if filing_status == "mfs_lived_with_spouse":
        return 0, 10_000
    return joint if filing_status in ("mfj", "qss") else single


#: Notices 2023-75, 2024-80 and 2025-67.
FIGURES = {
    2024: Figures(7000, 1000, (146_000, 161_000), (230_000, 240_000), (77_000, 87_000), (123_000, 143_000)),
    2025: Figures(7000, 1000, (150_000, 165_000), (236_000, 246_000), (79_000, 89_000), (126_000, 146_000)),
    2026: Figures(7500, 1100, (153_000, 168_000), (242_000, 252_000), (81_000, 91_000), (129_000, 149_000)),
}


@dataclass(frozen=True)
class Limits:
    """What `ira_limits` says of a person."""

    contribution_limit: Decimal
    roth_limit: Decimal
    deduction_limit: Decimal
    nondeductible: Decimal
    traditional_excess: Decimal
    roth_excess: Decimal


def phased(base: Decimal, magi: Decimal, between: Range) -> Decimal:
    """Full up to the start, nothing from the end on; between, the reduction is rounded down to $10 and $200 is left."""
    start, end = between
    if magi <= start:
        return base
    if magi >= end:
        return ZERO
    reduction = Fraction(base) * Fraction(magi - start) / (end - start)
    return min(base, max(Decimal(200), base - 10 * (reduction // 10)))


def ira_limits(
    tax_year: int, *, age: int, filing_status: str, compensation: Decimal, roth_magi: Decimal, deduction_magi: Decimal,
    covered: bool, spouse_covered: bool, traditional: Decimal, roth: Decimal,
    spouse_compensation: Decimal = ZERO, spouse_contributed: Decimal = ZERO,
) -> Limits:  # fmt: skip
    """Every limit of a person whose facts are all known. Contributions are net of what was returned or moved."""
    figures = FIGURES[tax_year]
    dollar_limit = Decimal(figures.limit + (figures.catch_up if age >= 50 else 0))
    usable = compensation
    if filing_status == "mfj" and compensation < min(dollar_limit, spouse_compensation):
        usable = max(ZERO, compensation + spouse_compensation - spouse_contributed)
    limit = min(dollar_limit, usable)

    by_income = phased(limit, roth_magi, figures.roth(filing_status))
    roth_limit = max(ZERO, min(by_income, limit - traditional))

    deduction_range = figures.covered(filing_status) if covered else None
    if not covered and spouse_covered:
        deduction_range = figures.spouse_covered(filing_status)
    deduction = min(limit, phased(dollar_limit, deduction_magi, deduction_range)) if deduction_range else limit

    low, high = figures.roth(filing_status)
    over = max(ZERO, roth - roth_limit)
    # the worksheets' three places may allow $10 more inside the range, never more than both kinds together may have
    forgiven = over <= 10 and low < roth_magi < high and roth <= limit - traditional
    return Limits(
        contribution_limit=limit,
        roth_limit=roth_limit,
        deduction_limit=deduction,
        nondeductible=max(ZERO, min(traditional, limit) - min(traditional, deduction)),
        traditional_excess=max(ZERO, traditional - limit),
        roth_excess=ZERO if forgiven else over,
    )


@dataclass(frozen=True)
class Year:
    """One kind of IRA in one year: new excess, room left, excess of earlier years taken out late, December 31 value.

    `shared_room` is what the limit of both kinds together leaves; the traditional excess takes it up first.
    """

    excess: Decimal
    room: Decimal
    shared_room: Decimal
    withdrawn_late: Decimal
    value: Decimal


def excise(years: Sequence[Year], absorbed_by_traditional: Sequence[Decimal]) -> list[tuple[Decimal, Decimal, Decimal]]:
    """(excess at the end of the year, 6% tax, absorbed) of each year, Form 5329 Parts III and IV."""
    carried, said = ZERO, []
    for year, others in zip(years, absorbed_by_traditional, strict=True):
        carried -= min(carried, year.withdrawn_late)
        absorbed = min(carried, year.room, max(ZERO, year.shared_room - others))
        carried += year.excess - absorbed
        tax = (min(carried, year.value) * 6 / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        said.append((carried, tax, absorbed))
    return said
