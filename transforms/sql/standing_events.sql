-- One row per stated event that stands: neither taken back, nor itself a row that takes another one back. One that takes
-- back a row the book doesn't have counts for nothing and makes the person's results UNKNOWN (see `blocks`).
select e.* exclude (cancels_transaction_id, takes_back)
from stated_events as e
where not e.takes_back
    and e.event_id not in (select taken_back from cancellations where taken_back is not null)
