-- One row per person and tax year with a plan that takes elective deferrals: section 402(g) over all of the person's
-- 401(k), 403(b), TSP, SIMPLE and SARSEP plans (457(b) has a limit of its own), catch-up under 414(v), and whether catch-up
-- must be Roth (`roth_catch_up`, employer by employer). A SIMPLE plan has a limit of its own at each employer; one who is in the
-- SIMPLE plan of one employer only and in no other plan has no more than that, everybody else has 402(g).
with
person_plans as (
    select
        py.*,
        case
            when py.age between 60 and 63 then coalesce(py.catch_up_414v_60_63, py.catch_up_414v_50)
            when py.age >= 50 then py.catch_up_414v_50
            when py.age < 50 then 0
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
        py.simple_deferral_408p + simple_catch_up as simple_limit,
        simple_enhanced + larger(simple_catch_up, simple_enhanced_catch_up) as simple_limit_at_most,
    from person_years as py
),
with_availability as (
    select
        pl.*,
        pl.plan_type in ('401k', 'solo_401k', '403b', 'tsp', 'simple') or not pl.plan_is_known
            or (pl.plan_type = 'sep' and pl.pre_tax_deferrals + pl.roth_deferrals > 0) as counts_for_402g,
        pl.pre_tax_deferrals + pl.roth_deferrals as deferrals,
        pl.pre_tax_deferrals is null or pl.roth_deferrals is null or pl.unstated_source as is_unknown,
        rc.must_be_roth,
        rc.catch_up_available,
    from plan_years as pl
    left join roth_catch_up as rc
        on rc.person_id = pl.person_id and rc.tax_year = pl.tax_year and rc.employer_group_id = pl.employer_group_id
        and rc.employer_name = pl.employer_name
),
by_person as (
    select
        person_id,
        tax_year,
        sum(deferrals) filter (counts_for_402g) as known_deferrals,
        bool_or(is_unknown) filter (counts_for_402g) as deferrals_unknown,
        string_agg(coalesce(employer_name, 'plan ' || plan_id), ', ' order by plan_id)
            filter (counts_for_402g and is_unknown) as employers_unknown,
        string_agg(plan_id, ', ' order by plan_id) filter (not plan_is_known) as plans_not_stated,
        bool_and(coalesce(plan_type = 'simple', false)) filter (counts_for_402g) as only_simple,
        count(distinct employer_group_id) filter (plan_type = 'simple') as simple_employers,
        bool_or(must_be_roth) as any_must_be_roth,
        bool_or(must_be_roth is null and plan_type in ('401k', 'solo_401k', '403b', 'tsp')) as wages_unknown,
        bool_or(must_be_roth and catch_up_available is null) as roth_feature_unknown,
        bool_and(catch_up_available is false) filter (counts_for_402g and plan_type <> 'simple') as no_catch_up,
        coalesce(sum(deferrals) filter (catch_up_available is false), 0) as deferrals_without_catch_up,
        bool_or(plan_type = '401a' and deferrals > 0) as any_picked_up,
        bool_or(coalesce(as_of < make_date(tax_year, 12, 1), false)) filter (counts_for_402g)
            and make_date(max(tax_year), 12, 31) < (select as_of from run) as amounts_are_old,
    from with_availability
    group by person_id, tax_year
    having bool_or(counts_for_402g)
),
simple_by_employer as (
    select
        pl.person_id,
        pl.tax_year,
        sum(pl.pre_tax_deferrals + pl.roth_deferrals) as deferrals,
        -- which limit a SIMPLE plan has hangs on the employer's size and election, which no input states
        deferrals > any_value(pp.simple_limit) and deferrals <= any_value(pp.simple_limit_at_most) as is_open,
        case when is_open then 0 else larger(0, deferrals - any_value(pp.simple_limit)) end as excess,
    from plan_years as pl
    inner join person_plans as pp on pp.person_id = pl.person_id and pp.tax_year = pl.tax_year
    where pl.plan_type = 'simple'
    group by pl.person_id, pl.tax_year, pl.employer_group_id
),
simple_by_person as (
    select
        person_id, tax_year,
        bool_or(is_open) as simple_limit_open,
        sum(deferrals) filter (is_open) as open_deferrals,
        sum(excess) as simple_excess,
    from simple_by_employer
    group by person_id, tax_year
),
ruled as (
    select
        b.*,
        pp.age,
        pp.simple_limit,
        coalesce(s.simple_limit_open, false) as simple_limit_open,
        s.open_deferrals,
        coalesce(s.simple_excess, 0) as simple_excess,
        b.only_simple and b.simple_employers = 1 as is_under_one_simple_limit,
        case when is_under_one_simple_limit then pp.simple_deferral_408p else pp.elective_deferral_402g end as deferral_limit,
        case
            when is_under_one_simple_limit then pp.simple_catch_up
            -- no plan with a Roth feature where catch-up must be Roth: no catch-up, but a SIMPLE plan's own
            when b.no_catch_up then case when b.simple_employers > 0 then pp.simple_catch_up else 0 end
            else pp.age_catch_up
        end as catch_up_limit,
        case
            when b.any_must_be_roth then true
            when b.wages_unknown then null
            else false
        end as catch_up_must_be_roth,
        blocks.mega as blocked_because,
        blocked_because is not null or b.deferrals_unknown or b.plans_not_stated is not null or pp.age is null as is_unknown,
    from by_person as b
    inner join person_plans as pp on pp.person_id = b.person_id and pp.tax_year = b.tax_year
    left join simple_by_person as s on s.person_id = b.person_id and s.tax_year = b.tax_year
    left join blocks on blocks.person_id = b.person_id and blocks.tax_year = b.tax_year
),
reasoned as (
    select
        *,
        said([
            blocked_because,
            case when age is null then 'birth_date_missing: the birth date is not stated; catch-up depends on it' end,
            case when plans_not_stated is not null then 'plan_not_stated: state plan ' || plans_not_stated || ' in a plans file' end,
            case when deferrals_unknown then
                'deferrals_missing: pre-tax and Roth deferrals to date are not stated for ' || employers_unknown end,
        ]) as missing,
        said([
            case when simple_limit_open then
                'simple_limit: deferrals of ' || usd(open_deferrals) || ' are above the regular SIMPLE limit of '
                || usd(simple_limit) || ' but not above the one of a 110% SIMPLE plan; which plan it is isn''t stated, so no '
                || 'excess is shown for it' end,
            case when catch_up_must_be_roth is null then
                'prior_year_fica_wages_missing: whether catch-up must be Roth is not known' end,
            case when roth_feature_unknown then
                'roth_feature_unknown: catch-up must be Roth; state whether the plan takes Roth deferrals' end,
            case when any_picked_up then
                'picked_up: deferrals stated in a 401(a) are taken as employee contributions picked up under 414(h): not '
                || 'counted here' end,
            case when amounts_are_old then
                'old_amounts: the year is over and the newest amounts are from before December; state the whole year''s' end,
        ]) as to_review,
    from ruled
)
select
    person_id,
    tax_year,
    case when is_unknown then 'UNKNOWN' when len(to_review) > 0 then 'REVIEW' else 'COMPUTED' end as status,
    case when is_unknown then missing else to_review end as reasons,
    case when not is_unknown then deferral_limit end as deferral_limit,
    case when not is_unknown then catch_up_limit end as catch_up_limit,
    case when not is_unknown then known_deferrals end as deferrals,
    case when not is_unknown then larger(0, deferral_limit + catch_up_limit - known_deferrals) end as remaining,
    case when not is_unknown then larger(
        larger(
            case when is_under_one_simple_limit and simple_limit_open then 0
                else larger(0, known_deferrals - deferral_limit - catch_up_limit) end,
            -- above 402(g) in plans that give no catch-up: another employer's catch-up doesn't cover it
            larger(0, deferrals_without_catch_up - deferral_limit)),
        -- a SIMPLE plan's own limit binds inside 402(g), 408(p)(2)(A)(ii)
        simple_excess) end as excess_deferrals,
    case when not is_unknown then catch_up_must_be_roth end as catch_up_must_be_roth,
from reasoned
