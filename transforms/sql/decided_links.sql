-- One row per suggestion operations have answered: the latest answer counts. The halves of the id name the two records.
select
    suggestion_id,
    string_split(suggestion_id, '-')[1] as kind,
    string_split(suggestion_id, '-')[2] as one,
    string_split(suggestion_id, '-')[3] as two,
    decision,
    decided_by,
    decided_on,
    source_file,
    source_line,
from link_decisions
where decision is not null
qualify row_number() over (partition by suggestion_id order by decided_on desc) = 1
