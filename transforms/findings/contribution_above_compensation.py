"""IRA contributions are above the compensation they must come from (own, or the spouse's on a joint return).

The dollars are the excess over compensation. Guard: the spousal rule of 219(c) is applied first.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="contribution_above_compensation",
    authority="IRC 219(b)(1)(B), 219(c), 4973",
    topics=("contribution", "tax_profile"),
    rests_on="ira_limits",
    sql="""
    select
        l.person_id, '' as subject, l.tax_year,
        l.traditional_contributions + l.roth_contributions - l.contribution_limit as amount, 'excess' as amount_is,
        case when run.as_of + interval 30 day >= py.extended_due_date then 'critical' else 'high' end as severity,
        py.extended_due_date as deadline,
        'IRA contributions are ' || usd(l.traditional_contributions + l.roth_contributions - l.contribution_limit)
            || ' above compensation' as title,
        usd(l.traditional_contributions + l.roth_contributions) || ' was contributed for ' || l.tax_year
            || ' but compensation allows ' || usd(l.contribution_limit)
            || case when py.files_jointly then ' (own and spouse''s, less the spouse''s contributions)' else '' end
            || '; the excess costs 6% a year.' as explanation,
        'Confirm the compensation; if it stands, withdraw the excess with its earnings by ' || long_date(py.extended_due_date)
            || '.' as action,
    from ira_limits as l
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where not l.is_blocked and l.contribution_limit < l.dollar_limit
        and l.traditional_contributions + l.roth_contributions > l.contribution_limit
    """,
)
