-- One row per person and tax year with a result that cannot be known because a row was set aside, or because an event on
-- an IRA cannot be read. What is dated in the next year may still be a contribution for this one, so it blocks this year too.
with
every as (
    select
        b.person_id,
        y.tax_year,
        case when starts_with(b.rule, 'correction_')
            then 'correction_not_applied: line ' || b.line_number || ' of ' || b.file || ' corrects a ' || b.kind || ' row and was not '
                || 'applied (' || b.rule || '); the firm workbook says why'
        else 'row_set_aside: line ' || b.line_number || ' of the ' || replace(b.kind, '_', ' ') || ' file was set aside ('
            || b.plain || ')' end as reason,
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
            || case when u.classification = 'unmapped' then ' has a custodian code that isn''t known'
                else ' has a code that can mean several things' end
            || '; state what it was (same account, amount and date)' as reason,
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
        p.person_id,
        y.tax_year,
        'transfer_into_roth: ' || usd(p.out_amount) || ' left ' || shown_account(p.out_account_key) || ' on '
            || long_date(p.left_on) || ' as a ' || replace(p.out_type, '_out', '') || ' and reached the Roth IRA '
            || shown_account(p.in_account_key) || '; that is a conversion, and the rows don''t '
            || 'call it one' as reason,
        true as blocks_form_8606,
        false as blocks_ira_limits,
        false as blocks_mega,
    from event_pairs as p
    inner join year_limits as y on y.tax_year = year(p.left_on)
    where p.kind = 'conversion_in_fact'
    union all
    select
        r.person_id,
        y.tax_year,
        'sixty_day_rollover_twice: ' || usd(r.counted_amount) || ' left ' || shown_account(r.out_account_key) || ' on '
            || long_date(r.left_on) || ', within 365 days of the rollover of ' || long_date(r.earlier_left_on)
            || '; only one is allowed: state it as what it was (a distribution, or a trustee transfer)' as reason,
        true as blocks_form_8606,
        false as blocks_ira_limits,
        false as blocks_mega,
    from second_rollovers as r
    inner join year_limits as y on y.tax_year = year(r.left_on)
    union all
    select
        a.person_id,
        y.tax_year,
        'cancelled_row_missing: the row of ' || usd(c.amount) || ' on ' || long_date(c.trade_date) || ' in '
            || shown_account(a.account_key) || ' takes back a row that the book doesn''t have' as reason,
        true as blocks_form_8606,
        true as blocks_ira_limits,
        false as blocks_mega,
    from cancellations as c
    inner join stated_events as a on a.event_id = c.event_id
    inner join year_limits as y on y.tax_year in (a.contribution_year, a.event_year)
    where c.taken_back is null and a.person_id is not null and is_ira_or_unknown(a.account_type)
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
