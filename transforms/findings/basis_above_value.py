"""The stated basis is more than the IRAs hold and have paid out: it is too high, or an IRA is missing from the book.

The dollars are the basis that no value stands behind. Guard: a fall of the market may do that too, so up to 30% of the basis, or
$1,000, isn't told; nor is it where IRAs are known to be elsewhere, or money is between two of them.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="basis_above_value",
    authority="Form 8606 lines 2 and 14; IRC 408(d)(2), 6662",
    topics=("basis", "pool_value", "contribution", "distribution", "conversion"),
    rests_on="form_8606",
    folds_into=("basis_not_carried",),
    sql="""
    with compared as (
        select
            f.person_id, f.tax_year, f.line_3,
            coalesce(p.projected_total, 0) as in_iras,
            coalesce(w.distributions + w.withholding + w.converted + w.plan_rolled_out + w.qcd + w.qhfd + w.divorce_out, 0) as paid_out,
            f.line_3 - in_iras - paid_out as uncovered,
        from form_8606 as f
        inner join ira_basis as b on b.person_id = f.person_id and b.tax_year = f.tax_year - 1
        inner join person_years as py on py.person_id = f.person_id and py.tax_year = f.tax_year
        left join pool_totals as p on p.person_id = f.person_id and p.tax_year = f.tax_year
        left join ira_flows as w on w.person_id = f.person_id and w.tax_year = f.tax_year
        where f.status in ('COMPUTED', 'REVIEW') and b.basis > 0
            and py.all_iras_reported
            and coalesce(p.all_projected, true) and coalesce(p.accounts_undecided, 0) = 0
            and coalesce(w.in_transit + w.never_arrived + w.transfers_unseen + w.outstanding_rollovers, 0) = 0
    )
    select
        c.person_id, '' as subject, c.tax_year,
        c.uncovered as amount, 'basis at risk' as amount_is,
        case when c.uncovered > 10000 then 'medium' else 'low' end as severity,
        filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        usd(c.uncovered) || ' of the stated IRA basis has no value behind it' as title,
        'Basis is ' || usd(c.line_3) || ' (lines 1 and 2), but the IRAs hold ' || usd(c.in_iras) || ' and paid out '
            || usd(c.paid_out) || ' in ' || c.tax_year || '. A fall of the market would have to have taken '
            || (100 * cents(c.uncovered) // cents(c.line_3)) || '% of it.' as explanation,
        'Check line 14 of the last Form 8606 and the forms before it; look for an IRA that is not in the book. Keep it if losses explain '
            || 'it.' as action,
    from compared as c
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where c.uncovered > 1000 and 10 * c.uncovered > 3 * c.line_3 and run.as_of <= py.extended_due_date
    """,
)
