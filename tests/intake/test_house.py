"""House files: what is accepted; every problem is named with its line, column, rule and a way to put it right."""

from __future__ import annotations

import hmac
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from schemas import models
from schemas.accounts import normalise_account_number
from schemas.profile import profiles
from schemas.tables import INPUT_TABLES
from schemas.validate import FrameError, failures
from tests.intake.nights import KEY, Book, Night
from transforms.intake.frames import number

TX = "custodian,account_number,transaction_id,trade_date,transaction_type,amount,tax_year,counter_account_number\n"


def drop(tmp_path: Path, text: str) -> Night:
    return Book(tmp_path).drop("house.csv", text).night()


def test_columns_in_any_order_with_bom_blanks_quotes_and_unknown_columns(tmp_path: Path) -> None:
    text = (
        "\ufeffshoe_size,family_name,given_name,advisor_id,person_id,tax_id,birth_date\r\n"
        '9,"O\'Neil, Jr",Ana,A1,P1,901-14-7721,1980-02-29\r\n'
        "\r\n"
        '9,"two\nlines",Bo,A1,P2,,\r\n'
    )
    night = drop(tmp_path, text)
    rows = night.table("persons").select("person_id", "family_name", "birth_date", "source_line").rows()
    assert rows == [("P1", "O'Neil, Jr", date(1980, 2, 29), 2), ("P2", "two\nlines", None, 4)]
    expected = hmac.digest(KEY, b"901147721", "sha256").hex()
    assert night.table("persons")["tax_id"].to_list() == [expected, None]
    file = night.files.row(0, named=True)
    assert (file["lines_total"], file["lines_data"], file["lines_blank"], file["rows"]) == (5, 3, 1, 2)
    assert file["message"] == "columns not known for persons, kept in the archive and not read: shoe_size"


def test_what_may_be_a_name_in_a_header_is_counted_not_shown(tmp_path: Path) -> None:
    night = drop(tmp_path, "person_id,advisor_id,given_name,family_name,Zelda Quizzle 4711,=cmd\nP1,A1,Ana,Neil,,\n")
    said = night.files.row(0, named=True)["message"]
    assert said == "columns not known for persons, kept in the archive and not read: 2 whose names aren't shown"


@pytest.mark.parametrize("kind", [k for k, t in INPUT_TABLES.items() if t.house])
def test_header_only_file_of_every_kind(tmp_path: Path, kind: str) -> None:
    night = drop(tmp_path, ",".join(c.name for c in INPUT_TABLES[kind].columns) + "\n")
    assert night.files.select("kind", "state", "rows").rows() == [(kind, "accepted", 0)]
    assert dict(night.table(kind).schema) == INPUT_TABLES[kind].schema


def test_every_table_is_written_with_its_schema_even_on_an_empty_night(tmp_path: Path) -> None:
    night = Book(tmp_path).night()
    for name, table in INPUT_TABLES.items():
        assert dict(night.table(name).schema) == table.schema


BAD_CELLS = [
    ("amount", "$7,000.00", "not_money"),
    ("amount", "7000.005", "not_money"),
    ("amount", "1e3", "not_money"),
    ("amount", "-1.00", "negative"),
    ("amount", "", "required"),
    ("trade_date", "04/15/2026", "not_a_date"),
    ("trade_date", "2026-02-30", "not_a_date"),
    ("trade_date", "1899-12-31", "not_a_date"),
    ("trade_date", "2026-4-5", "not_a_date"),
    ("transaction_type", "gift", "not_in_list"),
    ("transaction_type", "Contribution", "not_in_list"),
    ("tax_year", "26", "not_a_year"),
    ("tax_year", "2024", "tax_year_not_possible"),
    ("tax_year", "2027", "tax_year_not_possible"),
    ("custodian", "", "required"),
]


@pytest.mark.parametrize(("column", "cell", "rule"), BAD_CELLS, ids=[f"{c}={v or 'blank'}" for c, v, _ in BAD_CELLS])
def test_one_bad_cell_sets_its_row_aside_and_no_other(tmp_path: Path, column: str, cell: str, rule: str) -> None:
    good = {"custodian": "schwab", "account_number": "1111-2222", "transaction_id": "t1", "trade_date": "2026-04-15",
            "transaction_type": "contribution", "amount": "7000.00", "tax_year": "2025",
            "counter_account_number": ""}  # fmt: skip
    bad = {**good, "transaction_id": "t2", column: cell}
    text = TX + "".join(",".join(f'"{v}"' for v in row.values()) + "\n" for row in (good, bad))
    night = drop(tmp_path, text)
    assert night.table("transactions")["transaction_id"].to_list() == ["t1"]
    reject = night.rejects.row(0, named=True)
    assert night.rejects.height == 1
    assert (reject["line_number"], reject["column"], reject["rule"], reject["blocks"]) == (3, column, rule, True)
    assert (reject["account_number"], reject["kind"]) == ("11112222", "transactions")
    assert reject["message"].startswith(f"column {column}: ")
    assert reject["message"].endswith("; correct the cell and drop the file again")
    assert night.files.select("state", "rows", "accepted", "rejected").rows() == [("partial", 2, 1, 1)]


