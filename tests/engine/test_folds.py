"""What a finding may be a part of: rules that exist, and never each other in a circle."""

from __future__ import annotations

from graphlib import TopologicalSorter

from transforms.findings import registry


def test_a_finding_is_a_part_of_rules_that_exist() -> None:
    rules = {f.rule for f in registry()}
    assert {f.rule: set(f.folds_into) - rules for f in registry() if set(f.folds_into) - rules} == {}


def test_no_two_findings_are_parts_of_each_other() -> None:
    folds = {f.rule: f.folds_into for f in registry()}
    order = list(TopologicalSorter(folds).static_order())
    assert order.index("conversion_taxed_pro_rata") < order.index("reverse_rollover_available")
