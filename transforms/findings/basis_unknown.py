"""Pool IRAs with contributions, conversions or distributions and no stated basis: line 2 is not known.

The dollars are the most that can be taxable of what came out: with no basis from earlier years (tax at the stated rate). The explanation
gives the range, down to a basis of all that the book saw contributed before. Guard: once per person and year, only where money moved,
and not while a row about the person is set aside (that is told first).
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="basis_unknown",
    authority="Form 8606 line 2; IRC 408(d)(2)",
    topics=("conversion", "contribution", "distribution", "account"),
    folds_into=("pro_rata_unknown",),
    one_over_years=True,
    sql="""
    with earlier as (
        select e.person_id, y.tax_year, sum(e.amount) as contributed
        from tax_events as e
        inner join year_limits as y on e.contribution_year < y.tax_year
        inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = y.tax_year and p.in_pool
        where e.transaction_type = 'contribution' and e.account_type <> 'simple_ira'
        group by e.person_id, y.tax_year
    ),
    facts as (
        select
            f.person_id, f.tax_year, py.marginal_tax_rate, run.as_of,
            filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as filed_by,
            coalesce(w.converted, 0) as converted,
            coalesce(w.distributions + w.withholding, 0) as paid_out,
            coalesce(c.traditional_contributions, 0) as contributed,
            coalesce(l.nondeductible_contributions, 0) as nondeductible,
            coalesce(earlier.contributed, 0) as contributed_before,
            converted + paid_out as came_out,
            case
                when p.accounts_undecided > 0 or py.all_iras_reported is false then null
                when run.as_of > py.year_end and p.all_december_31 then p.december_31_total
                when run.as_of <= py.year_end and p.all_projected then p.projected_total
            end + came_out as total,
        from form_8606 as f
        inner join person_years as py using (person_id, tax_year)
        left join ira_flows as w using (person_id, tax_year)
        left join ira_contributions as c using (person_id, tax_year)
        left join ira_limits as l using (person_id, tax_year)
        left join pool_totals as p using (person_id, tax_year)
        left join earlier using (person_id, tax_year)
        cross join run
        where f.status = 'UNKNOWN'
            and len(list_filter(f.reasons, lambda r: starts_with(r, 'basis_not_'))) > 0
            and len(list_filter(f.reasons, lambda r: starts_with(r, 'row_set_aside'))) = 0
    ),
    ranged as (
        select
            *,
            coalesce(came_out - lesser(came_out, mul_div(came_out, lesser(nondeductible, total), total)), came_out) as most,
            came_out - lesser(came_out, mul_div(came_out, lesser(nondeductible + contributed_before, total), total)) as least,
        from facts
        where came_out > 0 or contributed > 0
    )
    select
        r.person_id, '' as subject, r.tax_year,
        case when r.came_out > 0 then tax_or_income(r.most, r.marginal_tax_rate) else r.contributed end as amount,
        case when r.came_out = 0 then 'contributed' else dollars_are(r.marginal_tax_rate) || ' at most' end as amount_is,
        case when r.came_out > 0 then severity_at_most_high(tax_or_income(r.most, r.marginal_tax_rate), r.filed_by, r.as_of)
            else 'medium' end as severity,
        r.filed_by as deadline,
        'The basis brought into ' || r.tax_year || ' is not known' as title,
        'The client''s IRAs had '
            || concat_ws(', ',
                case when r.converted > 0 then usd(r.converted) || ' converted' end,
                case when r.paid_out > 0 then usd(r.paid_out) || ' paid out' end,
                case when r.contributed > 0 then usd(r.contributed) || ' contributed' end)
            || ' for ' || r.tax_year || ', and no line 14 of ' || (r.tax_year - 1) || ' is known.'
            || case
                when r.came_out = 0 then ' The basis to carry on cannot be told.'
                when r.contributed_before > 0 and r.least < r.most then ' Between ' || usd(r.least) || ' and ' || usd(r.most)
                    || ' is taxable: the least if all ' || usd(r.contributed_before) || ' that the book saw contributed before '
                    || r.tax_year || ' is basis, the most if there is none.'
                else ' Up to ' || usd(r.most) || ' is taxable, if there is no basis from before ' || r.tax_year || '.' end as explanation,
        'Find the last Form 8606 filed (or the IRS transcript) and state its line 14; state 0 if none was ever filed.' as action,
    from ranged as r
    """,
)
