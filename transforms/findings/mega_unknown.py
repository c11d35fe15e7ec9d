"""Mega backdoor room cannot be told; the finding lists exactly which facts to ask the employer for, question by question.

The dollars, if every amount is known and only what the plan allows isn't, are the room there would be if it does, and are called
so; else none. Guard: only where a plan may take after-tax money or isn't stated at all, and pay or deferrals suggest
the client could use it (pay by plan or tax profile not known or at the highly compensated threshold, or deferrals so far and expected
at the 402(g) limit), not where the amounts leave no room anyway, only while the year is open. A set-aside row and payroll columns nobody has explained have findings of their own.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="mega_unknown",
    authority="IRC 415(c); plan document",
    topics=("plan", "set_aside"),
    sql="""
    with plans_of as (
        select person_id, tax_year, max(compensation) as compensation,
            sum(pre_tax_deferrals + roth_deferrals + coalesce(expected_deferrals, 0)) as deferrals
        from plan_years
        group by person_id, tax_year
    ),
    asked as (
        select
            m.*,
            list_filter(m.reasons, lambda r: not (
                starts_with(r, 'row_set_aside') or starts_with(r, 'plan_sources') or starts_with(r, 'payroll_owner'))) as others,
            list_transform(others, lambda r: substr(r, strpos(r, ': ') + 2)) as questions,
            -- the plan may allow nothing: what there would be is only told when nothing but that is missing
            case when len(aa.missing) = 0 and len(aa.missing_for_room) = 0 and not aa.limitation_year_closed
                    and len(list_filter(m.reasons, lambda r: split_part(r, ': ', 1) not in (
                        'after_tax_contributions', 'in_plan_roth_conversion', 'in_service_distribution'))) = 0
                then larger(0, aa.cap - aa.annual_additions - aa.expected_employer - aa.expected_deferrals) end as room_if_allowed,
            aa.cap, aa.annual_additions as additions_so_far,
        from mega_backdoor as m
        left join annual_additions as aa
            on aa.person_id = m.person_id and aa.tax_year = m.tax_year and aa.limit_group_id = m.limit_group_id
        where m.status = 'UNKNOWN'
    )
    select
        a.person_id, a.employer_group_id as subject, a.tax_year,
        a.room_if_allowed as amount, case when a.room_if_allowed is null then 'not known' else 'room if the plan allows it' end as amount_is,
        'medium' as severity,
        py.year_end as deadline,
        'Whether ' || a.employers || ' gives mega backdoor room is not known' as title,
        case when a.room_if_allowed is null then 'No room is shown until it is.'
            else 'If the plan allows it, there would be ' || usd(a.room_if_allowed) || ': the limit is ' || usd(a.cap) || ', and '
                || usd(a.additions_so_far) || ' was added so far.' end
            || case when o.compensation >= py.hce_threshold_414q then ' Pay is ' || usd(o.compensation) || '.' else '' end
            || case when o.deferrals >= py.elective_deferral_402g then ' Deferrals of ' || usd(o.deferrals) || ' reach the limit.' else '' end
            as explanation,
        'Ask the employer or the client: '
            || case when len(a.questions) = 1 then a.questions[1]
                else array_to_string(list_transform(a.questions, lambda q, i: '(' || i || ') ' || q), ' ') end
            as action,
    from asked as a
    inner join person_years as py using (person_id, tax_year)
    left join plans_of as o using (person_id, tax_year)
    cross join run
    where run.as_of <= py.year_end and len(a.others) > 0 and a.room_if_allowed is distinct from 0
        and (a.allowed_somewhere or len(list_filter(a.reasons, lambda r: starts_with(r, 'plan_not_stated'))) > 0)
        and (coalesce(o.compensation, py.compensation) is null or coalesce(o.compensation, py.compensation) >= py.hce_threshold_414q
            or o.deferrals >= py.elective_deferral_402g)
    """,
)
