"""What the two findings about inherited accounts share: which of the two, its title and its action are the caller's."""

from __future__ import annotations

from transforms.findings import Finding


def inheritance(rule: str, *, concerns: str, title: str, action: str) -> Finding:
    """A finding over `inheritance_doubts`: `concerns` is the SQL condition on its rows `d`, `title` and `action` SQL texts."""
    return Finding(
        rule=rule,
        authority="IRC 408(d)(3)(C); Reg. 1.408-8(c); IRC 408(d)(2)",
        topics=("account", "conversion", "pool_value"),
        folds_into=("pro_rata_unknown",),
        one_over_years=True,
        sql=f"""
        select
            d.person_id, d.account_key as subject, d.tax_year,
            coalesce(tax_or_income(d.swing, py.marginal_tax_rate), d.market_value) as amount,
            case when d.swing is null then 'value' else dollars_are(py.marginal_tax_rate) end as amount_is,
            case
                when d.swing is null and d.converted + d.paid_out > 0 then 'high'
                when d.swing is null then 'low'
                else severity_in_year(tax_or_income(d.swing, py.marginal_tax_rate), py.year_end, run.as_of)
            end as severity,
            year_end_or_filing(py.year_end, py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
            {title} as title,
            upper(d.why[1]) || d.why[2:] || '. It holds ' || coalesce(usd(d.market_value), 'an unknown value')
                || case
                    when d.swing is not null then ', and in the pool it makes ' || usd(d.swing) || ' more of the ' || usd(d.converted)
                        || ' conversion taxable than out of it.'
                    when d.converted + d.paid_out > 0 then '; whether that is on line 6 decides how much of '
                        || usd(d.converted + d.paid_out) || ' converted or paid out is taxable.'
                    else '; nothing was converted or paid out this year.' end
                || case when d.in_pool then ' It is counted in the pool now.' when d.in_pool is false then ' It is not counted in the pool now.'
                    else '' end as explanation,
            {action} as action,
        from inheritance_doubts as d
        inner join person_years as py using (person_id, tax_year)
        cross join run
        where {concerns} and run.as_of <= py.extended_due_date
        """,
    )
