-- One row per transaction of the firm's own files on an account with a custodian row nobody can read yet: it may state what
-- that row was.
with
keyed as (
    select *, coalesce(account_key, coalesce(custodian, '?') || ':' || account_number) as any_key from account_refs
),
unread as (
    select distinct keyed.any_key
    from kept_transactions as t
    inner join keyed on keyed.custodian is not distinct from t.custodian and keyed.account_number = t.account_number
    where t.transaction_type = 'unclassified' and t.amount > 0 and t.trade_date <= (select as_of from run)
)
select t.custodian, t.account_number, keyed.any_key as account_key, t.amount, t.trade_date
from transactions as t
inner join keyed on keyed.custodian is not distinct from t.custodian and keyed.account_number = t.account_number
where t.profile like 'house-%' and t.amount > 0 and t.trade_date <= (select as_of from run)
    and keyed.any_key in (select any_key from unread)
