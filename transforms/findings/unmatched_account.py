"""An IRA, a plan account or an account of unknown type that belongs to no person of the book.

The dollars are its last value. Someone's pro-rata result may be missing it. Guard: plain taxable accounts don't matter here; an
account whose owner is contested (`account_owner_contested`) or likely known (`possible_same_person`) is told there, not twice.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="unmatched_account",
    authority="IRC 408(d)(2): all IRAs of a person are one",
    topics=(),
    sql="""
    with reps as (
        select advisor_id, unnest(string_split(rep_codes, ';')) as rep_code
        from advisors
    )
    select
        null::varchar as person_id, a.account_key as subject, null::integer as tax_year,
        v.market_value as amount, 'value' as amount_is,
        case when is_traditional_kind(a.account_type) or a.account_type is null then 'high' else 'medium' end as severity,
        null::date as deadline,
        'Account ' || shown_account(a.account_key) || ' belongs to no client' as title,
        coalesce('A ' || account_words(a.account_type), 'An account of unstated type') || ' at ' || coalesce(a.custodian, 'an unnamed custodian')
            || case when a.stated_person_id is not null then ' names person ' || a.stated_person_id || ', who is not in the persons file'
                else ' names no client' end
            || coalesce(' [' || a.source_file || ':' || a.source_line || ']', '')
            || '; somebody''s Form 8606 may be missing it.' as explanation,
        'Find out whose it is. Operations states its client in an accounts file (custodian and account number as the custodian writes them).' as action,
        (select min(r.advisor_id) from reps as r where trim(r.rep_code) = a.rep_code) as advisor_id,
    from known_accounts as a
    left join last_values as v on v.account_key = a.account_key
    where a.person_id is null
        and a.account_key not in (select account_key from owner_conflicts)
        and a.account_key not in (
            select account_key from link_suggestions where needs_review and account_key is not null)
        and (a.account_type is null or a.account_type not in ('taxable', 'trust', '529', 'annuity_nonqualified'))
    """,
)
