"""Awkward clients who could do something else, each beside the same client who did.

The engine's answer for the second is what the sheet What-if must show for the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.book import Book

#: Adds something done to a book: the book, and the accounts of the person (traditional, Roth).
Deed = Callable[[Book, str, str], None]
#: What is typed, and the same thing done.
Change = tuple[dict[str, str], tuple[Deed, ...]]


@dataclass(frozen=True)
class Awkward:
    """One person's 2026: facts, value of the traditional IRA, basis of 2025, what was done, what could be done."""

    person_id: str
    name: str
    pool: str
    basis: str
    done: tuple[Deed, ...]
    changes: tuple[Change, ...]
    profile: tuple[tuple[str, Any], ...] = ()

    def changed_id(self, number: int) -> str:
        """The person who did change `number`."""
        return f"{self.person_id}-{number}"

    def add_to(self, book: Book) -> None:
        """Add the person, and one person for each change."""
        self._add(book, self.person_id, self.done)
        for number, (_, deeds) in enumerate(self.changes):
            self._add(book, self.changed_id(number), (*self.done, *deeds))

    def _add(self, book: Book, person_id: str, deeds: tuple[Deed, ...]) -> None:
        traditional, roth = f"T{person_id}", f"R{person_id}"
        # namesakes, and what a wildcard would find
        book.add("persons", person_id=person_id, given_name="Ma*ia~", family_name=f"Awk?ward {self.person_id[:1]}")
        book.add("tax_profiles", person_id=person_id, tax_year=2026, **dict(self.profile))
        book.add("ira_basis", person_id=person_id, tax_year=2025, basis=self.basis)
        book.ira(traditional, self.pool, person_id=person_id)
        book.ira(roth, 7500, person_id=person_id, kind="roth_ira")
        for deed in deeds:
            deed(book, traditional, roth)


@dataclass(frozen=True)
class Group:
    """Awkward clients of one book."""

    people: tuple[Awkward, ...]
    as_of: str = "2026-12-01"
    choices: dict[str, str] | None = None


# events after the balance of November 20 carry its value forward
def _convert(amount: str, day: str = "2026-11-25") -> Deed:
    return lambda book, traditional, roth: book.convert(day, amount, out_of=traditional, into=roth) and None


def _event(kind: str, amount: str, day: str = "2026-11-25", **more: Any) -> Deed:
    return lambda book, traditional, _: book.event(traditional, day, kind, amount, **more) and None


def _contribute(amount: str, day: str = "2026-11-25") -> Deed:
    return _event("contribution", amount, day, tax_year=2026)


def _worth(amount: str) -> Deed:
    """What both accounts held on December 31."""

    def told(book: Book, traditional: str, roth: str) -> None:
        book.add("balances", account_number=traditional, as_of="2026-12-31", market_value=amount)
        book.add("balances", account_number=roth, as_of="2026-12-31", market_value=7500)

    return told


_BACKDOOR = (_contribute("7500", "2026-02-01"), _convert("7500", "2026-03-02"))
_CHANGES: tuple[Change, ...] = (
    ({"to_plan": "92500"}, (_event("plan_rollover_out", "92500"),)),
    ({"to_plan": "41234.56"}, (_event("plan_rollover_out", "41234.56"),)),
    ({"convert": "92500"}, (_convert("92500"),)),
    ({"convert": "12345.67"}, (_convert("12345.67"),)),
    ({"from_plan": "150000.05"}, (_event("plan_rollover_in", "150000.05"),)),
    ({"distribution": "4321.09"}, (_event("distribution", "4321.09"),)),
    (
        {"convert": "10000", "distribution": "3333.33", "from_plan": "0.07"},
        (_convert("10000"), _event("distribution", "3333.33"), _event("plan_rollover_in", "0.07")),
    ),
)
_NOT_COVERED = (
    ("active_participant", False),
    ("roth_magi", 50_000),
    ("deduction_magi", 50_000),
    ("ira_deduction", 3000),
)
#: 5,000 contributed, of which 3,000 is deducted.
_PARTLY = (_contribute("5000", "2026-02-01"),)
_AT_A_LOSS: tuple[Change, ...] = (
    ({"convert": "7300"}, (_convert("7300"),)),
    ({"convert": "7000"}, (_convert("7000"),)),
)


