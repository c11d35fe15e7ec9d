"""A file on which a reader itself fails: it is set aside, and the rest of the night goes on.

Nobody should ever see this: every fault of a file that is thought of has a rule of its own. What isn't thought of must
not cost a night, so whatever a library raises ends here, told by its type and by where in our code it came up. Its text
isn't told: it may quote cells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from transforms.intake.lines import FileSetAside
from transforms.intake.reading import Reading, set_aside

_HERE = Path(__file__).resolve().parents[2]
_T = TypeVar("_T")


def is_fault_of_a_reader(error: BaseException) -> bool:
    """True for an exception of a reader; a panic of a Rust library is none of Python's `Exception`s, and is one too."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def as_set_aside(error: BaseException) -> FileSetAside:
    """What is said of a file on which a reader failed: exception type and line of our code, no cell."""
    frames = [f for f in extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(_HERE)]
    ours = [f for f in frames if ".venv" not in f.filename]
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return FileSetAside(
        "reader_failed",
        f"Rothbook's own reader failed on this file ({type(error).__name__}{where}); nothing of it is used: tell "
        "whoever looks after Rothbook, and fetch the file again in case it is damaged",
    )


def isolated(work: Callable[[list[Reading]], _T], readings: list[Reading]) -> _T:
    """`work` on all readings; if it fails, on those it doesn't fail on alone: the others are set aside, as they stand.

    Raises what `work` raised if no reading alone makes it fail.
    """
    try:
        return work(readings)
    except BaseException as error:
        if not is_fault_of_a_reader(error):
            raise
        if not sum([_fails(work, reading) for reading in readings]):
            raise
    return work(readings)


def _fails(work: Callable[[list[Reading]], _T], reading: Reading) -> bool:
    """True, and the reading set aside, if `work` fails on it alone."""
    try:
        work([reading])
    except BaseException as error:
        if not is_fault_of_a_reader(error):
            raise
        set_aside(reading, as_set_aside(error), sum(reading.counts.values()))
        return True
    return False
