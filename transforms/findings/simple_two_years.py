"""SIMPLE IRA money was converted, moved elsewhere or paid out inside the two years after the first contribution.

The dollars are the 25% tax, or what moved where the owner is over 59 1/2 or of unknown age (then there may be no such tax, but it is no
rollover). Guard: the first contribution's date must be stated; what went into another SIMPLE IRA, or whose other leg isn't known, doesn't count.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="simple_two_years",
    authority="IRC 72(t)(6), 408(d)(3)(G), 408A(e)(1); Reg. 1.408A-4 Q&A-4(b)",
    topics=("conversion", "moved", "distribution", "account"),
    sql="""
    with out_of_simple as (
        select
            e.person_id, e.account_key, e.event_year as tax_year, e.trade_date, e.amount,
            e.source_file || ':' || e.source_line as place,
            (a.simple_first_contribution_date + interval 2 year)::date as free_on,
            e.trade_date < py.birth_date + interval '59 years 6 months' as is_young,
            e.transaction_type in ('distribution', 'withholding') as is_paid_out,
        from tax_events as e
        inner join known_accounts as a on a.account_key = e.account_key and a.account_type = 'simple_ira'
        inner join person_years as py on py.person_id = e.person_id and py.tax_year = e.event_year
        left join event_pairs as p on p.out_event_id = e.event_id
        where e.trade_date < a.simple_first_contribution_date + interval 2 year
            and (e.transaction_type in ('roth_conversion_out', 'plan_rollover_out', 'distribution', 'withholding')
                or (e.transaction_type in ('rollover_out', 'trustee_transfer_out') and p.state = 'paired'
                    and p.in_account_type not in ('simple_ira', 'roth_simple_ira')))
    ),
    summed as (
        select
            person_id, account_key, tax_year, free_on, is_young,
            sum(amount) as amount, max(trade_date) as last_on, bool_and(is_paid_out) as only_paid_out,
            string_agg(place, ', ' order by trade_date, place) as places
        from out_of_simple
        group by all
    )
    select
        s.person_id, s.account_key as subject, s.tax_year,
        case when s.is_young then percent_of(s.amount, 25) else s.amount end as amount,
        case when s.is_young then 'tax' else 'distribution' end as amount_is,
        'critical' as severity,
        case when run.as_of <= s.last_on + interval 60 day then (s.last_on + interval 60 day)::date
            else filing_date(py.contribution_due_date, py.extended_due_date, run.as_of) end as deadline,
        usd(s.amount) || ' left a SIMPLE IRA inside its first two years' as title,
        usd(s.amount) || ' left ' || shown_account(s.account_key) || ' (last on ' || long_date(s.last_on) || ' [' || s.places
            || ']); until ' || long_date(s.free_on) || ' it may only go to another SIMPLE IRA. '
            || case
                when s.is_young then 'It is a distribution with a tax of 25% (up to ' || usd(percent_of(s.amount, 25))
                    || ') on top of the income tax'
                when s.is_young is null then 'It is a distribution, with a tax of 25% if the client was under 59 1/2 (birth date not stated)'
                else 'It is a distribution, not a rollover or conversion' end
            || case when s.only_paid_out then '.' else ', and what reached another IRA is an excess contribution there.' end as explanation,
        case when run.as_of <= s.last_on + interval 60 day then
            'Put it into a SIMPLE IRA by ' || long_date((s.last_on + interval 60 day)::date) || ', if the custodian can undo it.'
            else 'The 60 days are over: ask the CPA, take out what is an excess elsewhere by ' || long_date(py.extended_due_date) || '.' end
            || ' Not if the employer replaced the SIMPLE plan by a 401(k) and it went there; check the day of the first contribution first.'
            as action,
    from summed as s
    inner join person_years as py using (person_id, tax_year)
    cross join run
    where run.as_of <= py.extended_due_date and (s.is_young is distinct from false or not s.only_paid_out)
    """,
)
