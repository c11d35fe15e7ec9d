"""A custodian row on a client's IRA whose code can mean several things (or isn't known): the client's result is UNKNOWN.

One row per account and amount, the dollars are the amount. Guard: silent once the firm states the event.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="ambiguous_transaction",
    authority="Form 8606 lines 1, 7 and 8 each mean another event",
    topics=("unclassified",),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        u.person_id, u.account_key || ':' || u.trade_date || ':' || u.amount as subject, u.event_year as tax_year,
        sum(u.amount) as amount, 'amount moved' as amount_is,
        'high' as severity, null::date as deadline,
        usd(sum(u.amount)) || ' in ' || shown_account(u.account_key) || ' needs a meaning' as title,
        count(*) || ' row' || case when count(*) = 1 then '' else 's' end || ' of ' || usd(u.amount) || ' on '
            || long_date(u.trade_date) || ' [' || min(u.source_file || ':' || u.source_line)
            || '] may be a contribution, a conversion, a rollover or nothing; Form 8606 is UNKNOWN until it is stated.'
            as explanation,
        'Find out what it was: a contribution, a conversion, a rollover, a distribution or nothing. Operations states it (_set_aside.xlsx '
            || 'or a transactions file; same account, date and amount).' as action,
    from unclassified_events as u
    where u.person_id is not null and u.event_year in (select tax_year from year_limits)
    group by u.person_id, u.account_key, u.trade_date, u.amount, u.event_year
    """,
)
