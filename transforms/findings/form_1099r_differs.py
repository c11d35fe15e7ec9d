"""Form 1099-R of an IRA says otherwise than the book: gross with withholding, federal tax withheld, recharacterizations.

One row per account and year, the dollars are the largest difference. Guard: $1; withholding rows that may be a state's are not
held against box 4; plan accounts without transactions are not told; nor is a form before it is due.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="form_1099r_differs",
    authority="Form 1099-R boxes 1, 4 and 7; Form 8606 lines 7 and 8",
    topics=(),
    sql="""
    with problems as (
        select
            r.*,
            coalesce(abs(r.difference), r.form_amount, r.book_amount) as dollars,
            'box ' || r.box || ' (' || r.what || '): ' || case
                when r.state = 'form_missing' then 'the book has ' || usd(r.book_amount) || ' and no form has come'
                when r.state = 'book_missing' then 'the form says ' || usd(r.form_amount) || ' and the book has no '
                    || 'transactions of this account'
                else 'the form says ' || usd(r.form_amount) || ', the book ' || usd(r.book_amount)
            end as said,
        from reconciliation as r
        where r.form = '1099-R' and r.person_id is not null and r.account_key is not null and r.account_is_known
            and r.form_says is null
            and (r.state = 'differs' or (r.state = 'form_missing' and not r.form_is_here)
                or (r.state = 'book_missing' and r.form_amount > 0 and is_ira_or_unknown((
                    select account_type from known_accounts as k where k.account_key = r.account_key))))
    )
    select
        person_id, account_key as subject, tax_year,
        max(dollars) as amount, 'difference' as amount_is,
        case when max(dollars) > 1000 then 'high' when max(dollars) > 100 then 'medium' else 'low' end as severity,
        null::date as deadline,
        'Form 1099-R for ' || tax_year || ' and the book differ on ' || shown_account(account_key) as title,
        string_agg(said, '; ' order by box) || coalesce(' [' || min(source_file || ':' || source_line) || ']', '') || '. The numbers used are the book''s.'
            as explanation,
        case when bool_or(state = 'form_missing') then 'Ask the custodian for the Form 1099-R of ' || tax_year || '.'
            else 'Find which side is wrong: load the missing transactions or a corrections file, or ask the custodian for a corrected '
                || 'form.' end as action,
    from problems
    group by person_id, account_key, tax_year
    """,
)
