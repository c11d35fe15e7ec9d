"""The plan takes after-tax money, has a way to Roth, and 415(c) room is left this year.

The dollars are the room. The deadline is the last payroll of the limitation year as payroll runs, else its last day; where pay days
are known the room is told per pay day too. Guard: nothing is shown on UNKNOWN; for a highly compensated client, or where that isn't
known, it is told to be room before the ACP test; room that two groups share under one limit is told once.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_room_open",
    authority="IRC 415(c), 401(m), 402A(c)(4); Notice 2014-54",
    topics=("plan",),
    rests_on="mega_backdoor",
    sql="""
    with usable as (
        select g.person_id, g.tax_year, g.report_group_id, min(g.plan_id) as plan_id,
            coalesce(max(g.limitation_year_ends_on), any_value(y.year_end)) as last_day,
            bool_or(g.highly_compensated) as is_highly_compensated,
        from employer_groups as g
        inner join year_limits as y on y.tax_year = g.tax_year
        where g.is_usable
        group by g.person_id, g.tax_year, g.report_group_id
    ),
    pay_days as (
        select u.person_id, u.tax_year, u.report_group_id, a.rhythm, count(*) as days_left, max(a.pay_day) as last_pay_day
        from usable as u
        inner join pay_days_ahead as a on a.person_id = u.person_id and a.plan_id = u.plan_id and a.pay_day <= u.last_day
        group by u.person_id, u.tax_year, u.report_group_id, a.rhythm
    )
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        m.room as amount, 'room' as amount_is,
        case when m.room >= 10000 then 'high' else 'medium' end as severity,
        coalesce(d.last_pay_day, u.last_day) as deadline,
        usd(m.room) || ' of mega backdoor Roth room at ' || m.employers as title,
        'Limit ' || usd(m.annual_additions_limit) || ', additions so far ' || usd(m.annual_additions)
            || case when m.catch_up_portion > 0 then ' (after ' || usd(m.catch_up_portion) || ' of catch-up)' else '' end
            || ', still expected from employer and deferrals ' || usd(m.expected_employer + m.expected_deferrals) || '.'
            || case when m.room < m.annual_additions_limit - m.annual_additions - m.expected_employer - m.expected_deferrals
                then ' The plan''s own cap on after-tax money leaves less than the limit does.' else '' end
            || case when not m.room_before_acp_test then ''
                when u.is_highly_compensated then ' This is room before the ACP test, which may cut it.'
                else ' Whether the client is highly compensated is not stated: this is room before the ACP test, which may cut it.' end
            || case when m.status = 'REVIEW' then ' To review: ' || in_words(m.reasons) || '.' else '' end
            as explanation,
        'Raise the after-tax election by ' || usd(m.room)
            || coalesce(', about ' || usd(mul_div(m.room, 1, d.days_left)) || ' on each of ' || d.days_left || ' pay days left,', '')
            || ' before the last payroll of ' || case when u.last_day = y.year_end then m.tax_year || ''
                else 'the limitation year ending ' || long_date(u.last_day) end
            || coalesce(' (' || long_date(d.last_pay_day) || ', as payroll runs ' || d.rhythm || ')', '')
            || ' and set automatic conversion to Roth.' as action,
    from mega_backdoor as m
    inner join year_limits as y on y.tax_year = m.tax_year
    inner join usable as u
        on u.person_id = m.person_id and u.tax_year = m.tax_year and u.report_group_id = m.employer_group_id
    left join pay_days as d
        on d.person_id = m.person_id and d.tax_year = m.tax_year and d.report_group_id = m.employer_group_id
    cross join run
    where m.status in ('COMPUTED', 'REVIEW') and m.room > 0 and run.as_of <= u.last_day
    qualify row_number() over (
        partition by m.person_id, m.tax_year, m.limit_group_id order by m.room desc, m.employer_group_id) = 1
    """,
)
