-- What somebody has to look at about marks: two answers, marks on findings the book doesn't have, rows that couldn't be read.
select
    coalesce(f.advisor_id, m.advisor_id) as advisor_id, m.person_id, f.tax_year, 'two_answers' as rule,
    f.title || '. Two answers: ' || answer_said(m.status, m.owner, m.note, m.snooze_until) || ' ['
        || m.marked_in || ':' || m.marked_line || '] counts; also ' || array_to_string(m.conflict, '; ') as missing,
    'Choose one on sheet Exceptions of the newest workbook (both are kept in the history).' as fix,
from marks as m
inner join findings as f on f.finding_id = m.finding_id and f.status <> 'resolved'
where len(m.conflict) > 0
union all
select
    m.advisor_id, null as person_id, null as tax_year, 'mark_of_no_finding' as rule,
    'A mark is on a finding the book doesn''t have [' || m.marked_in || ':' || m.marked_line || ']; it is kept' as missing,
    'See that its Finding id is one of the newest workbook; mark the finding there.' as fix,
from marks as m
where m.rule is null and m.received_at = (select as_of from run)
union all
select
    r.row_key as advisor_id, null as person_id, null as tax_year, r.rule,
    'A mark couldn''t be read [' || r.file || coalesce(':' || r.line_number, '') || ']: ' || r.message as missing,
    'Mark the finding again in the newest workbook.' as fix,
from intake_rejects as r
where r.kind = 'finding_marks'
