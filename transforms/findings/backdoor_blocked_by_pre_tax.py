"""Income closes the direct Roth way, room is left, but pre-tax IRA money would make a conversion pro-rata taxable.

The dollars are the taxable part of contributing and converting the room: room less its pro-rata tax-free share. The ways out
named are the ones whose facts are stated: a current plan that takes roll-ins (reverse rollover), a once-in-a-lifetime HSA funding
distribution. Guard: fires only where the pool, its values and its basis are all known.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="backdoor_blocked_by_pre_tax",
    authority="IRC 408(d)(2), 408(d)(3)(A)(ii), 408(d)(9), 408A(c)(3)",
    topics=("tax_profile", "pool_value", "basis", "plan", "contribution"),
    rests_on="form_8606",
    sql="""
    with roll_in as (
        select person_id, tax_year, string_agg(distinct employer_name, ', ') as employers
        from plan_years
        where ira_roll_in and currently_employed is distinct from false
        group by person_id, tax_year
    ),
    priced as (
        select
            c.*, py.* exclude (person_id, tax_year), roll_in.employers,
            c.room - mul_div(c.room, lesser(c.basis + c.room, c.pool_value + c.room), c.pool_value + c.room) as taxable,
            case
                when py.hsa_coverage in ('self', 'family') and py.qhfd_used is false and py.hsa_contributions is not null then
                    larger(0, case py.hsa_coverage when 'self' then py.hsa_self_only else py.hsa_family end
                        + case when py.age >= 55 then py.hsa_catch_up_55 else 0 end - py.hsa_contributions)
            end as qhfd_room,
        from backdoor_candidates as c
        inner join person_years as py using (person_id, tax_year)
        left join roll_in using (person_id, tax_year)
        where c.pre_tax > 0 and c.room > 0
    )
    select
        x.person_id, '' as subject, x.tax_year,
        tax_or_income(x.taxable, x.marginal_tax_rate) as amount,
        dollars_are(x.marginal_tax_rate) as amount_is,
        case when x.employers is not null or x.qhfd_room >= x.pre_tax then
            severity_of(tax_or_income(x.taxable, x.marginal_tax_rate), x.year_end, run.as_of)
            else 'low' end as severity,
        case when run.as_of <= x.year_end then x.year_end else x.contribution_due_date end as deadline,
        'Backdoor Roth blocked by ' || usd(x.pre_tax) || ' of pre-tax IRA money' as title,
        'Contributing and converting ' || usd(x.room) || ' would be taxable for ' || usd(x.taxable) || ': ' || usd(x.pre_tax)
            || ' of the ' || usd(x.pool_value) || ' in IRAs is pre-tax. Roth MAGI is ' || usd(x.roth_magi)
            || ', direct Roth limit ' || usd(x.roth_limit) || '.' as explanation,
        case
            when x.employers is not null then
                'Reverse rollover: ' || x.employers || ' takes IRA roll-ins; move the ' || usd(x.pre_tax) || ' of pre-tax money in by '
                || long_date(x.year_end) || ' (not RMDs, nor SIMPLE money under two years), then contribute and convert '
                || usd(x.room) || ' tax-free.'
            else 'No current plan is known to take IRA roll-ins; ask the employer.'
        end
        || case when x.qhfd_room > 0 then
            ' HSA funding distribution (once in a lifetime): up to ' || usd(lesser(x.qhfd_room, x.pre_tax))
            || ' of pre-tax money can go to the HSA.' else '' end
        || case when x.employers is null then ' Otherwise accept the tax or wait.' else '' end as action,
    from priced as x
    cross join run
    where x.taxable > 0
    """,
)
