"""A finished run's files, written by hand in the result schemas: enough to fill every sheet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from schemas.tables import INPUT_TABLES, RESULT_TABLES, result_schema

AS_OF = date(2026, 11, 24)
FINGERPRINT = "0f1e2d3c4b5a" + "0" * 52
CANONICAL = ("persons", "advisors", "corrections")


def money(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.01"))


class RunFiles:
    """Rows by table; a column that isn't given is null."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, /, **values: Any) -> RunFiles:
        self.rows.setdefault(table, []).append(values)
        return self

    def person(self, person_id: str, advisor_id: str, given: str, family: str, household: str = "H1") -> RunFiles:
        return self.add(
            "persons",
            person_id=person_id,
            advisor_id=advisor_id,
            given_name=given,
            family_name=family,
            household_id=household,
        )

    def finding(self, finding_id: str, person_id: str | None, advisor_id: str | None, **more: Any) -> RunFiles:
        row = {
            "rule": "conversion_taxed_pro_rata",
            "tax_year": 2026,
            "severity": "high",
            "status": "open",
            "first_seen": AS_OF,
            "last_changed": AS_OF,
            "amount": money("2423.08"),
            "deadline": date(2026, 12, 31),
            "title": "$6,923.08 of a $7,500 Roth conversion is taxable",
            "explanation": "Pre-tax money is in the IRAs.",
            "action": "Move it to a plan.",
            "evidence": ["conversion of $7,500 [History_211000101.csv:14]"],
            "amount_is": "tax",
            "authority": "IRC 408(d)(2)",
            "household_id": "H1",
            "rank": len(self.rows.get("findings", [])) + 1,
        }
        return self.add(
            "findings", finding_id=finding_id, person_id=person_id, advisor_id=advisor_id, **{**row, **more}
        )

    def write(self, run: Path) -> Path:
        for folder in ("results", "canonical", "derived"):
            (run / folder).mkdir(parents=True, exist_ok=True)
        for name in RESULT_TABLES:
            self._write(run / "results" / f"{name}.parquet", name, result_schema(name))
        for name in CANONICAL:
            self._write(run / "canonical" / f"{name}.parquet", name, INPUT_TABLES[name].schema)
        if "limits_used" in self.rows:
            frame = pl.DataFrame(
                self.rows["limits_used"], schema_overrides={"tax_year": pl.Int32, "value": pl.Decimal(18, 2)}
            )
            frame.write_parquet(run / "derived" / "limits_used.parquet")
        return run

    def _write(self, path: Path, name: str, schema: dict[str, pl.DataType]) -> None:
        rows = [{column: row.get(column) for column in schema} for row in self.rows.get(name, [])]
        pl.DataFrame(rows, schema=schema).write_parquet(path)


def form_8606(status: str = "COMPUTED") -> dict[str, Any]:
    """Lines of a 2026 form: $7,500 contributed and converted, $90,000 left in the pool, no basis before."""
    figures = {
        "line_1": "7500",
        "line_2": "0",
        "line_3": "7500",
        "line_4": "0",
        "line_5": "7500",
        "line_6": "90000",
        "line_7": "0",
        "line_8": "7500",
        "line_9": "97500",
        "line_11": "576.92",
        "line_12": "0",
        "line_13": "576.92",
        "line_14": "6923.08",
        "line_15a": "0",
        "line_15b": "0",
        "line_15c": "0",
        "line_16": "7500",
        "line_17": "576.92",
        "line_18": "6923.08",
    }
    return {
        "status": status,
        "reasons": [],
        "basis_of_line_6": "projected",
        "line_10": Decimal("0.0769230769"),
        **{line: money(value) for line, value in figures.items()},
    }


