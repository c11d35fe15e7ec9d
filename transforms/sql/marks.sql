-- The mark in force of every finding ever marked, and what the finding was when it was made: what the row showed; else what
-- was carried from the run before; else what it is tonight. `gone_on` is the day the finding went since; it may come again.
with
today as (select as_of from run),
rivals as (
    select
        s.finding_id,
        list(answer_said(s.status, s.owner, s.note, s.snooze_until)
            || ' [' || s.source_file || ':' || s.source_line
            || coalesce(', workbook of ' || s.workbook_as_of, '') || coalesce(', saved by ' || s.saved_by, '') || ']'
            order by s.turn desc) as conflict,
    from mark_standing as s
    where s.contested
    group by s.finding_id
)
select
    s.finding_id,
    coalesce(f.rule, b.rule, h.rule) as rule,
    coalesce(f.person_id, b.person_id, h.person_id) as person_id,
    s.status, s.owner, s.note, s.snooze_until,
    s.saved_by as marked_by,
    s.source_file as marked_in,
    s.source_line as marked_line,
    s.received_at, s.workbook_as_of, s.advisor_id,
    case when s.severity_shown is not null then s.amount_shown when h.reading_id = s.reading_id then h.amount_then else f.amount end as amount_then,
    case when s.severity_shown is not null then s.deadline_shown when h.reading_id = s.reading_id then h.deadline_then else f.deadline end as deadline_then,
    case when s.severity_shown is not null then s.severity_shown when h.reading_id = s.reading_id then h.severity_then else f.severity end as severity_then,
    case
        when h.reading_id = s.reading_id and h.gone_on < t.as_of then h.gone_on
        when f.status = 'resolved' then t.as_of
    end as gone_on,
    coalesce(r.conflict, []) as conflict,
    s.reading_id,
    s.state as mark_state,
from mark_standing as s
cross join today as t
left join rivals as r on r.finding_id = s.finding_id
left join mark_subjects as f on f.finding_id = s.finding_id
left join previous_findings as b on b.finding_id = s.finding_id
left join previous_marks as h on h.finding_id = s.finding_id
where s.in_force
