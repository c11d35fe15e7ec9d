"""A line about a client was set aside, and a result of that client is UNKNOWN because of it.

Guard: one row per line, and one for a row that came in several deliveries, with all of its places; it goes when a corrected file is
dropped.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="row_set_aside",
    authority="House rule: a bad row is set aside and told, never guessed",
    topics=(),
    sql="""
    with places as (
        -- known by where it stood first, so that it stays the same finding when it is delivered again
        select
            person_id, kind, same_row,
            arg_min(file || ':' || line_number, (received_at, file, line_number)) as subject,
            arg_min(line_number, (received_at, file, line_number)) as line_number,
            list_sort(list(distinct file || ':' || line_number)) as places,
            array_to_string(list_sort(list(distinct plain)), ', and ') as wrong,
            bool_or(blocks_form_8606) as blocks_form_8606,
            bool_or(blocks_ira_limits) as blocks_ira_limits,
            bool_or(blocks_mega) as blocks_mega,
        from blocking_rejects
        where (blocks_form_8606 or blocks_ira_limits or blocks_mega) and not starts_with(rule, 'correction_')
        group by person_id, kind, same_row
    )
    select
        p.person_id, p.subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity, null::date as deadline,
        case when len(p.places) = 1 then 'Line ' || p.line_number || ' of the ' || replace(p.kind, '_', ' ') || ' file was set aside'
            else 'A row of the ' || replace(p.kind, '_', ' ') || ' files was set aside in ' || len(p.places) || ' places' end as title,
        upper(p.wrong[1]) || p.wrong[2:] || ' [' || array_to_string(p.places, '; ') || ']. Until that is put right, '
            || concat_ws(', ', case when p.blocks_form_8606 then 'Form 8606' end, case when p.blocks_ira_limits then 'IRA limits' end,
                case when p.blocks_mega then 'mega backdoor room' end) || ' cannot be computed for this client.' as explanation,
        'Operations: fix the row in _set_aside.xlsx, or correct the file, and drop it into the inbox.' as action,
    from places as p
    """,
)