def small_book() -> RunFiles:
    """Two advisors, one of whom isn't in the advisors file; every kind of row once."""
    run = RunFiles()
    run.add("advisors", advisor_id="A1", advisor_name="Dana Whitfield")
    run.person("P1", "A1", "Maria", "Alvarez", "H1").person("P2", "A1", "Luis", "Alvarez", "H1")
    run.person("P3", "A1", "Ruth", "Okafor", "H2").person("P9", "B7", "Owen", "Secret", "H9")
    for person in ("P1", "P9"):
        run.add("form_8606", person_id=person, tax_year=2026, **form_8606())
    run.add(
        "form_8606",
        person_id="P2",
        tax_year=2026,
        **{**form_8606("UNKNOWN"), "reasons": ["basis_not_stated: state line 14 of the last Form 8606 filed"]},
    )
    run.add(
        "ira_limits",
        person_id="P1",
        tax_year=2026,
        status="COMPUTED",
        reasons=[],
        roth_magi=money("260000"),
        contribution_limit=money("7500"),
        roth_limit=money("0"),
        nondeductible_contributions=money("7500"),
    )
    run.add(
        "ira_limits",
        person_id="P3",
        tax_year=2026,
        status="UNKNOWN",
        reasons=["birth_date_missing: state birth_date in persons", "compensation_missing: state compensation"],
    )
    run.add(
        "mega_backdoor",
        person_id="P1",
        employer_group_id="G1",
        tax_year=2026,
        status="REVIEW",
        reasons=["limitation_year: the plan's limitation year is not the calendar year"],
        room=money("32500"),
        annual_additions_limit=money("72000"),
        annual_additions=money("39500"),
        room_before_acp_test=True,
    )
    run.add(
        "mega_backdoor",
        person_id="P2",
        employer_group_id="G2",
        tax_year=2026,
        status="UNKNOWN",
        room=money("32500"),
        reasons=["forfeitures: were forfeitures allocated this year, and how much?"],
    )
    run.add(
        "elective_deferrals",
        person_id="P1",
        tax_year=2026,
        status="COMPUTED",
        reasons=[],
        deferral_limit=money("24500"),
        catch_up_limit=money("8000"),
        deferrals=money("24500"),
        remaining=money("8000"),
        excess_deferrals=money("0"),
        catch_up_must_be_roth=True,
    )
    run.add("elective_deferrals", person_id="P3", tax_year=2026, status="COMPUTED", reasons=[], deferrals=money("1000"))
    run.add(
        "ira_aggregation",
        person_id="P1",
        tax_year=2026,
        account_key="fidelity:211000101",
        custodian="fidelity",
        account_type="rollover_ira",
        in_pool=True,
        why="all of a person's are one (408(d)(2))",
        market_value=money("90000"),
        as_of=date(2026, 11, 20),
    )
    run.add(
        "ira_aggregation",
        person_id="P1",
        tax_year=2026,
        account_key="schwab:55550102",
        custodian="schwab",
        account_type="inherited_traditional_ira",
        in_pool=None,
        why="inherited: not stated from whom",
    )
    run.finding("f1", "P1", "A1", status="new", rank=2)
    run.finding(
        "f2",
        "P3",
        "A1",
        rule="deferral_excess",
        severity="critical",
        amount=money("1200.50"),
        amount_is="excess",
        deadline=date(2026, 11, 20),
        title="Deferrals above the limit",
        rank=1,
    )
    run.finding("f3", "P1", "A1", severity="info", title="Converted on purpose", rank=0)
    run.finding("f4", "P2", "A1", status="resolved", title="An old problem", rank=99)
    run.finding(
        "f5",
        "P2",
        "A1",
        rule="basis_unknown",
        amount=None,
        amount_is="not known",
        title="IRA basis is not known",
        status="changed",
        deadline=None,
        severity="medium",
    )
    run.finding(
        "f6",
        None,
        "A1",
        rule="unmatched_account",
        title="Account schwab ...7777 belongs to no client",
        tax_year=None,
        amount=money("50000"),
        amount_is="value",
        explanation="No person_id [Positions_883377777.csv:3]",
        household_id=None,
    )
    run.finding(
        "f7",
        None,
        None,
        rule="unmatched_account",
        title="Account fidelity ...8888 belongs to no client",
        amount_is="value",
        household_id=None,
    )
    run.finding("f9", "P9", "B7", title="Secret's exception", household_id="H9")
    run.add(
        "files",
        sha256="a" * 64,
        file_name="History_for_Account_211000101.csv",
        kind="transactions",
        custodian="fidelity",
        rows=10,
        accepted=9,
        rejected=1,
        state="partial",
        received_at=AS_OF,
    )
    run.add(
        "files",
        sha256="b" * 64,
        file_name="persons.csv",
        kind="persons",
        rows=4,
        accepted=4,
        rejected=0,
        state="accepted",
        received_at=AS_OF,
    )
    run.add(
        "arrivals",
        source="Fidelity history",
        kind="transactions",
        custodian="fidelity",
        expected_on=AS_OF,
        state="arrived",
        last_received_at=AS_OF,
        last_as_of=AS_OF,
    )
    run.add(
        "arrivals",
        source="Pershing positions 883377777",
        kind="balances",
        custodian="pershing",
        expected_on=date(2026, 11, 20),
        state="missing",
        message="the grace is over: ask the sender",
    )
    run.add(
        "rejects",
        file="History_for_Account_211000101.csv",
        line_number=7,
        column="amount",
        rule="not_money",
        message="expected plain dollars",
        raw_line_sha256="c" * 64,
        source_sha256="a" * 64,
    )
    _for_compliance(run)
    run.add(
        "limits_used",
        tax_year=2026,
        key="ira_contribution_limit",
        filing_status="",
        value=money("7500"),
        authority="IRS Notice 2025-67",
    )
    return run


