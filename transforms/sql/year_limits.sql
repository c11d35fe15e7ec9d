-- One row per tax year: the figures that do not depend on filing status, and the year's dates.
select
    dates.tax_year,
    dates.year_start,
    dates.year_end,
    dates.contribution_due_date,
    dates.extended_due_date,
    max(v.value) filter (v.key = 'ira_contribution_limit') as ira_contribution_limit,
    max(v.value) filter (v.key = 'ira_catch_up_50') as ira_catch_up_50,
    max(v.value) filter (v.key = 'annual_additions_415c') as annual_additions_415c,
    max(v.value) filter (v.key = 'elective_deferral_402g') as elective_deferral_402g,
    max(v.value) filter (v.key = 'catch_up_414v_50') as catch_up_414v_50,
    max(v.value) filter (v.key = 'catch_up_414v_60_63') as catch_up_414v_60_63,
    max(v.value) filter (v.key = 'compensation_limit_401a17') as compensation_limit_401a17,
    max(v.value) filter (v.key = 'simple_deferral_408p') as simple_deferral_408p,
    max(v.value) filter (v.key = 'simple_catch_up_50') as simple_catch_up_50,
    max(v.value) filter (v.key = 'simple_catch_up_60_63') as simple_catch_up_60_63,
    max(v.value) filter (v.key = 'simple_deferral_enhanced_110pct') as simple_deferral_enhanced_110pct,
    max(v.value) filter (v.key = 'simple_catch_up_50_enhanced_110pct') as simple_catch_up_50_enhanced_110pct,
    max(v.value) filter (v.key = 'hsa_family') as hsa_family,
    max(v.value) filter (v.key = 'hsa_self_only') as hsa_self_only,
    max(v.value) filter (v.key = 'hsa_catch_up_55') as hsa_catch_up_55,
    max(v.value) filter (v.key = 'qcd_limit') as qcd_limit,
    max(v.value) filter (v.key = 'hce_threshold_414q') as hce_threshold_414q,
    max(v.value) filter (v.key = 'roth_catch_up_fica_wage_threshold') as roth_catch_up_fica_wage_threshold,
from year_dates as dates
inner join limit_values as v on v.tax_year = dates.tax_year
group by all
