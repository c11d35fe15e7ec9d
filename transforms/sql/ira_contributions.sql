-- One row per person and tax year: contributions FOR the year to traditional and Roth IRAs, after recharacterizations
-- and contributions returned by the extended due date. Employer SEP/SIMPLE money is not here, nor are SIMPLE deferrals.
-- What went into an account whose kind isn't known is only told (`undecided_contributions`): it may be either.
with
by_year as (
    select
        e.person_id,
        y.tax_year,
        y.year_end,
        y.contribution_due_date,
        y.extended_due_date,
        e.transaction_type,
        e.trade_date,
        e.trade_date <= y.extended_due_date as in_time,
        e.amount,
        case
            when e.account_type in ('simple_ira', 'roth_simple_ira') then null
            when is_roth_kind(e.account_type) then 'roth'
            when p.in_pool then 'traditional'
            when p.in_pool is null then 'undecided'
        end as side,
    from tax_events as e
    inner join year_limits as y on y.tax_year = e.contribution_year
    inner join pool_accounts as p on p.account_key = e.account_key and p.tax_year = y.tax_year
    where e.person_id is not null
        and e.transaction_type in (
            'contribution', 'recharacterization_out', 'recharacterization_in', 'return_of_excess')
),
summed as (
    select
        person_id,
        tax_year,
        coalesce(sum(amount) filter (transaction_type = 'contribution' and side = 'traditional'), 0) as gross_traditional,
        coalesce(sum(amount) filter (
            transaction_type = 'contribution' and side = 'traditional' and trade_date <= year_end), 0) as traditional_in_year,
        coalesce(sum(amount) filter (transaction_type = 'contribution' and side = 'roth'), 0) as gross_roth,
        coalesce(sum(amount) filter (
            transaction_type = 'contribution' and side = 'roth' and trade_date <= year_end), 0) as roth_in_year,
        coalesce(sum(amount) filter (transaction_type = 'contribution' and side = 'undecided'), 0) as undecided_contributions,
        coalesce(sum(amount) filter (
            transaction_type = 'contribution' and side is not null and trade_date > contribution_due_date), 0) as after_due_date,
        coalesce(sum(amount) filter (
            transaction_type = 'return_of_excess' and side = 'traditional' and trade_date <= extended_due_date), 0)
            as returned_traditional,
        coalesce(sum(amount) filter (
            transaction_type = 'return_of_excess' and side = 'roth' and trade_date <= extended_due_date), 0)
            as returned_roth,
        coalesce(sum(amount) filter (
            transaction_type = 'return_of_excess' and trade_date > extended_due_date), 0) as returned_too_late,
        -- both legs of one recharacterization may be in the book, or only one
        larger(
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_out' and side = 'roth' and in_time), 0),
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_in' and side = 'traditional' and in_time), 0)
        ) as recharacterized_to_traditional,
        larger(
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_out' and side = 'traditional' and in_time), 0),
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_in' and side = 'roth' and in_time), 0)
        ) as recharacterized_to_roth,
        -- after the extended due date nothing can be recharacterized, 408A(d)(6)
        larger(
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_out' and not in_time), 0),
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_in' and not in_time), 0)
        ) as recharacterized_too_late,
        -- what moved between the kinds after December 31, for line 6
        coalesce(sum(amount) filter (
            transaction_type = 'recharacterization_in' and side = 'traditional' and in_time and trade_date > year_end), 0)
            as moved_in_after_year_end,
        coalesce(sum(amount) filter (
            transaction_type = 'recharacterization_out' and side = 'traditional' and in_time and trade_date > year_end), 0)
            as moved_out_after_year_end,
        coalesce(sum(amount) filter (
            transaction_type = 'return_of_excess' and side = 'traditional' and trade_date <= year_end), 0)
            as returned_in_year,
        coalesce(sum(amount) filter (
            transaction_type = 'recharacterization_out' and side = 'traditional' and trade_date <= year_end), 0)
            as recharacterized_away_in_year,
    from by_year
    group by person_id, tax_year
),
-- returned or moved early in the next year without a tax year, more than was contributed for that one: it may be this year's
strays as (
    select
        e.person_id,
        y.tax_year,
        sum(e.amount) filter (e.transaction_type in ('return_of_excess', 'recharacterization_out')
            and e.stated_tax_year is null) as undated,
        coalesce(sum(e.amount) filter (e.transaction_type = 'contribution'), 0) as contributed,
    from tax_events as e
    inner join year_limits as y on e.contribution_year = y.tax_year + 1 and e.trade_date <= y.extended_due_date
    where e.transaction_type in ('contribution', 'return_of_excess', 'recharacterization_out')
    group by e.person_id, y.tax_year
),
moved as (
    -- what moved includes earnings; the contribution that changes sides is never more than what was contributed
    select
        *,
        lesser(recharacterized_to_traditional, gross_roth - lesser(returned_roth, gross_roth)) as contribution_to_traditional,
        lesser(recharacterized_to_roth, gross_traditional - lesser(returned_traditional, gross_traditional))
            as contribution_to_roth,
    from summed
)
select
    *,
    gross_traditional - lesser(returned_traditional, gross_traditional) - contribution_to_roth
        + contribution_to_traditional as traditional_contributions,
    gross_roth - lesser(returned_roth, gross_roth) - contribution_to_traditional + contribution_to_roth
        as roth_contributions,
    lesser(contribution_to_traditional, roth_in_year) as recharacterized_in_year,
    recharacterized_to_traditional > 0 and gross_roth = 0 as recharacterized_without_roth_contribution,
    -- returned or moved for a year that shows no such contribution: it is another year's
    larger(0, returned_traditional - gross_traditional) + larger(0, returned_roth - gross_roth)
        + case when gross_traditional = 0 then recharacterized_to_roth else 0 end
        as returned_without_contribution,
    case when strays.undated > strays.contributed then strays.undated else 0 end as undated_next_year,
from moved
left join strays using (person_id, tax_year)
