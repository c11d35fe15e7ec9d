-- One row per person_id operations approved to be one human with another: the person_id that stands for both. It is the one
-- with a tax profile, then the lexically first. Spouses, and ids of which a rejected answer says that they are two humans,
-- are `contested`: nobody among them is merged, and a finding tells it.
with recursive
answered as (
    select a.person_id as one, b.person_id as two, d.decision
    from decided_links as d
    inner join persons as a on link_half('person', a.person_id) = d.one
    inner join persons as b on link_half('person', b.person_id) = d.two
    where d.kind = 'P'
),
steps as (
    select one, two from answered where decision = 'approve'
    union
    select two as one, one as two from answered where decision = 'approve'
),
reached as (
    select one, two from steps
    union
    select r.one, s.two
    from reached as r
    inner join steps as s on s.one = r.two
),
members as (
    select one as person_id, lesser(one, min(two)) as human
    from reached
    group by one
),
forbidden as (
    select one, two from answered where decision = 'reject'
    union
    select person_id as one, spouse_person_id as two from persons where spouse_person_id is not null
),
contested as (
    select distinct a.human
    from forbidden as f
    inner join members as a on a.person_id = f.one
    inner join members as b on b.person_id = f.two and b.human = a.human
)
select
    m.person_id,
    first_value(m.person_id) over (
        partition by m.human
        order by m.person_id not in (select person_id from tax_profiles), m.person_id
    ) as survivor_id,
    m.human in (select human from contested) as contested,
from members as m
