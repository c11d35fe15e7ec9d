"""Mega backdoor room cannot be told; the finding lists exactly which facts to ask the employer for.

No dollars are shown. Guard: only where a plan may take after-tax money or isn't stated at all, and pay or deferrals suggest
the client could use it (pay at or above the highly compensated threshold or not known, or deferrals at the 402(g) limit), only
while the year is open, and not for a set-aside row, which has a finding of its own.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_unknown",
    authority="IRC 415(c); plan document",
    topics=("plan", "set_aside"),
    sql="""
    with plans_of as (
        select person_id, tax_year, max(compensation) as compensation, sum(pre_tax_deferrals + roth_deferrals) as deferrals
        from plan_years
        group by person_id, tax_year
    )
    select
        m.person_id, m.employer_group_id as subject, m.tax_year,
        null::decimal(18, 2) as amount, 'not known' as amount_is,
        'medium' as severity,
        py.year_end as deadline,
        'Mega backdoor room at ' || m.employers || ' is not known' as title,
        'Missing: ' || array_to_string(list_transform(m.reasons, lambda r: split_part(r, ': ', 1)), ', ') || '.' as explanation,
        'Ask the employer or the client: ' || array_to_string(list_transform(m.reasons, lambda r: substr(r, strpos(r, ': ') + 2)), ' ')
            as action,
    from mega_backdoor as m
    inner join person_years as py using (person_id, tax_year)
    left join plans_of as o using (person_id, tax_year)
    cross join run
    where m.status = 'UNKNOWN' and run.as_of <= py.year_end
        and len(list_filter(m.reasons, lambda r: not starts_with(r, 'row_set_aside'))) > 0
        and (m.allowed_somewhere or len(list_filter(m.reasons, lambda r: starts_with(r, 'plan_not_stated'))) > 0)
        and (o.compensation is null or o.compensation >= py.hce_threshold_414q or o.deferrals >= py.elective_deferral_402g)
    """,
)
