-- One row per account (or person, where account_key is null), tax year and box of Form 5498 or 1099-R that the form or the
-- book has something for: both amounts and whether they agree. The book's side is its own events and balances, never the
-- form. `book_amount` is null, not nought, where the book has no transactions of the account around that year.
-- The type box of Form 5498 is compared as text. A form that isn't here is told only once it is due and others of its
-- custodian, kind and year have come. Forms of one account, year (and code) from several sources count once, newest first.
with
f5498 as (
    select
        coalesce(refs.account_key, coalesce(f.custodian, '?') || ':' || f.account_number) as account_key,
        f.* exclude (custodian, account_number),
    from form_5498 as f
    inner join year_limits as y using (tax_year)
    left join account_refs as refs
        on refs.custodian is not distinct from f.custodian and refs.account_number = f.account_number
    qualify row_number() over (
        partition by coalesce(refs.account_key, coalesce(f.custodian, '?') || ':' || f.account_number), f.tax_year
        order by f.received_at desc, coalesce(f.corrected, false) desc, f.source_file, f.source_line) = 1
),
f1099r as (
    select
        coalesce(refs.account_key, coalesce(f.custodian, '?') || ':' || f.account_number) as account_key,
        f.* exclude (custodian, account_number),
    from form_1099r as f
    inner join year_limits as y using (tax_year)
    left join account_refs as refs
        on refs.custodian is not distinct from f.custodian and refs.account_number = f.account_number
    qualify row_number() over (
        partition by coalesce(refs.account_key, coalesce(f.custodian, '?') || ':' || f.account_number), f.tax_year,
            f.box_7_codes
        order by f.received_at desc, coalesce(f.corrected, false) desc, f.source_file, f.source_line) = 1
),
boxes as (
    select box, what, tolerance,
    from (values
        ('1', 'IRA contributions for the year', 0), ('2', 'rollovers in', 1), ('3', 'Roth conversions in', 1),
        ('4', 'recharacterizations in', 1), ('8', 'SEP contributions in the year', 0),
        ('9', 'SIMPLE contributions in the year', 0), ('10', 'Roth contributions for the year', 0)
    ) as b (box, what, tolerance)
),
form_flows as (
    select
        '5498' as form, b.box, b.what, b.tolerance, f.account_key, f.tax_year,
        case b.box
            when '1' then f.box_1_ira_contributions when '2' then f.box_2_rollover_contributions
            when '3' then f.box_3_roth_conversion when '4' then f.box_4_recharacterized when '8' then f.box_8_sep
            when '9' then f.box_9_simple when '10' then f.box_10_roth end as form_amount,
        f.source_file, f.source_line,
    from f5498 as f
    cross join boxes as b
    union all
    select
        '1099-R' as form, b.box, b.what, 1 as tolerance, f.account_key, f.tax_year,
        case when count(b.amount) = count(*) then sum(b.amount) end as form_amount,
        min(f.source_file) as source_file, arg_min(f.source_line, (f.source_file, f.source_line)) as source_line,
    from f1099r as f
    cross join lateral (values
        ('1', 'gross, withholding included', f.box_1_gross),
        ('1 N/R', 'recharacterized', case when regexp_matches(f.box_7_codes, '[NR]') then f.box_1_gross else 0 end),
        ('4', 'federal tax withheld', f.box_4_federal_withheld)
    ) as b (box, what, amount)
    group by all
),
-- events by the box a custodian reports them in; boxes 1 and 10 go by the year they are for, all others by the calendar
book_events as (
    select
        e.account_key, e.event_id, '5498' as form, e.amount,
        case
            when e.transaction_type = 'contribution' and e.account_type in ('simple_ira', 'roth_simple_ira') then '9'
            when e.transaction_type = 'contribution' and is_roth_kind(e.account_type) then '10'
            when e.transaction_type = 'contribution' then '1'
            when e.transaction_type = 'employer_contribution' and e.account_type in ('simple_ira', 'roth_simple_ira') then '9'
            when e.transaction_type = 'employer_contribution' then '8'
            when e.transaction_type = 'roth_conversion_in' or pair.out_type = 'roth_conversion_out' then '3'
            when e.transaction_type in ('rollover_in', 'plan_rollover_in', 'after_tax_rollover_in') then '2'
            when e.transaction_type = 'recharacterization_in' then '4'
        end as box,
        case when box in ('1', '10') then e.contribution_year else e.event_year end as tax_year,
    from tax_events as e
    left join event_pairs as pair on pair.in_event_id = e.event_id
    where flow_sign(e.transaction_type) = 1
        and e.account_type not in ('401k', 'roth_401k', '403b', '457b', '401a', 'tsp', 'hsa', '529', 'taxable', 'trust')
    union all by name
    select e.account_key, e.event_id, '1099-R' as form, e.amount, '1' as box, e.event_year as tax_year
    from tax_events as e
    where flow_sign(e.transaction_type) = -1
        and e.transaction_type not in ('trustee_transfer_out', 'divorce_transfer_out')
        and e.account_type not in ('taxable', 'trust', 'hsa', '529')
    union all by name
    select e.account_key, e.event_id, '1099-R' as form, e.amount, '1 N/R' as box, e.event_year as tax_year
    from tax_events as e
    where e.transaction_type = 'recharacterization_out'
    union all by name
    -- box 4 is federal; a row that says it is a state's is left out
    select e.account_key, e.event_id, '1099-R' as form, e.amount, '4' as box, e.event_year as tax_year
    from tax_events as e
    inner join kept_transactions as t on t.custodian || ':' || t.account_number || ':' || t.transaction_id = e.event_id
    where e.transaction_type = 'withholding'
        and coalesce(t.custodian_code, '') || ' ' || coalesce(t.description, '') not ilike '%state%'
),
book_flows as (
    select form, box, account_key, tax_year, sum(amount) as book_amount
    from book_events
    where box is not null and tax_year in (select tax_year from year_limits)
    group by all
),
-- accounts whose transactions the book has around a year: there, no event means none happened
covered as (
    select distinct coalesce(refs.account_key, t.custodian || ':' || t.account_number) as account_key, y.tax_year
    from account_years as t
    inner join year_limits as y on t.trade_year in (y.tax_year, y.tax_year + 1)
    left join account_refs as refs
        on refs.custodian is not distinct from t.custodian and refs.account_number = t.account_number
),
flows as (
    select
        coalesce(f.form, b.form) as form, coalesce(f.box, b.box) as box,
        coalesce(f.what, names.what, case b.box when '1' then 'gross, withholding included' when '4' then 'federal tax withheld'
            else 'recharacterized' end) as what,
        coalesce(f.tolerance, names.tolerance, 1) as tolerance,
        coalesce(f.account_key, b.account_key) as account_key, coalesce(f.tax_year, b.tax_year) as tax_year,
        f.form_amount, b.book_amount, f.source_file, f.source_line,
    from form_flows as f
    full join book_flows as b
        on b.form = f.form and b.box = f.box and b.account_key = f.account_key and b.tax_year = f.tax_year
    left join boxes as names on b.form = '5498' and names.box = b.box
    where coalesce(f.form_amount, 0) <> 0 or coalesce(b.book_amount, 0) <> 0
),
december_31 as (
    select
        coalesce(refs.account_key, coalesce(b.custodian, '?') || ':' || b.account_number) as account_key,
        y.tax_year,
        max(b.market_value) as market_value,
    from balances as b
    inner join year_limits as y on b.as_of = y.year_end
    left join account_refs as refs
        on refs.custodian is not distinct from b.custodian and refs.account_number = b.account_number
    where coalesce(b.coverage, 'full') = 'full'
    group by all
),
values_of_box_5 as (
    select
        '5498' as form, '5' as box, 'fair market value on December 31' as what, f.account_key, f.tax_year,
        larger(25, mul_div(larger(f.box_5_fair_market_value, 0), 5, 1000)) as tolerance,
        f.box_5_fair_market_value as form_amount, d.market_value as book_amount, f.source_file, f.source_line,
    from f5498 as f
    left join december_31 as d using (account_key, tax_year)
    where f.box_5_fair_market_value is not null
),
types as (
    select
        '5498' as form, '7' as box, 'kind of IRA' as what, f.account_key, f.tax_year,
        -- the firm's own files write it in words
        case
            when f.box_7_type ilike '%roth%' then 'roth' when f.box_7_type ilike '%sep%' then 'sep'
            when f.box_7_type ilike '%simple%' then 'simple'
            when f.box_7_type ilike '%ira%' or f.box_7_type ilike '%trad%' then 'ira' end as form_says,
        a.account_type as book_says,
        case
            when a.account_type is null or a.account_type = 'other' then 'book_missing'
            when form_says is null then 'not_comparable'
            when form_says = case
                    when is_traditional_kind(a.account_type) and a.account_type not in ('sep_ira', 'simple_ira')
                        or a.account_type = 'inherited_traditional_ira' then 'ira'
                    when a.account_type = 'sep_ira' then 'sep'
                    when a.account_type = 'simple_ira' then 'simple'
                    when is_roth_kind(a.account_type) or a.account_type = 'inherited_roth_ira' then 'roth' end
                -- a SEP IRA without SEP money that year has the IRA box; a Roth SEP or SIMPLE may have either box
                or (a.account_type = 'sep_ira' and form_says = 'ira')
                or (a.account_type = 'roth_sep_ira' and form_says = 'sep')
                or (a.account_type = 'roth_simple_ira' and form_says = 'simple') then 'agrees'
            else 'differs'
        end as state,
        f.source_file, f.source_line,
    from f5498 as f
    left join known_accounts as a using (account_key)
    where f.box_7_type is not null
    union all by name
    -- the box is ticked for traditional kinds only; it isn't on every recharacterization
    select
        '1099-R' as form, '7 IRA' as box, 'IRA/SEP/SIMPLE box' as what, f.account_key, f.tax_year,
        case when f.box_7_ira then 'ticked' else 'not ticked' end as form_says, a.account_type as book_says,
        case
            when a.account_type is null or a.account_type = 'other' then 'book_missing'
            when f.box_7_ira = (is_traditional_kind(a.account_type) or a.account_type = 'inherited_traditional_ira')
                then 'agrees'
            else 'differs'
        end as state,
        f.source_file, f.source_line,
    from f1099r as f
    left join known_accounts as a using (account_key)
    where f.box_7_ira is not null and not regexp_matches(f.box_7_codes, '[NR]')
    qualify row_number() over (
        partition by f.account_key, f.tax_year order by state = 'agrees', f.source_file, f.source_line) = 1
),
have_form as (
    select distinct '5498' as form, account_key, tax_year from f5498
    union
    select distinct '1099-R' as form, account_key, tax_year from f1099r
),
amounts as (
    select
        v.form, v.box, v.what, v.account_key, v.tax_year, v.tolerance, v.form_amount, v.source_file, v.source_line,
        case
            when v.book_amount is not null or v.box = '5' then v.book_amount
            when c.account_key is not null then 0
        end as book_amount,
        h.account_key is not null as form_is_here,
    from (select * from flows union all by name select * from values_of_box_5) as v
    left join covered as c on c.account_key = v.account_key and c.tax_year = v.tax_year
    left join have_form as h on h.form = v.form and h.account_key = v.account_key and h.tax_year = v.tax_year
    where h.account_key is not null
        or ((select as_of from run) > make_date(v.tax_year + 1, case when v.form = '5498' then 5 else 1 end, 31)
            and (v.form, split_part(v.account_key, ':', 1), v.tax_year) in (select (form, custodian, tax_year) from custodians_with_forms)
            and v.book_amount >= 10)
),
by_person as (
    select
        '5498' as form, '3' as box, 'Roth conversions in, all accounts' as what, a.person_id, v.tax_year, 1 as tolerance,
        sum(v.form_amount) as form_amount, sum(v.book_amount) as book_amount,
        min(v.source_file) as source_file, arg_min(v.source_line, (v.source_file, v.source_line)) as source_line,
        true as form_is_here,
    from amounts as v
    inner join known_accounts as a on a.account_key = v.account_key
    where v.form = '5498' and v.box = '3' and a.person_id is not null
    group by a.person_id, v.tax_year
    having count(v.form_amount) > 0
    union all by name
    -- what was rolled over of after-tax plan money; straight to a Roth IRA it needs no event of its own
    select
        '1099-R' as form, '5 G/H' as box, 'after-tax basis in direct rollovers, all accounts' as what, f.person_id,
        f.tax_year, 1 as tolerance, f.form_amount, b.book_amount, f.source_file, f.source_line, true as form_is_here,
    from (
        select
            coalesce(a.person_id, p.person_id) as person_id, r.tax_year, sum(r.box_5_basis) as form_amount,
            min(r.source_file) as source_file, arg_min(r.source_line, (r.source_file, r.source_line)) as source_line,
        from f1099r as r
        left join known_accounts as a using (account_key)
        left join persons as p on p.tax_id = r.owner_tax_id
        where regexp_matches(r.box_7_codes, '[GH]') and r.box_5_basis > 0
        group by all
    ) as f
    left join (
        select person_id, event_year as tax_year, sum(amount) as book_amount
        from tax_events
        where transaction_type = 'after_tax_rollover_in'
        group by all
    ) as b using (person_id, tax_year)
    where f.person_id is not null
),
owners as (
    select account_key, tax_year, max(owner_tax_id) as owner_tax_id
    from (select account_key, tax_year, owner_tax_id from f5498
          union all select account_key, tax_year, owner_tax_id from f1099r)
    group by all
),
every as (
    select * from amounts
    union all by name
    select * from by_person
    union all by name
    select *, true as form_is_here from types
)
select
    coalesce(e.person_id, a.person_id, p.person_id) as person_id,
    split_part(e.account_key, ':', 1) as custodian,
    e.account_key,
    e.tax_year,
    e.form,
    e.box,
    e.what,
    e.form_amount,
    e.book_amount,
    e.form_amount - e.book_amount as difference,
    e.tolerance::decimal(18, 2) as tolerance,
    e.form_says,
    e.book_says,
    case
        when e.account_key is not null and a.account_key is null then 'book_missing'
        when e.state is not null then e.state
        when e.form_amount is null then 'form_missing'
        when e.book_amount is null then 'book_missing'
        when abs(e.form_amount - e.book_amount) <= e.tolerance then 'agrees'
        -- without a word about the state in it a withholding row may be a state's: more than box 4 proves nothing
        when e.form = '1099-R' and e.box = '4' and e.book_amount > e.form_amount then 'not_comparable'
        else 'differs'
    end as state,
    e.form_is_here,
    a.account_key is not null as account_is_known,
    e.source_file,
    e.source_line,
from every as e
left join known_accounts as a on a.account_key = e.account_key
left join owners as o on o.account_key = e.account_key and o.tax_year = e.tax_year and a.account_key is null
left join persons as p on p.tax_id = o.owner_tax_id
