-- One row per file of the book, and one per file delivered again in this run; what is odd about it is told here too.
with
odd as (
    select source_sha256, string_agg(message, '; ' order by control) as message,
    from controls
    where control <> 'not_in_full_file'
    group by source_sha256
)
select f.* replace (nullif(concat_ws('; ', f.message, o.message), '') as message),
from intake_files as f
left join odd as o on o.source_sha256 = f.sha256 and f.state <> 'duplicate'
