"""A Form 5498 or 1099-R says otherwise than the book: an amount, the kind of account, or an account the book doesn't have.

One row per account, year and thing to mend (`subject` = account|5498, account|1099-R, account|kind or account|absent): boxes of
one form that differ are one errand. The dollars are the largest difference; of a wrong kind the account's value; of an absent
account box 5, or the largest box. Guard: within the tolerance of each box (cents for contributions, $1, for box 5 0.5% or $25);
corrected forms replace; a form that isn't due yet, or that its custodian sent nobody, isn't told; nor are withholding rows that
may be a state's, plan accounts without transactions, or a value the book lacks (it is taken from box 5). A SEP IRA may have the IRA
box, a Roth SEP or SIMPLE IRA either.
"""

from transforms.findings import Finding

FINDING = Finding(
    rule="tax_form_mismatch",
    authority="Form 5498 boxes 1-5 and 7-10; Form 1099-R boxes 1, 4 and 7; Form 8606 lines 1, 6, 7 and 8; IRC 408(d)(2)",
    topics=("account",),
    sql="""
    with of_form as (
        select
            r.*,
            ' [' || r.source_file || ':' || r.source_line || ']' as place,
            case when r.form = '5498' then r.box <> '5'
                else is_ira_or_unknown((select account_type from known_accounts as k where k.account_key = r.account_key)) end
                as book_should_have_it,
        from reconciliation as r
        where r.account_key is not null
    ),
    boxes as (
        select
            *,
            coalesce(abs(difference), form_amount, book_amount) as dollars,
            'box ' || box || ' (' || what || '): ' || case state
                when 'form_missing' then 'the book has ' || usd(book_amount) || ' and no form has come'
                when 'book_missing' then 'the form says ' || usd(form_amount) || ' and the book has no '
                    || 'transactions of this account'
                else 'the form says ' || usd(form_amount) || ', the book ' || usd(book_amount)
            end as said,
        from of_form
        where person_id is not null and account_is_known and form_says is null
            and (state = 'differs' or (state = 'form_missing' and not form_is_here)
                or (state = 'book_missing' and form_amount > 0 and book_should_have_it))
    ),
    problems as (
        select
            person_id, account_key || '|' || form as subject, tax_year,
            max(dollars) as amount, 'difference' as amount_is,
            case when max(dollars) > 1000 then 'high' when max(dollars) > 100 then 'medium' else 'low' end as severity,
            'Form ' || form || ' for ' || tax_year || ' and the book differ on ' || shown_account(account_key) as title,
            string_agg(said, '; ' order by box) || coalesce(min(place), '') || '. The numbers used are the book''s'
                || case form when '5498' then ', but the December 31 value is box 5' else '' end || '.' as explanation,
            case when bool_or(state = 'form_missing') then 'Ask the custodian for the Form ' || form || ' of ' || tax_year || '.'
                else 'Find which side is wrong: load the missing transactions or a corrections file, or ask the custodian for a '
                    || 'corrected form.' end as action,
        from boxes
        group by person_id, account_key, tax_year, form
        union all
        select
            f.person_id, f.account_key || '|kind' as subject, f.tax_year,
            max(v.market_value) as amount, 'value' as amount_is,
            'high' as severity,
            shown_account(f.account_key) || ' is another kind of account on the custodian''s tax form' as title,
            string_agg('Form ' || f.form || ' for ' || f.tax_year || ' says ' || f.form_says || ' (' || f.what || '), the book '
                || replace(f.book_says, '_', ' ') || f.place, '; ' order by f.form) || '.' as explanation,
            'Find out which it is: operations corrects the kind of account, or asks the custodian for a corrected form.' as action,
        from of_form as f
        left join ira_aggregation as v
            on v.person_id = f.person_id and v.account_key = f.account_key and v.tax_year = f.tax_year
        where f.state = 'differs' and f.form_says is not null and f.person_id is not null
        group by f.person_id, f.account_key, f.tax_year
        union all
        select
            person_id, account_key || '|absent' as subject, tax_year,
            coalesce(max(form_amount) filter (box = '5'), max(form_amount)) as amount,
            case when bool_or(box = '5') then 'value' else 'amount on the form' end as amount_is,
            case when bool_or(form = '5498' and form_says is distinct from 'roth') then 'high' else 'medium' end as severity,
            'A tax form for ' || tax_year || ' is for an account that is not in the book' as title,
            'Form ' || string_agg(distinct form, ' and ' order by form) || ' for the account ending ' || right(split_part(account_key, ':', 2), 4)
                || min(place) || ' fits no account of the book, or several'
                || case when person_id is not null then '; its tax id is this client''s, whose Form 8606 may lack it' else '' end
                || '.' as explanation,
            'Ask whose account it is. Operations states it (custodian, number, kind, client) in an accounts file, and loads its balances.' as action,
        from of_form
        where not account_is_known
        group by person_id, account_key, tax_year
    )
    select
        p.person_id, p.subject, p.tax_year, p.amount, p.amount_is, p.severity,
        -- the return is due in April, and a Form 5498 may come after that: then the extended day
        case when run.as_of <= y.contribution_due_date then y.contribution_due_date
            when run.as_of <= y.extended_due_date then y.extended_due_date end as deadline,
        p.title, p.explanation, p.action,
    from problems as p
    inner join year_limits as y on y.tax_year = p.tax_year
    cross join run
    """,
)
