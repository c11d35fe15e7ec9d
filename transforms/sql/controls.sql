-- Files out of line with the deliveries before them. Nothing is set aside for it: somebody has to look.
-- row_count: the rows of a night's files of one profile and name (digits and months left out) are under half or over twice the
-- median of the five nights before that had such files, of which there must be three.
-- not_in_full_file: an account seen in earlier files of a profile that its newest full file doesn't list (a delta file says
-- nothing about accounts it leaves out; no file ever closes an account by leaving it out).
-- other_recipient: a file made for another recipient than every file of its profile before: perhaps another firm's.
with
named as (
    select
        *,
        regexp_replace(
            regexp_replace(lower(regexp_extract(file_name, '[^/]*$')), '[0-9]+', '#', 'g'),
            '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)([-_ ]?#)', '#\2', 'g') as pattern,
    from intake_files
    where state in ('accepted', 'partial') and received_at <= (select as_of from run)
        -- people answer as many questions as they can that day
        and coalesce(kind not in ('corrections', 'link_decisions', 'row_fixes', 'finding_marks'), true)
),
nights as (
    select profile, pattern, coverage, received_at, sum(rows) as rows,
    from named
    group by all
),
compared as (
    select
        *,
        median(rows) over five as usual,
        count(*) over five as nights,
        received_at = max(received_at) over (partition by profile, pattern, coverage) as newest,
    from nights
    window five as (partition by profile, pattern, coverage order by received_at rows between 5 preceding and 1 preceding)
),
odd as (
    select * from compared
    where nights >= 3 and (rows * 2 < usual or rows > usual * 2)
),
full_files as (
    select *, received_at = max(received_at) over (partition by profile) as newest,
    from named
    where coverage = 'full'
),
seen as (
    select profile, custodian, account_number, received_at from accounts
    union all
    select profile, custodian, account_number, received_at from balances
),
last_seen as (
    select profile, custodian, account_number, max(received_at) as received_at,
    from seen
    group by profile, custodian, account_number
),
recipients as (
    select *, min(received_at) over (partition by profile) as first_received_at,
    from named
    where made_for is not null
),
closed as (select custodian, account_number from accounts where closed_on is not null)
select
    'row_count' as control, n.file_name, n.sha256 as source_sha256, n.received_at, null::varchar as account_key,
    o.rows::bigint as found, round(o.usual, 1)::decimal(18, 1)::varchar as expected,
    'unusual number of rows: ' || o.rows || ' that night, ' || rtrim(rtrim(round(o.usual, 1)::decimal(18, 1)::varchar, '0'), '.')
        || ' is the median of the ' || o.nights || ' nights before; see that the file is whole' as message,
    o.newest,
from odd as o
inner join named as n
    on n.profile = o.profile and n.pattern = o.pattern and n.received_at = o.received_at and n.coverage is not distinct from o.coverage
union all
select
    'not_in_full_file', f.file_name, f.sha256, f.received_at,
    coalesce(refs.account_key, s.custodian || ':' || s.account_number), null, 'listed in a full file',
    'the full file does not list ' || shown_account(coalesce(refs.account_key, s.custodian || ':' || s.account_number))
        || ', which earlier files had: it stays in the book as it was last seen',
    f.newest,
from full_files as f
inner join last_seen as s on s.profile = f.profile and s.received_at < f.received_at
left join account_refs as refs on refs.custodian = s.custodian and refs.account_number = s.account_number
where f.newest
    and not exists (
        select 1 from closed as c where c.custodian = s.custodian and c.account_number = s.account_number
    )
    and not exists (
        select 1 from intake_rejects as r where r.source_sha256 = f.sha256 and r.account_number = s.account_number
    )
union all
select
    'other_recipient', f.file_name, f.sha256, f.received_at, null, null,
    'made for ' || (select string_agg(distinct b.made_for, ', ' order by b.made_for) from recipients as b
        where b.profile = f.profile and b.received_at < f.received_at),
    'made for another recipient than every file of this profile before it: see that it is not another firm''s',
    f.received_at = (select max(b.received_at) from recipients as b where b.profile = f.profile),
from recipients as f
where f.received_at > f.first_received_at
    and not exists (
        select 1 from recipients as b
        where b.profile = f.profile and b.received_at < f.received_at and b.made_for = f.made_for
    )
