-- One row per person and tax year: the IRA contribution limit (219(b), 408A(c)), the Roth limit by income, the
-- deduction limit (219(g)), what was contributed, and the excess (4973). A column that rests on an unknown fact is null.
with
facts as (
    select
        py.*,
        coalesce(c.traditional_contributions, 0) as traditional_contributions,
        coalesce(c.roth_contributions, 0) as roth_contributions,
        coalesce(c.after_due_date, 0) as after_due_date,
        coalesce(c.returned_too_late, 0) as returned_too_late,
        coalesce(c.recharacterized_too_late, 0) as recharacterized_too_late,
        coalesce(c.returned_without_contribution, 0) as returned_without_contribution,
        coalesce(c.undated_next_year, 0) as undated_next_year,
        coalesce(c.undecided_contributions, 0) as undecided_contributions,
        spouse_blocks.ira_limits is not null or coalesce(s.undecided_contributions, 0) > 0 as spouse_contributions_unknown,
        coalesce(c.recharacterized_to_traditional, 0) + coalesce(c.recharacterized_to_roth, 0) as recharacterized,
        coalesce(c.contribution_to_traditional, 0) + coalesce(c.contribution_to_roth, 0) as recharacterized_contribution,
        coalesce(c.recharacterized_without_roth_contribution, false) as recharacterized_without_roth_contribution,
        coalesce(s.traditional_contributions, 0) + coalesce(s.roth_contributions, 0) as spouse_contributions,
        case
            when py.age >= 50 then py.ira_contribution_limit + py.ira_catch_up_50
            when py.age < 50 then py.ira_contribution_limit
        end as dollar_limit,
        coalesce(py.stated_roth_magi, py.computed_roth_magi) as roth_magi,
        coalesce(py.stated_deduction_magi, py.computed_deduction_magi) as deduction_magi,
        coalesce(b.ira_limits, case when c.undecided_contributions > 0 then
            'account_not_decided: ' || usd(c.undecided_contributions) || ' was contributed to an account of unknown kind; state its '
            || 'account_type in accounts' end) as blocked_because,
        blocked_because is not null as is_blocked,
    from person_years as py
    left join ira_contributions as c on c.person_id = py.person_id and c.tax_year = py.tax_year
    left join ira_contributions as s on s.person_id = py.spouse_person_id and s.tax_year = py.tax_year
    left join blocks as b on b.person_id = py.person_id and b.tax_year = py.tax_year
    left join blocks as spouse_blocks on spouse_blocks.person_id = py.spouse_person_id and spouse_blocks.tax_year = py.tax_year
),
compensated as (
    select
        *,
        -- Kay Bailey Hutchison spousal IRA, 219(c): the lower earner on a joint return may use the other's compensation
        files_jointly and compensation < dollar_limit and spouse_compensation is null as spouse_compensation_needed,
        case
            when compensation is null then null
            when not coalesce(files_jointly, false) or compensation >= dollar_limit then larger(compensation, 0)
            when spouse_compensation is null then null
            when spouse_compensation <= compensation then larger(compensation, 0)
            when spouse_contributions_unknown then null
            else larger(0, larger(compensation, 0) + spouse_compensation - spouse_contributions)
        end as usable_compensation,
    from facts
),
limited as (
    select
        c.*,
        -- little compensation caps the limit at any age
        case when age is null and usable_compensation <= ira_contribution_limit then usable_compensation
            else lesser(dollar_limit, usable_compensation) end as contribution_limit,
        ph.roth_start, ph.roth_end,
        case
            when active_participant then ph.covered_start
            when filing_status in ('mfj', 'mfs_lived_with_spouse') and spouse_active_participant then ph.spouse_covered_start
        end as deduction_start,
        case
            when active_participant then ph.covered_end
            when filing_status in ('mfj', 'mfs_lived_with_spouse') and spouse_active_participant then ph.spouse_covered_end
        end as deduction_end,
        case
            when filing_status is null or active_participant is null then null
            when active_participant then true
            when filing_status not in ('mfj', 'mfs_lived_with_spouse') then false
            else spouse_active_participant
        end as deduction_is_phased,
    from compensated as c
    left join phaseouts as ph using (tax_year, filing_status)
),
phased as (
    select
        *,
        phased_limit(contribution_limit, roth_magi, roth_start, roth_end) as exact_roth_limit,
        three_place_roth_limit(contribution_limit, roth_magi, roth_start, roth_end) as worksheet_roth_limit,
        case when choices.roth_limit_ratio = 'three_places' then worksheet_roth_limit else exact_roth_limit end
            as roth_limit_before_traditional,
        case
            when deduction_is_phased is false then contribution_limit
            -- 219(g)(1) reduces the dollar limit only; compensation caps what is left (Pub 590-A Worksheet 1-2 lines 5-8)
            when deduction_is_phased then
                lesser(contribution_limit, phased_limit(dollar_limit, deduction_magi, deduction_start, deduction_end))
        end as deduction_limit,
    from limited
    cross join choices
),
split as (
    select
        *,
        -- the contribution room that traditional contributions left, 408A(c)(2)
        larger(0, lesser(roth_limit_before_traditional, contribution_limit - traditional_contributions)) as roth_limit,
        case
            when traditional_contributions = 0 then 0
            else lesser(
                lesser(traditional_contributions, deduction_limit),
                coalesce(stated_ira_deduction, traditional_contributions)
            )
        end as deductible_contributions,
        lesser(traditional_contributions, contribution_limit) as permitted_traditional,
    from phased
),
judged as (
    select
        *,
        case
            when traditional_contributions = 0 then 0
            when deduction_limit is null then null
            else larger(0, permitted_traditional - deductible_contributions)
        end as nondeductible_contributions,
        larger(0, traditional_contributions - contribution_limit) as traditional_excess,
        case when roth_contributions = 0 then 0 else larger(0, roth_contributions - roth_limit) end as roth_excess,
        -- The IRS worksheets, at three places, may allow exactly $10 more inside the range
        roth_contributions > 0 and roth_contributions - roth_limit between 0.01 and 10
            and roth_contributions <= contribution_limit - traditional_contributions
            and roth_magi > roth_start and roth_magi < roth_end as within_ten_dollars,
    from split
)
select
    person_id,
    tax_year,
    case
        when is_blocked then 'UNKNOWN'
        when contribution_limit is null or roth_limit is null or deduction_limit is null then 'UNKNOWN'
        when within_ten_dollars or stated_roth_magi <> computed_roth_magi or after_due_date > 0 or returned_too_late > 0
            or (stated_deduction_magi <> computed_deduction_magi and traditional_contributions > 0)
            or recharacterized_too_late > 0
            or returned_without_contribution > 0 or undated_next_year > 0
            or recharacterized_without_roth_contribution
            or (recharacterized > 0 and recharacterized = recharacterized_contribution) then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when is_blocked then blocked_because end,
        case when not has_tax_profile then 'no_tax_profile: state the tax profile of ' || tax_year || ' (filing status, compensation, MAGI)' end,
        case when age is null and contribution_limit is null then 'birth_date_missing: the birth date is not stated; the age 50 catch-up depends on it' end,
        case when has_tax_profile and compensation is null then
            'compensation_missing: state the compensation of ' || tax_year || ' in the tax profile' end,
        case when spouse_compensation_needed then
            'spouse_compensation_missing: a joint return with little own compensation; state the spouse''s compensation for '
            || tax_year end,
        case when contribution_limit is null and spouse_contributions_unknown and files_jointly then
            'spouse_contributions_unknown: what the spouse contributed for ' || tax_year || ' can''t be read; it comes off the '
            || 'compensation both share' end,
        case when has_tax_profile and roth_magi is null then
            'roth_magi_missing: state the Roth MAGI of ' || tax_year || ' in the tax profile, or AGI and every one of its components' end,
        case when has_tax_profile and active_participant is null then
            'active_participant_missing: state whether covered by a plan at work in ' || tax_year end,
        case when active_participant is false and deduction_is_phased is null then
            'spouse_active_participant_missing: state whether the spouse is covered by a plan at work in ' || tax_year end,
        case when deduction_is_phased and deduction_magi is null then
            'deduction_magi_missing: state the MAGI for the IRA deduction of ' || tax_year || ' in the tax profile' end,
        case when stated_roth_magi <> computed_roth_magi then
            'roth_magi_conflict: stated ' || usd(stated_roth_magi) || ' but its components give ' || usd(computed_roth_magi)
            || '; the stated figure was used' end,
        case when within_ten_dollars then
            'roth_worksheet_rounding: the IRS worksheets at three places may allow $10 more; not treated as excess' end,
        case when after_due_date > 0 then
            'contribution_after_due_date: ' || usd(after_due_date) || ' for ' || tax_year || ' is dated after '
            || long_date(contribution_due_date) end,
        case when returned_too_late > 0 then
            'returned_after_due_date: ' || usd(returned_too_late) || ' was returned after ' || long_date(extended_due_date)
            || '; the excess of ' || tax_year || ' stands' end,
        case when stated_deduction_magi <> computed_deduction_magi and traditional_contributions > 0 then
            'deduction_magi_conflict: stated ' || usd(stated_deduction_magi) || ' but its components give '
            || usd(computed_deduction_magi) || '; the stated figure was used' end,
        case when recharacterized_too_late > 0 then
            'recharacterized_too_late: ' || usd(recharacterized_too_late) || ' was moved after ' || long_date(extended_due_date)
            || '; for ' || tax_year || ' the contribution stays where it was made' end,
        case when returned_without_contribution > 0 then
            'returned_without_contribution: ' || usd(returned_without_contribution) || ' more came back for ' || tax_year
            || ' than was contributed for it; if it belongs to another year, state its tax_year' end,
        case when undated_next_year > 0 then
            'return_without_tax_year: ' || usd(undated_next_year) || ' came back or was moved in ' || (tax_year + 1)
            || ' without a tax year; if it belongs to ' || tax_year || ', state its tax_year' end,
        case when recharacterized_without_roth_contribution then
            'recharacterization_without_contribution: money came over from a Roth IRA that shows no contribution for '
            || tax_year end,
        case when recharacterized > 0 and recharacterized = recharacterized_contribution then
            'recharacterization_earnings: whether the ' || usd(recharacterized)
            || ' moved includes earnings is not stated; all of it was taken as contribution' end,
    ]) as reasons,
    case when not is_blocked then contribution_limit end as contribution_limit,
    case when not is_blocked then roth_limit end as roth_limit,
    case when not is_blocked then deduction_limit end as deduction_limit,
    case when not is_blocked then traditional_contributions end as traditional_contributions,
    case when not is_blocked then roth_contributions end as roth_contributions,
    case when not is_blocked and contribution_limit is not null and (traditional_contributions = 0 or deduction_limit is not null)
        then deductible_contributions end as deductible_contributions,
    case when not is_blocked and (traditional_contributions = 0 or contribution_limit is not null)
        then nondeductible_contributions end as nondeductible_contributions,
    case when not is_blocked then traditional_excess + case when within_ten_dollars then 0 else roth_excess end end
        as excess_contributions,
    roth_magi,
    -- for Form 8606 and the findings
    returned_without_contribution > 0 or undated_next_year > 0 or recharacterized_too_late > 0
        or recharacterized_without_roth_contribution as moved_in_doubt,
    is_blocked,
    blocked_because,
    dollar_limit,
    usable_compensation,
    roth_limit_before_traditional,
    traditional_excess,
    case when within_ten_dollars then 0 else roth_excess end as roth_excess,
    deduction_magi,
    roth_start,
    roth_end,
from judged
