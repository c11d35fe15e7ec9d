-- One row per person and tax year with a plan that takes elective deferrals: section 402(g) over all of the person's
-- 401(k), 403(b), TSP and SIMPLE plans (457(b) has a limit of its own), catch-up under 414(v), and whether catch-up
-- must be Roth (414(v)(7), from 2026: last year's FICA wages from that employer strictly above the threshold).
with
person_plans as (
    select
        py.*,
        case when py.age is null then null else
            case
                when py.age between 60 and 63 then coalesce(py.catch_up_414v_60_63, py.catch_up_414v_50)
                when py.age >= 50 then py.catch_up_414v_50
                else 0
            end
        end as age_catch_up,
        case
            when py.age between 60 and 63 then coalesce(py.simple_catch_up_60_63, py.simple_catch_up_50)
            when py.age >= 50 then py.simple_catch_up_50
            when py.age < 50 then 0
        end as simple_catch_up,
        -- the 110% limits of small employers' SIMPLE plans (408(p)(2)(E)); in 2026 their catch-up is below the regular one
        coalesce(py.simple_deferral_enhanced_110pct, py.simple_deferral_408p) as simple_enhanced,
        case
            when py.age between 60 and 63 then coalesce(py.simple_catch_up_60_63, py.simple_catch_up_50)
            when py.age >= 50 then coalesce(py.simple_catch_up_50_enhanced_110pct, py.simple_catch_up_50)
            when py.age < 50 then 0
        end as simple_enhanced_catch_up,
    from person_years as py
),
by_person as (
    select
        pl.person_id,
        pl.tax_year,
        sum(pl.pre_tax_deferrals + pl.roth_deferrals) as known_deferrals,
        bool_or(pl.pre_tax_deferrals is null or pl.roth_deferrals is null or pl.unstated_source) as deferrals_unknown,
        bool_and(pl.plan_type = 'simple') as only_simple,
        coalesce(sum(pl.pre_tax_deferrals + pl.roth_deferrals) filter (pl.plan_type = 'simple'), 0) as simple_deferrals,
        max(pl.prior_year_fica_wages) as highest_wages,
        bool_or(pl.prior_year_fica_wages is null) as wages_unknown,
        bool_or(coalesce(pl.has_roth_deferrals, false)) as any_roth_feature,
        bool_or(pl.has_roth_deferrals is null) as roth_feature_unknown,
        string_agg(coalesce(pl.employer_name, 'plan ' || pl.plan_id), ', ' order by pl.plan_id)
            filter (pl.pre_tax_deferrals is null or pl.roth_deferrals is null or pl.unstated_source) as employers_unknown,
    from plan_years as pl
    where pl.plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple') or not pl.plan_is_known
    group by pl.person_id, pl.tax_year
),
ruled as (
    select
        b.*,
        pp.age,
        pp.simple_deferral_408p + pp.simple_catch_up as simple_limit,
        pp.simple_enhanced + larger(pp.simple_catch_up, pp.simple_enhanced_catch_up) as simple_limit_at_most,
        case when b.only_simple then pp.simple_deferral_408p else pp.elective_deferral_402g end as deferral_limit,
        case when b.only_simple then pp.simple_catch_up else pp.age_catch_up end as age_catch_up,
        case
            when pp.tax_year < 2026 or pp.age < 50 or b.only_simple then false
            when b.highest_wages > pp.roth_catch_up_fica_wage_threshold then true
            when b.wages_unknown then null
            else false
        end as catch_up_must_be_roth,
        blocks.mega as blocked_because,
    from by_person as b
    inner join person_plans as pp on pp.person_id = b.person_id and pp.tax_year = b.tax_year
    left join blocks on blocks.person_id = b.person_id and blocks.tax_year = b.tax_year
),
limited as (
    select
        *,
        -- no Roth feature where catch-up must be Roth: no catch-up
        case when catch_up_must_be_roth and not any_roth_feature and not roth_feature_unknown then 0 else age_catch_up end
            as catch_up_limit,
        blocked_because is not null or deferrals_unknown or age is null as is_unknown,
        -- which limit a SIMPLE plan has hangs on the employer's size and election, which no input states
        simple_deferrals > simple_limit and simple_deferrals <= simple_limit_at_most as simple_limit_open,
    from ruled
)
select
    person_id,
    tax_year,
    case
        when is_unknown then 'UNKNOWN'
        when simple_limit_open or catch_up_must_be_roth is null or (catch_up_must_be_roth and not any_roth_feature and roth_feature_unknown)
            then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when blocked_because is not null then blocked_because end,
        case when age is null then 'birth_date_missing: state birth_date in persons; catch-up depends on it' end,
        case when deferrals_unknown then
            'deferrals_missing: state pre_tax_deferrals and roth_deferrals to date for ' || employers_unknown end,
        case when not is_unknown and simple_limit_open then
            'simple_limit: deferrals of ' || usd(simple_deferrals) || ' are above the regular SIMPLE limit of ' || usd(simple_limit)
            || ' but not above the one of a 110% SIMPLE plan; which plan it is isn''t stated, so no excess is shown for it' end,
        case when not is_unknown and catch_up_must_be_roth is null then
            'prior_year_fica_wages_missing: whether catch-up must be Roth is not known' end,
        case when not is_unknown and catch_up_must_be_roth and not any_roth_feature and roth_feature_unknown then
            'roth_feature_unknown: catch-up must be Roth; state whether the plan takes Roth deferrals' end,
    ]) as reasons,
    case when not is_unknown then deferral_limit end as deferral_limit,
    case when not is_unknown then catch_up_limit end as catch_up_limit,
    case when not is_unknown then known_deferrals end as deferrals,
    case when not is_unknown then larger(0, deferral_limit + catch_up_limit - known_deferrals) end as remaining,
    case when not is_unknown then larger(
        case when only_simple and simple_limit_open then 0 else larger(0, known_deferrals - deferral_limit - catch_up_limit) end,
        -- a SIMPLE plan's own limit binds inside 402(g), 408(p)(2)(A)(ii)
        case when simple_limit_open then 0 else larger(0, simple_deferrals - simple_limit) end) end as excess_deferrals,
    case when not is_unknown then catch_up_must_be_roth end as catch_up_must_be_roth,
from limited
