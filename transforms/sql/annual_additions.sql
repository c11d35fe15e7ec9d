-- One row per person, tax year and limit group (`employer_groups`): the 415(c) limit, what has been added under it, how much of
-- the deferrals is catch-up, and what of it isn't known (`missing`, `asked_first`) or must be looked at (`to_review`, `notes`).
-- SIMPLE IRAs, 457(b) and defined-benefit pensions are outside 415(c).
with
counted as (
    select * from employer_groups where counts_for_415c
),
compensation_by_employer as (
    -- two plans of one employer state the same pay; two employers of a controlled group each pay their own
    select person_id, tax_year, limit_group_id, sum(pay) as compensation, bool_or(pay is null) as compensation_unknown
    from (
        select person_id, tax_year, limit_group_id, employer_name, max(compensation) as pay
        from counted
        group by person_id, tax_year, limit_group_id, employer_name
    )
    group by person_id, tax_year, limit_group_id
),
deferrals_by_person as (
    select
        person_id, tax_year,
        sum(calendar_deferrals) as deferrals,
        count(*) filter (calendar_deferrals_unknown) as plans_unknown,
    from employer_groups
    where counts_for_402g
    group by person_id, tax_year
),
sep_money_unplaced as (
    select distinct e.person_id, e.contribution_year as tax_year
    from tax_events as e
    inner join known_accounts as a on a.account_key = e.account_key
    left join plans as p on p.plan_id = a.plan_id and p.plan_type = 'sep'
    where e.transaction_type = 'employer_contribution' and a.account_type in ('sep_ira', 'roth_sep_ira') and p.plan_id is null
        and e.trade_date <= (select as_of from run)
),
by_limit_group as (
    select
        person_id, tax_year, limit_group_id,
        sum(pre_tax_deferrals + roth_deferrals) as all_deferrals,
        coalesce(sum(calendar_deferrals) filter (counts_for_402g), 0) as deferrals,
        -- those that can be catch-up where the employers' Roth features are as stated, and where they are at their best
        coalesce(sum(calendar_deferrals) filter (counts_for_402g and (plan_type = 'sep' or catch_up_available)), 0)
            as deferrals_surely_open,
        coalesce(sum(calendar_deferrals) filter (counts_for_402g and catch_up_available is distinct from false), 0)
            as deferrals_perhaps_open,
        coalesce(bool_and(catch_up_available is false) filter (counts_for_402g), false) as no_catch_up,
        bool_or(must_be_roth and catch_up_available is null) as roth_feature_unknown,
        bool_or(must_be_roth is null and catch_up_available is null and plan_type in ('401k', 'solo_401k', '403b', 'tsp'))
            as wages_unknown,
        bool_or(plan_type = '401a' and pre_tax_deferrals + roth_deferrals > 0) as any_picked_up,
        sum(after_tax_contributions) as after_tax_contributions,
        sum(employer_match + employer_nonelective + forfeitures) as employer_money,
        sum(expected_employer_contributions) as expected_employer,
        sum(expected_employer_contributions) filter (expected_by_formula) as expected_by_formula,
        sum(expected_deferrals) as expected_deferrals,
        bool_or(pre_tax_deferrals is null and not limitation_year_unknown) as no_pre_tax,
        bool_or(roth_deferrals is null and not limitation_year_unknown) as no_roth,
        bool_or(after_tax_contributions is null and not limitation_year_unknown) as no_after_tax,
        bool_or(employer_match is null and not limitation_year_unknown) as no_match,
        bool_or(employer_nonelective is null and not limitation_year_unknown) as no_nonelective,
        bool_or(forfeitures is null and not limitation_year_unknown) as no_forfeitures,
        bool_or(expected_employer_contributions is null) as no_expected_employer,
        bool_or(expected_deferrals is null) as no_expected_deferrals,
        bool_or(unstated_source) as unstated_source,
        string_agg(unstated_columns, ', ' order by unstated_columns) as unstated_columns,
        min(payroll_unplaced) as payroll_unplaced,
        count(*) filter (counts_for_402g and calendar_deferrals_unknown) as own_plans_unknown,
        min(control_asked_of) as control_asked_of,
        bool_or(several_controlled) as several_controlled,
        bool_or(is_other_limitation_year) as other_limitation_year,
        bool_or(limitation_year_unreadable) as limitation_year_unreadable,
        bool_or(limitation_year_unknown) as limitation_year_unknown,
        count(distinct coalesce(strftime(limitation_year_ends_on, '%m-%d'), '12-31')) > 1 as limitation_years_differ,
        max(limitation_year_ends_on) as limitation_year_ends_on,
        bool_or(limitation_year_closed) as limitation_year_closed,
        list_sort(list_distinct(flatten(list(snapshots_needed) filter (snapshots_needed is not null)))) as snapshots_needed,
        bool_or(coalesce(as_of < make_date(tax_year, 12, 1), false) and not is_other_limitation_year)
            and make_date(max(tax_year), 12, 31) < (select as_of from run) as amounts_are_old,
    from counted
    group by person_id, tax_year, limit_group_id
),
joined as (
    select
        lg.*,
        ce.compensation,
        ce.compensation_unknown and not lg.limitation_year_unknown as compensation_unknown,
        py.age,
        y.annual_additions_415c, y.elective_deferral_402g,
        coalesce(dp.plans_unknown, 0) > lg.own_plans_unknown as other_deferrals_unknown,
        coalesce(dp.deferrals, 0) - lg.deferrals as deferrals_elsewhere,
        larger(0, y.elective_deferral_402g - deferrals_elsewhere) as left_under_402g,
        case
            when py.age is null then null
            when py.age < 50 or lg.no_catch_up then 0
            when py.age between 60 and 63 then coalesce(y.catch_up_414v_60_63, y.catch_up_414v_50)
            else y.catch_up_414v_50
        end as catch_up_limit,
        s.person_id is not null as sep_plan_not_stated,
    from by_limit_group as lg
    inner join year_limits as y on y.tax_year = lg.tax_year
    left join person_years as py on py.person_id = lg.person_id and py.tax_year = lg.tax_year
    left join compensation_by_employer as ce
        on ce.person_id = lg.person_id and ce.tax_year = lg.tax_year and ce.limit_group_id = lg.limit_group_id
    left join deferrals_by_person as dp on dp.person_id = lg.person_id and dp.tax_year = lg.tax_year
    left join sep_money_unplaced as s on s.person_id = lg.person_id and s.tax_year = lg.tax_year
),
added as (
    select
        *,
        lesser(annual_additions_415c, larger(0, compensation)) as cap,
        -- deferrals above what 402(g) leaves after deferrals elsewhere, up to the catch-up limit; in another limitation year
        -- all deferrals are counted, since a calendar year's catch-up can't be told apart in it
        case
            when other_limitation_year or deferrals <= left_under_402g then 0
            else lesser(lesser(catch_up_limit, deferrals - left_under_402g), deferrals_perhaps_open)
        end as catch_up_portion,
        all_deferrals - catch_up_portion + employer_money + after_tax_contributions as annual_additions,
        larger(0, annual_additions - cap) as excess,
        catch_up_portion > deferrals_surely_open as catch_up_unknown,
        -- Reg. 1.414(v)-1(b)(1): what of the year's catch-up limit is still open once 415(c) is hit
        case when annual_additions >= cap then larger(0, lesser(
            catch_up_limit - case when other_limitation_year then 0
                else lesser(catch_up_limit, larger(0, deferrals + deferrals_elsewhere - elective_deferral_402g)) end,
            deferrals_surely_open - catch_up_portion)) end as catch_up_over_415,
        coalesce(deferrals + expected_deferrals > elective_deferral_402g - deferrals_elsewhere + catch_up_portion
            and expected_deferrals > 0 and coalesce(catch_up_limit > 0, true), false) as may_expect_catch_up,
    from joined
)
select
    *,
    said([
        case when control_asked_of is not null then
            'controls_employer: does the client control ' || control_asked_of || '? A 403(b) is added up with a business its '
            || 'participant controls' end,
        case when sep_plan_not_stated then
            'sep_plan_not_stated: which SEP plan is the SEP IRA with employer contributions of? The account doesn''t say' end,
    ]) as asked_first,
    said([
        case when catch_up_portion is null and age is null then 'birth_date: the birth date is not stated' end,
        case when compensation_unknown then 'compensation: what is this year''s 415 compensation from the employer?' end,
        case when no_pre_tax then 'pre_tax_deferrals: how much was deferred pre-tax this year?' end,
        case when no_roth then 'roth_deferrals: how much was deferred as Roth this year?' end,
        case when no_after_tax then 'after_tax_so_far: how much after-tax money was contributed this year?' end,
        case when no_match then 'employer_match: how much has the employer matched this year?' end,
        case when no_nonelective then
            'employer_nonelective: how much has the employer contributed besides the match?' end,
        case when no_forfeitures then 'forfeitures: were forfeitures allocated this year, and how much?' end,
        case when unstated_source and unstated_columns is not null then
            'plan_sources: what money source is ' || unstated_columns || ' in the payroll file?' end,
        payroll_unplaced,
        case when other_deferrals_unknown then
            'other_deferrals: how much was deferred in the other employers'' plans?' end,
        case when catch_up_unknown and roth_feature_unknown then
            'roth_feature_unknown: catch-up must be Roth; does the plan take Roth deferrals?' end,
        case when catch_up_unknown and wages_unknown then
            'prior_year_fica_wages: what FICA wages did the employer pay last year? The plan is not known to take Roth deferrals'
            end,
        case when limitation_year_unreadable then
            'limitation_year_not_readable: when does the plan''s limitation year end? State it as MM-DD' end,
        case when limitation_years_differ and not limitation_year_unreadable then
            'limitation_years_differ: plans under one limit have different limitation years; which one counts?' end,
        case when len(snapshots_needed) > 0 then
            'limitation_year_amounts: what were the year-to-date amounts on '
            || array_to_string(list_transform(snapshots_needed, lambda d: long_date(d)), ' and on ')
            || '? State a plan_contributions row of each date' end,
    ]) as missing,
    said([
        case when no_expected_employer then
            'expected_employer_contributions: how much employer money is still to come this year?' end,
        case when no_expected_deferrals then 'expected_deferrals: how much will still be deferred this year?' end,
    ]) as missing_for_room,
    said([
        case when other_limitation_year then
            'limitation_year: amounts and limit are those of the limitation year ending ' || long_date(limitation_year_ends_on)
            || '; all deferrals are counted, none as catch-up' end,
        case when several_controlled then
            'several_controlled: the 403(b) and every business the client controls are taken as one employer' end,
        case when any_picked_up then
            'picked_up: deferrals stated in a 401(a) are taken as employee contributions picked up under 414(h): additions, '
            || 'not elective deferrals' end,
        case when amounts_are_old then
            'old_amounts: the year is over and the newest amounts are from before December; state the whole year''s' end,
        case when catch_up_portion > 0 and deferrals_elsewhere > 0 then
            'catch_up_over_employers: which employer''s deferrals are the catch-up depends on each plan' end,
        case when catch_up_over_415 > 0 and excess > 0 then
            'catch_up_over_415: up to ' || usd(catch_up_over_415) || ' of deferrals may become catch-up where the plan provides '
            || 'for it; a note, not room' end,
    ]) as to_review,
    said([
        case when may_expect_catch_up then
            'expected_catch_up: part of the deferrals still expected may be catch-up and leave more room than shown' end,
    ]) as to_review_of_room,
    said([
        case when catch_up_over_415 > 0 and excess = 0 then
            'catch_up_over_415: up to ' || usd(catch_up_over_415) || ' of deferrals may become catch-up where the plan provides '
            || 'for it; a note, not room' end,
        case when expected_by_formula is not null then
            'expected_by_formula: ' || usd(expected_by_formula)
            || ' of employer money still to come is computed from the plan''s match and nonelective percentages' end,
    ]) as notes,
from added
