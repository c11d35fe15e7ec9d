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
    select custodian, account_number from account_years
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
    having min(known.account_key) = max(known.account_key)
),
-- Masks are few lengths at a custodian: cut to those, endings are joined as equals, never every number with every other.
masked_refs as (
    select custodian, account_number, ltrim(account_number, '*') as ending from refs where account_number like '*%'
),
masked_known as (
    select custodian, account_key, ltrim(account_number, '*') as ending from known where account_number like '*%'
),
ends_fit as (
    select m.custodian, m.account_number, k.account_key
    from known as k
    inner join (select distinct custodian, length(ending) as n from masked_refs) as l on l.custodian = k.custodian
    inner join masked_refs as m
        on m.custodian = k.custodian and m.ending = right(ltrim(k.account_number, '*'), l.n) and length(m.ending) = l.n
    union all
    select r.custodian, r.account_number, k.account_key
    from refs as r
    inner join (select distinct custodian, length(ending) as n from masked_known) as l on l.custodian = r.custodian
    inner join masked_known as k
        on k.custodian = r.custodian and k.ending = right(r.account_number, l.n) and length(k.ending) = l.n
),
by_ending as (
    select custodian, account_number, min(account_key) as account_key
    from ends_fit
    group by custodian, account_number
    having min(account_key) = max(account_key)
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
