"""Form 8606 as OpenTaxSolver fills it in (the `tenforty` package), tax years 2020-2025.

OpenTaxSolver keeps line 10 as an exact ratio in binary floating point, carries lines 11 and 12 unrounded into line 13,
and prints cents.
"""

from __future__ import annotations

from decimal import Decimal

from tenforty import core, otslib

FORM = "f8606"
LINES = ("3", "9", "11", "12", "13", "14", "15c", "18")


def form_8606(tax_year: int, lines: dict[str, Decimal]) -> dict[str, Decimal]:
    """Lines 3-18 that OpenTaxSolver prints for lines 1, 2, 4, 6, 7 and 8; a line it skips is absent."""
    came_out = lines["7"] > 0 or lines["8"] > 0
    values = {f"L{line}": str(amount) for line, amount in lines.items()} | {
        "Complete_Part_One?": "yes",
        "Dist_or_Conv?": "yes" if came_out else "no",
        "Complete_Part_Two?": "yes" if lines["8"] > 0 else "no",
        "Complete_Part_Three?": "no",
        "L15b": "0",
    }
    layout = core.OTS_FORM_CONFIG[tax_year, "Form_8606"]
    printed = otslib._evaluate_form(tax_year, FORM, core.generate_ots_return(values, layout), None, "raise")
    return dict(_amounts(printed))


def _amounts(printed: str) -> list[tuple[str, Decimal]]:
    found = []
    for line in printed.splitlines():
        name, _, value = line.partition("=")
        if name.startswith("L") and name.strip()[1:] in LINES:
            found.append((name.strip()[1:], Decimal(value.split()[0])))
    return found
