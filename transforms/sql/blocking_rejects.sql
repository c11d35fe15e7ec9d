-- One row per set-aside line that concerns a person, and the results it makes UNKNOWN. `event_year` null means
-- any year (the date could not be read).
with
subjects as (
    select
        r.*,
        year(r.trade_date) as event_year,
        refs.account_key,
        coalesce(direct.person_id, a.person_id) as subject_person_id,
        a.account_type,
    from intake_rejects as r
    left join account_refs as refs
        on refs.custodian is not distinct from r.custodian and refs.account_number = r.account_number
    left join known_accounts as a on a.account_key = refs.account_key
    left join persons as direct on direct.person_id = r.person_id
    where r.blocks
)
select
    subject_person_id as person_id,
    event_year,
    file,
    line_number,
    rule,
    kind,
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
union all
select distinct
    pc.person_id, null as event_year, r.file, r.line_number, r.rule, r.kind,
    false as blocks_form_8606, false as blocks_ira_limits, true as blocks_mega,
from intake_rejects as r
inner join plan_contributions as pc on pc.plan_id = r.plan_id
where r.blocks and r.kind = 'plans'
