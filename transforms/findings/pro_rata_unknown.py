"""Money was converted or paid out and Form 8606 cannot be computed, for a reason no other finding tells.

The dollars are what came out. Guard: not for a missing basis, a missing December 31 value, a contested account, a set-aside row
or an ambiguous transaction: each has a finding of its own.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="pro_rata_unknown",
    authority="IRC 408(d)(2); Form 8606",
    topics=("conversion", "conversion_in", "distribution", "account", "moved"),
    sql="""
    with untold as (
        select
            f.*,
            list_filter(f.reasons, lambda r: not (
                starts_with(r, 'basis_not_') or starts_with(r, 'december_31_value_missing')
                or starts_with(r, 'account_owner_contested'))) as others,
        from form_8606 as f
        where f.status = 'UNKNOWN'
            and len(list_filter(f.reasons, lambda r:
                starts_with(r, 'row_set_aside') or starts_with(r, 'unclassified_event'))) = 0
    )
    select
        u.person_id, '' as subject, u.tax_year,
        coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) as amount,
        'converted or paid out' as amount_is,
        'high' as severity,
        case when run.as_of <= py.year_end then py.year_end else py.contribution_due_date end as deadline,
        'Form 8606 for ' || u.tax_year || ' cannot be computed' as title,
        usd(coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0))
            || ' was converted or paid out, and how much of it is taxable cannot be told; no number is shown until it can.'
            as explanation,
        'Needed: ' || in_words(u.others) || '.' as action,
    from untold as u
    inner join person_years as py using (person_id, tax_year)
    left join ira_flows as w using (person_id, tax_year)
    cross join run
    where len(u.others) > 0
        and (coalesce(w.converted, 0) + coalesce(w.distributions, 0) + coalesce(w.withholding, 0) + coalesce(w.converted_in, 0) > 0
             or w.left_accounts_of_unknown_kind > 0 or w.never_arrived > 0)
    """,
)
