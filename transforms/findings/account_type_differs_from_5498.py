"""Form 5498 has another kind of IRA ticked (or 1099-R the IRA box) than the account has in the book.

The dollars are the account's value. It is the best yearly test of the registration map. Guard: a SEP IRA may have the IRA box, a
Roth SEP or SIMPLE IRA either; an account whose type isn't known is another finding.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="account_type_differs_from_5498",
    authority="Form 5498 box 7; Form 1099-R box 7; IRC 408(d)(2)",
    topics=("account",),
    sql="""
    select
        r.person_id, r.account_key as subject, r.tax_year,
        max(v.market_value) as amount, 'value' as amount_is,
        'high' as severity, null::date as deadline,
        shown_account(r.account_key) || ' is another kind of account on the custodian''s tax form' as title,
        string_agg('Form ' || r.form || ' for ' || r.tax_year || ' says ' || r.form_says || ' (' || r.what || '), the book '
            || replace(r.book_says, '_', ' ') || ' [' || r.source_file || ':' || r.source_line || ']', '; ' order by r.form) || '.'
            as explanation,
        'Correct account_type in an accounts or corrections file, or ask the custodian for a corrected form.' as action,
    from reconciliation as r
    left join ira_aggregation as v
        on v.person_id = r.person_id and v.account_key = r.account_key and v.tax_year = r.tax_year
    where r.state = 'differs' and r.form_says is not null and r.person_id is not null
    group by r.person_id, r.account_key, r.tax_year
    """,
)
