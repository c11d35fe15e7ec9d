"""Money was converted or paid out and Form 8606 cannot be computed, for a reason no other finding tells, or for several.

The dollars are what came out. Guard: not for one reason alone that has a finding of its own (a missing basis or December 31 value, a
contested account, an ambiguous transaction, a missing leg, an inherited IRA, ...): with several they are parts of this one. Never
while a row is set aside, which may be what is missing.
"""

from transforms.findings import Finding
from transforms.findings._questions import questions

FINDING = Finding(
    rule="pro_rata_unknown",
    authority="IRC 408(d)(2); Form 8606",
    topics=("conversion", "conversion_in", "distribution", "account", "moved"),
    waits_for=("leg_unpaired",),
    one_over_years=True,
    sql=f"""
    with undecided as (
        -- accounts that may be in the pool and that no finding about inherited IRAs tells
        select p.person_id, p.tax_year, count(*) filter (d.account_key is null) as untold
        from pool_accounts as p
        left join inheritance_doubts as d
            on d.person_id = p.person_id and d.tax_year = p.tax_year and d.account_key = p.account_key
        where p.in_pool is null
        group by p.person_id, p.tax_year
    ),
    legs as (
        -- findings are made in the order of their names
        select distinct person_id, tax_year from raw_findings where rule = 'leg_unpaired'
    ),
    untold as (
        select
            f.*,
            list_filter(f.reasons, lambda r: not (
                starts_with(r, 'basis_not_') or starts_with(r, 'december_31_value_missing')
                or starts_with(r, 'account_owner_contested') or starts_with(r, 'unclassified_event')
                or starts_with(r, 'transfer_into_roth') or starts_with(r, 'sixty_day_rollover_twice')
                or starts_with(r, 'cancelled_row_missing') or starts_with(r, 'correction_not_applied')
                or starts_with(r, 'conversion_out_leg_missing') or starts_with(r, 'nondeductible_not_known')
                or (starts_with(r, 'rollover_never_arrived') and legs.person_id is not null)
                or (starts_with(r, 'account_not_decided') and undecided.untold = 0))) as others,
        from form_8606 as f
        left join legs on legs.person_id = f.person_id and legs.tax_year = f.tax_year
        left join undecided on undecided.person_id = f.person_id and undecided.tax_year = f.tax_year
        where f.status = 'UNKNOWN' and len(list_filter(f.reasons, lambda r: starts_with(r, 'row_set_aside'))) = 0
    ),
    asked as ({questions("untold")})
    select
        u.person_id, '' as subject, u.tax_year,
        coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) as amount,
        'converted or paid out' as amount_is,
        'high' as severity,
        case when run.as_of <= py.year_end then py.year_end
            else filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) end as deadline,
        'Form 8606 for ' || u.tax_year || ' cannot be computed' as title,
        usd(coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0))
            || ' was converted or paid out, and how much of it is taxable cannot be told; no number is shown until it can.'
            as explanation,
        asked.ask as action,
    from untold as u
    inner join asked using (person_id, tax_year)
    inner join person_years as py using (person_id, tax_year)
    left join ira_flows as w using (person_id, tax_year)
    cross join run
    where (len(u.others) > 0 or len(u.reasons) > 1)
        and (coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) + coalesce(w.converted_in, 0) > 0
             or w.left_accounts_of_unknown_kind > 0 or w.never_arrived > 0)
    """,
)
