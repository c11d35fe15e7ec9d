"""A once-in-a-lifetime HSA funding distribution would take most of what makes a conversion of the year taxable.

The dollars are what the HSA limit leaves room for. Guard: not where `backdoor_blocked_by_pre_tax` fires (it names this way already),
only for a small pool (at least half of what is taxed goes away), never from an active SEP or SIMPLE IRA, and only where coverage,
HSA contributions and earlier use are all stated.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="qhfd_available",
    authority="IRC 408(d)(9); Notice 2008-51",
    topics=("conversion", "pool_value", "tax_profile", "basis"),
    rests_on="form_8606",
    folds_into=("conversion_taxed_pro_rata", "year_end_trap", "nondeductible_not_converted"),
    waits_for=("backdoor_blocked_by_pre_tax",),
    sql="""
    select
        w.person_id, '' as subject, w.tax_year,
        w.amount, 'HSA room for pre-tax money' as amount_is,
        severity_of(tax_or_income(w.taxable_now - w.taxable_then, py.marginal_tax_rate), w.deadline, run.as_of) as severity,
        w.deadline,
        usd(w.amount) || ' of pre-tax IRA money can go to the HSA, once in a lifetime' as title,
        'Coverage is ' || py.hsa_coverage || ', ' || usd(py.hsa_contributions) || ' was contributed to the HSA, and no HSA funding '
            || 'distribution was ever made. With ' || usd(w.amount) || ' moved, ' || usd(w.taxable_then) || ' instead of '
            || usd(w.taxable_now) || ' of the ' || usd(w.conversion) || ' conversion is taxable.'
            || case when len(w.reasons) > 0 then ' To review: ' || in_words(w.reasons) || '.' else '' end as explanation,
        'Have the custodian send ' || usd(w.amount) || ' from the IRA straight to the HSA by ' || long_date(w.deadline)
            || '. Testing period: stay covered by a high-deductible plan through the twelfth month after the month of the transfer, or '
            || 'the amount is taxed with 10% on top.' as action,
    from ways_out as w
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where w.way = 'qhfd' and w.status in ('COMPUTED', 'REVIEW') and w.amount > 0
        and w.taxable_then < w.taxable_now and 2 * w.taxable_then <= w.taxable_now
        and (w.person_id, w.tax_year) not in (
            select (person_id, tax_year) from raw_findings where rule = 'backdoor_blocked_by_pre_tax')
    """,
)
