-- One row per person who has anything for Form 8606 in $tax_year: lines 1-18, with the exact ratio (line 10 is only
-- shown). Lines 4-12 are Worksheet 1-1 of Pub 590-B where it replaces them. Earlier years of this run are in form_8606_so_far: their line 14 is this year's line 2 where the firm
-- states no basis for them.
with
stated_basis as (
    select
        person_id,
        max(tax_year) as basis_year,
        arg_max(basis, tax_year) as basis,
    from ira_basis
    where tax_year < $tax_year
    group by person_id
),
-- a basis stated for an earlier year still holds if nothing on the form happened in between
events_between as (
    select s.person_id, count(*) as events
    from stated_basis as s
    inner join tax_events as e
        on e.person_id = s.person_id
        and (
            (e.transaction_type in ('contribution', 'recharacterization_in') and e.contribution_year > s.basis_year
             and e.contribution_year < $tax_year)
            or (e.event_year > s.basis_year and e.event_year < $tax_year
                and (e.transaction_type in ('after_tax_rollover_in', 'divorce_transfer_in')
                     -- no basis can leave where there is none
                     or (s.basis > 0 and e.transaction_type in (
                         'distribution', 'rmd', 'withholding', 'roth_conversion_out', 'divorce_transfer_out', 'rollover_out',
                         'qualified_disaster_distribution', 'qcd'))))
        )
    -- an account whose kind isn't known may be an IRA
    inner join pool_accounts as p
        on p.account_key = e.account_key and p.tax_year = $tax_year and p.in_pool is distinct from false
    group by s.person_id
    union all
    select s.person_id, count(*) as events
    from stated_basis as s
    inner join unclassified_events as u
        on u.person_id = s.person_id and u.event_year > s.basis_year and u.event_year < $tax_year
    group by s.person_id
    union all
    select s.person_id, count(*) as events
    from stated_basis as s
    inner join blocking_rejects as b
        on b.person_id = s.person_id and b.blocks_form_8606 and b.kind = 'transactions'
        and b.event_year > s.basis_year and b.event_year < $tax_year
    group by s.person_id
    union all
    -- money that came into a Roth IRA as a conversion left a traditional one somewhere
    select s.person_id, count(*) as events
    from stated_basis as s
    inner join tax_events as e
        on e.person_id = s.person_id and e.transaction_type = 'roth_conversion_in' and s.basis > 0
        and e.event_year > s.basis_year and e.event_year < $tax_year
    group by s.person_id
),
basis_facts as (
    select s.*, exists (select 1 from events_between as x where x.person_id = s.person_id) as has_moved
    from stated_basis as s
),
facts as (
    select
        py.person_id,
        py.tax_year,
        py.year_end,
        py.contribution_due_date,
        (select as_of from run) as as_of,
        py.all_iras_reported,
        py.profile_file is not null as has_tax_profile,
        coalesce(c.traditional_contributions, 0) as traditional_contributions,
        -- what was returned or moved to a Roth IRA within the year was that year's money
        lesser(
            larger(0, coalesce(c.traditional_in_year, 0) - coalesce(c.returned_in_year, 0)
                - coalesce(c.recharacterized_away_in_year, 0)) + coalesce(c.recharacterized_in_year, 0),
            coalesce(c.traditional_contributions, 0)
        ) as traditional_in_year,
        coalesce(c.moved_in_after_year_end, 0) as moved_in_after_year_end,
        coalesce(c.moved_out_after_year_end, 0) as moved_out_after_year_end,
        coalesce(c.undecided_contributions, 0) as undecided_contributions,
        coalesce(l.moved_in_doubt, false) as moved_in_doubt,
        case when coalesce(c.traditional_contributions, 0) = 0 then 0 else l.nondeductible_contributions end
            as nondeductible_contributions,
        l.deductible_contributions,
        l.traditional_excess,
        l.status as limits_status,
        l.reasons as limits_reasons,
        l.contribution_limit,
        -- tax withheld from a conversion and put into the Roth IRA from other money was converted after all
        case when f.converted > 0 and f.converted_in - f.converted between 0.01 and f.withholding
            then f.converted_in - f.converted else 0 end as withholding_replaced,
        coalesce(f.distributions, 0) + coalesce(f.withholding, 0) - withholding_replaced
            + coalesce(f.qcd_too_young, 0)
            + larger(0, coalesce(f.qcd, 0) - coalesce(f.qcd_too_young, 0) - py.qcd_limit) as line_7,
        coalesce(f.qcd_too_young, 0) as qcd_too_young,
        coalesce(f.qcd, 0) > 0 and py.birth_date is null as qcd_age_unknown,
        coalesce(f.converted_from_young_simple, 0) as converted_from_young_simple,
        coalesce(f.converted_from_undated_simple, 0) as converted_from_undated_simple,
        coalesce(f.plan_rolled_out, 0) as plan_rolled_out,
        -- Reg. 1.408A-4 Q&A-6: from the first distribution year on the minimum comes out before anything is converted
        coalesce(py.age >= r.age and f.first_conversion_on is not null
            and coalesce(f.first_distribution_on > f.first_conversion_on, true), false) as rmd_not_seen,
        r.age as rmd_age,
        coalesce(f.disaster_distributions, 0) as disaster_distributions,
        -- only what repays this year's disaster distributions comes off line 6
        lesser(coalesce(f.disaster_repayments, 0), coalesce(f.disaster_distributions, 0)) as disaster_repaid,
        larger(0, coalesce(f.qcd, 0) - coalesce(f.qcd_too_young, 0) - py.qcd_limit) as qcd_above_limit,
        coalesce(f.converted, 0) + withholding_replaced as line_8,
        coalesce(f.converted_in, 0) as converted_in,
        coalesce(f.after_tax_rolled_in, 0) as after_tax_rolled_in,
        coalesce(f.divorce_in, 0) as divorce_in,
        coalesce(f.divorce_out, 0) as divorce_out,
        coalesce(f.left_accounts_of_unknown_kind, 0) as left_accounts_of_unknown_kind,
        f.last_conversion_on,
        f.last_conversion_in_on,
        coalesce(f.outstanding_rollovers, 0) as outstanding_rollovers,
        coalesce(f.in_transit, 0) as in_transit,
        coalesce(f.never_arrived, 0) as never_arrived,
        coalesce(f.transfers_over_year_end, 0) as transfers_over_year_end,
        coalesce(f.transfers_unseen, 0) as transfers_unseen,
        coalesce(p.accounts_in_pool, 0) as accounts_in_pool,
        coalesce(p.accounts_undecided, 0) as accounts_undecided,
        coalesce(p.all_december_31, true) as all_december_31,
        coalesce(p.all_projected, true) as all_projected,
        coalesce(p.december_31_total, 0) as december_31_total,
        coalesce(p.projected_total, 0) as projected_total,
        p.oldest_value_on,
        coalesce(p.carried_forward, false) as carried_forward,
        p.undecided_accounts, p.lacking_december_31, p.lacking_any_value,
        coalesce(p.form_5498_differs, false) as form_5498_differs,
        coalesce(p.type_conflict, false) as type_conflict,
        case
            when b.basis_year = py.tax_year - 1 then b.basis
            when earlier.line_14 is not null then earlier.line_14
            when earlier.status = 'UNKNOWN' then null
            when b.basis_year is not null and not b.has_moved then b.basis
        end as stated_line_2,
        case
            when b.basis_year = py.tax_year - 1 then 'stated'
            when earlier.line_14 is not null then 'carried'
            when earlier.status = 'UNKNOWN' and b.basis_year is not null then 'stale'
            when b.basis_year is not null and not b.has_moved then 'stated'
            when b.basis_year is not null then 'stale'
            else 'missing'
        end as basis_from,
        b.basis_year,
        case when b.basis_year = py.tax_year - 1 and earlier.line_14 <> b.basis then earlier.line_14 end
            as contradicting_line_14,
        -- nothing left the IRAs, so what was contributed is still basis
        case when b.basis_year = py.tax_year - 1 and earlier.line_14 is null and coalesce(last_flows.converted
                + last_flows.distributions + last_flows.withholding + last_flows.plan_rolled_out + last_flows.divorce_out, 0) = 0
            and last_limits.nondeductible_contributions > b.basis then last_limits.nondeductible_contributions end
            as contributed_last_year,
        earlier.status = 'REVIEW' and b.basis_year is distinct from py.tax_year - 1 as carried_from_review,
        blocks.form_8606 as blocked_because,
        choices.line_10 as line_10_choice,
        choices.partly_deductible as partly_deductible_choice,
        choices.whole_pool_at_a_loss as whole_pool_choice,
    from person_years as py
    cross join choices
    left join ira_limits as l on l.person_id = py.person_id and l.tax_year = py.tax_year
    left join ira_contributions as c on c.person_id = py.person_id and c.tax_year = py.tax_year
    left join ira_flows as f on f.person_id = py.person_id and f.tax_year = py.tax_year
    left join pool_totals as p on p.person_id = py.person_id and p.tax_year = py.tax_year
    left join basis_facts as b on b.person_id = py.person_id
    left join rmd_ages as r on year(py.birth_date) >= r.born_from and year(py.birth_date) < r.born_before
    left join ira_limits as last_limits on last_limits.person_id = py.person_id and last_limits.tax_year = py.tax_year - 1
    left join ira_flows as last_flows on last_flows.person_id = py.person_id and last_flows.tax_year = py.tax_year - 1
    left join form_8606_so_far as earlier on earlier.person_id = py.person_id and earlier.tax_year = py.tax_year - 1
    left join blocks on blocks.person_id = py.person_id and blocks.tax_year = py.tax_year
    where py.tax_year = $tax_year
),
-- only people with something on the form
concerned as (
    select *,
        line_7 > 0 or line_8 > 0 as money_came_out,
        as_of > year_end as year_has_ended,
        deductible_contributions > 0 and nondeductible_contributions > 0 and (line_7 > 0 or line_8 > 0) as partly_deductible,
    from facts
    where accounts_in_pool > 0 or accounts_undecided > 0 or line_7 > 0 or line_8 > 0 or traditional_contributions > 0
        or converted_in > 0 or stated_line_2 > 0 or blocked_because is not null
),
judged as (
    select
        *,
        case
            when blocked_because is not null then true
            when stated_line_2 is null then true
            when nondeductible_contributions is null or undecided_contributions > 0 then true
            when divorce_in > 0 or (divorce_out > 0 and stated_line_2 + nondeductible_contributions > 0) then true
            when left_accounts_of_unknown_kind > 0 then true
            when converted_in > line_8 + 1 then true
            when never_arrived > 0 then true
            when not money_came_out then false
            when accounts_undecided > 0 then true
            when all_iras_reported is false then true
            when all_december_31 then false
            when year_has_ended then true
            else not all_projected
        end as is_unknown,
        -- nothing is a December 31 value before that day, not even the nought of a closed account
        case when as_of >= year_end and all_december_31 and (year_has_ended or accounts_in_pool > 0)
            then 'december_31' else 'projected' end as basis_of_line_6,
    from concerned
),
part_1 as (
    select
        *,
        nondeductible_contributions as line_1,
        stated_line_2 + after_tax_rolled_in as line_2,
        line_1 + line_2 as line_3,
        partly_deductible and partly_deductible_choice = 'worksheet_1_1' as uses_worksheet_1_1,
        case when not uses_worksheet_1_1 then larger(0, line_1 - traditional_in_year) end as line_4,
        -- Worksheet 1-1 line 3: basis and every contribution of the year, the deducted part too
        case when uses_worksheet_1_1 then line_2 + deductible_contributions + nondeductible_contributions
            else line_3 - line_4 end as line_5,
        lesser(line_3, line_5) as basis_available,
        larger(
            0,
            -- instructions for line 6: as if recharacterizations made after December 31 had been made before
            case when basis_of_line_6 = 'december_31'
                then december_31_total + moved_in_after_year_end - moved_out_after_year_end else projected_total end
                + outstanding_rollovers + in_transit - disaster_repaid
        ) as line_6,
        line_6 + line_7 + line_8 as line_9,
        money_came_out and line_6 = 0 and line_7 = 0 and line_1 = 0 and line_2 > line_8 as whole_pool_at_a_loss,
    from judged
    where not is_unknown
),
ratios as (
    select
        *,
        case when line_9 > 0 then cast(lesser(1000, (2000 * cents(line_5) + cents(line_9)) // (2 * cents(line_9)))
            as decimal(18, 2)) end as thousandths,
    from part_1
    where money_came_out
),
shares as (
    -- line 8 and line 7 times line 10, both ways of line 10; line 10 is never above 1
    select
        *,
        case when line_9 > 0 then mul_div(line_8, lesser(line_5, line_9), line_9) end as exact_conversion_share,
        case when line_9 > 0 then mul_div(line_7, lesser(line_5, line_9), line_9) end as exact_distribution_share,
        mul_div(line_8, thousandths, 1000.00) as rounded_conversion_share,
        mul_div(line_7, thousandths, 1000.00) as rounded_distribution_share,
        line_10_choice = 'three_places' as three_places,
        case when three_places then rounded_conversion_share else exact_conversion_share end as conversion_share,
        case when three_places then rounded_distribution_share else exact_distribution_share end as distribution_share,
    from ratios
),
trimmed as (
    -- line 13 is never above the basis there is: the overage comes off line 11 first, then line 12
    select
        *,
        conversion_share - lesser(conversion_share, larger(0, conversion_share + distribution_share - basis_available)) as line_11,
        distribution_share
            - larger(0, conversion_share + distribution_share - basis_available - conversion_share) as line_12,
    from shares
),
computed as (
    -- a form with Part II only takes the whole basis off a conversion at a loss, and carries none on
    select
        person_id, line_12,
        whole_pool_at_a_loss and whole_pool_choice = 'part_2_only' as part_2_only,
        case when part_2_only then line_3 else trimmed.line_11 end as line_11,
        case when part_2_only then line_3 else trimmed.line_11 + line_12 end as line_13,
        line_3 - line_13 as line_14,
        line_7 - line_12 as line_15a,
        case when line_7 > 0 then mul_div(line_15a, lesser(disaster_distributions, line_7), line_7) else 0 end as line_15b,
        case when part_2_only then 0 else line_8 - trimmed.line_11 end as line_18,
        case when three_places then cast(thousandths * 0.001 as decimal(18, 10)) else ratio_at_most_one(line_5, line_9) end
            as line_10,
        abs(rounded_conversion_share + rounded_distribution_share - exact_conversion_share - exact_distribution_share) > 1
            as three_places_differ,
    from trimmed
)
select
    j.person_id,
    j.tax_year,
    case
        when j.is_unknown then 'UNKNOWN'
        when j.limits_status = 'REVIEW' and (j.traditional_contributions > 0 or j.moved_in_doubt) then 'REVIEW'
        when j.partly_deductible
            or j.traditional_excess > 0
            or (j.line_8 > j.converted_in + 1 and j.as_of > j.last_conversion_on + interval 10 day)
            or (j.in_transit + j.transfers_over_year_end + j.transfers_unseen > 0 and j.money_came_out)
            or (j.carried_forward and j.money_came_out and j.basis_of_line_6 = 'projected')
            or (j.basis_of_line_6 = 'projected' and j.money_came_out and j.as_of > j.oldest_value_on + interval 100 day)
            or (j.all_iras_reported is null and j.money_came_out)
            or (j.form_5498_differs and j.money_came_out)
            or j.type_conflict
            or j.qcd_above_limit > 0 or j.qcd_too_young > 0 or j.qcd_age_unknown
            or j.rmd_not_seen or j.withholding_replaced > 0
            or j.converted_from_young_simple + j.converted_from_undated_simple > 0
            or (j.moved_in_after_year_end + j.moved_out_after_year_end > 0 and j.money_came_out
                and j.basis_of_line_6 = 'december_31')
            or (j.plan_rolled_out > 0 and p.line_9 < p.line_5)
            or j.after_tax_rolled_in > 0
            or j.contradicting_line_14 is not null or j.contributed_last_year is not null
            or coalesce(j.carried_from_review, false)
            or coalesce(c.three_places_differ, false)
            or (j.deductible_contributions > 0 and p.line_4 > 0)
            or p.whole_pool_at_a_loss
            then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when j.blocked_because is not null then j.blocked_because end,
        case when j.stated_line_2 is null and j.basis_from = 'missing' then
            'basis_not_stated: line 14 of the last Form 8606 filed is not stated (0 if none was ever filed)' end,
        case when j.stated_line_2 is null and j.basis_from = 'stale' then
            'basis_not_current: the last stated basis is for ' || j.basis_year || ' and there were contributions, conversions or '
            || 'distributions since; state the basis for ' || (j.tax_year - 1) || ' or run --tax-year for the years between' end,
        case when j.blocked_because is null and j.traditional_contributions > 0 and j.nondeductible_contributions is null then
            'nondeductible_not_known: the deductible part of ' || usd(j.traditional_contributions) || ' is not known'
            || coalesce(': ' || in_words(j.limits_reasons), '') end,
        case when j.blocked_because is null and j.undecided_contributions > 0 then
            'account_not_decided: ' || usd(j.undecided_contributions) || ' was contributed to an account of unknown kind; state its '
            || 'account_type in accounts' end,
        case when j.divorce_in > 0 or (j.divorce_out > 0 and j.stated_line_2 + j.nondeductible_contributions > 0) then
            'divorce_transfer: how much basis moved with the account is not stated' end,
        case when j.left_accounts_of_unknown_kind > 0 or (j.accounts_undecided > 0 and j.money_came_out) then
            'account_not_decided: ' || j.undecided_accounts end,
        case when j.converted_in > j.line_8 + 1 then
            'conversion_out_leg_missing: ' || usd(j.converted_in) || ' arrived in Roth IRAs as conversions but only '
            || usd(j.line_8) || ' left the known traditional IRAs; an IRA is missing from the book' end,
        case when j.never_arrived > 0 then
            'rollover_never_arrived: ' || usd(j.never_arrived) || ' left as a 60-day rollover and came back to no '
            || 'known IRA in 60 days; state the receiving IRA, or state it as a distribution' end,
        case when j.money_came_out and j.all_iras_reported is false then
            'iras_not_all_reported: the client has IRAs that are not in the book; their value belongs on line 6' end,
        case when j.money_came_out and j.year_has_ended and not j.all_december_31 then
            'december_31_value_missing: no value dated December 31, ' || j.tax_year || ' for ' || j.lacking_december_31 end,
        case when j.money_came_out and not j.year_has_ended and not j.all_december_31 and not j.all_projected then
            'value_missing: no full balance for ' || j.lacking_any_value end,
    ]) || case when j.is_unknown then [] else said([
            case when j.limits_status = 'REVIEW' and (j.traditional_contributions > 0 or j.moved_in_doubt) then array_to_string(j.limits_reasons, '; ') end,
            case when p.uses_worksheet_1_1 then
                'worksheet_1_1: part of the year''s contribution is deductible and money came out; Pub 590-B worksheet 1-1 replaces '
                || 'lines 4 to 12 (line 5 shows its line 3, all contributions of the year with the basis)' end,
            case when j.partly_deductible and not p.uses_worksheet_1_1 then
                'part_1_instead_of_worksheet_1_1: part of the year''s contribution is deductible and money came out; Pub 590-B '
                || 'worksheet 1-1 gives another nontaxable amount' end,
            case when j.traditional_excess > 0 then
                'excess_contribution: ' || usd(j.traditional_excess) || ' above the limit is not counted as basis' end,
            case when j.line_8 > j.converted_in + 1 and j.as_of > j.last_conversion_on + interval 10 day then
                'conversion_in_leg_missing: ' || usd(j.line_8) || ' left as conversions but only ' || usd(j.converted_in)
                || ' is seen arriving in Roth IRAs' end,
            case when j.in_transit > 0 and j.money_came_out then
                'rollover_in_transit: ' || usd(j.in_transit) || ' is between IRAs and was counted in line 6' end,
            case when j.transfers_over_year_end > 0 and j.money_came_out then
                'transfer_over_year_end: ' || usd(j.transfers_over_year_end) || ' was between two IRAs on December 31 and was '
                || 'counted in line 6' end,
            case when j.transfers_unseen > 0 and j.money_came_out then
                'transfer_not_seen_arriving: ' || usd(j.transfers_unseen) || ' left as a transfer to another IRA and is not seen '
                || 'arriving; check that the receiving IRA is in the book' end,
            case when j.carried_forward and j.money_came_out and j.basis_of_line_6 = 'projected' then
                'value_carried_forward: a balance is older than later events; line 6 was carried forward by them' end,
            case when j.basis_of_line_6 = 'projected' and j.money_came_out
                    and j.as_of > j.oldest_value_on + interval 100 day then
                'old_value: the oldest balance in line 6 is of ' || long_date(j.oldest_value_on) end,
            case when j.all_iras_reported is null and j.money_came_out then
                'iras_not_confirmed: nobody has confirmed that all of the client''s IRAs are in the book (all_iras_reported)' end,
            case when j.form_5498_differs and j.money_came_out then
                'form_5498_differs: box 5 of Form 5498 replaced a different December 31 balance' end,
            case when j.type_conflict then
                'account_type_conflict: the firm, the custodian and Form 5498 do not agree on whether an account is Roth or traditional' end,
            case when j.qcd_above_limit > 0 then
                'qcd_above_limit: ' || usd(j.qcd_above_limit) || ' of charitable distributions is above the year''s limit and was '
                || 'counted on line 7' end,
            case when j.qcd_too_young > 0 then
                'qcd_before_70_and_a_half: ' || usd(j.qcd_too_young) || ' went to charity before the owner was 70 1/2 and was counted '
                || 'on line 7' end,
            case when j.qcd_age_unknown then
                'birth_date_missing: whether the charitable distributions came after age 70 1/2 is not known; they were left off line 7'
                end,
            case when j.withholding_replaced > 0 then
                'withholding_replaced: ' || usd(j.withholding_replaced) || ' withheld from a conversion was put into the Roth IRA from '
                || 'other money and counts as converted, if that was within 60 days' end,
            case when j.rmd_not_seen then
                'rmd_first: from age ' || j.rmd_age || ' on the year''s required minimum comes out before anything is converted, and none '
                || 'is seen before the conversion; that part belongs on line 7, not line 8' end,
            case when j.converted_from_young_simple > 0 then
                'simple_first_two_years: ' || usd(j.converted_from_young_simple) || ' was converted from a SIMPLE IRA in its first two '
                || 'years; it is a distribution with a 25% tax, and an excess in the Roth IRA' end,
            case when j.converted_from_undated_simple > 0 then
                'simple_first_contribution_date: ' || usd(j.converted_from_undated_simple) || ' was converted from a SIMPLE IRA of '
                || 'unstated age; it may only go two years after the first contribution' end,
            case when j.moved_in_after_year_end + j.moved_out_after_year_end > 0 and j.money_came_out
                    and j.basis_of_line_6 = 'december_31' then
                'recharacterized_after_year_end: ' || usd(j.moved_in_after_year_end + j.moved_out_after_year_end)
                || ' moved between the kinds of IRA after December 31; line 6 is as if it had moved before' end,
            case when j.plan_rolled_out > 0 and p.line_9 < p.line_5 then
                'basis_rolled_to_plan: ' || usd(j.plan_rolled_out) || ' went to an employer plan and less than the basis is left in the '
                || 'IRAs; only pre-tax money may go to a plan (408(d)(3)(H))' end,
            case when j.after_tax_rolled_in > 0 then
                'after_tax_rolled_in: ' || usd(j.after_tax_rolled_in) || ' of after-tax plan money was added to basis' end,
            case when j.contradicting_line_14 is not null then
                'basis_contradiction: last year''s computed line 14 is ' || usd(j.contradicting_line_14)
                || ' but the stated basis is ' || usd(j.stated_line_2) || '; the stated one was used' end,
            case when j.contributed_last_year is not null then
                'basis_contradiction: the stated basis is ' || usd(j.stated_line_2) || ' but ' || usd(j.contributed_last_year)
                || ' of nondeductible contributions were made for ' || (j.tax_year - 1) || '; the stated one was used' end,
            case when coalesce(j.carried_from_review, false) then
                'basis_under_review: line 2 is last year''s line 14, which is itself under review' end,
            case when coalesce(c.three_places_differ, false) then
                'three_place_ratio: a hand form with line 10 at three places differs by more than $1; the exact ratio was used' end,
            case when j.deductible_contributions > 0 and p.line_4 > 0 then
                'line_4_choice: which part of the year''s contributions was deducted is the taxpayer''s choice; line 4 shows the '
                || 'smallest amount' end,
            case when p.whole_pool_at_a_loss then
                'whole_pool_at_a_loss: everything was converted for less than its basis; whether ' || usd(p.line_2 - p.line_8)
                || ' of basis survives is contested' end,
    ]) end as reasons,
    case when j.money_came_out and not j.is_unknown then j.basis_of_line_6 end as basis_of_line_6,
    p.line_1, p.line_2, p.line_3,
    case when p.money_came_out then p.line_4 end as line_4,
    case when p.money_came_out then p.line_5 end as line_5,
    case when p.money_came_out then p.line_6 end as line_6,
    case when p.money_came_out then p.line_7 end as line_7,
    case when p.money_came_out then p.line_8 end as line_8,
    case when p.money_came_out then p.line_9 end as line_9,
    c.line_10, c.line_11, c.line_12, c.line_13,
    coalesce(c.line_14, p.line_3) as line_14,
    c.line_15a,
    c.line_15b,
    c.line_15a - c.line_15b as line_15c,
    case when p.money_came_out then p.line_8 end as line_16,
    c.line_11 as line_17,
    c.line_18,
from judged as j
left join part_1 as p on p.person_id = j.person_id
left join computed as c on c.person_id = j.person_id
