-- What somebody has to look at about marks: two answers, marks on findings the book doesn't have, rows that couldn't be read, and
-- whole workbooks that couldn't be used. Whose workbook that was it says itself, or its name does (that of an advisor's workbook).
with
workbooks_aside as (
    select
        r.file, r.rule, r.message, r.kind = 'finding_marks' as says_whose, r.row_key,
        -- a copy the browser or the shared folder made has a number or a day behind the name
        lower(regexp_replace(parse_filename(r.file, false, 'system'), '(( ?\([0-9]+\))|( [0-9]{4}-[0-9]{2}-[0-9]{2}))*\.xlsx$', '', 'i')) as name,
    from intake_rejects as r
    where r.line_number is null and r."column" is null and r.rule <> 'mark_column_missing'
        and (r.kind = 'finding_marks' or (r.kind is null and ends_with(lower(r.file), '.xlsx')))
),
workbook_names as (
    select distinct advisor_id, lower(trim(regexp_replace(advisor_id, '[^A-Za-z0-9.-]+', '-', 'g'), '.-')) as name,
    from persons
    where advisor_id is not null
)
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
where r.kind = 'finding_marks' and (r.line_number is not null or r.rule = 'mark_column_missing')
union all
select
    coalesce(case when w.says_whose then w.row_key end, n.advisor_id) as advisor_id, null as person_id, null as tax_year, w.rule,
    'Your workbook came back and couldn''t be used [' || w.file || ']: ' || w.message || '. None of its marks count' as missing,
    'Open the newest workbook, mark the findings again on its sheet Exceptions, leave sheets and headers as they are, and save it.' as fix,
from workbooks_aside as w
left join workbook_names as n on n.name = w.name
where coalesce(case when w.says_whose then w.row_key end, n.advisor_id) is not null
