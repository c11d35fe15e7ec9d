"""A stated change of a tax id or of an account number that can't be followed: it goes in a circle, or one became two.

Such a change is left out, so accounts stay apart and ids stay different. Guard: the same change stated twice is one change.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="change_not_followed",
    authority="House rule: what isn't clear is never guessed",
    topics=(),
    of_the_book=True,
    sql="""
    with unclear as (
        select 'renumbered_accounts' as kind, source_file, source_line from renumberings where unclear
        union
        select 'tax_id_changes', source_file, source_line
        from tax_id_changes
        where old_tax_id <> new_tax_id
            and (old_tax_id not in (select tax_id from tax_id_groups) or new_tax_id not in (select tax_id from tax_id_groups))
    )
    select
        null::varchar as person_id, kind as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, null::varchar as amount_is,
        'medium' as severity, null::date as deadline,
        count(*) || ' rows of ' || kind || ' cannot be followed' as title,
        'These changes lead in a circle, or one old became two new, or two old became one new; they are left out: '
            || array_to_string(list_sort(list(source_file || ':' || source_line))[1:10], ', ')
            || case when count(*) > 10 then ', ...' else '' end || '.' as explanation,
        'State in a ' || kind || ' file, for each old one, the one that took its place.' as action,
    from unclear
    group by kind
    """,
)
