"""The plan takes after-tax money but offers no way to Roth: neither in-plan conversion nor in-service distribution.

The dollars are the after-tax balance. Guard: features must be stated, not guessed.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_not_usable",
    authority="IRC 402A(c)(4); Notice 2014-54; plan document",
    topics=("plan",),
    rests_on="mega_backdoor",
    sql="""
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        m.after_tax_balance as amount, 'after-tax balance' as amount_is,
        'low' as severity, null::date as deadline,
        'After-tax money at ' || m.employers || ' has no way to Roth' as title,
        'The plan takes after-tax contributions, but allows neither an in-plan Roth conversion nor an in-service distribution; '
            || 'growth on after-tax money will be taxed.' as explanation,
        'Ask the employer to add either feature; until then after-tax contributions are not a mega backdoor.' as action,
    from mega_backdoor as m
    where m.outcome = 'NOT_USABLE'
    """,
)
