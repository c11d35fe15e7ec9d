-- One row per person, plan and pay day still to come within a year, where payroll shows the rhythm: five pay days in a row with
-- even gaps, the last not over 45 days old. Nothing is said of an uneven payroll, of year-to-date files or of the firm's own rows.
with
paid as (
    select distinct person_id, plan_id, pay_date
    from payroll_money
    where person_id is not null and plan_id is not null and pay_date is not null and amount_is = 'period'
),
newest as (
    select *, date_diff('day', lag(pay_date) over earlier, pay_date) as gap,
        row_number() over (partition by person_id, plan_id order by pay_date desc) as nth,
    from paid
    window earlier as (partition by person_id, plan_id order by pay_date)
),
rhythms as (
    select
        person_id, plan_id,
        max(pay_date) as last_paid_on,
        max(pay_date) filter (nth = 2) as paid_before,
        case
            when max(gap) - min(gap) > 3 then null
            when sum(gap) between 27 and 29 then 'weekly'
            when sum(gap) between 55 and 57 then 'every two weeks'
            when sum(gap) between 59 and 63 then 'twice a month'
            when sum(gap) between 118 and 124 then 'monthly'
        end as rhythm,
    from newest
    where nth <= 4
    group by person_id, plan_id
    having count(gap) = 4
),
-- twice a month is two monthly days
monthly_days as (
    select person_id, plan_id, rhythm,
        unnest(case rhythm when 'twice a month' then [last_paid_on, paid_before] else [last_paid_on] end) as paid_on,
    from rhythms
    cross join run
    where rhythm is not null and last_paid_on >= run.as_of - 45
)
select distinct
    r.person_id, r.plan_id, r.rhythm,
    case r.rhythm
        when 'weekly' then r.paid_on + 7 * n.n::integer
        when 'every two weeks' then r.paid_on + 14 * n.n::integer
        else (r.paid_on + n.n * interval 1 month)::date
    end as pay_day,
from monthly_days as r
cross join run
cross join range(1, 60) as n(n)
where pay_day > run.as_of and pay_day <= run.as_of + 366
