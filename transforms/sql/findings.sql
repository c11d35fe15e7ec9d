-- One row per finding, with its evidence and what became of it since the last run.
-- A finding is new on the as-of date it is first seen (however often that day is run), changed when its amount, deadline or
-- severity moved, resolved when it is gone; a resolved one is shown on the day it went and then dropped.
with
today as (select as_of from run),
before as (
    -- a later run says nothing about an earlier day; findings of years not run tonight are left alone
    select p.*
    from previous_findings as p
    where (select coalesce(max(last_changed), date '1900-01-01') from previous_findings) <= (select as_of from today)
        and (p.tax_year is null or p.tax_year in (select tax_year from year_limits))
),
identified as (
    select
        left(sha256(concat_ws('|', f.rule, coalesce(f.person_id, ''), coalesce(f.subject, ''), coalesce(f.tax_year, 0))), 16)
            as finding_id,
        f.*,
    from raw_findings as f
),
proof as (
    -- lists are sorted after they are gathered: all of a batch in one go, not each by a sort of its own
    select
        f.finding_id,
        list_transform(
            list_sort(list({
                'place': create_sort_key(t.topic, 'asc nulls last', e.account_key, 'asc nulls first',
                    e.source_file, 'asc nulls last', e.source_line, 'asc nulls last', e.text, 'asc nulls last'),
                'said': e.text || coalesce(' [' || e.source_file || ':' || e.source_line || ']', '')})),
            lambda fact: fact.said) as evidence,
    from identified as f
    inner join finding_topics as t on t.rule = f.rule
    inner join evidence as e on e.person_id = f.person_id and e.tax_year = f.tax_year and e.topic = t.topic
    group by f.finding_id
),
now_open as (
    select
        f.finding_id,
        f.rule,
        f.subject,
        f.person_id,
        p.household_id,
        coalesce(p.advisor_id, f.advisor_id) as advisor_id,
        f.tax_year,
        f.severity,
        case
            when b.finding_id is null or b.first_seen = t.as_of or b.status = 'resolved' then 'new'
            when b.amount is distinct from f.amount or b.deadline is distinct from f.deadline or b.severity <> f.severity
                or b.last_changed = t.as_of then 'changed'
            else 'open'
        end as status,
        case when b.finding_id is null or (b.status = 'resolved' and b.last_changed < t.as_of) then t.as_of else b.first_seen end
            as first_seen,
        case
            when b.finding_id is null or b.status = 'resolved' then t.as_of
            when b.amount is distinct from f.amount or b.deadline is distinct from f.deadline or b.severity <> f.severity
                then t.as_of
            else b.last_changed
        end as last_changed,
        f.amount, f.deadline, f.title, f.explanation, f.action,
        coalesce(proof.evidence, []) as evidence,
        f.amount_is,
        a.authority,
    from identified as f
    cross join today as t
    left join before as b on b.finding_id = f.finding_id
    left join proof on proof.finding_id = f.finding_id
    left join persons as p on p.person_id = f.person_id
    left join (select distinct rule, authority from finding_topics) as a on a.rule = f.rule
),
unknown_now as (
    select r.rule, u.person_id, u.tax_year
    from finding_rests as r
    inner join (
        select 'form_8606' as rests_on, person_id, tax_year from form_8606 where status = 'UNKNOWN'
        union
        select 'ira_limits', person_id, tax_year from ira_limits where status = 'UNKNOWN'
        union
        select 'mega_backdoor', person_id, tax_year from mega_backdoor where status = 'UNKNOWN'
        union
        select 'elective_deferrals', person_id, tax_year from elective_deferrals where status = 'UNKNOWN'
        union
        select 'excess_contributions', person_id, tax_year from excess_contributions where status = 'UNKNOWN'
    ) as u on u.rests_on = r.rests_on
),
gone as (
    -- what can't be judged tonight isn't resolved; nor is a deadline that has passed meanwhile still one to act by
    select b.* replace (
        case when u.rule is not null and b.status <> 'resolved' then 'open' else 'resolved' end as status,
        case when u.rule is not null and b.deadline < t.as_of and b.severity = 'critical' then 'high' else b.severity end as severity,
        case when u.rule is not null and b.deadline < t.as_of then null else b.deadline end as deadline,
        case when u.rule is not null and b.deadline < t.as_of then
            'Its deadline of ' || long_date(b.deadline) || ' has passed. What can still be done shows once its result is known again.'
            else b.action end as action,
        case
            when u.rule is not null and not starts_with(b.title, 'Not judged tonight') then 'Not judged tonight: ' || b.title
            when u.rule is null then regexp_replace(b.title, '^Not judged tonight: ', '')
            else b.title
        end as title,
        case
            when b.status = 'resolved' or u.rule is not null then b.last_changed
            else t.as_of
        end as last_changed,
        case when u.rule is not null and not starts_with(b.explanation, 'Its result is UNKNOWN now') then
            'Its result is UNKNOWN now. Before: ' || b.explanation else b.explanation end as explanation)
    from before as b
    cross join today as t
    left join unknown_now as u on u.rule = b.rule and u.person_id = b.person_id and u.tax_year = b.tax_year
    where b.finding_id not in (select finding_id from identified)
        and (b.status <> 'resolved' or b.last_changed = t.as_of)
)
select * from now_open
union all by name
select * from gone
