"""Clients' plan money that can't be counted: what a column of a recordkeeper's file holds is not stated.

One row per recordkeeper's plan and column, not per person. The dollars are the newest year to date, or what the pay dates
add up to. Guard: only money of clients, only what is newer than the firm's own row of that plan, never nought.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="money_source_unstated",
    authority="plan document; IRC 402(g), 415(c)",
    topics=(),
    of_the_book=True,
    sql="""
    with stated as (
        select person_id, plan_id, tax_year, max(as_of) as as_of
        from plan_contributions
        where as_of <= (select as_of from run)
        group by person_id, plan_id, tax_year
    ),
    covered as (
        -- money of a plan nobody named may belong to any plan of the person: the oldest of their rows must be newer
        select d.owner_tax_id, d.recordkeeper, d.recordkeeper_plan, d.source_column, d.tax_year
        from payroll_dollars as d
        inner join stated as s
            on s.person_id = d.person_id and s.tax_year = d.tax_year and (d.plan_id is null or s.plan_id = d.plan_id)
        group by all
        having min(s.as_of) >= max(d.known_on)
    ),
    open_columns as (
        select
            d.recordkeeper, d.recordkeeper_plan, d.source_column,
            min(d.why_unknown) as why_unknown,
            sum(d.amount) as amount,
            count(distinct d.person_id) as people,
            string_agg(distinct d.plan_id, ', ' order by d.plan_id) as plans,
        from payroll_dollars as d
        anti join covered as c using (owner_tax_id, recordkeeper, recordkeeper_plan, source_column, tax_year)
        where d.person_id is not null and d.why_unknown is not null
        group by d.recordkeeper, d.recordkeeper_plan, d.source_column
    )
    select
        null::varchar as person_id, recordkeeper || ':' || recordkeeper_plan || ':' || source_column as subject,
        null::integer as tax_year,
        amount, 'plan money' as amount_is,
        'high' as severity, null::date as deadline,
        'Column ' || source_column || ' of plan ' || recordkeeper_plan || ' at ' || recordkeeper
            || case why_unknown
                when 'plan' then ' belongs to a plan nobody has named'
                when 'source' then ' holds money of unstated source'
                when 'pay_date' then ' has no pay date'
                else ' does not say which period it covers' end as title,
        usd(amount) || ' over ' || people || case when people = 1 then ' client' else ' clients' end
            || coalesce(' (plan ' || plans || ')', '')
            || ' can''t be counted; their deferrals and their room under 415(c) are UNKNOWN until it can.' as explanation,
        case
            when why_unknown in ('plan', 'source') then
                'Ask the plan''s administrator what the column holds, and state it in a plan_sources file: recordkeeper '
                || recordkeeper || ', recordkeeper_plan ' || recordkeeper_plan || ', source_column ' || source_column
                || ', plan_id and money_source.'
            else 'State each client''s year to date by source in a plan_contributions file.'
        end as action,
    from open_columns
    """,
)