def test_a_reject_says_whom_the_row_was_about(tmp_path: Path) -> None:
    night = drop(tmp_path, TX + "Schwab,1111-2222,t1,2026-04-15,gift,7000.00,,\n")
    reject = night.rejects.row(0, named=True)
    assert (reject["custodian"], reject["account_number"], reject["row_key"]) == (
        "schwab",
        "11112222",
        "schwab|11112222|t1",
    )
    assert (reject["trade_date"], reject["amount"]) == (date(2026, 4, 15), Decimal("7000.00"))


def test_several_problems_of_a_row_are_several_rejects_and_one_row_set_aside(tmp_path: Path) -> None:
    night = drop(tmp_path, TX + "schwab,1,t1,soon,contribution,lots,x,\n")
    assert night.rejects.select("column", "rule").rows() == [
        ("amount", "not_money"),
        ("tax_year", "not_a_year"),
        ("trade_date", "not_a_date"),
    ]
    assert night.files["rejected"].to_list() == [1]


def test_wrong_number_of_cells_keeps_the_person_blocked(tmp_path: Path) -> None:
    night = drop(tmp_path, "person_id,tax_year,filing_status,agi\nP1,2026,single,100,000\nP2,2026\nP3,2026,hoh,5\n")
    assert night.table("tax_profiles")["person_id"].to_list() == ["P3"]
    assert night.rejects.select("rule", "line_number", "person_id", "row_key", "blocks").rows() == [
        ("wrong_number_of_cells", 2, "P1", "P1|2026", True),
        ("wrong_number_of_cells", 3, "P2", "P2|2026", True),
    ]


@pytest.mark.parametrize("tax_id", ["1234", "01147721", "abc-de-fghi"])
def test_tax_ids_that_are_none(tmp_path: Path, tax_id: str) -> None:
    night = drop(tmp_path, f"person_id,advisor_id,given_name,family_name,tax_id\nP1,A1,X,Y,{tax_id}\n")
    assert night.rules() == ["not_a_tax_id"]
    assert night.table("persons").is_empty()


def test_signed_money_is_accepted_where_the_table_says_so(tmp_path: Path) -> None:
    night = drop(tmp_path, "person_id,tax_year,filing_status,roth_magi,agi\nP1,2026,single,-5.00,-0.01\n")
    assert night.table("tax_profiles").select("roth_magi", "agi").rows() == [(Decimal("-5.00"), Decimal("-0.01"))]


def test_most_specific_kind_wins(tmp_path: Path) -> None:
    night = drop(tmp_path, "custodian,account_number,tax_year,box_7_codes,box_1_gross\ns,1,2025,7,10\n")
    assert night.files["kind"].to_list() == ["form_1099r"]
    assert night.table("form_1099r")["box_1_gross"].to_list() == [Decimal("10.00")]


