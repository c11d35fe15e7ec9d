"""What PolicyEngine US says of the people of `cases.py`; run with an interpreter that has `policyengine-us`.

    python tests/oracles/policyengine/reference.py < cases.jsonl > expected.jsonl

MAGI, compensation, coverage and contributions go in as they are: only the limits and phase-outs of 219 are asked.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from policyengine_core.simulations import SimulationBuilder
from policyengine_us import CountryTaxBenefitSystem

STATUS = {
    "single": "SINGLE", "hoh": "HEAD_OF_HOUSEHOLD", "qss": "SURVIVING_SPOUSE", "mfj": "JOINT",
    "mfs_lived_with_spouse": "SEPARATE", "mfs_lived_apart": "SEPARATE",
}  # fmt: skip


def expected(system: Any, year: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PolicyEngine's IRA contribution limit and deduction of each person."""
    family = [min(row["id"], row["spouse"] or row["id"]) for row in rows]
    unit = [home if row["filing_status"] == "mfj" else row["id"] for home, row in zip(family, rows, strict=True)]
    builder = SimulationBuilder()
    builder.create_entities(system)
    builder.declare_person_entity("person", [row["id"] for row in rows])
    for plural in ("households", "marital_units", "families", "spm_units", "tax_units"):
        groups = unit if plural == "tax_units" else family
        entity = next(e for e in system.group_entities if e.plural == plural)
        declared = builder.declare_entity(entity.key, sorted(set(groups)))
        builder.join_with_persons(declared, groups, ["member"] * len(rows))
    simulation = builder.build(system)
    head = [row["id"] == home or row["filing_status"] != "mfj" for row, home in zip(rows, family, strict=True)]
    for name, values in {
        "age": [row["age"] for row in rows],
        "is_tax_unit_head": head,
        "is_tax_unit_spouse": [not h for h in head],
        "is_tax_unit_dependent": [False] * len(rows),
        "is_tax_unit_head_or_spouse": [True] * len(rows),
        "ira_active_participant": [row["covered"] for row in rows],
        "ira_compensation": [row["compensation"] for row in rows],
        "traditional_ira_contributions": [row["traditional"] for row in rows],
        "roth_ira_contributions": [row["roth"] for row in rows],
    }.items():
        simulation.set_input(name, year, np.array(values))
    units = dict(zip(unit, rows, strict=True))
    in_order = [units[name] for name in sorted(units)]
    simulation.set_input("filing_status", year, np.array([STATUS[row["filing_status"]] for row in in_order]))
    simulation.set_input("ira_219g_magi", year, np.array([row["magi"] for row in in_order]))
    simulation.set_input("tax_unit_is_joint", year, np.array([row["filing_status"] == "mfj" for row in in_order]))
    together = [row["filing_status"] in ("mfj", "mfs_lived_with_spouse") for row in in_order]
    simulation.set_input("cohabitating_spouses", year, np.array(together))
    limit = simulation.calculate("ira_contribution_limit", year)
    deduction = simulation.calculate("traditional_ira_deduction", year)
    return [
        {**row, "limit": round(float(a), 2), "deduction": round(float(b), 2)}
        for row, a, b in zip(rows, limit, deduction, strict=True)
    ]


def main() -> None:
    """Read cases, write them back with PolicyEngine's answers."""
    rows = [json.loads(line) for line in sys.stdin]
    system = CountryTaxBenefitSystem()
    for year in sorted({row["tax_year"] for row in rows}):
        for row in expected(system, year, [row for row in rows if row["tax_year"] == year]):
            sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
