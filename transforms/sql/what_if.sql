-- One row per person and tax year on Form 8606: what the form was computed from, so that the sheet What-if can compute it
-- again with other amounts, and how far each amount may go. Nothing but status and sentences where the form is UNKNOWN; `pool`
-- (line 6 before its floor of nought) is null, and `pool_missing` says why, where the form could do without line 6.
with
facts as (
    select
        f.person_id, f.tax_year, f.status, f.status <> 'UNKNOWN' as is_known,
        f.line_1, f.line_2, f.line_6, coalesce(f.line_7, 0) as line_7, coalesce(f.line_8, 0) as line_8,
        r.as_of > py.year_end as year_has_ended,
        py.contribution_due_date,
        case when r.as_of <= py.contribution_due_date
            then larger(0, l.contribution_limit - l.traditional_contributions - l.roth_contributions) else 0 end as contribution_room,
        case when coalesce(c.traditional_contributions, 0) = 0 then 0 else l.deductible_contributions end as deductible,
        larger(0, l.deduction_limit - deductible) as deduction_room,
        coalesce(c.traditional_contributions, 0) as contributed,
        larger(0, coalesce(c.traditional_in_year, 0) - coalesce(c.returned_in_year, 0)
            - coalesce(c.recharacterized_away_in_year, 0)) + coalesce(c.recharacterized_in_year, 0) as contributed_in_year,
        coalesce(w.disaster_distributions, 0) as disaster_distributions,
        case
            when f.line_6 is not null then null
            when coalesce(p.accounts_undecided, 0) > 0 then 'whether it is an IRA of the client is not decided: ' || p.undecided_accounts
            when py.all_iras_reported is false then 'the client has IRAs that are not in the book'
            when not coalesce(p.all_december_31, true) and year_has_ended then 'no value of December 31 for ' || p.lacking_december_31
            when not coalesce(p.all_december_31, true) and not p.all_projected then 'no full balance for ' || p.lacking_any_value
        end as pool_missing,
        case when coalesce(p.all_december_31, true) and r.as_of >= py.year_end
                and (year_has_ended or coalesce(p.accounts_in_pool, 0) > 0)
            then coalesce(p.december_31_total, 0) + coalesce(c.moved_in_after_year_end, 0) - coalesce(c.moved_out_after_year_end, 0)
            else coalesce(p.projected_total, 0) end
            + coalesce(w.outstanding_rollovers, 0) + coalesce(w.in_transit, 0)
            - lesser(coalesce(w.disaster_repayments, 0), coalesce(w.disaster_distributions, 0)) as pool,
        py.all_iras_reported,
        case when py.marginal_tax_rate > 1 then py.marginal_tax_rate * 0.01 else py.marginal_tax_rate end as rate,
        py.hsa_coverage, py.qhfd_used,
        coalesce(w.qhfd, 0) > 0 or exists (
            select 1 from tax_events as e where e.person_id = f.person_id and e.transaction_type = 'qhfd') as qhfd_seen,
        larger(0, case py.hsa_coverage when 'family' then py.hsa_family when 'self' then py.hsa_self_only end
            + case when py.age >= 55 then py.hsa_catch_up_55 when py.age < 55 then 0 end - py.hsa_contributions) as hsa_left,
        case
            when ways.status in ('COMPUTED', 'REVIEW') then 'a plan of a current employer takes rollovers from an IRA'
            else in_words(ways.reasons)
        end as plan_note,
    from form_8606 as f
    inner join person_years as py on py.person_id = f.person_id and py.tax_year = f.tax_year
    cross join run as r
    left join ira_limits as l on l.person_id = f.person_id and l.tax_year = f.tax_year
    left join ira_contributions as c on c.person_id = f.person_id and c.tax_year = f.tax_year
    left join ira_flows as w on w.person_id = f.person_id and w.tax_year = f.tax_year
    left join pool_totals as p on p.person_id = f.person_id and p.tax_year = f.tax_year
    left join ways_out as ways
        on ways.person_id = f.person_id and ways.tax_year = f.tax_year and ways.way = 'reverse_rollover'
)
select
    person_id, tax_year, status, year_has_ended, contribution_due_date,
    case when is_known then line_1 end as line_1,
    case when is_known then line_2 end as line_2,
    case when is_known then line_7 end as line_7,
    case when is_known then line_8 end as line_8,
    case when is_known and pool_missing is null then pool end as pool,
    case when is_known then pool_missing end as pool_missing,
    case when is_known then deductible end as deductible,
    case when is_known then contributed end as contributed,
    case when is_known then contributed_in_year end as contributed_in_year,
    case when is_known then disaster_distributions end as disaster_distributions,
    case when is_known then contribution_room end as contribution_room,
    case when is_known then deduction_room end as deduction_room,
    case
        when not is_known then null
        when qhfd_used or qhfd_seen or hsa_coverage = 'none' then 0
        when qhfd_used is null then null
        else hsa_left
    end as hsa_room,
    case
        when not is_known then null
        when qhfd_used or qhfd_seen then 'the once-in-a-lifetime transfer was made'
        when hsa_coverage = 'none' then 'not covered by a high-deductible health plan'
        when qhfd_used is null or hsa_coverage is null then 'hsa_coverage or qhfd_used is not stated'
        when hsa_left is null then 'hsa_contributions or birth_date is not stated'
        else 'the HSA limit leaves ' || usd(hsa_left)
    end as hsa_note,
    case when is_known then plan_note end as plan_note,
    case when is_known then all_iras_reported end as all_iras_reported,
    cast(rate as decimal(12, 6)) as rate,
    choices.line_10 = 'three_places' as three_places,
    choices.partly_deductible = 'worksheet_1_1' as worksheet_1_1,
    choices.whole_pool_at_a_loss = 'part_2_only' as part_2_only,
from facts
cross join choices