def _raw(kind: str, cells: dict[str, list[str | None]]) -> pl.DataFrame:
    rows = len(next(iter(cells.values())))
    names = [c.name for c in INPUT_TABLES[kind].columns]
    frame = pl.DataFrame({n: cells.get(n, [None] * rows) for n in names}, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(
        pl.lit("sha").alias("source_sha256"), pl.lit("f.csv").alias("source_file"),
        pl.lit(2, pl.Int64).alias("source_line"),
        pl.lit("house").alias("profile"), pl.lit(date(2026, 1, 1)).alias("received_at"),
    )  # fmt: skip


BASIS = {"person_id": ["P1"], "tax_year": ["2024"]}


@given(cents=st.integers(-(10**17), 10**17))
def test_house_money_round_trips(cents: int) -> None:
    text = str(Decimal(cents) / 100)
    failed = failures(models.raw_house("ira_basis"), _raw("ira_basis", {**BASIS, "basis": [text]}))
    if "E" in text:
        assert failed["rule"].to_list() == ["not_money"]
    else:
        assert failed.is_empty()
        assert pl.Series([text]).cast(models.DTYPES["money"])[0] == Decimal(cents) / 100


@given(text=st.text("0123456789.,$-+() e", max_size=9))
def test_house_money_is_a_plain_decimal_or_nothing(text: str) -> None:
    import re

    plain = re.fullmatch(r"-?\d+(\.\d{1,2}0*)?", text) is not None
    failed = failures(models.raw_house("ira_basis"), _raw("ira_basis", {**BASIS, "basis": [text]}))
    assert failed.is_empty() == plain


@given(day=st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_house_dates_round_trip(day: date) -> None:
    cells: dict[str, list[str | None]] = {
        "custodian": ["s"], "account_number": ["1"], "market_value": ["1"], "as_of": [day.isoformat()],
    }  # fmt: skip
    assert failures(models.raw_house("balances"), _raw("balances", cells)).is_empty()
    turned = {**cells, "as_of": [day.strftime("%m/%d/%Y")]}
    assert failures(models.raw_house("balances"), _raw("balances", turned))["rule"].to_list() == ["not_a_date"]


@given(ending=st.text("0123456789ABC", min_size=2, max_size=6), mask=st.sampled_from(["XXXX-", "...", "****", "XXX"]))
def test_masks_keep_their_ending_only(ending: str, mask: str) -> None:
    assert normalise_account_number(mask + ending) == "*" + ending


@given(cents=st.integers(0, 10**14), grouped=st.booleans(), style=st.sampled_from(["", "-", "+", "("]))
def test_dollar_grammar_is_exact(*, cents: int, grouped: bool, style: str) -> None:
    profile = next(p for p in profiles() if p.name == "schwab-transactions")
    whole = f"{cents // 100:,}" if grouped else str(cents // 100)
    body = f"${whole}.{cents % 100:02d}"
    text = f"({body})" if style == "(" else style + body
    sign = -1 if style in ("-", "(") else 1
    assert pl.select(number(pl.lit(text), profile)).item() == sign * Decimal(cents) / 100


@pytest.mark.parametrize("text", ["1,23", "$", "--", "1.2.3", "12,345,67", "$-", "5 000", "1e5"])
def test_dollar_grammar_reads_nothing_else(text: str) -> None:
    profile = next(p for p in profiles() if p.name == "schwab-transactions")
    assert pl.select(number(pl.lit(text), profile)).item() is None


def test_pandera_holds_the_typed_table_to_its_vocabulary() -> None:
    schema = INPUT_TABLES["balances"].schema
    row = {"custodian": "s", "account_number": None, "as_of": date(2026, 1, 1), "market_value": Decimal(1),
           "coverage": "some", "source_sha256": "x", "source_file": "f", "source_line": 1, "profile": "p",
           "received_at": date(2026, 1, 1)}  # fmt: skip
    found = failures(models.typed("balances"), pl.DataFrame([row], schema=schema))
    assert found.rows() == [(0, "account_number", "required"), (0, "coverage", "not_in_list")]


def test_a_frame_of_the_wrong_shape_is_the_programs_fault() -> None:
    with pytest.raises(FrameError, match="column"):
        failures(models.typed("balances"), pl.DataFrame({"custodian": ["a secret"]}))


@pytest.mark.parametrize("kind", ["transactions", "persons", "payroll_contributions"])
def test_all_checks_at_once_pass_what_each_alone_passes(kind: str) -> None:
    good = {
        "money": "1.00", "percent": "1", "year": "2026", "bool": "true", "int": "1", "date": "2026-03-01", "text": "a",
    }  # fmt: skip
    columns = INPUT_TABLES[kind].columns
    row: dict[str, list[str | None]] = {
        c.name: ["901147721" if c.name in models.TAX_ID_COLUMNS else good[c.kind]] for c in columns
    }
    model, found = models.raw_house(kind), set[str]()
    for name, cell in [(None, None), *((c.name, cell) for c in columns for cell in (None, "\ufeff", "2.11E+08"))]:
        frame = _raw(kind, row if name is None else {**row, name: [cell]})
        judged = [_passes(schema, frame) for schema in (model.at_once, model.schema)]
        assert judged[0] == judged[1], (name, cell)
        assert failures(model, frame).is_empty() == judged[1]
        found.add(f"{name} {judged[1]}")
    assert "None True" in found
    assert {f"{c.name} False" for c in columns if c.required} <= found


def _passes(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> bool:
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors:
        return False
    return True
