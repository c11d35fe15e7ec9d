"""Look for clients in everything a book leaves that isn't theirs by its nature: `make scan`.

The whole demo book, with one invented client's secrets planted in every kind of cell, file and file name, goes through
every command and, stage by stage, through runs that fail in words quoting that client. Then every name, tax id (in all
spellings) and account number is looked for in what was printed, logged and kept, and in Prefect's database. Prints what
was looked through; ends with 0 if nothing was found, 1 if something was or if the archive, as a control, lacks them.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flows.cli import main
from tests.client_data import KEPT, Database, Secrets, found_in, kept_in, read
from tests.flows.failing import STAGES
from tests.flows.inbox import ROOT, write_inbox
from tests.flows.spoiled import PLANTED, write_spoiled

FIRST, SECOND = "2026-12-01", "2026-12-02"
#: Somebody of the demo book.
PERSON = "P001"


@dataclass
class Place:
    """Something looked through: how much it is, and which secrets were found in it."""

    name: str
    count: str
    size: int
    found: list[str]


@dataclass
class Scan:
    """A book in `base`, what its commands said, and what was found where."""

    base: Path
    said: dict[str, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    secrets: frozenset[str] = frozenset()

    @property
    def out(self) -> Path:
        """Where the book is."""
        return self.base / "out"

    @property
    def failing(self) -> Path:
        """Where the runs are that fail."""
        return self.base / "failing"

    def start(self, *arguments: str | Path, module: str = "flows", ends: tuple[int, ...] = (0, 1)) -> None:
        """Start the command line as a process, and keep all it says."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=3600, check=False, env=_environment())
        self._note(arguments, (done.stdout + done.stderr).decode("utf-8", "replace"), done.returncode in ends)

    def ask(self, *arguments: str | Path, ends: tuple[int, ...] = (0, 1)) -> None:
        """Have the command line do something quick in this process, and keep all it says."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = main([str(argument) for argument in arguments])
        self._note(arguments, said.getvalue(), code in ends)

    def _note(self, arguments: tuple[str | Path, ...], said: str, as_it_should: bool) -> None:
        name = f"{len(self.said) + 1}. {' '.join(str(a) for a in arguments if not str(a).startswith('/'))[:60]}"
        print(f"  {name}", file=sys.stderr, flush=True)
        self.said[name] = said
        if not as_it_should:
            raise RuntimeError(f"{name} didn't end as it should:\n{said[-2000:]}")

    def look(self, name: str, count: str, *texts: str) -> None:
        """Look for every secret in `texts`."""
        found = sorted({secret for text in texts for secret in found_in(text, self.secrets)})
        self.places.append(Place(name, count, sum(len(text.encode()) for text in texts), found))


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ROTHBOOK_"))}
    slow = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "600"}  # a machine that has much else to do
    return own | slow | {"PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def live(scan: Scan, inbox: Path) -> None:
    """Two nights, every command, and a night that fails at each stage."""
    config = scan.base / "my.toml"
    config.write_text(f'[folders]\ninbox = "{inbox}"\nout = "{scan.out}"\nshared = "{scan.base}/shared"\n', "utf-8")
    (scan.base / "shared").mkdir()
    out, nightly = ("--out", scan.out), ("run", "--config", config, "--as-of")
    scan.start(*nightly, FIRST, "--verbose")
    scan.start(*nightly, SECOND, "--direct", "--log-json")
    scan.ask("check", "--lines", *sorted(p for p in inbox.iterdir() if p.is_file()))
    write_inbox(scan.base / "small")
    for stage in STAGES:
        failing = ("run", "--inbox", scan.base / "small", "--out", scan.failing, "--as-of", FIRST, "--log-json")
        scan.start(stage, *failing, module="tests.flows.failing", ends=(3,))
    scan.ask("protect", *out)
    for command in ("status", "doctor"):
        for style in ("text", "json"):
            scan.ask(command, "--config", config, "--format", style, ends=(0, 1, 2))
    scan.ask("overdue", "--config", config, ends=(0, 3))
    scan.ask("diff", "previous", "latest", *out)
    scan.ask("purge", *out)
    scan.ask("audit", "verify", *out)
    scan.ask("audit", "show", *out)
    scan.ask("explain", PERSON, *out)
    scan.ask("history", PERSON, *out)
    scan.ask("brief", PERSON, *out, "--to", scan.base / "brief.docx")
    scan.ask("explain", PLANTED[0], *out, ends=(2,))


def look(scan: Scan) -> None:
    """Look through everything."""
    scan.look("what commands printed", f"{len(scan.said)} commands", *scan.said.values())
    for kind in KEPT:
        texts = [text for out in (scan.out, scan.failing) for text in kept_in(out, what=[kind]).values()]
        scan.look(f"OUT: {kind}", f"{len(texts)} files", *texts)
    run = scan.out / "runs" / f"{FIRST}-001" / "results"
    told = pl.concat([pl.read_parquet(run / f"{name}.parquet", columns=["message"]) for name in ("rejects", "files")])
    messages = [str(message) for message in told["message"].drop_nulls()]
    scan.look("messages of set-aside rows and files", f"{len(messages):,} rows", "\n".join(messages))
    for what, out in (("nights", scan.out), ("failed runs", scan.failing)):
        path = next((out / "prefect").glob("*.db"))
        database = Database.of(path)
        artifacts = sum(line.startswith('INSERT INTO "artifact"') for line in database.text.splitlines())
        count = f"{database.tables} tables, {database.rows:,} rows ({artifacts} artifacts)"
        scan.look(f"Prefect's database: {what}", count, database.text)
        rest = [p for p in sorted((out / "prefect").rglob("*")) if p.is_file() and not p.name.startswith(path.name)]
        scan.look(f"Prefect's other files: {what}", f"{len(rest)} files", *map(read, rest))


def control(scan: Scan, secrets: Secrets) -> Iterator[str]:
    """What the archive, where they belong, holds of each kind; the scan would be blind without."""
    archive = [read(path) for path in sorted((scan.out / "archive").iterdir())]
    for kind, some in {**secrets.kinds(), "planted": frozenset(PLANTED)}.items():
        there = {secret for text in archive for secret in found_in(text, some)}
        scan.look(f"control: {kind} in the archive", f"{len(archive)} files")
        scan.places[-1].found = sorted(there)
        yield f"{len(some)} {kind}" if kind != "tax ids" else f"{len(some)} spellings of tax ids"


def table(scan: Scan) -> str:
    """What was looked through, and how much was found."""
    lines = [f"{'where':<40} {'what':<44} {'bytes':>12} {'found':>6}"]
    lines += [f"{p.name:<40} {p.count:<44} {p.size or '':>12} {len(p.found):>6}" for p in scan.places]
    return "\n".join(lines)


def show() -> int:
    """Make the book, look through it, and say what was seen."""
    with tempfile.TemporaryDirectory(prefix="rothbook-scan-") as folder:
        scan = Scan(Path(folder))
        inbox = write_spoiled(scan.base / "inbox")
        live(scan, inbox)
        secrets = Secrets.of(inbox, scan.out / "latest" / "canonical")
        scan.secrets = secrets.every | frozenset(PLANTED)
        look(scan)
        looked = len(scan.places)
        kinds = list(control(scan, secrets))
        print(f"looked for: {', '.join(kinds)}\n\n{table(scan)}\n")
        told = {place.name: place.found for place in scan.places[:looked] if place.found}
        blind = [place.name for place in scan.places[looked:] if not place.found]
        if told or blind:
            print(json.dumps({"found": told, "control failed": blind}, indent=1))
        print("nothing was found" if not told and not blind else "FOUND: see above")
        return int(bool(told or blind))


if __name__ == "__main__":
    sys.exit(show())
