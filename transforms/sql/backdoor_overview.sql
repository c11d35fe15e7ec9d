-- One row per person and tax year of ira_limits: where they stand with the backdoor Roth, for the sheet Backdoor candidates.
-- `standing`: ready (room left, income closes the direct way, no pre-tax IRA money), blocked (the same, but pre-tax money makes
-- a conversion pro-rata taxable), convert next (contributed, not yet converted), done, direct (income allows a full Roth
-- contribution), no room, closed (the due date has passed), ineligible, unknown. Money only where every input of it is known.
with
ways as (
    select
        person_id,
        tax_year,
        array_to_string(list_transform(list_sort(list({
            'taxable_then': taxable_then,
            'place': list_position(['reverse_rollover', 'qhfd', 'wait', 'accept', 'convert_everything'], way),
            'said':
                case way
                    when 'reverse_rollover' then 'Reverse rollover of ' || usd(amount)
                    when 'qhfd' then 'HSA funding distribution of ' || usd(amount)
                    when 'convert_everything' then 'Convert everything, ' || usd(conversion)
                    when 'wait' then 'Wait'
                    else case when has_converted then 'Leave the conversion as it is' else 'Accept' end
                end || ': taxed on ' || usd(taxable_then)
                || coalesce(', and on ' || usd(room_adds) || ' more with the room of ' || usd(room_left), '')
                || coalesce(' by ' || long_date(deadline), '')
                || case status when 'REVIEW' then ' (to review)' else '' end,
        })), lambda w: w.said), chr(10)) as ways_out,
    from ways_out
    inner join (select person_id, tax_year, coalesce(line_8, 0) > 0 as has_converted from form_8606) using (person_id, tax_year)
    where status in ('COMPUTED', 'REVIEW') and taxable_then is not null
    group by person_id, tax_year
),
limits as (
    select *, contribution_limit - traditional_contributions - roth_contributions as room_left
    from ira_limits
),
judged as (
    select
        l.person_id, l.tax_year, l.room_left,
        l.roth_limit - l.roth_contributions as roth_room,
        case
            when l.status in ('UNKNOWN', 'INELIGIBLE') then lower(l.status)
            when run.as_of > py.contribution_due_date then 'closed'
            when l.contribution_limit = 0 then 'no room'
            when l.roth_limit_before_traditional >= l.contribution_limit then 'direct'
            when f.status = 'UNKNOWN' then 'unknown'
            when l.nondeductible_contributions > 0 and coalesce(f.line_8, 0) = 0 then 'convert next'
            when l.room_left <= 0 and f.line_8 > 0 then 'done'
            when l.room_left <= 0 then 'no room'
            when c.person_id is null then 'unknown'
            when c.pre_tax > 0 then 'blocked'
            else 'ready'
        end as standing,
        c.pool_value, c.basis, c.pre_tax,
        c.taxable_if_done,
        py.marginal_tax_rate,
        py.contribution_due_date as due_date,
    from limits as l
    inner join person_years as py using (person_id, tax_year)
    cross join run
    left join form_8606 as f using (person_id, tax_year)
    left join backdoor_candidates as c using (person_id, tax_year)
)
select
    j.person_id, j.tax_year, j.standing,
    case when j.standing not in ('unknown', 'ineligible') then larger(0, j.room_left) end as room,
    case when j.standing not in ('unknown', 'ineligible') then larger(0, lesser(j.room_left, j.roth_room)) end as direct_roth_room,
    j.pool_value, j.basis, j.pre_tax, j.taxable_if_done,
    case when j.marginal_tax_rate is not null then tax_or_income(j.taxable_if_done, j.marginal_tax_rate) end as tax_if_done,
    w.ways_out,
    j.due_date,
from judged as j
left join ways as w using (person_id, tax_year)
order by j.person_id, j.tax_year
