-- One row per account. What the firm says of an account wins over what the custodian's file says, field by
-- field; a different account type from the custodian is kept beside it, for the person to be marked REVIEW.
-- Whose it is: an approved link, then the accounts file's person_id, then the tax id where that alone may decide.
with
rows as not materialized (
    select
        coalesce(refs.account_key, coalesce(a.custodian, '?') || ':' || a.account_number) as account_key,
        a.*,
        a.profile like 'house-%' as from_firm,
        coalesce(refs.is_old_number, false) as is_old_number,
    from accounts as a
    left join account_refs as refs
        on refs.custodian is not distinct from a.custodian and refs.account_number = a.account_number
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
        min(person_id) filter (from_firm) <> max(person_id) filter (from_firm) as is_stated_apart,
        coalesce(max(owner_tax_id) filter (from_firm), max(owner_tax_id)) as owner_tax_id,
        coalesce(max(owner_name) filter (from_firm), max(owner_name)) as owner_name,
        coalesce(max(owner_birth_date) filter (from_firm), max(owner_birth_date)) as owner_birth_date,
        coalesce(max(rep_code) filter (from_firm), max(rep_code)) as rep_code,
        coalesce(max(plan_id) filter (from_firm), max(plan_id)) as plan_id,
        max(inherited_from) as inherited_from,
        coalesce(max(beneficiary_is_spouse) filter (from_firm), max(beneficiary_is_spouse)) as beneficiary_is_spouse,
        coalesce(max(treated_as_own) filter (from_firm), max(treated_as_own)) as treated_as_own,
        max(simple_first_contribution_date) as simple_first_contribution_date,
        -- where the number changed, the account was opened under the old one and is closed only if the new one is
        coalesce(min(opened_on) filter (is_old_number), max(opened_on) filter (from_firm), max(opened_on)) as opened_on,
        coalesce(
            max(closed_on) filter (from_firm and not is_old_number), max(closed_on) filter (not is_old_number)) as closed_on,
        arg_min(source_file, (not from_firm, source_file, source_line)) as source_file,
        arg_min(source_line, (not from_firm, source_file, source_line)) as source_line,
    from rows
    group by account_key
),
-- an old and a new number of one account may name two persons
stated_apart as (
    select account_key, list_sort(list(distinct person_id)) as stated_apart
    from rows
    where from_firm and account_key in (select account_key from merged where is_stated_apart)
    group by account_key
),
undescribed as (
    select custodian, account_number, coalesce(account_key, coalesce(custodian, '?') || ':' || account_number) as key
    from account_refs
    where key not in (select account_key from merged)
),
-- accounts that only appear in transactions or balances are accounts nobody described
mentioned as (
    select distinct u.key as account_key
    from undescribed as u
    inner join (
        select custodian, account_number from account_years
        union all
        select custodian, account_number from balances
    ) as t on t.custodian is not distinct from u.custodian and t.account_number = u.account_number
),
every as (
    select m.* exclude (is_stated_apart), a.stated_apart
    from merged as m
    left join stated_apart as a on a.account_key = m.account_key
    union all by name
    select account_key, split_part(account_key, ':', 1) as custodian
    from mentioned
),
-- accounts with one owner tax id that is one person's
owners as (
    select a.account_key, min(p.person_id) as person_id
    from account_tax_ids as a
    left join person_tax_ids as p on p.tax_key = a.tax_key and p.persons_with_it = 1
    group by a.account_key
    having min(a.tax_key) = max(a.tax_key)
),
judged as (
    select
        every.*,
        -- a tax id alone never decides the account of an entity (its EIN may have the digits of somebody's number), of a minor,
        -- or one that was inherited
        every.account_type in ('trust', '529', '401k', 'roth_401k', '401a', 'inherited_traditional_ira', 'inherited_roth_ira')
            or every.inherited_from is not null
            or coalesce(every.owner_birth_date, by_tax_id.birth_date) > run.as_of - interval 18 year as tax_id_cannot_decide,
        owners.person_id as person_of_tax_id,
        link.account_key is not null as has_link,
        linked.person_id as person_of_link,
        stated.person_id as person_of_accounts_file,
    from every
    cross join run
    left join crosswalk as link on link.account_key = every.account_key
    left join persons as linked on linked.person_id = link.person_id
    left join persons as stated on stated.person_id = every.stated_person_id and every.stated_apart is null
    left join owners on owners.account_key = every.account_key
    left join persons as by_tax_id on by_tax_id.person_id = owners.person_id
)
select
    * exclude (has_link, person_of_link, person_of_accounts_file),
    case
        when has_link then person_of_link
        when stated_person_id is not null then person_of_accounts_file
        when tax_id_cannot_decide is not true then person_of_tax_id
    end as person_id,
    case
        when has_link then 'link'
        when stated_person_id is not null then 'accounts file'
        when person_of_tax_id is not null and tax_id_cannot_decide is not true then 'tax id'
    end as owner_from,
    firm_type is not null and custodian_type is not null
        and firm_type <> custodian_type
        and (is_traditional_kind(firm_type) <> is_traditional_kind(custodian_type)
             or is_roth_kind(firm_type) <> is_roth_kind(custodian_type)) as type_conflict,
from judged
