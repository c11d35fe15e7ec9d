"""Five nights of an advisor's marks: written into the workbook, read back, shown, put aside, contested and returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from reports import write_workbooks
from reports.marks import ENTRIES
from schemas.marks import FINDING_ID, MARK_STATUSES
from tests.intake.nights import KEY, Book
from tests.marked import Answer, answered, columns, day, header_row, shown
from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles
from transforms.engine import compute
from transforms.intake import firm_fingerprint

PEOPLE = {"P1": ("Ada", "Quillfeather"), "P2": ("Bruno", "Marchetti"), "P3": ("Clea", "Ravenscroft")}


def _rows(header: str, row: str) -> str:
    return "\n".join(
        [header, *(row.format(p=p, given=given, family=family) for p, (given, family) in PEOPLE.items()), ""]
    )


def _balances(as_of: str, p1: int = 90_000) -> str:
    pools = {"P1": p1, "P2": 90_000, "P3": 90_000}
    rows = [f"testcust,88770055{p}T,{as_of},{value}\ntestcust,88770055{p}R,{as_of},7500" for p, value in pools.items()]
    return "\n".join(["custodian,account_number,as_of,market_value", *rows, ""])


#: Three clients who each paid in and converted $7,500 with $90,000 of pre-tax money in the pool.
FILES = {
    "advisors.csv": "advisor_id,advisor_name,email,rep_codes\nADV1,Advisor One,,R1\n",
    "persons.csv": _rows("person_id,household_id,advisor_id,given_name,family_name,birth_date",
                         "{p},H{p},ADV1,{given},{family},1986-06-15"),
    "profiles.csv": _rows("person_id,tax_year,filing_status,roth_magi,deduction_magi,compensation,active_participant,"
                          "all_iras_reported", "{p},2026,single,900000,900000,900000,true,true"),
    "basis.csv": _rows("person_id,tax_year,basis,source", "{p},2025,0,filed 8606"),
    "accounts.csv": _rows("custodian,account_number,account_type,person_id",
                          "testcust,88770055{p}T,rollover_ira,{p}\ntestcust,88770055{p}R,roth_ira,{p}"),
    "balances.csv": _balances("2026-09-30"),
    "transactions.csv": _rows(
        "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,counter_account_number",
        "testcust,88770055{p}T,{p}1,2026-02-01,contribution,7500,2026,\n"
        "testcust,88770055{p}T,{p}2,2026-02-10,roth_conversion_out,7500,,88770055{p}R\n"
        "testcust,88770055{p}R,{p}3,2026-02-10,roth_conversion_in,7500,,88770055{p}T",
    ),
}  # fmt: skip


@dataclass
class Nights:
    """Runs of one book, each knowing the one before."""

    book: Book
    runs: list[Path] = field(default_factory=list)

    def night(self, as_of: str, files: Mapping[str, str | bytes] | None = None) -> Path:
        for name, content in (files or {}).items():
            self.book.drop(name, content)
        taken = self.book.night(as_of)
        run = self.book.root / f"run-{as_of}"
        run.mkdir()
        taken.canonical.rename(run / "canonical")
        compute(
            run / "canonical", run, as_of=day(as_of), tax_years=[2026], previous=self.runs[-1] if self.runs else None
        )
        write_workbooks(run, as_of=day(as_of), tax_years=[2026], fingerprint="0" * 64, version="0.1.0",
                        firm=firm_fingerprint(KEY))  # fmt: skip
        self.book.clear()
        self.runs.append(run)
        return run

    @property
    def path(self) -> Path:
        """The newest workbook of the advisor."""
        return self.runs[-1] / "workbooks" / "ADV1.xlsx"

    def filled(self, answers: Mapping[str, Answer], saved_by: str = "Ada") -> bytes:
        """The newest workbook with marks by person."""
        return answered(self.path, {self.ids()[p]: answer for p, answer in answers.items()}, saved_by=saved_by)

    def ids(self) -> dict[str, str]:
        """The finding of each person, all of one rule."""
        found = self.table("findings").filter(pl.col("rule") == "conversion_taxed_pro_rata")
        return dict(found.select("person_id", "finding_id").iter_rows())

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.runs[-1] / "results" / f"{name}.parquet")

    def row(self, person: str) -> dict[str, Any]:
        return shown(load_workbook(self.path)["Exceptions"], self.ids()[person])

    def order(self) -> list[str]:
        """The three findings' persons as they stand on Exceptions, and everything else as a dot."""
        sheet = load_workbook(self.path)["Exceptions"]
        place, whose = columns(sheet)[FINDING_ID], {f: p for p, f in self.ids().items()}
        ids = [sheet.cell(r, place).value for r in range(header_row(sheet) + 1, sheet.max_row + 1)]
        return [whose.get(finding_id, ".") for finding_id in ids]

    def first_page(self) -> str:
        book = load_workbook(self.path)
        return "\n".join(str(c) for row in book[book.sheetnames[0]].iter_rows(values_only=True) for c in row)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(Book(tmp_path))


