"""Where the answer to each missing fact goes: the house file and the columns operations states."""

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
    "row_set_aside": "_set_aside.xlsx, sheet Fix here; or the file itself.",
    "account_owner_contested": "account_links (or accounts: person_id): one owner, and end the link that is wrong.",
    "merged_rows_differ": "tax_profiles, ira_basis, plan_contributions: state the same under both person_ids.",
    "unclassified_event": "transactions: same account, amount and date; the transaction_type it was (or market).",
    # of findings about data
    "account_not_in_full_file": "accounts: closed_on, if it is closed.",
    "basis_not_carried": "ira_basis: basis of last year.",
    "birth_date_conflict": "persons: birth_date, or accounts: owner_birth_date.",
    "inherited_looks_like_own": "accounts: inherited_from, beneficiary_is_spouse, treated_as_own.",
    "own_looks_inherited": "accounts: inherited_from, beneficiary_is_spouse, treated_as_own.",
    "shared_tax_id": "persons: tax_id, or an answer in _links.xlsx.",
    "possible_same_person": "An answer in _links.xlsx.",
    "tax_form_mismatch": "transactions, accounts (account_type, person_id) or corrections.",
    "unmatched_account": "accounts: person_id (custodian and account_number as the custodian writes them).",
    # of moves of money
    "transfer_into_roth": "corrections: transaction_type of both rows (roth_conversion_out, roth_conversion_in).",
    "cancelled_row_missing": "transactions: the row taken back, or its transaction_id as cancels_transaction_id.",
    "sixty_day_rollover_twice": "corrections: transaction_type of both rows (a distribution, or a trustee transfer).",
    "sep_plan_not_stated": "accounts: plan_id.",
    "correction_not_applied": "corrections: the line named.",
}


def where_stated(code: str) -> str | None:
    """The house file and the columns that answer a reason's code, for operations; None where no one file does."""
    return FIXES.get(code)
