"""The basis stated for last year isn't the line 14 that was computed for last year.

The dollars are the difference; the severity goes by what it is in tax. Guard: only where last year is computed too, and not under $1.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="basis_not_carried",
    authority="Form 8606 lines 2 and 14",
    topics=("basis", "contribution", "conversion", "distribution"),
    rests_on="form_8606",
    sql="""
    select
        f.person_id, '' as subject, f.tax_year,
        abs(b.basis - earlier.line_14) as amount, 'basis' as amount_is,
        case when py.marginal_tax_rate is null then 'medium'
            else severity_at_most_high(tax_or_income(abs(b.basis - earlier.line_14), py.marginal_tax_rate),
                filing_date(py.contribution_due_date, py.extended_due_date, run.as_of), run.as_of) end as severity,
        filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        'Stated basis differs by ' || usd(abs(b.basis - earlier.line_14)) || ' from line 14 of ' || earlier.tax_year as title,
        'Line 14 of ' || earlier.tax_year || ' computed from the book is ' || usd(earlier.line_14) || '; the basis file states '
            || usd(b.basis) || ' [' || b.source_file || ':' || b.source_line || ']. ' || f.tax_year || ' uses the stated one.'
            || case when earlier.status = 'REVIEW' then ' To review in ' || earlier.tax_year || ': ' || in_words(earlier.reasons) || '.'
                else '' end as explanation,
        'Compare with the Form 8606 filed for ' || earlier.tax_year || ': operations corrects the stated basis, or the form is amended.' as action,
    from form_8606 as f
    inner join form_8606 as earlier on earlier.person_id = f.person_id and earlier.tax_year = f.tax_year - 1
    inner join ira_basis as b on b.person_id = f.person_id and b.tax_year = f.tax_year - 1
    inner join person_years as py on py.person_id = f.person_id and py.tax_year = f.tax_year
    cross join run
    where earlier.status in ('COMPUTED', 'REVIEW') and abs(b.basis - earlier.line_14) >= 1 and run.as_of <= py.extended_due_date
    """,
)
