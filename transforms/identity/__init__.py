"""Every person once: approved merges are applied, possible ones are suggested, and nothing is ever merged by itself.

`merging` makes two person_ids one where operations approved it; `suggesting` lets Splink score which account of nobody,
or which second person record, may be somebody of the book. The rest (owners of accounts, changed tax ids, renumbered
accounts, conflicts) is SQL in `transforms/sql`: renumberings, tax_id_groups, decided_links, person_merges, crosswalk,
known_accounts, owner_conflicts, identity_doubts, link_candidates, link_suggestions.
"""

from transforms.identity.merging import merge_step
from transforms.identity.suggesting import link_steps

__all__ = ["link_steps", "merge_step"]
