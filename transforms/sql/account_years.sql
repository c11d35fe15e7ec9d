-- One row per account, as transactions name it, and year they are of: all that anybody asks of most transactions.
select custodian, account_number, year(trade_date) as trade_year
from transactions
group by all
