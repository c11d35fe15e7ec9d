-- One row per file of the book, and one per file delivered again in this run.
select * from intake_files
