-- One row per person and tax year with the facts of the return, the spouse's facts and the year's figures.
select
    p.person_id,
    p.household_id,
    p.advisor_id,
    y.tax_year,
    p.birth_date,
    age_at_year_end(p.birth_date, y.tax_year) as age,
    y.* exclude (tax_year),
    tp.person_id is not null as has_tax_profile,
    tp.filing_status,
    tp.agi,
    tp.roth_magi as stated_roth_magi,
    tp.deduction_magi as stated_deduction_magi,
    -- Pub 590-A worksheet 2-1; null unless every component is stated (blank is not known, never zero)
    tp.agi - tp.roth_conversion_income - tp.plan_to_roth_rollover_income + tp.ira_deduction + tp.student_loan_interest
        + tp.savings_bond_exclusion + tp.adoption_exclusion + tp.foreign_earned_income_exclusion
        + tp.foreign_housing as computed_roth_magi,
    -- Pub 590-A worksheet 1-1: the same add-backs, conversion income stays in
    tp.agi + tp.ira_deduction + tp.student_loan_interest + tp.savings_bond_exclusion + tp.adoption_exclusion
        + tp.foreign_earned_income_exclusion + tp.foreign_housing as computed_deduction_magi,
    tp.ira_deduction as stated_ira_deduction,
    tp.compensation,
    tp.active_participant,
    coalesce(tp.spouse_active_participant, sp.active_participant) as spouse_active_participant,
    tp.marginal_tax_rate,
    tp.hsa_coverage,
    tp.hsa_contributions,
    tp.qhfd_used,
    tp.all_iras_reported,
    tp.filing_status = 'mfj' as files_jointly,
    coalesce(p.spouse_person_id, named_by.spouse_person_id) as spouse_person_id,
    sp.compensation as spouse_compensation,
    tp.source_file as profile_file,
    tp.source_line as profile_line,
from persons as p
cross join year_limits as y
left join tax_profiles as tp on tp.person_id = p.person_id and tp.tax_year = y.tax_year
-- one row of a couple may leave the other's id out
left join (
    select spouse_person_id as person_id, min(person_id) as spouse_person_id
    from persons
    where spouse_person_id is not null
    group by spouse_person_id
    having count(*) = 1
) as named_by on named_by.person_id = p.person_id
left join tax_profiles as sp on sp.person_id = coalesce(p.spouse_person_id, named_by.spouse_person_id) and sp.tax_year = y.tax_year