def test_five_nights(nights: Nights) -> None:
    """7,500 of basis over 97,500: 6,923.08 taxable; with 7,500 left in the pool 7,500 x 7,500 / 15,000, so 3,750."""
    nights.night("2026-10-01", FILES)
    assert nights.row("P1")["Dollars"] == 6923.08
    assert set(PEOPLE) <= set(nights.order())

    # night 2: three marks come back; one is dismissed, one snoozed, one in progress
    back = nights.filled({
        "P1": {"status": "dismissed", "note": "She'd rather pay."},
        "P2": {"status": "waiting", "owner": "Bo", "snooze_until": day("2026-10-04")},
        "P3": {"status": "in progress", "note": "=1+1"},
    })  # fmt: skip
    nights.night("2026-10-02", {"ADV1.xlsx": back})
    assert nights.order()[-2:] == ["P1", "P2"] or nights.order()[-2:] == ["P2", "P1"]
    assert nights.row("P1")["About your mark"] == "Put aside on October 2, 2026 by Ada: dismissed"
    assert nights.row("P2")["About your mark"] == "Put aside on October 2, 2026 by Ada: snoozed until October 4, 2026"
    assert [nights.row("P3")[c.header] for c in ENTRIES] == ["in progress", None, "=1+1", None, None]
    first_page = nights.first_page()
    assert "Clea Ravenscroft" in first_page
    assert "Ada Quillfeather" not in first_page
    assert "Bruno Marchetti" not in first_page

    # night 3: two people answered differently in two copies; the dollars of the dismissed one moved
    files = {
        "ADV1.xlsx": nights.filled({"P3": {"status": "done"}}, "Ada"),
        "copy of ADV1.xlsx": nights.filled({"P3": {"status": "waiting", "note": "asked the CPA"}}, "Bo"),
        "balances.csv": _balances("2026-10-02", p1=7_500),
    }
    nights.night("2026-10-03", files)
    told = nights.row("P3")["About your mark"]
    assert told.startswith('Two answers: waiting, "asked the CPA" counts until somebody answers; also done, "=1+1" [')
    assert "saved by Ada" in told
    assert nights.row("P3")["Your status"] == "waiting"
    problems = load_workbook(nights.path)["Data problems"]
    assert any("Two answers" in str(c) for row in problems.iter_rows(values_only=True) for c in row)
    again = nights.row("P1")
    assert (again["Your status"], again["Note"], again["Dollars"]) == (None, "She'd rather pay.", 3750)
    assert again["About your mark"] == (
        "Back, because its dollars moved from $6,923.08 to $3,750. It was dismissed by Ada on October 2, 2026"
    )
    assert nights.order()[-1] == "P2"
    assert "Ada Quillfeather" in nights.first_page()

    # night 4: one answer settles it, the other is dismissed again at the new dollars; the snooze date has come
    back = nights.filled({"P3": {"status": "done"}, "P1": {"status": "dismissed"}})
    nights.night("2026-10-04", {"ADV1.xlsx": back})
    assert sorted(nights.order()[-2:]) == ["P1", "P3"]
    assert "Two answers" not in str(nights.row("P3")["About your mark"])
    second = nights.row("P2")
    assert (second["Your status"], second["Owner"], second["Snooze until"]) == ("waiting", "Bo", None)
    assert "the day it was snoozed until, October 4, 2026, has come" in second["About your mark"]

    # night 5: the last one is done; nothing that was ever marked is lost
    nights.night("2026-10-05", {"ADV1.xlsx": nights.filled({"P2": {"status": "done"}}, "Bo")})
    assert sorted(nights.order()[-3:]) == ["P1", "P2", "P3"]
    history = nights.table("mark_history").sort("person_id", "received_at", "status")
    assert history.select("person_id", "status", "marked_by", "became").rows() == [
        ("P1", "dismissed", "Ada", "replaced"), ("P1", "dismissed", "Ada", "in force"),
        ("P2", "waiting", "Ada", "replaced"), ("P2", "done", "Bo", "in force"),
        ("P3", "in progress", "Ada", "replaced"), ("P3", "done", "Ada", "replaced"),
        ("P3", "waiting", "Bo", "replaced"), ("P3", "done", "Ada", "in force"),
    ]  # fmt: skip
    assert history["received_at"].to_list() == [
        date(2026, 10, d) for d in (2, 4, 2, 5, 2, 3, 3, 4)
    ]  # fmt: skip
    assert nights.table("marks").select("finding_id", "conflict").filter(pl.col("conflict").list.len() > 0).is_empty()
    assert nights.table("rejects").is_empty()


