"""A delivery the firm expects is missing past its grace, or came with the old content.

Guard: a late one within its grace is no finding, nor is a good file without rows; what nobody stated as expected isn't missed.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="stale_or_missing_feed",
    authority="expected_files: what the firm says should arrive, and by when",
    topics=(),
    sql="""
    select
        null::varchar as person_id, a.source || '|' || a.kind as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity, null::date as deadline,
        case a.state when 'stale' then 'Old content from ' else 'Nothing from ' end || a.source as title,
        'Due ' || a.expected_on || coalesce(', last received ' || a.last_received_at, '') || coalesce(', content as of ' || a.last_as_of, '')
            || ': what rests on it (' || a.kind || ') may be out of date.' as explanation,
        upper(a.message[1]) || a.message[2:] || '.' as action,
    from arrivals as a
    where a.state in ('missing', 'stale')
    """,
)
