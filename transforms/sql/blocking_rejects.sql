-- One row per set-aside line that concerns a person, and the results it makes UNKNOWN. `event_year` null means
-- any year (the date could not be read). `plain` says what is wrong in an advisor's words; `same_row` is equal for lines of several
-- deliveries that are one row, by its key or, where that can't be read, by its text.
with
told as (
    select
        r.*,
        w.phrase as plain,
        coalesce(r.kind || ' ' || r.row_key, r.raw_line_sha256, r.file || ':' || r.line_number) as same_row,
        f.received_at,
    from intake_rejects as r
    left join reject_phrases as w on w.rule = r.rule and w.cell is not distinct from r."column"
    left join (
        select sha256, min(received_at) as received_at from intake_files where state <> 'duplicate' group by sha256
    ) as f on f.sha256 = r.source_sha256
),
put_right as (
    -- a payroll row is put right by a later file with the same person's money of that day
    select distinct r.source_sha256, r.line_number
    from intake_rejects as r
    inner join intake_files as f on f.sha256 = r.source_sha256 and f.state <> 'duplicate'
    inner join payroll_contributions as pay
        on pay.owner_tax_id = r.owner_tax_id and pay.recordkeeper = r.custodian and pay.pay_date = r.trade_date
        and pay.received_at > f.received_at
    where r.kind = 'payroll_contributions'
),
subjects as (
    select
        r.*,
        year(r.trade_date) as event_year,
        refs.account_key,
        coalesce(direct.person_id, a.person_id, employee.person_id) as subject_person_id,
        a.account_type,
    from told as r
    left join account_refs as refs
        on refs.custodian is not distinct from r.custodian and refs.account_number = r.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    left join persons as direct on direct.person_id = r.person_id
    left join (
        select tax_id, person_id from person_tax_ids where persons_with_it = 1
    ) as employee on employee.tax_id = r.owner_tax_id
    left join put_right as p on p.source_sha256 = r.source_sha256 and p.line_number = r.line_number
    where r.blocks and p.line_number is null
)
select
    subject_person_id as person_id,
    event_year,
    file,
    line_number,
    rule,
    kind,
    plain,
    same_row,
    received_at,
    kind in ('accounts', 'ira_basis', 'tax_profiles', 'account_links', 'renumbered_accounts')
        or (kind in ('transactions', 'balances', 'form_5498') and (account_key is null or is_ira_or_unknown(account_type)))
        as blocks_form_8606,
    kind = 'tax_profiles' or (kind = 'transactions' and (account_key is null or is_ira_or_unknown(account_type)))
        or kind in ('accounts', 'account_links', 'renumbered_accounts') as blocks_ira_limits,
    kind in ('plan_contributions', 'payroll_contributions')
        -- it may be the employer's SEP money, which counts for 415(c)
        or (kind = 'transactions' and coalesce(account_type in ('sep_ira', 'roth_sep_ira'), false)) as blocks_mega,
from subjects
where subject_person_id is not null
    -- what the firm has since stated of every plan of the person holds the payroll row nobody could read
    and not coalesce(kind = 'payroll_contributions' and trade_date <= (
        select min(stated.as_of)
        from (
            select max(pc.as_of) as as_of
            from plan_contributions as pc
            where pc.person_id = subjects.subject_person_id and pc.tax_year = year(subjects.trade_date)
                and pc.as_of <= (select as_of from run)
            group by pc.plan_id
        ) as stated), false)
union all
select distinct
    pc.person_id, null as event_year, r.file, r.line_number, r.rule, r.kind, r.plain, r.same_row, r.received_at,
    false as blocks_form_8606, false as blocks_ira_limits, true as blocks_mega,
from told as r
inner join plan_contributions as pc on pc.plan_id = r.plan_id
where r.blocks and r.kind = 'plans'
