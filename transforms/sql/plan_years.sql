-- One row per person, plan and tax year: year-to-date money by source. The firm's latest row is the base; payroll files
-- of the recordkeeper after its as-of date are added to it. Payroll money whose source the firm has not stated makes
-- the plan's sources unknown (`unstated_source`). A SEP that only shows as employer money in a SEP IRA is a row too.
with
latest as (
    select pc.*
    from plan_contributions as pc
    inner join year_limits as y on y.tax_year = pc.tax_year
    where pc.as_of <= (select as_of from run)
    qualify row_number() over (partition by pc.person_id, pc.plan_id, pc.tax_year order by pc.as_of desc) = 1
),
payroll as (
    select
        p.person_id,
        coalesce(named.plan_id, by_plan.plan_id) as plan_id,
        year(pay.pay_date) as tax_year,
        pay.pay_date,
        pay.amount,
        pay.compensation,
        coalesce(pay.money_source, named.money_source) as money_source,
        pay.source_column,
    from payroll_contributions as pay
    inner join person_tax_ids as p on p.tax_id = pay.owner_tax_id
    left join plan_sources as named
        on named.recordkeeper = pay.recordkeeper
        and named.recordkeeper_plan = pay.recordkeeper_plan
        and named.source_column = pay.source_column
    left join (
        select recordkeeper, recordkeeper_plan, min(plan_id) as plan_id
        from plan_sources
        group by recordkeeper, recordkeeper_plan
        having count(distinct plan_id) = 1
    ) as by_plan
        on by_plan.recordkeeper = pay.recordkeeper and by_plan.recordkeeper_plan = pay.recordkeeper_plan
    where pay.pay_date <= (select as_of from run)
),
payroll_since as (
    select
        pay.person_id,
        pay.plan_id,
        pay.tax_year,
        max(pay.pay_date) as last_pay_date,
        coalesce(sum(pay.amount) filter (pay.money_source = 'pre_tax_deferrals'), 0) as pre_tax_deferrals,
        coalesce(sum(pay.amount) filter (pay.money_source = 'roth_deferrals'), 0) as roth_deferrals,
        coalesce(sum(pay.amount) filter (pay.money_source = 'after_tax_contributions'), 0) as after_tax_contributions,
        coalesce(sum(pay.amount) filter (pay.money_source = 'employer_match'), 0) as employer_match,
        coalesce(sum(pay.amount) filter (pay.money_source = 'employer_nonelective'), 0) as employer_nonelective,
        coalesce(sum(pay.amount) filter (pay.money_source = 'forfeitures'), 0) as forfeitures,
        bool_or(pay.money_source is null and pay.amount <> 0) as unstated_source,
        string_agg(distinct pay.source_column, ', ') filter (pay.money_source is null and pay.amount <> 0)
            as unstated_columns,
    from payroll as pay
    inner join latest as l
        on l.person_id = pay.person_id and l.plan_id = pay.plan_id and l.tax_year = pay.tax_year
        and pay.pay_date > l.as_of
    group by pay.person_id, pay.plan_id, pay.tax_year
),
sep_money as (
    select e.person_id, a.plan_id, e.contribution_year as tax_year, sum(e.amount) as employer_nonelective,
        min(e.source_file) as source_file, min(e.source_line) as source_line
    from tax_events as e
    inner join known_accounts as a on a.account_key = e.account_key
    inner join plans as p on p.plan_id = a.plan_id and p.plan_type = 'sep'
    where e.transaction_type = 'employer_contribution' and e.person_id is not null
        and e.contribution_year in (select tax_year from year_limits)
    group by e.person_id, a.plan_id, e.contribution_year
),
stated as (
    select
        l.person_id, l.plan_id, l.tax_year,
        larger(l.as_of, coalesce(s.last_pay_date, l.as_of)) as as_of,
        l.compensation,
        l.pre_tax_deferrals + coalesce(s.pre_tax_deferrals, 0) as pre_tax_deferrals,
        l.roth_deferrals + coalesce(s.roth_deferrals, 0) as roth_deferrals,
        l.after_tax_contributions + coalesce(s.after_tax_contributions, 0) as after_tax_contributions,
        l.employer_match + coalesce(s.employer_match, 0) as employer_match,
        l.employer_nonelective + coalesce(s.employer_nonelective, 0) as employer_nonelective,
        l.forfeitures + coalesce(s.forfeitures, 0) as forfeitures,
        -- what payroll has since delivered is no longer still expected
        case when s.person_id is null then l.expected_employer_contributions
            else larger(0, l.expected_employer_contributions - s.employer_match - s.employer_nonelective) end
            as expected_employer_contributions,
        case when s.person_id is null then l.expected_deferrals
            else larger(0, l.expected_deferrals - s.pre_tax_deferrals - s.roth_deferrals) end as expected_deferrals,
        l.prior_year_fica_wages, l.highly_compensated, l.controls_employer, l.after_tax_balance, l.after_tax_basis,
        l.currently_employed,
        coalesce(s.unstated_source, false) as unstated_source,
        s.unstated_columns,
        l.source_file, l.source_line,
    from latest as l
    left join payroll_since as s
        on s.person_id = l.person_id and s.plan_id = l.plan_id and s.tax_year = l.tax_year
),
every as (
    select * from stated
    union all by name
    select *, false as unstated_source from sep_money
    where (person_id, plan_id, tax_year) not in (select (person_id, plan_id, tax_year) from stated)
)
select
    e.person_id,
    e.plan_id,
    e.tax_year,
    e.as_of,
    p.plan_id is not null as plan_is_known,
    p.employer_name,
    p.employer_group_id,
    p.plan_type,
    p.after_tax_contributions as allows_after_tax,
    p.in_plan_roth_conversion,
    p.in_service_distribution,
    p.separate_after_tax_accounting,
    p.ira_roll_in,
    p.roth_deferrals as has_roth_deferrals,
    p.after_tax_cap_percent,
    p.after_tax_cap_amount,
    p.limitation_year_end,
    e.compensation,
    -- money a plan type cannot hold is nought, not unknown
    case when p.plan_type in ('sep', '401a', 'pension') then coalesce(e.pre_tax_deferrals, 0) else e.pre_tax_deferrals end
        as pre_tax_deferrals,
    case when p.plan_type in ('sep', '401a', 'pension') then coalesce(e.roth_deferrals, 0) else e.roth_deferrals end
        as roth_deferrals,
    case when p.plan_type in ('sep', 'simple', '457b') or p.after_tax_contributions is false
        then coalesce(e.after_tax_contributions, 0) else e.after_tax_contributions end as after_tax_contributions,
    case when p.plan_type = 'sep' then coalesce(e.employer_match, 0) else e.employer_match end as employer_match,
    e.employer_nonelective,
    case when p.plan_type in ('sep', 'simple') then coalesce(e.forfeitures, 0) else e.forfeitures end as forfeitures,
    case when p.plan_type = 'sep' and e.as_of is null then coalesce(e.expected_employer_contributions, 0)
        else e.expected_employer_contributions end as expected_employer_contributions,
    case when p.plan_type in ('sep', '401a', 'pension') then coalesce(e.expected_deferrals, 0) else e.expected_deferrals end
        as expected_deferrals,
    e.prior_year_fica_wages,
    e.highly_compensated,
    e.controls_employer,
    e.after_tax_balance,
    e.after_tax_basis,
    e.currently_employed,
    e.unstated_source,
    e.unstated_columns,
    e.source_file,
    e.source_line,
from every as e
left join plans as p on p.plan_id = e.plan_id
