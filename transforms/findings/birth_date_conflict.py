"""Two different birth dates are stated for one tax id: the person's own, and that of an account or of another record of theirs.

Catch-up limits and required distributions follow the birth date; the persons file's is used. Guard: not for inherited or entity
accounts, whose papers may name somebody else, and not where a date is missing.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="birth_date_conflict",
    authority="IRC 219(b)(5)(B), 401(a)(9)",
    topics=("account",),
    sql="""
    with stated as (
        select p.person_id, a.owner_birth_date as other_date, 'account ' || shown_account(a.account_key) as stated_for
        from known_accounts as a
        inner join account_tax_ids as t on t.account_key = a.account_key
        inner join person_tax_ids as p on p.tax_key = t.tax_key and p.persons_with_it = 1
        where a.tax_id_cannot_decide is not true
        union
        select m.survivor_id, r.birth_date, 'person ' || m.person_id
        from merged_persons as m
        inner join person_records as r on r.person_id = m.person_id
    )
    select
        p.person_id, '' as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, null::varchar as amount_is,
        'medium' as severity, null::date as deadline,
        'Two birth dates are stated for this client' as title,
        'The persons file states one, ' || string_agg(s.stated_for, ', ' order by s.stated_for)
            || ' another; limits that depend on age rest on the persons file.' as explanation,
        'Ask the client for the birth date; operations corrects it in the persons file or for the account.' as action,
    from stated as s
    inner join persons as p on p.person_id = s.person_id
    where s.other_date <> p.birth_date
    group by p.person_id, p.birth_date
    """,
)
