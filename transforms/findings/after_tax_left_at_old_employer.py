"""After-tax money was left in the plan of an employer the client has left: it can go to a Roth IRA untaxed.

The dollars are the basis. Guard: only where `currently_employed` says no and balance and basis are stated, by the newest year's
statement; not where plan money was rolled over after that statement, which may have been this.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="after_tax_left_at_old_employer",
    authority="Notice 2014-54; IRC 402(c)(2), 408A(e)(1)(B)",
    topics=("plan",),
    sql="""
    with moved_since as (
        select e.person_id, max(e.trade_date) as last_moved_on
        from tax_events as e
        left join known_accounts as a on a.account_key = e.account_key
        where e.transaction_type in ('plan_rollover_in', 'after_tax_rollover_in')
            or (a.plan_id is not null and flow_sign(e.transaction_type) = -1)
        group by e.person_id
    ),
    newest as (
        select c.*, pl.employer_name, pl.as_of, pl.separate_after_tax_accounting, larger(0, c.after_tax_balance - c.earnings) as to_roth,
        from after_tax_conversions as c
        inner join plan_years as pl on pl.person_id = c.person_id and pl.plan_id = c.plan_id and pl.tax_year = c.tax_year
        left join moved_since as m on m.person_id = c.person_id
        where pl.currently_employed is false and coalesce(m.last_moved_on <= pl.as_of, true)
        qualify row_number() over (partition by c.person_id, c.plan_id order by c.tax_year desc) = 1
    )
    select
        person_id, plan_id as subject, tax_year,
        to_roth as amount, 'basis' as amount_is,
        case when to_roth > 1000 then 'medium' else 'low' end as severity,
        null::date as deadline,
        usd(to_roth) || ' of after-tax money is still in the plan of ' || employer_name as title,
        'The client no longer works there. The after-tax account was ' || usd(after_tax_balance) || ' on ' || long_date(as_of) || ', '
            || usd(after_tax_basis) || ' of it contributions already taxed and ' || usd(earnings) || ' earnings.' as explanation,
        'Split rollover: ' || usd(to_roth) || ' straight to a Roth IRA, untaxed, and '
            || case when separate_after_tax_accounting is false then 'all the rest of the plan account (there is no separate accounting)'
                when earnings > 0 then 'the ' || usd(earnings) || ' of earnings' else 'any earnings' end
            || ' to the new employer''s plan; a traditional IRA takes it too, but counts for pro-rata.' as action,
    from newest
    where to_roth > 0
    """,
)
