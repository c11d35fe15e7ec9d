"""At the age of required minimum distributions money was converted, and no distribution was seen before: the minimum comes out first.

The dollars are what was converted, the most that the minimum can have been of it: the minimum itself isn't computed. Guard: the age goes by
the year of birth; a charitable distribution counts too, and so does any distribution up to the day of the conversion.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="rmd_before_conversion",
    authority="IRC 408(a)(6), 401(a)(9), 408A(c)(5); Reg. 1.408A-4 Q&A-6, 1.402(c)-2(j)",
    topics=("conversion", "distribution", "account"),
    rests_on="form_8606",
    sql="""
    with seen as (
        select e.person_id, e.event_year as tax_year, min(e.trade_date) as first_out
        from tax_events as e
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = e.event_year and p.in_pool
        where e.transaction_type in ('distribution', 'rmd', 'qcd')
        group by e.person_id, e.event_year
    )
    select
        f.person_id, '' as subject, f.tax_year,
        f.line_8 as amount, 'converted before any distribution' as amount_is,
        'high' as severity,
        case when run.as_of <= py.year_end then py.year_end
            else filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) end as deadline,
        'Converted at ' || py.age || ' before any required minimum distribution of ' || f.tax_year as title,
        'From age ' || r.age || ' on the first money out of the IRAs each year is the required minimum, and it can''t be converted. '
            || usd(f.line_8) || ' was converted (first on ' || long_date(w.first_conversion_on) || '), and '
            || case when s.first_out is null then 'no distribution of ' || f.tax_year || ' is in the book'
                else 'the first distribution is of ' || long_date(s.first_out) end
            || '. The part of the conversion that was the minimum is a distribution, and an excess in the Roth IRA.' as explanation,
        case when s.first_out is null and run.as_of <= py.year_end then
            'Take the minimum by ' || long_date(py.year_end) || ' and ask the custodian for its amount; that part of the conversion has to '
                || 'come out of the Roth IRA with its earnings.'
            else 'Ask the custodian for the minimum; that part of the conversion belongs on line 7, and has to come out of the Roth IRA with '
                || 'its earnings by ' || long_date(py.extended_due_date) || '.' end as action,
    from form_8606 as f
    inner join person_years as py using (person_id, tax_year)
    inner join ira_flows as w using (person_id, tax_year)
    left join seen as s using (person_id, tax_year)
    inner join rmd_ages as r on year(py.birth_date) >= r.born_from and year(py.birth_date) < r.born_before
    cross join run
    where f.status in ('COMPUTED', 'REVIEW') and py.age >= r.age
        and coalesce(s.first_out > w.first_conversion_on, w.first_conversion_on is not null)
        and run.as_of <= py.extended_due_date
    """,
)
