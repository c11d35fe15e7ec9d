-- Every mark an advisor made, once, in its turn. A row that comes back as it came back before (its workbook was dropped again)
-- is no new mark. A field whose column was gone from the sheet is what was last read of it.
-- `turn` orders the marks of a finding: by the workbook's day, then the night it came in, then what keeps the finding in
-- sight comes last and so prevails, then by file and line.
with
incoming as (
    select
        m.*,
        coalesce(m.workbook_as_of, m.received_at) as made_on,
        [coalesce(m.status, ''), coalesce(m.owner, ''), coalesce(m.note, ''), coalesce(m.snooze_until::varchar, ''),
            coalesce(m.not_read, '')] as typed,
    from finding_marks as m
    where m.received_at <= (select as_of from run)
),
same_again as (
    select e.reading_id, e.workbook, e.typed, e.finding_id, e.advisor_id, e.workbook_as_of, e.received_at,
        max(o.received_at) as said_before,
    from incoming as e
    inner join incoming as o
        on o.finding_id = e.finding_id and o.typed = e.typed and o.received_at < e.received_at
        and (
            e.shown_state is null
            or (o.shown_state is not distinct from e.shown_state and o.advisor_id is not distinct from e.advisor_id
                and o.workbook_as_of is not distinct from e.workbook_as_of)
        )
    group by all
),
said_otherwise as (
    -- between the two the same file said something else: it was changed back, which is a new mark
    select distinct s.reading_id
    from same_again as s
    inner join incoming as d
        on d.finding_id = s.finding_id and d.workbook = s.workbook and d.advisor_id is not distinct from s.advisor_id
        and d.workbook_as_of is not distinct from s.workbook_as_of
        and d.received_at > s.said_before and d.received_at < s.received_at and d.typed <> s.typed
),
once as (
    select * from incoming
    where reading_id not in (select reading_id from same_again)
        or reading_id in (select reading_id from said_otherwise)
),
filled as (
    select o.* replace (
        case when contains(coalesce(o.not_read, ''), 'status')
            then (last_value(case when not contains(coalesce(o.not_read, ''), 'status') then {'v': o.status} end ignore nulls)
                over before_it).v else o.status end as status,
        case when contains(coalesce(o.not_read, ''), 'owner')
            then (last_value(case when not contains(coalesce(o.not_read, ''), 'owner') then {'v': o.owner} end ignore nulls)
                over before_it).v else o.owner end as owner,
        case when contains(coalesce(o.not_read, ''), 'note')
            then (last_value(case when not contains(coalesce(o.not_read, ''), 'note') then {'v': o.note} end ignore nulls)
                over before_it).v else o.note end as note,
        case when contains(coalesce(o.not_read, ''), 'snooze_until')
            then (last_value(case when not contains(coalesce(o.not_read, ''), 'snooze_until') then {'v': o.snooze_until} end
                ignore nulls) over before_it).v else o.snooze_until end as snooze_until)
    from once as o
    window before_it as (
        partition by o.finding_id order by o.received_at, o.made_on, o.source_sha256, o.source_line
        rows between unbounded preceding and 1 preceding)
)
select
    f.* exclude (typed),
    [coalesce(f.status, ''), coalesce(f.owner, ''), coalesce(f.note, ''), coalesce(f.snooze_until::varchar, '')] as answer,
    row_number() over (
        partition by f.finding_id
        order by f.made_on, f.received_at, coalesce(list_position(r.statuses, f.status), 0) desc, f.source_sha256, f.source_line
    ) as turn,
from filled as f
cross join mark_rules as r
