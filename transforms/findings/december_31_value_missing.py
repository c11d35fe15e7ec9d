"""The year has ended, money came out of the pool, and an account has no value dated December 31.

The dollars are its last known value. Guard: only where line 6 is needed.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="december_31_value_missing",
    authority="Form 8606 line 6",
    topics=("pool_value", "conversion", "distribution"),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        v.person_id, v.account_key as subject, v.tax_year,
        v.latest_value as amount, 'last known value' as amount_is,
        'high' as severity, filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        'No December 31, ' || v.tax_year || ' value for ' || shown_account(v.account_key) as title,
        'Form 8606 line 6 needs every pool account''s value on December 31; '
            || coalesce('the last one known is ' || usd(v.latest_value) || ' of ' || long_date(v.latest_as_of), 'none is known')
            || '.' as explanation,
        'Load the Form 5498 (box 5) or the year-end statement as a balance dated ' || v.tax_year || '-12-31.' as action,
    from account_values as v
    inner join form_8606 as f using (person_id, tax_year)
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where v.in_pool and v.december_31_value is null and f.status = 'UNKNOWN'
        and len(list_filter(f.reasons, lambda r: starts_with(r, 'december_31_value_missing'))) > 0
    """,
)
