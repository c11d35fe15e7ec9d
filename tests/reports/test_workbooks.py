"""Every workbook read back with openpyxl: real values, real tables, own clients only, same bytes."""

from __future__ import annotations

import re
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from reports import write_workbooks
from reports.advisor import TOPICS
from reports.book import file_names
from reports.firm import ADVISORS, BY_RULE, FILES, REJECTS, UNMATCHED
from reports.marks import ENTRIES, SHOWN_ID
from reports.oversight import EXCESS, FORMS, MOVES, OVERRIDES, TREND
from reports.sheet import CELL_LIMIT, CUT, HEADER_ROW, prose, safe_text
from reports.style import KIND_LOOKS
from schemas.tables import result_schema
from tests.book import Book
from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles, money, small_book

ADVISOR_SHEETS = [
    "Today",
    "Exceptions",
    "Pro-rata",
    "Backdoor candidates",
    "Mega backdoor",
    "Households",
    "Accounts",
    "What-if",
    "Data problems",
    "About",
]
FIRM_SHEETS = [
    "Today",
    "By advisor",
    "By finding",
    "Trend",
    "Files",
    "Arrivals",
    "Rows set aside",
    "Moves of money",
    "Forms against the book",
    "Excess contributions",
    "Overrides",
    "Unmatched",
    "About",
]


OVERSIGHT = (TREND, MOVES, FORMS, EXCESS, OVERRIDES)


def write(run: RunFiles, folder: Path, **more: Any) -> list[Path]:
    given = {"as_of": AS_OF, "tax_years": [2026], "fingerprint": FINGERPRINT, "version": "0.1.0", **more}
    return [written.path for written in write_workbooks(run.write(folder), **given)]


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime.combine(date(year, month, day), datetime.min.time())


def fingerprint_shown(book: Workbook) -> str:
    (found,) = [row[1].value for row in book["About"].iter_rows() if row[0].value == "Book fingerprint"]
    return str(found)


def table(sheet: Worksheet) -> list[dict[str, Any]]:
    """Rows of the sheet's one Excel table, by header."""
    (found,) = sheet.tables.values()
    cells = [[cell.value for cell in row] for row in sheet[found.ref]]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def texts(book: Workbook) -> list[str]:
    return [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, str)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run")
    write(small_book(), run)
    return run / "workbooks"


@pytest.fixture(scope="module")
def advisor(folder: Path) -> Workbook:
    return load_workbook(folder / "A1.xlsx")


@pytest.fixture(scope="module")
def firm(folder: Path) -> Workbook:
    return load_workbook(folder / "_firm.xlsx")


def test_a_workbook_per_advisor_with_clients_and_one_for_the_firm(
    folder: Path, advisor: Workbook, firm: Workbook
) -> None:
    assert sorted(p.name for p in folder.iterdir()) == ["A1.xlsx", "B7.xlsx", "_firm.xlsx", "_set_aside.xlsx"]
    assert advisor.sheetnames == ADVISOR_SHEETS
    assert firm.sheetnames == FIRM_SHEETS
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}


def test_only_own_clients(folder: Path) -> None:
    traces = {"A1": ["Alvarez", "Okafor", "Maria", "Whitfield"], "B7": ["Owen Secret", "H9", "Secret's exception"]}
    for mine, others in (("A1", "B7"), ("B7", "A1")):
        said = "\n".join(texts(load_workbook(folder / f"{mine}.xlsx")))
        assert [trace for trace in traces[mine] if trace not in said] == []
        assert [trace for trace in traces[others] if trace in said] == []


def test_a_client_who_moved_leaves_no_trace_with_the_former_advisor(tmp_path: Path) -> None:
    run = small_book().finding("moved", "P9", "A1", status="resolved", title="Owen's old problem")
    write(run, tmp_path)
    said = "\n".join(texts(load_workbook(tmp_path / "workbooks" / "A1.xlsx")))
    assert "Secret" not in said
    assert "Owen" not in said


def test_an_advisor_who_is_not_listed_is_named_so(folder: Path) -> None:
    assert load_workbook(folder / "B7.xlsx")["Today"]["A1"].value == "B7 (advisor not in the advisors file)"


