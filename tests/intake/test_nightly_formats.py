"""Pershing, FAN Mail and Apex: what goes wrong with nightly institutional files, and what they say beside rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.intake.nights import Book, Night, sample

APR, DFA, AMP = "APR_account_position.txt", "DFA_direct_financial_activity.txt", "AMP_account_master.txt"
FAN_MAIL = {"dst-fanmail-apr": APR, "dst-fanmail-dfa": DFA, "dst-fanmail-amp": AMP}
COUNTED = {**FAN_MAIL, "pershing-acct": "ACCT.txt", "pershing-gcus": "GCUS.txt"}
APEX = "EXT765_AccountMaster.csv"
counted = pytest.mark.parametrize(("profile", "name"), COUNTED.items(), ids=COUNTED)
fan_mail = pytest.mark.parametrize(("profile", "name"), FAN_MAIL.items(), ids=FAN_MAIL)


def lines(profile: str, name: str) -> list[str]:
    """The lines of a sample, without their ends."""
    return sample(profile, name).decode().splitlines()


def night(tmp_path: Path, name: str, content: list[str]) -> Night:
    return Book(tmp_path).drop(name, "\r\n".join(content) + "\r\n").night()


def put(line: str, first: int, text: str) -> str:
    """`line` with `text` from position `first` (from 1)."""
    return line[: first - 1] + text + line[first - 1 + len(text) :]


def every_line_in_a_class(found: Night) -> bool:
    row = found.files.row(0, named=True)
    classes = ("preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
    return bool(row["lines_total"] == sum(row[f"lines_{c}"] for c in classes))


# --- counts, trailers


def cut(content: list[str]) -> list[str]:
    return content[:-1]


def cut_in_the_middle(content: list[str]) -> list[str]:
    return [*content[:4], content[4][:50]]


def a_line_less(content: list[str]) -> list[str]:
    return [content[0], *content[2:]]


def data_after_the_trailer(content: list[str]) -> list[str]:
    return [*content, *content[1:3]]


def twice(content: list[str]) -> list[str]:
    return content + content


@counted
@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (cut, "incomplete_file"),
        (cut_in_the_middle, "incomplete_file"),
        (a_line_less, "count_differs"),
        (data_after_the_trailer, "data_after_trailer"),
        (twice, "data_after_trailer"),
    ],
    ids=lambda x: x.__name__ if callable(x) else "",
)
def test_a_file_that_is_not_whole_is_refused(
    tmp_path: Path, profile: str, name: str, broken: Callable[[list[str]], list[str]], rule: str
) -> None:
    found = night(tmp_path, name, broken(lines(profile, name)))
    assert found.rules() == [rule]
    assert found.files["state"].to_list() == ["rejected"]
    assert sum(found.counts.tables.values()) == 0


@counted
def test_the_count_is_held_to(tmp_path: Path, profile: str, name: str) -> None:
    content = lines(profile, name)
    place, width = (22, 9) if profile.startswith("dst") else (106, 10)
    stated = int(content[-1][place - 1 : place - 1 + width])
    content[-1] = put(content[-1], place, f"{stated + 1:0{width}d}")
    assert night(tmp_path, name, content).rules() == ["count_differs"]


@counted
def test_a_file_without_rows_is_a_valid_one(tmp_path: Path, profile: str, name: str) -> None:
    content = lines(profile, name)
    place, width, none = (22, 9, 2) if profile.startswith("dst") else (106, 10, 0)
    found = night(tmp_path, name, [content[0], put(content[-1], place, f"{none:0{width}d}")])
    assert found.files.select("state", "rows", "lines_total").rows() == [("accepted", 0, 2)]


@counted
def test_line_ends_do_not_matter(tmp_path: Path, profile: str, name: str) -> None:
    content = lines(profile, name)
    one = Book(tmp_path / "crlf").drop(name, "\r\n".join(content)).night()
    two = Book(tmp_path / "lf").drop(name, "\n".join(content) + "\n\n").night()
    for table in ("accounts", "balances", "transactions"):
        assert one.table(table).drop("source_sha256").equals(two.table(table).drop("source_sha256")), table
    assert two.files["lines_blank"].to_list() == [1]


@counted
def test_a_byte_order_mark_and_accents_are_no_fault(tmp_path: Path, profile: str, name: str) -> None:
    content = "\n".join(lines(profile, name))
    marked = Book(tmp_path / "marked").drop(name, "\ufeff" + content).night()
    assert marked.files["state"].to_list() == ["accepted"]
    accented = Book(tmp_path / "accented").drop(name, content.replace("ASHGROVE", "ASHGRÖVE").encode("latin-1")).night()
    assert accented.files["state"].to_list() == ["accepted"]


@pytest.mark.parametrize("remote", ["    ", "ZZZZ", "Z   "])
@pytest.mark.parametrize("profile", ["pershing-acct", "pershing-gcus"])
def test_pershing_remote_ids_are_of_none_to_four_characters(tmp_path: Path, profile: str, remote: str) -> None:
    content = lines(profile, COUNTED[profile])
    content[0], content[-1] = put(content[0], 68, remote), put(content[-1], 68, remote)
    assert night(tmp_path, COUNTED[profile], content).files["state"].to_list() == ["accepted"]
    content[-1] = put(content[-1], 68, "YYYY")
    assert night(tmp_path / "other", COUNTED[profile], content).rules() == ["contradicts_itself"]


# --- FAN Mail


@fan_mail
def test_missing_trailing_blanks_are_put_back(tmp_path: Path, profile: str, name: str) -> None:
    whole, short = lines(profile, name), [line.rstrip() for line in lines(profile, name)]
    one, two = night(tmp_path / "whole", name, whole), night(tmp_path / "short", name, short)
    for table in ("accounts", "balances", "transactions"):
        assert one.table(table).drop("source_sha256").equals(two.table(table).drop("source_sha256")), table
    assert two.files["state"].to_list() == ["accepted"]


@fan_mail
def test_a_record_without_its_second_line_is_set_aside_alone(tmp_path: Path, profile: str, name: str) -> None:
    content = lines(profile, name)
    del content[2]
    content[-1] = put(content[-1], 22, f"{len(content):09d}")
    found = night(tmp_path, name, content)
    assert found.rejects.select("line_number", "rule").rows() == [(2, "line_not_understood")]
    assert every_line_in_a_class(found)


@fan_mail
def test_a_line_that_continues_nothing_is_set_aside_alone(tmp_path: Path, profile: str, name: str) -> None:
    content = lines(profile, name)
    content.insert(1, content[2])
    content[-1] = put(content[-1], 22, f"{len(content):09d}")
    found = night(tmp_path, name, content)
    assert found.rejects.select("line_number", "rule").rows() == [(2, "line_not_understood")]
    assert found.files.select("rows", "accepted", "lines_unknown").rows()[0][2] == 1
    assert every_line_in_a_class(found)


def test_a_line_that_is_too_long_sets_its_record_aside(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    content[2] += "X"
    found = night(tmp_path, APR, content)
    assert found.rejects.select("line_number", "rule").rows() == [(2, "line_not_understood")]
    assert found.files.select("lines_unknown", "lines_data").rows() == [(2, 4)]


def test_fund_value_is_shares_times_price_rounded_once(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    # the third record becomes a second fund of the first account: 0.0150 + 0.0151 shares at 0.5000 are 0.01505
    content[1] = put(put(content[1], 60, f"{150:015d}"), 105, f"{5000:09d}")
    content[5] = put(put(put(content[5], 39, content[1][38:58]), 60, f"{151:015d}"), 105, f"{5000:09d}")
    balances = night(tmp_path, APR, content).table("balances")
    assert balances.select("account_number", "market_value", "as_of", "coverage").rows() == [
        ("00000900101", Decimal("0.02"), date(2026, 2, 27), "full"),
        ("00000900102", Decimal("145227.36"), date(2026, 2, 27), "full"),
    ]


def test_large_holdings_are_exact(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    content[1] = put(put(content[1], 60, "000000999999999"), 105, "999999999")
    value = night(tmp_path, APR, content).table("balances")["market_value"][0]
    assert value == Decimal("9999999980.00")  # 99,999.9999 x 99,999.9999 = 9,999,999,980.00000001


def test_a_price_too_large_for_its_field_leaves_the_account_unknown(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    content[1] = put(content[1], 105, "*********")
    content[3] = put(content[3], 39, content[1][38:58])
    found = night(tmp_path, APR, content)
    assert found.rejects.select("line_number", "column", "rule", "account_number").rows() == [
        (2, "price", "not_a_number", "00000900101"),
        (4, "value", "account_incomplete", "00000900101"),
    ]
    assert found.table("balances")["account_number"].to_list() == ["00000900103"]


def test_a_price_of_nought_is_not_a_value_of_nought(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    content[1] = put(content[1], 105, "000000000")
    content[3] = put(put(content[3], 105, "000000000"), 60, "0" * 15)  # no shares, and so no value whatever the price
    found = night(tmp_path, APR, content)
    assert found.rejects.select("line_number", "column", "rule").rows() == [(2, "price", "price_not_known")]
    assert found.table("balances").select("account_number", "market_value").rows() == [
        ("00000900102", Decimal("0.00")),
        ("00000900103", Decimal("845.68")),
    ]


def test_an_annuity_file_has_other_decimals_and_is_refused(tmp_path: Path) -> None:
    content = lines("dst-fanmail-apr", APR)
    content[0] = put(content[0], 70, "V")
    found = night(tmp_path, APR, content)
    assert found.rules() == ["file_refused"]
    assert "decimals" in found.files["message"][0]


def test_contribution_years_keep_two_contributions_of_one_day_apart(tmp_path: Path) -> None:
    content = lines("dst-fanmail-dfa", DFA)
    content[4] = put(content[4], 94, content[1][93:123])  # now the same amount and shares
    rows = night(tmp_path, DFA, content).table("transactions").sort("source_line")
    assert rows.select("transaction_type", "tax_year", "amount").rows()[:2] == [
        ("contribution", 2025, Decimal("7000.00")),
        ("contribution", 2026, Decimal("7000.00")),
    ]
    assert rows["transaction_id"].n_unique() == 3


def test_a_contribution_without_a_year_is_never_given_one(tmp_path: Path) -> None:
    content = lines("dst-fanmail-dfa", DFA)
    content[3] = put(content[3], 7, "    ")
    content[6] = put(content[6], 7, "0000")
    rows = night(tmp_path, DFA, content).table("transactions").sort("source_line")
    assert rows.select("transaction_type", "classification", "tax_year", "custodian_code").rows()[:2] == [
        ("unclassified", "ambiguous", None, "001???"),
        ("unclassified", "ambiguous", None, "001???"),
    ]


def test_a_record_of_two_lines_and_one_of_four_are_both_whole(tmp_path: Path) -> None:
    content = lines("dst-fanmail-dfa", DFA)
    del content[9]  # the last record's third line
    content.insert(4, "DFA004".ljust(160))  # a fourth one for the first record
    found = night(tmp_path, DFA, content)
    rows = found.table("transactions").sort("source_line")
    assert found.rejects.is_empty()
    assert rows.select("source_line", "custodian_code", "description", "tax_year").rows() == [
        (2, "001???", "IRA CONTRIBUTION", 2025),
        (6, "001???", "IRA CONTRIBUTION", 2026),
        (9, "002???", None, None),
    ]


def test_codes_without_a_public_table_are_never_read(tmp_path: Path) -> None:
    content = lines("dst-fanmail-dfa", DFA)
    content[3] = put(content[3], 29, "ROLLOVER CONTRIBUTION     ")
    row = night(tmp_path, DFA, content).table("transactions").sort("source_line").row(0, named=True)
    assert (row["transaction_type"], row["classification"], row["tax_year"]) == ("unclassified", "unmapped", 2025)


def test_a_resend_says_so_and_adds_nothing(tmp_path: Path) -> None:
    content = lines("dst-fanmail-dfa", DFA)
    book = Book(tmp_path).drop("ZZZZZ02.A0227", "\r\n".join(content))
    assert book.night("2026-02-28").files["message"].to_list() == [None]
    again = book.clear().drop("ZZZZZ02.R0227", "\n".join(content)).night("2026-03-01")
    assert again.table("transactions").height == 3
    assert again.files.select("file_name", "message").rows() == [
        ("ZZZZZ02.A0227", None),
        ("ZZZZZ02.R0227", "the name says the sender sent it again (R)"),
    ]


@pytest.mark.parametrize(
    ("name", "resent"),
    [
        ("ZZZZZ09.R0227", True),
        ("ZZZZZ09.R0227.ZIP/position.txt", True),
        ("feb/ZZZZZ09.r0227.txt", True),
        ("ZZZZZ09.A0227", False),
        ("ADDRESS.R0227A", False),
    ],
)
def test_a_resend_is_told_by_one_letter_of_the_name(tmp_path: Path, name: str, resent: bool) -> None:
    found = Book(tmp_path).drop(name, sample("dst-fanmail-apr", APR)).night()
    assert (found.files["message"][0] is not None) is resent


def test_social_codes_stay_codes(tmp_path: Path) -> None:
    content = lines("dst-fanmail-amp", AMP)
    content[1] = put(content[1], 88, "060")
    rows = night(tmp_path, AMP, content).table("accounts").select("account_number", "account_type", "custodian_code")
    assert rows.rows() == [("00000900101", "other", "060"), ("00000900103", "other", "???")]


def fan_mail_night(tmp_path: Path, change: Callable[[str], str] = lambda text: text) -> Night:
    book = Book(tmp_path)
    for profile, name in FAN_MAIL.items():
        text = sample(profile, name).decode()
        book.drop(name, change(text) if name == APR else text)
    return book.night()


def test_the_three_files_of_a_night_say_one_thing_of_an_account(tmp_path: Path) -> None:
    found = fan_mail_night(tmp_path)
    assert found.rejects.is_empty()
    rows = found.table("accounts").select("account_number", "account_type", "custodian_code", "rep_code", "opened_on")
    assert rows.rows() == [
        ("00000900101", "other", "???", "A07", date(2014, 3, 5)),
        ("00000900102", "other", "???", None, None),  # not in the master file, and still somebody's
        ("00000900103", "other", "???", "A09", date(2022, 1, 18)),
    ]
    assert found.table("accounts")["owner_tax_id"].n_unique() == 3


def test_two_owners_of_one_account_are_a_conflict(tmp_path: Path) -> None:
    found = fan_mail_night(tmp_path, lambda text: text.replace("903314459", "905126634"))
    assert found.rejects.select("rule", "account_number").unique().rows() == [("conflicting_rows", "00000900103")]
    assert found.table("accounts")["account_number"].to_list() == ["00000900101", "00000900102"]
    assert found.table("balances").height == 3


def test_a_tax_id_of_noughts_is_nobody_s(tmp_path: Path) -> None:
    content = [line.replace("903314459", "000000000") for line in lines("dst-fanmail-apr", APR)]
    assert night(tmp_path, APR, content).table("accounts")["owner_tax_id"].to_list()[2] is None


# --- Pershing


def accounts(content: list[str], tmp_path: Path) -> pl.DataFrame:
    return night(tmp_path, "ACCT.txt", content).table("accounts").sort("account_number")


def test_an_old_account_number_is_a_renumbered_account(tmp_path: Path) -> None:
    content = lines("pershing-acct", "ACCT.txt")
    content[2] = put(content[2], 207, "YYY-000777".ljust(20))
    content[6] = put(content[6], 207, "ZZZ001024".ljust(20))  # its own number: nothing changed
    rows = night(tmp_path, "ACCT.txt", content).table("renumbered_accounts")
    assert rows.select("custodian", "old_account_number", "account_number", "changed_on", "source_line").rows() == [
        ("pershing", "YYY000777", "ZZZ001016", None, 2)
    ]


def test_an_original_beneficiary_contradicts_a_plain_registration(tmp_path: Path) -> None:
    content = lines("pershing-acct", "ACCT.txt")
    plain = put(content[9], 114, "IRA".ljust(32))
    assert "INHERITED" in content[9]
    rows = accounts([*content[:9], plain, *content[10:]], tmp_path)
    assert rows.select("account_type", "custodian_code").rows() == [
        ("traditional_ira", None),
        ("rollover_ira", None),
        ("other", "record S, original beneficiary"),
    ]


def test_a_retirement_plan_code_is_shown_and_never_read(tmp_path: Path) -> None:
    content = lines("pershing-acct", "ACCT.txt")
    content[1] = put(content[1], 114, " " * 32)
    content[4] = put(content[4], 48, "IRAR")
    rows = accounts(content, tmp_path)
    assert rows.select("account_type", "custodian_code").rows()[0] == ("other", "retirement plan IRAR")


def test_the_mode_flag_makes_positions_full_or_delta(tmp_path: Path) -> None:
    content = lines("pershing-gcus", "GCUS.txt")
    full = [line.replace("UPDATED  ", "REFRESHED") for line in content]
    found = night(tmp_path / "full", "GCUS.txt", full).table("balances")["coverage"].unique().to_list()
    assert found == ["full"]
    flipped = [full[0], *content[1:]]
    assert night(tmp_path / "flipped", "GCUS.txt", flipped).rules() == ["contradicts_itself"]
    silent = [full[0], *content[1:-1], content[-1].replace("UPDATED", "       ")]
    assert night(tmp_path / "silent", "GCUS.txt", silent).table("balances")["coverage"].unique().to_list() == ["full"]


def test_positions_may_come_in_records_nobody_needs_here(tmp_path: Path) -> None:
    content = lines("pershing-gcus", "GCUS.txt")
    content.insert(2, "GCB" + content[1][3:])
    content[-1] = put(content[-1], 106, f"{6:010d}")
    found = night(tmp_path, "GCUS.txt", content)
    assert found.rejects.is_empty()
    assert found.files.select("state", "rows", "lines_data").rows() == [("accepted", 6, 6)]
    assert found.table("balances").sort("account_number")["market_value"][0] == Decimal("65648.51")


def test_a_sign_that_is_none_leaves_the_account_unknown(tmp_path: Path) -> None:
    content = lines("pershing-gcus", "GCUS.txt")
    content[1] = put(content[1], 683, "?")
    found = night(tmp_path, "GCUS.txt", content)
    assert found.rejects.select("line_number", "column", "rule").rows() == [
        (2, "value_sign", "not_a_sign"),
        (3, "value", "account_incomplete"),
    ]


# --- Apex


def apex(change: Callable[[list[str]], list[str]]) -> str:
    """The Apex sample with every line's cells changed."""
    return "\n".join(",".join(change(line.split(","))) for line in lines("apex-ext765", APEX)) + "\n"


