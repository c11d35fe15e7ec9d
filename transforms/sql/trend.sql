-- One row per as-of date. Tonight's row counts the book as it is now, findings without those that are parts of another one;
-- the rows of earlier dates are those the runs before left. What a later run knew is nothing to an earlier day.
with
answers as (
    select 'form_8606' as result, status from form_8606
    union all
    select 'ira_limits', status from ira_limits
    union all
    select 'mega_backdoor', status from mega_backdoor
    union all
    select 'elective_deferrals', status from elective_deferrals
),
statuses as (
    select
        count(*) filter (result = 'form_8606' and status = 'COMPUTED') as form_8606_computed,
        count(*) filter (result = 'form_8606' and status = 'REVIEW') as form_8606_review,
        count(*) filter (result = 'form_8606' and status = 'UNKNOWN') as form_8606_unknown,
        count(*) filter (result = 'form_8606' and status = 'INELIGIBLE') as form_8606_ineligible,
        count(*) filter (result = 'ira_limits' and status = 'COMPUTED') as ira_limits_computed,
        count(*) filter (result = 'ira_limits' and status = 'REVIEW') as ira_limits_review,
        count(*) filter (result = 'ira_limits' and status = 'UNKNOWN') as ira_limits_unknown,
        count(*) filter (result = 'ira_limits' and status = 'INELIGIBLE') as ira_limits_ineligible,
        count(*) filter (result = 'mega_backdoor' and status = 'COMPUTED') as mega_backdoor_computed,
        count(*) filter (result = 'mega_backdoor' and status = 'REVIEW') as mega_backdoor_review,
        count(*) filter (result = 'mega_backdoor' and status = 'UNKNOWN') as mega_backdoor_unknown,
        count(*) filter (result = 'mega_backdoor' and status = 'INELIGIBLE') as mega_backdoor_ineligible,
        count(*) filter (result = 'elective_deferrals' and status = 'COMPUTED') as elective_deferrals_computed,
        count(*) filter (result = 'elective_deferrals' and status = 'REVIEW') as elective_deferrals_review,
        count(*) filter (result = 'elective_deferrals' and status = 'UNKNOWN') as elective_deferrals_unknown,
        count(*) filter (result = 'elective_deferrals' and status = 'INELIGIBLE') as elective_deferrals_ineligible,
    from answers
),
received as (
    select
        count(*) as files,
        count(*) filter (state = 'rejected') as files_set_aside,
        coalesce(sum(rows), 0) as rows,
    from files
    where state <> 'duplicate'
),
aside as (
    select count(distinct (source_sha256, line_number)) as rows_set_aside from rejects where line_number is not null
),
problems as (
    select
        count(*) filter (f.status <> 'resolved' and s.severity = 'critical') as critical,
        count(*) filter (f.status <> 'resolved' and s.severity = 'high') as high,
        count(*) filter (f.status <> 'resolved' and s.severity = 'medium') as medium,
        count(*) filter (f.status <> 'resolved' and s.severity = 'low') as low,
        count(*) filter (f.status <> 'resolved' and s.severity = 'info') as info,
        count(*) filter (f.status = 'new') as new,
        count(*) filter (f.status = 'resolved') as resolved,
    from findings as f
    -- with its parts: as grave as the gravest of them
    inner join mark_subjects as s on s.finding_id = f.finding_id
    where f.part_of is null
),
people as (
    -- a person who is another one by an approved link is counted once
    select count(*) as clients from persons
)
select run.as_of, received.*, aside.*, people.*, problems.*, statuses.*
from run, received, aside, people, problems, statuses
union all by name
select * from previous_trend where as_of < (select as_of from run)
