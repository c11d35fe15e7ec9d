-- One problem is one row: a finding that belongs to another open one of the same person and tax year names it in `part_of`.
-- Of rules that tell one problem from several sides, the finding of the highest rank is the one the others belong to.
-- One that asks for the same fact in several tax years is a part of that of the earliest of them.
-- A finding that is resolved is a part that went, as long as the other one is still open. One of no tax year belongs to any year. Where parts have parts, all of them name the one at the top.
with recursive
candidates as (
    select
        f.finding_id,
        arg_min(c.finding_id, (x.place, c.rank)) as into_id,
    from ranked_findings as f
    inner join finding_folds as x on x.rule = f.rule
    inner join ranked_findings as c
        on c.rule = x.into_rule
        and c.person_id = f.person_id
        and case
            when x.into_rule = f.rule then c.tax_year < f.tax_year and coalesce(c.subject, '') = coalesce(f.subject, '')
            else c.tax_year = f.tax_year or c.tax_year is null or f.tax_year is null
        end
        and c.status <> 'resolved'
        and c.finding_id <> f.finding_id
        and (c.rank < f.rank or not x.if_it_weighs_more)
    group by f.finding_id
),
climbs as (
    select finding_id, into_id, 1 as steps from candidates
    union all
    select k.finding_id, c.into_id, k.steps + 1
    from climbs as k
    inner join candidates as c on c.finding_id = k.into_id
),
tops as (
    select finding_id, arg_max(into_id, steps) as part_of from climbs group by finding_id
)
select
    f.* exclude (subject),
    r.rank,
    t.part_of,
from judged_findings as f
inner join ranked_findings as r on r.finding_id = f.finding_id
left join tops as t on t.finding_id = f.finding_id
