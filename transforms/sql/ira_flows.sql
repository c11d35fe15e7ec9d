-- One row per person and tax year: what left and entered the person's IRA pool, by the lines of Form 8606 it feeds.
with
events as (
    select
        e.* exclude (event_year),
        p.tax_year as event_year,
        p.in_pool,
        is_roth_kind(e.account_type) and (e.transaction_type = 'roth_conversion_in'
            or pair.out_type = 'roth_conversion_out') as arrives_converted,
    from tax_events as e
    left join event_pairs as pair on pair.in_event_id = e.event_id
    -- a conversion counts in the year it left the traditional IRA, and so does its other leg
    inner join pool_accounts as p
        on p.account_key = e.account_key
        and p.tax_year = case when pair.out_type = 'roth_conversion_out' then year(pair.left_on) else e.event_year end
    where e.person_id is not null
),
summed as (
    select
        e.person_id,
        e.event_year as tax_year,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type in (
            'distribution', 'rmd', 'qualified_disaster_distribution')), 0) as distributions,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'qualified_disaster_distribution'), 0)
            as disaster_distributions,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'qualified_disaster_repayment'), 0)
            as disaster_repayments,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'withholding'), 0) as withholding,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'qcd'), 0) as qcd,
        -- 408(d)(8)(B)(ii): only from the day the owner is 70 1/2
        coalesce(sum(e.amount) filter (
            e.in_pool and e.transaction_type = 'qcd' and e.trade_date < who.birth_date + interval '70 years 6 months'), 0)
            as qcd_too_young,
        -- 408A(e)(1), 72(t)(6): in its first two years a SIMPLE IRA only goes to another SIMPLE IRA
        coalesce(sum(e.amount) filter (
            e.in_pool and e.transaction_type = 'roth_conversion_out' and e.account_type = 'simple_ira'
            and e.trade_date < a.simple_first_contribution_date + interval 2 year), 0) as converted_from_young_simple,
        coalesce(sum(e.amount) filter (
            e.in_pool and e.transaction_type = 'roth_conversion_out' and e.account_type = 'simple_ira'
            and a.simple_first_contribution_date is null), 0) as converted_from_undated_simple,
        min(e.trade_date) filter (e.in_pool and e.transaction_type in ('rmd', 'distribution')) as first_distribution_on,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'qhfd'), 0) as qhfd,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'roth_conversion_out'), 0) as converted,
        coalesce(sum(e.amount) filter (e.arrives_converted), 0) as converted_in,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'after_tax_rollover_in'), 0) as after_tax_rolled_in,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'divorce_transfer_in'), 0) as divorce_in,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'divorce_transfer_out'), 0) as divorce_out,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'plan_rollover_in'), 0) as plan_rolled_in,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'plan_rollover_out'), 0) as plan_rolled_out,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'employer_contribution'), 0) as employer_contributions,
        coalesce(sum(e.amount) filter (e.in_pool and e.transaction_type = 'rmd'), 0) as rmd,
        coalesce(sum(e.amount) filter (
            e.in_pool is null and flow_sign(e.transaction_type) = -1), 0) as left_accounts_of_unknown_kind,
        min(e.trade_date) filter (e.in_pool and e.transaction_type = 'roth_conversion_out') as first_conversion_on,
        max(e.trade_date) filter (e.in_pool and e.transaction_type = 'roth_conversion_out') as last_conversion_on,
        max(e.trade_date) filter (e.transaction_type = 'roth_conversion_in') as last_conversion_in_on,
    from events as e
    inner join persons as who on who.person_id = e.person_id
    inner join known_accounts as a on a.account_key = e.account_key
    group by e.person_id, e.event_year
),
rollovers as (
    select
        person_id,
        event_year as tax_year,
        -- line 6: out after November 1, back in the next year within 60 days; or still on its way
        coalesce(sum(amount) filter (
            year(arrived_on) = event_year + 1 and month(left_on) >= 11), 0) as outstanding_rollovers,
        coalesce(sum(amount) filter (
            transaction_type = 'trustee_transfer_out' and year(arrived_on) = event_year + 1), 0) as transfers_over_year_end,
        coalesce(sum(amount) filter (
            arrived_on is null and not window_closed), 0) as in_transit,
        coalesce(sum(amount) filter (
            transaction_type = 'rollover_out' and arrived_on is null and window_closed), 0) as never_arrived,
        coalesce(sum(amount) filter (
            transaction_type = 'trustee_transfer_out' and arrived_on is null and window_closed), 0) as transfers_unseen,
    from rollover_legs
    group by person_id, event_year
)
select
    coalesce(s.person_id, r.person_id) as person_id,
    coalesce(s.tax_year, r.tax_year) as tax_year,
    s.* exclude (person_id, tax_year),
    coalesce(r.outstanding_rollovers, 0) as outstanding_rollovers,
    coalesce(r.in_transit, 0) as in_transit,
    coalesce(r.never_arrived, 0) as never_arrived,
    coalesce(r.transfers_over_year_end, 0) as transfers_over_year_end,
    coalesce(r.transfers_unseen, 0) as transfers_unseen,
from summed as s
full join rollovers as r on r.person_id = s.person_id and r.tax_year = s.tax_year
