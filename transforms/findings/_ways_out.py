"""What the findings about ways out of a taxed conversion share: the way, its title and texts are the caller's."""

from __future__ import annotations

from transforms.findings import Finding


def way_out(
    rule: str,
    *,
    way: str,
    authority: str,
    topic: str,
    amount_is: str,
    title: str,
    explanation: str,
    action: str,
    guard: str,
) -> Finding:
    """A finding over the rows `w` of `ways_out` for `way` that lower what is taxed; the texts and `guard` are SQL.

    `p` is the plan of the way, `f` the person's IRA flows, `py` the person and year.
    """
    return Finding(
        rule=rule,
        authority=authority,
        topics=("conversion", "pool_value", topic, "basis"),
        rests_on="form_8606",
        folds_into=("conversion_taxed_pro_rata", "year_end_trap", "nondeductible_not_converted"),
        waits_for=("backdoor_blocked_by_pre_tax",),
        sql=f"""
        select
            w.person_id, '' as subject, w.tax_year,
            w.amount, '{amount_is}' as amount_is,
            severity_of(tax_or_income(w.taxable_now - w.taxable_then, py.marginal_tax_rate), w.deadline, run.as_of) as severity,
            w.deadline,
            usd(w.amount) || {title} as title,
            {explanation} || usd(w.taxable_then) || ' instead of ' || usd(w.taxable_now) || ' of the ' || usd(w.conversion)
                || ' conversion is taxable.'
                || case when len(w.reasons) > 0 then ' To review: ' || in_words(w.reasons) || '.' else '' end as explanation,
            {action} as action,
        from ways_out as w
        inner join person_years as py using (person_id, tax_year)
        left join plans as p on p.plan_id = w.plan_id
        left join ira_flows as f on f.person_id = w.person_id and f.tax_year = w.tax_year
        cross join run
        where w.way = '{way}' and w.status in ('COMPUTED', 'REVIEW') and w.amount > 0 and w.taxable_then < w.taxable_now
            and ({guard})
            and (w.person_id, w.tax_year) not in (
                select (person_id, tax_year) from raw_findings where rule = 'backdoor_blocked_by_pre_tax')
        """,
    )
