"""Whatever happens to a line of a file, every line that is there is in exactly one class; nothing is an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import PurePath

import pytest

from tests.intake.nights import GOLDEN, sample
from tests.intake.test_samples import SAMPLES
from transforms.intake.reading import Reading, read_file
from transforms.intake.register import Entry

#: Records that run together have no lines to drop.
WITH_LINES = [(profile, name) for profile, name in SAMPLES if "run_together" not in name]


def read(name: str, data: bytes) -> Reading:
    return read_file(data, Entry(date(2026, 3, 1), name, sha256(data).hexdigest()))


def changed(data: bytes) -> Iterator[bytes]:
    """The file with one line dropped, doubled, cut in half, or moved to the end, line by line."""
    lines = data.splitlines(keepends=True)
    for n, line in enumerate(lines):
        before, after = lines[:n], lines[n + 1 :]
        yield b"".join([*before, *after])
        yield b"".join([*before, line, line, *after])
        yield b"".join([*before, line[: len(line) // 2] + b"\n", *after])
        yield b"".join([*before, *after, line])


@pytest.mark.parametrize(("profile", "name"), WITH_LINES, ids=[name for _, name in WITH_LINES])
def test_every_line_is_accounted_for_and_no_message_quotes_a_number(profile: str, name: str) -> None:
    original = sample(profile, name)
    numbers = set(re.findall(rb"\d{8,}", original))
    for data in changed(original):
        reading = read(name, data)
        assert sum(reading.counts.values()) == len(data.splitlines())
        assert reading.error is None or not (reading.sections or reading.problems)
        known = {row for frame in reading.sections.values() for row in frame["source_line"]}
        assert not known & {p.line for p in reading.problems}
        said = " ".join(p.message for p in [*reading.problems, *([reading.error] if reading.error else [])])
        assert not [n for n in numbers if n.decode() in said]


def test_the_samples_are_all_there() -> None:
    held = {(p.parent.name, PurePath(p).name) for p in GOLDEN.glob("*/*") if (p.parent.name, p.name) in SAMPLES}
    assert held == set(SAMPLES)
