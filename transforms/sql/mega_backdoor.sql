-- One row per person, employer group and tax year: after-tax room under section 415(c), from the limit group's additions
-- (`annual_additions`) and what the reported group's plans allow. Only a usable plan gives room: one that takes after-tax money
-- from somebody still employed and has a way to Roth.
with
pay_known as (
    select
        *,
        -- a percentage cap is on the employer's pay, whichever of its plans states it
        coalesce(compensation,
            max(compensation) over (partition by person_id, tax_year, limit_group_id, employer_name)) as pay,
    from employer_groups
),
by_report_group as (
    select
        g.person_id, g.tax_year, g.report_group_id,
        max(g.limit_group_id) filter (g.counts_for_415c) as limit_group_id,
        string_agg(distinct g.employer_name, ', ' order by g.employer_name) as employers,
        sum(g.after_tax_balance) as after_tax_balance,
        bool_and(not g.may_take_after_tax) as no_plan_for_after_tax,
        bool_or(g.is_open) as open_plan,
        bool_or(g.is_usable) as usable_plan,
        -- allowed, or not known of a former employer's plan, where it no longer matters
        bool_or(g.may_take_after_tax and g.allows_after_tax is distinct from false) as allowed_somewhere,
        bool_or(g.may_take_after_tax and g.allows_after_tax is null and coalesce(g.currently_employed, true))
            as after_tax_unknown,
        bool_or(g.is_usable and g.currently_employed is null) as employment_unknown,
        bool_or(g.is_open and g.in_plan_roth_conversion is null) as in_plan_unknown,
        bool_or(g.is_open and g.in_service_distribution is null) as in_service_unknown,
        bool_or(g.highly_compensated is distinct from false) filter (g.is_usable) as acp_open,
        -- the plans' own caps: binding only when every usable plan has one
        bool_and(g.after_tax_cap_amount is not null or g.after_tax_cap_percent is not null) filter (g.is_usable) as all_capped,
        sum(larger(0, lesser(
            coalesce(g.after_tax_cap_amount, 999999999),
            case when g.after_tax_cap_percent is null then 999999999
                else percent_of(lesser(larger(0, g.pay), y.compensation_limit_401a17), g.after_tax_cap_percent) end
        ) - g.after_tax_contributions)) filter (g.is_usable) as left_under_caps,
    from pay_known as g
    inner join year_limits as y using (tax_year)
    group by g.person_id, g.tax_year, g.report_group_id
),
with_sharers as (
    select
        *,
        -- only who can use the room shares it
        list_sort(list({'id': report_group_id, 'employers': employers}) filter (usable_plan) over (
            partition by person_id, tax_year, limit_group_id)) as under_one_limit,
        array_to_string(list_transform(
            list_filter(under_one_limit, lambda other: other.id <> report_group_id and limit_group_id is not null),
            lambda other: other.employers), ' and ') as shared_with,
    from by_report_group
),
plans_not_stated as (
    select person_id, tax_year, string_agg(plan_id, ', ' order by plan_id) as plan_ids
    from plan_years
    where not plan_is_known
    group by person_id, tax_year
),
asked as (
    select
        r.*,
        aa.* exclude (person_id, tax_year, limit_group_id),
        said([
            blocks.mega,
            case when n.plan_ids is not null then 'plan_not_stated: state plan ' || n.plan_ids || ' in a plans file' end,
        ]) || coalesce(aa.asked_first, []) as asked_of_all,
        aa.person_id is null or len(aa.missing) > 0 as additions_unknown,
    from with_sharers as r
    left join annual_additions as aa
        on aa.person_id = r.person_id and aa.tax_year = r.tax_year and aa.limit_group_id = r.limit_group_id
    left join plans_not_stated as n on n.person_id = r.person_id and n.tax_year = r.tax_year
    left join blocks on blocks.person_id = r.person_id and blocks.tax_year = r.tax_year
),
ruled as (
    select
        *,
        case
            when len(asked_of_all) > 0 then 'UNKNOWN'
            when no_plan_for_after_tax then 'INELIGIBLE'
            when usable_plan then
                case
                    when additions_unknown then 'UNKNOWN'
                    when limitation_year_closed then 'CLOSED'
                    when len(missing_for_room) > 0 then 'UNKNOWN'
                    else 'OPEN'
                end
            when after_tax_unknown then 'UNKNOWN'
            when not allowed_somewhere then 'INELIGIBLE'
            when not open_plan then 'FORMER'
            when in_plan_unknown or in_service_unknown then 'UNKNOWN'
            else 'NOT_USABLE'
        end as outcome,
        outcome <> 'UNKNOWN' and not additions_unknown as additions_shown,
    from asked
),
reasoned as (
    select
        *,
        case
            when outcome = 'UNKNOWN' then asked_of_all
                || said([
                    case when after_tax_unknown then
                        'after_tax_contributions: does the plan take voluntary after-tax contributions?' end,
                    case when not usable_plan and in_plan_unknown then
                        'in_plan_roth_conversion: does the plan allow in-plan Roth conversions?' end,
                    case when not usable_plan and in_service_unknown then
                        'in_service_distribution: does the plan pay out after-tax money while in service?' end,
                ])
                || coalesce(missing, []) || coalesce(missing_for_room, [])
            when outcome = 'OPEN' then to_review || to_review_of_room
                || said([
                    case when employment_unknown then
                        'employment_not_stated: whether the client still works there is not stated' end,
                    case when shared_with <> '' then
                        'shared_limit: this room is one with that of ' || shared_with || '; it can be used once' end,
                ])
            when outcome = 'INELIGIBLE' and no_plan_for_after_tax then
                ['no_after_tax_plan: a 457(b), TSP, SEP, SIMPLE or pension takes no after-tax contributions under 415(c)']
            when outcome = 'INELIGIBLE' then ['after_tax_not_allowed: the plan takes no after-tax contributions']
            when outcome = 'FORMER' then
                ['former_employer: nothing more can be contributed to a former employer''s plan']
            when outcome = 'CLOSED' then
                ['limitation_year_closed: the limitation year ended ' || long_date(limitation_year_ends_on)
                    || '; what is added now counts toward the limitation year ending '
                    || long_date(limitation_year_ends_on + interval 1 year)]
            else ['not_usable: after-tax money is taken, but there is neither an in-plan Roth conversion nor an in-service '
                || 'distribution']
        end as said_first,
    from ruled
)
select
    person_id,
    report_group_id as employer_group_id,
    tax_year,
    case
        when outcome = 'UNKNOWN' then 'UNKNOWN'
        when outcome <> 'OPEN' then 'INELIGIBLE'
        when len(said_first) > 0 then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said_first
        || case
            when outcome = 'OPEN' then notes
            -- an excess is told with what must be known about it, room or not
            when additions_shown and excess > 0 then to_review
            else []
        end as reasons,
    case when additions_shown then cap end as annual_additions_limit,
    case when additions_shown then annual_additions end as annual_additions,
    case when additions_shown then catch_up_portion end as catch_up_portion,
    case when outcome = 'OPEN' then
        lesser(
            larger(0, cap - annual_additions - expected_employer - expected_deferrals),
            case when all_capped then left_under_caps else cap end) end as room,
    case when outcome = 'OPEN' then acp_open end as room_before_acp_test,
    case when additions_shown then excess end as excess_annual_additions,
    -- for the findings
    outcome,
    limit_group_id,
    employers,
    expected_employer,
    expected_deferrals,
    after_tax_balance,
    allowed_somewhere,
    case when excess > 0 then catch_up_over_415 end as catch_up_over_415,
from reasoned
