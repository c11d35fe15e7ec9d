-- One row per suggested link, person whose IRA pool it would add to, and tax year: the dollars at stake. Line 18 with the link
-- is the form of today with the added value on lines 6 and 9 and lines 10 to 18 worked out anew; events and basis that would
-- come along are not counted. It is null where the form is not known, nothing was converted, or the added value is unknown.
with
added as (
    select
        k.*,
        f.line_3, f.line_5, f.line_7, f.line_8, f.line_9, f.line_18,
        case when coalesce(f.basis_of_line_6 = 'december_31', r.as_of > y.year_end)
            then k.december_31_added else k.projected_added end as pool_value_added,
        larger(0, pool_value_added) as more,
        f.line_9 + more as total,
        choices.line_10 = 'three_places' as three_places,
    from link_pools as k
    cross join run as r
    cross join choices
    inner join year_limits as y on y.tax_year = k.tax_year
    left join form_8606 as f on f.person_id = k.person_id and f.tax_year = k.tax_year and f.status in ('COMPUTED', 'REVIEW')
),
shares as (
    select
        *,
        cast(lesser(1000, (2000 * cents(line_5) + cents(total)) // (2 * cents(total))) as decimal(18, 2)) as thousandths,
        case when three_places then mul_div(line_8, thousandths, 1000.00) else mul_div(line_8, lesser(line_5, total), total) end
            as conversion_share,
        case when three_places then mul_div(line_7, thousandths, 1000.00) else mul_div(line_7, lesser(line_5, total), total) end
            as distribution_share,
        larger(0, conversion_share + distribution_share - lesser(line_3, line_5)) as above_basis,
    from added
    where line_8 > 0 and total > 0
)
select
    a.suggestion_id, a.kind, a.person_id, a.tax_year, a.other_person_id, a.account_key, a.probability,
    a.probability >= t.review_at and a.adds_ira and a.pool_value_added is distinct from 0 as needs_review,
    a.agrees, a.adds_ira, a.pool_value_added, a.line_18,
    case when a.pool_value_added = 0 then a.line_18
        else a.line_8 - (s.conversion_share - lesser(s.conversion_share, s.above_basis)) end as line_18_with,
from added as a
cross join link_thresholds as t
left join shares as s on s.suggestion_id = a.suggestion_id and s.person_id = a.person_id and s.tax_year = a.tax_year
