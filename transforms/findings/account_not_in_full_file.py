"""A custodian's newest full file doesn't list an account that earlier files had.

It may have been closed, moved, or lost in the file; nothing is closed for it. Guard: files that don't say they are full, and
files of changes only (delta), say nothing about accounts they leave out; accounts with a closing day are not missed.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="account_not_in_full_file",
    authority="the full/delta flag of the custodian's file",
    topics=(),
    sql="""
    select distinct
        a.person_id, c.account_key as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity, null::date as deadline,
        'Account ' || shown_account(c.account_key) || ' is no longer in the custodian''s full file' as title,
        'A full file received ' || c.received_at || ' does not list it; the book keeps what was last known of it.' as explanation,
        'Ask the custodian. If it is closed, operations states the day in an accounts file; else have the file sent again.' as action,
    from controls as c
    left join known_accounts as a on a.account_key = c.account_key
    where c.control = 'not_in_full_file'
    """,
)
