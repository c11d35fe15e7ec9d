"""Section 415(c) room of one participant in one employer group, from the rules page, in plain Decimal arithmetic."""

from __future__ import annotations

from decimal import Decimal

ZERO = Decimal(0)


def room(
    *, limit_415c: Decimal, limit_402g: Decimal, catch_up_limit: Decimal, compensation: Decimal, deferrals: Decimal,
    deferrals_elsewhere: Decimal, employer: Decimal, after_tax: Decimal, expected: Decimal, cap: Decimal | None,
) -> tuple[Decimal, Decimal, Decimal, Decimal]:  # fmt: skip
    """(room, annual additions, catch-up portion, excess), all in dollars."""
    left_under_402g = max(ZERO, limit_402g - deferrals_elsewhere)
    catch_up = min(catch_up_limit, max(ZERO, deferrals - left_under_402g))
    additions = deferrals - catch_up + employer + after_tax
    ceiling = min(limit_415c, compensation)
    open_room = max(ZERO, ceiling - additions - expected)
    if cap is not None:
        open_room = min(open_room, max(ZERO, cap - after_tax))
    return open_room, additions, catch_up, max(ZERO, additions - ceiling)
