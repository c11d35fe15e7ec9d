"""A traditional contribution is treated as nondeductible although the law lets it be deducted.

The dollars are the tax the deduction saves at the stated rate, else the deduction. Guard: only where the return's IRA deduction is
stated, and not where the contribution was converted in the year: then the choice makes no difference.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="deductible_missed",
    authority="IRC 219(a), 219(g), 408(o)(2)(B)(ii)",
    topics=("contribution", "tax_profile", "conversion"),
    rests_on="ira_limits",
    sql="""
    with missed as (
        select
            l.*, py.* exclude (person_id, tax_year, ira_contribution_limit),
            lesser(lesser(l.traditional_contributions, l.contribution_limit), l.deduction_limit) - l.deductible_contributions
                as deduction,
        from ira_limits as l
        inner join person_years as py using (person_id, tax_year)
        where l.status in ('COMPUTED', 'REVIEW') and py.stated_ira_deduction is not null
            and len(list_filter(l.reasons, lambda r: starts_with(r, 'deduction_magi_conflict'))) = 0
    )
    select
        m.person_id, '' as subject, m.tax_year,
        tax_or_income(m.deduction, m.marginal_tax_rate) as amount,
        case when m.marginal_tax_rate is null then 'deduction' else 'tax' end as amount_is,
        severity_at_most_high(tax_or_income(m.deduction, m.marginal_tax_rate),
            filing_date(m.contribution_due_date, m.extended_due_date, run.as_of), run.as_of) as severity,
        filing_date(m.contribution_due_date, m.extended_due_date, run.as_of) as deadline,
        usd(m.deduction) || ' of traditional IRA contributions could be deducted' as title,
        usd(m.traditional_contributions) || ' was contributed for ' || m.tax_year || ', ' || usd(m.deductible_contributions)
            || ' of it is deducted, and the law allows ' || usd(m.deduction_limit) || coalesce(' (MAGI ' || usd(m.deduction_magi) || ')', '')
            || '; the rest is on Form 8606 as nondeductible.' as explanation,
        'Consider deducting ' || usd(m.deduction) || ' on the return; leaving it nondeductible is a choice, and makes it basis.' as action,
    from missed as m
    left join ira_flows as w using (person_id, tax_year)
    cross join run
    where m.deduction > 0 and coalesce(w.converted, 0) < m.nondeductible_contributions
        and run.as_of <= m.extended_due_date
    """,
)
