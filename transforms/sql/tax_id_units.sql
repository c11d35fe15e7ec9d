-- One row per tax id somebody of the book has, had or will have: the unit its payroll is computed with.
select tax_id, 'p:' || min(person_id) as unit
from person_tax_ids
group by tax_id
