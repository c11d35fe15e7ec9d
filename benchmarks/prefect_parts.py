"""The fixed cost of Prefect by its parts, as JSON: [seconds, seconds of the processors] of each; for startup.py.

A flow of as many tasks as a night has, which do nothing, against the temporary server a night starts for itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from flows import prefect_settings


class Clock:
    """Tells how long each part took since the one before."""

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {}
        self.last = self._now()

    def part(self, name: str) -> None:
        """Name what has just ended."""
        now = self._now()
        self.told[name] = [later - before for later, before in zip(now, self.last, strict=True)]
        self.last = now

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), sum(os.times()[:4])


def main() -> None:
    """Import, server, states, end."""
    prefect_settings.prepare(Path(sys.argv[1]), logging_level="CRITICAL")
    clock = Clock()
    from prefect import flow, task  # noqa: PLC0415 - what is measured
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415

    import flows.nightly  # noqa: F401, PLC0415

    clock.part("import")
    server = SubprocessASGIServer()
    server.start()
    process = server.server_process
    clock.part("server")
    nothing = task(persist_result=False)(lambda _path: None)

    @flow(persist_result=False)
    def night() -> None:
        for _ in range(6):
            nothing("a path")

    night()
    clock.part("states")
    server.stop()
    if process is not None:
        process.wait()
    clock.part("end")
    print(json.dumps(clock.told))


if __name__ == "__main__":
    main()
