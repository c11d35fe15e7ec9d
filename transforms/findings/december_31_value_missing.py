"""The year has ended, money came out of the pool, and an account has no value dated December 31.

One row per person and year with every such account; the dollars are their last known values. Guard: only where line 6 is needed; low
where all of them were empty when last seen.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="december_31_value_missing",
    authority="Form 8606 line 6",
    topics=("pool_value", "conversion", "distribution"),
    folds_into=("pro_rata_unknown",),
    sql="""
    with lacking as (
        select
            v.person_id, v.tax_year,
            sum(v.latest_value) as last_value,
            bool_and(v.latest_value = 0) as all_empty,
            string_agg(shown_account(v.account_key), ', ' order by v.account_key) as accounts,
            string_agg(shown_account(v.account_key) || ': ' || coalesce(usd(v.latest_value) || ' of ' || long_date(v.latest_as_of),
                'none is known'), ', ' order by v.account_key) as last_known,
        from account_values as v
        inner join form_8606 as f using (person_id, tax_year)
        where v.in_pool and v.december_31_value is null and f.status = 'UNKNOWN'
            and len(list_filter(f.reasons, lambda r: starts_with(r, 'december_31_value_missing'))) > 0
        group by v.person_id, v.tax_year
    )
    select
        v.person_id, '' as subject, v.tax_year,
        v.last_value as amount, 'last known value' as amount_is,
        case when v.all_empty then 'low' else 'high' end as severity,
        filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        'No December 31, ' || v.tax_year || ' value for ' || v.accounts as title,
        'Form 8606 line 6 needs every pool account''s value on December 31; last known: ' || v.last_known || '.' as explanation,
        'Load the Form 5498 (box 5) or the year-end statement as a balance dated ' || v.tax_year || '-12-31.' as action,
    from lacking as v
    inner join person_years as py using (person_id, tax_year)
    cross join run
    """,
)
