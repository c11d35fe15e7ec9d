"""Form 8606 for one person, line by line from the form and its instructions, in plain Decimal arithmetic.

Written from the form, not from the engine, so that the two can be held against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Form8606:
    """Lines of Part I and Part II; None where the form says to skip the line."""

    line_3: Decimal
    line_9: Decimal | None
    line_11: Decimal | None
    line_12: Decimal | None
    line_13: Decimal | None
    line_14: Decimal
    line_15c: Decimal | None
    line_18: Decimal | None


def form_8606(
    line_1: Decimal, line_2: Decimal, line_4: Decimal, line_6: Decimal, line_7: Decimal, line_8: Decimal
) -> Form8606:
    """Fill the form in. All arguments are US dollars with cents; the ratio is exact, cents half up."""
    line_3 = line_1 + line_2
    if line_7 == 0 and line_8 == 0:
        return Form8606(line_3, None, None, None, None, line_3, None, None)
    line_5 = line_3 - line_4
    line_9 = line_6 + line_7 + line_8
    ratio_top = min(line_5, line_9)
    line_11 = (line_8 * ratio_top / line_9).quantize(CENT, ROUND_HALF_UP)
    line_12 = (line_7 * ratio_top / line_9).quantize(CENT, ROUND_HALF_UP)
    overage = line_11 + line_12 - line_5
    if overage > 0:
        cut = min(overage, line_11)
        line_11 -= cut
        line_12 -= overage - cut
    line_13 = line_11 + line_12
    return Form8606(line_3, line_9, line_11, line_12, line_13, line_3 - line_13, line_7 - line_12, line_8 - line_11)


def worksheet_1_1(
    basis: Decimal, contributions: Decimal, deducted: Decimal, year_end: Decimal, line_7: Decimal, line_8: Decimal
) -> Form8606:
    """Pub 590-B Worksheet 1-1, then Form 8606 from its line 8: all of the year's contributions are in the numerator.

    `contributions` is everything contributed for the year, `deducted` the part of it that was deducted.
    """
    numerator = basis + contributions
    denominator = year_end + line_7 + line_8
    line_3 = basis + contributions - deducted
    top = min(numerator, denominator)
    line_11 = (line_8 * top / denominator).quantize(CENT, ROUND_HALF_UP)
    line_12 = (line_7 * top / denominator).quantize(CENT, ROUND_HALF_UP)
    overage = line_11 + line_12 - min(line_3, numerator)
    if overage > 0:
        cut = min(overage, line_11)
        line_11 -= cut
        line_12 -= overage - cut
    line_13 = line_11 + line_12
    return Form8606(
        line_3, denominator, line_11, line_12, line_13, line_3 - line_13, line_7 - line_12, line_8 - line_11
    )
