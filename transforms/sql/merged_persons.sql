-- One row per person_id that another one stands for.
select person_id, survivor_id
from person_merges
where not contested and person_id <> survivor_id
