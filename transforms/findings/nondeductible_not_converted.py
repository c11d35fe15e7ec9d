"""A nondeductible contribution for the year sits unconverted: growth until the conversion is taxable.

Fires 30 days after the last contribution when nothing was converted since. The dollars are the unconverted contribution.
Guard: silent within 30 days, where
line 1 is not known, and where nothing is left in the pool to convert (basis lost to the market).
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="nondeductible_not_converted",
    authority="IRC 408(o), 408A(d)(3); Form 8606 line 1",
    topics=("contribution", "pool_value", "conversion"),
    rests_on="form_8606",
    sql="""
    with contributed as (
        select person_id, contribution_year as tax_year, max(trade_date) as last_on, min(trade_date) as first_on
        from tax_events
        where transaction_type in ('contribution', 'recharacterization_in') and is_traditional_kind(account_type)
        group by person_id, contribution_year
    ),
    converted as (
        select e.person_id, c.tax_year, sum(e.amount) as amount
        from tax_events as e
        inner join contributed as c on c.person_id = e.person_id
        where e.transaction_type = 'roth_conversion_out' and e.trade_date >= c.first_on
        group by e.person_id, c.tax_year
    )
    select
        f.person_id, '' as subject, f.tax_year,
        f.line_1 - coalesce(v.amount, 0) as amount, 'unconverted contribution' as amount_is,
        'medium' as severity,
        null::date as deadline,
        usd(f.line_1 - coalesce(v.amount, 0)) || ' nondeductible contribution not yet converted' as title,
        usd(f.line_1) || ' was contributed nondeductible for ' || f.tax_year || ' (last on ' || long_date(c.last_on) || ') and '
            || case when coalesce(v.amount, 0) = 0 then 'nothing' else 'only ' || usd(v.amount) end
            || ' has been converted since. Growth until the conversion is taxable.' as explanation,
        'Convert ' || usd(f.line_1 - coalesce(v.amount, 0)) || ' soon'
            || case when p.projected_total > f.line_14 then
                '; with ' || usd(p.projected_total - f.line_14) || ' of pre-tax IRA money it would be partly taxable, so look at the '
                || 'ways out first.' else '.' end as action,
    from form_8606 as f
    inner join contributed as c using (person_id, tax_year)
    left join converted as v using (person_id, tax_year)
    left join pool_totals as p using (person_id, tax_year)
    cross join run
    where f.status in ('COMPUTED', 'REVIEW') and f.line_1 > coalesce(v.amount, 0)
        and run.as_of >= c.last_on + interval 30 day
        and coalesce(p.projected_total, 1) > 0
    """,
)
