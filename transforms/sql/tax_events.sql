-- One row per standing account event with a tax meaning, counted once: where the in leg shows that an out row held the
-- tax withheld as well, the out row is taken without it (the withholding is a row of its own and goes to line 7).
select
    e.* exclude (amount),
    e.amount - coalesce(p.withheld, 0) as amount,
    e.amount as stated_amount,
from standing_events as e
left join event_pairs as p on p.out_event_id = e.event_id
