-- One row per tax id that changed, or came of a change: ids of one person share a `tax_key`. An id that became two, or that
-- two became, is followed to neither (`unclear`): whose it is can't be told, and a finding says so.
with recursive
stated as (
    select
        old_tax_id, new_tax_id, source_file, source_line,
        count(distinct new_tax_id) over (partition by old_tax_id) > 1
            or count(distinct old_tax_id) over (partition by new_tax_id) > 1 as unclear,
    from (
        select old_tax_id, new_tax_id, min(source_file) as source_file, min(source_line) as source_line
        from tax_id_changes
        where old_tax_id <> new_tax_id
        group by old_tax_id, new_tax_id
    )
),
steps as (
    select old_tax_id as tax_id, new_tax_id as other from stated where not unclear
    union
    select new_tax_id as tax_id, old_tax_id as other from stated where not unclear
),
reached as (
    select tax_id, other from steps
    union
    select r.tax_id, s.other
    from reached as r
    inner join steps as s on s.tax_id = r.other
)
select tax_id, lesser(tax_id, min(other)) as tax_key
from reached
group by tax_id
