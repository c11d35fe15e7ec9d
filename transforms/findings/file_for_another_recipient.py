"""A file names another recipient than every file of its profile before: perhaps another firm's clients are in the book.

Guard: the first file of a profile has nothing to differ from, and files that name no recipient are not judged.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="file_for_another_recipient",
    authority="the recipient the custodian's file names",
    topics=(),
    of_the_book=True,
    sql="""
    select
        null::varchar as person_id, c.source_sha256 as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'high' as severity, null::date as deadline,
        'A file was made for another recipient than those before' as title,
        'The file received ' || c.received_at || ' names a recipient no earlier file of its kind names; it was read all the same, and its'
            || ' accounts are in the book. Sheet Files names it.' as explanation,
        'See whether it is this firm''s; if not, have the sender stop it and tell whoever answers for client data.' as action,
    from controls as c
    where c.control = 'other_recipient' and c.newest
    """,
)
