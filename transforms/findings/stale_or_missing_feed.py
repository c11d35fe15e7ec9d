"""A delivery the firm expects is missing past its grace, or came with the old content.

The dollars are the values this delivery brought last, which nothing has refreshed since; none where nobody can say which they are.
Guard: a late one within its grace is no finding, nor is a good file without rows; what nobody stated as expected isn't missed.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="stale_or_missing_feed",
    authority="expected_files: what the firm says should arrive, and by when",
    topics=(),
    of_the_book=True,
    sql="""
    with not_refreshed as (
        -- kind is a layout's name, or balances of any layout: then only the custodian says which
        select a.source, a.kind, sum(v.market_value) as market_value
        from arrivals as a
        inner join last_values as v
            on (v.profile = a.kind and coalesce(split_part(v.account_key, ':', 1) = a.custodian, true))
            or (a.kind = 'balances' and split_part(v.account_key, ':', 1) = a.custodian)
        where a.state in ('missing', 'stale')
        group by a.source, a.kind
    )
    select
        null::varchar as person_id, a.source || '|' || a.kind as subject, null::integer as tax_year,
        n.market_value as amount, case when n.market_value is null then 'not known' else 'value not refreshed' end as amount_is,
        'medium' as severity, null::date as deadline,
        case a.state when 'stale' then 'Old content from ' else 'Nothing from ' end || a.source as title,
        'Due ' || a.expected_on || coalesce(', last received ' || a.last_received_at, '') || coalesce(', content as of ' || a.last_as_of, '')
            || ': what rests on it (' || a.kind || ') may be out of date.' as explanation,
        upper(a.message[1]) || a.message[2:] || '.' as action,
    from arrivals as a
    left join not_refreshed as n using (source, kind)
    where a.state in ('missing', 'stale')
    """,
)
