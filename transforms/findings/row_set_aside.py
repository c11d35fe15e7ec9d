"""A line about a client was set aside, and a result of that client is UNKNOWN because of it.

Guard: one row per line; it goes when a corrected file is dropped.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="row_set_aside",
    authority="House rule: a bad row is set aside and told, never guessed",
    topics=(),
    sql="""
    select distinct
        b.person_id, b.file || ':' || b.line_number as subject, null::integer as tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity, null::date as deadline,
        'Line ' || b.line_number || ' of the ' || replace(b.kind, '_', ' ') || ' file was set aside' as title,
        upper(reject_words(b.rule)[1]) || reject_words(b.rule)[2:] || '; '
            || concat_ws(', ', case when b.blocks_form_8606 then 'Form 8606' end, case when b.blocks_ira_limits then 'IRA limits' end,
                case when b.blocks_mega then 'mega backdoor room' end) || ' cannot be computed for this client.' as explanation,
        'Operations: fix the row in _set_aside.xlsx, or correct the file, and drop it into the inbox.' as action,
    from blocking_rejects as b
    where (b.blocks_form_8606 or b.blocks_ira_limits or b.blocks_mega) and not starts_with(b.rule, 'correction_')
    """,
)
