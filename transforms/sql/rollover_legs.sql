-- One row per rollover or trustee transfer that left a pool account of a person: whether the money came back into a
-- pool account of the same person within 60 days (an equal amount, pairwise by date), and when.
with
outs as (
    select
        e.*,
        row_number() over (
            partition by e.person_id, e.transaction_type, e.amount order by e.trade_date, e.account_key, e.transaction_id
        ) as occurrence,
    from tax_events as e
    where e.transaction_type in ('rollover_out', 'trustee_transfer_out') and is_traditional_kind(e.account_type)
),
ins as (
    select
        e.*,
        row_number() over (
            partition by e.person_id, e.transaction_type, e.amount order by e.trade_date, e.account_key, e.transaction_id
        ) as occurrence,
    from tax_events as e
    where e.transaction_type in ('rollover_in', 'trustee_transfer_in') and is_traditional_kind(e.account_type)
)
select
    outs.person_id,
    outs.account_key,
    outs.transaction_type,
    outs.trade_date as left_on,
    outs.event_year,
    outs.amount,
    ins.trade_date as arrived_on,
    date_add(outs.trade_date, interval 60 day)::date as last_day,
    (select as_of from run) > date_add(outs.trade_date, interval 60 day)::date as window_closed,
from outs
left join ins
    on ins.person_id = outs.person_id
    and ins.amount = outs.amount
    and ins.occurrence = outs.occurrence
    and left(ins.transaction_type, 8) = left(outs.transaction_type, 8)
    and ins.trade_date between outs.trade_date - interval 5 day and date_add(outs.trade_date, interval 60 day)
