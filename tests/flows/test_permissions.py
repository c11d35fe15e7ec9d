"""Whatever the umask of whoever starts it: every file of OUT is its owner's alone, as it is made and afterwards."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

from tests.flows.inbox import ROOT, write_inbox


def others_may(out: Path) -> set[str]:
    """Everything in `out`, itself included, that somebody else may read, write or enter right now."""
    found = set()
    for path in (out, *out.rglob("*")):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue  # a temporary file
        if not stat.S_ISLNK(mode) and stat.S_IMODE(mode) & 0o077:
            found.add(f"{stat.filemode(mode)} {path.relative_to(out)}")
    return found


def rothbook(*arguments: str | Path) -> int:
    command = [sys.executable, "-m", "flows", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, umask=0o022, capture_output=True, timeout=300, check=False).returncode


def test_every_file_and_folder_is_private_all_the_time(tmp_path: Path) -> None:
    inbox, out, over = write_inbox(tmp_path / "inbox", bad_row=True), tmp_path / "out", threading.Event()
    seen: set[str] = set()

    def watch() -> None:
        while not over.wait(0.02):
            if out.exists():
                seen.update(others_may(out))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with_prefect = ("--inbox", inbox, "--out", out, "--as-of", "2027-05-01", "--tax-year", "2026")
        assert rothbook("run", *with_prefect) == 1
        assert rothbook("brief", "P1", "--out", out, "--to", out / "brief.docx") == 0
        assert rothbook("protect", "--out", out) == 0
    finally:
        over.set()
        watching.join()
    assert {p.name for p in out.iterdir()} >= {
        ".lock",
        "archive",
        "brief.docx",
        "prefect",
        "quarantine",
        "runs",
        "state",
    }
    kinds = {p.suffix for p in out.rglob("*") if p.is_file()}
    assert kinds >= {".csv", ".db", ".docx", ".duckdb", ".json", ".key", ".parquet", ".xlsx"}
    assert seen == set()
    assert others_may(out) == set()
