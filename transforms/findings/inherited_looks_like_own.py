"""An IRA registered as inherited may be the client's own: a surviving spouse's election isn't stated, or the flags contradict it.

The dollars are the swing of line 18 (tax at the stated rate), where money was converted and all else is known; else the account's
value. Guard: silent once the firm has stated the election and nothing in the account contradicts it.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="inherited_looks_like_own",
    authority="IRC 408(d)(3)(C); Reg. 1.408-8(c); IRC 408(d)(2)",
    topics=("account", "conversion", "pool_value"),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        d.person_id, d.account_key as subject, d.tax_year,
        coalesce(tax_or_income(d.swing, py.marginal_tax_rate), d.market_value) as amount,
        case when d.swing is null then 'value' else dollars_are(py.marginal_tax_rate) end as amount_is,
        case
            when d.swing is null and d.converted + d.paid_out > 0 then 'high'
            when d.swing is null then 'low'
            when run.as_of <= py.year_end
                then severity_of(tax_or_income(d.swing, py.marginal_tax_rate), py.year_end, run.as_of)
            else severity_at_most_high(tax_or_income(d.swing, py.marginal_tax_rate), null::date, run.as_of)
        end as severity,
        case when run.as_of <= py.year_end then py.year_end
            else filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) end as deadline,
        'Whether the inherited ' || shown_account(d.account_key) || ' counts as own is not settled' as title,
        upper(d.why[1]) || d.why[2:] || '. It holds ' || coalesce(usd(d.market_value), 'an unknown value')
            || case
                when d.swing is not null then ', and in the pool it makes ' || usd(d.swing) || ' more of the ' || usd(d.converted)
                    || ' conversion taxable than out of it.'
                when d.converted + d.paid_out > 0 then '; whether that is on line 6 decides how much of '
                    || usd(d.converted + d.paid_out) || ' converted or paid out is taxable.'
                else '; nothing was converted or paid out this year.' end
            || case when d.in_pool then ' It is counted in the pool now.' when d.in_pool is false then ' It is not counted in the pool now.'
                else '' end as explanation,
        'Ask whose it was, and whether the client, as surviving spouse, treats it as own. Operations states it in the accounts file '
            || '(whom it was inherited from, whether from the spouse, whether treated as own).' as action,
    from inheritance_doubts as d
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where d.registered_inherited and run.as_of <= py.extended_due_date
    """,
)
