"""At 60 to 63 the catch-up limit is higher, and not all of it is used.

The dollars are the catch-up room left after the deferrals still expected. Guard: only while the year is open and where the regular limit
is reached (who doesn't reach it has no use for catch-up yet), with a current employer's plan that takes catch-up and pay left for it;
at other ages it is `catch_up_unused`, never both.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="super_catch_up",
    authority="IRC 414(v)(2)(E), 414(v)(7)",
    topics=("plan",),
    rests_on="elective_deferrals",
    sql="""
    select
        person_id, '' as subject, tax_year,
        catch_up_room as amount, 'room' as amount_is,
        case when catch_up_room > 1000 then 'medium' else 'low' end as severity,
        deadline,
        usd(catch_up_room) || ' of catch-up is left for ' || tax_year as title,
        'At age ' || age || ' the limit is ' || usd(deferral_limit) || ' plus ' || usd(catch_up_limit) || ' of catch-up; deferrals so far are '
            || usd(deferrals) || case when expected_deferrals > 0 then ', and ' || usd(expected_deferrals) || ' more are expected' else '' end
            || '. From 60 to 63 it is the higher limit, where the plan provides for it.' || case
                when roth_needed then ' Last year''s FICA wages are above the threshold, so it must be Roth.'
                when roth_not_known then ' Whether it must be Roth is not known: last year''s FICA wages are not stated.'
                else '' end as explanation,
        'Raise the ' || case when roth_needed then 'Roth ' else '' end || 'election at ' || employers_with_catch_up || ' by '
            || usd(catch_up_room) || coalesce(', about ' || usd(mul_div(catch_up_room, 1, pay_days_left)) || ' on each of '
                || pay_days_left || ' pay days left,', '') || ' before ' || last_payroll || '.' as action,
    from deferral_room
    where catch_up_room > 0 and deferrals + expected_deferrals >= deferral_limit and is_super_catch_up
    """,
)
