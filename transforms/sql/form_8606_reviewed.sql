-- Form 8606 with what is doubtful about whose money it counts: such a form is REVIEW. No number is changed.
with
doubts as (
    select d.person_id, y.tax_year, d.reason
    from identity_doubts as d
    cross join year_limits as y
    where d.makes = 'REVIEW'
    union all
    select
        person_id, tax_year,
        'possible_same_person: a possible match (probability ' || cast(lesser(0.99, probability) as decimal(3, 2)) || ') holds '
            || coalesce(usd(pool_value_added), 'an unknown amount') || ' in traditional IRAs; '
            || case
                when line_18_with is not null then 'line 18 would be ' || usd(line_18_with) || ' instead of ' || usd(line_18)
                when line_8 > 0 then 'line 18 would be higher than ' || usd(line_18)
                else 'it would count on line 6 of every conversion' end
            || '; answer ' || suggestion_id || ' in _links.xlsx' as reason,
    from link_suggestions
    left join (select person_id, tax_year, line_8 from form_8606) as f using (person_id, tax_year)
    where needs_review
),
by_person as (
    select person_id, tax_year, list(reason order by reason) as reasons
    from doubts
    group by person_id, tax_year
)
select
    f.* replace (
        case when d.person_id is not null and f.status = 'COMPUTED' then 'REVIEW' else f.status end as status,
        case when d.person_id is not null and f.status in ('COMPUTED', 'REVIEW') then list_concat(f.reasons, d.reasons)
            else f.reasons end as reasons
    ),
from form_8606 as f
left join by_person as d on d.person_id = f.person_id and d.tax_year = f.tax_year
