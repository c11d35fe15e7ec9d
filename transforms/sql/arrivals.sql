-- One row per expected delivery: the oldest due date nothing has met, or, if all are met, the last one met.
-- A new delivery answers its own due date and all before it. late = due and within its grace; missing = the grace is over;
-- stale = something came for it, and it was the old content; empty_but_valid = a good file without a row.
with
best as (
    select
        source, kind,
        max(due_on) filter (fresh) as met,
        max(received_at) filter (usable or state = 'duplicate') as last_received_at,
        max(content_as_of) as last_as_of,
    from deliveries
    group by source, kind
),
newest as (
    select d.source, d.kind, sum(d.rows) as rows, max(d.received_at) as received_at,
    from deliveries as d
    inner join best as b on b.source = d.source and b.kind = d.kind and b.met = d.due_on
    where d.fresh
    group by d.source, d.kind
),
due as (
    select
        e.source, e.kind, coalesce(e.grace_days, 0) as grace_days,
        -- without a first day and without any delivery the last due date that is past its grace is open
        coalesce(
            min(d.due_on) filter (d.due_on > b.met or (b.met is null and e.starts_on is not null)),
            max(d.due_on) filter (b.met is null and d.due_on + coalesce(e.grace_days, 0)::integer < r.as_of),
            max(d.due_on) filter (b.met is null)
        ) as open_on,
    from expected_files as e
    cross join run as r
    left join best as b on b.source = e.source and b.kind = e.kind
    inner join due_dates as d
        on d.source = e.source and d.kind = e.kind and d.due_on <= r.as_of and (e.starts_on is null or d.due_on >= e.starts_on)
    group by all
),
upcoming as (
    select d.source, d.kind, min(d.due_on) as due_on,
    from due_dates as d
    inner join expected_files as e on e.source = d.source and e.kind = d.kind
    cross join run as r
    where d.due_on > r.as_of and (e.starts_on is null or d.due_on >= e.starts_on)
    group by d.source, d.kind
),
old_content as (
    select d.source, d.kind, arg_max(d.stale_because, d.received_at) as because,
    from deliveries as d
    inner join due as o on o.source = d.source and o.kind = d.kind and d.due_on >= o.open_on
    where not d.fresh and (d.usable or d.state = 'duplicate')
    group by d.source, d.kind
),
refused as (
    select distinct d.source, d.kind
    from deliveries as d
    inner join due as o on o.source = d.source and o.kind = d.kind and d.due_on >= o.open_on
    where d.state = 'rejected'
),
judged as (
    select
        e.source, e.kind, e.custodian,
        coalesce(o.open_on, b.met, u.due_on) as expected_on,
        case
            when o.open_on is not null and s.source is not null then 'stale'
            when o.open_on is not null and r.as_of <= o.open_on + o.grace_days::integer then 'late'
            when o.open_on is not null then 'missing'
            when b.met is null then 'not_due'
            when n.rows = 0 then 'empty_but_valid'
            else 'arrived'
        end as state,
        b.last_received_at, b.last_as_of, s.because, f.source is not null as refused, o.grace_days, n.received_at,
        year(coalesce(o.open_on, b.met, u.due_on)) not between h.first_year and h.last_year as holidays_unknown,
    from expected_files as e
    cross join run as r
    cross join holiday_years as h
    left join best as b on b.source = e.source and b.kind = e.kind
    left join newest as n on n.source = e.source and n.kind = e.kind
    left join due as o on o.source = e.source and o.kind = e.kind
    left join upcoming as u on u.source = e.source and u.kind = e.kind
    left join old_content as s on s.source = e.source and s.kind = e.kind
    left join refused as f on f.source = e.source and f.kind = e.kind
)
select
    source, kind, custodian, expected_on, state, last_received_at, last_as_of,
    nullif(concat_ws('; ',
        case state
            when 'stale' then 'a file came, but ' || because || ': ask the sender for the new one'
            when 'late' then 'due and not here; missing after ' || expected_on + grace_days::integer
            when 'missing' then case when last_received_at is null then 'nothing has ever come: ask the sender, or correct what'
                || ' expected_files says' else 'the grace is over: ask the sender' end
            when 'empty_but_valid' then 'the file is good and has no rows'
            when 'not_due' then 'nothing is due before ' || expected_on
            when 'arrived' then case when received_at > expected_on
                then 'came on ' || received_at || ', after it was due' end
        end,
        case when refused and state in ('late', 'missing') then 'a file came and was set aside whole (sheet Files says why)' end,
        case when holidays_unknown then 'market holidays of that year are not in limits/market_holidays.toml' end
    ), '') as message,
from judged
