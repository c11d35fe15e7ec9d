"""A custodian's account type or transaction code that the profile does not know.

One row per code. The dollars are what it moved. Guards: one row per code, not one per line; rows of an IRA whose events the
firm has stated are silent, since nobody is UNKNOWN by them.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="unmapped_code",
    authority="custodian profile",
    topics=(),
    sql="""
    with codes as (
        select t.custodian, t.custodian_code as code, 'transaction code' as what, sum(t.amount) as amount, count(*) as lines,
            min(t.source_file || ':' || t.source_line) as first_seen_at
        from transactions as t
        left join account_refs as refs
            on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
        left join known_accounts as a
            on a.account_key = coalesce(refs.account_key, coalesce(t.custodian, '?') || ':' || t.account_number)
        left join unclassified_events as u on u.source_sha256 = t.source_sha256 and u.source_line = t.source_line
        where t.transaction_type = 'unclassified' and t.classification = 'unmapped'
            and (u.source_line is not null or not is_ira_or_unknown(a.account_type)
                or coalesce(t.amount, 0) = 0 or t.trade_date > (select as_of from run))
        group by t.custodian, t.custodian_code
        union all
        select custodian, unmapped_type_code as code, 'account type' as what, null as amount, count(*) as lines,
            min(source_file || ':' || source_line) as first_seen_at
        from known_accounts
        where unmapped_type_code is not null and account_type = 'other'
        group by custodian, unmapped_type_code
    )
    select
        null::varchar as person_id, what || ':' || custodian || ':' || coalesce(code, '') as subject, null::integer as tax_year,
        amount, 'amount moved' as amount_is,
        'medium' as severity, null::date as deadline,
        'Unknown ' || what || ' at ' || custodian as title,
        'The ' || what || ' first seen at ' || first_seen_at || ' (' || lines || ' line' || case when lines = 1 then '' else 's' end
            || ') is not in the profile; the clients it concerns are UNKNOWN until it is.' as explanation,
        'Add it to the custodian''s profile in schemas/profiles, or state the events in a transactions file.' as action,
    from codes
    """,
)
