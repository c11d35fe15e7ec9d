"""Rows of the firm's own files about a person, or links of an account, that the book doesn't have: nothing uses them.

One row per file and kind, not one per line. A slip in a person_id makes the right person's result UNKNOWN without a word, or leaves
the wrong basis in force. Guard: only the newest delivery of each kind is told, since a row once received stays in the book; a
person_id that an approved link made part of another is known, and one whose persons row was set aside is told there; a link that
is no longer valid, and a row of a tax year not computed tonight, ask nobody anything; an account any custodian's file names is there.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="row_names_nobody",
    authority="contract: persons and accounts are known by what the persons and accounts files say",
    topics=(),
    of_the_book=True,
    sql="""
    with known as (
        select person_id from persons
        union
        select person_id from person_records
        union
        select person_id from intake_rejects where kind = 'persons' and person_id is not null
    ),
    named as (
        select 'tax_profiles' as kind, 'person_id' as id, source_file, source_line
        from tax_profiles
        where person_id not in (select person_id from known) and tax_year in (select tax_year from year_limits)
            and received_at = (select max(received_at) from tax_profiles)
        union all
        select 'ira_basis', 'person_id', source_file, source_line
        from ira_basis
        where person_id not in (select person_id from known) and received_at = (select max(received_at) from ira_basis)
        union all
        select 'excess_carryovers', 'person_id', source_file, source_line
        from excess_carryovers
        where person_id not in (select person_id from known) and received_at = (select max(received_at) from excess_carryovers)
        union all
        select 'plan_contributions', 'person_id', source_file, source_line
        from plan_contributions
        where person_id not in (select person_id from known) and tax_year in (select tax_year from year_limits)
            and received_at = (select max(received_at) from plan_contributions)
        union all
        select 'account_links', 'account', l.source_file, l.source_line
        from account_links as l
        cross join run
        left join account_refs as refs
            on refs.custodian is not distinct from l.custodian and refs.account_number = l.account_number
        where coalesce(refs.account_key, l.custodian || ':' || l.account_number) not in (select account_key from known_accounts)
            and coalesce(l.valid_to >= run.as_of, true) and l.received_at = (select max(received_at) from account_links)
    )
    select
        null::varchar as person_id, kind || ':' || source_file as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity, null::date as deadline,
        count(*) || case when count(*) = 1 then ' row' else ' rows' end || ' of ' || replace(kind, '_', ' ') || case when count(*) = 1
            then ' is about ' else ' are about ' end || case id when 'account' then 'accounts' else 'persons' end
            || ' the book does not have' as title,
        'In ' || source_file || ', ' || case when count(*) = 1 then 'line ' else 'lines ' end
            || array_to_string(list_sort(list(source_line))[1:10], ', ') || case when count(*) > 10 then ', ...' else '' end
            || case id when 'account' then ': no file has the account, so the link gives nothing to anybody.'
                else ': no persons file has the person_id, so nothing uses what they state.' end as explanation,
        case id when 'account' then 'Correct custodian and account_number as the custodian writes them, or load the account, and drop the file again.'
            else 'Correct the person_id in the file, or add the person to a persons file, and drop the file again.' end as action,
    from named
    group by kind, id, source_file
    """,
)