def test_exceptions_are_ranked_with_information_last_and_resolved_left_out(advisor: Workbook) -> None:
    rows = table(advisor["Exceptions"])
    assert [r["Finding id"] for r in rows] == ["f2", "f1", "f6", "f5", "f3"]
    marks = {c.header for c in (*ENTRIES, SHOWN_ID)}
    assert {header: value for header, value in rows[0].items() if header not in marks} == {
        "Severity": "critical",
        "Since last run": "open",
        "Client": "Ruth Okafor",
        "Household": "H1",
        "Exception": "Deferrals above the limit",
        "Dollars": 1200.5,
        "Dollars are": "excess",
        "Deadline": midnight(2026, 11, 20),
        "Days left": -4,
        "Why": "Pre-tax money is in the IRAs.",
        "What to do": "Move it to a plan.",
        "Authority": "IRC 408(d)(2)",
        "Evidence [file:line]": "conversion of $7,500 [History_...0101.csv:14]",
        "Tax year": 2026,
        "Finding id": "f2",
        "Rule": "deferral_excess",
    }
    assert rows[1]["Days left"] == 37
    assert rows[2]["Client"] == "no client"
    assert rows[3]["Dollars"] is None


def test_every_topic_is_a_real_table_with_frozen_panes_and_print_set_up(advisor: Workbook, firm: Workbook) -> None:
    topics = [name for name in ADVISOR_SHEETS[1:-1] if name != "What-if"]
    for book, names in ((advisor, topics), (firm, FIRM_SHEETS[1:-1])):
        for name in names:
            sheet = book[name]
            (found,) = sheet.tables.values()
            assert found.autoFilter is not None, name
            assert found.ref.startswith(f"A{HEADER_ROW}:")
            assert [c.name for c in found.tableColumns] == [c.value for c in sheet[HEADER_ROW] if c.value is not None]
            assert sheet.freeze_panes[-1] == str(HEADER_ROW + 1)
            assert sheet.print_title_rows == f"${HEADER_ROW}:${HEADER_ROW}"
        for sheet in book:
            assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 1)
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert sheet.oddFooter.left.text == f"Rothbook 2026-11-24 - book {fingerprint_shown(book)[:12]}"
            assert "&P" in sheet.oddFooter.right.text
    assert advisor["Exceptions"].freeze_panes == "D5"
    assert "A$1:$J$" in advisor["Exceptions"].print_area
    ids = [t.displayName for sheet in advisor for t in sheet.tables.values()]
    assert len(ids) == len(set(ids)) == 7


def test_no_header_word_is_wider_than_its_column() -> None:
    for spec in (*(spec for spec, _ in TOPICS), FILES, REJECTS, ADVISORS, BY_RULE, UNMATCHED, *OVERSIGHT):
        for column in spec.columns:
            room_for_filter_button = 4.2 if KIND_LOOKS[column.kind].horizontal == "right" else 1
            longest = max(map(len, column.header.split()))
            assert longest + room_for_filter_button <= column.width, (spec.title, column.header)
        assert len({c.header for c in spec.columns}) == len(spec.columns)


def test_a_sheet_of_several_pages_repeats_client_and_heading(advisor: Workbook) -> None:
    sheet = advisor["Pro-rata"]
    assert sheet.print_title_cols == "$A:$C"
    assert sheet.oddHeader.left.text == "Pro-rata exposure: Form 8606 line by line"
    assert sheet.print_area.startswith("'Pro-rata'!$A$4:")
    assert sheet.page_setup.fitToWidth == 3


def test_pro_rata_shows_every_line_of_form_8606(advisor: Workbook) -> None:
    row = next(r for r in table(advisor["Pro-rata"]) if r["Client"] == "Maria Alvarez")
    assert row["Status"] == "COMPUTED"
    assert row["Line 1 Nondeductible contributions"] == 7500
    assert row["Line 10 Ratio of 5 to 9"] == pytest.approx(0.0769230769)
    assert row["Line 14 Basis carried out"] == 6923.08
    assert row["Line 18 Taxable conversions"] == 6923.08
    assert row["Line 6 is"] == "projected"
    lines = [h.split()[1] for h in row if h.startswith("Line ") and h != "Line 6 is"]
    in_order = [c.removeprefix("line_") for c in result_schema("form_8606") if c.startswith("line_")]
    assert lines[:4] == ["18", "15c", "6", "14"]  # what decides is in sight without scrolling
    assert lines[4:] == [line for line in in_order if line not in lines[:4]]