def _for_compliance(run: RunFiles) -> None:
    """A move without its other leg, a box that differs, an excess nobody knows yet, a correction, a night before."""
    history = "History_for_Account_211000101.csv"
    run.add(
        "event_pairs",
        person_id="P1",
        tax_year=2026,
        kind="roth_conversion",
        state="unpaired",
        out_account_key="fidelity:211000101",
        left_on=date(2026, 10, 5),
        out_amount=money("7500"),
        days_open=50,
        out_file=history,
        out_line=14,
    )
    run.add("event_pairs", person_id="P1", tax_year=2026, kind="rollover", state="paired", out_amount=money("1"))
    run.add(
        "reconciliation",
        person_id="P1",
        custodian="schwab",
        account_key="schwab:55550102",
        tax_year=2025,
        form="5498",
        box="5",
        what="fair market value",
        form_amount=money("89999.75"),
        book_amount=money("90250.00"),
        difference=money("-250.25"),
        state="differs",
    )
    run.add(
        "reconciliation", person_id="P1", account_key="schwab:1", tax_year=2025, form="5498", box="1", state="agrees"
    )
    run.add(
        "excess_contributions",
        person_id="P2",
        tax_year=2026,
        ira_kind="roth",
        status="UNKNOWN",
        reasons=["excess_before_not_known: state it in excess_carryovers"],
        cumulative_excess=money("3500"),
        excise_tax=money("210"),
    )
    run.add(
        "corrections",
        table="transactions",
        column="amount",
        person_id="P1",
        target_file=history,
        target_line=9,
        shown_before="75000.00",
        shown_after="7500.00",
        declared_by="Carl",
        declared_on=date(2026, 11, 20),
        reason="typed one nought too many",
        source_file="corrections.csv",
        source_line=2,
    )
    shared = {"rows": 14, "rows_set_aside": 1, "clients": 4, "critical": 1, "high": 4, "mega_backdoor_unknown": 1}
    run.add("trend", as_of=date(2026, 11, 23), files=3, form_8606_computed=0, form_8606_unknown=4, **shared)
    run.add("trend", as_of=AS_OF, files=2, form_8606_computed=2, form_8606_unknown=1, **shared)


def large_book(advisors: int = 5, households: int = 40) -> RunFiles:
    """A demo-sized book: two spouses per household, three accounts and a finding each, two tax years."""
    run = RunFiles()
    for n in range(advisors):
        run.add("advisors", advisor_id=f"A{n}", advisor_name=f"Advisor {n}")
    for n in range(households * 2):
        person, advisor = f"P{n:03}", f"A{n // 2 % advisors}"
        run.person(person, advisor, f"Given{n}", f"Family{n // 2}", f"H{n // 2:03}")
        for year in (2025, 2026):
            run.add("form_8606", person_id=person, tax_year=year, **form_8606())
            run.add(
                "ira_limits", person_id=person, tax_year=year, status="COMPUTED", reasons=[], roth_magi=money("260000")
            )
            run.add("elective_deferrals", person_id=person, tax_year=year, status="COMPUTED", deferrals=money("24500"))
            run.add(
                "mega_backdoor",
                person_id=person,
                employer_group_id="G",
                tax_year=year,
                status="UNKNOWN",
                reasons=["forfeitures: were forfeitures allocated this year, and how much?"],
            )
            for k in range(3):
                run.add(
                    "ira_aggregation",
                    person_id=person,
                    tax_year=year,
                    account_key=f"c:{n:05}{k:04}",
                    custodian="c",
                    account_type="traditional_ira",
                    in_pool=True,
                    why="one pool",
                    market_value=money("1"),
                    as_of=AS_OF,
                )
        run.finding(f"f{n}", person, advisor, explanation="A sentence of ordinary length about this person. " * 4)
    for year in (2025, 2026):
        for n in range(50):
            run.add(
                "limits_used", tax_year=year, key=f"figure_{n}", filing_status="", value=money("7500"), authority="IRC"
            )
    return run
