"""Two persons of the book have the same tax id, or one has an id that tax_id_changes says was the other's.

One row for each such group, with the first of them; Form 8606 of every one says it too. Accounts known by that tax id alone are
counted for neither. Guard: not once operations approved that the two are one person.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="shared_tax_id",
    authority="IRC 6109: a tax id is one taxpayer's",
    topics=(),
    folds_into=("account_owner_contested",),
    sql="""
    select
        s.person_id, s.others as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, null::varchar as amount_is,
        'medium' as severity, null::date as deadline,
        'The tax id of this client is also stated for ' || s.others as title,
        'Accounts and payroll that are known by tax id alone cannot be told apart, so Form 8606 of each of them is REVIEW.' as explanation,
        'Correct the tax id in the persons file; if they are one person, approve the link in _links.xlsx.' as action,
    from shared_tax_ids as s
    where s.person_id < split_part(s.others, ', ', 1)
    """,
)
