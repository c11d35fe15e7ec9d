"""Nothing was contributed for the year, all of the limit is open to a direct Roth contribution, and the due date is near.

The dollars are the room. Guard: only in the last 60 days before the due date, always low, only where somebody confirmed that all IRAs
are in the book; who is above the Roth range has the backdoor's findings instead.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="contribution_room_unused",
    authority="IRC 219(b)(5), 219(f)(3), 408A(c)(2)",
    topics=("tax_profile",),
    rests_on="ira_limits",
    sql="""
    select
        l.person_id, '' as subject, l.tax_year,
        l.contribution_limit as amount, 'room' as amount_is,
        'low' as severity,
        py.contribution_due_date as deadline,
        usd(l.contribution_limit) || ' of IRA contribution room for ' || l.tax_year || ' is unused' as title,
        'Nothing was contributed for ' || l.tax_year || '. Roth MAGI of ' || usd(l.roth_magi) || ' allows all of the '
            || usd(l.contribution_limit) || ' in a Roth IRA, and ' || usd(l.deduction_limit)
            || ' of a traditional contribution could be deducted.' as explanation,
        'Contribute by ' || long_date(py.contribution_due_date) || ', if the client wants to.' as action,
    from ira_limits as l
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where l.status = 'COMPUTED'
        and l.traditional_contributions = 0 and l.roth_contributions = 0
        and l.contribution_limit > 0 and l.roth_limit_before_traditional = l.contribution_limit
        and py.all_iras_reported
        and run.as_of between py.contribution_due_date - interval 60 day and py.contribution_due_date
    """,
)
