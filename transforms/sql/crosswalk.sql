-- One row per account with an approved link valid on the as-of date (account_links, or a suggestion approved in
-- _links.xlsx): whose it is. Several persons for one account are a conflict, and then nobody is chosen.
with
links as (
    select
        coalesce(refs.account_key, l.custodian || ':' || l.account_number) as account_key,
        l.person_id, l.approved_on, l.source_file, l.source_line,
    from account_links as l
    left join account_refs as refs
        on refs.custodian is not distinct from l.custodian and refs.account_number = l.account_number
    cross join run
    where coalesce(l.valid_from <= run.as_of, true) and coalesce(l.valid_to >= run.as_of, true)
    union all
    select
        a.account_key, coalesce(m.survivor_id, p.person_id) as person_id, d.decided_on as approved_on,
        d.source_file, d.source_line,
    from decided_links as d
    inner join (
        select distinct
            coalesce(account_key, coalesce(custodian, '?') || ':' || account_number) as account_key,
            link_half('account', coalesce(custodian, '?') || ':' || account_number) as half,
        from account_refs
        -- hashes are made only if there is an answer to look up by them
        where (select count(*) from decided_links where kind = 'A' and decision = 'approve') > 0
    ) as a on a.half = d.one
    inner join person_records as p on link_half('person', p.person_id) = d.two
    left join merged_persons as m on m.person_id = p.person_id
    where d.kind = 'A' and d.decision = 'approve'
)
select
    account_key,
    list_sort(list(distinct person_id)) as person_ids,
    case when count(distinct person_id) = 1 then min(person_id) end as person_id,
    bool_and(person_id in (select person_id from persons)) as all_in_book,
    max(approved_on) as approved_on,
    arg_max(source_file, (approved_on, source_file, source_line)) as source_file,
    arg_max(source_line, (approved_on, source_file, source_line)) as source_line,
from links
group by account_key
