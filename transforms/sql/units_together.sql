-- Pairs of units (p: a person, a: an account of nobody, t: a tax id of nobody, l: a plan whose row was set aside) that a result
-- of one of them may need the other for. Whoever adds a step that reads a second person's rows adds the pair here.
with
set_aside as (
    select person_id, custodian, account_number, owner_tax_id, case when kind = 'plans' then plan_id end as plan_id
    from intake_rejects
    union
    select person_id, custodian, account_number, null, null from corrections
    union
    select person_id, custodian, account_number, null, null from row_fixes
),
named_by_a_row as (
    select
        list_filter(
            ['p:' || r.person_id, a.unit, coalesce(t.unit, 't:' || r.owner_tax_id), 'l:' || r.plan_id],
            lambda unit: unit is not null) as units,
    from set_aside as r
    left join account_units as a
        on a.custodian is not distinct from r.custodian and a.account_number = r.account_number
    left join tax_id_units as t on t.tax_id = r.owner_tax_id
),
forms as (
    select custodian, account_number, owner_tax_id from form_5498
    union
    select custodian, account_number, owner_tax_id from form_1099r
),
pairs as (
    -- limits of a joint return rest on the spouse's profile and contributions
    select 'p:' || person_id as one, 'p:' || spouse_person_id as two from persons
    union all
    select 'p:' || person_id, 'p:' || survivor_id from merged_persons
    union all
    -- what a suggested link would add is the other one's
    select case c.kind_l when 'person' then 'p:' else 'a:' end || c.record_l, 'p:' || c.record_r
    from scored_links as s
    inner join link_candidates as c on c.suggestion_id = s.suggestion_id
    union all
    select a.unit, 'p:' || o.person_id
    from owner_conflicts as o
    inner join account_units as a on a.account_key = o.account_key
    union all
    -- payroll of a shared tax id is a question to all who have it
    select t.unit, 'p:' || p.person_id
    from person_tax_ids as p
    inner join tax_id_units as t on t.tax_id = p.tax_id
    union all
    -- an account says the birth date of whoever has its tax id
    select a.unit, 'p:' || p.person_id
    from account_tax_ids as t
    inner join person_tax_ids as p on p.tax_key = t.tax_key
    inner join account_units as a on a.account_key = t.account_key
    union all
    -- a form of an account the book doesn't have is of whoever has its tax id
    select a.unit, 'p:' || p.person_id
    from forms as f
    inner join account_units as a
        on a.custodian is not distinct from f.custodian and a.account_number = f.account_number and starts_with(a.unit, 'a:')
    inner join persons as p on p.tax_id = f.owner_tax_id
    union all
    select units[1], unnest(units[2:]) from named_by_a_row
    union all
    -- a plan whose row was set aside blocks everybody in it
    select 'l:' || r.plan_id, 'p:' || c.person_id
    from intake_rejects as r
    inner join plan_contributions as c on c.plan_id = r.plan_id
    where r.kind = 'plans'
)
select distinct least(one, two) as one, greatest(one, two) as two
from pairs
where one <> two
