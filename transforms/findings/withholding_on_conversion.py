"""Tax was withheld from a Roth conversion: the withheld part wasn't converted, it was distributed.

The dollars are what was withheld and not put back. Guard: only a withholding row of the account and days of a conversion that had no
other distribution; not where the Roth IRA got it back from other money.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="withholding_on_conversion",
    authority="IRC 408A(d)(3), 408(d)(3), 72(t), 3405; Form 8606 line 7",
    topics=("conversion", "distribution", "conversion_in"),
    one_with="pre-tax money and a conversion",
    sql="""
    with pooled as (
        select e.*
        from tax_events as e
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = e.event_year and p.in_pool
    ),
    withheld as (
        select
            w.person_id, w.account_key, w.event_year as tax_year, w.amount, w.trade_date,
            w.source_file || ':' || w.source_line as place,
        from pooled as w
        where w.transaction_type = 'withholding'
            and exists (
                select 1 from pooled as c
                where c.account_key = w.account_key and c.transaction_type = 'roth_conversion_out'
                    and w.trade_date between c.trade_date and c.trade_date + interval 5 day)
            and not exists (
                select 1 from pooled as d
                where d.account_key = w.account_key and d.transaction_type in ('distribution', 'rmd', 'rollover_out')
                    and w.trade_date between d.trade_date and d.trade_date + interval 5 day)
            and not exists (
                select 1 from tax_events as b
                where b.person_id = w.person_id and b.amount = w.amount and b.transaction_type in ('rollover_in', 'roth_conversion_in')
                    and b.trade_date between w.trade_date and w.trade_date + interval 60 day)
    ),
    summed as (
        select
            w.person_id, w.tax_year, sum(w.amount) as withheld, max(w.trade_date) as last_on,
            string_agg(distinct shown_account(w.account_key), ', ' order by shown_account(w.account_key)) as accounts,
            string_agg(w.place, ', ' order by w.trade_date, w.place) as places
        from withheld as w
        group by w.person_id, w.tax_year
    ),
    open as (
        select
            s.*, f.converted, py.* exclude (person_id, tax_year),
            (s.last_on + interval 60 day)::date as last_day,
            s.last_on < py.birth_date + interval '59 years 6 months' as is_young,
            -- more reached the Roth IRA than left as converted: put back from other money
            s.withheld - case when f.converted_in - f.converted between 0.01 and f.withholding then f.converted_in - f.converted else 0 end
                as missing,
        from summed as s
        inner join ira_flows as f using (person_id, tax_year)
        inner join person_years as py using (person_id, tax_year)
    )
    select
        o.person_id, '' as subject, o.tax_year,
        o.missing as amount, 'distribution' as amount_is,
        case
            when run.as_of <= o.last_day then severity_of(o.missing, o.last_day, run.as_of)
            when o.is_young is false then 'info'
            else 'medium'
        end as severity,
        case when run.as_of <= o.last_day then o.last_day
            else filing_date(o.contribution_due_date, o.extended_due_date, run.as_of) end as deadline,
        usd(o.missing) || ' was withheld from a Roth conversion and is a distribution' as title,
        usd(o.converted) || ' was converted in ' || o.tax_year || ' and ' || usd(o.missing) || ' withheld from ' || o.accounts || ' (last on '
            || long_date(o.last_on) || ' [' || o.places || ']). What was withheld is not in the Roth IRA: it is on line 7'
            || case when o.is_young then ', and being under 59 1/2 costs 10% more (up to ' || usd(percent_of(o.missing, 10)) || ')'
                when o.is_young is null then ', with 10% more if the client was under 59 1/2 (birth date not stated)' else '' end || '.'
            as explanation,
        case when run.as_of <= o.last_day then
            'Put ' || usd(o.missing) || ' from other money into the Roth IRA by ' || long_date(o.last_day)
                || ' (60 days): then it is converted too. '
            else 'The 60 days ended on ' || long_date(o.last_day) || ': plan for it on the return. ' end
            || 'Have nothing withheld from the next conversion; pay the tax from other money.' as action,
    from open as o
    cross join run
    where o.missing > 0 and run.as_of <= o.extended_due_date
    """,
)
