"""The real command in a process group of its own, with a fault in it, and what is left of a disk after a power cut."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.book import KEY, YEAR
from tests.faults.fault import Fault, faketime
from tests.flows.past_nights import Folders

ROTHBOOK = Path(__file__).resolve().parents[2] / "bin" / "rothbook"
#: Far longer than a run of the book takes on a busy machine.
PATIENCE = 600


@dataclass(frozen=True)
class Outcome:
    """How a command ended, what it said, and what the shim told of the fault (None: it never came to it)."""

    code: int
    said: str
    errors: str
    injected: str | None = None
    #: File operations of the kind the fault was about, where the command came to its end.
    total: int | None = None

    @property
    def killed(self) -> bool:
        return self.code in (-signal.SIGKILL, 128 + signal.SIGKILL)


@dataclass
class Place(Folders):
    """Where a book lies, with the advisors' shared folder; `direct`: its runs leave Prefect out."""

    direct: bool = True
    reports: int = field(default=0, repr=False)

    @property
    def shared(self) -> Path:
        return self.root / "shared"

    def make(self) -> Place:
        """Empty, with the firm's key in its place and a folder for every advisor's workbook."""
        for folder in (self.inbox, self.shared, self.out, self.out / "state"):
            folder.mkdir(parents=True, mode=0o700)
        key = self.out / "state" / "firm.key"
        key.write_text(KEY, encoding="utf-8")
        key.chmod(0o600)
        return self

    def seal(self) -> Place:
        """The same book, sealed from now on."""
        done = rothbook(*self.sealing())
        if done.code != 0:
            raise RuntimeError(f"the book couldn't be sealed: {done.errors}")
        return self

    def sealing(self) -> list[str]:
        """The command that seals it under a key that lies beside it."""
        return ["protect", "--out", str(self.out), "--at-rest-key", str(self.root / "at-rest.key")]

    def arguments(self, as_of: str) -> list[str]:
        """A run of that night."""
        folders = ("--inbox", self.inbox, "--out", self.out, "--shared", self.shared)
        how = ["--direct"] if self.direct else []
        return ["run", *how, *map(str, folders), "--as-of", as_of, "--tax-year", YEAR]

    def run(self, as_of: str, fault: Fault | None = None, rng: random.Random | None = None) -> Outcome:
        """A run of that night, spoiled by `fault`."""
        return self.do(self.arguments(as_of), fault, rng)

    def do(self, arguments: list[str], fault: Fault | None = None, rng: random.Random | None = None) -> Outcome:
        """A command, spoiled by `fault`."""
        if fault is None:
            return rothbook(*arguments)
        self.reports += 1
        report = self.root / f"report-{self.reports}"
        before = _states(self.out) if fault.power_cut else {}
        done = _spoiled(arguments, fault, fault.environment((self.inbox, self.out, self.shared), report))
        told = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        if fault.power_cut and done.killed:
            _lose_unsynced(self.out, before, told, rng or random.Random(0))
        injected = next((line for line in told if line.startswith("fault ")), None)
        if fault.seconds is not None and done.killed:
            injected = f"fault after {fault.seconds:.2f} s"
        total = next((int(line.split()[1]) for line in told if line.startswith("total ")), None)
        report.unlink(missing_ok=True)
        return Outcome(done.code, done.said, done.errors, injected, total)


def rothbook(*arguments: str | Path) -> Outcome:
    """The command, undisturbed."""
    return _spoiled([str(argument) for argument in arguments], Fault("none"), {})


def _spoiled(arguments: list[str], fault: Fault, more: dict[str, str]) -> Outcome:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROTHBOOK_")} | more
    library = faketime()
    if fault.clock and library:
        environment |= {"LD_PRELOAD": str(library), "FAKETIME": f"{fault.clock:+d}s"}
    process = subprocess.Popen(
        [str(ROTHBOOK), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    if fault.seconds is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(fault.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    try:
        said, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, errors = process.communicate()
        return Outcome(process.returncode, said, f"{errors}\nTIMED OUT after {PATIENCE} s")
    return Outcome(process.returncode, said, errors)


def start(arguments: list[str]) -> subprocess.Popen[str]:
    """The command, not waited for."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROTHBOOK_")}
    return subprocess.Popen(
        [str(ROTHBOOK), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait(process: subprocess.Popen[str]) -> Outcome:
    """How a started command ended."""
    said, errors = process.communicate(timeout=PATIENCE)
    return Outcome(process.returncode, said, errors)


def _states(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of every file, by path."""
    found = {}
    for path in folder.rglob("*"):
        kind = path.lstat()
        if stat.S_ISREG(kind.st_mode):
            found[str(path)] = (kind.st_ino, kind.st_size, kind.st_mtime_ns)
    return found


def _lose_unsynced(out: Path, before: dict[str, tuple[int, int, int]], told: list[str], rng: random.Random) -> None:
    """Take back what a machine may forget that loses its power: contents not synced, renames not synced.

    What was synced once is there, whatever was appended since. The logs of runs are for people and may lose lines; the
    file that is only locked holds nothing.
    """
    synced = [tuple(map(int, line.split()[1:4])) for line in told if line.startswith("synced ")]
    lasting = {inode: size for inode, size, _ in (*before.values(), *synced)}
    for name, state in _states(out).items():
        path = Path(name)
        if state in synced or state in before.values() or path.parent.name == "logs" or path.name == ".lock":
            continue
        mode = path.stat().st_mode & 0o777
        path.chmod(0o600)
        least = min(lasting.get(state[0], 0), state[1])
        os.truncate(path, rng.choice((least, rng.randint(least, state[1]))))
        path.chmod(mode)
    for old, new in reversed(_renames_not_synced(told)):
        # where the folder it came from is gone, the disk has kept that and (a journal is in order) what came before
        settled = str(new) in before or not new.exists() or old.exists() or not old.parent.exists()
        if not settled and new.is_relative_to(out) and rng.random() < 0.5:
            new.rename(old)


def _renames_not_synced(told: list[str]) -> list[tuple[Path, Path]]:
    """Renames after which the folder wasn't synced, in their order."""
    pending: list[tuple[Path, Path]] = []
    for line in told:
        word, _, rest = line.partition(" ")
        if word == "renamed":
            old, new = map(Path, json.loads(rest))
            pending.append((old, new))
        elif word == "synced":
            folder = Path(rest.split(" ", 3)[3])
            pending = [(old, new) for old, new in pending if new.parent != folder]
    return pending


def copied(place: Place, to: Path) -> Place:
    """The same book somewhere else."""
    to.mkdir(parents=True)
    for folder in (place.inbox, place.out, place.shared):
        shutil.copytree(folder, to / folder.name, symlinks=True)
    return Place(to)
