"""One invented book of nine people, delivered twice: in house files alone, and split over the custodians' own files.

The split delivery leaves to house files only what no custodian states: the return, the basis, the plans, who owns what
Fidelity, Schwab and Vanguard hold, and what an ambiguous row was. `told` says which events a custodian states itself.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field, replace
from decimal import Decimal

import openpyxl

from flows.demo.ascensus import ascensus_files
from flows.demo.book import Account, Book, Event, Fact, Money, Person, Row, cell, iso
from flows.demo.fidelity import fidelity_files
from flows.demo.fixed import fixed
from flows.demo.house import house_file
from flows.demo.pershing import pershing_files
from flows.demo.pub1220 import Form, pub1220_file
from flows.demo.schwab import schwab_files
from flows.demo.vanguard import vanguard_files
from schemas.tables import INPUT_TABLES

AS_OF, TAX_YEARS = "2026-12-01", (2025, 2026)
VALUED_ON = "2026-11-30"
#: What Fidelity's history calls events its own way; a "ROLLOVER CASH" may be several things, so the firm states it.
_ACAT, _ROLLOVER = "TRANSFER OF ASSETS ACAT RECEIVE (Cash)", "ROLLOVER CASH (Cash)"
_FROM_PLAN = "ROLLOVER CASH DIRECT ROLLOVER (Cash)"
_NORMAL, _EARLY = "NORMAL DISTR PARTIAL VS (Cash)", "EARLY DIST NO EXCEPT (Cash)"
#: Box of Form 5498 -> amount code of Publication 1220.
_BOXES_5498 = {
    "box_1_ira_contributions": "1", "box_2_rollover_contributions": "2", "box_3_roth_conversion": "3",
    "box_5_fair_market_value": "5", "box_10_roth": "A",
}  # fmt: skip
_BOXES_1099R = {"box_1_gross": "1", "box_2a_taxable": "2", "box_4_federal_withheld": "4"}


@dataclass
class Story:
    """The demo's book, and beside it the tax forms, the payroll added by hand, and what a distribution really was."""

    book: Book = field(default_factory=Book)
    forms_5498: list[tuple[Account, dict[str, int], str]] = field(default_factory=list)
    forms_1099r: list[tuple[Account, dict[str, int], str]] = field(default_factory=list)
    #: plan_contributions at October 31, and the same people's at November 27 with that day's payroll added
    before_payroll: list[Row] = field(default_factory=list)
    after_payroll: list[Row] = field(default_factory=list)
    #: what the custodian calls a distribution and the firm corrects
    corrected: list[Event] = field(default_factory=list)
    #: accounts delivered as OFX statements
    in_ofx: list[Account] = field(default_factory=list)

    def event(
        self, account: Account, day: str, kind: str, amount: Money, *, year: int | None = None,
        other: Account | None = None, raw: str = "",
    ) -> Event:  # fmt: skip
        """One event; `raw` is the custodian's own name of it. Money leaving has a minus sign where raw is given."""
        one = Event(
            account, iso(day), kind, Decimal(amount), str(year or ""), other.number if other else "", raw
        )  # fmt: skip
        self.book.events.append(one)
        return one

    def convert(self, out: Account, into: Account, day: str, amount: Money) -> None:
        """Both legs of a conversion, on one day."""
        self.event(out, day, "roth_conversion_out", amount, other=into)
        self.event(into, day, "roth_conversion_in", amount, other=out)

    def form_5498(self, account: Account, kind: str = "ira", **boxes: int) -> None:
        """Form 5498 for 2025; amounts not named are nought, as the file of forms says them."""
        self.forms_5498.append((account, dict.fromkeys(_BOXES_5498, 0) | boxes, kind))

    def form_1099r(self, account: Account, code: str, **boxes: int) -> None:
        """Form 1099-R for 2025."""
        self.forms_1099r.append((account, dict.fromkeys(_BOXES_1099R, 0) | boxes, code))

    def person(self, household: str, given: str, family: str, born: str, basis: Money) -> Person:
        """A person with a stated basis for 2024."""
        one = self.book.person(household, given, family, born, basis=None)
        row = {"person_id": one.person_id, "tax_year": "2024", "basis": str(basis), "source": "2024 return"}
        self.book.rows["ira_basis"].append(row)
        return one

    def account(self, owner: Person, custodian: str, number: str, kind: str, value: Money | None) -> Account:
        """An account at a custodian whose numbers the demo doesn't draw."""
        amount = None if value is None else Decimal(value)
        one = Account(self.book, custodian, number, kind, owner, amount, {})
        self.book.accounts.append(one)
        return one


