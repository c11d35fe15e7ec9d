"""A custodian's account type or transaction code that the profile does not know.

One row per code. The dollars are what it moved. Guard: one row per code, not one per line.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="unmapped_code",
    authority="custodian profile",
    topics=(),
    sql="""
    with codes as (
        select custodian, custodian_code as code, 'transaction code' as what, sum(amount) as amount, count(*) as lines,
            min(source_file || ':' || source_line) as first_seen_at
        from transactions
        where transaction_type = 'unclassified' and classification = 'unmapped'
        group by custodian, custodian_code
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
