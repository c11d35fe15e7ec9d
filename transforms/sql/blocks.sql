-- One row per person and tax year with a result that cannot be known because a row was set aside, or because an event on
-- an IRA cannot be read. What is dated in the next year may still be a contribution for this one, so it blocks this year too.
with
every as (
    select
        b.person_id,
        y.tax_year,
        'row_set_aside: line ' || b.line_number || ' of the ' || b.kind || ' file was set aside (' || b.rule
            || '); correct it and drop the file again' as reason,
        b.blocks_form_8606,
        b.blocks_ira_limits,
        b.blocks_mega,
    from blocking_rejects as b
    inner join year_limits as y
        on b.event_year is null or b.event_year = y.tax_year or (b.event_year = y.tax_year + 1 and b.kind = 'transactions')
    union all
    select
        u.person_id,
        y.tax_year,
        'unclassified_event: ' || usd(u.amount) || ' on ' || long_date(u.trade_date) || ' in ' || shown_account(u.account_key)
            || case when u.classification = 'unmapped' then ' has a code that is not in the profile'
                else ' has a code that can mean several things' end
            || '; state it in a transactions file with the same account, amount and date' as reason,
        true as blocks_form_8606,
        true as blocks_ira_limits,
        false as blocks_mega,
    from unclassified_events as u
    inner join year_limits as y
        on u.event_year = y.tax_year
        or (u.event_year = y.tax_year + 1 and u.trade_date <= y.contribution_due_date)
    where u.person_id is not null
    union all
    select
        d.person_id,
        y.tax_year,
        d.reason,
        true as blocks_form_8606,
        true as blocks_ira_limits,
        starts_with(d.reason, 'merged_rows_differ') as blocks_mega,
    from identity_doubts as d
    cross join year_limits as y
    where d.makes = 'UNKNOWN'
)
select
    person_id,
    tax_year,
    min(reason) filter (blocks_form_8606) as form_8606,
    min(reason) filter (blocks_ira_limits) as ira_limits,
    min(reason) filter (blocks_mega) as mega,
from every
group by person_id, tax_year
