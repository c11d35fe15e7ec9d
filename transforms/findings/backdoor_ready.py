"""Income closes (part of) the direct Roth way, contribution room is left, and the IRA pool is empty or all basis.

The dollars are the room: contribute nondeductible, convert, no tax. Guard: room is after the spousal and compensation
limits; the pool, its values and its basis must all be known.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="backdoor_ready",
    authority="IRC 408A(c)(3), 408(o), 408A(d)(3); Form 8606",
    topics=("tax_profile", "contribution", "pool_value", "basis"),
    rests_on="form_8606",
    sql="""
    select
        c.person_id, '' as subject, c.tax_year,
        c.room as amount, 'room' as amount_is,
        case when run.as_of > py.year_end then 'high' else 'medium' end as severity,
        py.contribution_due_date as deadline,
        usd(c.room) || ' of clean backdoor Roth room for ' || c.tax_year as title,
        'Roth MAGI of ' || usd(c.roth_magi) || ' leaves a direct Roth limit of ' || usd(c.roth_limit) || '; '
            || usd(c.room) || ' of the ' || usd(c.contribution_limit) || ' limit is unused, and '
            || case when c.pool_value = 0 then 'there is no pre-tax IRA money.'
                else 'the ' || usd(c.pool_value) || ' in IRAs is all after-tax basis.' end as explanation,
        'Contribute ' || usd(c.room) || ' nondeductible to a traditional IRA by ' || long_date(py.contribution_due_date)
            || ' and convert it.' as action,
    from backdoor_candidates as c
    inner join person_years as py using (person_id, tax_year)
    cross join run
    -- clean only where somebody has confirmed that every IRA is in the book
    where c.pre_tax = 0 and c.room > 0 and py.all_iras_reported
    """,
)
