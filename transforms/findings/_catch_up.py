"""What the two findings about catch-up that isn't used share: for whom, and what is said of the limit, is the caller's."""

from __future__ import annotations

from transforms.findings import Finding


def catch_up_left(rule: str, *, authority: str, concerns: str, of_the_limit: str) -> Finding:
    """A finding over `deferral_room`: `concerns` is the SQL condition on its rows, `of_the_limit` a sentence about the limit."""
    return Finding(
        rule=rule,
        authority=authority,
        topics=("plan",),
        rests_on="elective_deferrals",
        # one errand to payroll: catch-up there has to be Roth, what was deferred and what is still to come
        folds_into=("roth_catch_up_required",),
        sql=f"""
        select
            person_id, '' as subject, tax_year,
            catch_up_room as amount, 'room' as amount_is,
            case when catch_up_room > 1000 then 'medium' else 'low' end as severity,
            deadline,
            usd(catch_up_room) || ' of catch-up is left for ' || tax_year as title,
            'At age ' || age || ' the limit is ' || usd(deferral_limit) || ' plus ' || usd(catch_up_limit) || ' of catch-up; deferrals so '
                || 'far are ' || usd(deferrals)
                || case when expected_deferrals > 0 then ', and ' || usd(expected_deferrals) || ' more are expected' else '' end
                || '.{of_the_limit}' || case
                    when roth_needed then ' Last year''s FICA wages are above the threshold, so it must be Roth.'
                    when roth_not_known then ' Whether it must be Roth is not known: last year''s FICA wages are not stated.'
                    else '' end as explanation,
            'Raise the ' || case when roth_needed then 'Roth ' else '' end || 'election at ' || employers_with_catch_up || ' by '
                || usd(catch_up_room) || coalesce(', about ' || usd(mul_div(catch_up_room, 1, pay_days_left)) || ' on each of '
                    || pay_days_left || ' pay days left,', '') || ' before ' || last_payroll || '.' as action,
        from deferral_room
        where catch_up_room > 0 and deferrals + expected_deferrals >= deferral_limit and {concerns}
        """,
    )
