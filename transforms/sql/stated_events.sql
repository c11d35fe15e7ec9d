-- One row per account event with a tax meaning, on a known account, as the sources state it, up to the as-of date: what is
-- dated later has not happened yet. The firm's own row replaces the custodian's row of the same event (same account, type,
-- date, amount and tax year, pairwise); where the custodian states no tax year, the firm's year is the event's. An event
-- resent under an account's new number is the one already known under the old. What a custodian only calls a distribution is
-- what the firm's row of that account, date and amount says: a minimum, a gift to charity, a rollover. A row that takes another one back
-- (`takes_back`) is here too; which row that is, is in `cancellations`.
with
on_accounts as (
    select
        t.custodian || ':' || t.account_number || ':' || t.transaction_id as event_id,
        a.account_key,
        a.person_id,
        a.account_type,
        t.transaction_id,
        t.trade_date,
        coalesce(other_leg.transaction_type, t.transaction_type) as transaction_type,
        t.amount,
        t.tax_year as stated_tax_year,
        year(t.trade_date) as event_year,
        coalesce(t.tax_year, year(t.trade_date)) as contribution_year,
        t.counter_account_number,
        t.cancels_transaction_id,
        t.cancels_transaction_id is not null or t.reverses is not null or other_leg.sign_says is not null as takes_back,
        t.source_file,
        t.source_line,
        t.profile like 'house-%' as from_firm,
        row_number() over (order by t.source_file, t.source_line, t.transaction_id, a.account_key, t.source_sha256) as n,
        refs.is_old_number,
    from kept_transactions as t
    inner join account_refs as refs
        on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
    inner join known_accounts as a
        on a.account_key = coalesce(refs.account_key, coalesce(t.custodian, '?') || ':' || t.account_number)
    -- a custodian's conversion with the sign of the other leg is one taken back: out of a Roth IRA, into a traditional one
    left join (values
        ('roth_conversion_in', true, 'roth_conversion_out'), ('roth_conversion_out', false, 'roth_conversion_in')
    ) as other_leg (sign_says, on_traditional, transaction_type)
        on other_leg.sign_says = t.transaction_type
        and case when other_leg.on_traditional then is_traditional_kind(a.account_type) else is_roth_kind(a.account_type) end
        and t.profile not like 'house-%'
    where t.transaction_type not in ('market', 'unclassified') and t.trade_date <= (select as_of from run)
),
by_number as (
    select
        *,
        row_number() over (
            partition by account_key, transaction_type, trade_date, amount, contribution_year, from_firm, takes_back,
                is_old_number
            order by n
        ) as occurrence,
    from on_accounts
),
resent as (
    select old.n
    from by_number as old
    inner join by_number as new
        on old.is_old_number and not new.is_old_number
        and new.account_key = old.account_key
        and new.transaction_type = old.transaction_type
        and new.trade_date = old.trade_date
        and new.amount = old.amount
        and new.contribution_year = old.contribution_year
        and new.from_firm = old.from_firm
        and new.takes_back = old.takes_back
        and new.occurrence = old.occurrence
),
resolved as (
    select * exclude (is_old_number)
    from on_accounts
    where n not in (select n from resent)
),
by_year as (
    select
        *,
        row_number() over (
            partition by account_key, transaction_type, trade_date, amount, contribution_year, from_firm, takes_back
            order by n
        ) as occurrence,
    from resolved
),
same_year as (
    select custodian.n as custodian_n, firm.n as firm_n
    from by_year as custodian
    inner join by_year as firm
        on firm.from_firm and not custodian.from_firm
        and firm.account_key = custodian.account_key
        and firm.transaction_type = custodian.transaction_type
        and firm.trade_date = custodian.trade_date
        and firm.amount = custodian.amount
        and firm.contribution_year = custodian.contribution_year
        and firm.takes_back = custodian.takes_back
        and firm.occurrence = custodian.occurrence
),
left_over as (
    select
        *,
        row_number() over (
            partition by account_key, transaction_type, trade_date, amount, from_firm, takes_back order by n) as occurrence,
    from resolved
    where (from_firm or stated_tax_year is null)
        and n not in (select custodian_n from same_year)
        and n not in (select firm_n from same_year)
),
year_unstated as (
    select custodian.n as custodian_n, firm.n as firm_n
    from left_over as custodian
    inner join left_over as firm
        on firm.from_firm and not custodian.from_firm
        and firm.account_key = custodian.account_key
        and firm.transaction_type = custodian.transaction_type
        and firm.trade_date = custodian.trade_date
        and firm.amount = custodian.amount
        and firm.takes_back = custodian.takes_back
        and firm.occurrence = custodian.occurrence
),
paid_out as (
    select
        *,
        row_number() over (partition by account_key, trade_date, amount, from_firm, takes_back order by n) as occurrence,
    from resolved
    where (from_firm and flow_sign(transaction_type) = -1 and transaction_type not in ('distribution', 'withholding')
           or not from_firm and transaction_type = 'distribution')
        and n not in (select unnest([custodian_n, firm_n]) from same_year)
        and n not in (select unnest([custodian_n, firm_n]) from year_unstated)
),
named_closer as (
    select custodian.n as custodian_n
    from paid_out as custodian
    inner join paid_out as firm
        on firm.from_firm and not custodian.from_firm
        and firm.account_key = custodian.account_key
        and firm.trade_date = custodian.trade_date
        and firm.amount = custodian.amount
        and firm.takes_back = custodian.takes_back
        and firm.occurrence = custodian.occurrence
)
select * exclude (n)
from resolved
where n not in (select custodian_n from same_year) and n not in (select custodian_n from year_unstated)
    and n not in (select custodian_n from named_closer)
