"""The page of findings is the registry: nothing added by hand, nothing forgotten; and the catalogue is built."""

from __future__ import annotations

from pathlib import Path

from transforms.findings import registry
from transforms.findings.__main__ import page

#: Every rule of the catalogue of findings worth an advisor's time, in its order.
CATALOGUE = (
    "conversion_taxed_pro_rata",
    "year_end_trap",
    "backdoor_blocked_by_pre_tax",
    "backdoor_ready",
    "reverse_rollover_available",
    "qhfd_available",
    "nondeductible_not_converted",
    "basis_unknown",
    "basis_above_value",
    "basis_not_carried",
    "ira_contribution_excess",
    "roth_contribution_above_income",
    "contribution_above_compensation",
    "roth_partial_room",
    "contribution_room_unused",
    "deductible_missed",
    "sep_simple_in_conversion_year",
    "inherited_looks_like_own",
    "own_looks_inherited",
    "rmd_before_conversion",
    "sixty_day_rollover_twice",
    "simple_two_years",
    "withholding_on_conversion",
    "mega_room_open",
    "mega_unknown",
    "mega_not_usable",
    "deferrals_not_maxed",
    "catch_up_unused",
    "super_catch_up",
    "roth_catch_up_required",
    "deferral_excess",
    "annual_additions_excess",
    "after_tax_with_earnings",
    "after_tax_left_at_old_employer",
    "after_tax_into_traditional_ira",
    "second_spouse_open",
    "tax_form_mismatch",
    "conversion_leg_missing",
    "unmatched_account",
    "possible_same_person",
    "unmapped_code",
    "stale_or_missing_feed",
    "december_31_value_missing",
)
PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def test_the_page_is_what_the_findings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m transforms.findings > docs/findings.md"


def test_every_row_has_every_cell_and_every_rule_its_own() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(f.rule for f in registry())
    assert {row.count(" | ") for row in rows} == {3}
    assert all(len(row.split(" | ")[1]) > 40 for row in rows)


def test_every_rule_of_the_catalogue_is_built() -> None:
    assert len(CATALOGUE) == 43
    assert set(CATALOGUE) - {f.rule for f in registry()} == set()
    assert f"All {len(CATALOGUE)} rules of the catalogue" in page()
