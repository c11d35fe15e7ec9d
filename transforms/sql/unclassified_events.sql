-- One row per custodian row nobody can read yet on an IRA (or on an account of unknown type): its code is
-- ambiguous or not in the profile, and the firm has not stated the event. A firm row of any type, `market`
-- included, states one such event when account and amount agree and the dates are at most 5 days apart.
with
refs as (
    select
        custodian, account_number,
        coalesce(account_key, coalesce(custodian, '?') || ':' || account_number) as account_key,
    from account_refs
),
unclassified as (
    select
        refs.account_key,
        t.*,
        count(*) over (
            partition by account_key, amount
            order by trade_date
            range between interval 5 days preceding and interval 5 days following
        ) as alike,
    from kept_transactions as t
    inner join refs on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
    where t.transaction_type = 'unclassified' and t.amount > 0 and t.trade_date <= (select as_of from run)
),
stated as (
    select u.source_sha256, u.source_line, u.transaction_id, count(*) as firm_rows
    from unclassified as u
    inner join firm_rows as firm
        on firm.account_key = u.account_key
        and firm.amount = u.amount
        and abs(date_diff('day', firm.trade_date, u.trade_date)) <= 5
    group by u.source_sha256, u.source_line, u.transaction_id
)
select
    u.account_key,
    a.person_id,
    a.account_type,
    u.trade_date,
    year(u.trade_date) as event_year,
    u.amount,
    u.custodian_code,
    u.classification,
    u.custodian,
    u.source_sha256,
    u.source_file,
    u.source_line,
from unclassified as u
inner join known_accounts as a on a.account_key = u.account_key
left join stated
    on stated.source_sha256 = u.source_sha256
    and stated.source_line = u.source_line
    and stated.transaction_id = u.transaction_id
-- as many firm rows as rows that look alike, or none of them is taken as stated
where is_ira_or_unknown(a.account_type) and coalesce(stated.firm_rows, 0) < u.alike
