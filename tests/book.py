"""A small book in canonical form, for tests of the engine without going through files.

`Book.add("balances", ...)` takes plain text or Python values, fills the columns a test doesn't care about, types them
as the canonical schema says, and `compute` runs the whole engine and hands back its result tables.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from schemas.tables import INPUT_TABLES, INTAKE_FILES, INTAKE_REJECTS, RESULT_TABLES, Column, Table
from transforms.engine import compute

DEFAULTS: dict[str, dict[str, Any]] = {
    "persons": {"household_id": "H1", "advisor_id": "A1", "given_name": "Case", "family_name": "Person",
                "birth_date": "1986-06-15"},
    "tax_profiles": {"filing_status": "single", "roth_magi": 9_000_000, "deduction_magi": 9_000_000,
                     "compensation": 9_000_000, "active_participant": True, "all_iras_reported": True},
    "accounts": {"custodian": "testcust", "profile": "house-accounts"},
    "balances": {"custodian": "testcust", "coverage": "full"},
    "transactions": {"custodian": "testcust", "classification": "mapped", "profile": "house-transactions"},
    "plans": {"employer_name": "Employer", "employer_group_id": "G1", "plan_type": "401k",
              "after_tax_contributions": True, "in_plan_roth_conversion": True, "in_service_distribution": True,
              "ira_roll_in": True, "roth_deferrals": True},
    "plan_contributions": {
        "compensation": 9_000_000, "pre_tax_deferrals": 0, "roth_deferrals": 0, "after_tax_contributions": 0,
        "employer_match": 0, "employer_nonelective": 0, "forfeitures": 0, "expected_employer_contributions": 0,
        "expected_deferrals": 0, "prior_year_fica_wages": 0, "highly_compensated": False, "controls_employer": False,
        "after_tax_balance": 0, "after_tax_basis": 0, "currently_employed": True},
    "payroll_contributions": {"recordkeeper": "keeper", "recordkeeper_plan": "P100", "amount_is": "period"},
    "plan_sources": {"recordkeeper": "keeper", "recordkeeper_plan": "P100", "plan_id": "L1"},
    "form_5498": {"custodian": "testcust"},
    "form_1099r": {"custodian": "testcust", "box_7_codes": "7"},
    "account_links": {"custodian": "testcust", "approved_by": "Ops", "approved_on": "2026-06-01"},
    "renumbered_accounts": {"custodian": "testcust"},
    "tax_id_changes": {"changed_on": "2026-03-01"},
    "link_decisions": {"decided_by": "Ops", "decided_on": "2026-06-01"},
    "rejects": {"blocks": True, "file": "bad.csv", "line_number": 2, "rule": "not_a_date"},
}  # fmt: skip


def _typed(column: Column, value: Any) -> Any:
    if value is None or value == "":
        return None
    match column.kind:
        case "money" | "percent" | "ratio":
            return Decimal(str(value))
        case "date":
            return value if isinstance(value, date) else date.fromisoformat(value)
        case "year" | "int":
            return int(value)
        case "bool":
            return value if isinstance(value, bool) else {"true": True, "false": False}[value]
        case _:
            return value


class Book:
    """Rows by table; every row gets a source file and line of its own."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.add("advisors", advisor_id="A1", advisor_name="Advisor One", rep_codes="R1")

    def add(self, table: str, **values: Any) -> Book:
        """Add one row; unnamed columns take the test defaults, the rest are null."""
        n = len(self.rows[table]) + 2
        row = {**DEFAULTS.get(table, {}), "source_file": f"{table}.csv", "source_line": n, "source_sha256": table,
               "received_at": "2026-01-01", **values}  # fmt: skip
        row.setdefault("profile", f"house-{table}")
        if table == "persons" and "given_name" not in values:
            # two test persons are two humans unless a test says otherwise
            row["given_name"] = f"Case{values['person_id']}"
        if table == "transactions":
            row.setdefault("transaction_id", f"T{n}")
        self.rows[table].append(row)
        return self

    def person(self, person_id: str = "P1", tax_year: int = 2026, **profile: Any) -> Book:
        """A person with a tax profile; `birth_date` and `spouse_person_id` go to the person."""
        who = {k: profile.pop(k) for k in ("birth_date", "spouse_person_id", "advisor_id") if k in profile}
        self.add("persons", person_id=person_id, **who)
        return self.add("tax_profiles", person_id=person_id, tax_year=tax_year, **profile)

    def ira(
        self, number: str, value: Any, *, person_id: str = "P1", kind: str = "traditional_ira",
        as_of: str = "2026-11-20", **account: Any,
    ) -> Book:  # fmt: skip
        """An account with one balance."""
        self.add("accounts", account_number=number, account_type=kind, person_id=person_id, **account)
        if value is not None:
            self.add("balances", account_number=number, as_of=as_of, market_value=value)
        return self

    def event(self, number: str, day: str, kind: str, amount: Any, **more: Any) -> Book:
        """One transaction."""
        return self.add(
            "transactions", account_number=number, trade_date=day, transaction_type=kind, amount=amount, **more
        )

    def convert(self, day: str, amount: Any, *, out_of: str = "T", into: str = "R") -> Book:
        """Both legs of a Roth conversion."""
        return self.event(out_of, day, "roth_conversion_out", amount).event(into, day, "roth_conversion_in", amount)

    def write(self, folder: Path) -> Path:
        """The canonical folder intake would have written."""
        folder.mkdir(parents=True, exist_ok=True)
        for table in (*INPUT_TABLES.values(), INTAKE_REJECTS, INTAKE_FILES):
            _frame(table, self.rows[table.name]).write_parquet(folder / f"{table.name}.parquet")
        return folder

    def compute(
        self, *, as_of: str = "2026-12-01", tax_years: Sequence[int] = (2026,), previous: Path | None = None,
        run: Path | None = None, choices: dict[str, str] | None = None,
    ) -> dict[str, pl.DataFrame]:  # fmt: skip
        """Run the engine over this book; every result table by name."""
        with tempfile.TemporaryDirectory() as scratch:
            target = run or Path(scratch) / "run"
            canonical = self.write(Path(scratch) / "canonical")
            compute(canonical, target, as_of=date.fromisoformat(as_of), tax_years=tax_years, previous=previous,
                    choices=choices)  # fmt: skip
            return {name: pl.read_parquet(target / "results" / f"{name}.parquet") for name in RESULT_TABLES}


def _frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    kinds = {c.name: c for c in (*table.columns, *table.internal)}
    known = [
        {
            name: _typed(kinds[name], row.get(name)) if name in kinds
            else (date.fromisoformat(row[name]) if name == "received_at" else row.get(name))
            for name in table.schema
        }
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(known, schema=table.schema)