def test_the_same_marks_give_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        nights = Nights(Book(tmp_path / name))
        nights.night("2026-10-01", FILES)
        back = nights.filled({"P1": {"status": "dismissed"}}) if not found else found[0][2]
        nights.night("2026-10-02", {"ADV1.xlsx": back})
        found.append((nights.path.read_bytes(), nights.table("marks"), back))
    assert found[0][0] == found[1][0]
    assert found[0][1].equals(found[1][1])


def test_the_columns_offer_what_is_read_back(nights: Nights) -> None:
    nights.night("2026-10-01", FILES)
    sheet = load_workbook(nights.path)["Exceptions"]
    lists = [v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"]
    assert f'"{",".join(MARK_STATUSES)}"' in lists
    assert [v.type for v in sheet.data_validations.dataValidation].count("date") == 1


def test_a_client_who_moved_takes_the_marks_along(nights: Nights) -> None:
    nights.night("2026-10-01", FILES)
    back = nights.filled({"P1": {"status": "dismissed", "note": "no"}, "P2": {"status": "dismissed"}})
    moved = {
        "advisors.csv": "advisor_id,advisor_name\nADV1,Advisor One\nADV2,Advisor Two\n",
        "persons.csv": FILES["persons.csv"].replace("P1,HP1,ADV1", "P1,HP1,ADV2"),
    }
    nights.night("2026-10-02", {"ADV1.xlsx": back, **moved})
    there = load_workbook(nights.path.with_name("ADV2.xlsx"))
    row = shown(there["Exceptions"], nights.ids()["P1"])
    assert (row["Your status"], row["Note"]) == ("dismissed", "no")
    here = load_workbook(nights.path)
    assert "Quillfeather" not in _text(here)
    # the old advisor still marks in the copy they have: it is read, and a conflict is told to the new one
    late = answered(nights.runs[0] / "workbooks/ADV1.xlsx", {nights.ids()["P1"]: {"status": "to do"}})
    nights.night("2026-10-03", {"late.xlsx": late})
    there = load_workbook(nights.path.with_name("ADV2.xlsx"))
    assert "Two answers" in _text(there)
    assert "Quillfeather" not in _text(load_workbook(nights.path))


def _text(book: Workbook) -> str:
    return "\n".join(str(c) for sheet in book for row in sheet.iter_rows(values_only=True) for c in row)


def test_what_is_put_aside_is_off_the_first_page_and_counts_for_nobody(tmp_path: Path) -> None:
    """It stands at the end of Exceptions, after information, though it is the gravest of all."""
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Ada").person("P1", "A1", "Zeb", "Quack")
    run.person("P2", "A1", "Ann", "Other")
    run.finding("F1", "P1", "A1", title="The gravest", severity="critical", status="changed", put_aside=True,
                mark_status="dismissed", mark_told="Put aside")  # fmt: skip
    run.finding("F2", "P2", "A1", title="Something").finding("F3", "P2", "A1", severity="info")
    write_workbooks(run.write(tmp_path), as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0")
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    sheet = book["Exceptions"]
    place = columns(sheet)[FINDING_ID]
    rows = range(header_row(sheet) + 1, sheet.max_row + 1)
    assert [sheet.cell(r, place).value for r in rows] == ["F2", "F3", "F1"]
    first_page = [c for row in book["Today"].iter_rows(values_only=True) for c in row]
    assert "Something" in first_page
    assert "The gravest" not in first_page
    assert "The one that matters" in first_page
    (told,) = [c for row in book["Today"].iter_rows() for c in row if str(c.value).startswith("Put aside")]
    assert told.value == ("Put aside and not counted here: 1 dismissed. They stand on Exceptions, below the open ones.")
    assert told.hyperlink.location == f"'Exceptions'!A{rows[-1]}"
    assert book["Today"]["C4"].value == 0  # changed
    headers = [c.value for c in book["Households"][4]]
    rows_by_client = book["Households"].iter_rows(min_row=5, values_only=True)
    clients = {row[headers.index("Client")]: row for row in rows_by_client}
    assert [clients[c][headers.index("Exceptions")] for c in ("Zeb Quack", "Ann Other")] == [None, 1]
