"""A second run of a day writes only the workbooks that would come out otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from tests.flows.inbox import write_inbox
from transforms import keys
from transforms.passwords import unlocked

#: Another advisor's client, of whom the first advisor's workbook says nothing.
MORE = {
    "advisors-2.csv": "advisor_id,advisor_name,email,rep_codes\nADV2,Advisor Two,,R2\n",
    "persons-2.csv": "person_id,household_id,advisor_id,given_name,family_name\nP2,H2,ADV2,Ada,Moss\n",
}
PASSWORD = "a password only for tests"


def run(base: Path) -> dict[str, Any]:
    where = ["--inbox", str(base / "inbox"), "--out", str(base / "out")]
    assert main(["run", "--direct", *where, "--as-of", "2027-05-01", "--tax-year", "2026"]) == 0
    return json.loads((base / "out/latest/run.json").read_text(encoding="utf-8"))


def workbook(base: Path, name: str) -> Path:
    return base / "out/latest/workbooks" / name


def test_the_same_workbook_is_taken_and_one_somebody_saved_is_not(tmp_path: Path) -> None:
    write_inbox(tmp_path / "inbox")
    first = run(tmp_path)
    written = workbook(tmp_path, "ADV1.xlsx").read_bytes()
    for name, text in MORE.items():
        (tmp_path / "inbox" / name).write_text(text, encoding="utf-8")
    second = run(tmp_path)
    assert second["fingerprint"] != first["fingerprint"]
    assert (first["workbooks_taken"], second["workbooks_taken"]) == (0, 1)
    assert workbook(tmp_path, "ADV1.xlsx").read_bytes() == written
    assert workbook(tmp_path, "ADV2.xlsx").exists()
    workbook(tmp_path, "ADV1.xlsx").write_bytes(written + b"saved by somebody")
    assert run(tmp_path)["workbooks_taken"] == 1  # of the second advisor
    assert workbook(tmp_path, "ADV1.xlsx").read_bytes() == written


def test_a_locked_workbook_is_opened_taken_and_locked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.PASSWORD_VARIABLE, PASSWORD)
    write_inbox(tmp_path / "inbox")
    assert main(["protect", "--out", str(tmp_path / "out"), "--workbook-passwords", "environment"]) == 0
    run(tmp_path)
    written = workbook(tmp_path, "ADV1.xlsx").read_bytes()
    assert run(tmp_path)["workbooks_taken"] == 1
    again = workbook(tmp_path, "ADV1.xlsx").read_bytes()
    assert again != written
    assert unlocked(again, [PASSWORD]) == unlocked(written, [PASSWORD])
    monkeypatch.setenv(keys.PASSWORD_VARIABLE, PASSWORD + " of today")
    assert run(tmp_path)["workbooks_taken"] == 0
