"""A second 60-day rollover between IRAs within 365 days: it is a distribution, and the money put back an excess contribution.

The dollars are the second rollover. The deadline is its 60th day (until then it can still go to a plan, or be converted), then the
extended due date for what was put back. Guard: both legs of both must be called 60-day rollovers; trustee transfers, plan
rollovers and conversions don't count.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="sixty_day_rollover_twice",
    authority="IRC 408(d)(3)(B); Announcement 2014-15 (Bobrow)",
    topics=("moved",),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        r.person_id, r.out_account_key || ':' || r.left_on || ':' || row_number() over (
            partition by r.person_id, r.out_account_key, r.left_on order by r.out_file, r.out_line) as subject,
        r.tax_year, r.counted_amount as amount, 'distribution' as amount_is,
        'critical' as severity,
        case when run.as_of <= r.left_on + interval 60 day then (r.left_on + interval 60 day)::date else y.extended_due_date end
            as deadline,
        usd(r.counted_amount) || ' is a second 60-day rollover within 365 days' as title,
        'It left ' || shown_account(r.out_account_key) || ' on ' || long_date(r.left_on) || ' [' || r.out_file || ':' || r.out_line
            || '], ' || (r.left_on - r.earlier_left_on) || ' days after the rollover of ' || long_date(r.earlier_left_on)
            || '; only one in 365 days over all IRAs is tax-free, and Form 8606 is UNKNOWN until this is settled.' as explanation,
        'If it went from trustee to trustee, correct the rows to trustee transfers; if not, ask the CPA: it is a distribution, and what '
            || 'was put back is an excess contribution to take out'
            || case when run.as_of <= r.left_on + interval 60 day then '. Until ' || long_date((r.left_on + interval 60 day)::date)
                || ' it may still go to an employer plan or a Roth IRA.'
                else ' by ' || long_date(y.extended_due_date) || '.' end as action,
    from second_rollovers as r
    inner join year_limits as y on y.tax_year = r.tax_year
    cross join run
    """,
)
