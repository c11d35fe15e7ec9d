-- One row per employee, recordkeeper's plan, source column and tax year: the dollars its files show, for findings. A year to
-- date holds the pay dates up to it, so it is the newest one and what was paid after it.
with
to_date as (
    select
        owner_tax_id, recordkeeper, recordkeeper_plan, source_column, tax_year,
        max(known_on) as as_of,
        arg_max(amount, (known_on, received_at, amount)) as amount,
    from payroll_money
    where amount_is = 'year_to_date'
    group by all
)
select
    m.owner_tax_id,
    m.recordkeeper,
    m.recordkeeper_plan,
    m.source_column,
    m.tax_year,
    min(m.person_id) as person_id,
    min(m.plan_id) as plan_id,
    min(m.stated_source) as stated_source,
    max(m.known_on) as known_on,
    min(m.why_unknown) as why_unknown,
    coalesce(max(t.amount), 0)
        + coalesce(sum(m.amount) filter (
            m.amount_is is distinct from 'year_to_date' and (t.as_of is null or m.known_on > t.as_of)), 0) as amount,
from payroll_money as m
left join to_date as t
    on t.owner_tax_id is not distinct from m.owner_tax_id and t.recordkeeper = m.recordkeeper
    and t.recordkeeper_plan = m.recordkeeper_plan and t.source_column = m.source_column and t.tax_year = m.tax_year
-- an undated row of January may be of either year: its dollars are shown once
where m.pay_date is not null or m.tax_year = (select max(tax_year) from year_limits where tax_year <= year(m.known_on))
group by m.owner_tax_id, m.recordkeeper, m.recordkeeper_plan, m.source_column, m.tax_year
