-- One row per transaction that can mean anything to anybody: whatever is not a plain trade, fee or dividend (`market`), and on
-- the accounts where one of those was taken back, these too. Most of the millions of a book end here.
with
trades_taken_back as (
    select distinct custodian, account_number from transactions where transaction_type = 'market' and reverses is not null
)
-- three scans, not one with an `or`: each condition alone is looked up in the file's statistics and dictionary, and only
-- rows that meet it are read whole
select *
from transactions
where transaction_type <> 'market'
union all
select *
from transactions
where transaction_type = 'market' and reverses is not null
union all
select *
from transactions
where transaction_type = 'market' and reverses is null and cancels_transaction_id is not null
union all
select t.*
from transactions as t
inner join trades_taken_back using (custodian, account_number)
where t.transaction_type = 'market' and t.reverses is null and t.cancels_transaction_id is null
