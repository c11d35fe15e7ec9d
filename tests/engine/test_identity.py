"""Every person once: whose an account is, changed ids and numbers, approved and rejected links, what stays open."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.book import Book

D = Decimal
Results = dict[str, pl.DataFrame]


def _half(record: str) -> str:
    letters = str.maketrans("0123456789", "ghijklmnop")
    return hashlib.sha256(record.encode()).hexdigest()[:16].translate(letters)


def account_link(number: str, person_id: str) -> str:
    return f"A-{_half(f'account:testcust:{number}')}-{_half(f'person:{person_id}')}"


def person_link(one: str, two: str) -> str:
    return f"P-{_half(f'person:{one}')}-{_half(f'person:{two}')}"


def _converter(person_id: str = "P1", left: Any = 0, **person: Any) -> Book:
    """$7,500 contributed and converted in 2026, no basis before; `left` stays in the IRA T."""
    book = Book().add("persons", person_id=person_id, **person)
    book.add("tax_profiles", person_id=person_id, tax_year=2026)
    book.add("ira_basis", person_id=person_id, tax_year=2025, basis=0)
    book.ira("T", left, person_id=person_id).ira("R", 7500, person_id=person_id, kind="roth_ira")
    return book.event("T", "2026-02-01", "contribution", 7500, tax_year=2026).convert("2026-03-02", 7500)


def _form(results: Results, person_id: str = "P1") -> dict[str, Any]:
    return results["form_8606"].filter(pl.col("person_id") == person_id).row(0, named=True)


def _owners(results: Results) -> dict[str, str]:
    return dict(results["ira_aggregation"].select("account_key", "person_id").iter_rows())


def _rules(results: Results) -> set[str]:
    return set(results["findings"]["rule"])


def _reasons(results: Results, person_id: str = "P1") -> str:
    return " | ".join(_form(results, person_id)["reasons"])


def test_an_approved_link_gives_an_account_its_owner() -> None:
    """7,500 x 7,500 / (92,500 + 7,500) = 562.50 tax-free."""
    book = _converter().ira("X", 92_500, person_id="").add("account_links", account_number="X", person_id="P1")
    results = book.compute()
    assert _form(results)["line_18"] == D("6937.50")
    assert _form(results)["status"] == "COMPUTED"
    assert "unmatched_account" not in _rules(results)


@pytest.mark.parametrize(("dates", "linked"), [
    pytest.param({"valid_from": "2026-12-01"}, True, id="from today"),
    pytest.param({"valid_from": "2026-12-02"}, False, id="from tomorrow"),
    pytest.param({"valid_to": "2026-12-01"}, True, id="to today"),
    pytest.param({"valid_to": "2026-11-30"}, False, id="to yesterday"),
])  # fmt: skip
def test_a_link_counts_on_its_days(dates: dict[str, str], linked: bool) -> None:
    book = _converter().ira("X", 92_500, person_id="").add("account_links", account_number="X", person_id="P1", **dates)
    assert ("testcust:X" in _owners(book.compute())) is linked


def test_a_link_outranks_the_accounts_file_and_both_persons_are_told() -> None:
    book = (
        _converter().person("P2").add("ira_basis", person_id="P2", tax_year=2025, basis=0).ira("Y", 5, person_id="P2")
    )
    book.ira("X", 92_500, person_id="P1").add("account_links", account_number="X", person_id="P2")
    results = book.compute()
    assert _owners(results)["testcust:X"] == "P2"
    for person in ("P1", "P2"):
        assert _form(results, person)["status"] == "REVIEW"
        assert "by an approved link, but the accounts file says P1" in _reasons(results, person)


def test_two_links_at_a_time_choose_nobody() -> None:
    book = _converter().person("P2").ira("X", 92_500, person_id="")
    book.add("account_links", account_number="X", person_id="P1").add(
        "account_links", account_number="X", person_id="P2", valid_from="2026-01-01")  # fmt: skip
    results = book.compute()
    assert "testcust:X" not in _owners(results)
    assert _form(results)["status"] == "UNKNOWN"
    assert _form(results)["line_18"] is None
    assert "more than one person at a time" in _reasons(results)


@pytest.mark.parametrize("account", [
    pytest.param({"kind": "trust"}, id="trust"),
    pytest.param({"kind": "401k"}, id="solo 401k under an EIN"),
    pytest.param({"kind": "inherited_traditional_ira"}, id="inherited"),
    pytest.param({"inherited_from": "aunt"}, id="stated as inherited"),
    pytest.param({"owner_birth_date": "2009-12-01"}, id="a minor's until tomorrow"),
])  # fmt: skip
def test_a_tax_id_alone_never_decides(account: dict[str, str]) -> None:
    book = Book().add("persons", person_id="P1", tax_id="k1", birth_date="")
    results = book.ira("X", 50_000, person_id="", owner_tax_id="k1", **account).compute(as_of="2026-11-30")
    assert "testcust:X" not in _owners(results)


def test_a_tax_id_decides_an_adults_own_ira() -> None:
    book = Book().add("persons", person_id="P1", tax_id="k1", birth_date="")
    results = book.ira("X", 50_000, person_id="", owner_tax_id="k1", owner_birth_date="2008-11-30").compute(
        as_of="2026-11-30"
    )
    assert _owners(results) == {"testcust:X": "P1"}


@pytest.mark.parametrize(("person_has", "account_has"), [("k1", "k3"), ("k3", "k1"), ("k2", "k2"), ("k1", "k2")])
def test_changed_tax_ids_are_one_person_s(person_has: str, account_has: str) -> None:
    book = Book().add("persons", person_id="P1", tax_id=person_has)
    book.add("tax_id_changes", old_tax_id="k1", new_tax_id="k2").add("tax_id_changes", old_tax_id="k2", new_tax_id="k3")
    assert _owners(book.ira("X", 1, person_id="", owner_tax_id=account_has).compute()) == {"testcust:X": "P1"}


def test_a_new_id_that_is_somebody_else_s_matches_nobody_and_is_told() -> None:
    book = (
        _converter(tax_id="k1")
        .add("persons", person_id="P2", tax_id="k2")
        .ira("X", 50_000, person_id="", owner_tax_id="k2")
    )
    results = book.add("tax_id_changes", old_tax_id="k1", new_tax_id="k2").compute()
    assert "testcust:X" not in _owners(results)
    assert {"shared_tax_id", "account_owner_contested"} <= _rules(results)
    assert _form(results)["status"] == "UNKNOWN"


def test_a_shared_tax_id_alone_makes_both_review() -> None:
    results = _converter(tax_id="k1").add("persons", person_id="P2", tax_id="k1", household_id="H2").compute()
    assert _form(results)["status"] == "REVIEW"
    assert "tax_id_shared: the same tax id is stated for P1 and P2" in _reasons(results)


def test_a_renumbered_account_is_counted_once_and_loses_nothing() -> None:
    """OLD became MID became T: one account. Its balance is the newest number's, its resent events are one each."""
    book = (
        _converter(left=91_500)
        .ira("OLD", 90_000, as_of="2026-11-20")
        .event("OLD", "2026-02-01", "contribution", 7500, tax_year=2026)
    )
    book.event("MID", "2026-01-15", "distribution", 1000)
    book.add("renumbered_accounts", old_account_number="OLD", account_number="MID")
    book.add("renumbered_accounts", old_account_number="MID", account_number="T")
    results = book.compute()
    assert _owners(results) == {"testcust:T": "P1", "testcust:R": "P1"}
    form = _form(results)
    assert (form["line_1"], form["line_6"], form["line_7"]) == (D(7500), D(91_500), D(1000))
    assert form["status"] == "COMPUTED"


