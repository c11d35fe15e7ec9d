"""A direct Roth contribution is above the limit that income leaves.

The dollars are the part above the Roth limit that income alone causes; what is above the year's limit whatever the income is
`ira_contribution_excess`. Guard: MAGI must be stated and not contradict its components (that is REVIEW); a difference of up to $10
inside the range is the IRS worksheets' rounding and is left to REVIEW.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="roth_contribution_above_income",
    authority="IRC 408A(c)(3), 408A(d)(6), 4973(f); Reg. 301.9100-2",
    topics=("contribution", "tax_profile", "pool_value"),
    rests_on="ira_limits",
    sql="""
    with over as (
        select
            l.*,
            larger(0, l.contribution_limit - l.traditional_contributions) as traditional_room,
            lesser(l.roth_contributions, traditional_room) - l.roth_limit_before_traditional as above_income,
        from ira_limits as l
        where not l.is_blocked and l.roth_excess > 0
            and l.roth_limit_before_traditional < l.contribution_limit
            and above_income > 0
            and len(list_filter(l.reasons, lambda r: starts_with(r, 'roth_magi_conflict'))) = 0
    )
    select
        o.person_id, '' as subject, o.tax_year,
        o.above_income as amount, 'excess' as amount_is,
        case when run.as_of + interval 30 day >= py.extended_due_date then 'critical' else 'high' end as severity,
        py.extended_due_date as deadline,
        usd(o.above_income) || ' of Roth contributions are above what income allows' as title,
        usd(o.roth_contributions) || ' went directly to a Roth IRA for ' || o.tax_year || ', but Roth MAGI of '
            || usd(o.roth_magi) || case when run.as_of <= py.year_end then ' (as stated so far)' else '' end || ' allows ' || usd(o.roth_limit_before_traditional) || ' (range '
            || usd(o.roth_start) || ' to ' || usd(o.roth_end) || '). The excess costs 6% ('
            || usd(dollars((cents(o.above_income) * 6 + 50) // 100)) || ') a year.' as explanation,
        case when run.as_of <= py.extended_due_date then
            'Recharacterize ' || usd(o.above_income) || ' (with earnings) to a traditional IRA, or withdraw it, by '
            || long_date(py.extended_due_date) || '. '
            || case when p.projected_total > 0 then 'Converting it afterwards is pro-rata with ' || usd(p.projected_total) || ' in IRAs.'
                else 'It can then be converted.' end
            else 'The cure date has passed: withdraw the excess and file Form 5329.' end as action,
    from over as o
    inner join person_years as py using (person_id, tax_year)
    left join pool_totals as p using (person_id, tax_year)
    cross join run
    """,
)
