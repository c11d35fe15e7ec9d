-- The findings in the order people should look at them: by severity, then dollars, then deadline.
select
    *,
    row_number() over (
        order by
            status = 'resolved',
            list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
            amount desc nulls last,
            deadline nulls last,
            finding_id
    ) as rank,
from judged_findings
