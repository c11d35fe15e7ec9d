-- One row per account as any file names it (custodian may be null, number may be a mask): the one known
-- account it is, or null where none or several fit. Masks are never joined on their own: the visible ending must
-- fit exactly one of the accounts known at that custodian. An old number (renumbered_accounts) is the account that has the new.
with
known as (
    select distinct a.custodian, a.account_number, a.custodian || ':' || coalesce(r.account_number, a.account_number) as account_key
    from accounts as a
    left join renumberings as r
        on r.custodian = a.custodian and r.old_account_number = a.account_number and not r.unclear
    where a.profile like 'house-%' or a.account_number not like '*%'
    union
    select custodian, old_account_number, custodian || ':' || account_number from renumberings where not unclear
    union
    select custodian, account_number, custodian || ':' || account_number from renumberings where not unclear
),
refs as (
    select custodian, account_number from accounts
    union
    select custodian, account_number from balances
    union
    select custodian, account_number from transactions
    union
    select custodian, account_number from form_5498
    union
    select custodian, account_number from form_1099r
    union
    select custodian, account_number from intake_rejects where account_number is not null
    union
    select custodian, account_number from account_links
    union
    select custodian, old_account_number from renumbered_accounts
    union
    select custodian, account_number from renumbered_accounts
),
exact as (
    select refs.custodian, refs.account_number, min(known.account_key) as account_key
    from refs
    inner join known
        on known.account_number = refs.account_number
        and (refs.custodian is null or known.custodian = refs.custodian)
    group by refs.custodian, refs.account_number
    having count(distinct known.account_key) = 1
),
by_ending as (
    select refs.custodian, refs.account_number, min(known.account_key) as account_key
    from refs
    inner join known
        on known.custodian = refs.custodian
        and (
            (refs.account_number like '*%' and ends_with(ltrim(known.account_number, '*'), ltrim(refs.account_number, '*')))
            or (known.account_number like '*%' and ends_with(refs.account_number, ltrim(known.account_number, '*')))
        )
    group by refs.custodian, refs.account_number
    having count(distinct known.account_key) = 1
)
select
    refs.custodian,
    refs.account_number,
    coalesce(exact.account_key, by_ending.account_key) as account_key,
    renumberings.old_account_number is not null as is_old_number,
from refs
left join renumberings
    on renumberings.custodian = refs.custodian and renumberings.old_account_number = refs.account_number
    and not renumberings.unclear
left join exact
    on exact.custodian is not distinct from refs.custodian and exact.account_number = refs.account_number
left join by_ending
    on by_ending.custodian is not distinct from refs.custodian and by_ending.account_number = refs.account_number
