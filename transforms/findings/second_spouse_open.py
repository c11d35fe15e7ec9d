"""One spouse did the backdoor this year, and the other could do it as cleanly.

The dollars are the other's room. Guard: each spouse's own pool, limits and confirmation that all IRAs are in the book; two spouses are
never added up.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="second_spouse_open",
    authority="IRC 219(c), 408(d)(2), 408A(c)(3)",
    topics=("tax_profile", "contribution", "pool_value", "basis"),
    rests_on="form_8606",
    folds_into=("backdoor_ready",),
    sql="""
    select
        c.person_id, '' as subject, c.tax_year,
        c.room as amount, 'room' as amount_is,
        case when run.as_of > py.year_end then 'high' else 'medium' end as severity,
        py.contribution_due_date as deadline,
        'The spouse has done the backdoor Roth for ' || c.tax_year || ', this client has ' || usd(c.room) || ' of room' as title,
        'The spouse (' || py.spouse_person_id || ') contributed ' || usd(f.line_1) || ' nondeductible for ' || c.tax_year || ' and converted '
            || usd(f.line_8) || '. This client''s own IRAs hold no pre-tax money, and ' || usd(c.room) || ' of the '
            || usd(c.contribution_limit) || ' limit is unused.' as explanation,
        'Do both: contribute ' || usd(c.room) || ' nondeductible by ' || long_date(py.contribution_due_date) || ' and convert it.' as action,
    from backdoor_candidates as c
    inner join person_years as py using (person_id, tax_year)
    inner join form_8606 as f on f.person_id = py.spouse_person_id and f.tax_year = c.tax_year
    cross join run
    where c.pre_tax = 0 and c.room > 0 and py.all_iras_reported and py.files_jointly
        and f.status in ('COMPUTED', 'REVIEW') and f.line_1 > 0 and f.line_8 >= f.line_1
    """,
)
