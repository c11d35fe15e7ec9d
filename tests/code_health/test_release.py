"""What `make release` says it is made of is what is locked, and says the same every time."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.code_health.test_tree import ROOT


def listed(target: Path) -> bytes:
    command = [
        *(Path(sys.executable).with_name("cyclonedx-py"), "requirements", "--pyproject", "pyproject.toml"),
        *("--output-reproducible", "--short-PURLs", "--output-format", "JSON", "--output-file", target),
        "requirements.lock",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return target.read_bytes()


def test_the_list_of_packages_is_the_lock(tmp_path: Path) -> None:
    once = listed(tmp_path / "once.json")
    assert listed(tmp_path / "twice.json") == once
    told = json.loads(once)
    found = {f"{c['name']}=={c['version']}" for c in told["components"]}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?(==[^\s;]+)", lock, flags=re.MULTILINE)
    assert found == {"".join(pin) for pin in pinned}
    assert len(pinned) == sum(not line.startswith(" ") for line in lock.splitlines())
    assert all(c["externalReferences"][0]["hashes"] for c in told["components"])
    assert told["metadata"]["component"]["name"] == "rothbook"


def test_the_makefile_makes_it_the_same_way() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n\t\t", "")
    assert (
        "cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --short-PURLs"
        " --output-format JSON --output-file dist/sbom.json requirements.lock"
    ) in makefile
