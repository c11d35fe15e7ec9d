"""A temporary Prefect server goes with its command, if not at once then before the next one starts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import left_servers

SERVER = [sys.executable, "-c", "import time; time.sleep(120)", "prefect.server.api.server:create_app"]
#: Starts what it is told (not by its arguments: it would look like a server itself), says its number, and stays until
#: it is killed.
COMMAND = (
    "import json, subprocess, sys; server = subprocess.Popen(json.loads(input()), stdout=subprocess.DEVNULL);"
    " print(server.pid, flush=True); sys.stdin.read()"
)


@contextlib.contextmanager
def command(home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command as `rothbook run` looks to others, and the number of the server it has started over `home`."""
    started = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "flows"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"PREFECT_HOME": str(home)},
    )  # fmt: skip
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(f"{json.dumps(SERVER)}\n")
    started.stdin.flush()
    server = int(started.stdout.readline())
    try:
        yield started, server
    finally:
        started.kill()
        started.communicate()
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def gone(process: int) -> bool:
    """True if it has ended, waited for or not."""
    try:
        return " Z " in (Path("/proc") / str(process) / "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up as Linux lists them")
def test_the_server_of_a_killed_command_is_ended_and_no_other(tmp_path: Path) -> None:
    ours, other = tmp_path / "out" / "prefect", tmp_path / "other" / "prefect"
    with command(ours) as (killed, left), command(ours) as (_, alive), command(other) as (also_killed, another):
        assert left_servers.end(ours) == []
        for each in (killed, also_killed):
            each.kill()
            each.wait()
        assert left_servers.end(ours) == [left]
        until = time.monotonic() + 60
        while not gone(left) and time.monotonic() < until:
            time.sleep(0.05)
        assert [gone(process) for process in (left, alive, another)] == [True, False, False]
