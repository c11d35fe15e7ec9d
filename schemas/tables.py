"""The tables Rothbook reads and writes, in one place.

`INPUT_TABLES` are the canonical tables every incoming file is mapped onto (contract section 1);
`RESULT_TABLES` are what a run publishes (contract section 2). A column is a name, a type and, where
the contract closes it, a vocabulary. Money is DECIMAL(18,2); dates are dates; nothing is a float.

Every canonical row also carries `PROVENANCE`: which archived file (sha256), which line, which
profile read it, and the as-of date of the run that first received the file. That is what lets any
number be walked back to a file and a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from schemas.marks import MARK_STATUSES

Kind = Literal["text", "money", "percent", "date", "year", "bool", "int", "ratio", "list", "timestamp"]

MONEY = pl.Decimal(18, 2)
PERCENT = pl.Decimal(9, 4)
RATIO = pl.Decimal(18, 10)

DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "money": MONEY,
    "percent": PERCENT,
    "ratio": RATIO,
    "date": pl.Date(),
    "year": pl.Int32(),
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "list": pl.List(pl.String()),
    "timestamp": pl.Datetime("us"),
}

ACCOUNT_TYPES = (
    "traditional_ira", "rollover_ira", "sep_ira", "simple_ira", "roth_ira", "roth_sep_ira", "roth_simple_ira",
    "inherited_traditional_ira", "inherited_roth_ira", "trump_account", "401k", "roth_401k", "403b", "457b",
    "401a", "tsp", "hsa", "529", "taxable", "trust", "annuity_nonqualified", "other",
)  # fmt: skip

TRANSACTION_TYPES = (
    "contribution", "employer_contribution", "roth_conversion_out", "roth_conversion_in", "rollover_out",
    "rollover_in", "plan_rollover_in", "plan_rollover_out", "trustee_transfer_out", "trustee_transfer_in",
    "distribution", "rmd", "qcd", "qhfd", "withholding", "recharacterization_out", "recharacterization_in",
    "return_of_excess", "return_of_excess_earnings", "divorce_transfer_out", "divorce_transfer_in",
    "after_tax_rollover_in", "in_plan_roth_conversion", "qualified_disaster_distribution",
    "qualified_disaster_repayment", "market",
)  # fmt: skip

#: A custodian row whose code the profile does not map, or maps to "only a person can tell".
#: Never appears in house files; the engine sets such rows aside and answers UNKNOWN.
UNCLASSIFIED = "unclassified"

FILING_STATUSES = ("single", "hoh", "mfj", "qss", "mfs_lived_with_spouse", "mfs_lived_apart")
HSA_COVERAGES = ("none", "self", "family")
LINK_DECISIONS = ("approve", "reject")
PLAN_TYPES = ("401k", "solo_401k", "403b", "401a", "457b", "tsp", "sep", "simple", "pension")
MONEY_SOURCES = (
    "pre_tax_deferrals", "roth_deferrals", "after_tax_contributions", "employer_match",
    "employer_nonelective", "forfeitures", "not_a_contribution",
)  # fmt: skip
#: What an amount of a payroll or recordkeeper file is: of one pay date, or of the calendar year up to it.
AMOUNTS_ARE = ("period", "year_to_date")

#: How often a delivery is due, and what came of it. `late` is due and still within its grace, `missing` is past it.
FREQUENCIES = ("business_day", "weekly", "monthly", "yearly")
ARRIVAL_STATES = ("arrived", "late", "stale", "missing", "empty_but_valid", "not_due")

#: Tables whose cells a corrections file may correct.
CORRECTABLE = (
    "persons", "tax_profiles", "ira_basis", "excess_carryovers", "accounts", "balances", "transactions", "plans",
    "plan_contributions", "form_5498", "form_1099r",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, whether a value is required, and its closed vocabulary if any."""

    name: str
    kind: Kind = "text"
    required: bool = False
    values: tuple[str, ...] = ()
    #: True where a negative amount has no meaning (contract: amounts are magnitudes).
    non_negative: bool = False
    #: True for text that stands for a value of any kind: a cell of a workbook may hold a date there.
    any_value: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns in order, and the columns that identify a row."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    #: True for kinds a firm may write itself (recognised by header); False for intake-only tables.
    house: bool = True
    #: Extra columns that only intake fills, never read from a house file.
    internal: tuple[Column, ...] = field(default=())
    #: Headers that our own workbook of this kind puts beside the columns, for people; never read, and no surprise.
    beside: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns a house file of this kind must have."""
        return tuple(c.name for c in self.columns if c.required)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Polars schema of the canonical table, provenance included."""
        every = (*self.columns, *self.internal, *(PROVENANCE if self.house or self.internal else ()))
        return {c.name: DTYPES[c.kind] for c in every}


