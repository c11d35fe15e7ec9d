-- One row per file of the book, and one per file delivered again in this run; an unusual number of rows is told here too.
select f.* replace (nullif(concat_ws('; ', f.message, c.message), '') as message),
from intake_files as f
left join controls as c on c.control = 'row_count' and c.source_sha256 = f.sha256 and f.state <> 'duplicate'