def test_unknown_prints_no_number_even_if_the_engine_left_one(advisor: Workbook) -> None:
    for name, client in (
        ("Pro-rata", "Luis Alvarez"),
        ("Backdoor candidates", "Ruth Okafor"),
        ("Mega backdoor", "Luis Alvarez"),
    ):
        row = next(r for r in table(advisor[name]) if r["Client"] == client)
        assert row["Status"] == "UNKNOWN"
        assert row["Why this status"]
        numbers = {
            k: v
            for k, v in row.items()
            if isinstance(v, int | float) and k != "Tax year" and not isinstance(v, datetime)
        }
        assert numbers == {}, name


def test_spouses_sit_side_by_side(advisor: Workbook) -> None:
    assert [r["Household"] for r in table(advisor["Pro-rata"])] == ["H1", "H1"]
    assert [r["Client"] for r in table(advisor["Pro-rata"])] == ["Luis Alvarez", "Maria Alvarez"]


def test_mega_backdoor_with_deferrals_over_all_employers(advisor: Workbook) -> None:
    rows = {r["Client"]: r for r in table(advisor["Mega backdoor"])}
    assert set(rows) == {"Maria Alvarez", "Luis Alvarez", "Ruth Okafor"}
    assert rows["Maria Alvarez"]["After-tax room"] == 32500
    assert rows["Maria Alvarez"]["Room before ACP test"] == "yes"
    assert rows["Maria Alvarez"]["Deferrals left"] == 8000
    assert rows["Maria Alvarez"]["Catch-up must be Roth"] == "yes"
    assert rows["Ruth Okafor"]["Employer group"] is None
    assert rows["Ruth Okafor"]["Deferrals, all employers"] == 1000


def test_accounts_are_masked_and_say_why(advisor: Workbook) -> None:
    rows = table(advisor["Accounts"])
    assert [r["Account"] for r in rows] == ["fidelity ...0101", "schwab ...0102"]
    assert [r["In the IRA pool"] for r in rows] == ["yes", "undecided"]
    assert rows[0]["Type"] == "Rollover IRA"
    assert rows[0]["Value as of"] == midnight(2026, 11, 20)


def test_no_workbook_holds_an_account_number(folder: Path) -> None:
    for path in folder.iterdir():
        with zipfile.ZipFile(path) as archive:
            whole = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert "0101" in whole or path.name == "B7.xlsx"
        for number in ("211000101", "55550102", "883377777"):
            assert number not in whole, path.name


def test_data_problems_say_what_waits_and_how_to_fix_it_once(advisor: Workbook) -> None:
    rows = table(advisor["Data problems"])
    assert [(r["Client"], r["Rule"]) for r in rows] == [
        ("Luis Alvarez", "basis_not_stated"),
        ("Luis Alvarez", "forfeitures"),
        ("Ruth Okafor", "birth_date_missing"),
        ("Ruth Okafor", "compensation_missing"),
        ("no client", "unmatched_account"),
    ]
    assert rows[0]["Result that waits"] == "Form 8606"
    assert rows[0]["What is missing"] == "State line 14 of the last Form 8606 filed"
    assert rows[0]["What to do"] == (
        "Ask the client or tax preparer: What is line 14 of the last Form 8606 filed, and for which year? "
        "0 if none was. Operations states the answer."
    )
    assert rows[1]["What to do"] == "Ask the employer or plan. Operations states the answer."
    where = [r["Operations: file and columns"] for r in rows]
    assert where[0].startswith("ira_basis: person_id, tax_year, basis")
    assert where[2] == "persons: birth_date."


