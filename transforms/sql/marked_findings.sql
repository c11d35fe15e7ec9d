-- What the marks make of every finding: their columns, and its rank. A finding that is done, dismissed or snoozed is put
-- aside: ranked after the others, until something brings it back (`came_back` says what). Two answers nobody has decided between put nothing aside.
with
today as (select as_of from run),
marked as (
    select
        f.finding_id, f.status, f.rank,
        m.status as mark_status, m.owner as mark_owner, m.note as mark_note, m.snooze_until, m.received_at as marked_on,
        m.mark_state, m.marked_by, m.conflict, m.amount_then,
        -- a date that had passed when the mark was made snoozes nothing
        m.snooze_until > m.received_at as snoozed,
        m.status in ('done', 'dismissed') as closed,
        case
            when len(m.conflict) > 0 then 'two answers were given'
            when m.gone_on < t.as_of then 'it was gone on ' || long_date(m.gone_on) || ' and is there again'
            when m.amount_then is null and f.amount is not null then 'its dollars are known now: ' || usd(f.amount)
            when abs(f.amount - m.amount_then) >= r.dollars
                and abs(f.amount - m.amount_then) * 100 > r.percent * abs(m.amount_then)
                then 'its dollars moved from ' || usd(m.amount_then) || ' to ' || usd(f.amount)
            when list_position(r.severities, s.severity) < list_position(r.severities, m.severity_then)
                then 'it was ' || m.severity_then || ' and is ' || s.severity
            when s.deadline <= t.as_of + r.days and (m.deadline_then is null or m.deadline_then > m.received_at + r.days)
                then 'its deadline, ' || long_date(s.deadline) || ', is near'
            when m.snooze_until > m.received_at and m.snooze_until <= t.as_of
                then 'the day it was snoozed until, ' || long_date(m.snooze_until) || ', has come'
        end as news,
    from findings as f
    inner join mark_subjects as s on s.finding_id = f.finding_id
    cross join today as t
    cross join mark_rules as r
    left join marks as m on m.finding_id = f.finding_id
),
judged as (
    select
        *,
        coalesce(closed or snoozed, false) and status <> 'resolved' as parked,
    from marked
)
select
    j.* exclude (status, rank, snoozed, closed, news, parked, conflict, amount_then, marked_by),
    j.parked and j.news is null as put_aside,
    case when j.parked then j.news end as came_back,
    nullif(concat_ws('. ',
        case when len(j.conflict) > 0
            then 'Two answers: ' || answer_said(j.mark_status, j.mark_owner, j.mark_note, j.snooze_until)
                || ' counts until somebody answers; also ' || array_to_string(j.conflict, '; ') end,
        case when j.parked and j.news is not null and len(j.conflict) = 0
            then 'Back, because ' || j.news || '. It was ' || coalesce(j.mark_status, 'snoozed')
                || coalesce(' by ' || j.marked_by, '') || ' on ' || long_date(j.marked_on) end,
        case when j.parked and j.news is null
            then 'Put aside on ' || long_date(j.marked_on) || coalesce(' by ' || j.marked_by, '') || ': '
                || case when j.closed then j.mark_status else 'snoozed' end
                || case when j.snoozed then ' until ' || long_date(j.snooze_until) else '' end end), '') as mark_told,
    row_number() over (order by j.status = 'resolved', j.parked and j.news is null, j.rank) as rank,
from judged as j
