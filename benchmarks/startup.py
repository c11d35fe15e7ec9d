"""`make bench-startup`: what starting takes: help, a check of a small file, and the fixed cost of Prefect by its parts.

Each line is the smallest of `--times` runs, each in a fresh process. Seconds of the processors count the processes that
were started, too; they are what is left on a machine that does something else as well. `--python` measures another
environment, such as the one of `make setup` without the packages of development (pandera imports pandas and Hypothesis
where they are installed).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT, cost, environment, table

_SMALL = "advisor_id,advisor_name\nA1,One\n"
_AS_OF = "2026-12-01"
_NAMES = {
    "import": "import of Prefect and the flow",
    "server": "start of its temporary server",
    "states": "states of a flow with six tasks that do nothing",
    "end": "stop of the server (its processor time is here)",
}


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of the processors."""

    seconds: float
    processor: float


def _least(times: int, *command: str | Path, python: str) -> Took:
    every = [cost(*command, python=python) for _ in range(times)]
    return Took(min(one.seconds for one in every), min(one.processor for one in every))


def _parts(home: Path, python: str) -> dict[str, Took]:
    command = [python, str(ROOT / "benchmarks" / "prefect_parts.py"), str(home)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)  # noqa: S603
    return {name: Took(*took) for name, took in json.loads(done.stdout.splitlines()[-1]).items()}


def _nights(base: Path, times: int, python: str) -> dict[str, Took]:
    """The demo book with and without Prefect, each time into a new folder."""
    cost("-m", "flows", "demo", base / "inbox", python=python)
    run = ("-m", "flows", "run", "--inbox", base / "inbox", "--as-of", _AS_OF)
    found: dict[str, list[Took]] = {}
    for number in range(times):
        for name, options in (("direct", ("--direct",)), ("prefect", ())):
            out = base / f"{name}{number}"
            found.setdefault(name, []).append(_least(1, *run, "--out", out, *options, python=python))
    return {
        name: Took(min(one.seconds for one in every), min(one.processor for one in every))
        for name, every in found.items()
    }


def _row(what: str, took: Took) -> list[str]:
    return [what, f"{took.seconds:.2f} s", f"{took.processor:.2f} s"]


def main() -> None:
    """Measure and print one table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--python", default=sys.executable)
    told = asked.parse_args()
    python = told.python
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "advisors.csv").write_text(_SMALL, encoding="utf-8")
        rows = [
            _row("`rothbook --help`", _least(told.times, "-m", "flows", "--help", python=python)),
            _row("`rothbook check` of a small file",
                 _least(told.times, "-m", "flows", "check", base / "advisors.csv", python=python)),
        ]  # fmt: skip
        nights = _nights(base, told.times, python)
        rows += [
            _row("`rothbook run --direct` of the demo book", nights["direct"]),
            _row("`rothbook run` of the demo book", nights["prefect"]),
            _row("fixed cost of Prefect, the difference", Took(
                nights["prefect"].seconds - nights["direct"].seconds,
                nights["prefect"].processor - nights["direct"].processor)),
        ]  # fmt: skip
        first, again = (_parts(base / "home", python) for _ in range(2))
        rows += [_row(_NAMES[name], again[name]) for name in _NAMES]
        rows.append(_row("more on the first night, when the server makes its database", Took(
            first["server"].seconds - again["server"].seconds, first["end"].processor - again["end"].processor,
        )))  # fmt: skip
    print(table(["what", "seconds", "of the processors"], rows))


if __name__ == "__main__":
    main()