def _returns(person: Person, status: str, magi: int, **facts: Fact) -> None:
    """The same return for 2025 and 2026."""
    person.tax(status, magi, **facts)
    rows = person.book.rows["tax_profiles"]
    rows.append(rows[-1] | {"tax_year": "2025"})


def _couple(story: Story) -> None:
    """A backdoor of two years, and two conversions that meet pre-tax money, one across custodians."""
    orla = story.person("H01", "Orla", "Fennimore", "1979-05-14", 6_500)
    tavish = story.person("H01", "Tavish", "Fennimore", "1977-08-02", 10_000)
    story.book.couple(orla, tavish)
    for one in (orla, tavish):
        _returns(one, "mfj", 320_000)
    pool, roth = orla.account("fidelity", "traditional_ira", "12.34"), orla.account("fidelity", "roth_ira", 46_000)
    rollover = orla.account("vanguard", "rollover_ira", "90487.66")
    story.event(pool, "02-10", "contribution", 7_000, year=2025)
    story.event(pool, "02-10", "contribution", 7_500, year=2026)
    for _ in range(2):  # two rows alike in everything
        story.convert(pool, roth, "03-02", 7_250)
    # 2026: (13,500 + 7,500) / (90,500 + 14,500) = 0.2
    story.form_5498(pool, box_1_ira_contributions=7_000)
    story.form_5498(rollover, box_5_fair_market_value=90_000)

    pool, roth = tavish.account("vanguard", "traditional_ira", 35_000), tavish.account("schwab", "roth_ira", 51_000)
    story.event(pool, "01-15", "contribution", 7_500, year=2026)
    story.convert(pool, roth, "04-13", 20_000)
    story.form_5498(pool, box_5_fair_market_value=40_000)
    # 2025: 8,000 converted, 2,000 withheld: 10,000 / (90,000 + 10,000) = 0.1; 2026: 16,500 / (90,000 + 20,000) = 0.15
    pool, roth = tavish.account("fidelity", "rollover_ira", 55_000), tavish.account("fidelity", "roth_ira", 9_000)
    story.convert(pool, roth, "2025-06-10", 8_000)
    story.event(pool, "2025-06-10", "withholding", 2_000)
    story.form_5498(pool, box_5_fair_market_value=50_000)
    story.form_5498(roth, "roth", box_3_roth_conversion=8_000, box_5_fair_market_value=8_200)
    story.form_1099r(pool, "2", box_1_gross=10_000, box_2a_taxable=10_000, box_4_federal_withheld=2_000)


def _own_business(story: Story) -> None:
    """A SEP, a conversion of each year, and a rollover from Schwab to Fidelity over the year end."""
    plan = story.book.plan("PLAN-OXEN", "Oxenford Bindery (own business)", "sep")
    one = story.person("H02", "Bettina", "Oxenford", "1979-11-30", 4_000)
    _returns(one, "single", 240_000)
    pool, roth = one.account("schwab", "traditional_ira", 21_000), one.account("schwab", "roth_ira", 12_000)
    rollover, new_roth = (
        one.account("fidelity", "rollover_ira", 10_900, opened_on="2026-01-20"),
        one.account("fidelity", "roth_ira", 5_100),
    )
    sep = one.account("pershing", "sep_ira", 63_100, plan_id=plan)
    sep.label = "SEP IRA"
    # 2025: 4,000 / (20,000 + 35,000 + 15,000 on its way + 10,000) = 0.05; 2026: 3,500 / (95,000 + 5,000) = 0.035
    story.convert(pool, roth, "2025-05-06", 10_000)
    story.event(pool, "2025-12-08", "rollover_out", 15_000, other=rollover)
    story.event(rollover, "2026-01-20", "rollover_in", 15_000, other=pool, raw=_ROLLOVER)
    story.convert(rollover, new_roth, "06-15", 5_000)
    story.event(sep, "05-11", "employer_contribution", 20_000, year=2026)
    one.works(plan, 240_000, employer_nonelective=20_000, controls_employer=True)
    story.form_5498(pool, box_5_fair_market_value=20_000)
    story.form_5498(sep, "sep", box_5_fair_market_value=35_000)
    story.form_5498(roth, "roth", box_3_roth_conversion=10_000, box_5_fair_market_value=10_800)
    story.form_1099r(pool, "1", box_1_gross=25_000, box_2a_taxable=25_000)


