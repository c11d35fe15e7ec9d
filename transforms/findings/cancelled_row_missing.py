"""A row takes back another one (a reversed contribution, say) that the book doesn't have: it is not netted, the result is UNKNOWN.

The dollars are the row's. Guard: only rows with a tax meaning on an IRA of a client; silent once the row it takes back is there.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="cancelled_row_missing",
    authority="contract: a row is never silently changed",
    topics=(),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        a.person_id, c.event_id as subject, a.contribution_year as tax_year,
        c.amount, 'amount taken back' as amount_is,
        'high' as severity, null::date as deadline,
        'A ' || replace(c.transaction_type, '_', ' ') || ' of ' || usd(c.amount) || ' is taken back, but isn''t in the book' as title,
        'The row of ' || long_date(c.trade_date) || ' in ' || shown_account(a.account_key) || ' [' || c.source_file || ':'
            || c.source_line || '] cancels an earlier one of the same type, amount and tax year; none such stands, and '
            || 'Form 8606 and the IRA limits are UNKNOWN.' as explanation,
        'Load the custodian''s file that has the cancelled row, or state it in a transactions file.' as action,
    from cancellations as c
    inner join stated_events as a on a.event_id = c.event_id
    where c.taken_back is null and a.person_id is not null and is_ira_or_unknown(a.account_type)
        and (a.contribution_year in (select tax_year from year_limits) or a.event_year in (select tax_year from year_limits))
    """,
)
