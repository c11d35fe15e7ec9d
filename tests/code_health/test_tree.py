"""Facts about the tree itself that no other test would notice breaking."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import flows
import limits
import schemas
from limits import load

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.mark.parametrize("package", [limits, schemas, flows], ids=lambda p: p.__name__)
def test_the_packages_are_ours_not_the_registry_s(package: object) -> None:
    assert Path(str(package.__file__)).is_relative_to(ROOT)  # type: ignore[attr-defined]


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == flows.__version__
    assert f"## {flows.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("module", "home"), [("prefect", "flows"), ("openpyxl", "reports"), ("docx", "reports")])
def test_a_library_stays_in_its_package(module: str, home: str) -> None:
    importing = set()
    for path in tracked("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.split(".")[0] == module for name in names):
                importing.add(path.relative_to(ROOT).parts[0])
    assert importing <= {home, "tests", "benchmarks"}


@pytest.mark.parametrize("year", load.years())
def test_every_year_has_every_figure(year: int) -> None:
    figures = {y: {(v.key, v.filing_status) for v in load.for_year(y).limits} for y in load.years()}
    expected = {f for known in figures.values() for f in known if load.FIRST_YEAR.get(f[0], 0) <= year}
    assert figures[year] == expected
    assert all(v.authority and v.how_verified for v in load.for_year(year).limits)


def test_no_year_is_missing_in_between() -> None:
    assert load.years() == tuple(range(load.years()[0], load.years()[-1] + 1))


def test_no_registry_host_and_no_path_of_a_machine_in_the_tree() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted", "np" + "mjs", "deb." + "debian")
    paths = ("/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/")
    told = re.compile("|".join(map(re.escape, hosts + paths)))
    text = [p for p in tracked() if p.suffix not in {".png", ".xlsx", ".parquet"}]
    assert [p for p in text if told.search(p.read_text(encoding="utf-8", errors="replace"))] == []


def test_every_package_is_pinned_with_its_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").strip().splitlines()
        assert entries
        assert [e for e in entries if "==" not in e or "--hash=sha256:" not in e] == []
