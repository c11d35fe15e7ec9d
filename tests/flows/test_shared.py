"""The shared folder over nights: a workbook is put there, marked, taken in, and the next one put in its place."""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from flows import pipeline, shared, summary
from flows.errors import UsageError
from tests.flows.inbox import SECRETS, rothbook, write_inbox
from tests.marked import answered, shown

YEARS = (2026,)


class Office:
    """An inbox, an OUT and a shared folder, night after night."""

    def __init__(self, root: Path) -> None:
        self.inbox, self.out, self.shared = write_inbox(root / "inbox", bad_row=True), root / "out", root / "shared"
        self.shared.mkdir()

    def night(self, as_of: str) -> Path:
        """One direct run with the shared folder; returns the published run."""
        day = date.fromisoformat(as_of)
        return pipeline.run_direct(pipeline.plan(self.inbox, self.out, day, YEARS, 0, shared=self.shared))

    @property
    def workbook(self) -> Path:
        return self.shared / "ADV1" / "ADV1.xlsx"

    def names(self) -> list[str]:
        return sorted(p.relative_to(self.shared).as_posix() for p in self.shared.rglob("*") if p.is_file())

    def finding(self) -> str:
        """The first finding with dollars or without, by its id in the newest run."""
        found = pl.read_parquet(self.out / "latest/results/findings.parquet").sort("rank")
        return str(found.filter(pl.col("advisor_id") == "ADV1", pl.col("status") != "resolved")["finding_id"][0])


