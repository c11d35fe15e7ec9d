"""Traditional and Roth contributions together are above the year's limit (or the compensation behind it).

The dollars are the excess, taxed 6% a year until cured. Guard: contributions for another year don't count; a compensation
shortfall is told by `contribution_above_compensation` instead.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="ira_contribution_excess",
    authority="IRC 219(b)(5), 408A(c)(2), 4973; Form 5329",
    topics=("contribution", "tax_profile"),
    rests_on="ira_limits",
    sql="""
    select
        l.person_id, '' as subject, l.tax_year,
        l.traditional_contributions + l.roth_contributions - l.contribution_limit as amount, 'excess' as amount_is,
        case when run.as_of + interval 30 day >= py.extended_due_date then 'critical' else 'high' end as severity,
        py.extended_due_date as deadline,
        usd(l.traditional_contributions + l.roth_contributions - l.contribution_limit) || ' contributed above the '
            || l.tax_year || ' IRA limit' as title,
        usd(l.traditional_contributions) || ' traditional and ' || usd(l.roth_contributions) || ' Roth contributions for '
            || l.tax_year || ' together are above the limit of ' || usd(l.contribution_limit) || '; the excess costs 6% ('
            || usd(dollars((cents(l.traditional_contributions + l.roth_contributions - l.contribution_limit) * 6 + 50) // 100))
            || ') for every year it stays.' as explanation,
        'Withdraw the excess with its earnings, or recharacterize, by ' || long_date(py.extended_due_date)
            || '; or let a later year''s room absorb it and pay the 6% meanwhile.' as action,
    from ira_limits as l
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where l.contribution_limit is not null and not l.is_blocked and l.contribution_limit = l.dollar_limit
        and l.traditional_contributions + l.roth_contributions > l.contribution_limit
    """,
)
