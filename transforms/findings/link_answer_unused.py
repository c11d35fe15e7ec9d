"""An answer from _links.xlsx that changes nothing: it fits no record of the book, or it would make two humans one.

Guard: a rejected link whose records are gone is nobody's business; only approvals are told.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="link_answer_unused",
    authority="House rule: a link is made only as approved",
    topics=(),
    of_the_book=True,
    sql="""
    with halves as (
        select link_half('person', person_id) as half from person_records
        union
        select link_half('account', coalesce(custodian, '?') || ':' || account_number) from account_refs
    ),
    contested as (
        select d.suggestion_id
        from decided_links as d
        inner join person_merges as m on link_half('person', m.person_id) in (d.one, d.two)
        where d.kind = 'P' and m.contested
    )
    select
        null::varchar as person_id, d.suggestion_id as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, null::varchar as amount_is,
        'medium' as severity, null::date as deadline,
        'The approval of suggestion ' || d.suggestion_id || ' is not used' as title,
        case when d.suggestion_id in (select suggestion_id from contested)
            then 'It would make spouses, or persons of whom another answer says that they are two, into one; none of them is merged'
            else 'No account or person of the book has this id' end
            || ' [' || d.source_file || ':' || d.source_line || '].' as explanation,
        'Check the answer; to take an approval back, state reject for it with a later decided_on.' as action,
    from decided_links as d
    where d.decision = 'approve'
        and (d.one not in (select half from halves) or d.two is null or d.two not in (select half from halves)
             or d.suggestion_id in (select suggestion_id from contested))
    """,
)