def _retired(story: Story) -> None:
    """Minimum distributions, a gift to charity that Fidelity calls a distribution, a transfer from Pershing to it."""
    one = story.person("H03", "Cornelius", "Vashti", "1950-03-03", 3_000)
    _returns(one, "single", 90_000, active_participant=False)
    old, new = one.account("pershing", "traditional_ira", 191_000), one.account("fidelity", "traditional_ira", 36_000)
    # 2025: 3,000 / (239,000 + 11,000) = 0.012; 2026: 2,868 / (227,000 + 12,000) = 0.012
    story.event(old, "2025-10-01", "rmd", 11_000)
    story.event(old, "03-05", "rmd", 12_000)
    story.event(old, "04-20", "trustee_transfer_out", 40_000, other=new)
    story.event(new, "04-22", "trustee_transfer_in", 40_000, other=old, raw=_ACAT)
    story.corrected.append(story.event(new, "09-10", "qcd", -5_000, raw=_NORMAL))
    story.form_5498(old, box_5_fair_market_value=239_000)
    story.form_5498(new, box_5_fair_market_value=0)
    story.form_1099r(old, "7", box_1_gross=11_000, box_2a_taxable=11_000)


def _simple_and_inherited(story: Story) -> None:
    """A SIMPLE IRA converted to a Roth IRA elsewhere, a Roth contribution above the limit, an inherited IRA."""
    plan = story.book.plan("PLAN-BOLL", "Boll and Daughters", "simple")
    one = story.person("H04", "Hyacinth", "Merriweather-Boll", "1985-09-12", 0)
    _returns(one, "single", 160_500)
    simple = one.account("pershing", "simple_ira", 27_000, plan_id=plan, simple_first_contribution_date="2019-06-11")
    simple.label = "SIMPLE IRA"
    roth = one.account("vanguard", "roth_ira", 18_500)
    kept = one.account("fidelity", "inherited_traditional_ira", 250_000, inherited_from="Mother (invented)",
                       beneficiary_is_spouse=False, treated_as_own=False)  # fmt: skip
    story.convert(simple, roth, "08-03", 6_000)
    # halfway through the phase-out: the limit is 3,750
    story.event(roth, "03-09", "contribution", 5_000, year=2026)
    story.event(kept, "2025-11-12", "distribution", -9_000, raw=_NORMAL)
    story.event(kept, "11-12", "distribution", -9_500, raw=_NORMAL)
    one.works(plan, 160_500, pre_tax_deferrals=9_000, employer_match=4_000)
    story.form_5498(simple, "simple", box_5_fair_market_value=24_000)
    story.form_5498(kept, box_5_fair_market_value=245_000)
    story.form_1099r(kept, "4", box_1_gross=9_000, box_2a_taxable=9_000)


def _recharacterizer(story: Story) -> None:
    """Two Roth contributions moved to a traditional IRA with their earnings and converted, one of them of last year."""
    one = story.person("H05", "Jeremias", "Tolland", "1988-02-28", 0)
    _returns(one, "single", 220_000)
    roth, pool = one.account("vanguard", "roth_ira", 33_000), one.account("vanguard", "traditional_ira", 40)
    one.account("schwab", "rollover_ira", 51_560)
    # of 2025, moved before its return was due; then (6,000 + 7,000) / (51,600 + 13,400) = 0.2
    story.event(roth, "2025-06-02", "contribution", 6_000, year=2025)
    story.event(roth, "02-20", "recharacterization_out", 6_300, year=2025, other=pool)
    story.event(pool, "02-20", "recharacterization_in", 6_300, year=2025, other=roth)
    story.event(roth, "02-05", "contribution", 7_000, year=2026)
    story.event(roth, "03-20", "recharacterization_out", 7_100, year=2026, other=pool)
    story.event(pool, "03-20", "recharacterization_in", 7_100, year=2026, other=roth)
    story.convert(pool, roth, "04-01", 13_400)
    story.form_5498(roth, "roth", box_10_roth=6_000, box_5_fair_market_value=31_000)


