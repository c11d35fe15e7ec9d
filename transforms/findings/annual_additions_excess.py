"""Annual additions are above the 415(c) limit of an employer group.

The dollars are the excess. Guard: catch-up is taken out first; employer money still to come is told apart, not counted.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="annual_additions_excess",
    authority="IRC 415(c); Rev. Proc. 2021-30 (EPCRS)",
    topics=("plan",),
    sql="""
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        m.excess_annual_additions as amount, 'excess' as amount_is,
        'critical' as severity,
        py.contribution_due_date as deadline,
        usd(m.excess_annual_additions) || ' of annual additions above the limit at ' || m.employers as title,
        'Additions of ' || usd(m.annual_additions) || ' for ' || m.tax_year || ' (after ' || usd(m.catch_up_portion)
            || ' of catch-up) are above the limit of ' || usd(m.annual_additions_limit) || '.'
            || case when m.expected_employer > 0 then ' Another ' || usd(m.expected_employer) || ' of employer money is expected.'
                else '' end as explanation,
        'Tell the plan administrator now; stop after-tax contributions; the plan corrects the excess.' as action,
    from mega_backdoor as m
    inner join person_years as py using (person_id, tax_year)
    where m.excess_annual_additions > 0
    """,
)
