-- One row per person, tax year and way of dealing with the pro-rata rule, for everybody with pre-tax IRA money who converted in
-- the year, has a nondeductible contribution to convert, or has room for one that only a backdoor can use. `amount` is what
-- the way moves, `taxable_now` what the conversion is taxed on if nothing is done, `taxable_then` what it is taxed on this
-- way. Who has converted already and has room left: `room_left` is that room, `room_adds` what contributing and converting it too
-- would add to what is taxable on this way. `rests_on` are what it stands or falls with. Only where Form 8606 is known: no row stands on an UNKNOWN form.
-- Authority: IRC 408(d)(2) (line 6 counts December 31), 408(d)(3)(A)(ii) and (H) (to a plan, pre-tax first), 408(d)(9) (QHFD),
-- 408A(d)(6)(B)(iii) (a conversion stays).
with
movable as (
    select
        v.person_id,
        v.tax_year,
        sum(v.projected_value) filter (a.account_type <> 'simple_ira'
            or a.simple_first_contribution_date + interval 2 year <= r.as_of) as movable_to_plan,
        sum(v.projected_value) filter (a.account_type = 'simple_ira' and a.simple_first_contribution_date is null)
            as simple_undated,
        sum(v.projected_value) filter (a.account_type = 'simple_ira'
            and a.simple_first_contribution_date + interval 2 year > r.as_of) as simple_locked,
        -- an active SEP or SIMPLE (employer money for the year) can't fund an HSA
        sum(v.projected_value) filter (not exists (
            select 1 from tax_events as e
            where e.account_key = v.account_key
                and e.transaction_type in ('employer_contribution', 'contribution')
                and e.contribution_year = v.tax_year
                and a.account_type in ('sep_ira', 'simple_ira'))) as movable_to_hsa,
    from account_values as v
    inner join known_accounts as a on a.account_key = v.account_key
    cross join run as r
    where v.in_pool
    group by v.person_id, v.tax_year
),
receiving_plans as (
    select
        person_id,
        tax_year,
        min(plan_id) filter (ira_roll_in) as accepting_plan,
        bool_or(ira_roll_in is null) as roll_in_not_stated,
        string_agg(employer_name, ', ' order by plan_id) filter (ira_roll_in is null) as plans_to_ask,
        arg_min(employer_name, plan_id) filter (ira_roll_in) as accepting_employer,
    from plan_years
    where plan_type in ('401k', 'solo_401k', '403b', '401a', '457b', 'tsp') and currently_employed is distinct from false
    group by person_id, tax_year
),
facts as (
    select
        f.person_id, f.tax_year, f.status as form_status, y.year_end, r.as_of,
        py.age, py.marginal_tax_rate, py.active_participant,
        case py.hsa_coverage when 'family' then py.hsa_family when 'self' then py.hsa_self_only end
            + case when py.age >= 55 then py.hsa_catch_up_55 when py.age < 55 then 0 end as hsa_limit,
        py.hsa_coverage, py.hsa_contributions, py.qhfd_used,
        -- once in a lifetime: any year's transfer counts
        exists (select 1 from tax_events as e where e.person_id = f.person_id and e.transaction_type = 'qhfd') as qhfd_seen,
        coalesce(f.line_8, 0) > 0 as has_converted,
        bc.room, f.line_1, f.line_3, coalesce(f.line_5, f.line_3) as line_5, coalesce(f.line_6, p.projected_total) as line_6,
        coalesce(f.line_7, 0) as line_7, f.line_8, f.line_18,
        coalesce(m.movable_to_plan, 0) as movable_to_plan,
        coalesce(m.movable_to_hsa, 0) as movable_to_hsa,
        coalesce(m.simple_undated, 0) as simple_undated,
        coalesce(m.simple_locked, 0) as simple_locked,
        rp.accepting_plan, rp.accepting_employer, rp.plans_to_ask, rp.person_id is not null as has_plan,
        coalesce(rp.roll_in_not_stated, false) as roll_in_not_stated,
        py.age >= rmd.age as rmd_due,
    from form_8606 as f
    inner join person_years as py on py.person_id = f.person_id and py.tax_year = f.tax_year
    inner join year_limits as y on y.tax_year = f.tax_year
    cross join run as r
    left join pool_totals as p on p.person_id = f.person_id and p.tax_year = f.tax_year
    left join backdoor_candidates as bc on bc.person_id = f.person_id and bc.tax_year = f.tax_year
    left join movable as m on m.person_id = f.person_id and m.tax_year = f.tax_year
    left join receiving_plans as rp on rp.person_id = f.person_id and rp.tax_year = f.tax_year
    left join rmd_ages as rmd on year(py.birth_date) >= rmd.born_from and year(py.birth_date) < rmd.born_before
    where f.status in ('COMPUTED', 'REVIEW')
),
-- what is converted, or would be: one step a CTE, each column stated once
intended as (
    select
        *,
        case when has_converted then 0 else coalesce(room, 0) end as to_contribute,
        case when has_converted then 0 else coalesce(line_1, 0) end as to_convert,
    from facts
),
sized as (
    select
        *,
        case when has_converted then line_8 else 0 end + to_contribute + to_convert as conversion,
        line_5 + to_contribute as ratio_basis,
        lesser(line_3, line_5) + to_contribute as basis_available,
        larger(0, line_6 - to_convert) as left_in_pool,
    from intended
),
totalled as (
    select *, left_in_pool + line_7 + conversion as total
    from sized
),
pooled as (
    select *, lesser(left_in_pool, larger(0, total - ratio_basis)) as pre_tax_left
    from totalled
),
judged as (
    select *, case when not has_converted or line_18 is null then mul_div(conversion, lesser(ratio_basis, total), total) end as free_now
    from pooled
    where conversion > 0 and pre_tax_left > 0
),
-- read five times: worked out once
exposed as materialized (
    select
        *,
        lesser(pre_tax_left, movable_to_plan) as to_plan,
        as_of > year_end as year_has_ended,
        coalesce(case when has_converted then line_18 end, conversion - lesser(basis_available, free_now)) as taxable_now,
        lesser(lesser(pre_tax_left, movable_to_hsa), larger(0, hsa_limit - hsa_contributions)) as to_hsa,
    from judged
),
ways as (
    select
        'accept' as way, e.*,
        case when year_has_ended and not has_converted then 'INELIGIBLE' else 'OPEN' end as outcome,
        case when year_has_ended and not has_converted then 'year_ended: a conversion counts in the year it leaves the IRA' end
            as obstacle,
        0.00::decimal(18, 2) as amount,
        conversion as then_converted,
        total as then_total,
        ['the conversion stays as it is and the rest of the pool stays where it is'] as rests_on,
    from exposed as e
    union all by name
    select
        'reverse_rollover' as way, e.*,
        case
            when year_has_ended then 'INELIGIBLE'
            when accepting_plan is not null and to_plan > 0 then 'OPEN'
            when accepting_plan is not null then 'INELIGIBLE'
            when roll_in_not_stated or (not has_plan and active_participant is distinct from false) then 'UNKNOWN'
            else 'INELIGIBLE'
        end as outcome,
        case
            when year_has_ended then 'year_ended: line 6 counted what was in the IRAs on December 31'
            when accepting_plan is not null then 'nothing_movable: all of the money is in a SIMPLE IRA less than two years old or undated'
            when roll_in_not_stated then 'ira_roll_in: does the plan of ' || plans_to_ask || ' take rollovers from an IRA?'
            when not has_plan and active_participant is distinct from false then
                'plan_not_in_book: no plan of a current employer is in the book; state the plan and whether it takes rollovers from an IRA'
            else 'no_plan_takes_it: no plan of a current employer takes rollovers from an IRA'
        end as obstacle,
        to_plan as amount,
        conversion as then_converted,
        total - to_plan as then_total,
        said([
            'plan of ' || accepting_employer || ' takes rollovers from an IRA (ira_roll_in)',
            'only pre-tax money moves and is deemed to move first (408(d)(3)(H))',
            'it has left the IRAs by December 31',
        ]) as rests_on,
    from exposed as e
    union all by name
    select
        'qhfd' as way, e.*,
        case
            when year_has_ended or qhfd_used or qhfd_seen or hsa_coverage = 'none' then 'INELIGIBLE'
            when qhfd_used is null or hsa_limit is null or hsa_contributions is null then 'UNKNOWN'
            when to_hsa > 0 then 'OPEN'
            else 'INELIGIBLE'
        end as outcome,
        case
            when year_has_ended then 'year_ended: it counts in the year it is made'
            when qhfd_used or qhfd_seen then 'qhfd_used: the once-in-a-lifetime HSA funding distribution was made'
            when hsa_coverage = 'none' then 'no_hsa_coverage: not covered by a high-deductible health plan'
            when qhfd_used is null then 'qhfd_used: was an HSA funding distribution ever made?'
            when hsa_coverage is null then 'hsa_coverage: self, family or none?'
            when hsa_contributions is null then 'hsa_contributions: how much was contributed to the HSA this year, the employer''s too?'
            when hsa_limit is null then 'birth_date: the birth date is not stated; the HSA limit rises at 55'
            else 'nothing_left: the HSA limit is used up, or the money is in an active SEP or SIMPLE IRA'
        end as obstacle,
        to_hsa as amount,
        conversion as then_converted,
        total - to_hsa as then_total,
        [
            'covered by a high-deductible health plan (hsa_coverage ' || coalesce(hsa_coverage, 'not stated') || ') in the month of the transfer',
            'stays covered through the twelfth month after it, or the amount is taxed with 10% on top (408(d)(9)(D))',
            'never made one before (qhfd_used)',
        ] as rests_on,
    from exposed as e
    union all by name
    select
        'convert_everything' as way, e.*,
        case when year_has_ended then 'INELIGIBLE' else 'OPEN' end as outcome,
        case when year_has_ended then 'year_ended: a conversion counts in the year it leaves the IRA' end as obstacle,
        larger(0, left_in_pool - simple_locked - simple_undated) as amount,
        conversion + larger(0, left_in_pool - simple_locked - simple_undated) as then_converted,
        total as then_total,
        ['the tax is paid from other money', 'the client wants this income in ' || tax_year] as rests_on,
    from exposed as e
    union all by name
    select
        'wait' as way, e.*,
        case when year_has_ended or has_converted then 'INELIGIBLE' else 'OPEN' end as outcome,
        case
            when has_converted then 'already_converted: a conversion can''t be undone (408A(d)(6)(B)(iii))'
            when year_has_ended then 'year_ended: nothing is left to put off'
        end as obstacle,
        0.00::decimal(18, 2) as amount,
        0.00::decimal(18, 2) as then_converted,
        total as then_total,
        ['the nondeductible contribution stays in the IRA as basis (line 14)',
            'pre-tax money is out of the IRAs by December 31 of the year of the conversion'] as rests_on,
    from exposed as e
),
-- each share once, where it is needed: `lesser` reads its arguments several times
shared as (
    select
        *,
        case when outcome = 'OPEN' and way <> 'accept' and then_converted > 0
            then mul_div(then_converted, lesser(ratio_basis, then_total), then_total) end as then_free,
        case when outcome = 'OPEN' and has_converted and room > 0 then room end as room_left,
        case when room_left is not null
            then free_share(line_5, then_converted, line_7, then_total) end as free_without_room,
        case when room_left is not null
            then free_share(line_5 + room_left, then_converted + room_left, line_7, then_total + room_left) end as free_with_room,
    from ways
),
counted as (
    select
        *,
        case
            when outcome <> 'OPEN' then null
            when way = 'accept' then taxable_now
            when then_converted = 0 then 0
            else then_converted - lesser(then_converted, lesser(basis_available, then_free))
        end as taxable_then,
        room_left - (lesser(line_3 + room_left, free_with_room) - lesser(line_3, free_without_room)) as room_adds,
        rmd_due and way in ('reverse_rollover', 'qhfd', 'convert_everything') as rmd_first,
        way in ('reverse_rollover', 'convert_everything') and simple_undated > 0 as simple_open,
        way = 'qhfd' and age >= 65 as medicare_age,
        age is null and way in ('reverse_rollover', 'convert_everything') as age_open,
    from shared
)
select
    person_id,
    tax_year,
    way,
    case
        when outcome <> 'OPEN' then outcome
        when form_status = 'REVIEW' or rmd_first or simple_open or medicare_age or age_open then 'REVIEW'
        else 'COMPUTED'
    end as status,
    said([
        case when outcome <> 'OPEN' then obstacle end,
        case when outcome = 'OPEN' and form_status = 'REVIEW' then 'form_8606_review: the Form 8606 it rests on is under review' end,
        case when outcome = 'OPEN' and rmd_first then
            'rmd_first: the year''s required minimum distribution comes out first and can''t be moved or converted; it is not taken off here'
            end,
        case when outcome = 'OPEN' and age_open then
            'birth_date: the birth date is not stated; from the age of required minimum distributions these come out first' end,
        case when outcome = 'OPEN' and simple_open then
            'simple_first_contribution_date: ' || usd(simple_undated) || ' in a SIMPLE IRA of unstated age was left out; it can move '
            || 'two years after the first contribution' end,
        case when outcome = 'OPEN' and medicare_age then 'medicare: enrolment in Medicare ends the right to an HSA funding distribution' end,
    ]) as reasons,
    case when outcome = 'OPEN' then amount end as amount,
    case when outcome = 'OPEN' then then_converted end as conversion,
    taxable_now,
    taxable_then,
    room_left,
    room_adds,
    case when marginal_tax_rate is not null then tax_or_income(taxable_then, marginal_tax_rate) end as tax_then,
    case when way = 'reverse_rollover' and outcome = 'OPEN' then accepting_plan end as plan_id,
    case when outcome = 'OPEN' and way <> 'accept' and way <> 'wait' then year_end end as deadline,
    rests_on,
from counted
