-- One row per line set aside: what intake could not accept, and the events on IRAs whose code cannot be read.
select file, line_number, "column", rule, message, raw_line_sha256, source_sha256
from intake_rejects
union all
select
    source_file as file,
    source_line as line_number,
    'transaction code' as "column",
    case when classification = 'unmapped' then 'unmapped_code' else 'ambiguous_code' end as rule,
    case when classification = 'unmapped'
        then 'the transaction code is not in the custodian''s profile; add it there, or state the event'
        else 'the transaction code can mean several things on an IRA; state the event' end
        || ' in a transactions file with the same account, amount and date, and the transaction_type it was' as message,
    null as raw_line_sha256,
    source_sha256,
from unclassified_events