def test_today_counts_dollars_and_the_lines_that_matter(advisor: Workbook) -> None:
    sheet = advisor["Today"]
    assert sheet["A1"].value == "Dana Whitfield"
    assert sheet["A2"].value == (
        "Backdoor and mega backdoor Roth, as of November 24, 2026  ·  tax year 2026  ·  3 clients in 2 households"
    )
    tiles = {sheet.cell(5, c).value: sheet.cell(4, c).value for c in range(1, 13, 2)}
    assert tiles == {
        "New": 1,
        "Changed": 1,
        "Resolved or run out": 1,
        "Still open": 3,
        "Due in 30 days": 0,
        "Data problems": 5,
    }
    assert sheet["A7"].value == (
        "Next deadline: December 31, 2026, in 37 days: 2 exceptions.  1 exception already past the deadline."
    )
    column = [c.value for c in sheet["A"]]
    first = column.index("critical") + 1
    assert sheet.cell(first, 2).value == "Ruth Okafor"
    assert sheet.cell(first, 2).hyperlink.location == "'Exceptions'!A5"
    assert sheet.cell(first + 1, 1).value == "high\nnew"
    news = column.index("Also moved since the last run") + 1
    assert [sheet.cell(news + 2, c).value for c in (1, 4)] == ["resolved", "An old problem"]
    assert sheet.cell(news + 2, 2).hyperlink is None  # a resolved one has no row to go to
    stakes = column.index("At stake, by what the dollars are") + 1
    assert [(sheet.cell(r, 1).value, sheet.cell(r, 4).value) for r in range(stakes + 1, stakes + 4)] == [
        ("Tax", 2423.08),
        ("Excess", 1200.5),
        (None, None),  # the value of an account of nobody's isn't at stake
    ]


def test_charts_are_native_with_their_values_and_a_text_for_who_cannot_see_them(folder: Path) -> None:
    with zipfile.ZipFile(folder / "A1.xlsx") as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        charts = [archive.read(f"xl/charts/chart{n}.xml").decode() for n in (1, 2)]
    said = re.findall(r'descr="([^"]*)"', drawing)
    assert said == [
        "Bar chart. Exceptions by severity: 1 critical, 2 high, 1 medium, 0 low.",
        "Bar chart. Exceptions by deadline: 1 past, 0 in 30 days, 2 in 90 days, 0 later, 1 none.",
    ]
    assert re.findall(r"<numCache>.*?</numCache>", charts[0], re.DOTALL)
    assert [re.findall(r"<v>([^<]*)</v>", c) for c in charts] == [
        ["critical", "high", "medium", "low", "1", "2", "1", "0"],
        ["past", "in 30 days", "in 90 days", "later", "none", "1", "0", "2", "0", "1"],
    ]
    sheet = load_workbook(folder / "A1.xlsx")["Today"]
    (row,) = [c.row for c in sheet["E"] if c.value == "Exceptions by severity"]
    assert [sheet.cell(row + n, 7).value for n in range(1, 5)] == [1, 2, 1, 0]
    assert f"'Today'!$G${row + 1}:$G${row + 4}" in charts[0]


def test_parts_of_a_problem_stand_in_its_row(tmp_path: Path) -> None:
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Dana").person("P1", "A1", "Maria", "Alvarez")
    run.finding("whole", "P1", "A1", severity="medium", explanation="Why.", action="Do.", deadline=None)
    run.finding(
        "part",
        "P1",
        "A1",
        part_of="whole",
        severity="high",
        status="new",
        title="A part",
        action="Do more.",
        amount=money("1234.56"),
        amount_is="value",
        deadline=date(2026, 12, 15),
    )
    run.finding("other", "P1", "A1", severity="medium", amount=money("99999"))
    write(run, tmp_path)
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    rows = table(book["Exceptions"])
    assert [r["Finding id"] for r in rows] == ["whole", "other"]
    assert rows[0]["Why"] == "Why.\nPart of it:\n- A part ($1,235 value)"
    assert rows[0]["What to do"] == "Conversion taxed pro rata: Do more.\n- Without a deadline: Do."
    assert (rows[0]["Severity"], rows[0]["Since last run"], rows[0]["Deadline"], rows[0]["Days left"]) == (
        "high",
        "changed",
        midnight(2026, 12, 15),
        21,
    )
    assert rows[0]["Dollars"] == 2423.08
    assert "Conversion taxed pro rata: Do more." in texts(book)[:60]
    (of_advisor,) = table(load_workbook(tmp_path / "workbooks" / "_firm.xlsx")["By advisor"])
    assert [of_advisor[s] for s in ("High", "Medium", "Changed")] == [1, 1, 1]  # as grave as its part, as on Exceptions


