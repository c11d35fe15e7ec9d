-- One row per 60-day rollover between IRAs of a person that left within 365 days of an earlier one, whichever IRAs they
-- were (IRC 408(d)(3)(B); Bobrow). Conversions, plan rollovers and trustee transfers don't count, nor is one leg enough.
select
    person_id, tax_year, out_account_key, left_on, counted_amount, out_file, out_line,
    lag(left_on) over (partition by person_id order by left_on, out_event_id) as earlier_left_on,
from event_pairs
where kind = 'rollover' and state = 'paired' and out_type = 'rollover_out' and in_type = 'rollover_in'
qualify left_on - earlier_left_on < 365
