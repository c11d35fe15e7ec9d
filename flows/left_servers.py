"""Temporary Prefect servers whose `rothbook run` was killed alone: nobody else ends them, and each takes 300 MB."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

#: What a temporary server is started as, and what the command that started it is.
_SERVER, _COMMAND = b"prefect.server.api.server:create_app", b"flows"


def end(home: Path, processes: Path = Path("/proc")) -> list[int]:
    """End this user's servers over the database in `home` whose command is gone; returns their process ids.

    Where the system doesn't list processes as files (Linux does) nothing is found. A server whose command lives is left
    alone: a second run may be asked for while the first is under way.
    """
    ended = []
    for process in processes.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # another user's, or gone in the meantime
            if _left(process, home):
                os.kill(int(process.name), signal.SIGTERM)
                ended.append(int(process.name))
    return ended


def _left(process: Path, home: Path) -> bool:
    if _SERVER not in (process / "cmdline").read_bytes().split(b"\0"):
        return False
    if f"PREFECT_HOME={home}".encode() not in (process / "environ").read_bytes().split(b"\0"):
        return False
    parent = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
    return _COMMAND not in (process.parent / parent / "cmdline").read_bytes()
