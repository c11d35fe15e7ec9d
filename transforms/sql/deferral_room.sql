-- One row per person and open tax year whose elective deferrals are known: what can still be deferred on the regular limit and as
-- catch-up, after what is expected anyway and never above the pay that is left, and in whose plans. Null where an input isn't
-- known: expected deferrals or pay of a plan the client can still defer into. Authority: IRC 402(g), 414(v).
with
open_plans as (
    select
        pl.person_id, pl.tax_year, pl.plan_id, pl.employer_name, pl.compensation, pl.expected_deferrals,
        -- only to see what pay is left: after-tax money nobody states doesn't make the limit unknown
        pl.pre_tax_deferrals + pl.roth_deferrals + coalesce(pl.after_tax_contributions, 0) as own_money,
        pl.plan_type = 'simple' or rc.catch_up_available as takes_catch_up,
        rc.must_be_roth,
    from plan_years as pl
    left join roth_catch_up as rc
        on rc.person_id = pl.person_id and rc.tax_year = pl.tax_year and rc.employer_group_id = pl.employer_group_id
        and rc.employer_name = pl.employer_name
    where pl.plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple') and coalesce(pl.currently_employed, true)
),
pay_left as (
    select person_id, tax_year, sum(left_of_pay) as left_of_pay, bool_or(left_of_pay is null) as is_unknown
    from (
        select person_id, tax_year, employer_name,
            larger(0, max(compensation) - case when count(own_money) = count(*) then sum(own_money) end) as left_of_pay
        from open_plans
        group by person_id, tax_year, employer_name
    )
    group by person_id, tax_year
),
by_person as (
    select
        person_id, tax_year,
        string_agg(distinct employer_name, ', ' order by employer_name) as employers,
        string_agg(distinct employer_name, ', ' order by employer_name) filter (takes_catch_up) as employers_with_catch_up,
        case when count(expected_deferrals) = count(*) then sum(expected_deferrals) end as expected_deferrals,
        bool_or(must_be_roth) filter (takes_catch_up) as roth_needed,
        bool_or(must_be_roth is null) filter (takes_catch_up) as roth_not_known,
        min(plan_id) as first_plan_id,
    from open_plans
    group by person_id, tax_year
),
pay_days as (
    select a.person_id, y.tax_year, a.plan_id, a.rhythm, count(*) as pay_days_left, max(a.pay_day) as last_pay_day
    from pay_days_ahead as a
    inner join year_limits as y on a.pay_day between y.year_start and y.year_end
    group by a.person_id, y.tax_year, a.plan_id, a.rhythm
)
select
    d.person_id, d.tax_year, py.age, coalesce(w.last_pay_day, py.year_end) as deadline,
    coalesce(py.age between 60 and 63 and py.catch_up_414v_60_63 is not null, false) as is_super_catch_up,
    d.deferral_limit, d.catch_up_limit, d.deferrals, b.expected_deferrals,
    b.employers, b.employers_with_catch_up, b.roth_needed, b.roth_not_known,
    case when not p.is_unknown then
        lesser(larger(0, d.deferral_limit - d.deferrals - b.expected_deferrals), p.left_of_pay) end as regular_room,
    case when not p.is_unknown and b.employers_with_catch_up is not null then
        lesser(lesser(d.catch_up_limit, larger(0, d.deferral_limit + d.catch_up_limit - d.deferrals - b.expected_deferrals)),
            p.left_of_pay) end as catch_up_room,
    w.pay_days_left,
    'the last payroll of ' || d.tax_year || coalesce(' (' || long_date(w.last_pay_day) || ', as payroll runs ' || w.rhythm || ')', '')
        as last_payroll,
from elective_deferrals as d
inner join by_person as b on b.person_id = d.person_id and b.tax_year = d.tax_year
inner join pay_left as p on p.person_id = d.person_id and p.tax_year = d.tax_year
inner join person_years as py on py.person_id = d.person_id and py.tax_year = d.tax_year
cross join run
left join pay_days as w on w.person_id = d.person_id and w.tax_year = d.tax_year and w.plan_id = b.first_plan_id
where d.status in ('COMPUTED', 'REVIEW') and run.as_of <= py.year_end