def test_households_lead_to_the_rows_behind_them_and_back(advisor: Workbook) -> None:
    sheet = advisor["Households"]
    rows = table(sheet)
    assert [(r["Household"], r["Client"], r["Exceptions"], r["Gravest"]) for r in rows] == [
        ("H1", "Luis Alvarez", 1, "medium"),
        ("H1", "Maria Alvarez", 1, "high"),
        ("H2", "Ruth Okafor", 1, "critical"),
    ]
    assert [(r["Tax at stake"], r["Form 8606"], r["Taxable conversions"]) for r in rows] == [
        (None, "UNKNOWN", None),
        (2423.08, "COMPUTED", 6923.08),
        (None, None, None),
    ]
    by_header = {c.value: c.column for c in sheet[HEADER_ROW]}
    assert sheet.cell(7, by_header["Tax at stake"]).hyperlink is None
    for header, name in (("Exceptions", "Exceptions"), ("Form 8606", "Pro-rata")):
        link = sheet.cell(6, by_header[header]).hyperlink
        target, _, cell = link.location.rpartition("!")
        there = advisor[target.strip("'")]
        client = next(c.column for c in there[HEADER_ROW] if c.value == "Client")
        assert target == f"'{name}'"
        assert there.cell(int(cell[1:]), client).value == "Maria Alvarez"
        back = there.cell(int(cell[1:]), client).hyperlink.location
        assert back == "'Households'!A6"


def test_a_spouse_with_another_advisor_is_not_named(tmp_path: Path) -> None:
    run = RunFiles()
    for advisor in ("A1", "B7"):
        run.add("advisors", advisor_id=advisor, advisor_name=advisor)
    run.person("P1", "A1", "Maria", "Alvarez").person("P2", "B7", "Luis", "Alvarez").person(
        "P3", "A1", "Ana", "Alvarez"
    )
    for row, spouse in zip(run.rows["persons"], ("P2", "P1", "P1"), strict=True):
        row["spouse_person_id"] = spouse
    write(run, tmp_path)
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    assert [(r["Client"], r["Spouse"]) for r in table(book["Households"])] == [
        ("Ana Alvarez", "Maria Alvarez"),
        ("Maria Alvarez", None),
    ]
    assert not [t for t in texts(book) if "Luis" in t]


def test_backdoor_candidates_who_can_act_come_first(tmp_path: Path) -> None:
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Dana")
    for n, standing in enumerate(("direct", "unknown", "ready", "blocked")):
        run.person(f"P{n}", "A1", f"Given{n}", "Same")
        run.add("ira_limits", person_id=f"P{n}", tax_year=2026, status="COMPUTED", reasons=[])
        run.add(
            "backdoor_overview",
            person_id=f"P{n}",
            tax_year=2026,
            standing=standing,
            room=money("7500"),
            ways_out="Reverse rollover of account 123456789",
        )
    write(run, tmp_path)
    rows = table(load_workbook(tmp_path / "workbooks" / "A1.xlsx")["Backdoor candidates"])
    assert [r["Backdoor"] for r in rows] == ["blocked", "ready", "unknown", "direct"]
    assert rows[0]["Ways out"] == "Reverse rollover of account ...6789"


def test_today_shows_ten_lines_at_most(tmp_path: Path) -> None:
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name="Dana").person("P1", "A1", "Maria", "Alvarez")
    for n in range(14):
        run.finding(f"f{n}", "P1", "A1", title=f"Problem {n}")
    write(run, tmp_path)
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    assert [t for t in texts(book)[:200] if t.startswith("Problem ")][:11] == [f"Problem {n}" for n in range(10)] + [
        "Problem 0"
    ]
    assert len(table(book["Exceptions"])) == 14


def test_about_states_the_run_the_rules_and_the_figures(advisor: Workbook) -> None:
    said = "\n".join(str(c.value) for row in advisor["About"].iter_rows() for c in row if c.value is not None)
    assert len(fingerprint_shown(advisor)) == 64
    for part in (
        "0.1.0",
        "November 24, 2026",
        "IRA contributions",
        "7500",
        "IRS Notice 2025-67",
        "Not tax advice; not for filing without review",
        "Not modelled",
        "408(d)(2)",
        "the firm's own",
        "1 row set aside",
    ):
        assert part in said, part


def test_the_firms_workbook_has_the_fingerprint_of_the_run_and_counts_of_what_was_read(firm: Workbook) -> None:
    said = "\n".join(str(c.value) for row in firm["About"].iter_rows() for c in row if c.value is not None)
    assert fingerprint_shown(firm) == FINGERPRINT
    assert "received 2026-11-24, 1 row set aside" in said


