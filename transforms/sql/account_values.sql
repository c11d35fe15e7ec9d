-- One row per person, account and tax year that is, or may be, in the pool: its value for line 6.
-- For a year that has ended only a value dated December 31 counts (Form 5498 box 5 before a balance). Before that the
-- latest full balance is carried forward by the tax events after it, and `basis` says projected.
with
stated as (
    select
        coalesce(refs.account_key, coalesce(b.custodian, '?') || ':' || b.account_number) as account_key,
        b.as_of, b.market_value, b.source_file, b.source_line, coalesce(refs.is_old_number, false) as is_old_number,
    from balances as b
    left join account_refs as refs
        on refs.custodian is not distinct from b.custodian and refs.account_number = b.account_number
    where coalesce(b.coverage, 'full') = 'full'
),
stated_twice as (
    select account_key, as_of from stated group by account_key, as_of having count(*) > 1
),
full_balances as (
    -- on one day an account has one value, under its newest number
    select * from stated anti join stated_twice using (account_key, as_of)
    union all
    select * from stated semi join stated_twice using (account_key, as_of)
    qualify row_number() over (partition by account_key, as_of order by is_old_number, source_file, source_line) = 1
),
delta_only as (
    select distinct coalesce(refs.account_key, coalesce(b.custodian, '?') || ':' || b.account_number) as account_key
    from balances as b
    left join account_refs as refs
        on refs.custodian is not distinct from b.custodian and refs.account_number = b.account_number
    where b.coverage = 'delta'
),
box_5 as (
    select
        refs.account_key,
        f.tax_year,
        max(f.box_5_fair_market_value) as market_value,
        min(f.source_file) as source_file,
        min(f.source_line) as source_line,
    from form_5498 as f
    inner join account_refs as refs
        on refs.custodian is not distinct from f.custodian and refs.account_number = f.account_number
    where f.box_5_fair_market_value is not null
    group by refs.account_key, f.tax_year
),
pool as (
    select p.person_id, p.account_key, p.tax_year, p.year_end, p.in_pool, p.opened_on, p.closed_on, r.as_of as run_as_of
    from pool_accounts as p
    cross join run as r
),
latest as (
    select
        p.account_key,
        p.tax_year,
        max(b.as_of) as as_of,
        arg_max(b.market_value, b.as_of) as market_value,
        arg_max(b.source_file, b.as_of) as source_file,
        arg_max(b.source_line, b.as_of) as source_line,
    from pool as p
    inner join full_balances as b
        on b.account_key = p.account_key and b.as_of <= lesser(p.run_as_of, p.year_end)
    group by p.account_key, p.tax_year
),
flows as (
    select
        l.account_key,
        l.tax_year,
        sum(flow_sign(e.transaction_type) * e.amount) as net_flow,
    from latest as l
    inner join pool as p on p.account_key = l.account_key and p.tax_year = l.tax_year
    inner join tax_events as e
        on e.account_key = l.account_key
        and e.trade_date > l.as_of
        and e.trade_date <= lesser(p.run_as_of, p.year_end)
    group by l.account_key, l.tax_year
)
select
    p.person_id,
    p.account_key,
    p.tax_year,
    p.in_pool,
    -- a December 31 value: exact day, box 5 first; an account not open on that day holds nothing
    coalesce(
        box_5.market_value,
        case when l.as_of = p.year_end then l.market_value end,
        case when p.closed_on <= lesser(p.year_end, p.run_as_of) or p.opened_on > p.year_end then 0 end
    ) as december_31_value,
    coalesce(
        case when p.closed_on <= lesser(p.year_end, p.run_as_of) or p.opened_on > p.year_end then 0 end,
        larger(0, l.market_value + coalesce(flows.net_flow, 0))
    ) as projected_value,
    l.market_value as latest_value,
    l.as_of as latest_as_of,
    coalesce(flows.net_flow, 0) as net_flow_since,
    box_5.market_value is not null as from_form_5498,
    box_5.market_value <> case when l.as_of = p.year_end then l.market_value end as form_5498_differs,
    delta_only.account_key is not null and l.as_of is null as only_delta,
    case when box_5.market_value is not null then box_5.source_file else l.source_file end as source_file,
    case when box_5.market_value is not null then box_5.source_line else l.source_line end as source_line,
from pool as p
left join latest as l on l.account_key = p.account_key and l.tax_year = p.tax_year
left join flows on flows.account_key = p.account_key and flows.tax_year = p.tax_year
left join box_5 on box_5.account_key = p.account_key and box_5.tax_year = p.tax_year
left join delta_only on delta_only.account_key = p.account_key
