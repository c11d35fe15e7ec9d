"""A custodian's account type or transaction code that the profile does not know.

One row per code. The dollars are what it moved, or the value of the accounts of an unknown type. Guards: one row per code, not one per line; rows of an IRA whose events the
firm has stated are silent, since nobody is UNKNOWN by them.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="unmapped_code",
    authority="custodian profile",
    topics=(),
    of_the_book=True,
    sql="""
    with codes as (
        select t.custodian, t.custodian_code as code, 'transaction code' as what, sum(t.amount) as amount,
            'amount moved' as amount_is, count(*) as lines, count(distinct u.person_id) as clients,
            min(t.source_file || ':' || t.source_line) as first_seen_at
        from kept_transactions as t
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
        select a.custodian, a.unmapped_type_code as code, 'account type' as what, sum(v.market_value) as amount,
            'value' as amount_is, count(*) as lines, count(distinct a.person_id) as clients,
            min(a.source_file || ':' || a.source_line) as first_seen_at
        from known_accounts as a
        left join last_values as v on v.account_key = a.account_key
        where a.unmapped_type_code is not null and a.account_type = 'other'
        group by a.custodian, a.unmapped_type_code
    )
    select
        null::varchar as person_id, what || ':' || custodian || ':' || coalesce(code, '') as subject, null::integer as tax_year,
        amount, case when amount is null then 'not known' else amount_is end as amount_is,
        'medium' as severity, null::date as deadline,
        'Unknown ' || what || ' at ' || custodian as title,
        'The ' || what || ' first seen at ' || first_seen_at || ' (' || lines || ' line' || case when lines = 1 then '' else 's' end
            || ') is not in the profile' || case when clients = 0 then '.' else '; it is on accounts of ' || clients
                || case when clients = 1 then ' client, whose results' else ' clients, whose results' end
                || ' that need it are UNKNOWN until it is.' end as explanation,
        'Add it to the custodian''s profile in schemas/profiles, or state the events in a transactions file.' as action,
    from codes
    """,
)