def facts(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_marked_in_the_folder_and_shown_in_the_next_workbook(office: Office) -> None:
    first = office.night("2026-12-01")
    assert office.names() == ["ADV1/ADV1.xlsx"]
    assert office.workbook.read_bytes() == (first / "workbooks/ADV1.xlsx").read_bytes()
    finding_id = office.finding()
    office.workbook.write_bytes(answered(office.workbook, {finding_id: {"status": "waiting", "note": "Quackenbush"}}))
    (office.shared / "ADV1" / "my own.xlsx").write_bytes(_own())
    second = office.night("2026-12-02")
    row = shown(load_workbook(office.workbook)["Exceptions"], finding_id)
    assert (row["Your status"], row["Note"]) == ("waiting", "Quackenbush")
    assert office.names() == ["ADV1/ADV1.xlsx", "ADV1/my own.xlsx"]
    marks = pl.read_parquet(second / "results/marks.parquet").row(0, named=True)
    assert (marks["marked_in"], marks["workbook_as_of"]) == ("shared/ADV1/ADV1.xlsx[Exceptions]", date(2026, 12, 1))
    assert (facts(second)["returned"], facts(second)["placed"]["written"]) == (1, 1)
    said = summary.text(second)
    assert "changed workbooks taken in: 1" in said
    assert [secret for secret in SECRETS if secret in said + (second / "run.json").read_text()] == []
    # nothing was changed since: nothing is taken in
    assert facts(office.night("2026-12-03"))["returned"] == 0


def _own() -> bytes:
    import io

    book, out = Workbook(), io.BytesIO()
    book.active.append(["person_id", "tax_year", "basis"])
    book.active.append(["P1", 2024, 99999])
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("lock", ["~$ADV1.xlsx", ".~lock.ADV1.xlsx#"])
def test_a_workbook_that_is_open_is_read_but_not_overwritten(office: Office, lock: str) -> None:
    office.night("2026-12-01")
    data = answered(office.workbook, {office.finding(): {"status": "waiting"}})
    office.workbook.write_bytes(data)
    (office.workbook.parent / lock).write_bytes(b"Ada")
    run = office.night("2026-12-02")
    assert office.workbook.read_bytes() == data
    assert office.names() == sorted([f"ADV1/{lock}", "ADV1/ADV1 2026-12-02.xlsx", "ADV1/ADV1.xlsx"])
    assert facts(run)["placed"]["beside"] == ["ADV1/ADV1 2026-12-02.xlsx"]
    assert "ADV1 2026-12-02.xlsx" in summary.text(run)
    assert pl.read_parquet(run / "results/marks.parquet")["status"].to_list() == ["waiting"]
    # closed again and read whole: its own name is Rothbook's again
    (office.workbook.parent / lock).unlink()
    run = office.night("2026-12-03")
    assert office.workbook.read_bytes() == (run / "workbooks/ADV1.xlsx").read_bytes()


def test_a_workbook_changed_while_the_run_went_on_is_not_overwritten(office: Office) -> None:
    run = office.night("2026-12-01")
    office.workbook.write_bytes(answered(office.workbook, {office.finding(): {"status": "waiting"}}))
    placed = shared.place(run, office.shared, office.out, date(2026, 12, 1))
    assert placed.beside == ["ADV1/ADV1 2026-12-01.xlsx"]
    beside = office.shared / "ADV1/ADV1 2026-12-01.xlsx"
    beside.write_bytes(office.workbook.read_bytes())
    placed = shared.place(run, office.shared, office.out, date(2026, 12, 1))
    assert placed.beside == ["ADV1/ADV1 2026-12-01 (2).xlsx"]
    # both are taken in by the next run, under their own names
    assert sorted(shared.returned(office.shared, office.out)) == [
        "shared/ADV1/ADV1 2026-12-01.xlsx", "shared/ADV1/ADV1.xlsx",
    ]  # fmt: skip


def test_a_workbook_with_a_mark_that_could_not_be_read_is_left_to_its_advisor(office: Office) -> None:
    office.night("2026-12-01")
    data = answered(office.workbook, {office.finding(): {"status": "finished"}})
    office.workbook.write_bytes(data)
    run = office.night("2026-12-02")
    assert office.workbook.read_bytes() == data
    assert facts(run)["placed"]["beside"] == ["ADV1/ADV1 2026-12-02.xlsx"]
    problems = load_workbook(office.shared / "ADV1/ADV1 2026-12-02.xlsx")["Data problems"]
    cells = [c for row in problems.iter_rows(values_only=True) for c in row if isinstance(c, str)]
    assert any("expected one of to do, in progress" in c for c in cells)


def test_a_workbook_somebody_locked_with_a_password_is_told(office: Office) -> None:
    office.night("2026-12-01")
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    office.workbook.write_bytes(locked)
    run = office.night("2026-12-02")
    assert "workbook_encrypted" in pl.read_parquet(run / "results/rejects.parquet")["rule"].to_list()
    assert office.workbook.read_bytes() == locked
    assert office.names() == ["ADV1/ADV1 2026-12-02.xlsx", "ADV1/ADV1.xlsx"]


def test_a_folder_that_is_not_there_stops_no_night(office: Office) -> None:
    office.shared.rmdir()
    run = office.night("2026-12-01")
    assert (office.out / "latest").resolve() == run
    said = summary.text(run)
    assert "the folder couldn't be read (No such file or directory); its marks wait" in said
    assert "failed to put the workbooks into the shared folder" in said


def test_a_workbook_that_can_not_be_written_is_told_and_the_others_are_there(office: Office) -> None:
    (office.shared / "ADV1").write_bytes(b"a file where a folder should be")
    run = office.night("2026-12-01")
    assert facts(run)["placed"]["written"] == 0
    assert [name.split(" (")[0] for name in facts(run)["placed"]["failed"]] == ["ADV1/ADV1.xlsx"]
    assert "not put there: ADV1/ADV1.xlsx" in summary.text(run)
    assert facts(run)["exit_code"] == 1  # for the bad row, not for the folder


def test_links_and_hidden_files_are_not_followed(office: Office, tmp_path: Path) -> None:
    office.night("2026-12-01")
    outside = tmp_path / "outside.xlsx"
    outside.write_bytes(office.workbook.read_bytes() + b" ")
    (office.shared / "ADV1" / "link.xlsx").symlink_to(outside)
    (office.shared / "linked").symlink_to(tmp_path)
    (office.shared / ".hidden").mkdir()
    (office.shared / ".hidden" / "a.xlsx").write_bytes(office.workbook.read_bytes() + b" ")
    assert shared.returned(office.shared, office.out) == {}


def test_what_was_put_there_is_as_readable_as_the_folder(office: Office) -> None:
    office.shared.chmod(0o750)
    office.night("2026-12-01")
    assert stat.S_IMODE(office.workbook.stat().st_mode) == 0o640
    assert stat.S_IMODE(office.workbook.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE((office.out / "state" / shared.STATE).stat().st_mode) == 0o600


def test_without_the_state_what_lies_there_is_taken_in_and_marks_nothing(office: Office) -> None:
    office.night("2026-12-01")
    (office.out / "state" / shared.STATE).write_text("not json", encoding="utf-8")
    run = office.night("2026-12-02")
    assert facts(run)["returned"] == 1
    assert pl.read_parquet(run / "results/marks.parquet").is_empty()
    put = json.loads((office.out / "state" / shared.STATE).read_text(encoding="utf-8"))
    assert put == {"ADV1/ADV1.xlsx": hashlib.sha256(office.workbook.read_bytes()).hexdigest()}


@pytest.mark.parametrize("where", ["inbox", "inbox/inside", "out", "."])
def test_a_shared_folder_inside_another_is_refused(office: Office, where: str) -> None:
    folder = office.inbox.parent / where
    with pytest.raises(UsageError, match="folders apart"):
        pipeline.plan(office.inbox, office.out, date(2026, 12, 1), YEARS, shared=folder)


def test_a_shared_folder_that_is_a_file_is_refused(office: Office) -> None:
    done = rothbook("run", "--inbox", office.inbox, "--out", office.out, "--shared", office.inbox / "basis.csv")
    assert done.returncode == 2
    assert "--shared must name a folder" in done.stderr


def test_the_configuration_names_the_folder(tmp_path: Path) -> None:
    from flows import config, deployments, operations

    text = config.DEFAULT.read_text(encoding="utf-8").replace('out = "out"', f'out = "out"\nshared = "{tmp_path}"', 1)
    (tmp_path / "my.toml").write_text(text, encoding="utf-8")
    settings = config.load(tmp_path / "my.toml")
    assert settings.folders.shared == tmp_path
    assert deployments.parameters(operations.of(settings))["shared"] == str(tmp_path.resolve())
    assert deployments.parameters(operations.of(config.load()))["shared"] is None
