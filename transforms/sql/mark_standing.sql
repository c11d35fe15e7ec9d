-- Which mark of a finding stands. Whoever made a mark had seen the one that stood in the workbook (its Mark id says which, or,
-- where that column is gone, the workbook's day), and with it those told beside it. What somebody has seen and marked anew is
-- replaced; so is a mark changed again in the same file. Of the marks nobody has answered the last in turn stands, and the
-- others are contested if they say something else.
with
bases as (
    select e.reading_id, p.reading_id as base_id, p.turn as base_turn,
    from mark_edits as e
    inner join mark_edits as p on p.finding_id = e.finding_id and p.state = e.shown_state
    union all
    select e.reading_id, arg_max(p.reading_id, p.turn) as base_id, max(p.turn) as base_turn,
    from mark_edits as e
    inner join mark_edits as p on p.finding_id = e.finding_id and p.received_at <= e.made_on and p.received_at < e.received_at
    where e.shown_state is null
    group by e.reading_id
),
answered as (
    select distinct o.reading_id
    from mark_edits as e
    inner join mark_edits as o on o.finding_id = e.finding_id and o.reading_id <> e.reading_id
    left join bases as b on b.reading_id = e.reading_id
    where o.reading_id = b.base_id
        or (o.received_at <= e.made_on and o.turn < b.base_turn)
        or (
            -- several people may save a workbook of the shared folder: it is one file all the same
            o.received_at < e.received_at and o.workbook = e.workbook
            and o.advisor_id is not distinct from e.advisor_id and o.workbook_as_of is not distinct from e.workbook_as_of
            and (o.saved_by is not distinct from e.saved_by or starts_with(e.workbook, 'shared/')))
),
unanswered as (
    select e.*, a.reading_id is null as open,
    from mark_edits as e
    left join answered as a on a.reading_id = e.reading_id
)
select
    u.*,
    first_value(u.reading_id) over last_first = u.reading_id as in_force,
    u.open and u.answer <> first_value(u.answer) over last_first as contested,
from unanswered as u
window last_first as (partition by u.finding_id order by u.open desc, u.turn desc)
