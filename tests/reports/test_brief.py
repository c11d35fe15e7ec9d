"""The one-page brief read back: the results' numbers, unknown said as unknown, one client only, never above a page."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph

from reports.book import read_book
from reports.brief import file_name, write_brief
from reports.brief_blocks import page
from reports.client import UnknownClient, read_client
from reports.fixes import FIXES
from reports.one_page import ROOM, Block, Cell, Column, Page, fit, height, text_height
from schemas.questions import QUESTIONS, question
from schemas.tables import INPUT_TABLES, MONEY
from tests.reports.run_files import AS_OF, FINGERPRINT, RunFiles, form_8606, money, small_book
from transforms.findings import registry

DERIVED = {
    "evidence": {
        "person_id": pl.String,
        "tax_year": pl.Int64,
        "topic": pl.String,
        "account_key": pl.String,
        "source_file": pl.String,
        "source_line": pl.Int64,
        "amount": pl.Decimal(38, 2),
        "text": pl.String,
    },
    "plan_years": {
        "person_id": pl.String,
        "tax_year": pl.Int64,
        "plan_id": pl.String,
        "employer_name": pl.String,
        "employer_group_id": pl.String,
    },
    "backdoor_overview": {
        "person_id": pl.String,
        "tax_year": pl.Int32,
        "standing": pl.String,
        **dict.fromkeys(("room", "direct_roth_room", "pool_value", "basis", "pre_tax", "taxable_if_done"), MONEY),
        "tax_if_done": MONEY,
        "ways_out": pl.String,
        "due_date": pl.Date,
    },
    "merged_persons": {"person_id": pl.String, "survivor_id": pl.String},
}


@dataclass
class Section:
    """What stands under one heading."""

    texts: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    @property
    def all(self) -> str:
        return "\n".join([*self.texts, *(text for row in self.rows for text in row)])


class Brief:
    """A brief read back: sections by heading; what is above the first heading is `""`."""

    def __init__(self, path: Path) -> None:
        self.document = Document(str(path))
        self.sections: dict[str, Section] = {"": Section()}
        heading = ""
        for part in self.document.iter_inner_content():
            if isinstance(part, Table):
                self.sections[heading].rows += [[cell.text for cell in row.cells] for row in part.rows]
            elif part.style is not None and part.style.name == "Heading 1":
                heading = part.text
                self.sections[heading] = Section()
            else:
                assert isinstance(part, Paragraph)
                self.sections[heading].texts.append(part.text)

    def __getitem__(self, start: str) -> Section:
        (found,) = [section for heading, section in self.sections.items() if heading.startswith(start)]
        return found

    @property
    def all(self) -> str:
        footer = "\n".join(p.text for p in self.document.sections[0].footer.paragraphs)
        return "\n".join([*self.sections, *(section.all for section in self.sections.values()), footer])

    def figures(self) -> dict[str, str]:
        labels, values = self.sections[""].rows
        return dict(zip(labels, values, strict=True))


def put(run: RunFiles, folder: Path) -> Path:
    """The run's files, with the stated facts and derived tables a brief reads besides the workbooks'."""
    run.write(folder)
    stated = {f"canonical/{name}": INPUT_TABLES[name].schema for name in ("tax_profiles",)}
    derived = {f"derived/{name}": schema for name, schema in DERIVED.items()}
    for name, schema in (stated | derived).items():
        rows = [{column: row.get(column) for column in schema} for row in run.rows.get(Path(name).name, [])]
        pl.DataFrame(rows, schema=schema).write_parquet(folder / f"{name}.parquet")
    return folder


def profile(run: RunFiles, person_id: str, **more: Any) -> RunFiles:
    facts = {
        "filing_status": "mfj",
        "roth_magi": money("260000"),
        "compensation": money("260000"),
        "active_participant": True,
        "marginal_tax_rate": Decimal(35),
        "all_iras_reported": True,
    }
    return run.add("tax_profiles", person_id=person_id, tax_year=2026, **{**facts, **more})


def way(run: RunFiles, name: str, status: str, *reasons: str, **more: Any) -> RunFiles:
    return run.add(
        "ways_out", person_id="P1", tax_year=2026, way=name, status=status, reasons=list(reasons),
        **{"taxable_now": money("6923.08"), "rests_on": [], **more},
    )  # fmt: skip


def full_book() -> RunFiles:
    """The small book with stated facts, options, evidence and a couple."""
    run = small_book()
    couple = {"P1": "P2", "P2": "P1"}
    for row in run.rows["persons"]:
        row |= {"spouse_person_id": couple.get(row["person_id"]), "birth_date": date(1979, 5, 1)}
    profile(run, "P1")
    profile(run, "P2", marginal_tax_rate=None, all_iras_reported=None)
    way(run, "accept", "COMPUTED", amount=money("0"), conversion=money("7500"), taxable_then=money("6923.08"),
        tax_then=money("2423.08"), rests_on=["the rest of the pool stays where it is"])  # fmt: skip
    way(run, "reverse_rollover", "UNKNOWN", "ira_roll_in: does the plan of Fernhollow take rollovers from an IRA?")
    way(run, "qhfd", "INELIGIBLE", "no_hsa_coverage: not covered by a high-deductible health plan")
    way(run, "convert_everything", "COMPUTED", amount=money("90000"), conversion=money("97500"),
        taxable_then=money("90000"), tax_then=money("31500"), deadline=date(2026, 12, 31),
        rests_on=["the plan takes it (ira_roll_in)", "the tax is paid from other money"])  # fmt: skip
    for person, text in (("P1", "basis of $0 stated for 2025 (2025 return)"), ("P9", "basis of $5 stated for 2025")):
        run.add("evidence", person_id=person, tax_year=2026, topic="basis", text=text, source_line=4,
                source_file="basis_211000101.csv")  # fmt: skip
    run.add(
        "plan_years", person_id="P1", tax_year=2026, plan_id="X", employer_name="Fernhollow", employer_group_id="G1"
    )
    return run


def write(run: RunFiles, folder: Path, person_id: str = "P1", audience: Any = "meeting", **more: Any) -> Brief:
    target = folder / "brief.docx"
    given = {"as_of": AS_OF, "tax_years": [2026], "fingerprint": FINGERPRINT, "version": "0.1.0", **more}
    return Brief(write_brief(put(run, folder / "run"), person_id, target, audience=audience, **given))


def lines(brief: Brief) -> dict[str, str]:
    """Amounts by line of Form 8606, from both halves of the table."""
    rows = brief["Form 8606"].rows[1:]
    return {half[0]: half[2] for row in rows for half in (row[:3], row[3:]) if half[0]}


def test_lines_are_those_of_the_result_table(tmp_path: Path) -> None:
    brief = write(full_book(), tmp_path, audience="cpa")
    form = form_8606()
    expected = {
        name.removeprefix("line_"): f"${value:,.2f}"
        for name, value in form.items()
        # nothing was paid out and nothing was contributed after the year
        if name.startswith("line_") and name not in {"line_4", "line_7", "line_12", "line_15a", "line_15b", "line_15c"}
    }
    assert lines(brief) == {**expected, "10": "0.076923"}
    assert "Form 8606, tax year 2026 (projected)" in brief.sections
    assert "COMPUTED" in brief["Form 8606"].texts[0]
    assert brief.figures()["Taxable conversion (line 18)"] == "$6,923.08\n$2,423.08 of tax at 35%; projected"


def test_a_meeting_sees_the_lines_that_matter_with_the_key_ones_bold(tmp_path: Path) -> None:
    brief = write(full_book(), tmp_path)
    assert lines(brief) == {
        "1": "$7,500.00", "2": "$0.00", "6": "$90,000.00", "8": "$7,500.00", "10": "0.076923", "11": "$576.92",
        "14": "$6,923.08", "18": "$6,923.08",
    }  # fmt: skip
    bold = {
        cell.text
        for table in brief.document.tables
        if table.rows[0].cells[0].text == "Line"
        for row in table.rows[1:]
        for cell in row.cells
        if any(run.bold for p in cell.paragraphs for run in p.runs)
    }
    assert bold == {"Value of all IRAs", "$90,000.00", "Basis carried out", "Taxable conversions", "$6,923.08"}


def test_lines_of_payouts_are_shown_where_there_were_any(tmp_path: Path) -> None:
    run = full_book()
    run.rows["form_8606"][0] |= {"line_7": money("5000"), "line_15a": money("4615.38"), "line_15c": money("4615.38")}
    shown = lines(write(run, tmp_path, audience="cpa"))
    assert (shown["7"], shown["12"], shown["15a"], shown["15c"]) == ("$5,000.00", "$0.00", "$4,615.38", "$4,615.38")
    assert "15b" not in shown


def test_review_says_what_to_look_at(tmp_path: Path) -> None:
    run = full_book()
    run.rows["form_8606"][0] |= {"status": "REVIEW", "reasons": ["old_value: the oldest balance is of June"]}
    brief = write(run, tmp_path)
    assert "REVIEW" in brief["Form 8606"].texts[0]
    assert "To review: the oldest balance is of June." in brief["Form 8606"].texts[0]
    assert "under review" in brief["Options"].texts[0]
    assert "under review" in brief.figures()["Basis carried on (line 14)"]


def test_unknown_is_said_as_unknown_with_the_question_and_no_number(tmp_path: Path) -> None:
    brief = write(full_book(), tmp_path, "P2")
    form = brief["Form 8606"]
    assert form.rows == []
    assert form.texts == [" UNKNOWN   No line is shown: 1 fact missing, see What to ask."]
    assert brief.figures()["Taxable conversion (line 18)"].startswith("unknown")
    assert brief.figures()["Mega backdoor room"].startswith("unknown")
    assert "$32,500" not in brief.all  # the room an UNKNOWN row was left with
    asked = {tuple(row) for row in brief["What to ask"].rows[1:]}
    assert asked == {
        (
            "Client or tax preparer",
            "What is line 14 of the last Form 8606 filed, and for which year? 0 if none was.",
            "Form 8606",
        ),
        ("Employer or plan", "Were forfeitures allocated this year, and how much?", "Mega backdoor room"),
        ("Client", "Are these all of the client's traditional, SEP and SIMPLE IRAs, anywhere?", "Form 8606"),
    }
    finding = brief["Open findings"].rows[1]
    assert finding[1] == "IRA basis is not known\nSee What to ask."
    assert finding[2] == "unknown"


def test_a_client_without_an_ira(tmp_path: Path) -> None:
    brief = write(full_book(), tmp_path, "P3")
    assert "no Form 8606" in brief["Form 8606"].texts[0]
    assert brief.figures()["Taxable conversion (line 18)"].startswith("none")
    assert "Basis carried on (line 14)" not in brief.figures()
    assert brief["Accounts"].texts == ["No account of this client is in the book.", *brief["Accounts"].texts[1:]]
    facts = dict(brief["Facts"].rows[1:])
    assert facts["Income"] == "No tax profile for 2026: filing status, income and plan coverage are unknown"
    assert facts["IRA contributions"] == "Unknown: see What to ask"
    assert {row[1] for row in brief["What to ask"].rows[1:]} == {
        "What is the client's date of birth?",
        "What is the client's compensation for the year?",
    }


def test_options_with_dollars(tmp_path: Path) -> None:
    options = write(full_book(), tmp_path)["Options"]
    assert options.texts[0] == (
        "If nothing is done, $6,923.08 of a conversion of $7,500 is taxable. Tax is at the stated marginal rate of 35%."
    )
    assert options.rows == [
        ["Option, and what it rests on", "Moves", "Taxed in 2026", "Tax at 35%", "By"],
        ["Accept the tax, change nothing", "nothing", "$6,923.08", "$2,423.08", ""],
        [
            "Reverse rollover: pre-tax money into a plan at work\nNot known yet: see What to ask.",
            "unknown", "unknown", "unknown", "",
        ],
        [
            "Convert everything\nThe plan takes it; the tax is paid from other money",
            "$90,000", "$90,000", "$31,500", "Dec 31, 2026",
        ],
    ]  # fmt: skip
    assert options.texts[1] == "Not open: HSA funding distribution (not covered by a high-deductible health plan)."


def test_an_option_that_is_unknown_is_asked_about(tmp_path: Path) -> None:
    assert write(full_book(), tmp_path)["What to ask"].rows[1:] == [
        ["Employer or plan", "Does the plan of Fernhollow take rollovers from an IRA?", "Option: reverse rollover"]
    ]


def test_without_a_marginal_rate_no_tax_is_shown_and_the_rate_is_asked_for(tmp_path: Path) -> None:
    run = full_book()
    run.rows["tax_profiles"][0]["marginal_tax_rate"] = None
    for row in run.rows["ways_out"]:
        row["tax_then"] = None
    brief = write(run, tmp_path)
    assert [row[3] for row in brief["Options"].rows] == ["Tax", "unknown", "unknown", "unknown"]
    assert "What marginal tax rate should we reckon with?" in brief["What to ask"].all


def test_facts_with_where_they_were_stated(tmp_path: Path) -> None:
    brief = write(full_book(), tmp_path)
    assert dict(brief["Facts"].rows[1:]) == {
        "Income": "Married filing jointly; Roth MAGI $260,000; compensation $260,000; covered by a plan at work; "
        "age 47 at the end of 2026; marginal rate 35%",
        "IRA contributions": "Made: traditional unknown (nondeductible $7,500), Roth unknown. "
        "Limit $7,500, directly to Roth $0",
        "Basis": "Basis of $0 stated for 2025 (2025 return) [basis_...0101.csv:4]",
        "All IRAs in book": "Yes, confirmed",
        "Spouse": "Luis Alvarez: own IRAs, own Form 8606; two spouses' IRAs are never added up",
    }
    assert brief["Accounts"].rows[1:] == [
        ["schwab ...0102", "Inherited traditional IRA", "undecided", "inherited: not stated from whom", "unknown", ""],
        [
            "fidelity ...0101", "Rollover IRA", "yes", "all of a person's are one (408(d)(2))", "$90,000.00",
            "Nov 20, 2026",
        ],
    ]  # fmt: skip


def test_a_rate_stated_as_a_fraction_is_the_same_rate(tmp_path: Path) -> None:
    run = full_book()
    run.rows["tax_profiles"][0]["marginal_tax_rate"] = Decimal("0.325")
    assert write(run, tmp_path)["Options"].rows[0][3] == "Tax at 32.5%"


def test_mega_backdoor(tmp_path: Path) -> None:
    run = full_book()
    run.rows["ways_out"] = []  # so that there is room for details
    brief = write(run, tmp_path)
    assert brief["Plans"].texts[0] == (
        "Deferrals over all employers (402(g)): $24,500, limit $24,500, catch-up limit $8,000, which must be Roth; "
        "left $8,000."
    )
    assert brief["Plans"].rows[1] == [
        "Fernhollow\nThe plan's limitation year is not the calendar year; before the plan's ACP test, which may cut it",
        "REVIEW", "$32,500", "$72,000", "$39,500",
    ]  # fmt: skip
    assert brief.figures()["Mega backdoor room"] == "$32,500\nFernhollow"


def test_findings_ranked_with_dollars_and_deadline_without_the_resolved(tmp_path: Path) -> None:
    run = full_book()
    run.rows["findings"][0]["explanation"] = "In the IRAs."
    findings = write(run, tmp_path, audience="cpa")["Open findings"].rows[1:]
    assert findings[0] == [
        "high",
        "$6,923.08 of a $7,500 Roth conversion is taxable\nIn the IRAs. Move it to a plan. [IRC 408(d)(2)]",
        "$2,423.08\ntax",
        "Dec 31, 2026\nin 37 days",
    ]
    assert [row[0] for row in findings] == ["high", "info"]
    assert "An old problem" not in write(full_book(), tmp_path, "P2").all


def test_only_this_client_and_the_spouse_by_name(tmp_path: Path) -> None:
    for audience in ("meeting", "cpa"):
        told = write(full_book(), tmp_path, audience=audience).all
        assert "Luis Alvarez" in told
        assert [x for x in ("Okafor", "Secret", "P2", "P3", "P9", "$5 stated", "forfeitures") if x in told] == []


def test_a_spouse_with_another_advisor_is_not_named(tmp_path: Path) -> None:
    run = full_book()
    run.rows["persons"][1]["advisor_id"] = "B7"
    told = write(run, tmp_path)
    assert "Luis" not in told.all
    assert dict(told["Facts"].rows[1:])["Spouse"].startswith("With another advisor of the firm")
    run.rows["persons"][0]["spouse_person_id"] = "GONE"
    assert dict(write(run, tmp_path)["Facts"].rows[1:])["Spouse"].startswith("Stated, but not in the book")


def test_merged_records_state_a_fact_only_where_they_agree(tmp_path: Path) -> None:
    run = full_book().add("merged_persons", person_id="OLD", survivor_id="P1")
    run.person("OLD", "A1", "M.", "Alvarez")
    profile(run, "OLD", compensation=money("1"), roth_magi=money("260000"))
    brief = write(run, tmp_path)
    income = dict(brief["Facts"].rows[1:])["Income"]
    assert "compensation unknown" in income
    assert "Roth MAGI $260,000" in income
    with pytest.raises(UnknownClient):
        write(run, tmp_path, "OLD")


@pytest.mark.parametrize(("person_id", "year"), [("NOBODY", 2026), ("P1", 2024)])
def test_nobody_by_that_id_or_year(tmp_path: Path, person_id: str, year: int) -> None:
    with pytest.raises(UnknownClient):
        write(full_book(), tmp_path, person_id, tax_year=year)
    assert not (tmp_path / "brief.docx").exists()


def test_the_newest_year_unless_asked(tmp_path: Path) -> None:
    assert "tax year 2026" in write(full_book(), tmp_path, tax_years=[2025, 2026]).all
    assert "tax year 2025" in write(full_book(), tmp_path, tax_years=[2025, 2026], tax_year=2025).all


def test_hostile_text_arrives_as_masked_text(tmp_path: Path) -> None:
    run = full_book()
    run.rows["persons"][0] |= {"given_name": "=HYPERLINK(\x00\x1b[31m\n\tEve", "family_name": "900-11-2345 211000101"}
    run.finding("evil", "P1", "A1", rank=0, title="<w:p>&\ufffe 887700551234", explanation="-" * 5000, action="")
    run.rows["ira_aggregation"][0]["why"] = "like 887700551234"
    told = write(run, tmp_path).all
    assert "=HYPERLINK([31m Eve [tax id] ...0101" in told
    assert "<w:p>& ...1234" in told
    assert [x for x in ("900-11-2345", "211000101", "887700551234", "\x00", "\x1b") if x in told] == []


def test_same_run_same_bytes_readable_by_the_owner_only(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("a", "b"))
    write(full_book(), first)
    write(full_book(), second)
    target = first / "brief.docx"
    assert target.read_bytes() == (second / "brief.docx").read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as package:
        assert {member.date_time for member in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [name for name in package.namelist() if "thumbnail" in name]


def test_properties_language_headings_and_header_rows(tmp_path: Path) -> None:
    document = write(full_book(), tmp_path).document
    properties = document.core_properties
    assert properties.title == "Maria Alvarez: Roth brief"
    assert (properties.author, properties.last_modified_by) == ("Rothbook", "Rothbook")
    assert properties.language == "en-US"
    assert properties.created is not None
    assert properties.created.date() == AS_OF
    language = document.styles.element.find(f".//{qn('w:lang')}")
    assert language is not None
    assert language.get(qn("w:val")) == "en-US"
    styles = [p.style.name for p in document.paragraphs if p.style is not None]
    assert styles.count("Title") == 1
    assert styles.count("Heading 1") == 7
    for table in document.tables:
        marked = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in table.rows]
        assert marked == [True] + [False] * (len(marked) - 1)
        settings = [setting.tag for setting in table._tbl.tblPr]
        assert settings == [
            qn(f"w:{name}")
            for name in (
                "tblW", "jc", "tblInd", "tblBorders", "tblLayout", "tblCellMar", "tblLook", "tblCaption"
            )
        ]  # fmt: skip
    section = document.sections[0]
    assert (section.page_width.inches, section.page_height.inches) == (8.5, 11)  # type: ignore[union-attr]


def test_what_the_page_rests_on(tmp_path: Path) -> None:
    meeting = write(full_book(), tmp_path).all
    assert "Not tax advice" in meeting
    assert "as of 2026-11-24  ·  book 0f1e2d3c4b5a" in meeting
    assert "rothbook explain P1 --tax-year 2026" in meeting
    assert "Sources [file:line]: line 2: basis_...0101.csv:4" in write(full_book(), tmp_path, audience="cpa").all


def test_every_missing_fact_has_a_question() -> None:
    reasons = {code for code in FIXES if code not in {finding.rule for finding in registry()}}
    assert reasons - set(QUESTIONS) == set()
    assert question("row_set_aside", "line 3 of the persons file was set aside (required); correct it and drop it") == (
        "Our office",
        "What should the row say? line 3 of the persons file was set aside (required)",
    )
    assert question("a_new_code", "is it so?") == ("Our office", "Please find out: is it so?")


def crowded() -> RunFiles:
    """A client with more of everything than a page holds, in the longest words there are."""
    run = full_book()
    word = "Wolverhampton-Montgomery "
    run.rows["persons"][0] |= {"given_name": word * 30, "family_name": "W" * 900}
    run.rows["persons"][1] |= {"given_name": word * 30, "family_name": "M" * 900}
    run.rows["form_8606"][0] |= {"status": "REVIEW", "reasons": [f"x: {word * 90}", f"y: {word * 90}"]}
    run.rows["ways_out"] = []
    for name in ("accept", "reverse_rollover", "qhfd", "convert_everything", "wait"):
        way(run, name, "REVIEW", f"x: {word * 50}", amount=money("9999999.99"), taxable_then=money("9999999.99"),
            tax_then=money("9999999.99"), rests_on=[word * 50])  # fmt: skip
    for n in range(40):
        run.finding(f"many{n}", "P1", "A1", title=word * 40, explanation=word * 90, action=word * 90)
        run.add("ira_aggregation", person_id="P1", tax_year=2026, account_key=f"fidelity:21{n:07}", custodian=word * 9,
                account_type="inherited_traditional_ira", in_pool=True, why=word * 40, as_of=AS_OF,
                market_value=money("99999999.99"))  # fmt: skip
        run.add("mega_backdoor", person_id="P1", tax_year=2026, employer_group_id=f"G{n + 5}" + word * 9,
                status="UNKNOWN", reasons=[f"other_deferrals: how much {n} {word * 60}?"])  # fmt: skip
        run.add("evidence", person_id="P1", tax_year=2026, topic="basis", text=word * 40, source_file=word * 40)
    for kind in ("traditional", "roth"):
        run.add("excess_contributions", person_id="P1", tax_year=2026, ira_kind=kind, status="UNKNOWN",
                reasons=[f"x: {word * 90}"])  # fmt: skip
    return run


@pytest.mark.parametrize("audience", ["meeting", "cpa"])
def test_too_much_for_a_page_is_cut_and_the_rest_counted(tmp_path: Path, audience: Any) -> None:
    run = put(crowded(), tmp_path / "run")
    book = read_book(run, as_of=AS_OF, tax_years=[2026], fingerprint=FINGERPRINT, version="0.1.0")
    whole = page(read_client(run, book, "P1", 2026), audience, version="0.1.0", fingerprint=FINGERPRINT)
    cut = fit(whole)
    assert height(whole) > 3 * ROOM
    assert height(cut) <= ROOM
    for before, after in zip(whole.blocks, cut.blocks, strict=True):
        assert len(before.rows) == len(after.rows) + after.left_out
        assert (f"And {after.left_out} more: {before.where}." in after.notes) == (after.left_out > 0)
    kept = {block.heading: block.rows for block in cut.blocks if not block.yields}
    assert kept == {block.heading: block.rows for block in whole.blocks if not block.yields}
    assert [heading[:9] for heading in sorted(kept)] == ["Facts it ", "Form 8606"]
    told = write(crowded(), tmp_path, audience=audience)
    assert "of the workbook." in told.all


def test_the_lowest_block_gives_way_first_and_details_before_rows() -> None:
    columns = (Column("What", 1.0),)
    rows = tuple((Cell(f"row {n}", detail="why", less="do"),) for n in range(60))
    low, high = (Block(name, columns=columns, rows=rows[:n], least=1, where=name, yields=y) for name, n, y in
                 (("low", 30, 2), ("high", 12, 1)))  # fmt: skip
    cut = fit(Page("T", "s", (("a", "1", ""),), (high, low), ("end",), "f"))
    assert cut.blocks[0] == high
    assert cut.blocks[1].left_out > 0
    assert [row[0].detail for row in cut.blocks[1].rows] == ["why", *["do"] * (len(cut.blocks[1].rows) - 1)]
    assert cut.blocks[1].notes == f"And {cut.blocks[1].left_out} more: low."


def test_lines_are_counted_by_the_width_of_their_letters() -> None:
    one = text_height("x", 100, 10)
    assert text_height("iiii " * 8, 100, 10) == one
    assert text_height("WWWW " * 8, 100, 10) == 4 * one
    assert text_height("W" * 100, 100, 10) == pytest.approx(11 * one)


@pytest.mark.parametrize(
    ("person_id", "audience", "name"),
    [
        ("P001", "meeting", "brief-P001-2026.docx"),
        ("P001", "cpa", "brief-P001-2026-cpa.docx"),
        ("../../etc/passwd", "meeting", "brief-etc-passwd-2026.docx"),
        ("..", "meeting", "brief-person-2026.docx"),
    ],
)
def test_a_file_name_is_safe_and_tells_no_name(person_id: str, audience: Any, name: str) -> None:
    assert file_name(person_id, 2026, audience) == name