def _t(name: str, required: bool = False, values: tuple[str, ...] = ()) -> Column:
    return Column(name, "text", required, values)


def _m(name: str, required: bool = False, signed: bool = False) -> Column:
    return Column(name, "money", required, non_negative=not signed)


def _d(name: str, required: bool = False) -> Column:
    return Column(name, "date", required)


def _b(name: str, required: bool = False) -> Column:
    return Column(name, "bool", required)


def _y(name: str = "tax_year", required: bool = True) -> Column:
    return Column(name, "year", required)


PROVENANCE = (
    _t("source_sha256"),
    _t("source_file"),
    Column("source_line", "int"),
    _t("profile"),
    _d("received_at"),
)

_INPUTS = (
    Table(
        "advisors",
        "One row per advisor.",
        (_t("advisor_id", True), _t("advisor_name", True), _t("email"), _t("rep_codes")),
        key=("advisor_id",),
    ),
    Table(
        "persons",
        "One row per person. tax_id is stored only as a keyed hash (HMAC), never in clear.",
        (
            _t("person_id", True), _t("household_id"), _t("advisor_id", True), _t("given_name", True),
            _t("family_name", True), _d("birth_date"), _t("tax_id"), _t("spouse_person_id"),
        ),
        key=("person_id",),
    ),
    Table(
        "tax_profiles",
        "One row per person and tax year: the facts of the return the tax rules ask for.",
        (
            _t("person_id", True), _y(), _t("filing_status", True, FILING_STATUSES), _m("roth_magi", signed=True),
            _m("deduction_magi", signed=True), _m("agi", signed=True), _m("roth_conversion_income"),
            _m("plan_to_roth_rollover_income"), _m("ira_deduction"), _m("student_loan_interest"),
            _m("foreign_earned_income_exclusion"), _m("foreign_housing"), _m("savings_bond_exclusion"),
            _m("adoption_exclusion"), _m("compensation", signed=True), _b("active_participant"),
            _b("spouse_active_participant"), Column("marginal_tax_rate", "percent", non_negative=True),
            _t("hsa_coverage", False, HSA_COVERAGES), _m("hsa_contributions"), _b("qhfd_used"),
            _b("all_iras_reported"),
        ),
        key=("person_id", "tax_year"),
    ),
    Table(
        "ira_basis",
        "One row per person and tax year: line 14 of the last Form 8606 filed, for that tax year.",
        (_t("person_id", True), _y(), _m("basis", True), _t("source")),
        key=("person_id", "tax_year"),
    ),
    Table(
        "excess_carryovers",
        "One row per person and tax year: IRA excess not yet cured at its end (Form 5329 line 16 and line 24).",
        (_t("person_id", True), _y(), _m("traditional_excess", True), _m("roth_excess", True), _t("source")),
        key=("person_id", "tax_year"),
    ),
    Table(
        "accounts",
        "One row per account at a custodian.",
        (
            _t("custodian", True), _t("account_number", True), _t("account_type", True, ACCOUNT_TYPES),
            _t("person_id"), _t("owner_tax_id"), _t("owner_name"), _d("owner_birth_date"), _t("rep_code"),
            _t("plan_id"), _t("inherited_from"), _b("beneficiary_is_spouse"), _b("treated_as_own"),
            _d("simple_first_contribution_date"), _d("opened_on"), _d("closed_on"),
        ),
        key=("custodian", "account_number"),
        internal=(_t("custodian_code"),),
    ),
    Table(
        "balances",
        "One row per account and date: the account's whole market value that day.",
        (_t("custodian", True), _t("account_number", True), _d("as_of", True), _m("market_value", True, signed=True)),
        key=("custodian", "account_number", "as_of"),
        # `coverage` is "full" or "delta": a delta position file lists only what changed that day,
        # so its sum is not the account's value and may never reach line 6.
        internal=(_t("coverage", False, ("full", "delta")),),
    ),
    Table(
        "transactions",
        "One row per account event. amount is a magnitude; the type gives the direction.",
        (
            _t("custodian", True), _t("account_number", True), _t("transaction_id", True), _d("trade_date", True),
            _t("transaction_type", True, TRANSACTION_TYPES), _m("amount", True), _y("tax_year", False),
            _t("counter_account_number"), _t("description"),
            # the transaction_id of the row this one takes back (same account, type and amount)
            _t("cancels_transaction_id"),
        ),
        key=("custodian", "account_number", "transaction_id"),
        # classification: "mapped" (a known meaning), "ambiguous" (a known code that means different
        # things), "unmapped" (a code the profile has never seen). The last two are `unclassified`.
        # reverses: the custodian's code of the row this one takes back, where the file doesn't name that row itself.
        internal=(
            _t("custodian_code"), _t("classification", False, ("mapped", "ambiguous", "unmapped")), _t("reverses"),
        ),
    ),
    Table(
        "plans",
        "One row per employer plan and its features.",
        (
            _t("plan_id", True), _t("employer_name", True), _t("employer_group_id", True),
            _t("plan_type", True, PLAN_TYPES), _b("after_tax_contributions"), _b("in_plan_roth_conversion"),
            _b("in_service_distribution"), _b("separate_after_tax_accounting"), _b("ira_roll_in"),
            _b("roth_deferrals"), Column("after_tax_cap_percent", "percent", non_negative=True),
            _m("after_tax_cap_amount"), _t("limitation_year_end"), _d("verified_on"),
            *(Column(n, "percent", non_negative=True)
              for n in ("match_percent", "match_up_to_percent", "nonelective_percent")),
        ),
        key=("plan_id",),
    ),
    Table(
        "plan_contributions",
        "One row per person, plan, tax year and as-of date: year-to-date money by source.",
        (
            _t("person_id", True), _t("plan_id", True), _y(), _d("as_of", True), _m("compensation", signed=True),
            _m("pre_tax_deferrals"), _m("roth_deferrals"), _m("after_tax_contributions"), _m("employer_match"),
            _m("employer_nonelective"), _m("forfeitures"), _m("expected_employer_contributions"),
            _m("expected_deferrals"), _m("prior_year_fica_wages"), _b("highly_compensated"),
            _b("controls_employer"), _m("after_tax_balance"), _m("after_tax_basis"), _b("currently_employed"),
        ),
        key=("person_id", "plan_id", "tax_year", "as_of"),
    ),
    Table(
        "plan_sources",
        "One row per money-source column of a recordkeeper's payroll file: what it means in this plan.",
        (
            _t("recordkeeper", True), _t("recordkeeper_plan", True), _t("plan_id", True),
            _t("source_column", True), _t("money_source", True, MONEY_SOURCES),
        ),
        key=("recordkeeper", "recordkeeper_plan", "source_column"),
    ),
    Table(
        "form_5498",
        "One row per account and tax year: Form 5498 as filed by the custodian.",
        (
            _t("custodian", True), _t("account_number", True), _y(), _m("box_1_ira_contributions"),
            _m("box_2_rollover_contributions"), _m("box_3_roth_conversion"), _m("box_4_recharacterized"),
            _m("box_5_fair_market_value"), _t("box_7_type"), _m("box_8_sep"), _m("box_9_simple"),
            _m("box_10_roth"), _m("box_13a_postponed"),
        ),
        key=("custodian", "account_number", "tax_year"),
        internal=(_t("owner_tax_id"), _b("corrected")),
    ),
    Table(
        "form_1099r",
        "One row per account, tax year and distribution code: Form 1099-R as filed by the custodian.",
        (
            _t("custodian", True), _t("account_number", True), _y(), _m("box_1_gross"), _m("box_2a_taxable"),
            _b("box_2b_not_determined"), _m("box_4_federal_withheld"), _m("box_5_basis"), _t("box_7_codes"),
            _b("box_7_ira"),
        ),
        key=("custodian", "account_number", "tax_year", "box_7_codes"),
        internal=(_t("owner_tax_id"), _b("corrected")),
    ),
    Table(
        "account_links",
        "One row per approved link of an account to its owner: dated, and stronger than any other statement of it.",
        (
            _t("custodian", True), _t("account_number", True), _t("person_id", True), _d("valid_from"), _d("valid_to"),
            _t("approved_by", True), _d("approved_on", True), _t("note"),
        ),
        key=("custodian", "account_number", "valid_from"),
    ),
    Table(
        "link_decisions",
        "One row per answer to a suggested link (workbooks/_links.xlsx); without a decision it says nothing.",
        (
            _t("suggestion_id", True), _t("decision", False, LINK_DECISIONS), _t("decided_by"), _d("decided_on"),
            _t("note"),
        ),
        key=("suggestion_id", "decided_on"),
    ),
    Table(
        "tax_id_changes",
        "One row per person whose tax id changed: both ids are one person's.",
        (_t("old_tax_id", True), _t("new_tax_id", True), _d("changed_on", True), _t("source")),
        key=("old_tax_id", "new_tax_id", "changed_on"),
    ),
    Table(
        "renumbered_accounts",
        "One row per account that got another number: both numbers are one account.",
        (_t("custodian", True), _t("old_account_number", True), _t("account_number", True), _d("changed_on")),
        key=("custodian", "old_account_number"),
    ),
    Table(
        "expected_files",
        "One row per delivery the firm waits for: from whom, what, how often, and by when it should be there.",
        (
            _t("source", True), _t("custodian"), _t("kind", True), _t("file_name_pattern"),
            _t("frequency", True, FREQUENCIES), _t("due_by"), Column("grace_days", "int", non_negative=True),
            Column("stale_after_days", "int", non_negative=True), _d("starts_on"),
        ),
        key=("source", "kind"),
    ),
    Table(
        "corrections",
        "One row per cell of the book that the firm corrects, until its source is put right. row_key is `column=value` "
        "pairs, separated by semicolons, that fit exactly one row of the table; (blank) stands for an empty cell.",
        (
            _t("table", True, CORRECTABLE), _t("row_key", True), _t("column", True), _t("value_in_source", True),
            _t("corrected_value", True), _t("declared_by", True), _d("declared_on", True), _t("reason", True),
        ),
        key=("table", "row_key", "column"),
        # The row it corrected, and what it changed where that is no free text.
        internal=(
            _t("custodian"), _t("account_number"), _t("person_id"), _t("target_file"), Column("target_line", "int"),
            _t("shown_before"), _t("shown_after"),
        ),
    ),
    Table(
        "row_fixes",
        "One row per wrong cell of a line that was set aside (workbooks/_set_aside.xlsx): what it should have been. A "
        "line is named by the sha256 of its file; without a corrected_value the row says nothing. column_name (row) "
        "with (leave out) leaves the whole line out.",
        (
            _t("file_sha256", True), Column("line_number", "int", True), _t("column_name", True),
            Column("corrected_value", any_value=True), _t("fixed_by"), _d("fixed_on"), _t("note"),
        ),
        key=("file_sha256", "line_number", "column_name"),
        # The line it fixed: its file, kind and subject, and the value where that is no free text.
        internal=(
            _t("fixed_file"), _t("kind"), _t("custodian"), _t("account_number"), _t("person_id"), _t("shown_after"),
        ),
        beside=("file", "kind of row", "what the cell holds", "what was expected", "the whole row"),
    ),
    Table(
        "payroll_contributions",
        "One row per employee, payroll date, source column and kind of amount of a recordkeeper's contribution file.",
        (
            _t("recordkeeper"), _t("recordkeeper_plan"), _t("owner_tax_id"), _d("pay_date"),
            _t("source_column"), _t("money_source"), _m("amount", signed=True),
        ),
        house=False,
        # amount_is: of one pay date or of the calendar year to date; null where the file doesn't say.
        internal=(
            _m("compensation", signed=True), _b("highly_compensated"), _t("amount_is", False, AMOUNTS_ARE),
        ),
    ),
    Table(
        "finding_marks",
        "One row per mark an advisor made in a workbook that came back: a row of Exceptions that differs from what it "
        "showed. Blank is a mark too: what stood there was taken away.",
        (
            _t("reading_id", True), _t("finding_id", True), _t("status", values=MARK_STATUSES), _t("owner"), _t("note"),
            _d("snooze_until"),
        ),
        key=("reading_id",),
        house=False,
        # not_read: fields whose column is gone from the sheet. shown_state: the mark that stood there (`mark_state`),
        # null where the row doesn't say. The facts shown are null where their column is gone.
        internal=(
            _t("not_read"), _t("shown_state"), _t("state"), _m("amount_shown", signed=True), _d("deadline_shown"),
            _t("severity_shown"), _t("advisor_id"), _d("workbook_as_of"), _t("workbook"), _t("saved_by"),
        ),
    ),
)  # fmt: skip

