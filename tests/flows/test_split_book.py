"""A book split over the custodians' own files gives every person what the same book in the house format gives.

Both deliveries of `tests.flows.split_book` go through the real stages of a run. What each person's form must say was
worked out by hand (the sums are beside the stories).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.pipeline import plan, run_direct
from schemas.tables import RESULT_TABLES
from tests.flows.split_book import (
    AS_OF,
    TAX_YEARS,
    Story,
    in_house_format,
    resent,
    split_over_custodians,
    story,
    with_gifts_stated,
)

COMPARED = ("form_8606", "ira_limits", "elective_deferrals", "mega_backdoor", "excess_contributions", "ways_out")
#: Files of each of these are in the split delivery.
CUSTODIANS = {"fidelity", "schwab", "vanguard", "pershing", "dst_fanmail", "ascensus"}
PROFILES = {
    "ascensus-payroll", "container", "dst-fanmail-apr", "dst-fanmail-dfa", "fidelity-history", "fidelity-positions",
    "irs-pub1220", "ofx-fidelity", "pershing-acct", "pershing-gcus", "schwab-positions", "schwab-transactions",
    "schwab-transactions-banner", "vanguard-ofxdownload",
}  # fmt: skip
#: Findings of a file, row, account or payroll row that found nobody, or that nobody could read.
LEFT_OVER = (
    "account_owner_contested", "ambiguous_transaction", "conversion_leg_missing", "correction_not_applied",
    "leg_unpaired", "money_source_unstated", "payroll_person_unknown", "possible_same_person", "row_set_aside",
    "tax_form_mismatch", "unmapped_code", "unmatched_account",
)  # fmt: skip
#: Person and year: lines 6, 7, 8, 14 and 18 of Form 8606, by hand; every one of these rows is COMPUTED.
BY_HAND = {
    ("P002", 2025): ("90000", "2000", "8000", "9000", "7200"),
    ("P003", 2025): ("70000", "0", "10000", "3500", "9500"),
    ("P004", 2025): ("239000", "11000", "0", "2868", "0"),
    ("P001", 2026): ("90500", "0", "14500", "18100", "11600"),
    ("P002", 2026): ("90000", "0", "20000", "13500", "17000"),
    ("P003", 2026): ("95000", "0", "5000", "3325", "4825"),
    ("P004", 2026): ("227000", "12000", "0", "2724", "0"),
    ("P005", 2026): ("27000", "0", "6000", "0", "6000"),
    ("P006", 2026): ("51600", "0", "13400", "10320", "10720"),
    ("P007", 2026): ("61400", "1000", "15600", "12280", "12480"),
    ("P008", 2026): ("21000", "4000", "0", "1008", "0"),
    ("P009", 2026): ("58000", "0", "14500", "11600", "11600"),
}
Delivery = Callable[[Story], dict[str, bytes]]


@dataclass(frozen=True)
class Ran:
    """A published run."""

    folder: Path

    def results(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "results" / f"{table}.parquet")

    def canonical(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "canonical" / f"{table}.parquet")

    def compared(self, table: str) -> pl.DataFrame:
        """Key, status, numbers and reason codes of a table: a reason may name files and accounts, its code doesn't."""
        columns = RESULT_TABLES[table].columns
        said = [c.name for c in columns if c.kind != "list" and c.name != "plan_id"]
        codes = pl.col("reasons").list.eval(pl.element().str.extract(r"^([^:]*)")).list.sort()
        return self.results(table).select(*said, codes).sort(*RESULT_TABLES[table].key)


