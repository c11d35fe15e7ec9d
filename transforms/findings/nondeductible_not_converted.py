"""A nondeductible contribution for the year sits unconverted: growth until the conversion is taxable.

Fires 30 days after the last contribution when nothing was converted since. The dollars are what would be taxable if it were converted
today: growth so far, and the share of other pre-tax money. Guard: silent within 30 days, where line 1 is not known, and where nothing is
left in the pool to convert (basis lost to the market); an owner who means it dismisses the row.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="nondeductible_not_converted",
    authority="IRC 408(o), 408A(d)(3); Form 8606 line 1",
    topics=("contribution", "pool_value", "conversion"),
    rests_on="form_8606",
    folds_into=("backdoor_blocked_by_pre_tax", "deductible_missed", "conversion_taxed_pro_rata"),
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
    ),
    waiting as (
        select
            f.person_id, f.tax_year, f.line_1, f.line_14, c.last_on, p.projected_total, l.traditional_excess, py.marginal_tax_rate,
            coalesce(v.amount, 0) as converted,
            f.line_1 - converted as unconverted,
            case when p.projected_total > 0 then unconverted
                - mul_div(unconverted, lesser(f.line_14, p.projected_total), p.projected_total) end as taxable,
        from form_8606 as f
        inner join contributed as c using (person_id, tax_year)
        inner join person_years as py using (person_id, tax_year)
        left join converted as v using (person_id, tax_year)
        left join pool_totals as p using (person_id, tax_year)
        left join ira_limits as l using (person_id, tax_year)
        cross join run
        where f.status in ('COMPUTED', 'REVIEW') and f.line_1 > converted
            and run.as_of >= c.last_on + interval 30 day
            and coalesce(p.projected_total, 1) > 0
    )
    select
        f.person_id, '' as subject, f.tax_year,
        tax_or_income(f.taxable, f.marginal_tax_rate) as amount,
        case when f.taxable is null then 'not known' else dollars_are(f.marginal_tax_rate) end as amount_is,
        case when tax_or_income(f.taxable, f.marginal_tax_rate) > 100 then 'medium' else 'low' end as severity,
        null::date as deadline,
        usd(f.unconverted) || ' nondeductible contribution not yet converted' as title,
        usd(f.line_1) || ' was contributed nondeductible for ' || f.tax_year || ' (last on ' || long_date(f.last_on) || ') and '
            || case when f.converted = 0 then 'nothing' else 'only ' || usd(f.converted) end
            || ' has been converted since. '
            || case
                when f.taxable is null then 'Growth until the conversion is taxable.'
                when f.taxable = 0 then 'Converting it now is tax-free; growth until then is taxable.'
                else 'The IRAs hold ' || usd(f.projected_total) || ', ' || usd(f.projected_total - f.line_14) || ' more than their basis: '
                    || usd(f.taxable) || ' of it would be taxable now, and every bit of growth until then.' end as explanation,
        case
            when f.traditional_excess > 0 then
                'First take out the ' || usd(f.traditional_excess) || ' above the limit with its earnings, then convert ' || usd(f.unconverted) || '.'
            when f.taxable > 0 and f.projected_total - f.line_14 > f.unconverted / 10 then
            'Look at the ways out of the ' || usd(f.projected_total - f.line_14) || ' of pre-tax IRA money first, then convert '
                || usd(f.unconverted) || '.'
            else 'Convert ' || usd(f.unconverted) || case when f.taxable > 0 then ' and its growth' else '' end || ' soon; there is no deadline, but earlier is cheaper.' end
            as action,
    from waiting as f
    """,
)
