"""Plan money from recordkeepers' files: what is counted once, what is added, and what nobody can count."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.book import Book
from tests.intake.nights import Book as Inbox
from tests.intake.nights import sample
from transforms.engine import compute

D = Decimal
#: Everybody's own row: as of June 30, 10,000 deferred, 4,000 matched, 3,000 still to be deferred, 1,000 to be matched.
STATED = {"plan_id": "L1", "tax_year": 2026, "as_of": "2026-06-30", "pre_tax_deferrals": 10_000,
          "employer_match": 4_000, "expected_deferrals": 3_000, "expected_employer_contributions": 1_000}  # fmt: skip


class Payroll(Book):
    """A book with one plan whose slots A, B, M, N and L are stated, and G isn't."""

    def __init__(self) -> None:
        super().__init__()
        self.add("plans", plan_id="L1")
        for column, source in (
            ("A", "pre_tax_deferrals"), ("B", "pre_tax_deferrals"), ("M", "employer_match"),
            ("Contribution_Amount_5", "after_tax_contributions"), ("L", "not_a_contribution"),
        ):  # fmt: skip
            self.add("plan_sources", source_column=column, money_source=source)
        self.add("plan_sources", recordkeeper="other", source_column="A", money_source="pre_tax_deferrals")

    def employee(self, who: str, *, stated: bool = True, tax_id: str | None = None) -> Payroll:
        self.add("persons", person_id=who, tax_id=tax_id or who)
        self.add("tax_profiles", person_id=who, tax_year=2026)
        if stated:
            self.add("plan_contributions", person_id=who, **STATED)
        return self

    def paid(self, who: str, day: str | None, column: str, amount: Any, **more: Any) -> Payroll:
        self.add("payroll_contributions", owner_tax_id=who, pay_date=day, source_column=column, amount=amount, **more)
        return self

    def to_date(self, who: str, day: str | None, column: str, amount: Any, **more: Any) -> Payroll:
        return self.paid(who, day, column, amount, amount_is="year_to_date", **more)


