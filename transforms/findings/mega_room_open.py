"""The plan takes after-tax money, has a way to Roth, and 415(c) room is left this year.

The dollars are the room. Guard: nothing is shown on UNKNOWN; for a highly compensated client, or where that isn't known, it is
told to be room before the ACP test; room that two groups share under one limit is told once.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_room_open",
    authority="IRC 415(c), 401(m), 402A(c)(4); Notice 2014-54",
    topics=("plan",),
    rests_on="mega_backdoor",
    sql="""
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        m.room as amount, 'room' as amount_is,
        case when m.room >= 10000 then 'high' else 'medium' end as severity,
        py.year_end as deadline,
        usd(m.room) || ' of mega backdoor Roth room at ' || m.employers as title,
        'Limit ' || usd(m.annual_additions_limit) || ', additions so far ' || usd(m.annual_additions)
            || case when m.catch_up_portion > 0 then ' (after ' || usd(m.catch_up_portion) || ' of catch-up)' else '' end
            || ', still expected from employer and deferrals ' || usd(m.expected_employer + m.expected_deferrals) || '.'
            || case when m.room_before_acp_test then ' This is room before the ACP test, which may cut it.' else '' end
            || case when m.status = 'REVIEW' then ' To review: ' || in_words(m.reasons) || '.' else '' end
            as explanation,
        'Raise the after-tax election by ' || usd(m.room) || ' before the last payroll of ' || m.tax_year
            || ' and set automatic conversion to Roth.' as action,
    from mega_backdoor as m
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where m.status in ('COMPUTED', 'REVIEW') and m.room > 0 and run.as_of <= py.year_end
    qualify row_number() over (
        partition by m.person_id, m.tax_year, m.limit_group_id order by m.room desc, m.employer_group_id) = 1
    """,
)
