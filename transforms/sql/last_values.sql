-- One row per account with a balance: its newest value, whatever tax year it belongs to, and of which day. Of one day it is the
-- one under the newer number.
select
    coalesce(refs.account_key, coalesce(b.custodian, '?') || ':' || b.account_number) as account_key,
    arg_max(b.market_value, (b.as_of, not coalesce(refs.is_old_number, false), b.account_number)) as market_value,
    max(b.as_of) as as_of,
    arg_max(b.profile, (b.as_of, not coalesce(refs.is_old_number, false), b.account_number)) as profile,
from balances as b
left join account_refs as refs
    on refs.custodian is not distinct from b.custodian and refs.account_number = b.account_number
group by all
