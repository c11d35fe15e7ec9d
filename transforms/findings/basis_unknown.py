"""Pool IRAs with contributions, conversions or distributions and no stated basis: line 2 is not known.

The dollars are the most that could be at stake: what was converted and paid out, all taxable with no basis. Guard: once
per person and year, only where money moved, and not while a row about the person is set aside (that is told first).
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="basis_unknown",
    authority="Form 8606 line 2; IRC 408(d)(2)",
    topics=("conversion", "contribution", "distribution", "account"),
    sql="""
    select
        f.person_id, '' as subject, f.tax_year,
        case when coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) > 0
            then w.converted + w.distributions + w.withholding end as amount,
        'most that could be taxable' as amount_is,
        case when coalesce(w.converted, 0) + coalesce(w.distributions, 0) > 0 then 'high' else 'medium' end as severity,
        py.contribution_due_date as deadline,
        'IRA basis is not known for ' || (f.tax_year - 1) as title,
        'The client''s IRAs had '
            || concat_ws(', ',
                case when w.converted > 0 then usd(w.converted) || ' converted' end,
                case when w.distributions + w.withholding > 0 then usd(w.distributions + w.withholding) || ' paid out' end,
                case when coalesce(c.traditional_contributions, 0) > 0 then usd(c.traditional_contributions) || ' contributed' end)
            || ' for ' || f.tax_year || ', and no line 14 of an earlier Form 8606 is stated. The taxable part cannot be told.'
            as explanation,
        'Find the last Form 8606 filed (or the IRS transcript) and state its line 14; state 0 if none was ever filed.' as action,
    from form_8606 as f
    inner join person_years as py using (person_id, tax_year)
    left join ira_flows as w using (person_id, tax_year)
    left join ira_contributions as c using (person_id, tax_year)
    where f.status = 'UNKNOWN'
        and len(list_filter(f.reasons, lambda r: starts_with(r, 'basis_not_'))) > 0
        and len(list_filter(f.reasons, lambda r: starts_with(r, 'row_set_aside'))) = 0
        and (coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) > 0
             or coalesce(c.traditional_contributions, 0) > 0)
    """,
)
