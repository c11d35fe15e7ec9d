"""Catch-up was deferred pre-tax at an employer whose FICA wages of last year make it Roth.

The dollars are the catch-up that isn't Roth. Guard: the wages are those of the same employer, and only deferrals there count; Roth
deferrals made there in the year are taken as the catch-up first; with deferrals at several employers only what is above the regular
limit at this one alone is surely catch-up; an employer without a Roth feature gives no catch-up at all (`deferral_excess`).
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="roth_catch_up_required",
    authority="IRC 414(v)(7)(A); Reg. 1.414(v)-2",
    topics=("plan",),
    rests_on="elective_deferrals",
    sql="""
    with by_employer as (
        select
            pl.person_id, pl.tax_year, pl.employer_group_id, pl.employer_name, any_value(rc.wages) as wages,
            sum(pl.pre_tax_deferrals) as pre_tax, sum(pl.roth_deferrals) as roth,
        from plan_years as pl
        inner join roth_catch_up as rc
            on rc.person_id = pl.person_id and rc.tax_year = pl.tax_year and rc.employer_group_id = pl.employer_group_id
            and rc.employer_name = pl.employer_name and rc.must_be_roth and rc.catch_up_available
        where pl.plan_type in ('401k', 'solo_401k', '403b', 'tsp')
        group by pl.person_id, pl.tax_year, pl.employer_group_id, pl.employer_name
    ),
    pre_tax_catch_up as (
        select
            e.*, d.deferral_limit,
            lesser(d.catch_up_limit, larger(0, e.pre_tax + e.roth - d.deferral_limit)) as catch_up,
            lesser(e.pre_tax, larger(0, catch_up - e.roth)) as not_roth,
        from by_employer as e
        inner join elective_deferrals as d on d.person_id = e.person_id and d.tax_year = e.tax_year
        where d.status in ('COMPUTED', 'REVIEW')
    )
    select
        c.person_id, c.employer_group_id || ':' || c.employer_name as subject, c.tax_year,
        c.not_roth as amount, 'pre-tax catch-up' as amount_is,
        case when c.not_roth > 1000 then 'high' else 'medium' end as severity,
        case when run.as_of <= y.year_end then y.year_end end as deadline,
        usd(c.not_roth) || ' of catch-up at ' || c.employer_name || ' had to be Roth' as title,
        'FICA wages there were ' || usd(c.wages) || ' in ' || (c.tax_year - 1) || ', above ' || usd(y.roth_catch_up_fica_wage_threshold)
            || ', so catch-up of ' || c.tax_year || ' must be Roth. Of ' || usd(c.pre_tax + c.roth) || ' deferred there, ' || usd(c.catch_up)
            || ' is catch-up (above ' || usd(c.deferral_limit) || '), and ' || usd(c.roth) || ' was Roth.' as explanation,
        case when run.as_of <= y.year_end then 'Have payroll make catch-up Roth now, and ask the plan to turn the ' || usd(c.not_roth)
                || ' deferred pre-tax into Roth before the W-2 is issued.'
            else 'Ask the plan to correct it: Roth on the W-2, or an in-plan Roth rollover; the ' || usd(c.not_roth) || ' is income then.' end
            as action,
    from pre_tax_catch_up as c
    inner join year_limits as y on y.tax_year = c.tax_year
    cross join run
    where c.not_roth > 0
    """,
)
