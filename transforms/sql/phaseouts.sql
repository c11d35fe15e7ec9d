-- One row per tax year and filing status: the income ranges for Roth contributions (408A(c)(3)) and for the
-- deduction when covered by a plan, or when only the spouse is (219(g)).
select
    tax_year,
    filing_status,
    max(value) filter (key = 'roth_magi_phaseout_start') as roth_start,
    max(value) filter (key = 'roth_magi_phaseout_end') as roth_end,
    max(value) filter (key = 'ira_deduction_covered_phaseout_start') as covered_start,
    max(value) filter (key = 'ira_deduction_covered_phaseout_end') as covered_end,
    max(value) filter (key = 'ira_deduction_spouse_covered_phaseout_start') as spouse_covered_start,
    max(value) filter (key = 'ira_deduction_spouse_covered_phaseout_end') as spouse_covered_end,
from limit_values
where filing_status <> ''
group by tax_year, filing_status
