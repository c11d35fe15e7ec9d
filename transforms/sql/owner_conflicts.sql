-- One row per retirement account whose owner is contested and person it may belong to (null if nobody of the book): why, and
-- what that makes of the person's results. UNKNOWN where nobody could be chosen, REVIEW where one statement outranks the
-- other. Authority: IRC 408(d)(2) counts every IRA of one person, and none of another's.
with
contested as (
    select
        a.account_key, a.person_id, a.stated_person_id, a.stated_apart, a.person_of_tax_id, a.owner_from, a.tax_id_cannot_decide,
        link.person_ids as linked_ids, link.all_in_book, t.tax_keys,
        case
            when len(link.person_ids) > 1 then 'two_links'
            when link.all_in_book is false then 'link_to_nobody'
            when a.owner_from = 'link' and a.stated_person_id <> a.person_id then 'link_against_accounts_file'
            when a.owner_from = 'accounts file' and a.stated_apart is not null then 'two_persons_stated'
            when t.tax_keys > 1 and tax_id_cannot_decide is not true then 'two_tax_ids'
            when a.owner_from in ('link', 'accounts file') and a.person_of_tax_id <> a.person_id
                and a.tax_id_cannot_decide is not true then 'tax_id_of_another'
            when a.owner_from is null and t.shared and a.tax_id_cannot_decide is not true then 'tax_id_of_two_persons'
            when r.account_key is not null then 'renumbering_unclear'
        end as why,
    from known_accounts as a
    left join crosswalk as link on link.account_key = a.account_key
    left join (
        select a.account_key, count(distinct a.tax_key) as tax_keys, bool_or(coalesce(p.persons_with_it > 1, false)) as shared
        from account_tax_ids as a
        left join person_tax_ids as p on p.tax_key = a.tax_key
        group by a.account_key
    ) as t on t.account_key = a.account_key
    left join (
        select distinct custodian || ':' || unnest(numbers) as account_key from renumberings where unclear
    ) as r on r.account_key = a.account_key
    where is_ira_or_unknown(a.account_type)
),
named as (
    select account_key, person_id from contested where why is not null
    union
    select account_key, stated_person_id from contested where why is not null
    union
    select account_key, unnest(stated_apart) from contested where why is not null
    union
    select account_key, unnest(linked_ids) from contested where why is not null
    union
    select c.account_key, p.person_id
    from contested as c
    inner join account_tax_ids as t on t.account_key = c.account_key
    inner join person_tax_ids as p on p.tax_key = t.tax_key
    where c.why is not null and c.tax_id_cannot_decide is not true
),
candidates as (
    select n.account_key, p.person_id
    from named as n
    inner join persons as p on p.person_id = n.person_id
)
select
    c.account_key,
    n.person_id,
    c.why,
    c.person_id as counted_for,
    case when c.person_id is null or c.why = 'renumbering_unclear' then 'UNKNOWN' else 'REVIEW' end as makes,
    'account_owner_contested: ' || case c.why
        when 'two_links' then 'approved links give account ' || shown_account(c.account_key) || ' to more than one person at a time'
        when 'link_to_nobody' then 'an approved link gives account ' || shown_account(c.account_key)
            || ' to a person who is not in the persons file'
        when 'link_against_accounts_file' then 'account ' || shown_account(c.account_key) || ' is counted for ' || c.person_id
            || ' by an approved link, but the accounts file says ' || c.stated_person_id
        when 'two_persons_stated' then 'the accounts file gives account ' || shown_account(c.account_key)
            || ' to one person under its old number and to another under its new one'
        when 'two_tax_ids' then 'account ' || shown_account(c.account_key) || ' has two different owner tax ids'
        when 'tax_id_of_another' then 'account ' || shown_account(c.account_key) || ' is counted for ' || c.person_id
            || ' but bears the tax id of ' || c.person_of_tax_id
        when 'tax_id_of_two_persons' then 'account ' || shown_account(c.account_key)
            || ' bears a tax id that is stated for several persons'
        else 'account ' || shown_account(c.account_key) || ' may be one with another: its renumbering is not clear' end as reason,
from contested as c
left join candidates as n on n.account_key = c.account_key
where c.why is not null
