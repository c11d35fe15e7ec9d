"""What a command costs: seconds on the clock, seconds of the processors, and the most memory of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
#: Seconds between two looks at the memory; more where a look takes long, as the pages of a large process do, so that
#: looking costs a twentieth of one processor at the most.
_EVERY, _SHARE = 0.1, 20


@dataclass(frozen=True)
class Cost:
    """What one command took; `peak` is in MB (10^6 bytes)."""

    seconds: float
    processor: float
    peak: float


class _Memory(threading.Thread):
    """Watches a process and its children: the most memory they had at once, pages they share counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self) -> None:
        """Look until told that it is over."""
        with suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.pid)
            pause = _EVERY
            while not self.over.wait(pause):
                began = time.perf_counter()
                every = [top, *top.children(recursive=True)]
                self.peak = max(self.peak, sum(_own(process) for process in every))
                pause = max(_EVERY, _SHARE * (time.perf_counter() - began))


def _own(process: psutil.Process) -> int:
    """Bytes of a process, its part of what it shares (PSS); 0 where it has just ended."""
    with suppress(psutil.Error, OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def environment() -> dict[str, str]:
    """The environment of a process that finds the checkout's packages."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def cost(*command: str | Path, python: str = sys.executable) -> Cost:
    """Run Python with the arguments in the checkout; raises `RuntimeError` where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own scripts
        [python, *map(str, command)], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        memory = _Memory(process.pid)
        memory.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        memory.over.set()
        memory.join()
    if process.returncode not in (0, 1):  # 1: some rows set aside
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Cost(seconds, used.ru_utime + used.ru_stime, max(memory.peak, used.ru_maxrss * 1024) / 1e6)


def warm(folder: Path) -> None:
    """Read every file once, so that nobody's time holds the disk's."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
