"""The plan takes after-tax money but offers no way to Roth: neither in-plan conversion nor in-service distribution.

The dollars are the after-tax balance, or what went in this year where the balance isn't stated. Guard: features must be stated, not
guessed; told of the newest year only, and as information where the client has no after-tax money there.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_not_usable",
    authority="IRC 402A(c)(4); Notice 2014-54; plan document",
    topics=("plan",),
    rests_on="mega_backdoor",
    sql="""
    with of_group as (
        select person_id, tax_year, report_group_id, sum(after_tax_contributions) filter (may_take_after_tax) as contributed
        from employer_groups
        group by person_id, tax_year, report_group_id
    ),
    newest as (
        select m.*, g.contributed
        from mega_backdoor as m
        inner join of_group as g
            on g.person_id = m.person_id and g.tax_year = m.tax_year and g.report_group_id = m.employer_group_id
        qualify row_number() over (partition by m.person_id, m.employer_group_id order by m.tax_year desc) = 1
    )
    select
        person_id, employer_group_id as subject, tax_year,
        coalesce(after_tax_balance, contributed) as amount,
        case when after_tax_balance is null then 'after-tax contributions' else 'after-tax balance' end as amount_is,
        case when after_tax_balance > 0 or contributed > 0 then 'low' else 'info' end as severity,
        null::date as deadline,
        'After-tax money at ' || employers || ' has no way to Roth' as title,
        'The plan takes after-tax contributions, but allows neither an in-plan Roth conversion nor an in-service distribution; '
            || case when after_tax_balance > 0 then 'growth on the ' || usd(after_tax_balance) || ' there will be taxed'
                when contributed > 0 then 'growth on the ' || usd(contributed) || ' contributed for ' || tax_year || ' will be taxed'
                else 'the client has no after-tax money there' end || '.' as explanation,
        'Ask the employer to add either feature; until then after-tax contributions are not a mega backdoor.' as action,
    from newest
    where outcome = 'NOT_USABLE'
    """,
)
