-- One row per person, account and tax year: is the account in the IRA pool of Form 8606 line 6, and why.
-- in_pool is null where the rules fail closed (the answer is not known). Authority: IRC 408(d)(2), 408A(d)(4)(B).
with
person_accounts as (
    select a.*, y.tax_year, y.year_end
    from known_accounts as a
    cross join year_limits as y
    where a.person_id is not null
),
ruled as (
    select
        *,
        case
            when account_type is null or account_type = 'other' then null
            when account_type = 'trump_account' then null
            when is_traditional_kind(account_type) and inherited_from is not null and treated_as_own is null then null
            when is_traditional_kind(account_type) and inherited_from is not null and treated_as_own
                and beneficiary_is_spouse is false then null
            when is_traditional_kind(account_type)
                then not (inherited_from is not null and coalesce(treated_as_own, false) is false)
            when account_type = 'inherited_traditional_ira' then
                case
                    when treated_as_own and coalesce(beneficiary_is_spouse, true) then true
                    when treated_as_own then null
                    when treated_as_own is false or beneficiary_is_spouse is false then false
                    else null
                end
            else false
        end as in_pool,
        case
            when account_type is null then 'account type is not stated'
            when account_type = 'other' then 'what kind of account it is isn''t known'
            when account_type = 'trump_account' then 'Trump account (530A): no published rule says whether it is aggregated'
            when is_traditional_kind(account_type) and inherited_from is not null and treated_as_own is null
                then 'registered as an own IRA but stated as inherited; whether it is treated as own is not stated'
            when is_traditional_kind(account_type) and inherited_from is not null and treated_as_own
                and beneficiary_is_spouse is false then 'stated as treated as own, but only a surviving spouse may do that'
            when is_traditional_kind(account_type) and inherited_from is not null and not treated_as_own
                then 'inherited and not treated as own: its own basis and Form 8606'
            when account_type = 'traditional_ira' then 'traditional IRA: all of a person''s are one (408(d)(2))'
            when account_type = 'rollover_ira' then 'rollover IRA: a traditional IRA (408(d)(2))'
            when account_type = 'sep_ira' then 'SEP IRA: counted as a traditional IRA on Form 8606'
            when account_type = 'simple_ira' then 'SIMPLE IRA: counted as a traditional IRA on Form 8606'
            when account_type = 'inherited_traditional_ira' then
                case
                    when treated_as_own and coalesce(beneficiary_is_spouse, true)
                        then 'inherited from the spouse and treated as own'
                    when treated_as_own then 'stated as treated as own, but only a surviving spouse may do that'
                    when treated_as_own is false then 'inherited and not treated as own: its own basis and Form 8606'
                    when beneficiary_is_spouse is false then 'inherited, not from a spouse: its own basis and Form 8606'
                    when beneficiary_is_spouse then 'inherited from the spouse: whether it is treated as own is not stated'
                    else 'inherited: whether from a spouse, and whether treated as own, is not stated'
                end
            when is_roth_kind(account_type) or account_type = 'inherited_roth_ira' then 'Roth: never in the pool'
            when account_type in ('401k', 'roth_401k', '403b', '457b', '401a', 'tsp') then 'employer plan: not an IRA'
            when account_type in ('hsa', '529') then 'not an IRA'
            else 'not a retirement account'
        end as why,
    from person_accounts
)
select * from ruled
