"""The demo book in memory: people, accounts and events, said the way a story tells them.

Stories (`stories.py`, `plan_stories.py`) fill a `Book`; the writers turn it into files. Amounts are whole dollars
or strings such as "562.50", never floats. A day is "03-02" (of 2026) or a full ISO date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

AS_OF = "2026-11-30"
TAX_YEAR = 2026
Money = int | str
Fact = Money | bool | None
Row = dict[str, str]

#: First number and shape of each custodian's account numbers; the last three digits stay unique at each custodian.
_SHAPES = {
    "schwab": "4178{:04d}", "fidelity": "2317{:05d}", "vanguard": "9107{:04d}", "pershing": "QRB{:05d}7",
    "altruist": "AL77{:05d}", "harborline": "HB5{:05d}",
}  # fmt: skip
_TAX_FACTS: dict[str, Fact] = {
    "marginal_tax_rate": 35, "active_participant": True, "hsa_coverage": "none", "hsa_contributions": 0,
    "qhfd_used": False, "all_iras_reported": True,
}  # fmt: skip
_PLAN_MONEY = (
    "pre_tax_deferrals", "roth_deferrals", "after_tax_contributions", "employer_match", "employer_nonelective",
    "forfeitures", "expected_employer_contributions", "expected_deferrals",
)  # fmt: skip


def cell(value: Fact) -> str:
    """A fact as a house file writes it: true/false, blank for not known, a number as it stands."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def iso(day: str) -> str:
    """`day` as an ISO date; "03-02" is March 2 of 2026."""
    return day if len(day) == 10 else f"{TAX_YEAR}-{day}"


@dataclass(frozen=True)
class Event:
    """One event on an account. With `raw` set, only the custodian's file tells it, in that code."""

    account: Account
    day: str
    kind: str
    amount: Decimal
    tax_year: str = ""
    counter: str = ""
    raw: str = ""


@dataclass
class Account:
    """One account at a custodian, with its value on the demo date."""

    book: Book
    custodian: str
    number: str
    kind: str
    owner: Person | None
    value: Decimal | None
    facts: Row
    value_2025: Money | None = None
    label: str = ""
    listed: bool = True

    @property
    def holder(self) -> Person:
        """The owner, where there must be one (custodian files that name the holder)."""
        if self.owner is None:
            raise ValueError("this account has no owner")
        return self.owner

    def add(self, day: str, kind: str, amount: Money, *, year: int | None = None, counter: str = "") -> Account:
        """Record an event the firm or the custodian can name; returns the account, to chain."""
        text = str(year) if year else ""
        self.book.events.append(Event(self, iso(day), kind, Decimal(amount), text, counter))
        return self

    def add_raw(self, day: str, code: str, amount: Money) -> Account:
        """Record an event only the custodian tells, in a code that is ambiguous or unknown."""
        self.book.events.append(Event(self, iso(day), "", Decimal(amount), raw=code))
        return self


@dataclass(frozen=True)
class Person:
    """One invented person; the methods state facts about them and return the person or the account made."""

    book: Book
    person_id: str
    given: str
    family: str
    born: str
    tax_id: str
    advisor_id: str

    def tax(self, status: str, magi: int, **facts: Fact) -> Person:
        """State the 2026 return: both MAGIs and AGI are `magi`, pay is `magi` unless said otherwise."""
        every: dict[str, Fact] = {
            "roth_magi": magi, "deduction_magi": magi, "agi": magi, "compensation": magi, **_TAX_FACTS,
        }  # fmt: skip
        if status in {"mfj", "mfs_lived_with_spouse"}:
            every["spouse_active_participant"] = True
        row = {key: cell(value) for key, value in (every | facts).items()}
        head = {"person_id": self.person_id, "tax_year": str(TAX_YEAR), "filing_status": status}
        self.book.rows["tax_profiles"].append(head | row)
        return self

    def basis(self, amount: Money) -> Person:
        """State line 14 of the 2025 Form 8606."""
        row = {"person_id": self.person_id, "tax_year": "2025", "basis": str(amount), "source": "2025 return"}
        self.book.rows["ira_basis"].append(row)
        return self

    def account(self, custodian: str, kind: str, value: Money | None = None, **facts: Fact) -> Account:
        """Open an account of this person; `value` is its whole value on the demo date."""
        return self.book.account(custodian, kind, self, value, **facts)

    def backdoor(self, custodian: str, amount: Money, *, left: Money = 0, paid: str = "02-10", moved: str = "03-02",
                 converted: Money | None = None) -> Account:  # fmt: skip
        """A nondeductible contribution and its conversion to a Roth IRA; returns the traditional IRA."""
        out = amount if converted is None else converted
        traditional = self.account(custodian, "traditional_ira", left)
        roth = self.account(custodian, "roth_ira", 31_000 + int(Decimal(out)))
        traditional.add(paid, "contribution", amount, year=TAX_YEAR)
        traditional.add(moved, "roth_conversion_out", out, counter=roth.number)
        roth.add(moved, "roth_conversion_in", out, counter=traditional.number)
        return traditional

    def works(self, plan_id: str, compensation: int | None, *, as_of: str = AS_OF, **amounts: Fact) -> Person:
        """State the year-to-date money in a plan; sources not named are 0."""
        every: dict[str, Fact] = {"compensation": compensation, **dict.fromkeys(_PLAN_MONEY, 0)}
        every |= {"prior_year_fica_wages": compensation, "highly_compensated": (compensation or 0) > 160_000}
        every |= {"controls_employer": False, "currently_employed": True, **amounts}
        head = {"person_id": self.person_id, "plan_id": plan_id, "tax_year": str(TAX_YEAR), "as_of": as_of}
        self.book.rows["plan_contributions"].append(head | {key: cell(value) for key, value in every.items()})
        return self


