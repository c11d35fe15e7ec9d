"""`make bench-profile`: where a whole night's time goes, by py-spy: functions of ours by their share of the samples.

`PYTHONPATH=. python benchmarks/hot.py BOOK` samples a night without workbooks 50 times a second. A function's share
holds what it calls, so shares don't add up; time inside Polars or DuckDB is the function's that called it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.measure import ROOT, environment, table

_OURS = ("flows/", "reports/", "schemas/", "transforms/")
_SHOWN = 40


def shares(raw: str) -> list[tuple[str, float]]:
    """Our functions with the share of samples they are in, from py-spy's collapsed stacks (`frame;frame;... count`)."""
    every: Counter[str] = Counter()
    total = 0
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        total += int(count)
        frames = {frame.rpartition(":")[0] + ")" for frame in stack.split(";")}
        every.update(dict.fromkeys((frame for frame in frames if any(part in frame for part in _OURS)), int(count)))
    return [(frame, count / total) for frame, count in every.most_common(_SHOWN)]


def main() -> None:
    """Sample one night and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "samples"
        record = [str(Path(sys.executable).parent / "py-spy"), "record", "--rate", "50", "--nonblocking"]
        night = [sys.executable, "benchmarks/whole_run.py", sys.argv[1], str(Path(folder) / "out")]
        command = [*record, "--format", "raw", "--output", str(raw), "--", *night]
        subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)  # noqa: S603
        found = shares(raw.read_text(encoding="utf-8"))
    print(table(["function", "share"], [[f"`{frame}`", f"{share:.0%}"] for frame, share in found]))


if __name__ == "__main__":
    main()
