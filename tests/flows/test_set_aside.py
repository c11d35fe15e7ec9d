"""From exit code 1 to exit code 0: the row fixed in the workbook that the summary names, and dropped into the inbox."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from openpyxl import load_workbook

from tests.flows.inbox import SECRETS, run, write_inbox


def test_a_row_fixed_in_the_workbook_is_accepted_by_the_next_run(tmp_path: Path) -> None:
    inbox, out = write_inbox(tmp_path / "inbox", bad_row=True), tmp_path / "out"
    code, said = run(inbox, out)
    assert code == 1
    assert "set aside:  1 row: 1 not_a_date" in said
    assert "7 in the book: 6 read whole, 1 with lines that can't be read, 0 set aside whole" in said
    made = out / "latest" / "workbooks" / "_set_aside.xlsx"
    assert str(made) in said
    workbook = load_workbook(made)
    header, row = workbook["Fix here"].iter_rows(max_row=2)
    cells = dict(zip([cell.value for cell in header], row, strict=True))
    assert cells["column_name"].value == "trade_date"
    for name, value in (("corrected_value", "2026-03-02"), ("fixed_by", "Ops"), ("fixed_on", date(2027, 4, 30))):
        cells[name].value = value
    for path in inbox.iterdir():
        path.unlink()
    workbook.save(inbox / "fixed.xlsx")
    code, said = run(inbox, out, as_of="2027-05-02")
    assert (code, "set aside:  no rows" in said) == (0, True), said
    assert not (out / "latest" / "workbooks" / "_set_aside.xlsx").exists()
    assert [secret for secret in SECRETS if secret in said] == []
