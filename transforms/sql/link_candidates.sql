-- One row per pair of records worth scoring: they share a key (tax id, birth date, household or family name, with the first
-- letter of the given name) and nothing known says that they are two humans: no two tax ids, no far birth dates, no other given
-- name, no marriage, no other generation, no rejected answer. A key shared by more than $most_alike records tells nothing and is left out.
with
keys as (
    select half, kind, record, unnest(list_filter(
        [
            't:' || tax_key,
            'b:' || birth_date || left(given, 1),
            'h:' || household_id || '|' || left(given, 1),
            'f:' || left(family, 4) || '|' || given,
        ] || list_transform(string_split(family, ' '), lambda w: 'n:' || w || '|' || left(given, 1)),
        lambda k: k is not null)) as key,
    from link_records
),
telling as (
    select * from keys
    where key in (select key from keys group by key having count(*) between 2 and $most_alike)
),
met as (
    select distinct a.half as one, b.half as two
    from telling as a
    inner join telling as b on b.key = a.key and b.half <> a.half
    where b.kind = 'person' and (a.kind = 'account' or a.record < b.record)
)
select
    case when l.kind = 'account' then 'A-' else 'P-' end || l.half || '-' || r.half as suggestion_id,
    l.record as record_l, r.record as record_r, l.kind as kind_l,
    l.given as given_l, r.given as given_r, l.family as family_l, r.family as family_r,
    l.generation as generation_l, r.generation as generation_r,
    l.birth_date::varchar as birth_l, r.birth_date::varchar as birth_r,
    l.tax_key as tax_l, r.tax_key as tax_r,
    l.household_id as household_l, r.household_id as household_r,
    l.advisor_id as advisor_l, r.advisor_id as advisor_r,
from met
inner join link_records as l on l.half = met.one
inner join link_records as r on r.half = met.two
where coalesce(l.tax_key = r.tax_key, true)
    and (coalesce(l.tax_key = r.tax_key, false) or given_agrees(l.given, r.given))
    and coalesce(l.generation = r.generation, true)
    and coalesce(birth_agrees(l.birth_date::varchar, r.birth_date::varchar), true)
    and coalesce(r.person_id <> l.spouse_person_id, true)
    and coalesce(l.person_id <> r.spouse_person_id, true)
    and suggestion_id not in (select suggestion_id from decided_links where decision = 'reject')
