"""What to ask, and whom, for each fact a result waits for: the wording of a reason turned into a question to a person.

`reports.fixes` says into which file the answer goes, for operations; this says whom to ask for it, for the advisor: on
the sheets, in the brief, and in the findings that ask. Both are keyed by the code a reason starts with.
"""

from __future__ import annotations

CLIENT = "Client"
PREPARER = "Client or tax preparer"
EMPLOYER = "Employer or plan"
CUSTODIAN = "Custodian"
HOLDER = "Client or custodian"
OFFICE = "Our office"

#: By code: whom to ask, and the question. `{missing}` stands for the reason's own words.
QUESTIONS = {
    "basis_not_stated": (PREPARER, "What is line 14 of the last Form 8606 filed, and for which year? 0 if none was."),
    "basis_not_current": (PREPARER, "What is line 14 of the Form 8606 for the year before? ({missing})"),
    "nondeductible_not_known": (PREPARER, "How much of the IRA contribution will be deducted? ({missing})"),
    "divorce_transfer": (PREPARER, "How much basis do the divorce papers move with the IRA?"),
    "account_not_decided": (HOLDER, "Is this one of the client's own IRAs? {missing}"),
    "inherited": (CLIENT, "Was the IRA inherited from a spouse, and is it treated as the client's own?"),
    "conversion_out_leg_missing": (CUSTODIAN, "Which IRA did the converted money come from? ({missing})"),
    "conversion_in_leg_missing": (
        CUSTODIAN,
        "Which Roth IRA did it go to, or was it paid out? ({missing})",
    ),
    "rollover_never_arrived": (CLIENT, "Where did the rollover go, or was it kept? ({missing})"),
    "iras_not_all_reported": (CLIENT, "Which other traditional, SEP or SIMPLE IRAs are there, and their values?"),
    "iras_not_confirmed": (CLIENT, "Are these all of the client's traditional, SEP and SIMPLE IRAs, anywhere?"),
    "value_missing": (CUSTODIAN, "What is the account worth today? ({missing})"),
    "december_31_value_missing": (CUSTODIAN, "What was it worth on December 31 (Form 5498 box 5)? ({missing})"),
    "no_tax_profile": (PREPARER, "What are the year's filing status, MAGI, compensation, and plan coverage at work?"),
    "birth_date_missing": (CLIENT, "What is the client's date of birth?"),
    "birth_date": (CLIENT, "What is the client's date of birth?"),
    "compensation_missing": (PREPARER, "What is the client's compensation for the year?"),
    "spouse_compensation_missing": (PREPARER, "What is the spouse's compensation for the year?"),
    "roth_magi_missing": (PREPARER, "What is the modified AGI for Roth contributions, or AGI with its add-backs?"),
    "deduction_magi_missing": (PREPARER, "What is the modified AGI for the IRA deduction?"),
    "active_participant_missing": (CLIENT, "Is the client covered by a plan at work (box 13 of Form W-2)?"),
    "spouse_active_participant_missing": (CLIENT, "Is the spouse covered by a plan at work (box 13 of Form W-2)?"),
    "after_tax_contributions": (EMPLOYER, "Does the plan take voluntary after-tax contributions?"),
    "in_plan_roth_conversion": (EMPLOYER, "Does the plan allow in-plan Roth conversions?"),
    "in_service_distribution": (EMPLOYER, "Does the plan pay out after-tax money while in service?"),
    "compensation": (EMPLOYER, "{missing}"),
    "pre_tax_deferrals": (EMPLOYER, "{missing}"),
    "roth_deferrals": (EMPLOYER, "{missing}"),
    "after_tax_so_far": (EMPLOYER, "{missing}"),
    "employer_match": (EMPLOYER, "{missing}"),
    "employer_nonelective": (EMPLOYER, "{missing}"),
    "forfeitures": (EMPLOYER, "{missing}"),
    "expected_employer_contributions": (EMPLOYER, "{missing}"),
    "expected_deferrals": (EMPLOYER, "{missing}"),
    "plan_sources": (EMPLOYER, "{missing}"),
    "other_deferrals": (CLIENT, "{missing}"),
    "deferrals_missing": (CLIENT, "How much was deferred this year, pre-tax and Roth? ({missing})"),
    "ira_roll_in": (EMPLOYER, "{missing}"),
    "plan_not_in_book": (CLIENT, "Is there a plan at work, and does it take rollovers from an IRA?"),
    "plan_not_stated": (EMPLOYER, "Which plan is it, and what does it allow? ({missing})"),
    "sep_plan_not_stated": (EMPLOYER, "Which SEP plan is the SEP IRA with employer contributions of?"),
    "plan_balance": (EMPLOYER, "What is the whole plan account worth? ({missing})"),
    "after_tax_balance": (EMPLOYER, "{missing}"),
    "after_tax_basis": (EMPLOYER, "{missing}"),
    "qhfd_used": (CLIENT, "Was an HSA funding distribution ever made?"),
    "hsa_coverage": (CLIENT, "Is the client covered by a high-deductible health plan: self, family or not?"),
    "hsa_contributions": (CLIENT, "{missing}"),
    "marginal_tax_rate": (PREPARER, "What marginal tax rate should we reckon with?"),
    "row_set_aside": (OFFICE, "What should the row say? {missing}"),
    "account_owner_contested": (CLIENT, "Whose account is it? {missing}"),
    "merged_rows_differ": (OFFICE, "Which of the two records is right? {missing}"),
    "unclassified_event": (CLIENT, "What was this: a contribution, conversion, rollover or payout? {missing}"),
}

#: What is asked for a code without a question.
ELSE = (OFFICE, "Please find out: {missing}")

#: What an instruction to the firm starts with inside a reason; the client is asked, not instructed.
_INSTRUCTIONS = ("; state ", "; correct ", "; add ", "; no row")


def question(code: str, missing: str) -> tuple[str, str]:
    """Whom to ask and what, for a reason's code and its words. A code without a question is asked in its own words."""
    whom, asked = QUESTIONS.get(code, ELSE)
    words = missing
    for instruction in _INSTRUCTIONS:
        words = words.partition(instruction)[0]
    said = asked.replace("{missing}", words)
    return whom, said[:1].upper() + said[1:]


#: What our own office does without asking anybody.
_OFFICE_DOES = {
    "row_set_aside": "Operations fixes the row in _set_aside.xlsx, or corrects the file, and drops it into the inbox.",
    "merged_rows_differ": "Operations decides which of the two records is right, and states the same in both.",
}


def what_to_do(code: str) -> str:
    """Whom to ask and what, and who states the answer, for a reason's code; the reason's own words stand beside it."""
    whom, asked = QUESTIONS.get(code, ELSE)
    if whom == OFFICE:
        return _OFFICE_DOES.get(code, "Operations finds out and states it, or asks the client's preparer.")
    question_alone = asked.replace("({missing})", "").replace("{missing}", "").strip()
    colon = f": {question_alone}" if question_alone else "."
    return f"{_ask(whom)}{colon} Operations states the answer."


def asks() -> dict[str, str]:
    """By code: whom to ask and what, as a sentence without its full stop; `{missing}` stands for the reason's words."""
    return {
        code: f"Our office: {asked}" if whom == OFFICE else f"{_ask(whom)}: {asked}"
        for code, (whom, asked) in QUESTIONS.items()
    }


def _ask(whom: str) -> str:
    return f"Ask the {whom[0].lower()}{whom[1:]}"
