"""400 invented people in 800 records, with the reasons why people are in a book twice and the traps that look like it.

Every human has a person record and a second record: another person record, or an IRA of nobody with a name on it.
Names are made of syllables. Traps: spouses and siblings with one surname, household and initial; twins; juniors named
like their father.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from tests.book import Book

GIVEN = (
    "Adela", "Ansel", "Beatrix", "Bertram", "Cecily", "Conrad", "Delphine", "Dorian", "Edwina", "Emeric", "Fenella",
    "Florian", "Greta", "Gideon", "Hester", "Hollis", "Imelda", "Ignatius", "Jorunn", "Jasper", "Katrin", "Konrad",
    "Leonie", "Lysander", "Mirabel", "Magnus", "Noemi", "Nestor", "Ottilie", "Oswin", "Petra", "Percival", "Rosalind",
    "Roderick", "Sidonie", "Silvan", "Thekla", "Tobias", "Ursula", "Ulric", "Valeska", "Viktor", "Wilma", "Winfried",
)  # fmt: skip
FIRST = (
    "Quill",
    "Bram",
    "Thorn",
    "Ash",
    "Fen",
    "Grim",
    "Hallow",
    "Marsh",
    "Oak",
    "Pell",
    "Rook",
    "Stone",
    "Wick",
    "Yar",
)
LAST = ("feather", "bury", "wick", "ham", "stead", "worth", "mere", "shaw", "combe", "field", "gate", "holt")
HUMANS = 400


@dataclass
class Human:
    number: int
    given: str
    family: str
    born: date
    household: str
    advisor: str
    suffix: str = ""

    @property
    def tax_id(self) -> str:
        return f"key-{self.number}"


@dataclass(frozen=True)
class Crowd:
    """The book, and the true pairs as (record of one side, person_id)."""

    book: Book
    true_pairs: frozenset[tuple[str, str]]
    persons: int
    accounts: int


def _humans(dice: random.Random) -> list[Human]:
    found: list[Human] = []

    def add(given: str, family: str, born: date, household: str, suffix: str = "") -> None:
        found.append(Human(len(found), given, family, born, household, f"A{1 + len(found) % 5}", suffix))

    def family() -> str:
        name = dice.choice(FIRST) + dice.choice(LAST)
        return f"{name}-{dice.choice(FIRST)}{dice.choice(LAST)}" if dice.random() < 0.12 else name

    def day(first: int, last: int) -> date:
        return date(first, 1, 1) + timedelta(days=dice.randrange(365 * (last - first)))

    while len(found) < HUMANS:
        household, name, kind = f"H{len(found)}", family(), dice.random()
        one = dice.choice(GIVEN)
        alike = [g for g in GIVEN if g[0] == one[0] and g != one]
        if kind < 0.15:  # spouses, often with one initial
            add(one, name, day(1950, 1990), household)
            add(
                alike[0] if dice.random() < 0.4 else dice.choice([g for g in GIVEN if g != one]),
                name,
                day(1950, 1990),
                household,
            )
        elif kind < 0.22:  # twins
            born = day(1960, 2000)
            add(one, name, born, household)
            add(alike[0], name, born, household)
        elif kind < 0.29:  # father and son of one name
            add(one, name, day(1945, 1960), household)
            add(one, name, day(1975, 1995), household, "Jr" if dice.random() < 0.8 else "")
        else:
            add(one, name, day(1945, 2000), household)
    return found[:HUMANS]


def _slip(word: str, dice: random.Random) -> str:
    """One slip of the pen, never in the first letter."""
    at = dice.randrange(1, len(word) - 1)
    if dice.random() < 0.5:
        return word[:at] + word[at + 1 :]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _given(one: Human, dice: random.Random) -> str:
    kind = dice.random()
    if kind < 0.15:
        return one.given[0]
    if kind < 0.25:
        return _slip(one.given, dice)
    return f"{one.given} {dice.choice(GIVEN)}" if kind < 0.33 else one.given


def _family(one: Human, dice: random.Random) -> str:
    kind = dice.random()
    if "-" in one.family and kind < 0.5:
        return one.family.split("-")[0]
    if kind < 0.10:
        return _slip(one.family, dice)
    return one.family[:9] if kind < 0.15 else one.family


def _registration(one: Human, dice: random.Random) -> str:
    """A name as custodians write it on an account."""
    given, family, suffix = _given(one, dice), _family(one, dice), f" {one.suffix}" if one.suffix else ""
    return dice.choice(
        (
            f"{family}{suffix}, {given} {dice.choice('ABCDE')}",
            f"{given} {family}{suffix}",
            f"{given} {dice.choice('MNOP')} {family}{suffix} IRA",
        )
    ).upper()


def crowd(seed: int = 4) -> Crowd:
    """The 800 records of 400 humans; the same seed gives the same book."""
    dice = random.Random(seed)
    book, pairs, accounts = Book(), set(), 0
    for n in range(2, 6):
        book.add("advisors", advisor_id=f"A{n}", advisor_name=f"Advisor {n}", rep_codes=f"R{n}")
    for one in _humans(dice):
        person = f"P{one.number:03d}"
        suffix = f" {one.suffix}" if one.suffix else ""

        def born(one: Human = one) -> str:
            return "" if dice.random() < 0.3 else one.born.isoformat()

        book.add(
            "persons", person_id=person, given_name=one.given, family_name=one.family + suffix,
            household_id=one.household, advisor_id=one.advisor, birth_date=born(),
            tax_id=one.tax_id if dice.random() < 0.5 else "",
        )  # fmt: skip
        advisor = one.advisor if dice.random() < 0.85 else f"A{dice.randint(1, 5)}"
        tax_id = one.tax_id if dice.random() < 0.3 else ""
        if one.number % 2:
            book.add(
                "persons", person_id=f"Q{one.number:03d}", given_name=_given(one, dice),
                family_name=_family(one, dice) + suffix, household_id=one.household if dice.random() < 0.6 else "",
                advisor_id=advisor, birth_date=born(), tax_id=tax_id,
            )  # fmt: skip
            pairs.add((person, f"Q{one.number:03d}"))
        else:
            # known by its tax id alone it needs no suggestion
            book.ira(
                f"X{one.number:03d}", 10_000 + one.number, person_id="", owner_name=_registration(one, dice),
                owner_birth_date=born(), rep_code=advisor.replace("A", "R"),
            )  # fmt: skip
            accounts += 1
            pairs.add((f"testcust:X{one.number:03d}", person))
    return Crowd(book, frozenset(pairs), HUMANS + HUMANS // 2, accounts)
