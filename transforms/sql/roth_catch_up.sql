-- One row per person, tax year and employer with a 401(k), 403(b) or TSP: whether catch-up there must be Roth (414(v)(7)(A), from
-- 2026: last year's FICA wages from THAT employer strictly above the threshold) and whether it can be made at all: where it
-- must be Roth and no plan of the employer takes Roth deferrals, there is no catch-up. Null: not known. SIMPLE plans and SARSEPs
-- are outside the rule (414(v)(7)(C)), and so are the wages of an employer that has only those.
with
by_employer as (
    select
        person_id, tax_year, employer_group_id, employer_name,
        max(prior_year_fica_wages) as wages,
        bool_or(coalesce(has_roth_deferrals, false)) as has_roth_feature,
        not has_roth_feature and bool_or(has_roth_deferrals is null) as feature_unknown,
    from plan_years
    where plan_type in ('401k', 'solo_401k', '403b', 'tsp')
    group by person_id, tax_year, employer_group_id, employer_name
),
ruled as (
    select
        e.*,
        case
            when e.tax_year < 2026 or py.age < 50 or e.wages <= py.roth_catch_up_fica_wage_threshold then false
            when py.age >= 50 and e.wages > py.roth_catch_up_fica_wage_threshold then true
        end as must_be_roth,
    from by_employer as e
    inner join person_years as py on py.person_id = e.person_id and py.tax_year = e.tax_year
)
select
    *,
    case
        when has_roth_feature or must_be_roth is false then true
        when must_be_roth and not feature_unknown then false
    end as catch_up_available,
from ruled