def test_firm_workbook_for_operations(firm: Workbook) -> None:
    files = table(firm["Files"])
    assert [(r["State"], r["File"], r["Set aside"]) for r in files] == [
        ("partial", "History_for_Account_...0101.csv", 1),
        ("accepted", "persons.csv", 0),
    ]
    (reject,) = table(firm["Rows set aside"])
    assert (reject["File"], reject["Line"], reject["Rule"]) == ("History_for_Account_...0101.csv", 7, "not_money")
    advisors = {r["Advisor"]: r for r in table(firm["By advisor"])}
    assert (advisors["A1"]["Clients"], advisors["A1"]["Households"], advisors["A1"]["Critical"]) == (3, 2, 1)
    assert (advisors["A1"]["Dollars: tax"], advisors["A1"]["Dollars: excess"]) == (2423.08, 1200.5)
    assert (advisors["A1"]["Data problems"], advisors["B7"]["Data problems"]) == (5, 0)
    assert advisors["B7"]["Workbook"] == "B7.xlsx"
    rules = {r["Rule"]: r for r in table(firm["By finding"])}
    assert rules["basis_unknown"]["Dollars"] is None
    assert advisors["B7"]["Dollars: excess"] is None
    assert rules["unmatched_account"]["Findings"] == 2
    assert rules["unmatched_account"]["Clients"] == 0
    assert [r["Finding"] for r in table(firm["Unmatched"])] == [
        "Account schwab ...7777 belongs to no client",
        "Account fidelity ...8888 belongs to no client",
    ]
    assert {firm["Today"].cell(5, c).value: firm["Today"].cell(4, c).value for c in range(1, 13, 2)} == {
        "Files in the book": 2,
        "Files set aside whole": 0,
        "Rows set aside": 1,
        "Deliveries missing": 1,
        "Critical exceptions": 1,
        "High exceptions": 4,
    }


def test_the_firm_s_first_sheet_says_what_to_do_and_leads_there(firm: Workbook) -> None:
    sheet = firm["Today"]
    lines = [[c.value for c in row if c.value is not None] for row in sheet.iter_rows(min_row=7, max_row=25)]
    at = lines.index(["What to do first"])
    assert lines[at + 2 : at + 8] == [
        [1, "Deliveries missing or stale: ask the sender", "Sheet Arrivals"],
        [1, "Files and rows set aside that no cell puts right", "Sheet Rows set aside"],
        [1, "Moves of money without their other side", "Sheet Moves of money"],
        [2, "Findings of no client yet", "Sheet Unmatched"],
        [1, "Boxes of tax forms that differ from the book", "Sheet Forms against the book"],
        [1, "Excess contributions that stand or may stand", "Sheet Excess contributions"],
    ]
    links = [c.hyperlink.location for row in sheet.iter_rows() for c in row if c.hyperlink]
    assert links[:2] == ["'Arrivals'!A4", "'Rows set aside'!A4"]
    assert len(links) == 6
    start = next(n for n, line in enumerate(lines) if line == ["Since the run of November 23, 2026"])
    assert ["Files in the book", 2, 3, -1] in lines[start:]
    assert ["Forms 8606 UNKNOWN", 1, 4, -3] in lines[start:]


def test_what_compliance_looks_at(firm: Workbook) -> None:
    (move,) = table(firm["Moves of money"])
    assert (move["State"], move["Client"], move["Advisor"], move["Dollars"]) == (
        "unpaired",
        "Maria Alvarez",
        "A1",
        7500,
    )
    assert (move["From"], move["To"], move["Missing"]) == ("fidelity ...0101", None, "the leg it arrived by")
    assert move["Where it is stated"] == "History_for_Account_...0101.csv:14"
    (form,) = table(firm["Forms against the book"])
    assert (form["State"], form["Account"], form["Box"], form["Difference"]) == (
        "differs",
        "schwab ...0102",
        "5",
        -250.25,
    )
    (excess,) = table(firm["Excess contributions"])
    assert (excess["Client"], excess["Status"], excess["6% tax"], excess["Excess standing"]) == (
        "Luis Alvarez",
        "UNKNOWN",
        None,
        None,
    )
    (override,) = table(firm["Overrides"])
    assert (override["What"], override["By"], override["Client"]) == ("correction", "Carl", "Maria Alvarez")
    assert override["What it changed"] == "amount of History_for_Account_...0101.csv:9 from 75000.00 to 7500.00"
    assert [(str(r["As of"].date()), r["Files"], r["8606: UNKNOWN"]) for r in table(firm["Trend"])] == [
        ("2026-11-24", 2, 1),
        ("2026-11-23", 3, 4),
    ]


