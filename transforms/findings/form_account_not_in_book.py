"""A Form 5498 or 1099-R is for an account that no file describes: an IRA may be missing from the book.

The dollars are box 5, or the largest box. Guard: one row per account and year; where its number fits several accounts (a mask, or a
form without a custodian) it is told too, since nobody knows which one it is.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="form_account_not_in_book",
    authority="IRC 408(d)(2): all IRAs of a person are one",
    topics=(),
    sql="""
    select
        r.person_id, r.account_key as subject, r.tax_year,
        coalesce(max(r.form_amount) filter (r.box = '5'), max(r.form_amount)) as amount,
        case when bool_or(r.box = '5') then 'value' else 'amount on the form' end as amount_is,
        case when bool_or(r.form = '5498' and r.form_says is distinct from 'roth') then 'high' else 'medium' end as severity,
        null::date as deadline,
        'A tax form for ' || r.tax_year || ' is for an account that is not in the book' as title,
        'Form ' || string_agg(distinct r.form, ' and ' order by r.form) || ' for the account ending '
            || right(r.account_key, 4) || ' [' || min(r.source_file || ':' || r.source_line)
            || '] fits no account of the book, or several'
            || case when r.person_id is not null then '; its tax id is this client''s, whose Form 8606 may lack it' else '' end
            || '.' as explanation,
        'State the account (custodian, number, type, person_id) in an accounts file, and load its balances.' as action,
    from reconciliation as r
    where not r.account_is_known and r.account_key is not null
    group by r.person_id, r.account_key, r.tax_year
    """,
)
