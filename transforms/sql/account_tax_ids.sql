-- One row per account and owner tax id that an accounts file, Form 5498 or Form 1099-R states for it; ids of one person
-- (tax_id_changes) are one.
with
stated as (
    select custodian, account_number, owner_tax_id, source_file, source_line from accounts
    union all
    select custodian, account_number, owner_tax_id, source_file, source_line from form_5498
    union all
    select custodian, account_number, owner_tax_id, source_file, source_line from form_1099r
)
select
    coalesce(refs.account_key, coalesce(s.custodian, '?') || ':' || s.account_number) as account_key,
    coalesce(g.tax_key, s.owner_tax_id) as tax_key,
    min(s.source_file || ':' || s.source_line) as stated_in,
from stated as s
left join account_refs as refs
    on refs.custodian is not distinct from s.custodian and refs.account_number = s.account_number
left join tax_id_groups as g on g.tax_id = s.owner_tax_id
where s.owner_tax_id is not null
group by all