def test_dismissals_are_told_by_whom_and_when(tmp_path: Path) -> None:
    run = small_book()
    mark = {"rule": "year_end_trap", "person_id": "P1", "advisor_id": "A1", "marked_in": "A1.xlsx", "marked_line": 5}
    for number, (status, until, by) in enumerate(
        (("dismissed", None, "Dana"), ("to do", None, "Dana"), (None, date(2027, 1, 15), None))
    ):
        run.add(
            "mark_history", **mark, finding_id=f"f{number}", status=status, snooze_until=until, marked_by=by,
            received_at=AS_OF, note="Client knows", became="in force",
        )  # fmt: skip
    write(run, tmp_path)
    told = table(load_workbook(tmp_path / "workbooks" / "_firm.xlsx")["Overrides"])
    marks = [r for r in told if r["What"] in ("dismissed", "snoozed")]
    assert [(r["What"], r["By"], r["Client"], r["What it changed"], r["Reason given"]) for r in marks] == [
        ("dismissed", "Dana", "Maria Alvarez", "year end trap: dismissed, in force", "Client knows"),
        (
            "snoozed",
            "the workbook of A1",
            "Maria Alvarez",
            "year end trap: snoozed until 2027-01-15, in force",
            "Client knows",
        ),
    ]
    assert {(r["On"], r["Where it is stated"]) for r in marks} == {(midnight(2026, 11, 24), "A1.xlsx:5")}
    assert len(told) == 3


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [p.read_bytes() for p in write(small_book(), tmp_path / "one")]
    time.sleep(1.1)  # a clock that got into a zip member or a property would have moved
    assert first == [p.read_bytes() for p in write(small_book(), tmp_path / "two")]