INPUT_TABLES: dict[str, Table] = {t.name: t for t in _INPUTS}
HOUSE_KINDS: tuple[str, ...] = tuple(t.name for t in _INPUTS if t.house)

#: Rows set aside by intake. `custodian`/`account_number`/`person_id`/`plan_id` are the subject the row
#: was about as far as it could be read, so that the engine can answer UNKNOWN for that person.
INTAKE_REJECTS = Table(
    "rejects",
    "One row per problem with a line of a file.",
    (
        _t("file"), Column("line_number", "int"), _t("column"), _t("rule"), _t("message"), _t("raw_line_sha256"),
        _t("source_sha256"), _t("kind"), _t("custodian"), _t("account_number"), _t("person_id"), _t("plan_id"),
        _t("row_key"), _d("trade_date"), _m("amount", signed=True), _b("blocks"),
        # keyed hash of the tax id a payroll row named, where it could be read
        _t("owner_tax_id"),
    ),
    house=False,
)  # fmt: skip

#: In `row_fixes.column_name`: the line as a whole; as its corrected_value: it is to be left out.
WHOLE_ROW, LEAVE_OUT = "(row)", "(leave out)"

#: How a row that was set aside can be put right in the workbook of set-aside rows.
WAYS_TO_FIX = ("cell", "row")
#: What a person needs to see to fix a set-aside row: account numbers cut to their last four, tax ids never.
SET_ASIDE = Table(
    "set_aside",
    "One row per problem with a line of a file: how it can be fixed (null: not in cells), what cell and row hold.",
    (
        _t("source_sha256"), Column("line_number", "int"), _t("column"), _t("rule"), _t("kind"),
        _t("way", values=WAYS_TO_FIX), _t("was"), _t("row_says"),
    ),
    house=False,
)  # fmt: skip

