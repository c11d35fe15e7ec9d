"""What a command imports before it is needed: start-up time, without a clock in a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.inbox import ROOT

HEAVY = {
    "pydantic", "polars", "duckdb", "pyarrow", "pandera", "prefect", "structlog", "rich", "openpyxl", "docx", "splink",
    "ofxtools", "cryptography",
}  # fmt: skip


def _imported(script: str, *arguments: str) -> set[str]:
    """Top-level names of the packages a new process has imported after the script."""
    told = "\nprint('\\n' + json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    command = [sys.executable, "-c", f"import json, sys\n{script}{told}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_no_help_imports_anything_heavy() -> None:
    imported = _imported(
        "import contextlib, flows.cli\n"
        "commands = next(a.choices for a in flows.cli._parser()._actions if isinstance(a.choices, dict))\n"
        "assert len(commands) > 10\n"
        "for asked in ([], *([name] for name in commands)):\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        flows.cli.main([*asked, '--help'])\n"
    )
    assert "flows" in imported
    assert not imported & HEAVY


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        pytest.param("advisor_id,advisor_name\nA1,One\n", {"polars", "pandera"}, id="house"),
        pytest.param("OFXHEADER:100\n\n<OFX></OFX>\n", {"polars", "ofxtools"}, id="OFX"),
    ],
)
def test_check_imports_what_the_file_needs(tmp_path: Path, text: str, needs: set[str]) -> None:
    file = tmp_path / "file.txt"
    file.write_text(text, encoding="utf-8")
    imported = _imported("import flows.cli\nflows.cli.main(['check', sys.argv[1]])", str(file))
    assert needs <= imported
    unneeded = {"prefect", "structlog", "rich", "openpyxl", "docx", "splink", "ofxtools", "pydantic_settings"}
    assert not imported & (unneeded - needs)
