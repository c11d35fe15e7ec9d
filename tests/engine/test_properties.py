"""Properties of the engine: equal to the row-at-a-time oracles, and unmoved by what must not move it."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.book import Book
from tests.oracles.form_8606 import form_8606, worksheet_1_1
from tests.oracles.mega_backdoor import room

#: Mutation testing runs every test hundreds of times and asks for fewer examples of each.
ENGINE = settings(
    max_examples=int(os.environ.get("ENGINE_EXAMPLES", "4")), deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip

cents = st.integers(0, 200_000_000).map(lambda c: Decimal(c) / 100)
small = st.one_of(st.just(Decimal(0)), cents)
contribution = st.one_of(st.just(Decimal(0)), st.integers(1, 700_000).map(lambda c: Decimal(c) / 100))

form_inputs = st.fixed_dictionaries(
    {
        "on_time": contribution,
        "late": st.just(Decimal(0)),
        "line_2": small,
        "line_6": small,
        "line_7": small,
        "line_8": small,
    }
).map(lambda row: row | ({"late": row["on_time"], "on_time": Decimal(0)} if row["line_2"] % 2 == 1 else {}))


def _person(book: Book, person_id: str, row: dict[str, Decimal], *, split: bool = False) -> None:
    t, r = f"{person_id}T", f"{person_id}R"
    book.person(person_id, 2025)
    book.add("ira_basis", person_id=person_id, tax_year=2024, basis=row["line_2"])
    first = (row["line_6"] / 3).quantize(Decimal("0.01")) if split else row["line_6"]
    book.ira(t, first, person_id=person_id, as_of="2025-12-31")
    if split:
        book.ira(f"{person_id}S", row["line_6"] - first, person_id=person_id, kind="sep_ira", as_of="2025-12-31")
    book.ira(r, row["line_8"], person_id=person_id, kind="roth_ira", as_of="2025-12-31")
    if row["on_time"]:
        book.event(t, "2025-02-01", "contribution", row["on_time"], tax_year=2025)
    if row["late"]:
        book.event(t, "2026-02-01", "contribution", row["late"], tax_year=2025)
    if row["line_7"]:
        book.event(t, "2025-06-01", "distribution", row["line_7"])
    if row["line_8"]:
        book.convert("2025-03-02", row["line_8"], out_of=t, into=r)


def _forms(book: Book) -> pl.DataFrame:
    return book.compute(as_of="2026-05-01", tax_years=(2025,))["form_8606"].sort("person_id")


@ENGINE
@given(st.lists(form_inputs, min_size=20, max_size=40))
def test_vectorised_form_8606_equals_the_form_filled_in_by_hand(rows: list[dict[str, Decimal]]) -> None:
    book = Book()
    for n, row in enumerate(rows):
        _person(book, f"P{n:03d}", row)
    forms = _forms(book)
    assert forms.height == len(rows)
    for row, got in zip(rows, forms.iter_rows(named=True), strict=True):
        want = form_8606(
            row["on_time"] + row["late"], row["line_2"], row["late"], row["line_6"], row["line_7"], row["line_8"]
        )
        assert got["status"] in ("COMPUTED", "REVIEW"), got["reasons"]
        for line in ("line_3", "line_9", "line_11", "line_12", "line_13", "line_14", "line_15c", "line_18"):
            assert got[line] == getattr(want, line), (line, row)
        _check_identities(got)


def _check_identities(got: dict[str, Any]) -> None:
    assert got["line_14"] >= 0
    if got["line_13"] is not None:
        assert got["line_17"] + got["line_18"] == got["line_16"]
        assert got["line_13"] <= got["line_5"]
        assert 0 <= got["line_10"] <= 1


@ENGINE
@given(st.lists(form_inputs, min_size=10, max_size=20))
def test_splitting_an_ira_or_reordering_the_files_changes_nothing(rows: list[dict[str, Decimal]]) -> None:
    whole, split = Book(), Book()
    for n, row in enumerate(rows):
        _person(whole, f"P{n:03d}", row)
        _person(split, f"P{n:03d}", row, split=True)
    for table in split.rows.values():
        table.reverse()
    assert _forms(whole).equals(_forms(split))


@ENGINE
@given(st.lists(form_inputs, min_size=5, max_size=10))
def test_a_roth_or_a_plan_account_more_changes_nothing(rows: list[dict[str, Decimal]]) -> None:
    plain, more = Book(), Book()
    for n, row in enumerate(rows):
        _person(plain, f"P{n:03d}", row)
        _person(more, f"P{n:03d}", row)
        more.ira(f"P{n:03d}X", 123456, person_id=f"P{n:03d}", kind="roth_ira", as_of="2025-12-31")
        more.ira(f"P{n:03d}Y", 654321, person_id=f"P{n:03d}", kind="401k", as_of="2025-12-31")
    assert _forms(plain).equals(_forms(more))


partly_deducted = st.fixed_dictionaries(
    {
        "basis": small,
        "contributions": st.integers(200_000, 700_000).map(lambda c: Decimal(c) / 100),
        "year_end": small,
        "line_7": small,
        "line_8": st.integers(1, 200_000_000).map(lambda c: Decimal(c) / 100),
    }
)


@ENGINE
@given(st.lists(partly_deducted, min_size=20, max_size=40))
def test_vectorised_worksheet_1_1_equals_the_worksheet_filled_in_by_hand(rows: list[dict[str, Decimal]]) -> None:
    book = Book()
    for n, row in enumerate(rows):
        who = f"P{n:03d}"
        book.person(who, 2025, ira_deduction=1500, deduction_magi=50_000)
        book.add("ira_basis", person_id=who, tax_year=2024, basis=row["basis"])
        book.ira(f"{who}T", row["year_end"], person_id=who, as_of="2025-12-31")
        book.ira(f"{who}R", row["line_8"], person_id=who, kind="roth_ira", as_of="2025-12-31")
        book.event(f"{who}T", "2025-02-01", "contribution", row["contributions"], tax_year=2025)
        book.convert("2025-03-02", row["line_8"], out_of=f"{who}T", into=f"{who}R")
        if row["line_7"]:
            book.event(f"{who}T", "2025-06-01", "distribution", row["line_7"])
    for row, got in zip(rows, _forms(book).iter_rows(named=True), strict=True):
        want = worksheet_1_1(
            row["basis"], row["contributions"], Decimal(1500), row["year_end"], row["line_7"], row["line_8"]
        )
        assert got["status"] == "REVIEW"
        for line in ("line_3", "line_9", "line_11", "line_12", "line_13", "line_14", "line_15c", "line_18"):
            assert got[line] == getattr(want, line), (line, row)
        assert got["line_14"] >= 0


exposed = st.fixed_dictionaries(
    {
        "pre_tax": st.integers(1, 100_000_000).map(lambda c: Decimal(c) / 100),
        "basis": contribution,
        "converted": st.integers(1, 5_000_000).map(lambda c: Decimal(c) / 100),
        "spent": small,
    }
)


def _exposed(book: Book, who: str, row: dict[str, Decimal], way: str = "accept", moved: Decimal = Decimal(0)) -> None:
    """A person who converted and, when `way` is taken, has moved `moved` out of the pool that way."""
    out, plan, hsa = f"{who}T", f"{who}P", f"{who}H"
    book.person(who, 2026, hsa_coverage="family", hsa_contributions=0, qhfd_used=False)
    book.add("ira_basis", person_id=who, tax_year=2025, basis=row["basis"])
    book.ira(out, row["pre_tax"] - moved, person_id=who).ira(f"{who}R", 0, person_id=who, kind="roth_ira")
    book.ira(hsa, 0, person_id=who, kind="hsa")
    book.add("plans", plan_id=plan, employer_group_id=plan)
    book.add("plan_contributions", person_id=who, plan_id=plan, tax_year=2026, as_of="2026-11-20")
    book.convert("2026-03-02", row["converted"], out_of=out, into=f"{who}R")
    if row["spent"]:
        book.event(out, "2026-06-01", "distribution", row["spent"])
    if moved and way == "reverse_rollover":
        book.event(out, "2026-11-10", "plan_rollover_out", moved)
    if moved and way == "qhfd":
        book.event(out, "2026-11-10", "qhfd", moved)
    if moved and way == "convert_everything":
        book.convert("2026-11-10", moved, out_of=out, into=f"{who}R")


@ENGINE
@given(st.lists(exposed, min_size=10, max_size=20))
def test_taking_a_way_out_costs_what_was_said_it_would(rows: list[dict[str, Decimal]]) -> None:
    before = Book()
    for n, row in enumerate(rows):
        _exposed(before, f"P{n:03d}", row)
    said = before.compute()["ways_out"]
    for way in ("reverse_rollover", "qhfd", "convert_everything"):
        chosen = {r["person_id"]: r for r in said.filter(pl.col("way") == way).iter_rows(named=True)}
        open_rows = {n: chosen[f"P{n:03d}"] for n in range(len(rows)) if chosen.get(f"P{n:03d}", {}).get("amount")}
        after = Book()
        for n, row in enumerate(rows):
            moved = open_rows[n]["amount"] if n in open_rows else Decimal(0)
            _exposed(after, f"P{n:03d}", row, way, moved)
        forms = {r["person_id"]: r for r in after.compute()["form_8606"].iter_rows(named=True)}
        for promise in open_rows.values():
            assert forms[promise["person_id"]]["line_18"] == promise["taxable_then"], (way, promise)


dollars = st.integers(0, 8_000_000).map(lambda c: Decimal(c) / 100)
mega_inputs = st.fixed_dictionaries(
    {
        "age": st.sampled_from([40, 55, 62, 64]),
        "compensation": st.integers(0, 40_000_000).map(lambda c: Decimal(c) / 100),
        "deferrals": st.integers(0, 3_600_000).map(lambda c: Decimal(c) / 100),
        "elsewhere": st.one_of(st.just(Decimal(0)), st.integers(1, 2_000_000).map(lambda c: Decimal(c) / 100)),
        "match": dollars, "after_tax": dollars, "expected": dollars,
        "cap": st.one_of(st.none(), dollars),
    }
)  # fmt: skip
CATCH_UP = {40: Decimal(0), 55: Decimal(8000), 62: Decimal(11250), 64: Decimal(8000)}


@ENGINE
@given(st.lists(mega_inputs, min_size=20, max_size=40))
def test_vectorised_415c_room_equals_the_rules_page(rows: list[dict[str, Any]]) -> None:
    book = Book()
    for n, row in enumerate(rows):
        who, plan = f"P{n:03d}", f"PL{n:03d}"
        book.person(who, birth_date=f"{2026 - row['age']}-06-15")
        book.add("plans", plan_id=plan, employer_group_id=plan, after_tax_cap_amount=row["cap"])
        book.add("plan_contributions", person_id=who, plan_id=plan, tax_year=2026, as_of="2026-11-30",
                 compensation=row["compensation"], pre_tax_deferrals=row["deferrals"], employer_match=row["match"],
                 after_tax_contributions=row["after_tax"], expected_employer_contributions=row["expected"])  # fmt: skip
        if row["elsewhere"]:
            book.add("plans", plan_id=f"{plan}B", employer_group_id=f"{plan}B", employer_name="Other",
                     after_tax_contributions=False)  # fmt: skip
            book.add("plan_contributions", person_id=who, plan_id=f"{plan}B", tax_year=2026, as_of="2026-11-30",
                     pre_tax_deferrals=row["elsewhere"])  # fmt: skip
    table = book.compute()["mega_backdoor"]
    for n, row in enumerate(rows):
        got = table.filter(pl.col("employer_group_id") == f"PL{n:03d}").row(0, named=True)
        want = room(
            limit_415c=Decimal(72000), limit_402g=Decimal(24500), catch_up_limit=CATCH_UP[row["age"]],
            compensation=row["compensation"], deferrals=row["deferrals"], deferrals_elsewhere=row["elsewhere"],
            employer=row["match"], after_tax=row["after_tax"], expected=row["expected"], cap=row["cap"],
        )  # fmt: skip
        assert (
            got["room"],
            got["annual_additions"],
            got["catch_up_portion"],
            got["excess_annual_additions"],
        ) == want, row


@ENGINE
@given(st.lists(st.integers(0, 3_000_000).map(lambda c: Decimal(c) / 100), min_size=10, max_size=30))
def test_room_falls_dollar_for_dollar_with_the_match(matches: list[Decimal]) -> None:
    book = Book()
    for n, match in enumerate([Decimal(0), *matches]):
        book.person(f"P{n:03d}")
        book.add("plans", plan_id=f"PL{n:03d}", employer_group_id=f"PL{n:03d}")
        book.add("plan_contributions", person_id=f"P{n:03d}", plan_id=f"PL{n:03d}", tax_year=2026, as_of="2026-11-30",
                 pre_tax_deferrals=24_500, employer_match=match)  # fmt: skip
    rooms = book.compute()["mega_backdoor"].sort("person_id")["room"].to_list()
    assert rooms[1:] == [rooms[0] - match for match in matches]