def _everybody() -> Payroll:
    book = Payroll()
    book.employee("base").to_date("base", "2026-07-15", "A", 11_500).paid("base", "2026-07-15", "A", 1_000)
    book.paid("base", "2026-07-31", "A", 700).paid("base", "2026-07-31", "M", 250)
    book.employee("old").to_date("old", "2026-05-31", "A", 9_000).paid("old", "2026-06-30", "A", 500)
    book.employee("columns").to_date("columns", "2026-07-15", "A", 11_000).to_date("columns", "2026-07-15", "B", 800)
    book.employee("feeds").to_date("feeds", "2026-07-15", "A", 11_500)
    book.to_date("feeds", "2026-07-31", "A", 12_000, recordkeeper="other").paid("feeds", "2026-08-14", "A", 300)
    book.employee("restated").to_date("restated", "2026-07-15", "A", 11_500, received_at="2026-08-01")
    book.to_date("restated", "2026-07-15", "A", 11_400, received_at="2026-08-15")
    book.employee("tomorrow").to_date("tomorrow", "2026-12-11", "A", 20_000)
    book.employee("last_year").to_date("last_year", "2025-12-31", "A", 23_000)
    book.employee("correction").paid("correction", "2026-07-15", "A", -250)
    book.employee("hand").paid("hand", "2026-07-15", "Contribution Amount 5", 1_500)
    book.employee("firm_says").paid("firm_says", "2026-07-15", "M", 500, money_source="pre_tax_deferrals")
    book.employee("unstated").paid("unstated", "2026-07-15", "G", 500)
    book.employee("unstated_to_date").to_date("unstated_to_date", "2026-07-15", "G", 6_000)
    book.employee("nought").paid("nought", "2026-07-15", "G", 0).paid("nought", "2026-07-15", "L", 99)
    book.employee("no_date").paid("no_date", None, "A", 500, received_at="2026-08-01")
    book.employee("no_period").paid("no_period", "2026-07-15", "A", 500, amount_is=None)
    book.employee("no_plan").paid("no_plan", "2026-07-15", "MATCH", 500, money_source="employer_match",
                                  recordkeeper_plan="NOBODY")  # fmt: skip
    book.employee("only_to_date", stated=False).to_date("only_to_date", "2026-07-15", "A", 11_500)
    book.paid("only_to_date", "2026-07-31", "A", 700)
    book.employee("only_pay", stated=False).paid("only_pay", "2026-07-15", "A", 700)
    book.employee("only_loan", stated=False).paid("only_loan", "2026-07-15", "L", 112).paid(
        "only_loan", "2026-07-15", "A", 0)  # fmt: skip
    book.employee("twin_1", tax_id="twin").employee("twin_2", tax_id="twin").paid("twin", "2026-07-15", "A", 700)
    book.employee("bad_line").add("rejects", kind="payroll_contributions", owner_tax_id="bad_line",
                                  rule="not_a_number", trade_date="2026-07-15")  # fmt: skip
    book.employee("bad_before").add("rejects", kind="payroll_contributions", owner_tax_id="bad_before",
                                    rule="not_a_number", trade_date="2026-06-15")  # fmt: skip
    book.employee("mended").add("rejects", kind="payroll_contributions", owner_tax_id="mended", custodian="keeper",
                                rule="not_a_number", trade_date="2026-07-15", source_sha256="f1")  # fmt: skip
    book.add("files", sha256="f1", state="partial", received_at="2026-07-20")
    book.paid("mended", "2026-07-15", "A", 500, received_at="2026-07-21")
    book.employee("resent_bad").add("rejects", kind="payroll_contributions", owner_tax_id="resent_bad",
                                    custodian="keeper", rule="not_a_number", trade_date="2026-07-31",
                                    source_sha256="f1", line_number=3)  # fmt: skip
    book.paid("resent_bad", "2026-07-15", "A", 500, received_at="2026-07-21")
    return book


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    run = tmp_path_factory.mktemp("payroll") / "run"
    tables = _everybody().compute(run=run)
    derived = {name: pl.read_parquet(run / "derived" / f"{name}.parquet") for name in ("plan_years", "evidence")}
    return {**tables, **derived}


def _plan(results: dict[str, pl.DataFrame], who: str) -> dict[str, Any]:
    return results["plan_years"].filter(pl.col("person_id") == who).row(0, named=True)


@pytest.mark.parametrize(
    ("who", "deferred", "matched", "after_tax"),
    [
        ("base", 12_200, 4_250, 0),  # 11,500 to July 15 (its own 1,000 is in it) + 700
        ("old", 10_000, 4_000, 0),
        ("columns", 11_800, 4_000, 0),
        ("feeds", 12_300, 4_000, 0),  # two recordkeepers' years to date are one year
        ("restated", 11_400, 4_000, 0),
        ("tomorrow", 10_000, 4_000, 0),
        ("last_year", 10_000, 4_000, 0),
        ("correction", 9_750, 4_000, 0),
        ("hand", 10_000, 4_000, 1_500),
        ("firm_says", 10_000, 4_500, 0),  # the firm's word for its plan before the column's name
        ("nought", 10_000, 4_000, 0),
        ("twin_1", 10_000, 4_000, 0),
        ("twin_2", 10_000, 4_000, 0),
        ("only_to_date", 12_200, None, None),
        ("only_pay", None, None, None),
    ],
)
def test_the_year_so_far_by_source(
    results: dict[str, pl.DataFrame], who: str, deferred: int | None, matched: int | None, after_tax: int | None
) -> None:
    plan = _plan(results, who)
    found = (plan["pre_tax_deferrals"], plan["employer_match"], plan["after_tax_contributions"])
    assert found == (deferred, matched, after_tax)


