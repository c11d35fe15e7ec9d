"""A correction the firm declared was not applied: its source says something else now, or its row can't be told.

No dollars. Guard: one row per line of a corrections file; it goes when the line is removed or corrected.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="correction_not_applied",
    authority="contract: a correction holds only while its source says what it corrects",
    topics=(),
    sql="""
    select
        coalesce(direct.person_id, a.person_id) as person_id, r.file || ':' || r.line_number as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        case when r.blocks then 'high' else 'medium' end as severity, null::date as deadline,
        'The correction at line ' || r.line_number || ' of ' || r.file || ' was not applied' as title,
        'It corrects a row of ' || r.kind || ': ' || r.message || '.' as explanation,
        case when r.rule = 'correction_obsolete' then 'Remove the line from the corrections file and drop the file again.'
            else 'Correct or remove the line and drop the corrections file again.' end as action,
    from intake_rejects as r
    left join persons as direct on direct.person_id = r.person_id
    left join account_refs as refs
        on refs.custodian is not distinct from r.custodian and refs.account_number = r.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    where starts_with(r.rule, 'correction_')
    """,
)
