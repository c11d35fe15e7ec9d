-- One row per plan year of a person whose plan's limitation year isn't the calendar year, or can't be read. The 415(c) limit of
-- tax year Y belongs to the limitation year that ENDS in Y (Reg. 1.415(d)-1(a)(2), 1.415(j)-1). Its amounts are what came after
-- its start in Y-1 (the row of December 31 less the row of the day the year before ended) and the year-to-date amounts of Y
-- up to its end. `snapshots_needed` names the dates whose rows are missing.
with
stated as (
    select
        pl.*,
        trim(pl.limitation_year_end) as said_end,
        -- 06-30, 06/30, --06-30, 2026-06-30 or June 30; the year of a full date says nothing about the plan
        coalesce(
            try_cast('2024-' || regexp_replace(said_end, '^(?:--|\d{4}[-/])?(\d{1,2})[-/](\d{1,2})$', '\1-\2') as date),
            try_strptime(said_end || ' 2024', ['%B %d %Y', '%b %d %Y'])::date
        ) as day_of_2024,
    from plan_years as pl
    where pl.limitation_year_end is not null and pl.plan_type in ('401k', 'solo_401k', '403b', '401a', 'tsp', 'sep')
),
ends as (
    select
        *,
        case when day_of_2024 is not null then end_of_limitation_year(day_of_2024, tax_year) end as ends_on,
        case when day_of_2024 is not null then end_of_limitation_year(day_of_2024, tax_year - 1) end as began_after,
        make_date(tax_year - 1, 12, 31) as last_december_31,
        ends_on < (select as_of from run) as is_closed,
    from stated
    where day_of_2024 is null or strftime(day_of_2024, '%m-%d') <> '12-31'
),
snapshots as (
    select
        pc.person_id, pc.plan_id, pc.tax_year, pc.as_of, pc.compensation, pc.employer_nonelective,
        deferrals_in(p.plan_type, pc.pre_tax_deferrals) as pre_tax_deferrals,
        deferrals_in(p.plan_type, pc.roth_deferrals) as roth_deferrals,
        after_tax_in(p.plan_type, p.after_tax_contributions, pc.after_tax_contributions) as after_tax_contributions,
        match_in(p.plan_type, pc.employer_match) as employer_match,
        forfeitures_in(p.plan_type, pc.forfeitures) as forfeitures,
    from plan_contributions as pc
    inner join plans as p on p.plan_id = pc.plan_id
),
summed as (
    select
        e.person_id, e.plan_id, e.tax_year, e.ends_on, e.began_after, e.is_closed,
        e.day_of_2024 is null as is_unreadable,
        case when e.day_of_2024 is null then [] else said([
            case when first_part.as_of is null then e.began_after end,
            case when last_year.as_of is null then e.last_december_31 end,
            case when e.is_closed and closing.as_of is null then e.ends_on end,
        ]) end as snapshots_needed,
        last_year.compensation - first_part.compensation
            + case when e.is_closed then closing.compensation else e.compensation end as compensation,
        last_year.pre_tax_deferrals - first_part.pre_tax_deferrals
            + case when e.is_closed then closing.pre_tax_deferrals else e.pre_tax_deferrals end as pre_tax_deferrals,
        last_year.roth_deferrals - first_part.roth_deferrals
            + case when e.is_closed then closing.roth_deferrals else e.roth_deferrals end as roth_deferrals,
        last_year.after_tax_contributions - first_part.after_tax_contributions
            + case when e.is_closed then closing.after_tax_contributions else e.after_tax_contributions end
            as after_tax_contributions,
        last_year.employer_match - first_part.employer_match
            + case when e.is_closed then closing.employer_match else e.employer_match end as employer_match,
        last_year.employer_nonelective - first_part.employer_nonelective
            + case when e.is_closed then closing.employer_nonelective else e.employer_nonelective end as employer_nonelective,
        last_year.forfeitures - first_part.forfeitures
            + case when e.is_closed then closing.forfeitures else e.forfeitures end as forfeitures,
    from ends as e
    left join snapshots as last_year
        on last_year.person_id = e.person_id and last_year.plan_id = e.plan_id and last_year.tax_year = e.tax_year - 1
        and last_year.as_of = e.last_december_31
    left join snapshots as first_part
        on first_part.person_id = e.person_id and first_part.plan_id = e.plan_id and first_part.tax_year = e.tax_year - 1
        and first_part.as_of = e.began_after
    left join snapshots as closing
        on closing.person_id = e.person_id and closing.plan_id = e.plan_id and closing.tax_year = e.tax_year
        and closing.as_of = e.ends_on
)
select *, is_unreadable or len(snapshots_needed) > 0 as is_unknown,
from summed
