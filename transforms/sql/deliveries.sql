-- One row per expected delivery and file that answers it: the period it is counted for, and whether it brought something new.
-- Bytes the book already has are a delivery only under a new name: under the old name they just still lie in the inbox. A file
-- that comes after the period but within the grace of a due date nothing has met counts for that due date.
with
names as (
    -- a sheet of a workbook is called book.xlsx[sheet]: the workbook's name is what is expected
    select *, lower(regexp_replace(regexp_extract(file_name, '[^/]*$'), '\[[^\]]*\]$', '')) as base
    from intake_files
    where received_at <= (select as_of from run)
),
known as (select sha256, base from names where state <> 'duplicate'),
fitting as (
    select
        e.source, e.kind, e.frequency, e.stale_after_days, coalesce(e.grace_days, 0) as grace_days,
        f.sha256, f.state, f.rows, f.received_at, f.content_as_of, f.kind like '%transactions%' as events,
    from expected_files as e
    inner join names as f
        on (f.kind = e.kind or f.profile = e.kind or (f.kind is null and e.file_name_pattern is not null))
        and (e.custodian is null or f.custodian is null or e.custodian = f.custodian)
        and (e.file_name_pattern is null or f.base glob lower(e.file_name_pattern))
    where f.state <> 'duplicate'
        or not exists (select 1 from known as k where k.sha256 = f.sha256 and k.base = f.base)
),
judged as (
    select
        f.*,
        f.state in ('accepted', 'partial') as usable,
        max(f.content_as_of) filter (f.state in ('accepted', 'partial')) over (
            partition by f.source, f.kind order by f.received_at
            range between unbounded preceding and interval 1 day preceding) as as_of_before,
    from fitting as f
),
dated as (
    select j.*, d.period_start, d.period_end, d.due_on,
    from judged as j
    left join due_dates as d
        on d.source = j.source and d.kind = j.kind and j.received_at between d.period_start and d.period_end
)
select
    d.source, d.kind, d.sha256, d.rows, d.received_at, d.content_as_of, d.usable, d.state,
    coalesce(late.due_on, d.due_on) as due_on,
    d.usable
        and coalesce(d.content_as_of >= d.received_at - d.stale_after_days::integer, true)
        and coalesce(case when d.events then d.content_as_of >= d.as_of_before else d.content_as_of > d.as_of_before end, true)
        as fresh,
    case
        when d.state = 'duplicate' then 'its bytes are those of an earlier file'
        when d.content_as_of < d.received_at - d.stale_after_days::integer then 'its content is older than stale_after_days allows'
        else 'its content is no newer than that of the delivery before'
    end as stale_because,
from dated as d
left join due_dates as late
    on d.frequency <> 'business_day' and late.source = d.source and late.kind = d.kind and late.period_end = d.period_start - 1
    and d.received_at <= late.due_on + d.grace_days::integer
    and not exists (
        select 1 from judged as j
        where j.source = d.source and j.kind = d.kind and j.usable and j.received_at between late.period_start and late.period_end
    )
