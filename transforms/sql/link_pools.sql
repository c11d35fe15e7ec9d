-- One row per suggested link, person whose IRA pool it would add to, and tax year: what would be added to line 6, as a value
-- of December 31 and as the latest one (null: not known). A link of two persons has a row for each of them.
with
suggested as (
    select s.suggestion_id, s.probability, s.agrees, c.kind_l as kind, c.record_l, c.record_r
    from scored_links as s
    inner join link_candidates as c on c.suggestion_id = s.suggestion_id
),
sides as (
    select *, record_r as person_id, case when kind = 'person' then record_l end as other_person_id,
        case when kind = 'account' then record_l end as account_key,
    from suggested
    union all by name
    select *, record_l as person_id, record_r as other_person_id, null as account_key
    from suggested
    where kind = 'person'
),
values_of_accounts as (
    select
        coalesce(refs.account_key, coalesce(b.custodian, '?') || ':' || b.account_number) as account_key,
        b.as_of, b.market_value, coalesce(refs.is_old_number, false) as is_old_number,
    from balances as b
    left join account_refs as refs
        on refs.custodian is not distinct from b.custodian and refs.account_number = b.account_number
    where coalesce(b.coverage, 'full') = 'full'
),
box_5 as (
    select refs.account_key, f.tax_year, max(f.box_5_fair_market_value) as market_value
    from form_5498 as f
    inner join account_refs as refs
        on refs.custodian is not distinct from f.custodian and refs.account_number = f.account_number
    group by all
),
accounts_added as (
    select
        s.account_key, y.tax_year,
        is_traditional_kind(any_value(a.account_type)) as adds_ira,
        any_value(case when a.closed_on <= lesser(y.year_end, r.as_of) or a.opened_on > y.year_end then 0 end) as gone,
        coalesce(
            any_value(b5.market_value),
            arg_min(v.market_value, (v.is_old_number, v.market_value)) filter (v.as_of = y.year_end),
            gone
        ) as december_31,
        coalesce(
            gone,
            arg_max(v.market_value, (v.as_of, not v.is_old_number, v.market_value)) filter (v.as_of <= lesser(y.year_end, r.as_of))
        ) as projected,
    from (select distinct account_key from sides where kind = 'account') as s
    inner join known_accounts as a on a.account_key = s.account_key
    cross join year_limits as y
    cross join run as r
    left join values_of_accounts as v on v.account_key = s.account_key
    left join box_5 as b5 on b5.account_key = s.account_key and b5.tax_year = y.tax_year
    group by s.account_key, y.tax_year
)
select
    s.suggestion_id, s.kind, s.person_id, y.tax_year, s.other_person_id, s.account_key, s.probability, s.agrees,
    case when s.kind = 'account' then coalesce(a.adds_ira, false) else coalesce(p.accounts_in_pool, 0) > 0 end as adds_ira,
    case
        when not adds_ira then 0
        when s.kind = 'account' then a.december_31
        when p.all_december_31 then p.december_31_total
    end as december_31_added,
    case
        when not adds_ira then 0
        when s.kind = 'account' then a.projected
        when p.all_projected then p.projected_total
    end as projected_added,
from sides as s
cross join year_limits as y
left join accounts_added as a on a.account_key = s.account_key and a.tax_year = y.tax_year
left join pool_totals as p on p.person_id = s.other_person_id and p.tax_year = y.tax_year
