-- One row per record that may be (part of) a person: every person, and every retirement account nobody owns. Names as plain
-- lower-case words: given first, family last, generation apart. A family name before a comma, or the last word, is the family.
with
raw as (
    select
        'person' as kind, p.person_id as record, p.given_name as given_text, p.family_name as family_text,
        p.birth_date, coalesce(g.tax_key, p.tax_id) as tax_key, p.household_id, p.advisor_id, p.person_id, p.spouse_person_id,
    from persons as p
    left join tax_id_groups as g on g.tax_id = p.tax_id
    union all by name
    select
        'account' as kind, a.account_key as record,
        case when has_comma then split_part(a.owner_name, ',', 2) else a.owner_name end as given_text,
        case when has_comma then split_part(a.owner_name, ',', 1) end as family_text,
        a.owner_birth_date as birth_date, t.tax_key, r.advisor_id,
    from (
        select
            *,
            contains(owner_name, ',')
                and len(list_filter(name_words(split_part(owner_name, ',', 2)), lambda w: not is_generation(w))) > 0 as has_comma,
        from known_accounts
        where person_id is null
            and account_type not in (
                'taxable', 'trust', '529', 'annuity_nonqualified', 'inherited_traditional_ira', 'inherited_roth_ira')
            and inherited_from is null
            and account_key not in (select account_key from owner_conflicts)
    ) as a
    left join (
        select account_key, min(tax_key) as tax_key from account_tax_ids group by account_key having count(*) = 1
    ) as t on t.account_key = a.account_key
    left join (
        select trim(unnest(string_split(rep_codes, ';'))) as rep_code, min(advisor_id) as advisor_id
        from advisors
        group by rep_code
        having count(distinct advisor_id) = 1
    ) as r on r.rep_code = a.rep_code
),
worded as (
    select
        *,
        list_filter(name_words(given_text), lambda w: not is_generation(w)) as given_words,
        list_filter(name_words(family_text), lambda w: not is_generation(w)) as family_words,
        list_filter(list_concat(name_words(family_text), name_words(given_text)), lambda w: is_generation(w)) as generation_words,
    from raw
)
select
    kind, record, link_half(kind, record) as half, birth_date, tax_key, household_id, advisor_id, person_id, spouse_person_id,
    nullif(case
        when kind = 'person' then array_to_string(given_words, ' ')
        when family_text is null and len(given_words) < 2 then ''
        else given_words[1]
    end, '') as given,
    nullif(case when family_text is null then given_words[-1] else array_to_string(family_words, ' ') end, '') as family,
    generation_words[1] as generation,
from worded