def test_what_payroll_delivered_is_no_longer_expected(results: dict[str, pl.DataFrame]) -> None:
    base, columns = _plan(results, "base"), _plan(results, "columns")
    assert (base["expected_deferrals"], base["expected_employer_contributions"]) == (800, 750)
    assert (columns["expected_deferrals"], columns["expected_employer_contributions"]) == (1_200, 1_000)
    # 72,000 less 12,200 + 4,250 and the 800 + 750 still to come
    room = results["mega_backdoor"].filter(pl.col("person_id") == "base")["room"].to_list()
    assert room == [D("54000.00")]


@pytest.mark.parametrize(
    ("who", "asks"),
    [
        ("unstated", "what money source is G"),
        ("unstated_to_date", "what money source is G"),
        ("no_date", "A (no pay date in the file)"),
        ("no_period", "A (period not stated in the file)"),
        ("no_plan", "what money source is MATCH"),
        ("only_to_date", "how much has the employer matched"),
        ("only_pay", "how much was deferred pre-tax"),
        ("resent_bad", "line 3 of the payroll contributions file was set aside"),
        ("bad_line", "line 2 of the payroll contributions file was set aside"),
        ("twin_1", "which of the persons with one tax id"),
    ],
)
def test_money_nobody_can_count_makes_the_plan_unknown(results: dict[str, pl.DataFrame], who: str, asks: str) -> None:
    row = results["mega_backdoor"].filter(pl.col("person_id") == who).row(0, named=True)
    assert (row["status"], row["room"], row["annual_additions"]) == ("UNKNOWN", None, None)
    assert [reason for reason in row["reasons"] if asks in reason], row["reasons"]


@pytest.mark.parametrize("who", ["nought", "bad_before", "old", "mended"])
def test_what_does_not_matter_blocks_nobody(results: dict[str, pl.DataFrame], who: str) -> None:
    row = results["mega_backdoor"].filter(pl.col("person_id") == who).row(0, named=True)
    assert (row["status"], row["room"]) == ("COMPUTED", D("54000.00"))


def test_a_loan_alone_is_no_plan_year(results: dict[str, pl.DataFrame]) -> None:
    assert "only_loan" not in results["plan_years"]["person_id"].to_list()


def test_every_amount_is_walked_back_to_its_file_and_line(results: dict[str, pl.DataFrame]) -> None:
    seen = results["evidence"].filter(pl.col("topic") == "payroll", pl.col("source_file").is_not_null())
    assert seen.filter(pl.col("person_id") == "base")["text"].sort().to_list() == [
        "$1,000 of pre tax deferrals paid on 2026-07-15 (A, plan P100 at keeper)",
        "$11,500 of pre tax deferrals for the year to 2026-07-15 (A, plan P100 at keeper)",
        "$250 of employer match paid on 2026-07-31 (M, plan P100 at keeper)",
        "$700 of pre tax deferrals paid on 2026-07-31 (A, plan P100 at keeper)",
    ]
    assert seen.filter(pl.col("person_id").is_in(["old", "nought"])).is_empty()
    assert seen.filter(pl.col("person_id") == "no_date")["text"].to_list() == [
        "$500 of money that can't be counted received by 2026-08-01 (A, plan P100 at keeper)"
    ]


def test_one_finding_per_column_with_its_dollars_and_people(results: dict[str, pl.DataFrame]) -> None:
    asked = results["findings"].filter(pl.col("rule") == "money_source_unstated")
    found = {row["title"]: (row["amount"], row["explanation"]) for row in asked.to_dicts()}
    column_g = found["Column G of plan P100 at keeper holds money of unstated source"]
    assert column_g[0] == D("6500.00")
    assert "over 2 clients" in column_g[1]
    assert found["Column MATCH of plan NOBODY at keeper belongs to a plan nobody has named"][0] == D("500.00")
    assert asked["person_id"].null_count() == asked.height == 3
    strangers = results["findings"].filter(pl.col("rule") == "payroll_person_unknown")
    assert strangers.select("amount", "severity").rows() == [(D("700.00"), "low")]


