-- One row per person and tax year whose plan amounts cannot be known because a row was set aside.
select
    b.person_id,
    y.tax_year,
    min('row_set_aside: line ' || b.line_number || ' of the ' || b.kind || ' file was set aside (' || b.rule
        || '); correct it and drop the file again') as said,
from blocking_rejects as b
inner join year_limits as y on b.event_year is null or b.event_year = y.tax_year
where b.blocks_mega
group by b.person_id, y.tax_year