_LINES = tuple(
    Column(f"lines_{c}", "int")
    for c in ("total", "preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
)
INTAKE_FILES = Table(
    "files",
    "One row per file received, and per file inside a container: what it was, its lines by class, its rows by fate.",
    (
        _t("sha256"), _t("file_name"), _t("kind"), _t("custodian"), Column("rows", "int"), Column("accepted", "int"),
        Column("rejected", "int"), _t("state", False, ("accepted", "partial", "rejected", "duplicate")),
        _d("received_at"), _t("profile"), _t("layout"), _t("message"), *_LINES,
        # what the file says of itself: the day its content is of, whether it lists everything or only changes, and whom
        # it was made for
        _d("content_as_of"), _t("coverage", False, ("full", "delta")), _t("made_for"),
    ),
    house=False,
)  # fmt: skip

STATUSES = ("COMPUTED", "REVIEW", "UNKNOWN", "INELIGIBLE")
#: Result tables whose every row is judged by a status.
JUDGED_TABLES = ("form_8606", "ira_limits", "mega_backdoor", "elective_deferrals")
PAIR_KINDS = (
    "roth_conversion", "conversion_in_fact", "rollover", "trustee_transfer", "plan_rollover", "recharacterization",
)  # fmt: skip
RECONCILED = ("agrees", "differs", "form_missing", "book_missing", "not_comparable")
PAIR_STATES = ("paired", "waiting", "unpaired", "outside_book")
#: Where a person stands with the backdoor Roth (transforms/sql/backdoor_overview.sql), those who can act first.
STANDINGS = (
    "blocked", "ready", "convert next", "unknown", "direct", "done", "no room", "closed", "ineligible",
)  # fmt: skip
WAYS = ("accept", "reverse_rollover", "qhfd", "convert_everything", "wait")
SEVERITIES = ("critical", "high", "medium", "low", "info")

_RESULTS = (
    Table(
        "form_8606",
        "One row per person and tax year: Form 8606 lines 1-18.",
        (
            _t("person_id"), _y(), _t("status", values=STATUSES), Column("reasons", "list"),
            _t("basis_of_line_6", values=("december_31", "projected")),
            *(_m(f"line_{n}") for n in range(1, 10)), Column("line_10", "ratio"),
            *(_m(f"line_{n}") for n in (11, 12, 13, 14, "15a", "15b", "15c", 16, 17, 18)),
        ),
        key=("person_id", "tax_year"),
    ),
    Table(
        "ira_limits",
        "One row per person and tax year: what may be, and was, contributed to IRAs.",
        (
            _t("person_id"), _y(), _t("status", values=STATUSES), Column("reasons", "list"),
            *(_m(n) for n in (
                "contribution_limit", "roth_limit", "deduction_limit", "traditional_contributions",
                "roth_contributions", "deductible_contributions", "nondeductible_contributions",
                "excess_contributions")),
            _m("roth_magi", signed=True),
        ),
        key=("person_id", "tax_year"),
    ),
    Table(
        "ira_aggregation",
        "One row per person, tax year and account: whether it is in the IRA pool, why, and its value.",
        (
            _t("person_id"), _y(), _t("account_key"), _t("custodian"), _t("account_type"), _b("in_pool"),
            _t("why"), _m("market_value", signed=True), _d("as_of"),
        ),
        key=("person_id", "tax_year", "account_key"),
    ),
    Table(
        "link_suggestions",
        "One row per suggested link, person whose IRA pool it would add to, and tax year. Nothing is merged by it.",
        (
            _t("suggestion_id"), _t("kind", values=("account", "person")), _t("person_id"), _y(), _t("other_person_id"),
            _t("account_key"), Column("probability", "ratio"), _b("needs_review"), Column("agrees", "list"),
            _b("adds_ira"), _m("pool_value_added", signed=True), _m("line_18"), _m("line_18_with"),
        ),
        key=("suggestion_id", "person_id", "tax_year"),
    ),
    Table(
        "mega_backdoor",
        "One row per person, employer group and tax year: after-tax room under section 415(c).",
        (
            _t("person_id"), _t("employer_group_id"), _y(), _t("status", values=STATUSES), Column("reasons", "list"),
            _m("annual_additions_limit"), _m("annual_additions"), _m("catch_up_portion"), _m("room"),
            _b("room_before_acp_test"), _m("excess_annual_additions"),
        ),
        key=("person_id", "employer_group_id", "tax_year"),
    ),
    Table(
        "excess_contributions",
        "One row per person, tax year and kind of IRA with an excess: the 6% tax (4973, Form 5329).",
        (
            _t("person_id"), _y(), _t("ira_kind", values=("traditional", "roth")), _t("status", values=STATUSES),
            Column("reasons", "list"), *(_m(n) for n in (
                "excess_before", "withdrawn", "absorbed", "excess_of_year", "cumulative_excess", "december_31_value",
                "excise_tax")),
            _d("cure_by"),
        ),
        key=("person_id", "tax_year", "ira_kind"),
    ),
    Table(
        "after_tax_conversions",
        "One row per person, plan and tax year with after-tax money: what converting it to Roth would tax.",
        (
            _t("person_id"), _t("plan_id"), _y(), _t("status", values=STATUSES), Column("reasons", "list"),
            *(_m(n) for n in (
                "after_tax_balance", "after_tax_basis", "earnings", "plan_balance", "taxable_separate",
                "taxable_prorated", "to_roth_ira", "to_traditional_ira", "converted", "taxable_of_converted")),
        ),
        key=("person_id", "plan_id", "tax_year"),
    ),
    Table(
        "ways_out",
        "One row per person, tax year and way of dealing with the pro-rata rule: what it moves and what it then costs.",
        (
            _t("person_id"), _y(), _t("way", values=WAYS), _t("status", values=STATUSES), Column("reasons", "list"),
            *(_m(n) for n in (
                "amount", "conversion", "taxable_now", "taxable_then", "room_left", "room_adds", "tax_then")),
            _t("plan_id"), _d("deadline"), Column("rests_on", "list"),
        ),
        key=("person_id", "tax_year", "way"),
    ),
    Table(
        "backdoor_overview",
        "One row per person and tax year: where they stand with the backdoor Roth, and what doing it now would tax.",
        (
            _t("person_id"), _y(), _t("standing", values=STANDINGS),
            *(_m(n) for n in (
                "room", "direct_roth_room", "pool_value", "basis", "pre_tax", "taxable_if_done", "tax_if_done")),
            _t("ways_out"), _d("due_date"),
        ),
        key=("person_id", "tax_year"),
    ),
    Table(
        "elective_deferrals",
        "One row per person and tax year: section 402(g) over all plans.",
        (
            _t("person_id"), _y(), _t("status", values=STATUSES), Column("reasons", "list"), _m("deferral_limit"),
            _m("catch_up_limit"), _m("deferrals"), _m("remaining"), _m("excess_deferrals"),
            _b("catch_up_must_be_roth"),
        ),
        key=("person_id", "tax_year"),
    ),
    Table(
        "event_pairs",
        "One row per pair of legs of one move of money between accounts, or per leg without its other leg.",
        (
            _t("person_id"), _y(), _t("kind", values=PAIR_KINDS), _t("state", values=PAIR_STATES),
            _t("out_account_key"), _d("left_on"), _m("out_amount"), _m("withheld"),
            _t("in_account_key"), _d("arrived_on"), _m("in_amount"), _m("counted_amount"), _t("how_paired"),
            Column("days_open", "int"), _d("deadline"), _t("out_file"), Column("out_line", "int"), _t("in_file"),
            Column("in_line", "int"), _t("out_event_id"), _t("in_event_id"),
        ),
        key=("person_id", "tax_year", "kind", "out_event_id", "in_event_id"),
    ),
    Table(
        "reconciliation",
        "One row per account (or person), tax year and box of Form 5498 or 1099-R: the form against the book.",
        (
            _t("person_id"), _t("custodian"), _t("account_key"), _y(), _t("form", values=("5498", "1099-R")), _t("box"),
            _t("what"), _m("form_amount", signed=True), _m("book_amount", signed=True), _m("difference", signed=True),
            _m("tolerance"), _t("form_says"), _t("book_says"), _t("state", values=RECONCILED), _t("source_file"),
            Column("source_line", "int"),
        ),
        key=("person_id", "account_key", "tax_year", "form", "box"),
    ),
    Table(
        "findings",
        "One row per problem or opportunity of one person, account, plan or file.",
        (
            _t("finding_id"), _t("rule"), _t("person_id"), _t("household_id"), _t("advisor_id"), _y(required=False),
            _t("severity", values=SEVERITIES), _t("status", values=("new", "open", "changed", "resolved")),
            _d("first_seen"), _d("last_changed"), _m("amount"), _d("deadline"), _t("title"), _t("explanation"),
            _t("action"), Column("evidence", "list"), _t("amount_is"), _t("authority"), Column("rank", "int"),
            # the finding this one is a part of, where one problem shows itself in several ways
            _t("part_of"),
            # the mark in force, whether it puts the finding aside, why not any more, and what is to be told of it
            _t("mark_status", values=MARK_STATUSES), _t("mark_owner"), _t("mark_note"), _d("snooze_until"),
            _d("marked_on"), _b("put_aside"), _t("came_back"), _t("mark_told"), _t("mark_state"),
        ),
        key=("finding_id",),
    ),
    Table(
        "marks",
        "One row per finding ever marked: the mark in force, what the finding was when it was made, and other answers.",
        (
            _t("finding_id"), _t("rule"), _t("person_id"), _t("status", values=MARK_STATUSES), _t("owner"), _t("note"),
            _d("snooze_until"), _t("marked_by"), _t("marked_in"), Column("marked_line", "int"), _d("received_at"),
            _d("workbook_as_of"), _t("advisor_id"), _m("amount_then", signed=True), _d("deadline_then"),
            _t("severity_then"), _d("gone_on"), Column("conflict", "list"), _t("reading_id"), _t("mark_state"),
        ),
        key=("finding_id",),
    ),
    Table(
        "mark_history",
        "One row per mark ever made: by whom, in which workbook, and whether it is in force, replaced or contested.",
        (
            _t("finding_id"), _t("rule"), _t("person_id"), _t("status", values=MARK_STATUSES), _t("owner"), _t("note"),
            _d("snooze_until"), _t("marked_by"), _t("advisor_id"), _d("received_at"), _d("workbook_as_of"),
            _t("marked_in"), Column("marked_line", "int"), _t("became", values=("in force", "replaced", "contested")),
            _t("reading_id"),
        ),
        key=("finding_id", "received_at", "reading_id"),
    ),
    Table(
        "rejects",
        "One row per line set aside; the raw line itself stays only in the quarantine folder.",
        (
            _t("file"), Column("line_number", "int"), _t("column"), _t("rule"), _t("message"),
            _t("raw_line_sha256"), _t("source_sha256"),
        ),
    ),
    Table(
        "files",
        "One row per file of the book, and one per file delivered again in this run (duplicate).",
        INTAKE_FILES.columns,
    ),
    Table(
        "arrivals",
        "One row per expected delivery: the oldest due date still open, or the last one met, and what came of it.",
        (
            _t("source"), _t("kind"), _t("custodian"), _d("expected_on"), _t("state", values=ARRIVAL_STATES),
            _d("last_received_at"), _d("last_as_of"), _t("message"),
        ),
        key=("source", "kind"),
    ),
    Table(
        "controls",
        "One row per file (and account) out of line with the deliveries before it; nothing is set aside for it.",
        (
            _t("control", values=("row_count", "not_in_full_file", "other_recipient")), _t("file_name"),
            _t("source_sha256"), _d("received_at"), _t("account_key"), Column("found", "int"), _t("expected"),
            _t("message"), _b("newest"),
        ),
    ),
    Table(
        "trend",
        "One row per as-of date: tonight's counts, and those of earlier nights as their runs told them.",
        (
            _d("as_of"), *(Column(n, "int") for n in (
                "files", "files_set_aside", "rows", "rows_set_aside", "clients", *SEVERITIES, "new", "resolved",
                *(f"{table}_{status.lower()}" for table in JUDGED_TABLES for status in STATUSES))),
        ),
        key=("as_of",),
    ),
)  # fmt: skip

RESULT_TABLES: dict[str, Table] = {t.name: t for t in _RESULTS}


def result_schema(name: str) -> dict[str, pl.DataType]:
    """Polars schema of a result table, columns in contract order."""
    return {c.name: DTYPES[c.kind] for c in RESULT_TABLES[name].columns}


def empty(table: Table) -> pl.DataFrame:
    """An empty frame with the table's full schema (so that unions never meet a Null column)."""
    return pl.DataFrame(schema=table.schema)