def test_more_processes_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [p.read_bytes() for p in write(small_book(), tmp_path / "one")]
    monkeypatch.setattr("reports.workbooks.WORTH_PROCESSES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert alone == [p.read_bytes() for p in write(small_book(), tmp_path / "two")]


def test_document_properties_come_from_the_as_of_date(advisor: Workbook) -> None:
    properties = advisor.properties
    assert (properties.title, properties.creator) == ("Rothbook - Dana Whitfield", "Rothbook")
    assert properties.created == properties.modified == midnight(2026, 11, 24)


HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "#N/A",
    "a\x00b\x1fc",
    "\ufffe\uffff",
    "line\r\nbreak",
    "<b>&amp;",
    "x" * 40_000,
    "😀" * 20_000,
    "{=1}",
    "'quoted",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_arrive_as_text(tmp_path: Path, name: str) -> None:
    run = RunFiles().add("advisors", advisor_id="A1", advisor_name=name).person("P1", "A1", name, "Alvarez")
    write(run.finding("f1", "P1", "A1", title=name, evidence=[name]), tmp_path)
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    (cell,) = [c for c in book["Exceptions"]["C"][HEADER_ROW:] if c.value is not None]
    assert cell.data_type == "s"
    assert cell.value == safe_text(f"{name} Alvarez")
    assert cell.quotePrefix is name.startswith(("=", "+", "-", "@", "\t"))
    assert not [c.coordinate for sheet in book for row in sheet.iter_rows() for c in row if c.data_type in ("f", "e")]


def test_text_too_long_for_a_cell_is_cut_and_says_so() -> None:
    assert safe_text("x" * CELL_LIMIT) == "x" * CELL_LIMIT
    cut = safe_text("x" * (CELL_LIMIT + 1))
    assert len(cut) == CELL_LIMIT
    assert cut.endswith(CUT)
    assert len(safe_text("😀" * 20_000).encode("utf-16-le")) // 2 <= CELL_LIMIT


def test_prose_masks_long_numbers_and_tax_ids_but_not_dollars_or_dates() -> None:
    assert prose("account 211000101, id 123-45-6789, $1,234,567.89 on 2026-12-31 (Notice 2014-54)") == (
        "account ...0101, id [tax id], $1,234,567.89 on 2026-12-31 (Notice 2014-54)"
    )


def test_advisor_ids_become_safe_file_names() -> None:
    found = file_names(["A 1/../x", "a-1", "A-1", "_firm", "...", "Zoë"])
    assert found["A 1/../x"] == "A-1-..-x.xlsx"
    assert found["a-1"] != found["A-1"]
    assert len({name.lower() for name in found.values()}) == len(found)
    assert "_firm.xlsx" not in found.values()
    assert all(
        set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") for name in found.values()
    )


def test_an_empty_book_gives_a_firm_workbook_of_sentences(tmp_path: Path) -> None:
    (path,) = write(RunFiles(), tmp_path)
    book = load_workbook(path)
    assert not [t for sheet in book for t in sheet.tables]
    assert book["Files"]["A4"].value == "No file has been received."
    assert book["By advisor"]["A4"].value == "No advisor has clients in the book."


def test_an_advisor_with_nothing_to_report(tmp_path: Path) -> None:
    write(
        RunFiles().add("advisors", advisor_id="A1", advisor_name="Dana").person("P1", "A1", "Maria", "Alvarez"),
        tmp_path,
    )
    book = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    assert book["Exceptions"]["A4"].value == "No exceptions: nothing in this advisor's book asks for attention."
    assert book["Today"]["A7"].value == "No deadline ahead."
    assert book["About"]["A1"].value == "About this workbook"


def test_money_is_written_exactly_as_decimal_text(tmp_path: Path) -> None:
    run = small_book().finding("big", "P1", "A1", amount=money("9999999999999.99"), severity="critical")
    write(run, tmp_path)
    with zipfile.ZipFile(tmp_path / "workbooks" / "A1.xlsx") as archive:
        assert b"<v>9999999999999.99</v>" in archive.read("xl/worksheets/sheet2.xml")
    assert Decimal("9999999999999.99") == money("9999999999999.99")


def test_dates_and_money_have_number_formats(advisor: Workbook) -> None:
    sheet = advisor["Exceptions"]
    headers = {c.value: c.column for c in sheet[HEADER_ROW]}
    assert sheet.cell(HEADER_ROW + 1, headers["Deadline"]).number_format == "mmm d, yyyy"
    assert sheet.cell(HEADER_ROW + 1, headers["Dollars"]).number_format == '"$"#,##0;-"$"#,##0'
    pro_rata = advisor["Pro-rata"]
    line_18 = next(c.column for c in pro_rata[HEADER_ROW] if c.value == "Line 18 Taxable conversions")
    assert pro_rata.cell(HEADER_ROW + 1, line_18).number_format == '"$"#,##0.00;-"$"#,##0.00'
    assert sheet.cell(HEADER_ROW + 1, headers["Severity"]).fill.fgColor.rgb == "00F6C9C9"
    assert {c.font.name for row in sheet.iter_rows() for c in row if c.value is not None} == {"Arial"}


def test_as_of_may_be_any_day(tmp_path: Path) -> None:
    write(small_book(), tmp_path, as_of=date(2027, 1, 1))
    rows = table(load_workbook(tmp_path / "workbooks" / "A1.xlsx")["Exceptions"])
    assert rows[1]["Days left"] == -1


def test_the_engines_own_results_fill_the_workbooks(tmp_path: Path) -> None:
    book = (
        Book()
        .person(roth_magi=300_000, compensation=300_000)
        .ira("211000101", "90000")
        .ira("211000102", "0", kind="roth_ira")
    )
    book.event("211000101", "2026-02-02", "contribution", "7500").add(
        "ira_basis", person_id="P1", tax_year=2025, basis=0
    )
    book.convert("2026-03-02", "7500", out_of="211000101", into="211000102")
    book.compute(as_of="2026-11-24", run=tmp_path)
    book.write(tmp_path / "canonical")
    write_workbooks(tmp_path, as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0")
    workbook = load_workbook(tmp_path / "workbooks" / "A1.xlsx")
    (row,) = table(workbook["Pro-rata"])
    assert (row["Line 8 Converted to Roth"], row["Line 17 Basis in conversions"]) == (7500, 576.92)
    found = {r["Rule"]: r for r in table(workbook["Exceptions"])}
    assert found["conversion_taxed_pro_rata"]["Client"] == "CaseP1 Person"
    assert [r["Account"] for r in table(workbook["Accounts"])] == ["testcust ...0101", "testcust ...0102"]
    assert any("Notice" in t for t in texts(workbook) if t.startswith("IRS"))
