-- One row per person and tax year whose contributions cannot be known: a row was set aside, or an event on an IRA
-- cannot be read. A contribution for the year may be dated in the next one, so events of both years block it.
with
blocks as (
    select
        b.person_id,
        y.tax_year,
        'row_set_aside: line ' || b.line_number || ' of the ' || b.kind || ' file was set aside (' || b.rule
            || '); correct it and drop the file again' as reason,
    from blocking_rejects as b
    inner join year_limits as y
        on b.event_year is null or b.event_year = y.tax_year or (b.event_year = y.tax_year + 1 and b.kind = 'transactions')
    where b.blocks_ira_limits
    union all
    select
        u.person_id,
        y.tax_year,
        'unclassified_event: ' || usd(u.amount) || ' on ' || long_date(u.trade_date) || ' in ' || shown_account(u.account_key)
            || case when u.classification = 'unmapped' then ' has a code that is not in the profile'
                else ' has a code that can mean several things' end
            || '; state it in a transactions file with the same account, amount and date' as reason,
    from unclassified_events as u
    inner join year_limits as y
        on u.event_year = y.tax_year
        or (u.event_year = y.tax_year + 1 and u.trade_date <= y.contribution_due_date)
    where u.person_id is not null
)
select person_id, tax_year, count(*) as amount, min(reason) as said
from blocks
group by person_id, tax_year
