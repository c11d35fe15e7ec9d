"""Plan money was rolled into an IRA after a conversion of the same year: it enlarges December's line 6.

The dollars are what the conversion would not have cost without that money: line 17 with the rolled-in money taken out
of line 9, less line 17 as computed. Guard: only pool accounts and only plan money; transfers between own IRAs don't count.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="year_end_trap",
    authority="IRC 408(d)(2)(B)-(C); Form 8606 line 6",
    topics=("conversion", "plan_money_in", "pool_value"),
    rests_on="form_8606",
    folds_into=("conversion_taxed_pro_rata",),
    sql="""
    with rolled_in as (
        select e.person_id, e.event_year as tax_year, sum(e.amount) as amount, max(e.trade_date) as last_on
        from tax_events as e
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = e.event_year and p.in_pool
        inner join ira_flows as f on f.person_id = e.person_id and f.tax_year = e.event_year
        where e.transaction_type = 'plan_rollover_in' and e.trade_date >= f.first_conversion_on
        group by e.person_id, e.event_year
    ),
    extra as (
        select
            f.*, r.amount as rolled_in, r.last_on,
            tax_free_without(r.amount, f.line_5, f.line_8, f.line_9) - f.line_17 as extra_taxable,
        from form_8606 as f
        inner join rolled_in as r using (person_id, tax_year)
        where f.status in ('COMPUTED', 'REVIEW') and f.line_8 > 0
    )
    select
        x.person_id, '' as subject, x.tax_year,
        tax_or_income(x.extra_taxable, py.marginal_tax_rate) as amount,
        dollars_are(py.marginal_tax_rate) as amount_is,
        severity_in_year(tax_or_income(x.extra_taxable, py.marginal_tax_rate), py.year_end, run.as_of) as severity,
        year_end_or_filing(py.year_end, py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        usd(x.rolled_in) || ' rolled into an IRA makes ' || usd(x.extra_taxable) || ' more of the conversion taxable' as title,
        'After converting ' || usd(x.line_8) || ' this year, ' || usd(x.rolled_in) || ' of plan money came into an IRA (last on '
            || long_date(x.last_on) || '). Line 6 counts it on December 31, so only ' || usd(x.line_17)
            || ' of the conversion is tax-free.' as explanation,
        case when run.as_of <= py.year_end
            then 'Roll the ' || usd(x.rolled_in) || ' on into an employer plan before ' || long_date(py.year_end)
                || ', or accept the tax.'
            else 'The year has ended: plan for the tax.' end as action,
    from extra as x
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where x.extra_taxable > 0 and run.as_of <= py.extended_due_date
    """,
)
