"""Contributions were made and the limit that judges them cannot be told: a fact of the return is missing.

The dollars are the contributions. Guard: only where contributions were made, and not for a set-aside row or an ambiguous
transaction, which have findings of their own.
"""

from transforms.findings import Finding
from transforms.findings._questions import questions

FINDING = Finding(
    rule="contribution_limit_unknown",
    authority="IRC 219(b), 219(g), 408A(c)(3)",
    topics=("contribution", "tax_profile"),
    folds_into=("pro_rata_unknown",),
    one_over_years=True,
    sql=f"""
    with asked as ({questions("ira_limits")})
    select
        l.person_id, '' as subject, l.tax_year,
        l.traditional_contributions + l.roth_contributions as amount, 'contributed' as amount_is,
        'medium' as severity,
        filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) as deadline,
        'Whether ' || usd(l.traditional_contributions + l.roth_contributions) || ' of IRA contributions was allowed is not known'
            as title,
        usd(l.traditional_contributions) || ' traditional and ' || usd(l.roth_contributions) || ' Roth were contributed for '
            || l.tax_year || '; the limit, the deduction or the Roth limit rests on a fact that is not stated.' as explanation,
        asked.ask as action,
    from ira_limits as l
    inner join asked using (person_id, tax_year)
    cross join run
    inner join person_years as py using (person_id, tax_year)
    where l.status = 'UNKNOWN' and not l.is_blocked
        and (
            (l.traditional_contributions > 0 and (l.contribution_limit is null or l.deduction_limit is null))
            or (l.roth_contributions > 0 and l.roth_limit is null)
        )
    """,
)
