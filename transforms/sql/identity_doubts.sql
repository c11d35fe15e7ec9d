-- One row per person and doubt about who they are or what is theirs: UNKNOWN or REVIEW, and why.
select person_id, makes, reason
from owner_conflicts
where person_id is not null
union all
select
    person_id, 'REVIEW' as makes,
    'tax_id_shared: the same tax id is stated for ' || person_id || ' and ' || others
        || '; accounts known by tax id alone are counted for neither' as reason,
from shared_tax_ids
union all
select
    person_id, 'UNKNOWN' as makes,
    'merged_rows_differ: ' || said || ' are stated differently under the person_ids that were approved to be one; state them '
        || 'alike' as reason,
from merge_differences
