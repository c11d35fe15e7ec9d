"""Imported by the interpreter of the command under test: counts its file operations and spoils one of them.

The plan is the JSON in ROTHBOOK_TEST_FAULT, as `tests.faults.fault.Fault` wrote it. Only operations below the plan's
roots count: reads are files and folders opened or listed, writes are everything that changes a disk, and the moment
just after a file was opened for writing, when it is there and empty. What native code writes (DuckDB, Polars) isn't
seen here. Every fsync is noted with the file's state, so that a power cut can take back what wasn't synced.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path

_WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}
_READS = {"os.scandir", "os.listdir"}
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def open_as(handle):
    """The path a file is open under."""
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def absolute(path):
    """The path with its folder, links left alone."""
    return str(Path(os.fsdecode(path)).absolute())


class Shim:
    """One plan at work in one process."""

    def __init__(self, plan):
        self.plan, self.roots = plan, tuple(f"{root}/" for root in plan["roots"])
        self.report = os.open(plan["report"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.count, self.done, self.inside = 0, 0, threading.local()

    def install(self):
        real_fsync, real_open = os.fsync, os.open

        def fsync(fd):
            number = fd if isinstance(fd, int) else fd.fileno()
            path = open_as(number)
            self.operation("fsync", path, write=True)
            real_fsync(fd)
            if self.mine(path):
                found = os.fstat(number)
                self.tell("synced", found.st_ino, found.st_size, found.st_mtime_ns, path)

        def opened(path, flags, *rest, **named):
            handle = real_open(path, flags, *rest, **named)
            if flags & _CHANGING:
                self.operation("opened", open_as(handle), write=True)
            return handle

        os.fsync, os.open = fsync, opened
        self.wrap_open()
        sys.addaudithook(self.heard)

    def wrap_open(self):
        import builtins
        import io

        real = io.open

        def opened(file, mode="r", *rest, **named):
            handle = real(file, mode, *rest, **named)
            if not isinstance(file, int) and set(mode) & set("wax+"):
                self.operation("opened", os.fsdecode(file), write=True)
            return handle

        io.open = builtins.open = opened

    def heard(self, event, arguments):
        if event == "open":
            path, _mode, flags = arguments
            self.operation(event, path, write=bool(isinstance(flags, int) and flags & _CHANGING))
        elif event in _WRITES or event in _READS:
            self.operation(event, self.named(event, arguments), write=event in _WRITES)
            if event == "os.rename":
                self.renamed(*(absolute(path) for path in arguments[:2]))

    def renamed(self, old, new):
        if self.mine(new) and not getattr(self.inside, "yes", False):
            self.tell("renamed", json.dumps([old, new]))

    def named(self, event, arguments):
        """The path an event is about, also where it is told relative to an open folder."""
        path = arguments[1 if event in ("os.symlink", "os.link") else 0]
        folder = arguments[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1
        if isinstance(path, (str, bytes)) and isinstance(folder, int) and folder >= 0:
            return f"{open_as(folder)}/{os.fsdecode(path)}"
        return path

    def mine(self, path):
        return f"{path}/".startswith(self.roots)

    def operation(self, event, path, *, write):
        if isinstance(path, int) or path is None or getattr(self.inside, "yes", False):
            return
        self.inside.yes = True
        try:
            full = absolute(path)
            if self.mine(full):
                self.counted(event, full, write)
        finally:
            self.inside.yes = False

    def counted(self, event, path, write):
        plan = self.plan
        if plan["among"] != "all" and write != (plan["among"] == "writes"):
            return
        if plan["event"] not in (None, event) or (plan["path"] and plan["path"] not in path):
            return
        self.count += 1
        sticky = plan["sticky"] and self.done
        if self.count == plan["at"] or sticky:
            self.done += 1
            if self.done == 1:
                self.tell("fault", self.count, event, path)
            self.act(path)

    def act(self, path):
        do = self.plan["do"]
        if do == "kill group":
            os.killpg(0, signal.SIGKILL)
        elif do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif do == "fail":
            number = self.plan["errno"]
            raise OSError(number, os.strerror(number), path)
        elif do == "vanish":
            Path(self.plan["target"]).rename(self.plan["target"] + ".gone")
        elif do == "grow":
            with Path(self.plan["target"]).open("ab") as file:
                file.write(self.plan["more"].encode())

    def tell(self, *words):
        with contextlib.suppress(OSError):
            os.write(self.report, (" ".join(map(str, words)) + "\n").encode())


def _use_the_pool(event, arguments):
    """Have even a tiny book written by worker processes."""
    if event == "os.mkdir" and os.fsdecode(arguments[0]).endswith("/workbooks"):
        sys.modules["reports.workbooks"].WORTH_PROCESSES = 0


def _start():
    stated = os.environ.get("ROTHBOOK_TEST_FAULT")
    if stated is None or "resource_tracker" in " ".join(sys.orig_argv):
        return
    plan = json.loads(stated)
    if plan["pool"]:
        sys.addaudithook(_use_the_pool)
    if plan["file_size"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan["file_size"], plan["file_size"]))
    if plan["in_worker"] == ("--multiprocessing-fork" in sys.orig_argv):
        shim = Shim(plan)
        shim.install()
        import atexit

        atexit.register(lambda: shim.tell("total", shim.count))


_start()
