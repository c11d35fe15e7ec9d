"""`make fuzz`: coverage-guided search for bytes on which a reader fails, target by target, with atheris.

The corpus grows outside the repository (`ROTHBOOK_FUZZ`, else in the machine's folder for temporary files). Bytes that
fail are kept there as `<target>/crash-*`; `python -m tests.fuzz.fuzz --target T FILE` shows one again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.corpus import Edit, Seed

CORPUS = Path(os.environ.get("ROTHBOOK_FUZZ") or Path(tempfile.gettempdir()) / "rothbook-fuzz")
#: One input may take this long and this much memory: what doesn't is a finding too.
SECONDS_EACH, MIB = 30, 4096
#: Findings of one target after which its search ends.
ENOUGH = 5
_INSTRUMENTED = ["transforms", "ofxtools", "defusedxml"]


def _name_of(seeds: tuple[Seed, ...], data: bytes) -> str:
    """The name a mutated file comes under: that of the seed it begins most like, as layouts are known by names too."""
    return max(seeds, key=lambda seed: _alike(seed.data[:400], data[:400])).name


def _alike(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _spoil(data: bytes, max_size: int, seed: int) -> bytes:
    """The mutations of atheris and ours, half and half."""
    import atheris

    chance = random.Random(seed)
    if chance.random() < 0.5:
        return bytes(atheris.Mutate(data, len(data)))
    edits = [
        Edit(chance.choice(corpus.KINDS), chance.randrange(10**6), chance.randrange(10**6))
        for _ in range(chance.randint(1, 3))
    ]
    return corpus.spoilt(data, edits)[:max_size]


def search(target: str, folder: Path, seconds: int) -> None:
    """Run atheris over one target until a finding, or for `seconds`; never returns."""
    import atheris

    with atheris.instrument_imports(include=_INSTRUMENTED):  # so nothing here imports the readers before
        from tests.fuzz.targets import TARGETS

    reader = TARGETS[target]

    def one(data: bytes) -> None:
        reader.run(data, _name_of(reader.seeds(), data))

    one(reader.seeds()[0].data)  # what is read once and kept (profiles, SQL, models) is no slowness of the first input
    options = [
        f"-max_total_time={seconds}", f"-timeout={SECONDS_EACH}", f"-report_slow_units={SECONDS_EACH}",
        f"-rss_limit_mb={MIB}", "-print_final_stats=1",
        f"-max_len={corpus.LONGEST}", f"-artifact_prefix={folder}/", "-verbosity=0", str(folder / "corpus"),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=_spoil)
    atheris.Fuzz()


def again(target: str, path: Path) -> None:
    """Show a finding once more: raises what it raised, or prints what the bytes come to."""
    from tests.fuzz.targets import TARGETS

    data, reader = path.read_bytes(), TARGETS[target]
    print(reader.run(data, _name_of(reader.seeds(), data)))


def _searched(target: str, minutes: float) -> tuple[int, float, list[Path]]:
    """Executions, seconds and findings of one target."""
    from tests.fuzz.targets import TARGETS

    folder = CORPUS / target
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[target].seeds()):
        (folder / "corpus" / f"seed-{number}").write_bytes(seed.data)
    started, executions, found = time.monotonic(), 0, set[Path]()
    while len(found) < ENOUGH and (left := int(60 * minutes - (time.monotonic() - started))) > 0:
        before = set(folder.glob("*-*"))
        command = [sys.executable, "-m", "tests.fuzz.fuzz", "--search", target, str(left)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        stated = re.findall(r"number_of_executed_units:\s*(\d+)", done.stderr)
        executions += int(stated[-1]) if stated else 0
        new = set(folder.glob("*-*")) - before
        found |= new
        if done.returncode != 0:
            print(f"{target}: {'; '.join(p.name for p in sorted(new)) or 'stopped'}\n{done.stderr[-1500:]}")
            if not new:
                break
    return executions, time.monotonic() - started, sorted(found)


def main() -> int:
    """Search the targets asked for, and say what was executed and found; 1 where anything was."""
    if sys.argv[1:2] == ["--search"]:
        search(sys.argv[2], CORPUS / sys.argv[2], int(sys.argv[3]))
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--minutes", type=float, default=1, help="for each target")
    parser.add_argument("--target", choices=TARGETS, action="append")
    parser.add_argument("file", type=Path, nargs="?", help="bytes to look at again, with one --target")
    asked = parser.parse_args()
    if asked.file:
        again(asked.target[0], asked.file)
        return 0
    findings = 0
    print(f"{'target':<10} {'executions':>10} {'seconds':>8} {'findings':>8}   (corpus: {CORPUS})")
    for target in asked.target or TARGETS:
        executions, seconds, found = _searched(target, asked.minutes)
        findings += len(found)
        print(f"{target:<10} {executions:>10} {seconds:>8.0f} {len(found):>8}", flush=True)
        for path in found:
            print(f"  again: python -m tests.fuzz.fuzz --target {target} {path}")
    return min(1, findings)


if __name__ == "__main__":
    sys.exit(main())
