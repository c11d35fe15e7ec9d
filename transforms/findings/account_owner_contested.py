"""A retirement account that two statements give to different persons, or to somebody who isn't in the book.

One row per account and person it may belong to (one without a person if nobody of the book is named). The dollars are the account's
last value. Guard: never for entity, minors' or inherited accounts by tax id alone, nor for plain brokerage accounts.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="account_owner_contested",
    authority="IRC 408(d)(2): all IRAs of a person are one",
    topics=("account",),
    folds_into=("pro_rata_unknown",),
    sql="""
    select
        c.person_id, c.account_key as subject, max(y.tax_year) as tax_year,
        any_value(v.market_value) as amount, 'value' as amount_is,
        case when c.makes = 'UNKNOWN' then 'high' else 'medium' end as severity,
        null::date as deadline,
        'It is contested whose account ' || shown_account(c.account_key) || ' is' as title,
        in_words([c.reason]) || '.' || case
            when c.makes = 'REVIEW' then ' It is counted for ' || c.counted_for || ' only.'
            when c.counted_for is null then ' It is counted for nobody, and the results it may belong in are UNKNOWN.'
            else ' It may be counted twice, so the results are UNKNOWN.' end as explanation,
        case c.why
            when 'two_links' then 'Find out whose it is. Operations ends the wrong link: states it again with its first day and a last one.'
            when 'link_to_nobody' then 'Operations adds the person to the persons file, or states the link again with the right client.'
            when 'renumbering_unclear' then 'Operations states each old number once, with the number it has now.'
            else 'Find out whose it is. Operations makes the statements agree: the accounts file, the tax id in the persons file, or a link.' end
            as action,
    from owner_conflicts as c
    cross join year_limits as y
    left join last_values as v on v.account_key = c.account_key
    group by c.person_id, c.account_key, c.makes, c.reason, c.counted_for, c.why
    """,
)
