-- One row per plan year of a stated plan: which result row it is reported in (`report_group_id`), whose additions share one 415(c)
-- limit with it (`limit_group_id`), and its amounts of the limitation year that ends in the tax year.
-- A 403(b) is the participant's own plan: it is added up with every business its participant controls, and otherwise stands
-- alone, apart from its employer's 401(a) (Reg. 1.415(f)-1(f)). Whether the client controls another employer is asked, not guessed.
with
dated as (
    select
        pl.*,
        pl.plan_type in ('401k', 'solo_401k', '403b', '401a', 'tsp', 'sep') as counts_for_415c,
        -- deferrals into a SEP are a SARSEP's
        pl.plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple')
            or (pl.plan_type = 'sep' and pl.pre_tax_deferrals + pl.roth_deferrals > 0) as counts_for_402g,
        pl.plan_type in ('401k', 'solo_401k', '403b', '401a') as may_take_after_tax,
    from plan_years as pl
    where pl.plan_is_known
),
control as (
    select
        person_id, tax_year, employer_group_id,
        coalesce(bool_or(controls_employer), false) as is_controlled,
        bool_or(plan_type = '403b') as has_403b,
        bool_or(plan_type in ('401k', 'solo_401k', '401a', 'tsp', 'sep')) as has_other_plans,
        not is_controlled and coalesce(bool_or(controls_employer is null) filter (counts_for_415c and plan_type <> '403b'), false)
            as control_not_stated,
        string_agg(distinct employer_name, ', ' order by employer_name) as employers,
    from dated
    group by person_id, tax_year, employer_group_id
),
around as (
    select
        *,
        count(*) filter (has_403b) over person_year > 0 as person_has_403b,
        -- a 403(b) elsewhere would be added up with this group if the client controls it
        control_not_stated and count(*) filter (has_403b) over person_year > has_403b::integer as is_unclear,
        min(case when is_controlled then employer_group_id end) over person_year as controlled_group_id,
        count(*) filter (is_controlled) over person_year as controlled_groups,
    from control
    window person_year as (partition by person_id, tax_year)
),
unclear as (
    select
        a.person_id, a.tax_year, a.employer_group_id,
        string_agg(other.employers, ', ' order by other.employer_group_id) as employers,
    from around as a
    inner join around as other
        on other.person_id = a.person_id and other.tax_year = a.tax_year and other.is_unclear
        and other.employer_group_id <> a.employer_group_id
    where a.has_403b
    group by a.person_id, a.tax_year, a.employer_group_id
)
select
    d.* replace (
        case when ly.person_id is null then d.compensation else ly.compensation end as compensation,
        case when ly.person_id is null then d.pre_tax_deferrals else ly.pre_tax_deferrals end as pre_tax_deferrals,
        case when ly.person_id is null then d.roth_deferrals else ly.roth_deferrals end as roth_deferrals,
        case when ly.person_id is null then d.after_tax_contributions else ly.after_tax_contributions end
            as after_tax_contributions,
        case when ly.person_id is null then d.employer_match else ly.employer_match end as employer_match,
        case when ly.person_id is null then d.employer_nonelective else ly.employer_nonelective end as employer_nonelective,
        case when ly.person_id is null then d.forfeitures else ly.forfeitures end as forfeitures),
    -- 402(g) is by calendar year whatever the plan's limitation year is
    d.pre_tax_deferrals + d.roth_deferrals as calendar_deferrals,
    d.pre_tax_deferrals is null or d.roth_deferrals is null or d.unstated_source as calendar_deferrals_unknown,
    case when d.plan_type = '403b' and a.has_other_plans and not a.is_controlled then d.employer_group_id || ':403b'
        else d.employer_group_id end as report_group_id,
    case
        when d.plan_type = '403b' and a.controlled_group_id is not null then a.controlled_group_id
        when d.plan_type = '403b' then d.employer_group_id || ':403b'
        when a.is_controlled and a.person_has_403b then a.controlled_group_id
        else d.employer_group_id
    end as limit_group_id,
    case
        when d.plan_type = '403b' then u.employers
        when a.is_unclear and d.counts_for_415c then a.employers
    end as control_asked_of,
    a.person_has_403b and a.controlled_groups > 1 as several_controlled,
    -- a plan this person can still pay after-tax money into, and one it then has a way to Roth from
    d.may_take_after_tax and coalesce(d.allows_after_tax, false) and coalesce(d.currently_employed, true) as is_open,
    is_open and coalesce(d.in_plan_roth_conversion or d.in_service_distribution, false) as is_usable,
    ly.person_id is not null as is_other_limitation_year,
    ly.ends_on as limitation_year_ends_on,
    coalesce(ly.is_closed, false) as limitation_year_closed,
    coalesce(ly.is_unreadable, false) as limitation_year_unreadable,
    ly.snapshots_needed,
    coalesce(ly.is_unknown, false) as limitation_year_unknown,
    rc.must_be_roth,
    rc.catch_up_available,
from dated as d
inner join around as a
    on a.person_id = d.person_id and a.tax_year = d.tax_year and a.employer_group_id = d.employer_group_id
left join unclear as u
    on u.person_id = d.person_id and u.tax_year = d.tax_year and u.employer_group_id = d.employer_group_id
left join limitation_years as ly on ly.person_id = d.person_id and ly.plan_id = d.plan_id and ly.tax_year = d.tax_year
left join roth_catch_up as rc
    on rc.person_id = d.person_id and rc.tax_year = d.tax_year and rc.employer_group_id = d.employer_group_id
    and rc.employer_name = d.employer_name
