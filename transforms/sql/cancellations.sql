-- One row per row that takes another one back (a cancelled trade, a reversed contribution): the row it takes back, or null
-- where the book has none. Named by transaction_id, or else the latest standing row before it of the same account,
-- type, amount and tax year (for trades: of the code the custodian's profile says it cancels). Only a linked pair nets out.
with
named as (
    select c.event_id, o.event_id as taken_back
    from stated_events as c
    inner join stated_events as o
        on o.account_key = c.account_key
        and o.transaction_id = c.cancels_transaction_id
        and o.transaction_type = c.transaction_type
        and o.amount = c.amount
        and not o.takes_back
    where c.cancels_transaction_id is not null
    qualify row_number() over (partition by o.event_id order by c.event_id) = 1
        and row_number() over (partition by c.event_id order by o.event_id) = 1
),
with_cancels as (
    select distinct account_key from stated_events where takes_back and cancels_transaction_id is null
),
tax_rows as (
    select
        e.event_id, e.account_key, e.transaction_type || ':' || e.contribution_year as sort_of, e.amount, e.trade_date,
        e.takes_back,
    from stated_events as e
    inner join with_cancels using (account_key)
    where e.cancels_transaction_id is null and e.event_id not in (select taken_back from named)
),
trades_with_cancels as (
    select distinct custodian, account_number from kept_transactions where transaction_type = 'market' and reverses is not null
),
trades as (
    select
        t.custodian || ':' || t.account_number || ':' || t.transaction_id as event_id,
        t.custodian || ':' || t.account_number as account_key,
        coalesce(t.reverses, t.custodian_code) as sort_of,
        t.amount,
        t.trade_date,
        t.reverses is not null as takes_back,
    from kept_transactions as t
    inner join trades_with_cancels using (custodian, account_number)
    where t.transaction_type = 'market' and t.trade_date <= (select as_of from run)
),
-- originals go up a level, cancels come down: at one level they alternate, and a cancel meets the latest original
levels as (
    select
        *,
        sum(case when takes_back then -1 else 1 end) over alike + case when takes_back then 1 else 0 end as level,
    from (select * from tax_rows union all by name select * from trades)
    window alike as (
        partition by account_key, sort_of, amount order by trade_date, takes_back, event_id
        rows between unbounded preceding and current row)
),
met as (
    select
        event_id,
        takes_back,
        lag(event_id) over before as event_before,
        lag(takes_back) over before as before_takes_back,
    from levels
    window before as (partition by account_key, sort_of, amount, level order by trade_date, takes_back, event_id)
),
links as (
    select event_id, taken_back from named
    union all
    select event_id, event_before as taken_back from met where takes_back and not before_takes_back
)
select
    t.custodian,
    t.account_number,
    t.transaction_id,
    t.custodian || ':' || t.account_number || ':' || t.transaction_id as event_id,
    o.transaction_id as cancels_transaction_id,
    l.taken_back,
    t.transaction_type,
    t.amount,
    t.trade_date,
    o.trade_date as taken_back_date,
    t.source_file,
    t.source_line,
    o.source_file as taken_back_file,
    o.source_line as taken_back_line,
from kept_transactions as t
left join links as l on l.event_id = t.custodian || ':' || t.account_number || ':' || t.transaction_id
left join kept_transactions as o on o.custodian || ':' || o.account_number || ':' || o.transaction_id = l.taken_back
where t.trade_date <= (select as_of from run) and (
    t.reverses is not null or t.cancels_transaction_id is not null
    or t.custodian || ':' || t.account_number || ':' || t.transaction_id in (select event_id from stated_events where takes_back))
