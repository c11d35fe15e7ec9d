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
    with by_employer as (
        select person_id, tax_year, string_agg(employer_name || ' ' || usd(deferrals), ', ' order by deferrals desc, employer_name) as said
        from (
            select person_id, tax_year, coalesce(employer_name, 'plan ' || plan_id) as employer_name,
                sum(pre_tax_deferrals + roth_deferrals) as deferrals
            from plan_years
            where plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple', 'sep')
            group by all
        )
        where deferrals > 0
        group by person_id, tax_year
    ),
    dated as (
        select d.*, e.said, make_date(d.tax_year + 1, 4, 15) as april_15, run.as_of, run.as_of > april_15 as is_late,
        from elective_deferrals as d
        inner join by_employer as e using (person_id, tax_year)
        cross join run
        where d.excess_deferrals > 0
    )
    select
        person_id, '' as subject, tax_year,
        excess_deferrals as amount, 'excess' as amount_is,
        case when april_15 between as_of and as_of + interval 30 day then 'critical' else 'high' end as severity,
        april_15 as deadline,
        usd(excess_deferrals) || ' of elective deferrals above the limit over all employers' as title,
        'Deferrals of ' || usd(deferrals) || ' over all plans (' || said || ') are '
            || case when deferrals > deferral_limit + catch_up_limit then 'above ' || usd(deferral_limit)
                    || case when catch_up_limit > 0 then ' plus ' || usd(catch_up_limit) || ' of catch-up' else '' end
                else 'above what one of the employers'' own limits allows: no catch-up can be made there, or it is a SIMPLE plan' end || '.'
            as explanation,
        case when is_late then 'April 15 has passed: the ' || usd(excess_deferrals) || ' is income of ' || tax_year || ' and taxed again when '
                || 'paid out; report it with the return and ask the plan what it may still pay out.'
            else 'Ask one plan for a corrective distribution of ' || usd(excess_deferrals) || ' with earnings by April 15, '
                || (tax_year + 1) || '.' end as action,
    from dated
    """,
)
