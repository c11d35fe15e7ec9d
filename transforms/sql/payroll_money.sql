-- One row per amount of a recordkeeper's or payroll file and tax year of the run: whose it is, which plan, and what money it
-- is. `person_id` is null where the tax id fits no person, or more than one. A source means what the firm's plan_sources
-- say, else what the profile says its name says; `why_unknown` says why money cannot be counted at all.
with
owners as (
    select tax_id, person_id
    from person_tax_ids
    where persons_with_it = 1
),
named as (
    -- slots are written as the layout writes them or in another hand: case, spaces and underscores don't tell them apart
    select
        recordkeeper, recordkeeper_plan, regexp_replace(lower(source_column), '[^a-z0-9]', '', 'g') as column_key,
        min(plan_id) as plan_id, min(money_source) as money_source,
    from plan_sources
    group by all
    having count(distinct (plan_id, money_source)) = 1
),
by_plan as (
    select recordkeeper, recordkeeper_plan, min(plan_id) as plan_id
    from plan_sources
    group by recordkeeper, recordkeeper_plan
    having count(distinct plan_id) = 1
),
matched as (
    select
        o.person_id,
        pay.owner_tax_id,
        coalesce(named.plan_id, by_plan.plan_id) as plan_id,
        pay.recordkeeper, pay.recordkeeper_plan, pay.source_column,
        y.tax_year,
        pay.pay_date,
        -- a row without a pay date is at most as old as the night it came in
        coalesce(pay.pay_date, pay.received_at) as known_on,
        pay.amount,
        pay.amount_is,
        coalesce(named.money_source, pay.money_source) as stated_source,
        pay.received_at, pay.source_file, pay.source_line,
    from payroll_contributions as pay
    inner join year_limits as y
        on y.tax_year = year(pay.pay_date)
        or (pay.pay_date is null and y.tax_year between year(pay.received_at - interval 1 month) and year(pay.received_at))
    left join owners as o on o.tax_id = pay.owner_tax_id
    left join named
        on named.recordkeeper = pay.recordkeeper
        and named.recordkeeper_plan = pay.recordkeeper_plan
        and named.column_key = regexp_replace(lower(pay.source_column), '[^a-z0-9]', '', 'g')
    left join by_plan
        on by_plan.recordkeeper = pay.recordkeeper and by_plan.recordkeeper_plan = pay.recordkeeper_plan
    where coalesce(pay.pay_date, pay.received_at) <= (select as_of from run)
)
select
    *,
    case
        when stated_source = 'not_a_contribution' or amount = 0 then null
        when plan_id is null then 'plan'
        when stated_source is null then 'source'
        when pay_date is null then 'pay_date'
        when amount_is is null then 'period'
    end as why_unknown,
    case when plan_id is not null and pay_date is not null and amount_is is not null then stated_source end as money_source,
from matched
