-- One row per account event with a tax meaning, on a known account, as the sources state it. The firm's own row replaces
-- the custodian's row of the same event (same account, type, date, amount and tax year, pairwise). A row that takes
-- another one back (`takes_back`) is here too; what it takes back is in `cancellations`.
with
resolved as (
    select
        t.custodian || ':' || t.account_number || ':' || t.transaction_id as event_id,
        a.account_key,
        a.person_id,
        a.account_type,
        t.transaction_id,
        t.trade_date,
        -- a conversion with the sign of the other leg is taken back: out of a Roth IRA, or into a traditional one
        case
            when t.profile like 'house-%' then t.transaction_type
            when t.transaction_type = 'roth_conversion_in' and is_traditional_kind(a.account_type) then 'roth_conversion_out'
            when t.transaction_type = 'roth_conversion_out' and is_roth_kind(a.account_type) then 'roth_conversion_in'
            else t.transaction_type
        end as transaction_type,
        t.amount,
        t.tax_year as stated_tax_year,
        year(t.trade_date) as event_year,
        coalesce(t.tax_year, year(t.trade_date)) as contribution_year,
        t.counter_account_number,
        t.cancels_transaction_id,
        t.cancels_transaction_id is not null or t.reverses is not null
            or transaction_type <> t.transaction_type as takes_back,
        t.source_file,
        t.source_line,
        t.profile like 'house-%' as from_firm,
    from transactions as t
    inner join account_refs as refs
        on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
    inner join known_accounts as a
        on a.account_key = coalesce(refs.account_key, coalesce(t.custodian, '?') || ':' || t.account_number)
    where t.transaction_type not in ('market', 'unclassified')
),
numbered as (
    select
        *,
        row_number() over (
            partition by account_key, transaction_type, trade_date, amount, contribution_year, from_firm, takes_back
            order by transaction_id, source_file, source_line
        ) as occurrence,
    from resolved
)
select n.* exclude (occurrence)
from numbered as n
where n.from_firm or not exists (
    select 1
    from numbered as firm
    where firm.from_firm
        and firm.account_key = n.account_key
        and firm.transaction_type = n.transaction_type
        and firm.trade_date = n.trade_date
        and firm.amount = n.amount
        and firm.contribution_year = n.contribution_year
        and firm.takes_back = n.takes_back
        and firm.occurrence = n.occurrence
)
