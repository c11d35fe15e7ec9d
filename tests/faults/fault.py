"""What is done to a run: as a value, and as the child process is told it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

SHIM = Path(__file__).parent / "shim"


@dataclass(frozen=True)
class Fault:
    """One fault: at the `at`-th file operation of those it is about (0: none), or after `seconds`.

    `do`: kill the process group or only the process, fail with `errno`, rename `target` away, append `more` to it.
    `sticky`: every later operation fails too. `power_cut`: what wasn't synced is lost as well. `file_size`: no file may
    become larger (as on a full disk). `in_worker`: in the worker processes of the workbooks, not in the command itself.
    """

    kind: str
    at: int = 0
    do: Literal["kill group", "kill", "fail", "vanish", "grow", "nothing"] = "nothing"
    among: Literal["writes", "reads", "all"] = "writes"
    event: str | None = None
    path: str | None = None
    errno: int = 0
    sticky: bool = False
    target: str | None = None
    more: str = ""
    seconds: float | None = None
    power_cut: bool = False
    file_size: int | None = None
    pool: bool = False
    in_worker: bool = False
    #: Another moment the command takes it for, in seconds from now; needs libfaketime.
    clock: int = 0

    def environment(self, roots: Iterable[Path], report: Path) -> dict[str, str]:
        """What the child's environment needs for it; `report` is where the child tells what it did."""
        plan = asdict(self) | {"roots": [str(root) for root in roots], "report": str(report)}
        return {"ROTHBOOK_TEST_FAULT": json.dumps(plan), "PYTHONPATH": str(SHIM)}

    def told(self) -> str:
        """For a message: what differs from no fault at all."""
        plain = asdict(Fault(self.kind))
        return ", ".join(f"{name}={value!r}" for name, value in asdict(self).items() if plain[name] != value)


def kill_at(at: int, *, power_cut: bool = False) -> Fault:
    """Kill -9 of the whole process group at the `at`-th operation that changes the disk."""
    return Fault("power cut" if power_cut else "kill at operation", at, "kill group", power_cut=power_cut)


def kill_after(seconds: float) -> Fault:
    """Kill -9 of the whole process group at a moment, wherever it is then."""
    return Fault("kill at random time", seconds=seconds)


def fails(number: int, at: int, among: Literal["writes", "reads", "all"], *, sticky: bool = False) -> Fault:
    """An operation, and from there on every other one if `sticky`, that fails with `errno` `number`."""
    return Fault(f"injected {errno.errorcode[number]}", at, "fail", among, errno=number, sticky=sticky)


def in_pool(fault: Fault) -> Fault:
    """The same, while worker processes write the workbooks."""
    return replace(fault, pool=True)


def faketime() -> Path | None:
    """libfaketime, where the machine has it: ROTHBOOK_TEST_FAKETIME, or as Debian installs it."""
    stated = os.environ.get("ROTHBOOK_TEST_FAKETIME")
    found = [Path(stated)] if stated else sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return next((path for path in found if path.is_file()), None)
