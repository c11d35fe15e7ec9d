-- The findings as sheet Exceptions shows them, which is what an advisor marks: with its parts, a finding is as grave as the
-- gravest of them, and due when the first of them is.
with
parts as (
    select f.part_of as finding_id, min(list_position(r.severities, f.severity)) as gravest, min(f.deadline) as earliest,
    from findings as f
    cross join mark_rules as r
    where f.part_of is not null and f.status <> 'resolved'
    group by f.part_of
)
select
    f.finding_id, f.rule, f.person_id, f.status, f.amount,
    least(f.deadline, p.earliest) as deadline,
    r.severities[least(list_position(r.severities, f.severity), coalesce(p.gravest, len(r.severities)))] as severity,
from findings as f
cross join mark_rules as r
left join parts as p on p.finding_id = f.finding_id
