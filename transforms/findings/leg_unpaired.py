"""A rollover, transfer, plan rollover or recharacterization of which only one leg is in the book, after 10 days.

The dollars are the leg's. A 60-day rollover has its 60th day as deadline. Guard: a leg of the last 10 days waits; one that may be
outside the book (the firm says not all IRAs are here; no plan account of the person is here) is not told. Roth
conversions have `conversion_leg_missing`.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="leg_unpaired",
    authority="IRC 408(d)(3); Form 8606 lines 6 and 7",
    topics=("moved", "plan_money_in"),
    sql="""
    with legs as (
        select
            p.*, run.as_of, p.left_on is not null as is_out,
            coalesce(p.out_account_key, p.in_account_key) as account_key,
            coalesce(p.out_amount, p.in_amount) as leg_amount,
            replace(p.kind, '_', ' ') as move,
            coalesce(p.out_file || ':' || p.out_line, p.in_file || ':' || p.in_line) as place,
        from event_pairs as p
        cross join run
        where p.state = 'unpaired' and p.kind <> 'roth_conversion' and p.tax_year in (select tax_year from year_limits)
    )
    select
        person_id, coalesce(out_event_id, in_event_id) as subject, tax_year,
        leg_amount as amount, 'amount without its other leg' as amount_is,
        case
            when kind = 'rollover' and is_out and as_of <= deadline then severity_of(leg_amount, deadline, as_of)
            when is_out and kind <> 'recharacterization' then 'high'
            when is_out then 'medium'
            else 'low'
        end as severity,
        deadline,
        usd(leg_amount) || ' of a ' || move || ' has only one leg' as title,
        usd(leg_amount) || case when is_out then ' left ' else ' reached ' end || shown_account(account_key) || ' as a ' || move
            || ' on ' || long_date(coalesce(left_on, arrived_on)) || ' [' || place || '], and after ' || days_open || ' days '
            || case when is_out then 'it is not seen arriving' else 'it is not seen leaving' end || ' in any account of this client'
            || case when names_unknown_account then '; the row names an account that is not in the book' else '' end || '.'
            as explanation,
        case
            when is_out and kind = 'rollover' and as_of <= deadline then
                'See that it is back in an IRA by ' || long_date(deadline) || '; after that it is a distribution (line 7).'
            when is_out and kind = 'rollover' then
                'Its 60 days are over: add the IRA that received it to the book, or correct the row to a distribution.'
            when is_out then 'Add the account that received it to the book; if nobody did, correct the row to a distribution.'
            else 'Add the account it came from to the book: if that IRA still holds money it belongs in the pool.'
        end as action,
    from legs
    """,
)
