"""One leg of a Roth conversion is missing: money left as a conversion and is not seen arriving, or the reverse.

The dollars are the difference. Guard: a leg alone is told only after 10 days, since the other custodian's night may differ; what was withheld
and put into the Roth IRA from other money isn't a missing leg.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="conversion_leg_missing",
    authority="IRC 408A(d)(3); Form 8606 line 8",
    topics=("conversion", "conversion_in"),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        w.person_id, '' as subject, w.tax_year,
        abs(w.converted - w.converted_in) as amount, 'amount without its other leg' as amount_is,
        case when w.converted_in > w.converted then 'high' else 'medium' end as severity,
        null::date as deadline,
        usd(abs(w.converted - w.converted_in)) || ' of a Roth conversion has only one leg' as title,
        usd(w.converted) || ' left traditional IRAs as conversions and ' || usd(w.converted_in)
            || ' arrived in Roth IRAs as conversions in ' || w.tax_year || '.' as explanation,
        case when w.converted_in > w.converted then 'Find the traditional IRA it left; it belongs in the pool.'
            else 'Find the Roth IRA it went to; if there is none it was a distribution.' end as action,
    from ira_flows as w
    cross join run
    where (w.converted_in > w.converted + 1 and run.as_of > w.last_conversion_in_on + interval 10 day
            and not (w.converted > 0 and w.converted_in - w.converted <= w.withholding))
        or (w.converted > w.converted_in + 1 and run.as_of > w.last_conversion_on + interval 10 day)
    """,
)
