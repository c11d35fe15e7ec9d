-- One row per rollover or trustee transfer that left a traditional IRA of a person: whether the money came back into a
-- traditional IRA of the same person within 60 days, and when. One that reached a Roth IRA is a conversion, not here.
select
    person_id,
    out_account_key as account_key,
    out_type as transaction_type,
    left_on,
    year(left_on) as event_year,
    counted_amount as amount,
    case when is_traditional_kind(in_account_type) then arrived_on end as arrived_on,
    date_add(left_on, interval 60 day)::date as last_day,
    (select as_of from run) > date_add(left_on, interval 60 day)::date as window_closed,
from event_pairs
where out_type in ('rollover_out', 'trustee_transfer_out') and is_traditional_kind(out_account_type)
    and kind <> 'conversion_in_fact'
