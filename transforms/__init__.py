"""From files to findings, without Prefect, workbooks or the clock."""
