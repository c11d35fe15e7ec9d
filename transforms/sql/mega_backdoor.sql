-- One row per person, employer group and tax year: after-tax room under section 415(c).
-- A 403(b) is the participant's own plan: it is added up with a business its participant controls, and otherwise stands
-- alone, apart from its employer's 401(a) (Reg. 1.415(f)-1(f)). A SEP of the same group counts. SIMPLE IRAs, 457(b) and
-- defined-benefit pensions are outside 415(c).
with
dated as (
    select
        pl.*,
        max(case when pl.controls_employer then pl.employer_group_id end) over (
            partition by pl.person_id, pl.tax_year) as controlled_group_id,
        bool_or(pl.plan_type <> '403b') over (
            partition by pl.person_id, pl.tax_year, pl.employer_group_id) as group_has_other_plans,
    from plan_years as pl
    where pl.plan_is_known
),
grouped as (
    -- reporting group: the row's id in the result; limit group: whose additions share one 415(c) limit
    select
        *,
        case when plan_type = '403b' and group_has_other_plans and not coalesce(controls_employer, false)
            then employer_group_id || ':403b' else employer_group_id end as report_group_id,
        case
            when plan_type = '403b' and controlled_group_id is not null then controlled_group_id
            when plan_type = '403b' then employer_group_id || ':403b'
            else employer_group_id
        end as limit_group_id,
        plan_type in ('401k', 'solo_401k', '403b', '401a', 'tsp', 'sep') as counts_for_415c,
        plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple') as counts_for_402g,
    from dated
),
compensation_by_employer as (
    -- two plans of one employer state the same pay; two employers of a controlled group each pay their own
    select person_id, tax_year, limit_group_id, sum(pay) as compensation, bool_or(pay is null) as compensation_unknown
    from (
        select person_id, tax_year, limit_group_id, employer_name, max(compensation) as pay
        from grouped
        where counts_for_415c
        group by person_id, tax_year, limit_group_id, employer_name
    )
    group by person_id, tax_year, limit_group_id
),
deferrals_by_person as (
    select
        person_id, tax_year,
        sum(pre_tax_deferrals + roth_deferrals) as deferrals,
        count(*) filter (pre_tax_deferrals is null or roth_deferrals is null) as plans_unknown,
    from grouped
    where counts_for_402g
    group by person_id, tax_year
),
by_limit_group as (
    select
        person_id, tax_year, limit_group_id,
        coalesce(sum(pre_tax_deferrals + roth_deferrals) filter (counts_for_402g), 0) as deferrals,
        sum(after_tax_contributions) as after_tax_contributions,
        sum(employer_match + employer_nonelective + forfeitures) as employer_money,
        sum(expected_employer_contributions) as expected_employer,
        sum(expected_deferrals) as expected_deferrals,
        bool_or(pre_tax_deferrals is null) as no_pre_tax, bool_or(roth_deferrals is null) as no_roth,
        bool_or(after_tax_contributions is null) as no_after_tax, bool_or(employer_match is null) as no_match,
        bool_or(employer_nonelective is null) as no_nonelective, bool_or(forfeitures is null) as no_forfeitures,
        bool_or(expected_employer_contributions is null) as no_expected_employer,
        bool_or(expected_deferrals is null) as no_expected_deferrals,
        bool_or(unstated_source) as unstated_source,
        string_agg(unstated_columns, ', ') as unstated_columns,
        bool_or(coalesce(has_roth_deferrals, false)) as any_roth_feature,
        bool_or(has_roth_deferrals is null) as roth_feature_unknown,
        count(*) filter (counts_for_402g and (pre_tax_deferrals is null or roth_deferrals is null)) as own_plans_unknown,
    from grouped
    where counts_for_415c
    group by person_id, tax_year, limit_group_id
),
by_report_group as (
    select
        person_id, tax_year, report_group_id,
        max(limit_group_id) filter (counts_for_415c) as limit_group_id,
        string_agg(distinct employer_name, ', ') as employers,
        bool_and(plan_type in ('sep', 'simple', '457b', 'pension')) as no_plan_for_after_tax,
        -- a plan this person can still pay after-tax money into
        bool_or(allows_after_tax and coalesce(currently_employed, true) and plan_type in ('401k', 'solo_401k', '403b', '401a'))
            as open_plan,
        bool_or(allows_after_tax) as allowed_somewhere,
        bool_or(allows_after_tax is null and coalesce(currently_employed, true)
            and plan_type in ('401k', 'solo_401k', '403b', '401a')) as after_tax_unknown,
        bool_or(allows_after_tax and currently_employed is null) as employment_unknown,
        bool_or(allows_after_tax and (in_plan_roth_conversion or in_service_distribution)) as way_to_roth,
        bool_or(allows_after_tax and in_plan_roth_conversion is null) as in_plan_unknown,
        bool_or(allows_after_tax and in_service_distribution is null) as in_service_unknown,
        bool_or(highly_compensated is distinct from false) filter (allows_after_tax) as acp_open,
        bool_or(limitation_year_end is not null and limitation_year_end not like '%12-31') as other_limitation_year,
        -- the plans' own caps: binding only when every open plan has one
        bool_and(after_tax_cap_amount is not null or after_tax_cap_percent is not null) filter (allows_after_tax) as all_capped,
        sum(lesser(
            coalesce(after_tax_cap_amount, 999999999),
            case when after_tax_cap_percent is null then 999999999
                else mul_div(lesser(compensation, y.compensation_limit_401a17), after_tax_cap_percent, 100.00) end
        ) - after_tax_contributions) filter (allows_after_tax) as left_under_caps,
    from grouped as g
    inner join year_limits as y using (tax_year)
    group by person_id, tax_year, report_group_id
),
joined as (
    select
        r.*,
        py.age,
        lg.* exclude (person_id, tax_year, limit_group_id),
        ce.compensation, ce.compensation_unknown,
        y.annual_additions_415c, y.elective_deferral_402g,
        coalesce(dp.plans_unknown, 0) > lg.own_plans_unknown as other_deferrals_unknown,
        coalesce(dp.deferrals, 0) - lg.deferrals as deferrals_elsewhere,
        ed.catch_up_must_be_roth,
        case
            when py.age is null then null
            when py.age < 50 then 0
            when y.tax_year >= 2026 and ed.catch_up_must_be_roth and not lg.any_roth_feature and not lg.roth_feature_unknown
                then 0
            when py.age between 60 and 63 then coalesce(y.catch_up_414v_60_63, y.catch_up_414v_50)
            else y.catch_up_414v_50
        end as catch_up_limit,
        blocks.mega as blocked_because,
    from by_report_group as r
    inner join year_limits as y on y.tax_year = r.tax_year
    left join person_years as py on py.person_id = r.person_id and py.tax_year = r.tax_year
    left join by_limit_group as lg
        on lg.person_id = r.person_id and lg.tax_year = r.tax_year and lg.limit_group_id = r.limit_group_id
    left join compensation_by_employer as ce
        on ce.person_id = r.person_id and ce.tax_year = r.tax_year and ce.limit_group_id = r.limit_group_id
    left join deferrals_by_person as dp on dp.person_id = r.person_id and dp.tax_year = r.tax_year
    left join elective_deferrals as ed on ed.person_id = r.person_id and ed.tax_year = r.tax_year
    left join blocks on blocks.person_id = r.person_id and blocks.tax_year = r.tax_year
),
added as (
    select
        *,
        lesser(annual_additions_415c, larger(0, compensation)) as cap,
        -- deferrals above what 402(g) leaves after deferrals elsewhere, up to the catch-up limit
        lesser(catch_up_limit, larger(0, deferrals - larger(0, elective_deferral_402g - deferrals_elsewhere)))
            as catch_up_portion,
        deferrals - catch_up_portion + employer_money + after_tax_contributions as annual_additions,
        coalesce(other_deferrals_unknown or no_pre_tax or no_roth or no_after_tax or no_match or no_nonelective
            or no_forfeitures or unstated_source or compensation_unknown, true) as additions_unknown,
    from joined
),
ruled as (
    select
        *,
        case
            when blocked_because is not null then 'UNKNOWN'
            when no_plan_for_after_tax then 'INELIGIBLE'
            when coalesce(open_plan, false) and coalesce(way_to_roth, false) then
                case when additions_unknown or no_expected_employer or no_expected_deferrals or age is null
                    then 'UNKNOWN' else 'OPEN' end
            when after_tax_unknown then 'UNKNOWN'
            when not coalesce(allowed_somewhere, false) then 'INELIGIBLE'
            when not coalesce(open_plan, false) then 'FORMER'
            when in_plan_unknown or in_service_unknown then 'UNKNOWN'
            else 'NOT_USABLE'
        end as outcome,
    from added
)
select
    person_id,
    report_group_id as employer_group_id,
    tax_year,
    case
        when outcome in ('UNKNOWN', 'INELIGIBLE') then outcome
        when outcome in ('FORMER', 'NOT_USABLE') then 'INELIGIBLE'
        when other_limitation_year or employment_unknown
            or (catch_up_portion > 0 and deferrals_elsewhere > 0)
            or (expected_deferrals > 0 and catch_up_limit > 0
                and deferrals + expected_deferrals > elective_deferral_402g - deferrals_elsewhere + catch_up_portion)
            or (catch_up_portion > 0 and catch_up_must_be_roth is null and not any_roth_feature) then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when blocked_because is not null then blocked_because end,
        case when outcome = 'INELIGIBLE' and no_plan_for_after_tax then
            'no_after_tax_plan: a 457(b), SEP, SIMPLE or pension takes no after-tax contributions under 415(c)' end,
        case when outcome = 'INELIGIBLE' and not no_plan_for_after_tax then
            'after_tax_not_allowed: the plan takes no after-tax contributions' end,
        case when outcome = 'FORMER' then 'former_employer: nothing more can be contributed to a former employer''s plan' end,
        case when outcome = 'NOT_USABLE' then
            'not_usable: after-tax money is taken, but there is neither an in-plan Roth conversion nor an in-service distribution'
            end,
        case when outcome = 'UNKNOWN' and after_tax_unknown then
            'after_tax_contributions: does the plan take voluntary after-tax contributions?' end,
        case when outcome = 'UNKNOWN' and not coalesce(way_to_roth, false) and in_plan_unknown then
            'in_plan_roth_conversion: does the plan allow in-plan Roth conversions?' end,
        case when outcome = 'UNKNOWN' and not coalesce(way_to_roth, false) and in_service_unknown then
            'in_service_distribution: does the plan pay out after-tax money while in service?' end,
        case when outcome = 'UNKNOWN' and age is null then 'birth_date: state birth_date in persons' end,
        case when outcome = 'UNKNOWN' and coalesce(compensation_unknown, false) then
            'compensation: what is this year''s 415 compensation from the employer?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_pre_tax, false) then
            'pre_tax_deferrals: how much was deferred pre-tax this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_roth, false) then
            'roth_deferrals: how much was deferred as Roth this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_after_tax, false) then
            'after_tax_so_far: how much after-tax money was contributed this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_match, false) then
            'employer_match: how much has the employer matched this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_nonelective, false) then
            'employer_nonelective: how much has the employer contributed besides the match?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_forfeitures, false) then
            'forfeitures: were forfeitures allocated this year, and how much?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_expected_employer, false) then
            'expected_employer_contributions: how much employer money is still to come this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(no_expected_deferrals, false) then
            'expected_deferrals: how much will still be deferred this year?' end,
        case when outcome = 'UNKNOWN' and coalesce(unstated_source, false) then
            'plan_sources: what money source is ' || unstated_columns || ' in the payroll file?' end,
        case when outcome = 'UNKNOWN' and coalesce(other_deferrals_unknown, false) then
            'other_deferrals: how much was deferred in the other employers'' plans?' end,
        case when outcome = 'OPEN' and other_limitation_year then
            'limitation_year: the plan''s limitation year is not the calendar year; amounts here are calendar-year' end,
        case when outcome = 'OPEN' and employment_unknown then
            'employment_not_stated: whether the client still works there is not stated' end,
        case when outcome = 'OPEN' and catch_up_portion > 0 and deferrals_elsewhere > 0 then
            'catch_up_over_employers: which employer''s deferrals are the catch-up depends on each plan' end,
        case when outcome = 'OPEN' and expected_deferrals > 0 and catch_up_limit > 0
                and deferrals + expected_deferrals > elective_deferral_402g - deferrals_elsewhere + catch_up_portion then
            'expected_catch_up: part of the deferrals still expected may be catch-up and leave more room than shown' end,
        case when outcome = 'OPEN' and catch_up_portion > 0 and catch_up_must_be_roth is null and not any_roth_feature then
            'prior_year_fica_wages: whether catch-up must be Roth is not known' end,
    ]) as reasons,
    case when outcome <> 'UNKNOWN' and not additions_unknown then cap end as annual_additions_limit,
    case when outcome <> 'UNKNOWN' and not additions_unknown then annual_additions end as annual_additions,
    case when outcome <> 'UNKNOWN' and not additions_unknown then catch_up_portion end as catch_up_portion,
    case when outcome = 'OPEN' then
        larger(0, lesser(
            larger(0, cap - annual_additions - expected_employer - expected_deferrals),
            case when all_capped then larger(0, left_under_caps) else cap end)) end as room,
    case when outcome = 'OPEN' then acp_open end as room_before_acp_test,
    case when outcome <> 'UNKNOWN' and not additions_unknown then larger(0, annual_additions - cap) end
        as excess_annual_additions,
    -- for the findings
    outcome,
    employers,
    cap,
    expected_employer,
    expected_deferrals,
    deferrals,
    after_tax_contributions,
    open_plan,
    after_tax_unknown,
from ruled
