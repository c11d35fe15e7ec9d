-- One row per pair of legs of one move of money between two accounts of a person (conversion, rollover, transfer, plan
-- rollover, recharacterization), or per leg whose other leg isn't in the book. Legs pair across custodians, files and nights:
-- in leg by in leg, earliest first, with the open out leg that fits best (same kind of move, equal amount before amount net
-- of withholding, named by account number, earliest). The amount counted is the out side's, without what was withheld.
with recursive
plan_people as (
    select distinct person_id
    from standing_events
    where account_type in ('401k', 'roth_401k', '403b', '457b', '401a', 'tsp')
),
moves as (
    select
        e.*,
        e.account_type in ('401k', 'roth_401k', '403b', '457b', '401a', 'tsp') as on_plan,
        flow_sign(e.transaction_type) = -1 as is_out,
    from standing_events as e
    where e.person_id is not null
        and coalesce(e.account_type, 'other') not in ('hsa', '529', 'taxable', 'trust', 'annuity_nonqualified')
        and e.transaction_type in (
            'roth_conversion_out', 'roth_conversion_in', 'rollover_out', 'rollover_in', 'trustee_transfer_out',
            'trustee_transfer_in', 'plan_rollover_out', 'plan_rollover_in', 'after_tax_rollover_in',
            'recharacterization_out', 'recharacterization_in')
),
-- what may have been withheld from an out leg: one row of its account within 5 days, or all of that day or of those days
withheld as (
    select
        m.event_id,
        list_distinct(list(w.amount) || [sum(w.amount) filter (w.trade_date = m.trade_date), sum(w.amount)]) as amounts,
    from moves as m
    inner join standing_events as w
        on w.account_key = m.account_key
        and w.transaction_type = 'withholding'
        and w.trade_date between m.trade_date and m.trade_date + interval 5 day
    where m.is_out and m.transaction_type in ('roth_conversion_out', 'rollover_out')
    group by m.event_id
),
counters as (
    select m.event_id, min(a.account_key) as counter_key
    from moves as m
    inner join known_accounts as a
        on a.person_id = m.person_id
        and (split_part(a.account_key, ':', 2) = m.counter_account_number
             or (m.counter_account_number like '*%'
                 and ends_with(split_part(a.account_key, ':', 2), ltrim(m.counter_account_number, '*'))))
    group by m.event_id
    having count(*) = 1
),
legs as (
    select
        m.event_id, m.person_id, m.account_key, m.account_type, m.transaction_type, m.trade_date, m.amount, m.is_out,
        case
            when starts_with(m.transaction_type, 'recharacterization') then 'recharacterization'
            when m.on_plan or m.transaction_type in ('plan_rollover_out', 'plan_rollover_in', 'after_tax_rollover_in')
                then case when m.is_out = m.on_plan then 'from plan' else 'to plan' end
            else 'between IRAs'
        end as family,
        split_part(m.transaction_type, '_', 1) as word,
        c.counter_key,
        coalesce(list_filter(list_transform(w.amounts, lambda x: m.amount - x), lambda x: x > 0), []) as nets,
    from moves as m
    left join withheld as w on w.event_id = m.event_id
    left join counters as c on c.event_id = m.event_id
),
ordered as (
    select
        *,
        -- two custodians may book one move up to 5 days apart, the receiving one first
        row_number() over (
            partition by person_id, family
            order by case when is_out then trade_date else trade_date + interval 5 day end, not is_out, counter_key is null,
                event_id
        ) as n,
        {
            event_id: event_id, account_key: account_key, traditional: coalesce(is_traditional_kind(account_type), false),
            word: word, trade_date: trade_date, amount: amount, counter_key: counter_key, nets: nets
        } as leg,
    from legs
),
walk as (
    select
        person_id, family, n,
        case when is_out then [leg] else [] end as open,
        null::varchar as in_event,
        null::varchar as out_event,
    from ordered
    where n = 1
    union all
    select
        w.person_id, w.family, l.n,
        case
            when l.is_out then list_append(w.open, l.leg)
            else list_filter(w.open, lambda o: o.event_id is distinct from chosen.event_id)
        end as open,
        case when chosen is not null then l.event_id end as in_event,
        chosen.event_id as out_event,
    from walk as w
    inner join ordered as l on l.person_id = w.person_id and l.family = w.family and l.n = w.n + 1
    cross join lateral (
        select list_min(list_transform(
            list_filter(
                w.open,
                lambda o: not l.is_out
                    and l.trade_date between o.trade_date - interval 5 day and o.trade_date + interval 60 day
                    and (l.amount = o.amount or list_contains(o.nets, l.amount))
                    and (l.account_key <> o.account_key or o.word in ('rollover', 'trustee'))
                    and coalesce(l.counter_key = o.account_key, true)
                    and coalesce(o.counter_key = l.account_key, true)
                    -- a conversion on one side only: the other side must be the kind of IRA a conversion leaves or reaches
                    and (l.family <> 'between IRAs' or case
                        when o.word = l.word then true
                        when o.word = 'roth' then coalesce(is_roth_kind(l.account_type), false)
                        when l.word = 'roth' then o.traditional
                        else true
                    end)
            ),
            lambda o: {
                score: case when l.family <> 'between IRAs' or o.word = l.word then 0
                    when 'roth' in (o.word, l.word) then 4 else 8 end
                    + case when l.amount = o.amount then 0 else 2 end
                    + case when l.counter_key = o.account_key or o.counter_key = l.account_key then 0 else 1 end,
                trade_date: o.trade_date,
                event_id: o.event_id
            }
        )) as chosen
    ) as best
),
paired as (
    select in_event, out_event from walk where in_event is not null
),
alone as (
    select p.out_event, p.in_event from paired as p
    union all
    select event_id, null from legs where is_out and event_id not in (select out_event from paired)
    union all
    select null, event_id from legs where not is_out and event_id not in (select in_event from paired)
),
joined as (
    select
        coalesce(o.person_id, i.person_id) as person_id,
        o.event_id as out_event_id, i.event_id as in_event_id,
        o.account_key as out_account_key, o.account_type as out_account_type, o.transaction_type as out_type,
        o.trade_date as left_on, o.amount as out_amount, o.source_file as out_file, o.source_line as out_line,
        i.account_key as in_account_key, i.account_type as in_account_type, i.transaction_type as in_type,
        i.trade_date as arrived_on, i.amount as in_amount, i.source_file as in_file, i.source_line as in_line,
        lo.family is not distinct from 'between IRAs' or li.family is not distinct from 'between IRAs' as between_iras,
        coalesce(lo.family, li.family) as family,
        lo.counter_key = i.account_key or li.counter_key = o.account_key as named,
        coalesce(o.counter_account_number, i.counter_account_number) is not null
            and lo.counter_key is null and li.counter_key is null as names_unknown_account,
        i.event_id is not null and o.event_id is not null as is_paired,
        coalesce(o.trade_date, i.trade_date) as first_seen_on,
        (select as_of from run) as as_of,
    from alone as a
    left join moves as o on o.event_id = a.out_event
    left join moves as i on i.event_id = a.in_event
    left join legs as lo on lo.event_id = a.out_event
    left join legs as li on li.event_id = a.in_event
),
judged as (
    select
        j.*,
        case
            when family = 'recharacterization' then 'recharacterization'
            when not between_iras then 'plan_rollover'
            when is_paired and out_type <> 'roth_conversion_out' and is_traditional_kind(out_account_type)
                and (is_roth_kind(in_account_type) or in_type = 'roth_conversion_in') then 'conversion_in_fact'
            when 'roth_conversion_out' = out_type or 'roth_conversion_in' = in_type then 'roth_conversion'
            when coalesce(out_type, in_type) in ('rollover_out', 'rollover_in') then 'rollover'
            else 'trustee_transfer'
        end as kind,
        -- equal to the cent before net of what was withheld: then the out row was gross
        case when is_paired then out_amount - in_amount else 0 end as withheld,
        -- firms rarely load the plan's side; and where the firm says that not all IRAs are here, the other one may be elsewhere
        case when not between_iras and family <> 'recharacterization' then j.person_id not in (select person_id from plan_people)
            else coalesce(all_iras_reported is false, false) end as may_be_outside,
    from joined as j
    left join tax_profiles as tp on tp.person_id = j.person_id and tp.tax_year = year(j.first_seen_on)
)
select
    person_id,
    year(first_seen_on) as tax_year,
    kind,
    case
        when is_paired then 'paired'
        when may_be_outside then 'outside_book'
        when date_diff('day', first_seen_on, as_of) < 10 then 'waiting'
        else 'unpaired'
    end as state,
    out_account_key, left_on, out_amount, withheld, in_account_key, arrived_on, in_amount,
    out_amount - withheld as counted_amount,
    case
        when not is_paired then null
        when named and withheld <> 0 then 'counter account named, amount net of withholding'
        when named then 'counter account named'
        when withheld <> 0 then 'amount net of withholding'
        else 'same amount'
    end as how_paired,
    case when is_paired then date_diff('day', left_on, arrived_on) else date_diff('day', first_seen_on, as_of) end as days_open,
    case when kind = 'rollover' and not is_paired then (left_on + interval 60 day)::date end as deadline,
    names_unknown_account,
    out_type, in_type, out_account_type, in_account_type, out_event_id, in_event_id, out_file, out_line, in_file, in_line,
from judged
