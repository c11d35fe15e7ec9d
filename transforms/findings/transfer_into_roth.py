"""A trustee transfer or rollover left a traditional IRA and reached a Roth IRA: a conversion that nobody calls one.

The dollars are what left the traditional side. Guard: both legs must be in the book and pair; one leg is `leg_unpaired`.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="transfer_into_roth",
    authority="IRC 408A(d)(3)(C): what goes from a traditional IRA to a Roth IRA is converted",
    topics=("moved", "conversion_in"),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        p.person_id, p.out_event_id as subject, p.tax_year,
        p.counted_amount as amount, 'amount moved to Roth' as amount_is,
        'high' as severity, null::date as deadline,
        usd(p.counted_amount) || ' moved from a traditional to a Roth IRA as a ' || replace(p.out_type, '_out', '') as title,
        'It left ' || shown_account(p.out_account_key) || ' on ' || long_date(p.left_on) || ' [' || p.out_file || ':' || p.out_line
            || '] and reached ' || shown_account(p.in_account_key) || ' on ' || long_date(p.arrived_on) || ' [' || p.in_file || ':'
            || p.in_line || ']; Form 8606 is UNKNOWN until the rows say what it was.' as explanation,
        'Ask whether it was a conversion. If so, operations corrects the kind of both rows in a corrections file; if an account is of '
            || 'another kind than the book says, that of the account.' as action,
    from event_pairs as p
    where p.kind = 'conversion_in_fact' and p.tax_year in (select tax_year from year_limits)
    """,
)
