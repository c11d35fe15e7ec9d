"""The newest files of a profile and name have under half or over twice the rows of the nights before.

Guard: at least three nights to compare with, and only the newest night is told: a band is never guessed from a single file.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="unusual_row_count",
    authority="row counts of the deliveries before (half to twice the median of up to five nights)",
    topics=(),
    of_the_book=True,
    sql="""
    select
        null::varchar as person_id, c.source_sha256 as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'low' as severity, null::date as deadline,
        'Unusual number of rows: ' || c.found || ' where ' || rtrim(rtrim(c.expected, '0'), '.') || ' are usual' as title,
        'The file received ' || c.received_at || ' has far more or fewer rows than those before it; it was read all the same. Sheet Files'
            || ' names it.' as explanation,
        'Ask the sender whether the file is whole; drop the corrected one.' as action,
    from controls as c
    where c.control = 'row_count' and c.newest
    """,
)
