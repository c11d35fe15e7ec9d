"""After-tax money sits unconverted in a current employer's plan, and its earnings, taxable when converted, grow.

The dollars are what converting the sub-account now would tax, at the stated marginal rate. Guard: only a plan with a way to Roth
(`mega_not_usable` tells the others) where the client still works (`after_tax_left_at_old_employer`); balance and basis must be stated;
the newest year's statement only, and none that money left the plan after; not for under $100 of earnings, the float of automatic conversion.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="after_tax_with_earnings",
    authority="IRC 72(d)(2), 72(e)(8), 402A(c)(4); Notice 2014-54",
    topics=("plan",),
    sql="""
    with moved_since as (
        select e.person_id, a.plan_id, max(e.trade_date) as last_moved_on
        from tax_events as e
        inner join known_accounts as a on a.account_key = e.account_key and a.plan_id is not null
        where e.transaction_type = 'in_plan_roth_conversion' or flow_sign(e.transaction_type) = -1
        group by e.person_id, a.plan_id
    ),
    newest as (
        select
            c.*, pl.employer_name, pl.in_plan_roth_conversion, pl.separate_after_tax_accounting, pl.as_of, py.marginal_tax_rate as rate,
            coalesce(c.taxable_separate, c.taxable_prorated) as taxable,
        from after_tax_conversions as c
        inner join plan_years as pl on pl.person_id = c.person_id and pl.plan_id = c.plan_id and pl.tax_year = c.tax_year
        inner join person_years as py on py.person_id = c.person_id and py.tax_year = c.tax_year
        left join moved_since as m on m.person_id = c.person_id and m.plan_id = c.plan_id
        where coalesce(pl.currently_employed, true) and (pl.in_plan_roth_conversion or pl.in_service_distribution)
            and coalesce(m.last_moved_on <= pl.as_of, true)
        qualify row_number() over (partition by c.person_id, c.plan_id order by c.tax_year desc) = 1
    )
    select
        person_id, plan_id as subject, tax_year,
        tax_or_income(taxable, rate) as amount, dollars_are(rate) as amount_is,
        case when tax_or_income(taxable, rate) > 1000 then 'medium' else 'low' end as severity,
        null::date as deadline,
        usd(after_tax_balance) || ' of after-tax money at ' || employer_name || ' is not converted' as title,
        'The after-tax account was ' || usd(after_tax_balance) || ' on ' || long_date(as_of) || ', ' || usd(after_tax_basis)
            || ' of it contributions. Converting it now taxes ' || usd(taxable)
            || case when taxable_separate is not null and taxable_prorated is not null then ' (' || usd(taxable_prorated)
                    || ' if the plan does not account for it separately)'
                when taxable_separate is null then ' (no separate accounting: the whole plan account counts)'
                when separate_after_tax_accounting is null then ' if the plan accounts for it separately, which is not stated'
                else '' end
            || '; what it earns until then is taxed too.' as explanation,
        case when in_plan_roth_conversion then 'Convert it to Roth inside the plan, and set conversion to run by itself.'
            else 'Take it out in service: contributions to a Roth IRA, earnings with them (taxed) or to a traditional IRA.' end as action,
    from newest
    where status in ('COMPUTED', 'REVIEW') and earnings >= 100 and taxable > 0
    """,
)