def _conversions(*amounts: str) -> tuple[Change, ...]:
    return tuple(({"convert": amount}, (_convert(amount),)) for amount in amounts)


GROUPS = (
    Group(
        (
            Awkward("A", "a backdoor beside 92,500", "92500", "0", _BACKDOOR, _CHANGES),
            Awkward(
                "B",
                "nothing came out yet, a QHFD is open",
                "20000",
                "6500.55",
                (),
                (
                    *_conversions("6500.55"),
                    ({"hsa": "5000", "convert": "7000"}, (_event("qhfd", "5000"), _convert("7000"))),
                    ({"nondeductible": "7500"}, (_contribute("7500"),)),
                    ({"nondeductible": "7500", "convert": "7500"}, (_contribute("7500"), _convert("7500"))),
                    ({"to_plan": "13499.45"}, (_event("plan_rollover_out", "13499.45"),)),
                ),
                (("hsa_coverage", "family"), ("hsa_contributions", 0), ("qhfd_used", False)),
            ),
            Awkward(
                "C",
                "part of the contribution is deducted (Worksheet 1-1)",
                "92500",
                "0",
                _PARTLY,
                (
                    *_conversions("5000"),
                    (
                        {"distribution": "1000.01", "convert": "4000"},
                        (_event("distribution", "1000.01"), _convert("4000")),
                    ),
                    ({"nondeductible": "2500", "convert": "7500"}, (_contribute("2500"), _convert("7500"))),
                ),
                _NOT_COVERED,
            ),
            Awkward("D", "everything converted at a loss", "7300", "7500", (), _AT_A_LOSS),
            Awkward(
                "E",
                "a disaster distribution",
                "92500",
                "9000",
                (_event("qualified_disaster_distribution", "10000.01", "2026-05-01"),),
                (
                    ({"distribution": "5000"}, (_event("distribution", "5000"),)),
                    (
                        {"convert": "33333.33", "distribution": "0.01"},
                        (_convert("33333.33"), _event("distribution", "0.01")),
                    ),
                ),
            ),
            # 0.05 x 10 / 100 is half a cent
            Awkward("F", "half a cent", "100", "10", (), _conversions("0.05", "0.15", "0.25", "20.35", "99.95")),
            Awkward(
                "G",
                "half a cent of large amounts",
                "8000000",
                "1000000",
                (),
                _conversions("0.04", "1234567.88", "4000000.12", "7999999.96"),
            ),
            Awkward(
                "H",
                "more basis than there is money",
                "5000",
                "12000",
                (),
                (
                    *_conversions("2500.25"),
                    ({"convert": "2000", "distribution": "3000"}, (_convert("2000"), _event("distribution", "3000"))),
                ),
            ),
        )
    ),
    Group(
        (Awkward("A", "line 10 at three places", "92500", "0", _BACKDOOR, _CHANGES),),
        choices={"line_10": "three_places"},
    ),
    Group(
        (
            Awkward(
                "C", "part is deducted, lines 4 to 12", "92500", "0", _PARTLY, _conversions("5000"), _NOT_COVERED
            ),
            Awkward("D", "everything converted at a loss, Part II only", "7300", "7500", (), _AT_A_LOSS),
        ),
        choices={"partly_deductible": "part_1", "whole_pool_at_a_loss": "part_2_only"},
    ),
    Group(
        (
            Awkward(
                "L",
                "a contribution still open in February",
                "0",
                "0",
                (_worth("55000.10"), _contribute("6500", "2026-02-01"), _convert("6499.99", "2026-03-02")),
                (({"later": "1000"}, (_contribute("1000", "2027-02-01"),)),),
            ),
        ),
        as_of="2027-02-10",
    ),
)  # fmt: skip