def _payroll(story: Story) -> None:
    """A 401(k) whose newest money is in the recordkeeper's file; a fund company, an OFX statement, a distribution."""
    features: dict[str, Fact] = {
        "after_tax_contributions": True, "in_plan_roth_conversion": True, "separate_after_tax_accounting": True,
        "ira_roll_in": True,
    }  # fmt: skip
    plan = story.book.plan("PLAN-NWT", "Northwind Traders", "401k", features)
    one = story.person("H06", "Philomena", "Radcliffe-Oss", "1972-07-13", 0)
    two = story.person("H06", "Ansgar", "Lindqvist-Roe", "1991-03-08", 1_200)
    six = story.person("H07", "Isolde", "Underwood-Pike", "1983-12-24", 0)
    _returns(one, "single", 260_000)
    _returns(two, "single", 149_000)
    _returns(six, "single", 205_000)

    pool = story.account(one, "dst_fanmail", "00000900107", "traditional_ira", "310.55")
    roth = story.account(one, "fidelity", "231700907", "roth_ira", 16_100)
    story.in_ofx.append(roth)
    rollover = one.account("vanguard", "rollover_ira", "61089.45")
    story.event(pool, "02-26", "contribution", 7_000, year=2025)
    for _ in range(2):  # the same day, the same amount, the same year
        story.event(pool, "02-26", "contribution", 4_300, year=2026)
    story.convert(pool, roth, "05-04", 15_600)
    # 15,600 / (61,400 + 1,000 + 15,600) = 0.2; the newest day in Vanguard's file, which doesn't date its positions
    story.event(rollover, "11-20", "distribution", 900)
    story.event(rollover, "11-20", "withholding", 100)
    _work(story, one, plan, 260_000, {
        "pre_tax_deferrals": (22_000, 1_500), "employer_match": (10_000, 500),
        "after_tax_contributions": (5_000, 1_000),
        "expected_employer_contributions": (2_000, -500), "expected_deferrals": (2_500, -1_500),
    })  # fmt: skip
    story.book.payroll.append((one, {
        "TOTAL COMPENSATION": "10000.00", "EMPLOYEE 401(K)": "1500.00", "ROTH 401(K)": "0.00", "MATCH": "500.00",
        "LOAN PAYMENT AMOUNT": "0.00", "CLIENT SPECIFIC 1": "1000.00", "HOURS": "80", "HCE CODE": "Y",
    }))  # fmt: skip

    pool, roth = two.account("fidelity", "traditional_ira", 21_000), two.account("schwab", "roth_ira", 21_000)
    story.event(roth, "01-15", "contribution", 7_500, year=2026)
    story.event(pool, "03-11", "plan_rollover_in", 5_000, raw=_FROM_PLAN)
    story.event(pool, "07-08", "distribution", -3_600, raw=_EARLY)
    story.event(pool, "07-08", "withholding", 400)
    _work(story, two, plan, 149_000, {
        "roth_deferrals": (18_000, 750), "employer_match": (6_000, 300),
        "expected_employer_contributions": (500, -300), "expected_deferrals": (1_500, -750),
    })  # fmt: skip
    story.book.payroll.append((two, {
        "TOTAL COMPENSATION": "5730.77", "EMPLOYEE 401(K)": "0.00", "ROTH 401(K)": "750.00", "MATCH": "300.00",
        "LOAN PAYMENT AMOUNT": "112.40", "CLIENT SPECIFIC 1": "0.00", "HOURS": "80", "HCE CODE": "",
    }))  # fmt: skip

    pool, roth = six.account("vanguard", "traditional_ira", 60), six.account("fidelity", "roth_ira", 29_000)
    six.account("pershing", "rollover_ira", 57_940)  # (7,000 + 7,500) / (58,000 + 14,500) = 0.2
    story.event(pool, "01-20", "contribution", 7_000, year=2025)
    story.event(pool, "01-20", "contribution", 7_500, year=2026)
    story.convert(pool, roth, "01-27", 14_500)
    story.form_5498(pool, box_1_ira_contributions=7_000)


