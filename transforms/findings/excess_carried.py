"""An excess IRA contribution is still there: 6% of it is owed for every year that ends with it.

One row per kind of IRA, the dollars are the 6% of the year. An excess of the year itself can be cured until the extended due date;
one carried from an earlier year stops costing only if it is out by December 31. Guard: not where limits or the December 31 value aren't known.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="excess_carried",
    authority="IRC 4973(a), (b), (f), 408(d)(4); Form 5329 lines 9-25",
    topics=("contribution", "tax_profile"),
    rests_on="excess_contributions",
    folds_into=("ira_contribution_excess", "roth_contribution_above_income", "contribution_above_compensation"),
    sql="""
    with judged as (
        select
            x.*, x.cumulative_excess - x.excess_of_year as carried,
            -- what this row says by itself, or every excess of the first year would say
            list_filter(x.reasons, lambda r: not (
                starts_with(r, 'curable') or starts_with(r, 'year_not_ended') or starts_with(r, 'earlier_years'))) as to_review,
        from excess_contributions as x
        where x.status in ('COMPUTED', 'REVIEW') and x.cumulative_excess > 0
    )
    select
        x.person_id, x.ira_kind as subject, x.tax_year,
        x.excise_tax as amount, 'tax' as amount_is,
        case when x.carried > 0 or run.as_of + interval 30 day >= py.extended_due_date then 'critical' else 'high' end as severity,
        case
            when x.carried > 0 and run.as_of <= py.year_end then py.year_end
            else coalesce(x.cure_by, filing_date(py.contribution_due_date, py.extended_due_date, run.as_of))
        end as deadline,
        '6% tax of ' || usd(x.excise_tax) || ' for ' || x.tax_year || ' on an excess of ' || usd(x.cumulative_excess) || ' in '
            || case x.ira_kind when 'roth' then 'Roth' else 'traditional' end || ' IRAs' as title,
        case
            when x.carried = 0 then usd(x.excess_of_year) || ' was contributed for ' || x.tax_year || ' above what was allowed'
            when x.excess_of_year = 0 then usd(x.carried) || ' above what was allowed is left from earlier years'
            else usd(x.carried) || ' above what was allowed is left from earlier years, and ' || usd(x.excess_of_year) || ' was added for '
                || x.tax_year
        end || '. The tax is 6% of the smaller of ' || usd(x.cumulative_excess) || ' and the December 31 value of those IRAs ('
            || case when run.as_of <= py.year_end then 'projected ' else '' end || usd(x.december_31_value) || '): ' || usd(x.excise_tax) || ', each year again.'
            || case when len(x.to_review) > 0 then ' To review: ' || in_words(x.to_review) || '.' else '' end as explanation,
        case
            when x.carried > 0 and run.as_of <= py.year_end then
                'Take ' || usd(x.carried) || ' out by ' || long_date(py.year_end) || ', or have it absorbed by unused room of ' || x.tax_year
                    || case when x.excess_of_year > 0 then '; withdraw or recharacterize the ' || usd(x.excess_of_year) || ' of the year '
                        || 'with its earnings by ' || long_date(py.extended_due_date) else '' end || '.'
            when x.cure_by is not null then
                'Withdraw ' || usd(x.excess_of_year) || ' with its earnings, or recharacterize it, by ' || long_date(x.cure_by)
                    || case when x.carried > 0 then '; file Form 5329 for the rest.' else ', and no tax is owed.' end
            else 'File Form 5329 with ' || usd(x.excise_tax) || ', and take the excess out before the next December 31.'
        end as action,
    from judged as x
    inner join person_years as py using (person_id, tax_year)
    cross join run
    """,
)
