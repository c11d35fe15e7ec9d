"""The house kinds that say who is who: recognised, hashed at the edge, and answers that aren't signed set aside."""

from __future__ import annotations

from pathlib import Path

from tests.intake.nights import KEY, Book
from transforms.intake.register import tax_key


def test_each_kind_is_recognised_and_joined(tmp_path: Path) -> None:
    book = Book(tmp_path)
    book.drop("l.csv", "custodian,account_number,person_id,valid_from,valid_to,approved_by,approved_on,note\n"
                       "TestCust,21-1 00,P1,,2026-12-31,Ops,2026-01-05,\n")  # fmt: skip
    book.drop("n.csv", "custodian,old_account_number,account_number,changed_on\nTestCust,ab-1,AB-2,2026-02-01\n")
    book.drop("t.csv", "old_tax_id,new_tax_id,changed_on,source\n900-11-2345,900-11-9999,2026-02-01,letter\n")
    night = book.night()
    assert set(night.files["state"]) == {"accepted"}
    link = night.table("account_links").row(0, named=True)
    assert (link["custodian"], link["account_number"], link["person_id"]) == ("testcust", "21100", "P1")
    number = night.table("renumbered_accounts").row(0, named=True)
    assert (number["old_account_number"], number["account_number"]) == ("AB1", "AB2")
    change = night.table("tax_id_changes").row(0, named=True)
    assert (change["old_tax_id"], change["new_tax_id"]) == (tax_key("900112345", KEY), tax_key("900119999", KEY))


def test_a_corrected_link_replaces_the_one_of_the_same_day(tmp_path: Path) -> None:
    header = "custodian,account_number,person_id,valid_from,approved_by,approved_on\n"
    book = Book(tmp_path).drop("l.csv", header + "c,1,P1,2026-01-01,Ops,2026-01-05\n")
    book.night("2026-03-01")
    book.drop("m.csv", header + "c,1,P2,2026-01-01,Ops,2026-03-02\n")
    assert book.night("2026-03-02").table("account_links")["person_id"].to_list() == ["P2"]


def test_a_decision_is_signed_and_a_blank_one_says_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path).drop(
        "d.csv",
        "suggestion_id,decision,decided_by,decided_on,note,client\n"
        "A-1-2,approve,Ops,2026-03-01,,Somebody\n"
        "A-3-4,,,,,Somebody\n"
        "A-5-6,approve,,,,Somebody\n"
        "A-7-8,maybe,Ops,2026-03-01,,Somebody\n",
    )
    night = book.night()
    assert night.table("link_decisions")["suggestion_id"].to_list() == ["A-1-2", "A-3-4"]
    assert sorted(night.rules()) == ["decision_not_signed", "not_in_list"]
    assert "Somebody" not in " ".join(night.rejects["message"])
