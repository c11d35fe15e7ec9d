"""An advisor's workbook that would come out the same is taken from the run before, not written again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reports import Earlier, write_workbooks
from reports import workbooks as written_by
from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles, money, small_book

ASKED = {"as_of": AS_OF, "tax_years": [2026], "fingerprint": FINGERPRINT, "version": "0.1.0", "firm": "f"}
#: A later run of the same day has another fingerprint: other files were in the book.
LATER = {**ASKED, "fingerprint": "9" * 64}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "workbooks").glob("*.xlsx"))}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Earlier:
    folder = tmp_path_factory.mktemp("first")
    written = write_workbooks(small_book().write(folder), **ASKED)
    assert not any(one.taken for one in written)
    return Earlier({w.path.name: w.fingerprint for w in written if w.fingerprint}, files(folder).get)


def taken(earlier: Earlier | None, run: RunFiles, folder: Path, **asked: Any) -> set[str]:
    written = write_workbooks(run.write(folder), **{**LATER, **asked}, earlier=earlier)
    return {one.path.name for one in written if one.taken}


def test_what_is_taken_has_the_bytes_it_would_be_written_with(first: Earlier, tmp_path: Path) -> None:
    assert taken(first, small_book(), tmp_path / "taken") == {"A1.xlsx", "B7.xlsx"}
    assert taken(None, small_book(), tmp_path / "written") == set()
    assert files(tmp_path / "taken") == files(tmp_path / "written")
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "taken" / "workbooks").iterdir())


def test_only_the_advisor_whose_client_changed_gets_another_workbook(first: Earlier, tmp_path: Path) -> None:
    changed = small_book()
    changed.finding("f99", "P1", "A1", amount=money("99.00"), rank=0)
    assert taken(first, changed, tmp_path / "taken") == {"B7.xlsx"}
    assert taken(None, changed, tmp_path / "written") == set()
    assert files(tmp_path / "taken") == files(tmp_path / "written")


def test_a_file_more_that_changes_nobody_writes_nothing_again(first: Earlier, tmp_path: Path) -> None:
    more = small_book()
    more.rows["files"].append({**more.rows["files"][-1], "sha256": "e" * 64, "file_name": "persons-2.csv"})
    assert taken(first, more, tmp_path) == {"A1.xlsx", "B7.xlsx"}


@pytest.mark.parametrize(
    "other", [{"as_of": date(2026, 11, 25)}, {"tax_years": [2025, 2026]}, {"version": "0.2.0"}, {"firm": "another"}]
)
def test_another_day_year_version_or_firm_is_another_workbook(
    first: Earlier, tmp_path: Path, other: dict[str, Any]
) -> None:
    assert taken(first, small_book(), tmp_path, **other) == set()


def test_one_that_was_changed_or_is_gone_is_written_again(first: Earlier, tmp_path: Path) -> None:
    gone = Earlier(first.fingerprints, lambda name: None if name == "A1.xlsx" else first.read(name))
    assert taken(gone, small_book(), tmp_path) == {"B7.xlsx"}
    assert files(tmp_path)["A1.xlsx"] == first.read("A1.xlsx")


def test_nothing_is_laid_out_for_a_workbook_that_is_taken(
    first: Earlier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[str] = []
    fill = written_by.fill_advisor
    monkeypatch.setattr(
        written_by, "fill_advisor", lambda book, own, advisor, footer: laid_out.append(advisor.advisor_id) or fill(
            book, own, advisor, footer))  # fmt: skip
    taken(Earlier({"A1.xlsx": first.fingerprints["A1.xlsx"]}, first.read), small_book(), tmp_path)
    assert laid_out == ["B7"]
