"""After-tax money goes into a plan while pre-tax or Roth deferrals could still be made: those come first.

The dollars are the room under 402(g) that is left after the deferrals still expected, and fits under 415(c) with them. Guard:
only while the year is open and after-tax money was contributed this year where the client still works; deferrals expected anyway
are no room, nor is what pay or 415(c) no longer leaves; catch-up is another finding.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="deferrals_not_maxed",
    authority="IRC 402(g), 415(c)",
    topics=("plan",),
    rests_on="elective_deferrals",
    folds_into=("mega_room_open",),
    sql="""
    with after_tax as (
        select
            g.person_id, g.tax_year, m.employers,
            sum(g.after_tax_contributions) as after_tax_contributions,
            larger(0, any_value(m.annual_additions_limit - m.annual_additions - m.expected_employer - m.expected_deferrals))
                as left_under_415c,
        from employer_groups as g
        inner join mega_backdoor as m
            on m.person_id = g.person_id and m.tax_year = g.tax_year and m.employer_group_id = g.report_group_id
        where g.may_take_after_tax and coalesce(g.currently_employed, true) and g.after_tax_contributions > 0
        group by g.person_id, g.tax_year, g.report_group_id, m.employers
        qualify row_number() over (
            partition by g.person_id, g.tax_year order by left_under_415c desc nulls last, g.report_group_id) = 1
    ),
    open_room as (
        select r.*, a.employers as after_tax_employers, a.after_tax_contributions,
            lesser(r.regular_room, a.left_under_415c) as room,
        from deferral_room as r
        inner join after_tax as a using (person_id, tax_year)
    )
    select
        person_id, '' as subject, tax_year,
        room as amount, 'room' as amount_is,
        case when room > 1000 then 'medium' else 'low' end as severity,
        deadline,
        usd(room) || ' of deferrals can still be made before after-tax money' as title,
        usd(after_tax_contributions) || ' of after-tax money went into the plan of ' || after_tax_employers || ' this year, but deferrals of '
            || usd(deferrals) || case when expected_deferrals > 0 then ', and ' || usd(expected_deferrals) || ' still expected,' else '' end
            || ' leave ' || usd(deferral_limit - deferrals - expected_deferrals) || ' of the limit of ' || usd(deferral_limit)
            || '. Deferrals are deducted or Roth at once; after-tax money is neither.' as explanation,
        'Raise the pre-tax or Roth election at ' || employers || ' by ' || usd(room) || ' before ' || last_payroll
            || ', and after-tax money only then.' as action,
    from open_room
    where room > 0
    """,
)
