-- One row per person and tax year whose income closes (part of) the direct Roth way and who has contribution room left:
-- the value, basis and pre-tax part of the pool, and how much more is taxable if the room is contributed and converted now: Form
-- 8606 with it less Form 8606 as it stands, where money came out this year already. Only where every input is known, and no likely IRA of theirs is unlinked.
select
    l.person_id,
    l.tax_year,
    l.roth_limit,
    l.contribution_limit,
    l.roth_magi,
    l.contribution_limit - l.traditional_contributions - l.roth_contributions as room,
    coalesce(p.projected_total, 0) as pool_value,
    case when coalesce(p.accounts_in_pool, 0) = 0 then 0 else f.line_14 end as basis,
    larger(0, pool_value - basis) as pre_tax,
    case
        -- what is converted after December 31 is on a form of its own
        when f.line_9 is not null and run.as_of <= py.year_end then
            room + f.line_13 - lesser(f.line_3 + room,
                mul_div(f.line_8 + room, lesser(f.line_5 + room, f.line_9 + room), f.line_9 + room)
                + mul_div(f.line_7, lesser(f.line_5 + room, f.line_9 + room), f.line_9 + room))
        when pool_value + room > 0 then
            room - mul_div(room, lesser(basis + room, pool_value + room), pool_value + room)
    end as taxable_if_done,
from ira_limits as l
inner join person_years as py using (person_id, tax_year)
left join pool_totals as p using (person_id, tax_year)
left join form_8606 as f using (person_id, tax_year)
cross join run
where l.status in ('COMPUTED', 'REVIEW')
    and l.roth_limit_before_traditional < l.contribution_limit
    and l.contribution_limit - l.traditional_contributions - l.roth_contributions > 0
    and coalesce(p.accounts_undecided, 0) = 0
    and coalesce(p.all_projected, true)
    and py.all_iras_reported is distinct from false
    and not exists (
        select 1 from link_suggestions as s
        where s.needs_review and s.person_id = l.person_id and s.tax_year = l.tax_year)
    and run.as_of <= py.contribution_due_date
