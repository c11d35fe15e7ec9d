-- One row per person and tax year: contributions FOR the year to traditional and Roth IRAs, after recharacterizations
-- and contributions returned by the extended due date. Employer SEP/SIMPLE money is not here, nor are SIMPLE deferrals.
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
        e.amount,
        case
            when is_roth_kind(e.account_type) then 'roth'
            when is_traditional_kind(e.account_type) and e.account_type <> 'simple_ira' then 'traditional'
        end as side,
    from tax_events as e
    inner join year_limits as y on y.tax_year = e.contribution_year
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
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_out' and side = 'roth'), 0),
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_in' and side = 'traditional'), 0)
        ) as recharacterized_to_traditional,
        larger(
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_out' and side = 'traditional'), 0),
            coalesce(sum(amount) filter (transaction_type = 'recharacterization_in' and side = 'roth'), 0)
        ) as recharacterized_to_roth,
    from by_year
    group by person_id, tax_year
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
from moved
