"""Pre-tax IRA money makes a conversion of the year taxable, and a plan of a current employer takes IRA money in.

The dollars are the pre-tax dollars that can move; the severity goes by what that saves. Guard: not where
`backdoor_blocked_by_pre_tax` fires (it names this way already), nor where IRA money has gone to a plan this year and nothing is converted
yet; only where it lowers what is taxed, and money of young or undated SIMPLE IRAs is left out.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="reverse_rollover_available",
    authority="IRC 408(d)(3)(A)(ii), 408(d)(3)(H); Form 8606 line 6",
    topics=("conversion", "pool_value", "plan", "basis"),
    rests_on="form_8606",
    folds_into=("conversion_taxed_pro_rata", "year_end_trap", "nondeductible_not_converted"),
    waits_for=("backdoor_blocked_by_pre_tax",),
    sql="""
    select
        w.person_id, '' as subject, w.tax_year,
        w.amount, 'pre-tax money that can move' as amount_is,
        severity_of(tax_or_income(w.taxable_now - w.taxable_then, py.marginal_tax_rate), w.deadline, run.as_of) as severity,
        w.deadline,
        usd(w.amount) || ' of pre-tax IRA money can move into the plan of ' || coalesce(p.employer_name, 'the employer') as title,
        'The plan takes rollovers from an IRA. With the ' || usd(w.amount) || ' out of the IRAs by ' || long_date(w.deadline) || ', '
            || usd(w.taxable_then) || ' instead of ' || usd(w.taxable_now) || ' of the ' || usd(w.conversion)
            || ' conversion is taxable.'
            || case when len(w.reasons) > 0 then ' To review: ' || in_words(w.reasons) || '.' else '' end as explanation,
        'Roll the ' || usd(w.amount) || ' over into the plan, so that it has left the IRAs by ' || long_date(w.deadline)
            || '; only pre-tax money may go, and no required minimum distribution.' as action,
    from ways_out as w
    inner join person_years as py using (person_id, tax_year)
    left join plans as p on p.plan_id = w.plan_id
    left join ira_flows as f on f.person_id = w.person_id and f.tax_year = w.tax_year
    cross join run
    where w.way = 'reverse_rollover' and w.status in ('COMPUTED', 'REVIEW') and w.amount > 0 and w.taxable_then < w.taxable_now
        and (f.converted > 0 or coalesce(f.plan_rolled_out, 0) = 0)
        and (w.person_id, w.tax_year) not in (
            select (person_id, tax_year) from raw_findings where rule = 'backdoor_blocked_by_pre_tax')
    """,
)
