"""The page that says which files Rothbook reads, written from the profiles themselves.

`python -m schemas.formats > docs/formats.md` writes it anew; a test holds the file against the profiles.
"""

from __future__ import annotations

from schemas.profile import Profile, profiles
from schemas.trees import STRUCTURED, tree_profile

_HEAD = """\
# Custodian and recordkeeper files Rothbook reads

Written by `python -m schemas.formats > docs/formats.md` from the profiles in `schemas/profiles` and
`schemas/structured`; don't edit it by hand.
A file is recognised by what is in it, and which layout it had is in `layout` of the `files` table. The *custodian* is
the name to use for it in the firm's own files. What a file can't tell is asked of the firm, never guessed: a code
without a public meaning is `unclassified` or `other`, and a finding.

The *grade* says what a layout rests on: **A** a real export (or a redacted one) that is public; **B** a working parser,
the sender's published layout or a vendor's own document; **C** partly guessed. A *full* file lists everything, a
*delta* what changed since the last one, a *range* the events of a span of days.
"""
_COLUMNS = ("profile", "custodian", "holds", "layouts recognised", "grade", "guessed", "can't tell", "lists")


def page() -> str:
    """The whole page as Markdown: a row per profile, in the order of their names."""
    nested = (tree_profile(path.stem).profile for path in STRUCTURED.glob("*.toml"))
    every = sorted([*profiles(), *nested], key=lambda p: p.name)
    rows = [_COLUMNS, ("---",) * len(_COLUMNS), *(_row(p) for p in every)]
    return _HEAD + "\n" + "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)


def _row(p: Profile) -> tuple[str, ...]:
    layouts = "; ".join(v.layout for v in p.versions) or p.layout
    return (f"`{p.name}`", p.custodian or "-", p.holds or p.kind, layouts, p.grade, p.guessed or "-",
            p.cannot_tell or "-", p.load or "-")  # fmt: skip


if __name__ == "__main__":
    print(page(), end="")
