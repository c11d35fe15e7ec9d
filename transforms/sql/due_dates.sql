-- One row per expected delivery and period: the business day, week (Monday to Sunday), month or year a file belongs to, and
-- the day it is due. A due date on a day the markets are closed moves to the next open day; blank due_by is the period's end.
with
days as (
    select
        d::date as day,
        isodow(d) < 6 and d::date not in (select day from market_holidays) as is_open,
    from run, generate_series(run.as_of - interval 3 year, run.as_of + interval 2 year, interval 1 day) as g(d)
),
open_days as (select day from days where is_open),
business_days as (
    select lag(day) over (order by day) + 1 as period_start, day as period_end, day as nominal
    from open_days
    qualify lag(day) over (order by day) is not null
),
periods as (
    select e.source, e.kind, b.period_start, b.period_end, b.nominal
    from expected_files as e
    cross join business_days as b
    where e.frequency = 'business_day'
    union all
    select
        e.source, e.kind, d.day, d.day + 6,
        d.day + coalesce(list_position(
            ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'], lower(e.due_by)), 7)::integer - 1,
    from expected_files as e
    inner join days as d on isodow(d.day) = 1
    where e.frequency = 'weekly'
    union all
    select
        e.source, e.kind, d.day, last_day(d.day),
        least(d.day + coalesce(try_cast(e.due_by as integer), 31) - 1, last_day(d.day)),
    from expected_files as e
    inner join days as d on day(d.day) = 1
    where e.frequency = 'monthly'
    union all
    select
        e.source, e.kind, d.day, make_date(year(d.day), 12, 31),
        least(
            make_date(year(d.day), split_part(coalesce(e.due_by, '12-31'), '-', 1)::integer, 1)
                + split_part(coalesce(e.due_by, '12-31'), '-', 2)::integer - 1,
            last_day(make_date(year(d.day), split_part(coalesce(e.due_by, '12-31'), '-', 1)::integer, 1))),
    from expected_files as e
    inner join days as d on dayofyear(d.day) = 1
    where e.frequency = 'yearly'
)
select p.source, p.kind, p.period_start, p.period_end, o.day as due_on,
from periods as p
asof inner join open_days as o on p.nominal <= o.day