def _work(story: Story, person: Person, plan: str, pay: int, money: dict[str, tuple[int, int]]) -> None:
    """Plan money on October 31 and what the payroll of November 27 adds to each source (or takes off the expected)."""
    rows = person.book.rows["plan_contributions"]
    for as_of, amounts, into in (
        ("2026-10-31", {name: before for name, (before, _) in money.items()}, story.before_payroll),
        ("2026-11-27", {name: before + added for name, (before, added) in money.items()}, story.after_payroll),
    ):
        person.works(plan, pay, as_of=as_of, after_tax_balance=0, after_tax_basis=0, **amounts)
        into.append(rows.pop())


def story() -> Story:
    """The book of nine people."""
    told = Story()
    for part in (_couple, _own_business, _retired, _simple_and_inherited, _recharacterizer, _payroll):
        part(told)
    told.book.rows["advisors"] += [
        {"advisor_id": f"ADV{n}", "advisor_name": f"Advisor {n}", "email": "", "rep_codes": f"{n:03d}"}
        for n in range(1, 6)
    ]
    return told


def told(of: Story, event: Event) -> bool:
    """True where the custodian's own file states all of the event."""
    match event.account.custodian:
        case "fidelity":
            return event.account not in of.in_ofx and event.raw != _ROLLOVER
        case "vanguard":  # doesn't say of which year the contribution was that is recharacterized
            return not event.kind.startswith("recharacterization")
        case custodian:
            return custodian == "dst_fanmail" and event.kind == "contribution"


def _key(account: Account) -> Row:
    return {"custodian": account.custodian, "account_number": account.number}


def _account_row(account: Account, *, owner: bool) -> Row:
    person_id = account.holder.person_id if owner else ""
    return _key(account) | {"account_type": account.kind, "person_id": person_id} | account.facts


def _event_rows(events: list[Event], first: int = 1) -> list[Row]:
    return [
        _key(e.account) | {
            "transaction_id": f"T{n:05d}", "trade_date": e.day, "transaction_type": e.kind,
            "amount": str(abs(e.amount)), "tax_year": e.tax_year, "counter_account_number": e.counter,
        }
        for n, e in enumerate(events, start=first)
    ]  # fmt: skip


def _form_rows(of: Story) -> dict[str, list[Row]]:
    forms_5498 = [
        _key(account) | {"tax_year": "2025", "box_7_type": kind} | {name: cell(v) for name, v in boxes.items()}
        for account, boxes, kind in of.forms_5498
    ]
    forms_1099r = [
        _key(account) | {"tax_year": "2025", "box_7_codes": code, "box_7_ira": "true", "box_2b_not_determined": "true"}
        | {name: cell(v) for name, v in boxes.items()}
        for account, boxes, code in of.forms_1099r
    ]  # fmt: skip
    return {"form_5498": forms_5498, "form_1099r": forms_1099r}


def _csvs(rows: dict[str, list[Row]]) -> dict[str, bytes]:
    return {f"{kind}.csv": house_file(kind, some).encode() for kind, some in rows.items() if some}


def in_house_format(of: Story) -> dict[str, bytes]:
    """File name -> bytes: everything as the firm itself would write it."""
    accounts = of.book.accounts
    rows = of.book.rows | _form_rows(of)
    rows["plan_contributions"] = [*rows["plan_contributions"], *of.after_payroll]
    rows["accounts"] = [_account_row(a, owner=True) for a in accounts]
    rows["balances"] = [
        _key(a) | {"as_of": VALUED_ON, "market_value": str(a.value)} for a in accounts if a.value is not None
    ]
    rows["transactions"] = _event_rows(of.book.events)
    return _csvs(rows)


