"""A sample of what `make faults` does by the hundred: the real command, spoiled, and then a run that isn't."""

from __future__ import annotations

import errno
import random
from pathlib import Path

from tests.faults.book import nights
from tests.faults.command import Place
from tests.faults.fault import Fault, fails
from tests.faults.journey import Journey
from tests.faults.reference import Reference


def test_a_share_that_fails_and_a_power_cut_while_latest_moves_leave_the_undisturbed_night(tmp_path: Path) -> None:
    as_of, files = next(iter(nights().items()))
    journey = Journey(Place(tmp_path / "book").make(), Reference(tmp_path / "undisturbed"), random.Random(1))
    journey.arrive(files)
    assert journey.spoil(as_of, fails(errno.EIO, 20, "reads", sticky=True)).code == 3
    cut = Fault("power cut", 1, "kill group", event="os.symlink", path=".latest.new", power_cut=True)
    assert journey.spoil(as_of, cut).killed
    assert journey.recover(as_of).code == 0
    assert [told.problems for told in journey.told] == [(), (), ()]
    assert [bool(told.injected) for told in journey.told] == [True, True, False]
    assert len(list((journey.place.out / "runs").glob("[0-9]*-00[23]"))) == 2, (
        "the cut run was whole, and again is the same"
    )
