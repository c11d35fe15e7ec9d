-- One row per person and tax year with pool (or possibly pool) accounts: the value of the pool for line 6.
select
    v.person_id,
    v.tax_year,
    count(*) filter (v.in_pool) as accounts_in_pool,
    count(*) filter (v.in_pool is null) as accounts_undecided,
    bool_and(v.december_31_value is not null) filter (v.in_pool) as all_december_31,
    bool_and(v.projected_value is not null) filter (v.in_pool) as all_projected,
    sum(v.december_31_value) filter (v.in_pool) as december_31_total,
    sum(v.projected_value) filter (v.in_pool) as projected_total,
    min(v.latest_as_of) filter (v.in_pool and v.projected_value > 0) as oldest_value_on,
    bool_or(v.in_pool and v.net_flow_since <> 0) as carried_forward,
    string_agg(shown_account(v.account_key) || ' (' || p.why || ')', '; ' order by v.account_key)
        filter (v.in_pool is null) as undecided_accounts,
    string_agg(shown_account(v.account_key), ', ' order by v.account_key)
        filter (v.in_pool and v.december_31_value is null) as lacking_december_31,
    string_agg(
        shown_account(v.account_key) || case when v.only_delta then ' (only a delta position file has arrived)' else '' end,
        ', ' order by v.account_key) filter (v.in_pool and v.projected_value is null) as lacking_any_value,
    bool_or(v.in_pool and coalesce(v.form_5498_differs, false)) as form_5498_differs,
    bool_or((a.type_conflict and (v.in_pool is not false)) or coalesce(form.other_kind, false)) as type_conflict,
from account_values as v
inner join pool_accounts as p on p.account_key = v.account_key and p.tax_year = v.tax_year
inner join known_accounts as a on a.account_key = v.account_key
-- Form 5498 says Roth of what the book has as traditional, or the reverse
left join (
    select
        account_key, tax_year,
        bool_or((form_says = 'roth') <> (is_roth_kind(book_says) or book_says = 'inherited_roth_ira')) as other_kind,
    from reconciliation
    where form = '5498' and box = '7' and state = 'differs'
    group by account_key, tax_year
) as form on form.account_key = v.account_key and form.tax_year = v.tax_year
group by v.person_id, v.tax_year
