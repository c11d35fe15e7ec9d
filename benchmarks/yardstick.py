"""What the yardsticks share: the command line, the law's figures, Fidelity's words and the lines of Form 8606."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

YEAR = 2026
POOL = ("traditional_ira", "rollover_ira")
#: How the words of an action begin; every other one is `market`.
FIDELITY_TYPES = {
    "CASH CONTRIBUTION CURRENT YEAR": "contribution", "CONV TO ROTH IRA": "roth_conversion_out",
    "ROTH CONVERSION": "roth_conversion_in", "FED TAX W/H": "withholding", "NORMAL DISTR": "distribution",
}  # fmt: skip
#: What reaches lines 6, 7, 8 and 1 of the form.
MOVES = ("contribution", "roth_conversion_out", "distribution", "withholding")
LINES = tuple(f"line_{name}" for name in (*range(1, 15), "15a", "15b", "15c", "16", "17", "18"))


def figures() -> dict[tuple[str, str], int]:
    """The law's figures of the year, by name and filing status."""
    text = (Path(__file__).parents[1] / "limits" / f"{YEAR}.toml").read_text(encoding="utf-8")
    return {(one["key"], one.get("filing_status", "")): one["value"] for one in tomllib.loads(text)["limit"]}


def asked(what: str) -> argparse.Namespace:
    """The command line of a yardstick: `book`, `workbook` and, for benchmarks/agree.py, `lines`."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("book", type=Path)
    parser.add_argument("--workbook", type=Path, required=True)
    parser.add_argument("--lines", type=Path, help="the same lines in cents, as CSV, for benchmarks/agree.py")
    return parser.parse_args()
