-- One row per old account number: the number its account has now, chains followed. Numbers that go round in a circle, and
-- two old numbers that became one, are `unclear`: they are followed no further, and a finding tells them.
with recursive
stated as (
    select
        custodian, old_account_number, account_number, source_file, source_line,
        count(*) over (partition by custodian, account_number) > 1 as joined,
    from renumbered_accounts
    where old_account_number <> account_number
),
walked as (
    select
        custodian, old_account_number, account_number, [old_account_number, account_number] as numbers, joined as unclear,
        source_file, source_line,
    from stated
    union all
    select
        w.custodian, w.old_account_number, s.account_number, list_append(w.numbers, s.account_number) as numbers,
        s.joined or list_contains(w.numbers, s.account_number) as unclear,
        w.source_file, w.source_line,
    from walked as w
    inner join stated as s on s.custodian = w.custodian and s.old_account_number = w.account_number
    where not w.unclear
)
select custodian, old_account_number, account_number, numbers, unclear, source_file, source_line
from walked
qualify row_number() over (partition by custodian, old_account_number order by len(numbers) desc) = 1