def test_an_undated_row_of_january_may_be_of_either_year_and_is_shown_once() -> None:
    book = Payroll().employee("who").paid("who", None, "A", 500, received_at="2026-01-20")
    book.add("plan_contributions", person_id="who", **{**STATED, "tax_year": 2025, "as_of": "2025-11-30"})
    book.rows["plan_contributions"][0]["as_of"] = "2026-01-10"
    book.paid("stranger", None, "A", 70, received_at="2026-01-20")
    found = book.compute(as_of="2026-02-01", tax_years=(2025, 2026))
    assert found["mega_backdoor"].select("tax_year", "status").rows() == [(2025, "UNKNOWN"), (2026, "UNKNOWN")]
    told = found["findings"].filter(pl.col("rule").is_in(["money_source_unstated", "payroll_person_unknown"]))
    assert sorted(told.select("rule", "amount").rows()) == [
        ("money_source_unstated", D("500.00")),
        ("payroll_person_unknown", D("70.00")),
    ]


def test_from_the_recordkeepers_file_to_the_room(tmp_path: Path) -> None:
    """OmniPlus to February 27, then Prudential's letters of March 13: the one is a year to date, the other is added."""
    night = Inbox(tmp_path)
    night.drop("SUPER_PRD.DAT", sample("omniplus-partsrcval", "SUPER_OMNI_NEWR_PARTSRCVAL_DAILY_NG_PRD.DAT"))
    later = sample("prudential-701", "combined_701.txt").replace(b"20260227", b"20260313")
    night.drop("combined.txt", later)
    night.drop("persons.csv", "person_id,advisor_id,given_name,family_name,birth_date,tax_id\n"
                              "P1,A1,Case,Person,1985-01-22,903-31-4459\n")  # fmt: skip
    night.drop("plans.csv", "plan_id,employer_name,employer_group_id,plan_type,after_tax_contributions,"
                            "in_plan_roth_conversion\nL1,Employer,G1,401k,true,true\n")  # fmt: skip
    night.drop("stated.csv", "person_id,plan_id,tax_year,as_of,compensation,pre_tax_deferrals,roth_deferrals,"
               "after_tax_contributions,employer_match,employer_nonelective,forfeitures,"
               "expected_employer_contributions,expected_deferrals\n"
               "P1,L1,2026,2026-01-01,240000,0,0,0,0,0,0,0,0\n")  # fmt: skip
    sources = {"A": "pre_tax_deferrals", "J": "roth_deferrals", "G": "after_tax_contributions", "6": "employer_match"}
    night.drop("sources.csv", "recordkeeper,recordkeeper_plan,plan_id,source_column,money_source\n" + "".join(
        f"{keeper},009999,L1,{letter},{source}\n"
        for keeper in ("omniplus", "prudential") for letter, source in sources.items()
    ))  # fmt: skip
    found = night.night("2026-03-31")
    assert found.rejects.is_empty()
    run = tmp_path / "run"
    compute(found.canonical, run, as_of=date(2026, 3, 31), tax_years=(2026,), previous=None)
    deferrals = pl.read_parquet(run / "results" / "elective_deferrals.parquet")["deferrals"].to_list()
    assert deferrals == [D("3769.24") + D("942.31")]
    mega = pl.read_parquet(run / "results" / "mega_backdoor.parquet").row(0, named=True)
    additions = D("3769.24") + D("942.31") + D("1846.16") + D("461.54") + D("6000.00") + D("1500.00")
    assert (mega["annual_additions"], mega["room"]) == (additions, D("72000.00") - additions)
    rules = pl.read_parquet(run / "results" / "findings.parquet")["rule"].to_list()
    assert "money_source_unstated" not in rules
    assert rules.count("payroll_person_unknown") == 2
