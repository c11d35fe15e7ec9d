"""Contributions in a recordkeeper's file of people who fit no client: told with count and dollars, never passed over.

One row per recordkeeper's plan. An employer's file holds all its employees, most of whom are no clients, so this is low;
a file in which nobody is a client is of no use as it is and is medium. Guard: nobody whose contributions are nought.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="payroll_person_unknown",
    authority="IRC 402(g), 415(c)",
    topics=(),
    of_the_book=True,
    sql="""
    with plans_of as (
        select
            recordkeeper, recordkeeper_plan,
            coalesce(sum(amount) filter (person_id is null), 0) as amount,
            count(distinct owner_tax_id) filter (person_id is null and amount <> 0) as strangers,
            count(distinct person_id) as clients,
        from payroll_dollars
        where stated_source is distinct from 'not_a_contribution'
        group by recordkeeper, recordkeeper_plan
    )
    select
        null::varchar as person_id, recordkeeper || ':' || recordkeeper_plan as subject, null::integer as tax_year,
        amount, 'plan money' as amount_is,
        case when clients = 0 then 'medium' else 'low' end as severity,
        null::date as deadline,
        strangers || case when strangers = 1 then ' employee' else ' employees' end || ' of plan ' || recordkeeper_plan || ' at '
            || recordkeeper || case when strangers = 1 then ' fits' else ' fit' end || ' no client' as title,
        'Contributions of ' || usd(amount) || ' are of tax ids that no person of the book has, or that more than one has; '
            || clients || case when clients = 1 then ' person' else ' people' end || ' of the plan could be matched.' as explanation,
        'If a client works there, state the client''s tax_id in the persons file.' as action,
    from plans_of
    where strangers > 0
    """,
)