def test_an_old_number_that_was_closed_closes_nothing() -> None:
    book = _converter().ira("OLD", 92_500, as_of="2026-03-31", opened_on="2015-01-01", closed_on="2026-04-01")
    book.ira("NEW", 92_500, opened_on="2026-04-01")
    results = book.add("renumbered_accounts", old_account_number="OLD", account_number="NEW").compute()
    assert _owners(results) == {"testcust:T": "P1", "testcust:R": "P1", "testcust:NEW": "P1"}
    assert _form(results)["line_6"] == D(92_500)


def test_two_persons_under_two_numbers_of_one_account_choose_nobody() -> None:
    book = _converter().person("P2").ira("OLD", 92_500, person_id="P1").ira("NEW", 92_500, person_id="P2")
    results = book.add("renumbered_accounts", old_account_number="OLD", account_number="NEW").compute()
    assert "testcust:NEW" not in _owners(results)
    assert _form(results)["status"] == "UNKNOWN"
    assert "under its old number and to another under its new one" in _reasons(results)


@pytest.mark.parametrize(
    "changes", [[("T", "U"), ("U", "T")], [("T", "V"), ("W", "V")]], ids=["circle", "two became one"]
)
def test_unclear_renumbering_is_not_followed_and_makes_the_form_unknown(changes: list[tuple[str, str]]) -> None:
    book = _converter()
    for old, new in changes:
        book.add("renumbered_accounts", old_account_number=old, account_number=new)
    results = book.compute()
    assert _form(results)["status"] == "UNKNOWN"
    assert {"change_not_followed", "account_owner_contested"} <= _rules(results)


def _twice(holds: int = 50_000) -> Book:
    """Johanna twice: P1 converts, P2 (same name and birth date, another household) holds money in an IRA."""
    book = _converter(given_name="Johanna", family_name="Quillfeather")
    book.add("persons", person_id="P2", given_name="Johanna", family_name="Quillfeather", household_id="H2")
    return book.ira("X", holds, person_id="P2")


