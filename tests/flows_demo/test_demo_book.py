"""The demo book: same bytes each time, consistent ids, true control counts, every situation there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from flows.demo import FAULT_LINES, SITUATIONS, write_demo
from schemas.tables import HOUSE_KINDS, INPUT_TABLES

README = Path(__file__).parents[2] / "examples" / "README.md"
WANTED = """
    conversion_taxed_pro_rata year_end_trap backdoor_ready backdoor_ready_all_basis backdoor_blocked_by_pre_tax
    backdoor_blocked_without_plan nondeductible_not_converted basis_unknown ira_contribution_excess
    contribution_above_compensation roth_contribution_above_income roth_contribution_partial_excess mega_room_open
    mega_unknown mega_not_usable annual_additions_excess deferral_excess catch_up_unused super_catch_up plan_457b_only
    sep_and_solo_401k two_unrelated_employers plan_403b_and_own_business roth_catch_up_required unmatched_account
    ambiguous_transaction ambiguous_transaction_cured unmapped_code_transaction unmapped_code_account
    account_type_other trump_account inherited_non_spouse inherited_election_unstated inherited_treated_as_own
    spousal_ira rmd_and_qcd recharacterization return_of_excess withholding_on_conversion outstanding_rollover
    sep_simple_in_conversion_year market_loss clean_backdoor roth_only_couple all_iras_reported_false
    conversion_leg_missing tax_profile_missing prior_year_contribution nothing_to_find formula_in_name
    mega_room_from_payroll
