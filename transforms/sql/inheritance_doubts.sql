-- One row per person, account and tax year whose registration and flags say different things about whether the IRA is
-- inherited, or whose surviving spouse hasn't said whether it is treated as own: why, and what line 18 would be with the account
-- in the pool less what it would be without (null where that can't be told). Statements that agree are left alone, and so is
-- what the firm has decided (treated_as_own stated, and nothing in the account that contradicts it).
-- Authority: IRC 408(d)(3)(C); Reg. 1.408-8(c): a surviving spouse's election, by redesignating or by contributing.
with
used as (
    -- only an owner contributes to an IRA, and only an owner converts it
    select account_key, min(trade_date) as first_on
    from tax_events
    where transaction_type in ('contribution', 'roth_conversion_out')
    group by account_key
),
doubted as (
    select
        p.person_id, p.tax_year, p.account_key, p.in_pool,
        p.account_type = 'inherited_traditional_ira' as registered_inherited,
        case
            when p.account_type = 'inherited_traditional_ira' then case
                when p.in_pool is null then p.why
                when p.treated_as_own and p.beneficiary_is_spouse is null
                    then 'treated as own, but whether it came from the spouse is not stated, and nobody else may do that'
                when not p.in_pool and used.first_on <= p.year_end
                    then 'stated as not treated as own, but a contribution or conversion of ' || long_date(used.first_on)
                        || ' is something only an owner can do'
            end
            when not is_traditional_kind(p.account_type) then null
            when p.in_pool is null then p.why
            when p.inherited_from is null and p.beneficiary_is_spouse and p.treated_as_own is not true
                then 'registered as an own IRA, and the accounts file says that the beneficiary is the spouse'
            when p.inherited_from is null and p.treated_as_own is not true and regexp_matches(lower(p.owner_name),
                    '\b(decd|dec''d|deceased|inherited|inh ira|bda|bene ira|beneficiary (ira|of))\b')
                then 'registered as an own IRA, but the name it is registered in reads as an inherited one'
        end as why,
    from pool_accounts as p
    left join used on used.account_key = p.account_key
    where coalesce(p.closed_on > make_date(p.tax_year, 1, 1), true)
),
priced as (
    select
        d.*,
        v.projected_value as market_value,
        coalesce(w.converted, 0) as converted,
        coalesce(w.distributions + w.withholding, 0) as paid_out,
        b.basis + l.nondeductible_contributions + coalesce(w.after_tax_rolled_in, 0) as basis,
        case when coalesce(t.all_projected, true) then coalesce(t.projected_total, 0) end
            - case when d.in_pool then v.projected_value else 0 end as others,
        others + converted + paid_out as total_without,
        others + v.projected_value + converted + paid_out as total_with,
    from doubted as d
    inner join account_values as v on v.account_key = d.account_key and v.tax_year = d.tax_year
    left join ira_flows as w on w.person_id = d.person_id and w.tax_year = d.tax_year
    left join ira_basis as b on b.person_id = d.person_id and b.tax_year = d.tax_year - 1
    left join ira_limits as l on l.person_id = d.person_id and l.tax_year = d.tax_year
    left join pool_totals as t on t.person_id = d.person_id and t.tax_year = d.tax_year
    where d.why is not null
)
select
    person_id, tax_year, account_key, in_pool, registered_inherited, why, market_value, converted, paid_out,
    case when converted > 0 then
        mul_div(converted, lesser(basis, total_without), total_without) - mul_div(converted, lesser(basis, total_with), total_with)
    end as swing,
from priced