def _left_to_the_firm(of: Story) -> dict[str, bytes]:
    """The house files of the split delivery: what no custodian states."""
    rows = dict(of.book.rows)
    rows["plan_contributions"] = [*rows["plan_contributions"], *of.before_payroll]
    rows["plan_sources"] = [{
        "recordkeeper": "ascensus", "recordkeeper_plan": "NWT401", "plan_id": "PLAN-NWT",
        "source_column": "CLIENT SPECIFIC 1", "money_source": "after_tax_contributions",
    }]  # fmt: skip
    # Fidelity states the kind of account, not whose it is; Pershing both, from the registration and the tax id
    by_link = [a for a in of.book.accounts if a.custodian == "fidelity" and not a.facts and a not in of.in_ofx]
    by_tax_id = [a for a in of.book.accounts if a.custodian in ("pershing", "dst_fanmail")]
    rows["account_links"] = [
        _key(a) | {"person_id": a.holder.person_id, "approved_by": "Operations", "approved_on": "2026-01-05"}
        for a in by_link
    ]
    rows["accounts"] = [
        _account_row(a, owner=a not in by_tax_id)
        for a in of.book.accounts
        if a not in by_link and (a.custodian != "pershing" or a.facts)
    ]
    rows["transactions"] = _event_rows([e for e in of.book.events if not told(of, e)])
    # a gift to charity is a distribution in Fidelity's history
    rows["corrections"] = [{
        "table": "transactions", "column": "transaction_type", "value_in_source": "distribution",
        "corrected_value": e.kind, "declared_by": "Operations", "declared_on": "2026-10-01",
        "reason": "paid to a charity",
        "row_key": f"custodian={e.account.custodian};account_number={e.account.number};trade_date={e.day};"
                   f"amount={abs(e.amount)}",
    } for e in of.corrected]  # fmt: skip
    profiles = rows.pop("tax_profiles")
    return _csvs(rows) | {"tax_profiles.xlsx": _workbook("tax_profiles", profiles)}


def _workbook(kind: str, rows: list[Row]) -> bytes:
    """A house table as a firm keeps it in Excel."""
    columns = [c.name for c in INPUT_TABLES[kind].columns]
    book = openpyxl.Workbook()
    book.active.title = kind
    for row in (dict(zip(columns, columns, strict=True)), *rows):
        book.active.append([row.get(name) or None for name in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _tax_forms(of: Story) -> str:
    marks = {"ira": 547, "sep": 548, "simple": 549, "roth": 550}
    forms_1099r = [
        Form(account, {_BOXES_1099R[n]: v for n, v in boxes.items()}, ((545, code), (547, "1"), (548, "1")))
        for account, boxes, code in of.forms_1099r
    ]
    forms_5498 = [
        Form(account, {_BOXES_5498[n]: v for n, v in boxes.items()}, ((marks[kind], "1"),))
        for account, boxes, kind in of.forms_5498
    ]
    return pub1220_file([("9", "124", forms_1099r), ("L", "1235A", forms_5498)])


def _fund_record(records: list[tuple[tuple[int, str], ...]], name: str) -> str:
    """DST's header, its lines, and the trailer that counts all of them."""
    head = fixed(160, (1, f"RHR001{name:<15}20261130"), (37, "20261130221500"), (53, "ZZJOB0010140000001 ZZZZZ"))
    tail = fixed(160, (1, f"RTR001{name:<15}{len(records) + 2:09d}"))
    return "\n".join([head, *(fixed(160, *record) for record in records), tail]) + "\n"


def _funds(of: Story) -> dict[str, str]:
    """DST's positions (a share at 1.0000) and activity; only a contribution is named in words that mean one thing."""
    held = [a for a in of.book.accounts if a.custodian == "dst_fanmail"]
    positions, activity = [], []
    for account in held:
        tax_id = account.holder.tax_id.replace("-", "")
        shares = f"{int((account.value or Decimal(0)).scaleb(4)):015d}"
        positions += [
            ((1, "APR001000999900000000100000TS10000008500"), (39, account.number), (59, f"F{shares}"),
             (105, "000010000")),
            ((1, "APR002"), (110, "???"), (123, tax_id), (132, "1")),
        ]  # fmt: skip
    for event in (e for e in of.book.events if e.account in held):
        tax_id, day = event.account.holder.tax_id.replace("-", ""), event.day.replace("-", "")
        paid_in = event.kind == "contribution"
        activity += [
            ((1, "DFA001001000999900000000100000TS10000008500"), (42, event.account.number), (62, "F000000100000000"),
             (78, "001???" if paid_in else "002???"), (84, "1001423100"), (94, f"{int(event.amount * 100):015d}"),
             (109, f"{int(event.amount * 10_000):015d}"), (124, f"{day}{day}")),
            ((1, "DFA002"), (25, "???"), (133, tax_id), (142, "1")),
            ((1, "DFA003"), (7, event.tax_year), (29, "IRA CONTRIBUTION" if paid_in else "EXCHANGE"), (76, day)),
        ]  # fmt: skip
    return {"APR.txt": _fund_record(positions, "ACCT POSITION"), "DFA.txt": _fund_record(activity, "FINANCIALDIRECT")}


def _ofx(of: Story, account: Account) -> str:
    """An OFX statement with a bank movement per event and one fund; OFX has no word for a conversion."""
    moves = "".join(
        f"<INVBANKTRAN><STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>{e.day.replace('-', '')}</DTPOSTED>"
        f"<TRNAMT>{e.amount}</TRNAMT><FITID>INVENTED{n}</FITID><NAME>MOVED</NAME><MEMO>MOVED</MEMO></STMTTRN>"
        "<SUBACCTFUND>CASH</SUBACCTFUND></INVBANKTRAN>\n"
        for n, e in enumerate((e for e in of.book.events if e.account is account), start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" '
        'OLDFILEUID="NONE" NEWFILEUID="INVENTED-1"?>\n<OFX>\n<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0</CODE>'
        "<SEVERITY>INFO</SEVERITY></STATUS><DTSERVER>20261130</DTSERVER><LANGUAGE>ENG</LANGUAGE>"
        "<FI><ORG>fidelity.com</ORG><FID>7776</FID></FI></SONRS></SIGNONMSGSRSV1>\n"
        "<INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>INVENTED-2</TRNUID><STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY>"
        "</STATUS>\n<INVSTMTRS><DTASOF>20261130</DTASOF><CURDEF>USD</CURDEF>\n<INVACCTFROM>"
        f"<BROKERID>fidelity.com</BROKERID><ACCTID>{account.number}</ACCTID></INVACCTFROM>\n"
        f"<INVTRANLIST><DTSTART>20260101</DTSTART><DTEND>20261130</DTEND>\n{moves}</INVTRANLIST>\n<INVPOSLIST><POSMF>"
        "<INVPOS><SECID><UNIQUEID>INVENTED1</UNIQUEID><UNIQUEIDTYPE>CUSIP</UNIQUEIDTYPE></SECID><HELDINACCT>CASH"
        f"</HELDINACCT><POSTYPE>LONG</POSTYPE><UNITS>{account.value}</UNITS><UNITPRICE>1.00</UNITPRICE>"
        f"<MKTVAL>{account.value}</MKTVAL><DTPRICEASOF>20261130</DTPRICEASOF></INVPOS></POSMF></INVPOSLIST>\n"
        "<INVBAL><AVAILCASH>0.00</AVAILCASH><MARGINBALANCE>0.00</MARGINBALANCE><SHORTBALANCE>0.00</SHORTBALANCE>"
        "</INVBAL>\n</INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1>\n</OFX>\n"
    )


def _zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 30, 0, 0, 0)), text)
    return out.getvalue()


