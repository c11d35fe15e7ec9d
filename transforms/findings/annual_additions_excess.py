"""Annual additions are above the 415(c) limit of an employer group.

The dollars are the excess. Guard: catch-up is taken out first; employer money still to come is told apart, not counted; an
excess of groups under one limit is told once; one that deferrals may turn into catch-up (Reg. 1.414(v)-1(b)(1)) is said to be so.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="annual_additions_excess",
    authority="IRC 415(c); Reg. 1.414(v)-1(b)(1); Rev. Proc. 2021-30 (EPCRS)",
    topics=("plan",),
    rests_on="mega_backdoor",
    sql="""
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        m.excess_annual_additions as amount, 'excess' as amount_is,
        case when m.catch_up_over_415 > 0 then 'high' else 'critical' end as severity,
        py.contribution_due_date as deadline,
        usd(m.excess_annual_additions) || ' of annual additions above the limit at ' || m.employers as title,
        'Additions for ' || m.tax_year || ' are ' || usd(m.annual_additions) || ', above the limit of ' || usd(m.annual_additions_limit)
            || ': deferrals ' || usd(aa.all_deferrals - m.catch_up_portion)
            || case when m.catch_up_portion > 0 then ' (after ' || usd(m.catch_up_portion) || ' of catch-up)' else '' end
            || ', employer ' || usd(aa.employer_money) || ', after-tax ' || usd(aa.after_tax_contributions) || '.'
            || case when m.expected_employer > 0 then ' Another ' || usd(m.expected_employer)
                || ' of employer money is still to come and not in this.' else '' end
            || case when m.catch_up_over_415 > 0 then ' Up to ' || usd(m.catch_up_over_415)
                || ' of deferrals may become catch-up, if the plan provides for it, and then is no addition.' else '' end
            as explanation,
        'Tell the plan administrator now' || case when aa.after_tax_contributions > 0 then '; stop after-tax contributions' else '' end
            || '; the plan corrects the excess.' as action,
    from mega_backdoor as m
    inner join person_years as py using (person_id, tax_year)
    inner join annual_additions as aa
        on aa.person_id = m.person_id and aa.tax_year = m.tax_year and aa.limit_group_id = m.limit_group_id
    where m.excess_annual_additions > 0
    qualify row_number() over (
        partition by m.person_id, m.tax_year, m.limit_group_id order by m.employer_group_id) = 1
    """,
)
