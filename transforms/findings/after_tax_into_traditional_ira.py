"""After-tax money of a plan was rolled into a traditional IRA: it is basis now, and in the pool.

The dollars are the basis that came in. Guard: not once as much has been converted since, which took it along.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="after_tax_into_traditional_ira",
    authority="Notice 2014-54; Form 8606 line 2; Pub 590-A",
    topics=("plan_money_in", "basis", "pool_value", "conversion"),
    sql="""
    with arrived as (
        select e.person_id, e.event_year as tax_year, sum(e.amount) as amount, min(e.trade_date) as first_on,
            string_agg(distinct shown_account(e.account_key), ', ' order by shown_account(e.account_key)) as accounts,
            string_agg(e.source_file || ':' || e.source_line, ', ' order by e.source_file, e.source_line) as places
        from tax_events as e
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = e.event_year and p.in_pool
        where e.transaction_type = 'after_tax_rollover_in'
        group by e.person_id, e.event_year
    ),
    converted as (
        select a.person_id, a.tax_year, sum(e.amount) as amount
        from arrived as a
        inner join tax_events as e on e.person_id = a.person_id and e.event_year = a.tax_year
            and e.transaction_type = 'roth_conversion_out' and e.trade_date >= a.first_on
        group by a.person_id, a.tax_year
    )
    select
        a.person_id, '' as subject, a.tax_year,
        a.amount, 'basis' as amount_is,
        case when f.line_14 < p.projected_total then 'medium' else 'low' end as severity,
        case when run.as_of <= py.year_end then py.year_end
            else filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) end as deadline,
        usd(a.amount) || ' of after-tax plan money went into a traditional IRA' as title,
        'It reached ' || a.accounts || ' from ' || long_date(a.first_on) || ' on [' || a.places || ']. It is basis (Form 8606 line 2) and is '
            || 'shared out over all of the client''s IRAs' || coalesce(' (' || usd(p.projected_total) || ')', '')
            || '; sent straight to a Roth IRA it would have been tax-free.' as explanation,
        'Put it on line 2 of Form 8606 for ' || a.tax_year || ' and keep the plan''s statement'
            || case when f.line_14 >= p.projected_total then '; the IRAs are all basis, so converting them now costs no tax.'
                when run.as_of <= py.year_end then '; to convert it tax-free, move the pre-tax IRA money into a plan by '
                    || long_date(py.year_end) || ' first.'
                else '.' end as action,
    from arrived as a
    inner join person_years as py using (person_id, tax_year)
    left join converted as c using (person_id, tax_year)
    left join pool_totals as p using (person_id, tax_year)
    left join form_8606 as f using (person_id, tax_year)
    cross join run
    where coalesce(c.amount, 0) < a.amount and run.as_of <= py.extended_due_date
    """,
)
