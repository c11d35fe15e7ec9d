-- One row per person, plan and tax year with payroll newer than the firm's row: by source, the recordkeeper's year to date
-- (`<source>_to_date`, null where no file states one) and what was paid on later days (`<source>`). Of two files that both
-- state a year to date the newer one counts, never their sum. Money that can't be counted makes `unstated_source` true; where
-- not even its plan is stated, in each of the person's plans.
with
bases as (
    select person_id, plan_id, tax_year, max(as_of) as as_of
    from plan_contributions
    where as_of <= (select as_of from run)
    group by person_id, plan_id, tax_year
),
newer as (
    select m.* exclude (plan_id), coalesce(m.plan_id, b.plan_id) as plan_id
    from payroll_money as m
    left join bases as b
        on b.person_id = m.person_id and b.tax_year = m.tax_year and (m.plan_id is null or b.plan_id = m.plan_id)
    where m.person_id is not null and coalesce(m.plan_id, b.plan_id) is not null
        and (b.as_of is null or m.known_on > b.as_of)
        and (m.money_source is not null or m.why_unknown is not null)
),
by_column as (
    select
        person_id, plan_id, tax_year, money_source, recordkeeper, recordkeeper_plan, source_column,
        max(known_on) as as_of,
        arg_max(amount, (known_on, received_at, amount)) as amount,
    from newer
    where amount_is = 'year_to_date' and money_source is not null
    group by all
),
by_feed as (
    select
        person_id, plan_id, tax_year, money_source, recordkeeper, recordkeeper_plan,
        max(as_of) as as_of, sum(amount) as amount,
    from by_column
    group by person_id, plan_id, tax_year, money_source, recordkeeper, recordkeeper_plan
),
to_date as (
    select person_id, plan_id, tax_year, money_source, as_of, amount
    from by_feed
    qualify row_number() over (
        partition by person_id, plan_id, tax_year, money_source
        order by as_of desc, amount desc, recordkeeper, recordkeeper_plan) = 1
),
by_source as (
    select
        n.person_id, n.plan_id, n.tax_year, n.money_source,
        max(t.amount) as to_date,
        coalesce(sum(n.amount) filter (n.amount_is = 'period' and (t.as_of is null or n.known_on > t.as_of)), 0) as since,
    from newer as n
    left join to_date as t
        on t.person_id = n.person_id and t.plan_id = n.plan_id and t.tax_year = n.tax_year
        and t.money_source = n.money_source
    where n.money_source is not null
    group by n.person_id, n.plan_id, n.tax_year, n.money_source
),
sources as (
    select
        person_id, plan_id, tax_year,
        max(to_date) filter (money_source = 'pre_tax_deferrals') as pre_tax_deferrals_to_date,
        max(to_date) filter (money_source = 'roth_deferrals') as roth_deferrals_to_date,
        max(to_date) filter (money_source = 'after_tax_contributions') as after_tax_contributions_to_date,
        max(to_date) filter (money_source = 'employer_match') as employer_match_to_date,
        max(to_date) filter (money_source = 'employer_nonelective') as employer_nonelective_to_date,
        max(to_date) filter (money_source = 'forfeitures') as forfeitures_to_date,
        coalesce(max(since) filter (money_source = 'pre_tax_deferrals'), 0) as pre_tax_deferrals,
        coalesce(max(since) filter (money_source = 'roth_deferrals'), 0) as roth_deferrals,
        coalesce(max(since) filter (money_source = 'after_tax_contributions'), 0) as after_tax_contributions,
        coalesce(max(since) filter (money_source = 'employer_match'), 0) as employer_match,
        coalesce(max(since) filter (money_source = 'employer_nonelective'), 0) as employer_nonelective,
        coalesce(max(since) filter (money_source = 'forfeitures'), 0) as forfeitures,
    from by_source
    group by person_id, plan_id, tax_year
),
told as (
    select
        *,
        source_column || case why_unknown
            when 'pay_date' then ' (no pay date in the file)'
            when 'period' then ' (period not stated in the file)'
            else '' end as column_told,
    from newer
),
rows as (
    select
        person_id, plan_id, tax_year,
        max(known_on) as last_pay_date,
        bool_or(amount <> 0 and stated_source is distinct from 'not_a_contribution') as has_contributions,
        bool_or(why_unknown is not null) as unstated_source,
        string_agg(distinct column_told, ', ' order by column_told) filter (why_unknown is not null) as unstated_columns,
        arg_max(source_file, (known_on, source_file, source_line)) as source_file,
        arg_max(source_line, (known_on, source_file, source_line)) as source_line,
    from told
    group by person_id, plan_id, tax_year
)
select
    rows.*,
    sources.* exclude (person_id, plan_id, tax_year) replace (
        coalesce(sources.pre_tax_deferrals, 0) as pre_tax_deferrals,
        coalesce(sources.roth_deferrals, 0) as roth_deferrals,
        coalesce(sources.after_tax_contributions, 0) as after_tax_contributions,
        coalesce(sources.employer_match, 0) as employer_match,
        coalesce(sources.employer_nonelective, 0) as employer_nonelective,
        coalesce(sources.forfeitures, 0) as forfeitures),
from rows
left join sources
    on sources.person_id = rows.person_id and sources.plan_id = rows.plan_id and sources.tax_year = rows.tax_year
