"""A Roth conversion this year is partly taxable because of other pre-tax IRA money.

Fires on Form 8606 line 18 > 0 for a computed form. The deadline is December 31 while money left in the IRAs can still move (a plan or
the HSA isn't ruled out), then the filing date. Guard: an owner who converts far more than the basis and made no nondeductible
contribution converts pre-tax money on purpose; that is told as info, not as a problem.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="conversion_taxed_pro_rata",
    authority="IRC 408(d)(1)-(2); Form 8606 lines 6-18",
    topics=("conversion", "contribution", "basis", "pool_value", "distribution"),
    rests_on="form_8606",
    # only open beside these while it can't be judged, and for the reason they tell
    folds_into=("pro_rata_unknown", "december_31_value_missing"),
    one_with="pre-tax money and a conversion",
    sql="""
    with pool as (
        select
            person_id, tax_year,
            string_agg(shown_account(account_key) || ' ' || usd(market_value), ', ' order by market_value desc, account_key)
                as accounts,
        from ira_aggregation
        where in_pool and market_value > 0
        group by person_id, tax_year
    ),
    judged as (
        select
            f.*, py.marginal_tax_rate, py.year_end, py.extended_due_date, run.as_of,
            filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as filed_by,
            f.line_1 = 0 and f.line_8 > 2 * f.line_3 as is_meant,
            run.as_of <= py.year_end and f.line_6 > 0 and exists (
                select 1 from ways_out as w
                where w.person_id = f.person_id and w.tax_year = f.tax_year and w.way in ('reverse_rollover', 'qhfd')
                    and w.status <> 'INELIGIBLE') as can_be_mended,
        from form_8606 as f
        inner join person_years as py using (person_id, tax_year)
        cross join run
    )
    select
        f.person_id, '' as subject, f.tax_year,
        tax_or_income(f.line_18, f.marginal_tax_rate) as amount,
        dollars_are(f.marginal_tax_rate) as amount_is,
        case
            when f.is_meant then 'info'
            when f.can_be_mended then severity_of(tax_or_income(f.line_18, f.marginal_tax_rate), f.year_end, f.as_of)
            else severity_at_most_high(tax_or_income(f.line_18, f.marginal_tax_rate), f.filed_by, f.as_of)
        end as severity,
        case when f.can_be_mended and not f.is_meant then f.year_end else f.filed_by end as deadline,
        usd(f.line_18) || ' of a ' || usd(f.line_8) || ' Roth conversion is taxable' as title,
        'Of ' || usd(f.line_8) || ' converted, ' || usd(f.line_17) || ' is tax-free and ' || usd(f.line_18)
            || ' is taxable: after-tax basis is ' || usd(f.line_5) || ' of ' || usd(f.line_9)
            || ' (IRAs ' || case when f.basis_of_line_6 = 'projected' then 'now' else 'at year-end' end || ' '
            || usd(f.line_6) || ', paid out ' || usd(f.line_7) || ', converted ' || usd(f.line_8) || ').'
            || coalesce(' Pre-tax money counted: ' || pool.accounts || '.', '')
            || case when f.status = 'REVIEW' then ' To review: ' || in_words(f.reasons) || '.' else '' end
            as explanation,
        case
            when f.is_meant then 'Nothing to mend if this was meant; plan for the tax.'
            when f.can_be_mended then
                'Move pre-tax IRA money into an employer plan that takes roll-ins by ' || long_date(f.year_end)
                || ', or plan for the tax.'
            else 'Plan for the tax and file Form 8606 with the return.'
        end as action,
    from judged as f
    left join pool using (person_id, tax_year)
    where f.status in ('COMPUTED', 'REVIEW') and f.line_18 > 0 and f.as_of <= f.extended_due_date
    """,
)