"""
#: In the invented book no account has been renumbered, no tax id has changed, nobody's link had to be approved, no row
#: was fixed before it, and no excess was carried into its first year.
NOT_IN_THE_DEMO = (
    "account_links",
    "corrections",
    "excess_carryovers",
    "link_decisions",
    "renumbered_accounts",
    "row_fixes",
    "tax_id_changes",
)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("demo")
    write_demo(target)
    return target


def rows(inbox: Path, kind: str) -> list[dict[str, str]]:
    with (inbox / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def good_rows(inbox: Path, kind: str) -> list[dict[str, str]]:
    bad = {line for file, line in FAULT_LINES.values() if file == f"{kind}.csv"}
    return [row for line, row in enumerate(rows(inbox, kind), start=2) if line not in bad]


def test_same_bytes_every_time(inbox: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "new" / "inbox")
    first = {path.name: path.read_bytes() for path in inbox.iterdir()}
    second = {path.name: path.read_bytes() for path in (tmp_path / "new" / "inbox").iterdir()}
    assert first == second


@pytest.mark.parametrize("kind", [k for k in HOUSE_KINDS if k not in NOT_IN_THE_DEMO])
def test_house_files_have_the_contract_columns_and_values(inbox: Path, kind: str) -> None:
    table = INPUT_TABLES[kind]
    every, good = rows(inbox, kind), good_rows(inbox, kind)
    assert list(every[0]) == [column.name for column in table.columns]
    for column in table.columns:
        cells = {row[column.name] for row in good}
        assert not (column.required and "" in cells), column.name
        assert not column.values or cells <= {*column.values, ""}, column.name
    keys = [tuple(row[name] for name in table.key) for row in good]
    assert len(keys) == len(set(keys))


def test_ids_hang_together(inbox: Path) -> None:
    persons = {row["person_id"]: row for row in rows(inbox, "persons")}
    advisors = {row["advisor_id"] for row in rows(inbox, "advisors")}
    plans = {row["plan_id"] for row in rows(inbox, "plans")}
    accounts = rows(inbox, "accounts")
    assert {row["advisor_id"] for row in persons.values()} <= advisors
    assert {row["person_id"] for row in accounts} <= {*persons, ""}
    assert {row["plan_id"] for row in accounts} <= {*plans, ""}
    for kind in ("tax_profiles", "ira_basis", "plan_contributions"):
        assert {row["person_id"] for row in rows(inbox, kind)} <= set(persons)
    assert {row["plan_id"] for row in rows(inbox, "plan_contributions")} <= plans
    for person_id, row in persons.items():
        spouse = row["spouse_person_id"]
        assert not spouse or persons[spouse]["spouse_person_id"] == person_id


def test_house_rows_name_listed_accounts(inbox: Path) -> None:
    listed = {(row["custodian"], row["account_number"]) for row in rows(inbox, "accounts")}
    for kind in ("balances", "transactions", "form_5498", "form_1099r"):
        assert {(row["custodian"], row["account_number"]) for row in rows(inbox, kind)} <= listed


def test_size_of_the_book(inbox: Path) -> None:
    persons = rows(inbox, "persons")
    assert 55 <= len(persons) <= 75
    assert 40 <= len({row["household_id"] for row in persons}) <= 55
    assert len(rows(inbox, "advisors")) == 5
    assert 150 <= len(rows(inbox, "accounts")) <= 190


def test_nothing_is_dated_after_the_demo_day(inbox: Path) -> None:
    assert max(row["trade_date"] for row in good_rows(inbox, "transactions")) <= "2026-11-30"
    assert max(row["as_of"] for row in rows(inbox, "balances")) == "2026-11-30"


def test_tax_ids_were_never_issued(inbox: Path) -> None:
    ids = [row["tax_id"] for row in rows(inbox, "persons")]
    assert len(set(ids)) == len(ids)
    assert all(tax_id[0] == "9" and "11" <= tax_id[4:6] <= "49" and len(tax_id) == 11 for tax_id in ids)


def test_schwab_masks_are_unique(inbox: Path) -> None:
    endings = [row["account_number"][-3:] for row in rows(inbox, "accounts") if row["custodian"] == "schwab"]
    assert len(endings) == len(set(endings)) > 1
    in_names = {path.name.split("_XXX")[1][:3] for path in inbox.glob("*_XXX*_Transactions_*.csv")}
    assert in_names == set(endings)


@pytest.mark.parametrize("name", ["ACCT_20261130.txt", "GCUS_20261130.txt"])
def test_pershing_lines_and_counts(inbox: Path, name: str) -> None:
    lines = (inbox / name).read_text(encoding="ascii").splitlines()
    assert {len(line) for line in lines} == {750}
    assert (lines[0][749], lines[-1][749]) == ("A", "Z")
    assert {line[749] for line in lines[1:-1]} == {"X"}
    assert int(lines[-1][105:115]) == len(lines) - 2
    assert all(line[118:127] == "REFRESHED" for line in (lines[0], lines[-1]))


def test_pershing_values_have_the_implied_decimals(inbox: Path) -> None:
    lines = (inbox / "GCUS_20261130.txt").read_text(encoding="ascii").splitlines()[1:-1]
    first = lines[0][11:20]
    thousandths = sum(int(line[664:682]) for line in lines if line[11:20] == first)
    assert thousandths == 120_000_000


def test_pub_1220_lengths_and_totals(inbox: Path) -> None:
    data = (inbox / "1099r_5498_ty2025.txt").read_bytes()
    records = [data[at : at + 750].decode("ascii") for at in range(0, len(data), 750)]
    assert len(data) % 750 == 0
    assert all(record.endswith("\r\n") for record in records)
    assert [int(record[499:507]) for record in records] == list(range(1, len(records) + 1))
    assert records[0][27] == " "
    payees: list[str] = []
    total = 0
    for record in records:
        if record[0] == "B":
            payees.append(record)
        if record[0] == "C":
            assert int(record[1:9]) == len(payees)
            assert _control_totals(record) == [
                sum(int(payee[54 + 12 * n : 66 + 12 * n]) for payee in payees) for n in range(18)
            ]
            total += len(payees)
            payees = []
    assert int(records[-1][49:57]) == int(records[0][295:303]) == total


def _control_totals(record: str) -> list[int]:
    return [int(record[15 + 18 * n : 33 + 18 * n]) for n in range(18)]


def test_custodian_files_keep_their_quirks(inbox: Path) -> None:
    history = (inbox / "Accounts_History.csv").read_bytes()
    assert history.startswith(b"\xef\xbb\xbf\n\nRun Date,")
    assert history.endswith(b"Date downloaded 11/30/2026 7:02 am")
    positions = (inbox / "Portfolio_Positions_Nov-30-2026.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(next(csv.reader([positions[1]]))) == len(positions[0].split(",")) + 1
    vanguard = (inbox / "OfxDownload.csv").read_text(encoding="utf-8").splitlines()
    assert all(line.endswith(",") for line in vanguard if line)
    payroll = (inbox / "AP_NWT_1126_11272026.180501.csv").read_text(encoding="utf-8").splitlines()
    assert {len(line.split(",")) for line in payroll[1:]} == {35}
    assert (inbox / "Transactions_20261130-074055.csv").read_bytes().endswith(b'\r\n""\r\n')


def test_odd_files_are_there(inbox: Path) -> None:
    names = {path.name for path in inbox.iterdir()}
    assert {"notes.csv", "transactions_late.csv.part", "TS_NWT_1126_11262026.180501.csv"} <= names


@pytest.mark.parametrize("situation", WANTED.split())
def test_every_situation_is_shown_by_someone_in_the_book(inbox: Path, situation: str) -> None:
    persons = {row["person_id"] for row in rows(inbox, "persons")}
    accounts = {f"{row['custodian']}:{row['account_number']}" for row in rows(inbox, "accounts")}
    assert SITUATIONS[situation] in persons | accounts


def test_faults_are_on_the_lines_named(inbox: Path) -> None:
    lines = {
        fault: (inbox / file).read_text(encoding="utf-8").splitlines()[line - 1]
        for fault, (file, line) in FAULT_LINES.items()
    }
    assert ',"1,2OO",' in lines["non_numeric_amount"]
    assert ",backdoor," in lines["unknown_transaction_type"]
    assert ",31/02/2026," in lines["broken_date"]
    assert lines["missing_required_value"].split(",")[2] == ""
    assert ",roth_401k_ira," in lines["unknown_account_type"]
    assert lines["non_numeric_balance"].endswith(",n/a")
    every = (inbox / "transactions.csv").read_text(encoding="utf-8").splitlines()
    assert every.count(lines["duplicate_row"]) == 2


def test_the_page_in_examples_agrees() -> None:
    page = README.read_text(encoding="utf-8")
    for shown_by in SITUATIONS.values():
        assert shown_by in page
    for file, line in FAULT_LINES.values():
        assert f"`{file}` line {line}" in page
