-- One row per person whose tax id another person of the book has too, with the others.
select
    p.person_id,
    string_agg(distinct other.person_id, ', ' order by other.person_id) as others,
from person_tax_ids as p
inner join person_tax_ids as other on other.tax_key = p.tax_key and other.person_id <> p.person_id
group by p.person_id
