"""Where the answer to each missing fact goes: the house file and the columns to state."""

from __future__ import annotations

#: By the code a reason starts with (see the result tables' `reasons`).
FIXES = {
    "basis_not_stated": "ira_basis: person_id, tax_year, basis (line 14 of the last Form 8606; 0 if none).",
    "basis_not_current": "ira_basis: line 14 of the Form 8606 for the year before this one.",
    "nondeductible_not_known": "tax_profiles: compensation, deduction_magi, active_participant (see IRA limits).",
    "divorce_transfer": "ira_basis for the year of the transfer, as the divorce papers split it; ask the preparer.",
    "account_not_decided": "accounts: account_type, and for inherited IRAs beneficiary_is_spouse and treated_as_own.",
    "conversion_out_leg_missing": "transactions: the roth_conversion_out of the IRA the money came from.",
    "conversion_in_leg_missing": "transactions: the roth_conversion_in, or state a distribution instead.",
    "rollover_never_arrived": "transactions: the rollover_in at the other custodian, or state a distribution instead.",
    "iras_not_all_reported": "accounts and balances of the missing IRAs; then tax_profiles: all_iras_reported = true.",
    "value_missing": "balances: the account's whole market value (a custodian file of positions will do).",
    "december_31_value_missing": "form_5498: box_5_fair_market_value, or balances dated December 31.",
    "no_tax_profile": "tax_profiles: a row for this person and tax year.",
    "birth_date_missing": "persons: birth_date.",
    "birth_date": "persons: birth_date.",
    "compensation_missing": "tax_profiles: compensation.",
    "spouse_compensation_missing": "tax_profiles of the spouse: compensation (and persons: spouse_person_id).",
    "roth_magi_missing": "tax_profiles: roth_magi, or agi and every one of its components.",
    "deduction_magi_missing": "tax_profiles: deduction_magi.",
    "active_participant_missing": "tax_profiles: active_participant.",
    "spouse_active_participant_missing": "tax_profiles: spouse_active_participant.",
    "after_tax_contributions": "Ask the employer; then plans: after_tax_contributions.",
    "in_plan_roth_conversion": "Ask the employer; then plans: in_plan_roth_conversion.",
    "in_service_distribution": "Ask the employer; then plans: in_service_distribution.",
    "compensation": "plan_contributions: compensation.",
    "pre_tax_deferrals": "plan_contributions: pre_tax_deferrals (0 if none).",
    "roth_deferrals": "plan_contributions: roth_deferrals (0 if none).",
    "after_tax_so_far": "plan_contributions: after_tax_contributions (0 if none).",
    "employer_match": "plan_contributions: employer_match (0 if none).",
    "employer_nonelective": "plan_contributions: employer_nonelective (0 if none).",
    "forfeitures": "plan_contributions: forfeitures (0 if none).",
    "expected_employer_contributions": "plan_contributions: expected_employer_contributions.",
    "expected_deferrals": "plan_contributions: expected_deferrals.",
    "plan_sources": "plan_sources: what the payroll file's column means in this plan.",
    "other_deferrals": "plan_contributions of the other employers: pre_tax_deferrals and roth_deferrals.",
    "deferrals_missing": "plan_contributions: pre_tax_deferrals and roth_deferrals to date.",
    "row_set_aside": "Operations: fix the row in _set_aside.xlsx, or correct the file, and drop it into the inbox.",
    "account_owner_contested": "account_links (or accounts: person_id): one owner, and end the link that is wrong.",
    "merged_rows_differ": "tax_profiles, ira_basis, plan_contributions: state the same under both person_ids.",
    "unclassified_event": "transactions: same account, amount and date; the transaction_type it was (or market).",
}


def how_to_fix(code: str) -> str:
    """The file and columns that answer a reason's code."""
    return FIXES.get(code, "State the missing fact in a house file, or ask the client's preparer.")
