-- One row per tax id and person who has it, had it or will have it (tax_id_changes): payroll and accounts are matched by it.
-- `persons_with_it` above 1 is a conflict: such an id decides nothing.
with
known as (
    select coalesce(m.survivor_id, r.person_id) as person_id, coalesce(g.tax_key, r.tax_id) as tax_key, r.tax_id
    from person_records as r
    left join merged_persons as m on m.person_id = r.person_id
    left join tax_id_groups as g on g.tax_id = r.tax_id
    where r.tax_id is not null
),
every as (
    select distinct k.person_id, k.tax_key, coalesce(g.tax_id, k.tax_id) as tax_id
    from known as k
    left join tax_id_groups as g on g.tax_key = k.tax_key
)
select e.*, c.persons_with_it
from every as e
inner join (select tax_key, count(distinct person_id) as persons_with_it from every group by tax_key) as c
    on c.tax_key = e.tax_key