@dataclass
class Book:
    """Everything the demo files are written from."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    payroll: list[tuple[Person, Row]] = field(default_factory=list)
    situations: dict[str, str] = field(default_factory=dict)
    _opened: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = ("advisors", "persons", "tax_profiles", "ira_basis", "plans", "plan_contributions", "plan_sources",
                 "form_5498", "form_1099r")  # fmt: skip
        self.rows = {kind: [] for kind in kinds}

    def shows(self, person: Person, *situations: str) -> Person:
        """Note that this person shows the named situations."""
        for situation in situations:
            self.situations[situation] = person.person_id
        return person

    def person(self, household: str, given: str, family: str, born: str, *, basis: Money | None = 0) -> Person:
        """Add a person to a household; `basis` is the stated basis of 2025 (None: not stated)."""
        n = len(self.people) + 1
        tax_id = f"{900 + n}-{11 + n * 7 % 39}-{1000 + n * 137 % 9000}"
        advisor = f"ADV{int(household[1:]) % 5 + 1}"
        one = Person(self, f"P{n:03d}", given, family, born, tax_id, advisor)
        self.people.append(one)
        self.rows["persons"].append({
            "person_id": one.person_id, "household_id": household, "advisor_id": advisor, "given_name": given,
            "family_name": family, "birth_date": born, "tax_id": tax_id, "spouse_person_id": "",
        })  # fmt: skip
        return one if basis is None else one.basis(basis)

    def couple(self, first: Person, second: Person) -> None:
        """Link two persons as spouses, both ways."""
        for one, other in ((first, second), (second, first)):
            row = next(r for r in self.rows["persons"] if r["person_id"] == one.person_id)
            row["spouse_person_id"] = other.person_id

    def account(self, custodian: str, kind: str, owner: Person | None, value: Money | None, **facts: Fact) -> Account:
        """Open an account with the custodian's next number."""
        self._opened[custodian] = self._opened.get(custodian, 100) + 1
        number = _SHAPES[custodian].format(self._opened[custodian])
        amount = None if value is None else Decimal(value)
        one = Account(self, custodian, number, kind, owner, amount, {key: cell(v) for key, v in facts.items()})
        self.accounts.append(one)
        return one

    def plan(self, plan_id: str, employer: str, plan_type: str, features: Mapping[str, Fact] | None = None, *,
             group: str = "") -> str:  # fmt: skip
        """Add an employer plan; features not named are false, `None` is not known. Returns the plan's id."""
        every: dict[str, Fact] = {
            "after_tax_contributions": False, "in_plan_roth_conversion": False, "in_service_distribution": False,
            "separate_after_tax_accounting": False, "ira_roll_in": False, "roth_deferrals": True,
            "limitation_year_end": "12-31", "verified_on": "2026-09-30", **(features or {}),
        }  # fmt: skip
        head = {"plan_id": plan_id, "employer_name": employer, "employer_group_id": group or f"G-{plan_id}"}
        self.rows["plans"].append(head | {"plan_type": plan_type} | {k: cell(v) for k, v in every.items()})
        return plan_id
