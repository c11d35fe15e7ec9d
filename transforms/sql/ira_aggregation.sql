-- One row per person, tax year and account: in the pool or not, why, and the value that goes (or would go) on line 6.
select
    p.person_id,
    p.tax_year,
    p.account_key,
    p.custodian,
    p.account_type,
    p.in_pool,
    p.why || case
        when v.form_5498_differs then '; value from Form 5498 box 5; the balance of that day said ' || usd(v.latest_value)
        when v.from_form_5498 then '; value from Form 5498 box 5'
        when v.december_31_value is null and v.net_flow_since <> 0
            then '; balance of ' || usd(v.latest_value) || ' carried forward by later events'
        else ''
    end as why,
    case
        when v.december_31_value is not null then v.december_31_value
        when r.as_of <= p.year_end then v.projected_value
    end as market_value,
    case
        when v.december_31_value is not null then p.year_end
        when r.as_of <= p.year_end and v.projected_value is not null then v.latest_as_of
    end as as_of,
from pool_accounts as p
inner join account_values as v on v.account_key = p.account_key and v.tax_year = p.tax_year
cross join run as r
