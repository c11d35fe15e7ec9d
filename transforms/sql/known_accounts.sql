-- One row per account. What the firm says of an account wins over what the custodian's file says, field by
-- field; a different account type from the custodian is kept beside it, for the person to be marked REVIEW.
with
rows as (
    select
        coalesce(refs.account_key, coalesce(a.custodian, '?') || ':' || a.account_number) as account_key,
        a.*,
        a.profile like 'house-%' as from_firm,
    from accounts as a
    left join account_refs as refs
        on refs.custodian is not distinct from a.custodian and refs.account_number = a.account_number
),
-- accounts that only appear in transactions or balances are accounts nobody described
mentioned as (
    select distinct coalesce(refs.account_key, coalesce(t.custodian, '?') || ':' || t.account_number) as account_key
    from (
        select custodian, account_number from transactions
        union
        select custodian, account_number from balances
    ) as t
    left join account_refs as refs
        on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
),
merged as (
    select
        account_key,
        max(custodian) as custodian,
        coalesce(max(account_type) filter (from_firm), max(account_type) filter (not from_firm)) as account_type,
        max(account_type) filter (from_firm) as firm_type,
        max(account_type) filter (not from_firm and account_type <> 'other') as custodian_type,
        max(custodian_code) filter (account_type = 'other') as unmapped_type_code,
        coalesce(max(person_id) filter (from_firm), max(person_id)) as stated_person_id,
        coalesce(max(owner_tax_id) filter (from_firm), max(owner_tax_id)) as owner_tax_id,
        coalesce(max(rep_code) filter (from_firm), max(rep_code)) as rep_code,
        coalesce(max(plan_id) filter (from_firm), max(plan_id)) as plan_id,
        max(inherited_from) as inherited_from,
        coalesce(max(beneficiary_is_spouse) filter (from_firm), max(beneficiary_is_spouse)) as beneficiary_is_spouse,
        coalesce(max(treated_as_own) filter (from_firm), max(treated_as_own)) as treated_as_own,
        max(simple_first_contribution_date) as simple_first_contribution_date,
        coalesce(max(opened_on) filter (from_firm), max(opened_on)) as opened_on,
        coalesce(max(closed_on) filter (from_firm), max(closed_on)) as closed_on,
        arg_min(source_file, (not from_firm, source_file, source_line)) as source_file,
        arg_min(source_line, (not from_firm, source_file, source_line)) as source_line,
    from rows
    group by account_key
),
every as (
    select * from merged
    union all by name
    select account_key, split_part(account_key, ':', 1) as custodian
    from mentioned
    where account_key not in (select account_key from merged)
),
owners as (
    select tax_id, min(person_id) as person_id
    from persons
    where tax_id is not null
    group by tax_id
    having count(*) = 1
)
select
    every.* exclude (stated_person_id),
    stated_person_id,
    -- a tax id alone never decides an entity, a minor's or an inherited account
    coalesce(
        persons.person_id,
        case
            when stated_person_id is null
                and every.account_type not in ('trust', 'inherited_traditional_ira', 'inherited_roth_ira', '529')
                then owners.person_id
        end
    ) as person_id,
    firm_type is not null and custodian_type is not null
        and firm_type <> custodian_type
        and (is_traditional_kind(firm_type) <> is_traditional_kind(custodian_type)
             or is_roth_kind(firm_type) <> is_roth_kind(custodian_type)) as type_conflict,
from every
left join persons on persons.person_id = every.stated_person_id
left join owners on owners.tax_id = every.owner_tax_id
