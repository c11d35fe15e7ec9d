-- Every mark ever made, by whom and when, and what became of it.
select
    s.finding_id,
    coalesce(f.rule, b.rule, h.rule) as rule,
    coalesce(f.person_id, b.person_id, h.person_id) as person_id,
    s.status, s.owner, s.note, s.snooze_until, s.saved_by as marked_by, s.advisor_id, s.received_at, s.workbook_as_of,
    s.source_file as marked_in, s.source_line as marked_line,
    case when s.in_force then 'in force' when s.contested then 'contested' else 'replaced' end as became,
    s.reading_id,
from mark_standing as s
left join findings as f on f.finding_id = s.finding_id
left join previous_findings as b on b.finding_id = s.finding_id
left join previous_marks as h on h.finding_id = s.finding_id
