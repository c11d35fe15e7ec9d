"""Elective deferrals over all employers are above 402(g) and the catch-up limit.

The dollars are the excess; taxed twice unless distributed by April 15. Guard: 457(b) deferrals have a limit of their own.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="deferral_excess",
    authority="IRC 402(g), 414(v); Reg. 1.402(g)-1(e)",
    topics=("plan",),
    rests_on="elective_deferrals",
    sql="""
    select
        d.person_id, '' as subject, d.tax_year,
        d.excess_deferrals as amount, 'excess' as amount_is,
        case when make_date(d.tax_year + 1, 4, 15) between run.as_of and run.as_of + interval 30 day then 'critical' else 'high' end
            as severity,
        make_date(d.tax_year + 1, 4, 15) as deadline,
        usd(d.excess_deferrals) || ' of elective deferrals above the limit over all employers' as title,
        'Deferrals of ' || usd(d.deferrals) || ' over all plans are above ' || usd(d.deferral_limit)
            || case when d.catch_up_limit > 0 then ' plus ' || usd(d.catch_up_limit) || ' of catch-up' else '' end || '.'
            as explanation,
        'Ask one plan for a corrective distribution of ' || usd(d.excess_deferrals) || ' with earnings by April 15, '
            || (d.tax_year + 1) || '.' as action,
    from elective_deferrals as d
    cross join run
    where d.excess_deferrals > 0
    """,
)
