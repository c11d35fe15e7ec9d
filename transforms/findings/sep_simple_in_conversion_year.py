"""SEP or SIMPLE money arrived in a year with a conversion: December's line 6 counts it.

The dollars are what the conversion would not have cost without it: line 17 with that money taken out of line 9, less line 17. Guard:
only money that came into a SEP or SIMPLE IRA in the pool in the year itself, and only what it really adds.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="sep_simple_in_conversion_year",
    authority="IRC 408(d)(2), 408(k), 408(p); Form 8606 line 6",
    topics=("conversion", "plan_money_in", "pool_value"),
    rests_on="form_8606",
    folds_into=("conversion_taxed_pro_rata",),
    sql="""
    with arrived as (
        select e.person_id, e.event_year as tax_year, sum(e.amount) as amount, max(e.trade_date) as last_on,
            bool_or(e.account_type = 'simple_ira') as has_simple,
            case when count(distinct e.account_type) = 2 then 'SEP and SIMPLE' when has_simple then 'SIMPLE' else 'SEP' end as kinds
        from tax_events as e
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = e.event_year and p.in_pool
        where e.account_type in ('sep_ira', 'simple_ira') and e.transaction_type in ('employer_contribution', 'contribution')
        group by e.person_id, e.event_year
    ),
    extra as (
        select
            f.*, a.amount as arrived, a.last_on, a.kinds, a.has_simple,
            tax_free_without(a.amount, f.line_5, f.line_8, f.line_9) - f.line_17 as extra_taxable,
        from form_8606 as f
        inner join arrived as a using (person_id, tax_year)
        where f.status in ('COMPUTED', 'REVIEW') and f.line_8 > 0
    )
    select
        x.person_id, '' as subject, x.tax_year,
        tax_or_income(x.extra_taxable, py.marginal_tax_rate) as amount,
        dollars_are(py.marginal_tax_rate) as amount_is,
        severity_in_year(tax_or_income(x.extra_taxable, py.marginal_tax_rate), py.year_end, run.as_of) as severity,
        year_end_or_filing(py.year_end, py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        usd(x.arrived) || ' of ' || x.kinds || ' money makes ' || usd(x.extra_taxable) || ' more of the conversion taxable' as title,
        usd(x.arrived) || ' came into a ' || x.kinds || ' IRA in ' || x.tax_year || ' (last on ' || long_date(x.last_on) || '), a year with '
            || usd(x.line_8) || ' converted. Line 6 counts SEP and SIMPLE IRAs on December 31; without it '
            || usd(x.extra_taxable) || ' less would be taxable.' as explanation,
        case when run.as_of <= py.year_end then
            'Roll it on into a plan that takes IRA money (a solo 401(k) can) by ' || long_date(py.year_end)
                || case when x.has_simple then ', but no SIMPLE money in its first two years' else '' end
                || '; for next year consider a solo 401(k) instead.'
            else 'The year has ended: plan for the tax, and for next year consider a solo 401(k) instead.' end as action,
    from extra as x
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where x.extra_taxable > 0 and run.as_of <= py.extended_due_date
    """,
)
