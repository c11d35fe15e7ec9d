-- The place of every finding among those people should look at first: by severity, then dollars, then deadline. Only what
-- finds it again: its words and evidence are sorted by nobody.
select
    finding_id, rule, subject, person_id, tax_year, status,
    row_number() over (
        order by
            status = 'resolved',
            list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
            amount desc nulls last,
            deadline nulls last,
            finding_id
    ) as rank,
from judged_findings
