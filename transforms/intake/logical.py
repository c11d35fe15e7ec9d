"""Records that take several physical lines: DFA001, DFA002 ... laid end to end, so that a field has one position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.profile import Profile


class Logical(NamedTuple):
    """A record: first and last physical line (from 1), its text with every line at its own place, and the raw lines."""

    first: int
    last: int
    text: str
    raw: str


def logical_records(profile: Profile, lines: list[str]) -> Iterator[Logical]:
    """The records of a fixed-width file, in order; every line is in exactly one.

    Lines are padded with the blanks they lack if the layout says so. A line that continues no record, and a record
    that lacks a line it must have, come out as they are: they have not the length of a record and fit nothing.
    """
    texts = [line.ljust(profile.record_length) for line in lines] if profile.pad else lines
    begun: list[int] = []
    for number, line in enumerate(texts):
        part = _part(profile, line)
        if begun and (part is None or part <= (_part(profile, texts[begun[-1]]) or 0)):
            yield _joined(profile, lines, texts, begun)
            begun = []
        if part == 0 or begun:
            begun.append(number)
        else:
            yield Logical(number + 1, number + 1, line, lines[number])
    if begun:
        yield _joined(profile, lines, texts, begun)


def _part(profile: Profile, line: str) -> int | None:
    """Which line of a record this is, from 0; None if it is none of a record of several lines."""
    return next((n for n, start in enumerate(profile.logical) if line.startswith(start)), None)


def _joined(profile: Profile, lines: list[str], texts: list[str], begun: list[int]) -> Logical:
    raw = "\n".join(lines[n] for n in begun)
    places = {_part(profile, texts[n]): texts[n] for n in begun}
    whole = all(n in places for n in range(profile.logical_required))
    fits = all(len(text) == profile.record_length for text in places.values())
    blank = " " * profile.record_length
    text = "".join(places.get(n, blank) for n in range(len(profile.logical))) if whole and fits else raw
    return Logical(begun[0] + 1, begun[-1] + 1, text, raw)
