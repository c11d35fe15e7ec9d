"""What the findings that ask for missing facts share: the reasons of an UNKNOWN result as questions to people."""

from __future__ import annotations


def questions(rows: str) -> str:
    """A SELECT over the SQL table `rows` (person_id, tax_year, reasons): person_id, tax_year and `ask`, whom to ask what.

    `ask` begins with its year (`For 2026, ask the custodian: ...`), so that the same question about two years can be put once.
    """
    return f"""
        select
            r.person_id, r.tax_year,
            string_agg(regexp_replace(r.sentence, '([^.?!)])$', '\\1.'), ' ' order by r.place) as sentences,
            'For ' || r.tax_year || ', ' || lower(sentences[1]) || sentences[2:] as ask,
        from (
            select
                u.person_id, u.tax_year, u.place,
                -- what an instruction to the firm starts with; a person is asked, not instructed
                regexp_replace(substr(u.reason, strpos(u.reason, ': ') + 2), '; (state|correct|add) .*$', '') as missing,
                replace(coalesce(q.ask, 'Find out: {{missing}}'), '{{missing}}', missing) as sentence,
            from (
                select person_id, tax_year, unnest(reasons) as reason, generate_subscripts(reasons, 1) as place
                from {rows}
            ) as u
            left join reason_questions as q on q.code = split_part(u.reason, ': ', 1)
        ) as r
        group by r.person_id, r.tax_year
    """
