-- One row per person, plan and tax year: year-to-date money by source. The base of a source is the firm's latest row, or the
-- recordkeeper's own year to date where that is newer; payroll after the base is added to it (payroll_since). Payroll money
-- whose source the firm has not stated makes the plan's sources unknown (`unstated_source`), and so does payroll money of a plan
-- or an owner that can't be told, for all the person's plans of the year (`payroll_unplaced` is the question). A plan that only
-- payroll shows is a row too. Employer money in a SEP IRA after the SEP's stated row is added to it; a SEP that only shows there
-- is a row too.
with
latest as (
    select pc.*
    from plan_contributions as pc
    inner join year_limits as y on y.tax_year = pc.tax_year
    where pc.as_of <= (select as_of from run)
    qualify row_number() over (partition by pc.person_id, pc.plan_id, pc.tax_year order by pc.as_of desc) = 1
),
unplaced as (
    select
        p.person_id,
        m.tax_year,
        case
            when bool_or(m.person_id is null) then
                'payroll_owner: which of the persons with one tax id does the payroll money belong to?'
            else 'plan_sources: which plan is the payroll file''s money (' || string_agg(distinct m.source_column, ', ' order by m.source_column) || ') of?'
        end as payroll_unplaced,
    from payroll_money as m
    inner join person_tax_ids as p on p.tax_id = m.owner_tax_id
    where (m.person_id is null or m.plan_id is null) and m.amount <> 0
        and m.stated_source is distinct from 'not_a_contribution'
    group by p.person_id, m.tax_year
),
sep_money as (
    select e.person_id, a.plan_id, e.contribution_year as tax_year, e.trade_date, e.amount, e.source_file, e.source_line
    from tax_events as e
    inner join known_accounts as a on a.account_key = e.account_key
    inner join plans as p on p.plan_id = a.plan_id and p.plan_type = 'sep'
    where e.transaction_type = 'employer_contribution' and e.person_id is not null
        and e.contribution_year in (select tax_year from year_limits)
        and e.trade_date <= (select as_of from run)
),
sep_since as (
    select m.person_id, m.plan_id, m.tax_year, max(m.trade_date) as last_trade_date, sum(m.amount) as employer_nonelective
    from sep_money as m
    inner join latest as l
        on l.person_id = m.person_id and l.plan_id = m.plan_id and l.tax_year = m.tax_year and m.trade_date > l.as_of
    group by m.person_id, m.plan_id, m.tax_year
),
sep_only as (
    select person_id, plan_id, tax_year, sum(amount) as employer_nonelective, min(source_file) as source_file,
        arg_min(source_line, (source_file, source_line)) as source_line
    from sep_money
    group by person_id, plan_id, tax_year
),
stated as (
    select
        l.person_id, l.plan_id, l.tax_year,
        -- DuckDB's greatest() ignores nulls, as wanted here: the newest of the dates there are
        greatest(l.as_of, s.last_pay_date, x.last_trade_date) as as_of,
        l.compensation,
        if_not_negative(coalesce(s.pre_tax_deferrals_to_date, l.pre_tax_deferrals) + coalesce(s.pre_tax_deferrals, 0))
            as pre_tax_deferrals,
        if_not_negative(coalesce(s.roth_deferrals_to_date, l.roth_deferrals) + coalesce(s.roth_deferrals, 0))
            as roth_deferrals,
        if_not_negative(coalesce(s.after_tax_contributions_to_date, l.after_tax_contributions)
            + coalesce(s.after_tax_contributions, 0)) as after_tax_contributions,
        if_not_negative(coalesce(s.employer_match_to_date, l.employer_match) + coalesce(s.employer_match, 0))
            as employer_match,
        if_not_negative(coalesce(s.employer_nonelective_to_date, l.employer_nonelective) + coalesce(s.employer_nonelective, 0)
            + coalesce(x.employer_nonelective, 0)) as employer_nonelective,
        if_not_negative(coalesce(s.forfeitures_to_date, l.forfeitures) + coalesce(s.forfeitures, 0)) as forfeitures,
        -- what has come since is no longer still expected
        case when s.person_id is null and x.person_id is null then l.expected_employer_contributions
            else larger(0, l.expected_employer_contributions
                - coalesce(s.employer_match, 0) - coalesce(s.employer_match_to_date - l.employer_match, 0)
                - coalesce(s.employer_nonelective, 0)
                - coalesce(s.employer_nonelective_to_date - l.employer_nonelective, 0)
                - coalesce(x.employer_nonelective, 0)) end as expected_employer_contributions,
        case when s.person_id is null then l.expected_deferrals
            else larger(0, l.expected_deferrals
                - s.pre_tax_deferrals - coalesce(s.pre_tax_deferrals_to_date - l.pre_tax_deferrals, 0)
                - s.roth_deferrals - coalesce(s.roth_deferrals_to_date - l.roth_deferrals, 0)) end as expected_deferrals,
        l.prior_year_fica_wages, l.highly_compensated, l.controls_employer, l.after_tax_balance, l.after_tax_basis,
        l.currently_employed,
        coalesce(s.unstated_source, false) as unstated_source,
        s.unstated_columns,
        l.source_file, l.source_line,
    from latest as l
    left join payroll_since as s
        on s.person_id = l.person_id and s.plan_id = l.plan_id and s.tax_year = l.tax_year
    left join sep_since as x on x.person_id = l.person_id and x.plan_id = l.plan_id and x.tax_year = l.tax_year
),
payroll_only as (
    -- a year to date is all the year's money of a source; what came before single pay dates isn't known
    select
        s.person_id, s.plan_id, s.tax_year, s.last_pay_date as as_of,
        s.pre_tax_deferrals_to_date + s.pre_tax_deferrals as pre_tax_deferrals,
        s.roth_deferrals_to_date + s.roth_deferrals as roth_deferrals,
        s.after_tax_contributions_to_date + s.after_tax_contributions as after_tax_contributions,
        s.employer_match_to_date + s.employer_match as employer_match,
        s.employer_nonelective_to_date + s.employer_nonelective as employer_nonelective,
        s.forfeitures_to_date + s.forfeitures as forfeitures,
        s.unstated_source, s.unstated_columns, s.source_file, s.source_line,
    from payroll_since as s
    where s.has_contributions and (s.person_id, s.plan_id, s.tax_year) not in (select (person_id, plan_id, tax_year) from latest)
),
every as (
    select * from stated
    union all by name
    select * from payroll_only
    union all by name
    select *, false as unstated_source from sep_only
    where (person_id, plan_id, tax_year) not in (select (person_id, plan_id, tax_year) from stated)
        and (person_id, plan_id, tax_year) not in (select (person_id, plan_id, tax_year) from payroll_only)
),
described as (
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
        deferrals_in(p.plan_type, e.pre_tax_deferrals) as pre_tax_deferrals,
        deferrals_in(p.plan_type, e.roth_deferrals) as roth_deferrals,
        after_tax_in(p.plan_type, p.after_tax_contributions, e.after_tax_contributions) as after_tax_contributions,
        match_in(p.plan_type, e.employer_match) as employer_match,
        e.employer_nonelective,
        forfeitures_in(p.plan_type, e.forfeitures) as forfeitures,
        case when p.plan_type = 'sep' and e.as_of is null then coalesce(e.expected_employer_contributions, 0)
            else e.expected_employer_contributions end as expected_employer_contributions,
        deferrals_in(p.plan_type, e.expected_deferrals) as expected_deferrals,
        e.prior_year_fica_wages,
        e.highly_compensated,
        e.controls_employer,
        e.after_tax_balance,
        e.after_tax_basis,
        e.currently_employed,
        e.unstated_source or u.payroll_unplaced is not null as unstated_source,
        e.unstated_columns,
        u.payroll_unplaced,
        p.match_percent,
        p.match_up_to_percent,
        p.nonelective_percent,
        e.source_file,
        e.source_line,
    from every as e
    left join plans as p on p.plan_id = e.plan_id
    left join unplaced as u on u.person_id = e.person_id and u.tax_year = e.tax_year
),
by_formula as (
    -- what the plan's formula still brings this year, on pay up to 401(a)(17). A part the firm hasn't stated is no part of the
    -- formula, unless money of that kind has come already: then the formula is not all of it
    select
        d.person_id, d.plan_id, d.tax_year,
        case
            when d.match_percent is null then case when d.employer_match = 0 then 0 end
            else larger(0, percent_of(
                lesser(larger(0, d.pre_tax_deferrals + d.roth_deferrals + d.expected_deferrals),
                    percent_of(pay, d.match_up_to_percent)), d.match_percent) - d.employer_match)
        end as match_to_come,
        case
            when d.nonelective_percent is null then case when d.employer_nonelective = 0 then 0 end
            else larger(0, percent_of(pay, d.nonelective_percent) - d.employer_nonelective)
        end as nonelective_to_come,
        match_to_come + nonelective_to_come as to_come,
    from (
        select described.*, lesser(larger(0, described.compensation), y.compensation_limit_401a17) as pay
        from described
        inner join year_limits as y using (tax_year)
    ) as d
    where d.expected_employer_contributions is null and (d.match_percent is not null or d.nonelective_percent is not null)
)
select
    d.* exclude (match_percent, match_up_to_percent, nonelective_percent)
        replace (coalesce(d.expected_employer_contributions, f.to_come) as expected_employer_contributions),
    f.to_come is not null as expected_by_formula,
from described as d
left join by_formula as f on f.person_id = d.person_id and f.plan_id = d.plan_id and f.tax_year = d.tax_year
