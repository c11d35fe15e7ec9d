-- One row per kind of form, custodian and tax year of the run of which the book has a form: then one that isn't here is missing.
with
forms as (
    select '5498' as form, custodian, account_number, tax_year from form_5498
    union
    select '1099-R', custodian, account_number, tax_year from form_1099r
)
select distinct
    f.form,
    split_part(coalesce(refs.account_key, coalesce(f.custodian, '?') || ':' || f.account_number), ':', 1) as custodian,
    f.tax_year,
from forms as f
inner join year_limits as y on y.tax_year = f.tax_year
left join account_refs as refs
    on refs.custodian is not distinct from f.custodian and refs.account_number = f.account_number
