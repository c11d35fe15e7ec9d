"""A small, always equal sample of what `make fuzz` searches: every reader, every golden file, spoilt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import corpus
from tests.fuzz.corpus import Edit
from tests.fuzz.targets import TARGETS

EXAMPLES = 30
edits = st.lists(
    st.builds(Edit, st.sampled_from(corpus.KINDS), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=4
)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read(name: str) -> None:
    """What is spoilt is whole to begin with: a fuzzer that starts from refused files looks at nothing."""
    target = TARGETS[name]
    outcomes = [target.run(seed.data, seed.name) for seed in target.seeds()]
    assert outcomes
    assert any(not o.rules for o in outcomes)


@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_files_are_told_never_fatal(name: str) -> None:
    target = TARGETS[name]

    @settings(max_examples=EXAMPLES)
    @given(st.sampled_from(target.seeds()), edits)
    def spoil(seed: corpus.Seed, some: list[Edit]) -> None:
        target.run(corpus.spoilt(seed.data, some), seed.name)

    spoil()
