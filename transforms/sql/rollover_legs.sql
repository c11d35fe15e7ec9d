-- One row per rollover or trustee transfer that left a pool account of a person: whether the money came back into a pool
-- account of the same person within 60 days, and when. One that reached a Roth IRA is a conversion, not here.
with
own as (
    -- whether an account is in the pool is the same in every year of the run
    select account_key, bool_or(in_pool) as in_pool
    from pool_accounts
    group by account_key
)
select
    p.person_id,
    p.out_account_key as account_key,
    p.out_type as transaction_type,
    p.left_on,
    year(p.left_on) as event_year,
    p.counted_amount as amount,
    case when into_own.in_pool then p.arrived_on end as arrived_on,
    date_add(p.left_on, interval 60 day)::date as last_day,
    (select as_of from run) > date_add(p.left_on, interval 60 day)::date as window_closed,
from event_pairs as p
inner join own on own.account_key = p.out_account_key and own.in_pool
left join own as into_own on into_own.account_key = p.in_account_key
where p.out_type in ('rollover_out', 'trustee_transfer_out') and p.kind <> 'conversion_in_fact'
