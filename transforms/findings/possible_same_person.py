"""An account of nobody, or a second person record, is likely this client's and would add IRA money to their pro-rata pool.

The dollars are what line 18 would rise by where that can be worked out, else the value that would come in. Guard: only from the
declared probability on, and only where a traditional IRA with (possible) money would be added; a rejected link never comes back.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="possible_same_person",
    authority="IRC 408(d)(2): all IRAs of a person are one",
    topics=("account", "pool_value", "conversion"),
    sql="""
    select
        s.person_id, s.suggestion_id as subject, s.tax_year,
        coalesce(s.line_18_with - s.line_18, s.pool_value_added) as amount,
        case when s.line_18_with is not null then 'taxable income' else 'value' end as amount_is,
        case when s.line_18_with - s.line_18 > 1000 then 'high' else 'medium' end as severity,
        null::date as deadline,
        case when s.kind = 'account' then 'Account ' || shown_account(s.account_key) else 'Person ' || s.other_person_id end
            || ' may be this client''s' as title,
        'The probability is ' || cast(lesser(0.99, s.probability) as decimal(3, 2)) || ' (alike: ' || array_to_string(s.agrees, ', ')
            || '). ' || case when s.kind = 'account' then 'It' else 'The other record' end || ' holds '
            || coalesce(usd(s.pool_value_added), 'an unknown amount') || ' in traditional IRAs'
            || coalesce('; Form 8606 line 18 would be ' || usd(s.line_18_with) || ' instead of ' || usd(s.line_18), '') || '.'
            as explanation,
        'Answer suggestion ' || s.suggestion_id || ' in _links.xlsx (approve or reject) and drop the workbook into the inbox.' as action,
    from link_suggestions as s
    where s.needs_review
    """,
)