def test_a_possible_second_half_makes_the_form_review_with_its_dollars() -> None:
    """7,500 x 7,500 / 57,500 = 978.26 tax-free: 6,521.74 taxable instead of 0."""
    results = _twice().compute()
    form = _form(results)
    assert (form["status"], form["line_18"], form["line_6"]) == ("REVIEW", D(0), D(0))
    assert "holds $50,000 in traditional IRAs; line 18 would be $6,521.74 instead of $0" in _reasons(results)
    row = results["link_suggestions"].filter(pl.col("person_id") == "P1").row(0, named=True)
    assert (row["suggestion_id"], row["other_person_id"]) == (person_link("P1", "P2"), "P2")
    assert (row["pool_value_added"], row["line_18_with"]) == (D(50_000), D("6521.74"))
    assert row["agrees"] == ["given name", "family name", "birth date", "advisor"]


def test_a_clean_backdoor_is_never_offered_while_half_of_the_person_may_be_missing() -> None:
    book = Book().add("persons", person_id="P1", given_name="Johanna", family_name="Quillfeather")
    book.add("tax_profiles", person_id="P1", tax_year=2026)
    assert "backdoor_ready" in _rules(book.compute())
    book.ira("X", 50_000, person_id="", owner_name="Johanna Quillfeather", owner_birth_date="1986-06-15")
    assert "backdoor_ready" not in _rules(book.compute())


def test_an_approved_person_link_makes_two_ids_one() -> None:
    """7,500 x 7,500 / (92,500 + 7,500) = 562.50 tax-free."""
    results = (
        _twice(holds=92_500).add("link_decisions", suggestion_id=person_link("P1", "P2"), decision="approve").compute()
    )
    assert set(results["ira_limits"]["person_id"]) == {"P1"}
    assert _owners(results)["testcust:X"] == "P1"
    assert (_form(results)["status"], _form(results)["line_18"]) == ("COMPUTED", D("6937.50"))
    assert results["link_suggestions"].is_empty()
    assert "possible_same_person" not in _rules(results)


def test_the_id_with_a_tax_profile_survives() -> None:
    book = _converter("P2", given_name="Johanna").add("persons", person_id="P1", given_name="Johanna", tax_id="k1")
    book.ira("X", 50_000, person_id="", owner_tax_id="k1")
    results = book.add("link_decisions", suggestion_id=person_link("P1", "P2"), decision="approve").compute()
    assert set(_owners(results).values()) == {"P2"}


def test_what_two_merged_ids_state_differently_makes_the_form_unknown() -> None:
    book = _twice().add("ira_basis", person_id="P2", tax_year=2025, basis=1200)
    results = book.add("link_decisions", suggestion_id=person_link("P1", "P2"), decision="approve").compute()
    assert _form(results)["status"] == "UNKNOWN"
    assert "merged_rows_differ: ira_basis" in _reasons(results)


def test_a_rejected_link_is_not_suggested_again_and_a_later_answer_counts() -> None:
    book = _twice().add("link_decisions", suggestion_id=person_link("P1", "P2"), decision="approve")
    book.add("link_decisions", suggestion_id=person_link("P1", "P2"), decision="reject", decided_on="2026-06-02")
    results = book.compute()
    assert set(results["ira_limits"]["person_id"]) == {"P1", "P2"}
    assert results["link_suggestions"].is_empty()
    assert _form(results)["status"] == "COMPUTED"


def test_an_approved_account_link_is_a_crosswalk_row() -> None:
    book = _converter().ira("X", 92_500, person_id="")
    results = book.add("link_decisions", suggestion_id=account_link("X", "P1"), decision="approve").compute()
    assert _form(results)["line_18"] == D("6937.50")


def test_answers_that_contradict_merge_nobody() -> None:
    """P1 = P2 and P2 = P3, but P1 is not P3."""
    book = _converter().person("P2").person("P3")
    for one, two, answer in (("P1", "P2", "approve"), ("P2", "P3", "approve"), ("P1", "P3", "reject")):
        book.add("link_decisions", suggestion_id=person_link(one, two), decision=answer)
    results = book.compute()
    assert set(results["ira_limits"]["person_id"]) == {"P1", "P2", "P3"}
    assert "link_answer_unused" in _rules(results)


def test_a_pair_scores_the_same_whoever_else_is_in_the_book() -> None:
    alone = _twice().compute()["link_suggestions"]
    book = _twice()
    for n in range(40):
        book.add(
            "persons",
            person_id=f"Z{n}",
            given_name="Johanna",
            family_name=f"Other{n}",
            household_id=f"HZ{n}",
            birth_date=f"{1930 + n}-{1 + n % 12:02}-{1 + n % 28:02}",
        )
    assert book.compute()["link_suggestions"].equals(alone)


def test_a_book_without_doubts_never_loads_splink() -> None:
    script = (
        "import sys; from tests.book import Book; from tests.engine.test_identity import _converter;"
        "_converter().person('P2').ira('Y', 5, person_id='P2').compute(); print('splink' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "False"
