"""Form 5498 of an account says otherwise than the book: contributions, rollovers, conversions, recharacterizations, value.

One row per account and year, the dollars are the largest difference. Guard: within the tolerance of each box (cents for
contributions, $1, for box 5 0.5% or $25); a form that isn't due yet, or that its custodian sent nobody, isn't told; a value the
book lacks is taken from box 5 without a word.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="form_5498_differs",
    authority="Form 5498 boxes 1-5, 8-10; Form 8606 lines 1, 6 and 8",
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
        where r.form = '5498' and r.person_id is not null and r.account_key is not null and r.account_is_known
            and r.form_says is null
            and (r.state = 'differs' or (r.state = 'form_missing' and not r.form_is_here)
                or (r.state = 'book_missing' and r.box <> '5' and r.form_amount > 0))
    )
    select
        person_id, account_key as subject, tax_year,
        max(dollars) as amount, 'difference' as amount_is,
        case when max(dollars) > 1000 then 'high' when max(dollars) > 100 then 'medium' else 'low' end as severity,
        null::date as deadline,
        'Form 5498 for ' || tax_year || ' and the book differ on ' || shown_account(account_key) as title,
        string_agg(said, '; ' order by box) || coalesce(' [' || min(source_file || ':' || source_line) || ']', '') || '. The numbers used are the book''s, but the December 31 value is box 5.'
            as explanation,
        case when bool_or(state = 'form_missing') then 'Ask the custodian for the Form 5498 of ' || tax_year || '.'
            else 'Find which side is wrong: load the missing transactions or a corrections file, or ask the custodian for a corrected '
                || 'form.' end as action,
    from problems
    group by person_id, account_key, tax_year
    """,
)