def ran(delivery: Delivery, base: Path, without: tuple[str, ...] = ()) -> Ran:
    """Run the book as `delivery` writes it, but for the files named."""
    inbox = base / "inbox"
    inbox.mkdir(parents=True)
    for name, data in delivery(story()).items():
        if name not in without:
            (inbox / name).write_bytes(data)
    return Ran(run_direct(plan(inbox, base / "out", date.fromisoformat(AS_OF), TAX_YEARS, settle_seconds=0)))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return ran(in_house_format, tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return ran(split_over_custodians, tmp_path_factory.mktemp("split"))


@pytest.mark.parametrize("table", COMPARED)
def test_every_person_has_the_same_results(house: Ran, split: Ran, table: str) -> None:
    one, other = house.compared(table), split.compared(table)
    assert one.height > 0
    assert_frame_equal(one, other)


@pytest.mark.parametrize("delivery", ["house", "split"])
def test_the_forms_are_those_worked_out_by_hand(delivery: str, request: pytest.FixtureRequest) -> None:
    form = request.getfixturevalue(delivery).results("form_8606").filter(pl.col("line_9") > 0)
    lines = form.select("line_6", "line_7", "line_8", "line_14", "line_18").fill_null(0).rows()
    whose = form.select("person_id", "tax_year").rows()
    assert dict(zip(whose, lines, strict=True)) == {
        key: tuple(Decimal(line) for line in by_hand) for key, by_hand in BY_HAND.items()
    }
    assert form["status"].to_list() == ["COMPUTED"] * len(BY_HAND)
    assert form.filter(pl.col("line_18") > 0).height == 9


def test_the_tax_forms_agree_with_the_book_alike(house: Ran, split: Ran) -> None:
    columns = ("person_id", "account_key", "tax_year", "form", "box", "form_amount", "book_amount", "state")
    one, other = (run.results("reconciliation").select(columns).sort(columns[:5]) for run in (house, split))
    assert_frame_equal(one, other)
    assert one.filter(pl.col("state") == "agrees").height > 25
    assert "differs" not in one["state"].to_list()


def test_money_moves_alike_and_accounts_count_alike(house: Ran, split: Ran) -> None:
    """But for what a custodian doesn't say: the other account's number, and the day of Vanguard's positions."""
    for table, leave_out in (
        ("event_pairs", ("how_paired", "out_file", "out_line", "in_file", "in_line", "out_event_id", "in_event_id")),
        ("ira_aggregation", ("as_of",)),
    ):
        one, other = (run.results(table).drop(leave_out) for run in (house, split))
        assert_frame_equal(one, other, check_row_order=False)
    # what came from the plan left a plan that isn't in the book
    assert house.results("event_pairs").group_by("state").len().sort("state").rows() == [
        ("outside_book", 1),
        ("paired", 14),
    ]


def test_the_results_are_about_every_way_money_moves(house: Ran) -> None:
    """Nothing is equal only because it is empty."""
    assert set(house.results("form_8606")["person_id"]) == {f"P00{n}" for n in range(1, 10)}
    rooms = house.results("mega_backdoor").filter(pl.col("status") == "COMPUTED")["room"].drop_nulls().to_list()
    assert {Decimal(29_500), Decimal(46_000)} <= set(rooms)
    deferred = house.results("elective_deferrals").filter(pl.col("person_id") == "P007")["deferrals"].to_list()
    assert deferred == [Decimal(23_500)]
    excess = house.results("excess_contributions").select("person_id", "ira_kind", "excess_of_year").rows()
    assert excess == [("P005", "roth", Decimal(1_250))]
    kinds = set(house.results("event_pairs").filter(pl.col("state") == "paired")["kind"])
    assert {"roth_conversion", "rollover", "trustee_transfer", "recharacterization"} <= kinds


def test_the_split_book_comes_from_the_custodians(split: Ran) -> None:
    files = split.results("files")
    assert set(files["custodian"].drop_nulls()) >= CUSTODIANS
    profiles = set(split.canonical("files")["profile"].drop_nulls())
    assert {p for p in profiles if not p.startswith("house-")} == PROFILES
    assert {"fidelity.zip/Accounts_History.csv", "tax_profiles.xlsx[tax_profiles]"} <= set(files["file_name"])
    events = split.canonical("transactions")
    by_custodians = events.filter(~pl.col("profile").str.starts_with("house-"))
    assert (
        by_custodians.filter(pl.col("classification") == "mapped", pl.col("transaction_type") != "market").height > 25
    )
    # rows alike in everything are rows of their own
    assert events.filter(pl.col("amount") == 7_250).height == 4
    assert events.filter(pl.col("amount") == 4_300, pl.col("transaction_type") == "contribution").height == 2


@pytest.mark.parametrize("delivery", ["house", "split"])
def test_every_line_is_accounted_for_and_nothing_is_left_over(delivery: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(delivery)
    files = run.canonical("files")
    classes = [c for c in files.columns if c.startswith("lines_") and c != "lines_total"]
    read = files.filter(pl.col("profile") != "container")
    assert read.filter(pl.col("lines_total") != pl.sum_horizontal(classes)).is_empty()
    assert read.filter(pl.col("lines_total") == 0).is_empty()
    assert read["lines_unknown"].sum() == 0
    assert set(files["state"]) == {"accepted"}
    assert run.results("rejects").is_empty()
    findings = run.results("findings")
    assert findings.filter(pl.col("rule").is_in(LEFT_OVER)).is_empty()
    owned = run.results("ira_aggregation")["account_key"].unique()
    assert owned.len() == 28


@pytest.mark.parametrize(
    ("missing", "whose"),
    [
        ("OfxDownload.csv", {"P001", "P002", "P005", "P006", "P007", "P009"}),
        ("GCUS_20261130.txt", {"P003", "P004", "P005", "P009"}),
        ("5498_1099r_ty2025.txt", {"P002", "P003", "P004"}),
    ],
)
def test_a_file_that_does_not_come_is_felt_by_exactly_its_people(
    split: Ran, tmp_path: Path, missing: str, whose: set[str]
) -> None:
    """The comparison above can fail."""
    whole, less = split.compared("form_8606"), ran(split_over_custodians, tmp_path, (missing,)).compared("form_8606")
    told = whole.join(less, on=["person_id", "tax_year"], suffix="_less").filter(
        (pl.col("status") != pl.col("status_less")) | pl.col("line_18").ne_missing(pl.col("line_18_less"))
    )
    assert set(told["person_id"]) == whose


def test_the_firm_states_no_balance_form_or_payroll_of_the_split_book(split: Ran) -> None:
    for table in ("balances", "form_5498", "form_1099r", "payroll_contributions"):
        profiles = split.canonical(table)["profile"]
        assert profiles.len() > 0
        assert not profiles.str.starts_with("house-").any(), table


def test_activity_sent_again_changes_nothing(split: Ran, tmp_path: Path) -> None:
    """Rows alike in everything are neither doubled by the overlap nor taken for one row."""
    again = ran(lambda of: split_over_custodians(of) | resent(of), tmp_path)
    assert again.canonical("files").height == split.canonical("files").height + 2
    for table in COMPARED:
        assert_frame_equal(split.compared(table), again.compared(table))


def test_a_gift_may_be_corrected_or_stated(split: Ran, tmp_path: Path) -> None:
    stated = ran(with_gifts_stated, tmp_path)
    assert stated.canonical("corrections").is_empty()
    for table in COMPARED:
        assert_frame_equal(split.compared(table), stated.compared(table))
