"""A correction the firm declared was not applied: its source says something else now, or its row can't be told.

No dollars. Guard: one row per line of a corrections file; it goes when the line is removed or corrected.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="correction_not_applied",
    authority="contract: a correction holds only while its source says what it corrects",
    topics=(),
    sql="""
    with told as (
        select r.*, coalesce(r.raw_line_sha256, r.file || ':' || r.line_number) as same_line, f.received_at,
        from intake_rejects as r
        left join (
            select sha256, min(received_at) as received_at from intake_files where state <> 'duplicate' group by sha256
        ) as f on f.sha256 = r.source_sha256
        where starts_with(r.rule, 'correction_')
    ),
    -- known by where it stood first: a corrections file grows, and each delivery repeats the lines before
    corrections as (
        select
            same_line, rule, kind, custodian, account_number, person_id, bool_or(blocks) as blocks,
            arg_min(file || ':' || line_number, (received_at, file, line_number)) as subject,
            arg_min(line_number, (received_at, file, line_number)) as line_number,
            arg_min(file, (received_at, file, line_number)) as file,
            arg_min(message, (received_at, file, line_number)) as message,
            list_sort(list(distinct file || ':' || line_number)) as places,
        from told
        group by same_line, rule, kind, custodian, account_number, person_id
    )
    select
        coalesce(direct.person_id, a.person_id) as person_id, r.subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        case when r.blocks then 'high' else 'medium' end as severity, null::date as deadline,
        'The correction at line ' || r.line_number || ' of ' || r.file || ' was not applied' as title,
        'It corrects a row of ' || r.kind || ': ' || r.message || '.'
            || case when len(r.places) > 1 then ' It stands at ' || array_to_string(r.places, '; ') || '.' else '' end as explanation,
        case when r.rule = 'correction_obsolete' then 'Remove the line from the corrections file and drop the file again.'
            else 'Correct or remove the line and drop the corrections file again.' end as action,
    from corrections as r
    left join persons as direct on direct.person_id = r.person_id
    left join account_refs as refs
        on refs.custodian is not distinct from r.custodian and refs.account_number = r.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    """,
)
