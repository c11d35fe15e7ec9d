"""Income closes the direct Roth way, room is left, but pre-tax IRA money would make a conversion pro-rata taxable.

The dollars are what contributing and converting the room would add to what is taxable on Form 8606. The ways out
named are the ones whose facts are stated, each with what it would leave taxable (or add, where money was converted already): a current plan that takes roll-ins (reverse
rollover), a once-in-a-lifetime HSA funding distribution. Guard: fires only where the pool, its values and its basis are all known,
no direct Roth room is left (`roth_partial_room` tells that), and no IRA money has gone to a plan this year: that way is being used.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="backdoor_blocked_by_pre_tax",
    authority="IRC 408(d)(2), 408(d)(3)(A)(ii), 408(d)(9), 408A(c)(3)",
    topics=("tax_profile", "pool_value", "basis", "plan", "contribution"),
    rests_on="form_8606",
    one_with="pre-tax money and a conversion",
    sql="""
    with roll_in as (
        select person_id, tax_year, string_agg(distinct employer_name, ', ' order by employer_name) as employers
        from plan_years
        where ira_roll_in and currently_employed is distinct from false
            and plan_type in ('401k', 'solo_401k', '403b', '401a', '457b', 'tsp')
        group by person_id, tax_year
    ),
    open_ways as (
        select
            person_id, tax_year, way, amount, taxable_now, taxable_then,
            case when room_left is null then usd(taxable_then) || ' would be taxable.'
                else usd(room_adds) || ' more would be taxable.' end as leaves,
        from ways_out
        where status in ('COMPUTED', 'REVIEW') and amount > 0
    ),
    priced as (
        select
            c.*, py.* exclude (person_id, tax_year), roll_in.employers, run.as_of,
            -- what is contributed after December 31 is converted in the next year, which has a line 6 of its own
            case when run.as_of <= py.year_end then py.year_end else (py.year_end + interval 1 year)::date end as move_by,
            c.taxable_if_done as taxable, coalesce(f.line_8, 0) > 0 as has_converted,
            rollover.amount as to_plan, rollover.leaves as plan_leaves,
            'HSA funding distribution (once in a lifetime): up to ' || usd(hsa.amount) || ' of pre-tax money can go to the HSA by '
                || long_date(py.year_end) || '; ' || hsa.leaves as hsa_way,
            2 * hsa.taxable_then <= hsa.taxable_now as hsa_is_enough,
        from backdoor_candidates as c
        inner join person_years as py using (person_id, tax_year)
        inner join ira_limits as l using (person_id, tax_year)
        left join ira_flows as w using (person_id, tax_year)
        left join form_8606 as f using (person_id, tax_year)
        left join roll_in using (person_id, tax_year)
        left join open_ways as rollover
            on rollover.person_id = c.person_id and rollover.tax_year = c.tax_year and rollover.way = 'reverse_rollover'
        left join open_ways as hsa on hsa.person_id = c.person_id and hsa.tax_year = c.tax_year and hsa.way = 'qhfd'
        cross join run
        where c.pre_tax > 0 and c.room > 0 and c.roth_limit <= l.roth_contributions and coalesce(w.plan_rolled_out, 0) = 0
    )
    select
        x.person_id, '' as subject, x.tax_year,
        tax_or_income(x.taxable, x.marginal_tax_rate) as amount,
        dollars_are(x.marginal_tax_rate) as amount_is,
        case
            when x.to_plan is not null or x.hsa_is_enough then
                severity_of(tax_or_income(x.taxable, x.marginal_tax_rate), x.move_by, x.as_of)
            when x.as_of > x.year_end and x.employers is not null then
                severity_at_most_high(tax_or_income(x.taxable, x.marginal_tax_rate), x.contribution_due_date, x.as_of)
            else 'low'
        end as severity,
        case when x.as_of <= x.year_end then x.year_end else x.contribution_due_date end as deadline,
        'Backdoor Roth blocked by ' || usd(x.pre_tax) || ' of pre-tax IRA money' as title,
        'Contributing and converting ' || usd(x.room) || ' would make ' || usd(x.taxable) || case when x.has_converted then ' more' else '' end
            || ' taxable: ' || usd(x.pre_tax)
            || ' of the ' || usd(x.pool_value) || ' in IRAs is pre-tax. Roth MAGI is ' || usd(x.roth_magi)
            || ', direct Roth limit ' || usd(x.roth_limit) || '.' as explanation,
        -- what leaves least taxable stands first: a plan that takes the money, else the HSA
        case when x.to_plan is null then coalesce(x.hsa_way || ' ', '') else '' end
        || case
            when x.employers is null then 'No current plan is known to take IRA roll-ins; ask the employer.'
            when x.to_plan is not null then
                'Reverse rollover: ' || x.employers || ' takes IRA roll-ins; move ' || usd(x.to_plan) || ' of pre-tax money in by '
                || long_date(x.move_by) || ' (not RMDs, nor SIMPLE money under two years), then contribute and convert '
                || usd(x.room) || ': ' || x.plan_leaves
            when x.as_of > x.year_end then
                'Reverse rollover: ' || x.employers || ' takes IRA roll-ins; contribute by ' || long_date(x.contribution_due_date)
                || ', and have the pre-tax money in the plan by ' || long_date(x.move_by) || ', the year of the conversion.'
            else x.employers || ' takes IRA roll-ins, but none of this money may move now (SIMPLE money under two years or undated).'
        end
        || case when x.to_plan is null then ' Otherwise accept the ' || usd(x.taxable) || ' of income or wait.'
            else coalesce(' ' || x.hsa_way, '') end as action,
    from priced as x
    where x.taxable > 0
    """,
)
