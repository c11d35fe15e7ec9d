-- One row per person, plan and tax year with after-tax money in the plan: what moving it to Roth would tax. With separate
-- accounting the sub-account is a contract of its own and only its earnings are taxed (72(d)(2)); without it every dollar
-- out is basis and pre-tax money in proportion to the whole plan account (72(e)(8)). Under Notice 2014-54 one distribution may
-- send its pre-tax part to a traditional IRA and its basis to a Roth IRA.
with
plan_balances as (
    select v.person_id, a.plan_id, v.tax_year, sum(v.projected_value) as plan_balance,
        bool_or(v.projected_value is null) as is_missing,
    from account_values as v
    inner join known_accounts as a on a.account_key = v.account_key
    where a.plan_id is not null and a.account_type in ('401k', 'roth_401k', '403b', '401a', 'tsp')
    group by all
),
statements as (
    -- two tax years' rows of one day are one statement of the sub-account; the later year's counts, unless they differ
    select
        person_id, plan_id, as_of,
        arg_max(after_tax_balance, tax_year) as after_tax_balance,
        arg_max(after_tax_basis, tax_year) as after_tax_basis,
        count(distinct after_tax_balance) > 1 or count(distinct after_tax_basis) > 1 as differ,
    from plan_contributions
    group by person_id, plan_id, as_of
),
conversions as (
    -- each conversion against the sub-account as last stated before it
    select
        e.person_id, a.plan_id, e.event_year as tax_year, e.amount,
        case when not s.differ then s.after_tax_balance end as after_tax_balance,
        case when not s.differ then s.after_tax_basis end as after_tax_basis,
        count(*) over (partition by e.person_id, a.plan_id, s.as_of) as conversions_on_one_statement,
    from tax_events as e
    inner join known_accounts as a on a.account_key = e.account_key and a.plan_id is not null
    asof left join statements as s
        on s.person_id = e.person_id and s.plan_id = a.plan_id and s.as_of < e.trade_date
    where e.transaction_type = 'in_plan_roth_conversion' and e.person_id is not null
        and e.event_year in (select tax_year from year_limits)
),
converted as (
    select
        person_id, plan_id, tax_year,
        sum(amount) as converted,
        sum(mul_div(amount, larger(0, after_tax_balance - after_tax_basis), after_tax_balance)) as taxable_separate,
        bool_or(after_tax_balance is null or after_tax_basis is null or after_tax_balance < amount
            or conversions_on_one_statement > 1) as base_unknown,
    from conversions
    group by all
),
facts as (
    -- a conversion in a year without a row of that year is a row too
    select
        coalesce(pl.person_id, c.person_id) as person_id,
        coalesce(pl.plan_id, c.plan_id) as plan_id,
        coalesce(pl.tax_year, c.tax_year) as tax_year,
        coalesce(p.employer_name, 'plan ' || coalesce(pl.plan_id, c.plan_id)) as employer_name,
        pl.after_tax_balance, pl.after_tax_basis, p.separate_after_tax_accounting,
        larger(0, pl.after_tax_balance - pl.after_tax_basis) as earnings,
        case when not coalesce(b.is_missing, true) and b.plan_balance >= pl.after_tax_balance then b.plan_balance end as plan_balance,
        c.converted,
        c.taxable_separate as converted_taxable,
        coalesce(c.base_unknown, false) as base_unknown,
        pl.after_tax_balance is null or pl.after_tax_basis is null as is_unknown,
        pl.after_tax_basis > pl.after_tax_balance as is_below_basis,
    from plan_years as pl
    full join converted as c on c.person_id = pl.person_id and c.plan_id = pl.plan_id and c.tax_year = pl.tax_year
    left join plan_balances as b
        on b.person_id = coalesce(pl.person_id, c.person_id) and b.plan_id = coalesce(pl.plan_id, c.plan_id)
        and b.tax_year = coalesce(pl.tax_year, c.tax_year)
    left join plans as p on p.plan_id = coalesce(pl.plan_id, c.plan_id)
    where (pl.after_tax_balance > 0 or c.converted > 0
            or (pl.after_tax_contributions > 0 and (pl.after_tax_balance is null or pl.after_tax_basis is null)))
        and coalesce(p.plan_type, '401k') in ('401k', 'solo_401k', '403b', '401a', 'tsp')
)
select
    person_id,
    plan_id,
    tax_year,
    case
        when is_unknown then 'UNKNOWN'
        when separate_after_tax_accounting is false and plan_balance is null then 'UNKNOWN'
        when separate_after_tax_accounting is null or is_below_basis or base_unknown then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when after_tax_balance is null then
            'after_tax_balance: how large is the after-tax sub-account with ' || employer_name || ', and how much of it is contributions?'
            end,
        case when after_tax_balance is not null and after_tax_basis is null then
            'after_tax_basis: how much of the after-tax sub-account with ' || employer_name || ' is contributions?' end,
        case when separate_after_tax_accounting is false and plan_balance is null then
            'plan_balance: without separate accounting every dollar out is taxed by the whole plan account; state its balance' end,
        case when not is_unknown and separate_after_tax_accounting is null then
            'separate_accounting: whether the plan accounts for after-tax money separately is not stated; both amounts are shown' end,
        case when is_below_basis then
            'below_basis: the sub-account is worth less than was contributed; a conversion taxes nothing' end,
        case when base_unknown then
            'conversion_not_matched: the sub-account''s balance and basis right before each conversion of the year are not stated' end,
    ]) as reasons,
    case when not is_unknown then after_tax_balance end as after_tax_balance,
    case when not is_unknown then after_tax_basis end as after_tax_basis,
    case when not is_unknown then earnings end as earnings,
    plan_balance,
    case when not is_unknown and separate_after_tax_accounting is not false then earnings end as taxable_separate,
    -- the sub-account's balance taken out, basis over the whole plan account
    case when not is_unknown and separate_after_tax_accounting is not true and plan_balance > 0 then
        after_tax_balance - mul_div(after_tax_balance, lesser(after_tax_basis, plan_balance), plan_balance) end as taxable_prorated,
    case when not is_unknown and separate_after_tax_accounting is not false then after_tax_balance - earnings end as to_roth_ira,
    case when not is_unknown and separate_after_tax_accounting is not false then earnings end as to_traditional_ira,
    converted,
    case when not base_unknown and separate_after_tax_accounting then converted_taxable end as taxable_of_converted,
from facts
