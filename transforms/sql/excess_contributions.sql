-- One row per person, $tax_year and kind of IRA with an excess: section 4973, Form 5329 lines 9-17 (traditional) and 18-25
-- (Roth). The tax is 6% of the smaller of the excess not yet cured and the December 31 value of that kind of IRA. An excess
-- stays until it is withdrawn or absorbed by later room; earlier years of this run are in excess_contributions_so_far, what
-- the firm states of a year before (excess_carryovers: Form 5329 line 16 or 24) comes before them.
with
stated as (
    select
        person_id,
        max(tax_year) as carried_year,
        arg_max(traditional_excess, tax_year) as traditional_excess,
        arg_max(roth_excess, tax_year) as roth_excess,
    from excess_carryovers
    where tax_year < $tax_year
    group by person_id
),
sides as (
    select
        py.person_id, py.tax_year, py.year_end, py.extended_due_date, py.age, kind.ira_kind,
        case when kind.ira_kind = 'traditional' then l.traditional_excess else l.roth_excess end as excess_of_year,
        -- what could still have been contributed for the year
        case
            when l.contribution_limit is null then null
            when kind.ira_kind = 'traditional'
                then larger(0, l.contribution_limit - l.traditional_contributions - l.roth_contributions)
            else larger(0, l.roth_limit - l.roth_contributions)
        end as room,
        larger(0, l.contribution_limit - l.traditional_contributions - l.roth_contributions) as both_room,
        l.is_blocked,
        l.blocked_because,
        case when kind.ira_kind = 'traditional' then stated.traditional_excess else stated.roth_excess end as stated_excess,
        stated.carried_year is not null and stated.carried_year < py.tax_year - 1 and stated_excess > 0
            and earlier.status is null as is_stale,
        case
            when stated.carried_year = py.tax_year - 1 then stated_excess
            when earlier.status is not null then earlier.cumulative_excess
            when is_stale then null
            else coalesce(stated_excess, 0)
        end as excess_before,
        case when stated.carried_year = py.tax_year - 1 then null else earlier.status end as earlier_status,
        stated.carried_year = py.tax_year - 1 and earlier.cumulative_excess <> stated_excess as is_contradicted,
        earlier.cumulative_excess as earlier_excess,
        -- years that nobody looked at may have left an excess of their own
        stated.person_id is null and not exists (
            select 1 from ira_limits as b where b.person_id = py.person_id and b.tax_year = py.tax_year - 1
        ) as earlier_not_looked_at,
        coalesce(late.withdrawn, 0) as withdrawn_late,
        -- Form 5329 line 12: traditional distributions that were income
        coalesce(paid.out, case when kind.ira_kind = 'traditional' then f.line_15c end, 0) as distributed,
        kind.ira_kind = 'traditional' and coalesce(f.status = 'UNKNOWN', false) as distributions_unknown,
    from person_years as py
    cross join (values ('traditional'), ('roth')) as kind (ira_kind)
    inner join ira_limits as l on l.person_id = py.person_id and l.tax_year = py.tax_year
    left join excess_contributions_so_far as earlier
        on earlier.person_id = py.person_id and earlier.ira_kind = kind.ira_kind and earlier.tax_year = py.tax_year - 1
    left join stated on stated.person_id = py.person_id
    left join form_8606 as f on f.person_id = py.person_id and f.tax_year = py.tax_year
    left join (
        -- 4973(f)(2)(A): a Roth distribution of the year lowers the excess (Form 5329 line 20)
        select e.person_id, sum(e.amount) as out
        from tax_events as e
        where e.transaction_type in ('distribution', 'withholding') and is_roth_kind(e.account_type)
            and e.event_year = $tax_year
        group by e.person_id
    ) as paid on paid.person_id = py.person_id and kind.ira_kind = 'roth'
    left join (
        -- an excess of an earlier year taken out after that year's extended due date
        select
            e.person_id,
            case when is_roth_kind(e.account_type) then 'roth' else 'traditional' end as ira_kind,
            sum(e.amount) as withdrawn,
        from tax_events as e
        where e.transaction_type = 'return_of_excess'
            and e.event_year = $tax_year
            and e.contribution_year < $tax_year
            and e.trade_date > (select d.extended_due_date from all_due_dates as d where d.tax_year = e.contribution_year)
        group by all
    ) as late on late.person_id = py.person_id and late.ira_kind = kind.ira_kind
    where py.tax_year = $tax_year
),
worths as (
    select
        v.person_id,
        case when is_roth_kind(a.account_type) then 'roth' else 'traditional' end as ira_kind,
        sum(case when r.as_of > y.year_end then v.december_31_value else v.projected_value end) as value,
        bool_or(case when r.as_of > y.year_end then v.december_31_value else v.projected_value end is null) as is_missing,
    from account_values as v
    inner join known_accounts as a on a.account_key = v.account_key
    inner join year_limits as y on y.tax_year = v.tax_year
    cross join run as r
    where v.tax_year = $tax_year and (is_roth_kind(a.account_type) or v.in_pool)
    group by all
),
withdrawals as (
    select
        *,
        lesser(excess_before, withdrawn_late + distributed) as withdrawn,
        lesser(excess_before - withdrawn, room) as absorbed_alone,
    from sides
),
absorptions as (
    -- one limit for both kinds: what the traditional excess takes up is no longer the Roth one's
    select
        w.*,
        case
            when w.ira_kind = 'traditional' or coalesce(other.absorbed_alone, 0) = 0 then w.absorbed_alone
            else lesser(w.absorbed_alone, larger(0, w.both_room - other.absorbed_alone))
        end as absorbed,
    from withdrawals as w
    left join withdrawals as other
        on other.person_id = w.person_id and other.ira_kind = 'traditional' and w.ira_kind = 'roth'
),
carried as (
    select
        s.*,
        s.excess_before - withdrawn - absorbed + s.excess_of_year as cumulative_excess,
        case when not coalesce(w.is_missing, false) then coalesce(w.value, 0) end as december_31_value,
        (select as_of from run) as as_of,
    from absorptions as s
    left join worths as w on w.person_id = s.person_id and w.ira_kind = s.ira_kind
    where s.excess_before > 0 or s.excess_of_year > 0 or s.earlier_status = 'UNKNOWN' or s.is_stale
),
judged as (
    select
        *,
        is_blocked or cumulative_excess is null or (cumulative_excess > 0 and december_31_value is null)
            or coalesce(earlier_status = 'UNKNOWN', false) or is_stale as is_unknown,
        -- only the year's own excess can still be taken back without the tax
        as_of <= extended_due_date and excess_of_year > 0 as is_curable,
    from carried
)
select
    person_id,
    tax_year,
    ira_kind,
    case
        when is_unknown then 'UNKNOWN'
        when is_curable or as_of <= year_end or earlier_not_looked_at or coalesce(is_contradicted, false)
            or (distributions_unknown and excess_before > 0) then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when is_blocked then blocked_because end,
        case when not is_blocked and not is_stale and cumulative_excess is null then
            'limits_not_known: the contribution limit of ' || tax_year || ' is not known' end,
        case when cumulative_excess > 0 and december_31_value is null then
            'december_31_value_missing: the tax is 6% of the smaller of the excess and the December 31 value' end,
        case when earlier_status = 'UNKNOWN' then 'earlier_excess: the excess carried from ' || (tax_year - 1) || ' is not known' end,
        case when is_stale then
            'excess_not_current: an excess is stated for an earlier year than ' || (tax_year - 1) || '; state it for ' || (tax_year - 1)
            || ' in excess_carryovers or run --tax-year for the years between' end,
        case when not is_unknown and earlier_not_looked_at then
            'earlier_years: an excess left over from before ' || tax_year || ' would add to this; state it in excess_carryovers (0 if '
            || 'there is none)' end,
        case when not is_unknown and distributions_unknown and excess_before > 0 then
            'distributions_not_known: Form 8606 of ' || tax_year || ' is not known; taxable distributions would lower the excess' end,
        case when not is_unknown and is_contradicted then
            'excess_contradiction: ' || usd(earlier_excess) || ' was computed for ' || (tax_year - 1) || ' but ' || usd(excess_before)
            || ' is stated; the stated one was used' end,
        case when not is_unknown and is_curable then
            'curable: no tax on ' || usd(excess_of_year) || ' if it is withdrawn with its earnings, or recharacterized, by '
            || long_date(extended_due_date) end,
        case when not is_unknown and as_of <= year_end then
            'year_not_ended: the tax is on what is left on December 31, ' || tax_year || '; the value is a projection' end,
    ]) as reasons,
    case when not is_unknown then excess_before end as excess_before,
    case when not is_unknown then withdrawn end as withdrawn,
    case when not is_unknown then absorbed end as absorbed,
    case when not is_unknown then excess_of_year end as excess_of_year,
    case when not is_unknown then cumulative_excess end as cumulative_excess,
    case when not is_unknown then december_31_value end as december_31_value,
    case when not is_unknown then mul_div(lesser(cumulative_excess, december_31_value), 6.00, 100.00) end as excise_tax,
    case when is_curable then extended_due_date end as cure_by,
from judged
