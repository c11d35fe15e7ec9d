-- One row per fact behind a person's numbers: which line of Form 8606 or which table it feeds (topic), and the file and
-- line it was read from. Text shows accounts by their last four characters and never a name.
with
events as (
    select
        e.person_id,
        y.tax_year,
        case
            when e.transaction_type in ('contribution', 'recharacterization_in', 'recharacterization_out', 'return_of_excess')
                then 'contribution'
            when e.transaction_type in ('roth_conversion_out') then 'conversion'
            when e.transaction_type in ('roth_conversion_in') then 'conversion_in'
            when e.transaction_type in ('distribution', 'rmd', 'withholding', 'qcd', 'qhfd',
                    'qualified_disaster_distribution') then 'distribution'
            when e.transaction_type in ('plan_rollover_in', 'employer_contribution', 'after_tax_rollover_in') then 'plan_money_in'
            else 'moved'
        end as topic,
        e.account_key, e.source_file, e.source_line, e.amount,
        replace(e.transaction_type, '_', ' ') || ' of ' || usd(e.amount) || ' on ' || e.trade_date || ' in '
            || shown_account(e.account_key)
            || case when e.transaction_type = 'contribution' then ' for ' || e.contribution_year else '' end as text,
    from tax_events as e
    inner join year_limits as y
        on y.tax_year = case
            when e.transaction_type in ('contribution', 'recharacterization_in', 'recharacterization_out', 'return_of_excess')
                then e.contribution_year
            else e.event_year end
    where e.person_id is not null
),
taken_back as (
    select
        e.person_id, y.tax_year, 'taken_back' as topic, e.account_key, c.source_file, c.source_line, c.amount,
        replace(c.transaction_type, '_', ' ') || ' of ' || usd(c.amount) || ' on ' || c.taken_back_date || ' in '
            || shown_account(e.account_key) || ' [' || c.taken_back_file || ':' || c.taken_back_line || '] taken back on '
            || c.trade_date as text,
    from cancellations as c
    inner join stated_events as e on e.event_id = c.taken_back
    inner join year_limits as y on y.tax_year in (e.contribution_year, e.event_year)
    where e.person_id is not null
),
corrected as (
    select
        coalesce(c.person_id, a.person_id) as person_id, y.tax_year, 'corrected' as topic, a.account_key, c.source_file,
        c.source_line, null::decimal(18, 2) as amount,
        c."column" || ' of a ' || c."table" || ' row [' || c.target_file || ':' || c.target_line || '] corrected'
            || coalesce(' from ' || c.shown_before || ' to ' || c.shown_after, '') || ', declared on ' || c.declared_on as text,
    from corrections as c
    cross join year_limits as y
    left join account_refs as refs on refs.custodian = c.custodian and refs.account_number = c.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    where coalesce(c.person_id, a.person_id) is not null
),
fixed as (
    select
        coalesce(f.person_id, a.person_id) as person_id, y.tax_year, 'corrected' as topic, a.account_key, f.source_file,
        f.source_line, null::decimal(18, 2) as amount,
        case when f.column_name = '(row)' then 'a row of ' || f.kind || ' [' || f.fixed_file || ':' || f.line_number || '] left out'
            else f.column_name || ' of a row of ' || f.kind || ', set aside [' || f.fixed_file || ':' || f.line_number || '], fixed'
                || coalesce(' to ' || f.shown_after, '')
        end || ', stated on ' || f.fixed_on as text,
    from row_fixes as f
    cross join year_limits as y
    left join account_refs as refs on refs.custodian = f.custodian and refs.account_number = f.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    where coalesce(f.person_id, a.person_id) is not null
),
pool as (
    select
        a.person_id, a.tax_year, 'pool_value' as topic, a.account_key, v.source_file, v.source_line, a.market_value as amount,
        account_words(a.account_type) || ' ' || shown_account(a.account_key) || ': '
            || coalesce(usd(a.market_value) || coalesce(' as of ' || a.as_of, ''), 'no usable value') as text,
    from ira_aggregation as a
    inner join account_values as v on v.account_key = a.account_key and v.tax_year = a.tax_year
    where a.in_pool is not false and (v.latest_as_of is not null or v.from_form_5498)
),
own_accounts as (
    select
        p.person_id, p.tax_year, 'account' as topic, p.account_key, p.source_file, p.source_line, null::decimal(18, 2) as amount,
        shown_account(p.account_key) || ' (' || coalesce(account_words(p.account_type), 'type not stated') || '): '
            || case when p.in_pool then 'in the pool' when p.in_pool is null then 'undecided' else 'not in the pool' end
            || ', ' || p.why as text,
    from pool_accounts as p
    where p.source_file is not null
),
links as (
    select
        p.person_id, p.tax_year, 'account' as topic, p.account_key, l.source_file, l.source_line, null::decimal(18, 2) as amount,
        shown_account(p.account_key) || ': linked to this client by an approval of ' || l.approved_on as text,
    from pool_accounts as p
    inner join crosswalk as l on l.account_key = p.account_key
),
basis as (
    select
        b.person_id, y.tax_year, 'basis' as topic, null as account_key, b.source_file, b.source_line, b.basis as amount,
        'basis of ' || usd(b.basis) || ' stated for ' || b.tax_year || coalesce(' (' || b.source || ')', '') as text,
    from ira_basis as b
    inner join year_limits as y on y.tax_year > b.tax_year
    qualify row_number() over (partition by b.person_id, y.tax_year order by b.tax_year desc) = 1
),
profiles as (
    select
        person_id, tax_year, 'tax_profile' as topic, null as account_key, profile_file as source_file, profile_line as source_line,
        null::decimal(18, 2) as amount,
        'filing status ' || filing_words(filing_status) || coalesce(', Roth MAGI ' || usd(stated_roth_magi), '')
            || coalesce(', compensation ' || usd(compensation), '')
            || coalesce(', marginal rate ' || percent_words(marginal_tax_rate), '') as text,
    from person_years
    where profile_file is not null
),
plan_money as (
    select
        person_id, tax_year, 'plan' as topic, null as account_key, source_file, source_line, null::decimal(18, 2) as amount,
        coalesce(employer_name, 'plan ' || plan_id) || coalesce(' as of ' || as_of, '') || ': deferrals '
            || coalesce(usd(pre_tax_deferrals + roth_deferrals), 'not known') || ', after-tax '
            || coalesce(usd(after_tax_contributions), 'not known') || ', employer '
            || coalesce(usd(employer_match + employer_nonelective), 'not known') as text,
    from plan_years
),
payroll as (
    -- payroll newer than the firm's own row of the plan, counted or not
    select
        m.person_id, m.tax_year, 'payroll' as topic, null as account_key, m.source_file, m.source_line, m.amount,
        usd(m.amount) || ' of ' || coalesce(replace(m.money_source, '_', ' '), 'money that can''t be counted')
            || case when m.amount_is = 'year_to_date' then ' for the year to ' when m.pay_date is null then ' received by '
                else ' paid on ' end || m.known_on
            || ' (' || m.source_column || ', plan ' || m.recordkeeper_plan || ' at ' || m.recordkeeper || ')' as text,
    from payroll_money as m
    where m.person_id is not null and m.amount <> 0 and m.stated_source is distinct from 'not_a_contribution'
        and m.known_on > coalesce((
            select max(pc.as_of)
            from plan_contributions as pc
            where pc.person_id = m.person_id and pc.plan_id = m.plan_id and pc.tax_year = m.tax_year
                and pc.as_of <= (select as_of from run)), date '1900-01-01')
),
undecided as (
    select
        u.person_id, y.tax_year, 'unclassified' as topic, u.account_key, u.source_file, u.source_line, u.amount,
        usd(u.amount) || ' on ' || u.trade_date || ' in ' || shown_account(u.account_key) || ': '
            || case when u.classification = 'unmapped' then 'code not in the profile' else 'ambiguous code' end as text,
    from unclassified_events as u
    inner join year_limits as y
        on u.event_year = y.tax_year or (u.event_year = y.tax_year + 1 and u.trade_date <= y.contribution_due_date)
    where u.person_id is not null
),
set_aside as (
    select
        b.person_id, y.tax_year, 'set_aside' as topic, null as account_key, b.file as source_file, b.line_number as source_line,
        null::decimal(18, 2) as amount, 'a row of ' || replace(b.kind, '_', ' ') || ' set aside: ' || b.plain as text,
    from blocking_rejects as b
    inner join year_limits as y
        on b.event_year is null or b.event_year = y.tax_year or b.event_year = y.tax_year + 1
)
select * from events
union all by name select * from taken_back
union all by name select * from corrected
union all by name select * from fixed
union all by name select * from pool
union all by name select * from own_accounts
union all by name select * from links
union all by name select * from basis
union all by name select * from profiles
union all by name select * from plan_money
union all by name select * from payroll
union all by name select * from undecided
union all by name select * from set_aside
