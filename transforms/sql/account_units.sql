-- One row per account as any file names it: the account it is, and the unit it is computed with: its owner, or itself where
-- nobody owns it.
with
named as (
    select
        custodian, account_number,
        coalesce(account_key, coalesce(custodian, '?') || ':' || account_number) as account_key,
    from account_refs
)
select n.*, coalesce('p:' || a.person_id, 'a:' || n.account_key) as unit
from named as n
left join known_accounts as a on a.account_key = n.account_key
