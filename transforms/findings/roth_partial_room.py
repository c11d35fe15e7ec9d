"""Roth MAGI is inside the range: part of the contribution may still go directly to a Roth IRA.

The dollars are the direct room left. Guard: room is after what was contributed, and after the spousal and compensation limits; not
while stated and computed MAGI disagree, nor where somebody said that IRAs are missing from the book.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="roth_partial_room",
    authority="IRC 408A(c)(3)",
    topics=("tax_profile", "contribution"),
    rests_on="ira_limits",
    folds_into=("backdoor_ready",),
    sql="""
    select
        l.person_id, '' as subject, l.tax_year,
        l.roth_limit - l.roth_contributions as amount, 'room' as amount_is,
        case when run.as_of + interval 60 day >= py.contribution_due_date then 'medium' else 'low' end as severity,
        py.contribution_due_date as deadline,
        usd(l.roth_limit - l.roth_contributions) || ' may still go directly to a Roth IRA for ' || l.tax_year as title,
        'Roth MAGI of ' || usd(l.roth_magi) || ' is inside the range of ' || usd(l.roth_start) || ' to ' || usd(l.roth_end)
            || ', which leaves ' || usd(l.roth_limit_before_traditional) || ' of the ' || usd(l.contribution_limit) || ' limit; '
            || usd(l.traditional_contributions) || ' traditional and ' || usd(l.roth_contributions) || ' Roth were contributed.'
            as explanation,
        'Contribute up to ' || usd(l.roth_limit - l.roth_contributions) || ' to a Roth IRA by ' || long_date(py.contribution_due_date)
            || case when run.as_of <= py.year_end then ', once MAGI is final: each dollar of it changes the limit.' else '.' end
            as action,
    from ira_limits as l
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where l.status in ('COMPUTED', 'REVIEW')
        and l.roth_limit_before_traditional between 0.01 and l.contribution_limit - 0.01
        and l.roth_limit > l.roth_contributions
        and len(list_filter(l.reasons, lambda r: starts_with(r, 'roth_magi_conflict'))) = 0
        and py.all_iras_reported is distinct from false
        and run.as_of <= py.contribution_due_date
    """,
)
