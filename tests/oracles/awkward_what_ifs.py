"""Small books in which something else is done than was done: the engine's answer for the changed book is the sheet's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.book import Book

Change = tuple[dict[str, str], Callable[[Book], Book]]


@dataclass(frozen=True)
class AwkwardBook:
    """One person's 2026; each change is what is typed, and the same thing done in the book."""

    name: str
    base: Callable[[], Book]
    changes: tuple[Change, ...]
    as_of: str = "2026-12-01"
    choices: dict[str, str] | None = None


def _client(pool: Any = "92500", basis: Any = 0, name: str = "Maria", **profile: Any) -> Book:
    book = Book().add("persons", person_id="P1", given_name=name, family_name="Awk?ward*~")
    book.add("tax_profiles", person_id="P1", tax_year=2026, **profile)
    book.add("ira_basis", person_id="P1", tax_year=2025, basis=basis)
    return book.ira("T", pool).ira("R", 7500, kind="roth_ira")


def _converted(**more: Any) -> Book:
    return _client(**more).event("T", "2026-02-01", "contribution", 7500, tax_year=2026).convert("2026-03-02", 7500)


# events after the balance of November 20 carry the value forward
def _convert(amount: Any) -> Callable[[Book], Book]:
    return lambda book: book.convert("2026-11-25", amount)


def _event(kind: str, amount: Any, **more: Any) -> Callable[[Book], Book]:
    return lambda book: book.event("T", "2026-11-25", kind, amount, **more)


def _all(*changes: Callable[[Book], Book]) -> Callable[[Book], Book]:
    def done(book: Book) -> Book:
        for change in changes:
            book = change(book)
        return book

    return done


_NOT_COVERED = {"active_participant": False, "filing_status": "single", "roth_magi": 50_000, "deduction_magi": 50_000}


def _partly_deducted(**more: Any) -> Book:
    """7,500 contributed, of which 3,000 is deducted."""
    book = _client(ira_deduction=3000, **_NOT_COVERED, **more)
    return book.event("T", "2026-02-01", "contribution", 5000, tax_year=2026)


def _later(book: Book) -> Book:
    return book.event("T", "2027-02-01", "contribution", 1000, tax_year=2026)


CHANGES_OF_A_BACKDOOR: tuple[Change, ...] = (
    ({"to_plan": "92500"}, _event("plan_rollover_out", 92500)),
    ({"to_plan": "41234.56"}, _event("plan_rollover_out", "41234.56")),
    ({"convert": "92500"}, _convert(92500)),
    ({"convert": "12345.67"}, _convert("12345.67")),
    ({"from_plan": "150000.05"}, _event("plan_rollover_in", "150000.05")),
    ({"distribution": "4321.09"}, _event("distribution", "4321.09")),
    ({"convert": "10000", "distribution": "3333.33", "from_plan": "0.07"},
     _all(_convert(10000), _event("distribution", "3333.33"), _event("plan_rollover_in", "0.07"))),
)  # fmt: skip

BOOKS = (
    AwkwardBook("backdoor beside 92,500", _converted, CHANGES_OF_A_BACKDOOR),
    AwkwardBook("line 10 at three places", _converted, CHANGES_OF_A_BACKDOOR, choices={"line_10": "three_places"}),
    AwkwardBook(
        "nothing came out yet, a QHFD is open",
        lambda: _client(pool="20000", basis="6500.55", hsa_coverage="family", hsa_contributions=0, qhfd_used=False),
        (
            ({"convert": "6500.55"}, _convert("6500.55")),
            ({"hsa": "5000", "convert": "7000"}, _all(_event("qhfd", 5000), _convert(7000))),
            ({"nondeductible": "7500"}, _event("contribution", 7500, tax_year=2026)),
            ({"nondeductible": "7500", "convert": "7500"},
             _all(_event("contribution", 7500, tax_year=2026), _convert(7500))),
            ({"to_plan": "13499.45"}, _event("plan_rollover_out", "13499.45")),
        ),
    ),
    AwkwardBook(
        "part of the contribution is deducted (Worksheet 1-1)",
        _partly_deducted,
        (
            ({"convert": "5000"}, _convert(5000)),
            ({"distribution": "1000.01", "convert": "4000"}, _all(_event("distribution", "1000.01"), _convert(4000))),
            ({"nondeductible": "2500", "convert": "7500"},
             _all(_event("contribution", 2500, tax_year=2026), _convert(7500))),
        ),
    ),
    AwkwardBook(
        "part is deducted, lines 4 to 12 by choice",
        _partly_deducted,
        (({"convert": "5000"}, _convert(5000)),),
        choices={"partly_deductible": "part_1"},
    ),
    AwkwardBook(
        "a contribution of January to come, seen in February",
        lambda: _client(pool=0).add("balances", account_number="T", as_of="2026-12-31", market_value="55000.10")
        .add("balances", account_number="R", as_of="2026-12-31", market_value=7500)
        .event("T", "2026-02-01", "contribution", 6500, tax_year=2026).convert("2026-03-02", "6499.99"),
        (({"later": "1000"}, _later),),
        as_of="2027-02-10",
    ),
    AwkwardBook(
        "everything converted at a loss",
        lambda: _client(pool="7300", basis="7500"),
        (({"convert": "7300"}, _convert(7300)), ({"convert": "7000"}, _convert(7000))),
    ),
    AwkwardBook(
        "everything converted at a loss, Part II only by choice",
        lambda: _client(pool="7300", basis="7500"),
        (({"convert": "7300"}, _convert(7300)), ({"convert": "7000"}, _convert(7000))),
        choices={"whole_pool_at_a_loss": "part_2_only"},
    ),
    AwkwardBook(
        "a disaster distribution",
        lambda: _client(basis="9000").event("T", "2026-05-01", "qualified_disaster_distribution", "10000.01"),
        (
            ({"distribution": "5000"}, _event("distribution", 5000)),
            ({"convert": "33333.33", "distribution": "0.01"}, _all(_convert("33333.33"), _event("distribution", "0.01"))),
        ),
    ),
    # 20.01 x 50 / 100.05 is 10 exactly; 0.05 x 10 / 100 is half a cent
    AwkwardBook(
        "half a cent",
        lambda: _client(pool="100", basis="10"),
        tuple(({"convert": a}, _convert(a)) for a in ("0.05", "0.15", "0.25", "20.35", "99.95")),
    ),
    AwkwardBook(
        "half a cent of large amounts",
        lambda: _client(pool="8000000", basis="1000000"),
        tuple(({"convert": a}, _convert(a)) for a in ("0.04", "1234567.88", "4000000.12", "7999999.96")),
    ),
    AwkwardBook(
        "as much basis as there is, twice over",
        lambda: _client(pool="5000", basis="12000"),
        (
            ({"convert": "2500.25"}, _convert("2500.25")),
            ({"convert": "2000", "distribution": "3000"}, _all(_convert(2000), _event("distribution", 3000))),
        ),
    ),
)  # fmt: skip