def _without_ofx(of: Story) -> Book:
    return replace(
        of.book,
        accounts=[a for a in of.book.accounts if a not in of.in_ofx],
        events=[e for e in of.book.events if e.account not in of.in_ofx],
    )


def split_over_custodians(of: Story) -> dict[str, bytes]:
    """File name -> bytes: Fidelity's files in a zip, one account of it as OFX, every other custodian's as they come."""
    texts = (
        schwab_files(of.book) | vanguard_files(of.book) | pershing_files(of.book) | _funds(of)
        | {name: text for name, text in ascensus_files(of.book).items() if not name.startswith("TS_")}
        | {f"statement_{n}.ofx": _ofx(of, account) for n, account in enumerate(of.in_ofx)}
        | {"5498_1099r_ty2025.txt": _tax_forms(of)}
    )  # fmt: skip
    files = {name: text.encode() for name, text in texts.items()}
    return _left_to_the_firm(of) | files | {"fidelity.zip": _zipped(fidelity_files(_without_ofx(of)))}


def with_gifts_stated(of: Story) -> dict[str, bytes]:
    """The split delivery with a house row for what Fidelity calls a distribution, instead of a correction."""
    files = split_over_custodians(of)
    del files["corrections.csv"]
    return files | {"gifts.csv": house_file("transactions", _event_rows(of.corrected, first=900)).encode()}


def resent(of: Story) -> dict[str, bytes]:
    """Fidelity's and Vanguard's activity once more in files of other bytes, as an overlapping export brings it."""
    history = fidelity_files(_without_ofx(of))["Accounts_History.csv"].replace("downloaded 11/30", "downloaded 12/01")
    return {
        "again_history.csv": history.encode(),
        "again.csv": vanguard_files(of.book)["OfxDownload.csv"].encode() + b"\n",
    }