def test_apex_columns_are_bound_by_name_and_a_renamed_one_is_named(tmp_path: Path) -> None:
    text = sample("apex-ext765", APEX).decode()
    backwards = apex(lambda cells: cells[::-1])
    one = Book(tmp_path / "a").drop(APEX, text).night().table("accounts")
    two = Book(tmp_path / "b").drop(APEX, backwards).night().table("accounts")
    assert one.drop("source_sha256").equals(two.drop("source_sha256"))
    spelt = Book(tmp_path / "c").drop(APEX, text.replace("OpenDDate", "OpenDate", 1)).night()
    assert spelt.rules() == ["kind_not_known"]
    message = spelt.files["message"][0]
    assert "apex-ext765" in message
    assert "missing: OpenDDate" in message


def test_apex_identifiers_stay_text_and_a_lost_nought_is_seen(tmp_path: Path) -> None:
    text = sample("apex-ext765", APEX).decode().replace("901147721", "01147721").replace("9ZZ00102", "000000102")
    found = Book(tmp_path).drop(APEX, text).night()
    assert found.rejects.select("line_number", "column", "rule").rows() == [(2, "tax_id", "not_a_tax_id")]
    assert found.table("accounts")["account_number"].to_list()[0] == "000000102"


def test_apex_house_accounts_are_kept_out_and_counted_but_no_client_is(tmp_path: Path) -> None:
    text = sample("apex-ext765", APEX).decode()
    applied_for = text.replace("903314459", "")  # a client whose tax id is still to come
    second = next(line for line in text.splitlines() if "HOUSEERR" in line)
    second = second.replace("CORRESPONDENT ERROR ACCOUNT", "FIRM PRINCIPAL 2").replace("9ZZ00000", "9ZZ00001")
    found = Book(tmp_path).drop(APEX, applied_for + second + "\n").night()
    assert found.files.select("state", "rows", "message").rows() == [
        (
            "accepted",
            6,
            (
                "1 row kept out: house or error account (no tax id, and its name says so); "
                "1 row kept out: house or error account (no tax id, representative 000)"
            ),
        )
    ]
    assert found.table("accounts").select("account_number", "closed_on").rows() == [
        ("9ZZ00101", None),
        ("9ZZ00102", None),
        ("9ZZ00103", None),
        ("9ZZ00104", date(2026, 1, 30)),
    ]
    named = text.replace("ANDERS LINDQVIST SEP IRA", "ANDERS HOUSE")  # a tax id, and so a client
    assert Book(tmp_path / "named").drop(APEX, named).night().table("accounts").height == 4


def test_apex_letters_are_never_read_and_a_missing_one_says_so(tmp_path: Path) -> None:
    def change(cells: list[str]) -> list[str]:
        cells[23] = {"T": "", "IRA": "IRA"}.get(cells[23], cells[23])
        cells[61] = "OLD-77" if cells[0] == "9ZZ00102" else cells[61]
        return cells

    found = Book(tmp_path).drop(APEX, apex(change)).night()
    assert found.table("accounts").select("account_type", "custodian_code").rows() == [
        ("other", "blank"),
        ("other", "L"),
        ("other", "R"),
        ("other", "S"),
    ]
    assert found.table("renumbered_accounts").select("old_account_number", "account_number").rows() == [
        ("OLD77", "9ZZ00102")
    ]
