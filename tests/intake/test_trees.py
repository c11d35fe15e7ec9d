"""OFX, QFX and Flex XML: every record with its line, nothing moved, guessed, skipped or expanded."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.profile import ProfileError
from schemas.tables import INPUT_TABLES
from schemas.trees import parse_tree, tree_profile
from tests.intake.nights import KEY, Book, Night, shown
from transforms.intake import check_file

GOLDEN = Path(__file__).parents[1] / "golden" / "structured"
CLASSES = ("total", "preamble", "header", "data", "subtotal", "trailer", "blank", "unknown")
SAMPLES = {
    ("ofx-vanguard", "OfxDownload-401k.qfx"): ((30, 8, 9, 12, 0, 0, 1, 0), 7),
    ("ofx-fidelity", "ira.ofx"): ((115, 26, 2, 87, 0, 0, 0, 0), 8),
    ("ibkr-flex", "flex_activity.xml"): ((15, 10, 0, 5, 0, 0, 0, 0), 5),
}
IRA = "ira.ofx"


def text(profile: str, name: str) -> str:
    return (GOLDEN / profile / name).read_text(encoding="utf-8")


def ira() -> str:
    return text("ofx-fidelity", IRA)


def qfx() -> str:
    return text("ofx-vanguard", "OfxDownload-401k.qfx")


def flex() -> str:
    return text("ibkr-flex", "flex_activity.xml")


def night_of(tmp_path: Path, content: str | bytes, name: str = "delivered") -> Night:
    return Book(tmp_path).drop(name, content).night()


def refused(night: Night, rule: str) -> str:
    assert night.rules() == [rule]
    assert night.files["state"].to_list() == ["rejected"]
    assert sum(night.counts.tables.values()) == 0
    return str(night.files["message"][0])


@pytest.mark.parametrize(("profile", "name"), SAMPLES)
def test_every_line_has_a_class_and_every_record_is_a_row(tmp_path: Path, profile: str, name: str) -> None:
    row = night_of(tmp_path, text(profile, name), name).files.row(0, named=True)
    lines, rows = SAMPLES[profile, name]
    assert tuple(row[f"lines_{c}"] for c in CLASSES) == lines
    assert row["lines_total"] == sum(row[f"lines_{c}"] for c in CLASSES[1:]) == len(text(profile, name).splitlines())
    assert (row["profile"], row["state"], row["rows"], row["accepted"]) == (profile, "accepted", rows, rows)


@pytest.mark.parametrize(("profile", "name"), SAMPLES)
def test_canonical_rows_are_the_golden_ones(tmp_path: Path, profile: str, name: str) -> None:
    night = night_of(tmp_path, text(profile, name), name)
    for table in INPUT_TABLES:
        golden = GOLDEN / profile / f"{name}.{table}.csv"
        found = shown(table, night.table(table))
        if golden.exists():
            assert found.to_dicts() == pl.read_csv(golden, infer_schema=False).to_dicts(), table
        else:
            assert found.is_empty(), table


@pytest.mark.parametrize(("profile", "name"), SAMPLES)
def test_the_line_of_a_row_is_where_its_element_starts(tmp_path: Path, profile: str, name: str) -> None:
    lines = text(profile, name).splitlines()
    rows = night_of(tmp_path, text(profile, name), name).table("transactions")
    starts = "<(BUYMF|TRANSFER|SELLOPT|INCOME|INVBANKTRAN|CashTransaction|Transfer)\\b"
    assert all(re.search(starts, lines[n - 1]) for n in rows["source_line"])
    assert rows["source_line"].n_unique() == rows.height


def without_closing_tags(ofx: str) -> str:
    """The same OFX as 1.x writes it: one line, no header, leaves left open."""
    body = ofx[ofx.index("<OFX>") :]
    return re.sub(r"<([A-Z0-9]+)>([^<]+)</\1>", r"<\1>\2", re.sub(r">\s+<", "><", body)).strip()


def test_one_line_of_sgml_says_what_the_same_xml_says(tmp_path: Path) -> None:
    sgml = without_closing_tags(ira())
    assert "\n" not in sgml
    assert "</MEMO>" not in sgml
    one, two = night_of(tmp_path / "a", ira(), IRA), night_of(tmp_path / "b", sgml, IRA)
    for table in ("accounts", "balances", "transactions"):
        same = [shown(table, n.table(table)).drop("source_line").sort(pl.all()) for n in (one, two)]
        assert same[0].to_dicts() == same[1].to_dicts(), table
    assert two.files.select("lines_total", "lines_data", "rows", "accepted").rows() == [(1, 1, 8, 8)]
    assert two.table("balances")["market_value"].to_list() == [Decimal("12816.41")]


def test_an_empty_sgml_leaf_loses_no_transaction(tmp_path: Path) -> None:
    sgml = without_closing_tags(ira()).replace("<NAME>INTEREST EARNED<MEMO>INTEREST EARNED", "<NAME>X<MEMO>")
    rows = night_of(tmp_path, sgml).table("transactions")
    assert rows.height == 5
    assert rows.filter(pl.col("description") == "X")["custodian_code"].to_list() == ["INVBANKTRAN DEP"]


def test_an_empty_xml_element_is_no_value(tmp_path: Path) -> None:
    content = ira().replace("<AVAILCASH>7585.05</AVAILCASH>", "<AVAILCASH/>")
    night = night_of(tmp_path, content)
    assert night.table("transactions").height == 5
    assert night.table("balances").is_empty()
    assert "required" in night.rules()


def test_two_cdata_sections_on_one_line_stay_two_records(tmp_path: Path) -> None:
    sgml = without_closing_tags(ira()).replace("<MEMO>DIVIDEND RECEIVED", "<MEMO><![CDATA[A & B]]></MEMO>")
    sgml = sgml.replace("<MEMO>CASH CONTRIBUTION CURRENT YEAR", "<MEMO><![CDATA[C < D]]></MEMO>")
    rows = night_of(tmp_path, sgml).table("transactions")
    assert rows.height == 5
    assert {"A & B", "C < D"} <= set(rows["description"])


def test_an_overlapping_download_doubles_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path).drop("a.ofx", ira()).drop("b.ofx", ira().replace("INVENTED-2", "INVENTED-3"))
    night = book.night()
    assert night.files["state"].to_list() == ["accepted", "accepted"]
    assert night.table("transactions").height == 5
    assert night.table("balances").height == 1
    assert night.rejects.is_empty()


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        ("<MARGINBALANCE>+00000000000.00", "<MARGINBALANCE>-819.20", "margin or short balance"),
        ("<AVAILCASH>7585.05", "<AVAILCASH>5231.36", "may be the same money"),
        ("INVBAL>", "OTHERBAL>", "states no cash"),
    ],
)
def test_a_value_that_may_not_be_the_whole_account_is_none(tmp_path: Path, old: str, new: str, note: str) -> None:
    night = night_of(tmp_path, ira().replace(old, new))
    assert night.table("balances").is_empty()
    assert note in night.files["message"][0]
    assert night.table("transactions").height == 5
    row = night.files.row(0, named=True)
    assert row["lines_total"] == sum(row[f"lines_{c}"] for c in CLASSES[1:])


def test_transactions_only_give_no_value(tmp_path: Path) -> None:
    start, end = ira().index("<INVPOSLIST>"), ira().index("</INVPOSLIST>") + len("</INVPOSLIST>")
    night = night_of(tmp_path, ira()[:start] + ira()[end:])
    assert night.table("balances").is_empty()
    assert night.rejects.is_empty()


def test_a_position_in_another_currency_makes_the_value_unknown(tmp_path: Path) -> None:
    content = ira().replace(
        "<CURRENCY><CURRATE>1.0</CURRATE><CURSYM>USD", "<CURRENCY><CURRATE>1.0</CURRATE><CURSYM>CAD"
    )
    night = night_of(tmp_path, content)
    assert night.table("balances").is_empty()
    assert night.rejects.select("line_number", "rule", "account_number", "blocks").rows() == [
        (94, "required", "211000901", True),
        (107, "account_incomplete", "211000901", True),
    ]


def test_the_quarantine_holds_the_line_and_of_a_huge_one_its_start(tmp_path: Path) -> None:
    content = qfx().replace("<UNITPRICE>115.20</UNITPRICE><INV401KSOURCE>", "<INV401KSOURCE>")
    night = night_of(tmp_path / "lines", content)
    kept = (night.out / "quarantine" / f"{night.files['sha256'][0]}.csv").read_text()
    assert content.splitlines()[18] in kept.replace('""', '"')
    night = night_of(tmp_path / "one", without_closing_tags(content).replace("<TRNUID>0", f"<TRNUID>{'0' * 5000}"))
    kept = (night.out / "quarantine" / f"{night.files['sha256'][0]}.csv").read_text()
    assert night.rules() == ["amount_not_known"] * 2
    assert kept.count("[cut: the whole line is in the archive]") == 2
    assert len(kept) < 9000 + 4 * 300


def test_shares_moved_without_a_price_are_set_aside(tmp_path: Path) -> None:
    night = night_of(tmp_path, qfx().replace("<UNITPRICE>115.20</UNITPRICE><INV401KSOURCE>", "<INV401KSOURCE>"))
    assert night.rejects.select("line_number", "rule").rows() == [(19, "amount_not_known"), (21, "amount_not_known")]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda t: t[:-8], "incomplete_file"),
        (lambda t: t.replace("</INVTRANLIST>", ""), "not_well_formed"),
        (lambda t: t.replace("<INVTRANLIST>", "<INVTRANLIST>stray"), "not_well_formed"),
        (lambda t: t.replace("</INVPOSLIST>", "</INVPOSLIST><odd>1</odd>"), "not_well_formed"),
        (lambda t: t.replace("fidelity.com", "nowhere.example").replace("7776", "1"), "custodian_not_known"),
        (lambda t: t.replace("<FID>7776", "<FID>15103"), "several_kinds_fit"),
        (lambda t: t.replace("<SEVERITY>INFO", "<SEVERITY>ERROR"), "statement_failed"),
        (lambda t: t.replace("<CURDEF>USD", "<CURDEF>CAD"), "not_us_dollars"),
        (lambda t: t.replace("<OFX>", '<!DOCTYPE x [<!ENTITY a "b">]><OFX>'), "dtd_refused"),
        (lambda t: t.replace("INVSTMTRS>", "OTHERRS>"), "no_statement"),
        (lambda t: t.replace("YOU SOLD", "YOU\udcff"), "wrong_encoding"),
    ],
    ids=["cut", "open", "stray", "lower case", "unknown", "contradicts", "error", "dollars", "dtd", "none", "bytes"],
)
def test_ofx_that_can_not_be_trusted(tmp_path: Path, change, rule: str) -> None:  # type: ignore[no-untyped-def]
    changed = change(ira())
    assert changed != ira()
    message = refused(night_of(tmp_path, changed.encode("utf-8", "surrogateescape")), rule)
    assert "211000901" not in message


BANK = """OFXHEADER:100
CHARSET:1252

<OFX><SIGNONMSGSRSV1><SONRS><FI><ORG>fidelity.com<FID>7776</FI></SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>0090-001<ACCTTYPE>CD</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260101<DTEND>20260131
<STMTTRN><TRNTYPE>INT<DTPOSTED>20260131<TRNAMT>1.25<FITID>1<NAME>Caf\u00e9</STMTTRN>
<STMTTRN><TRNTYPE>XFER<DTPOSTED>20260131<TRNAMT>-50.00<FITID>2</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>951.25<DTASOF>20260131120000</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def test_a_bank_statement_in_its_declared_code_page(tmp_path: Path) -> None:
    night = night_of(tmp_path, BANK.encode("cp1252"))
    assert night.table("accounts").select("account_number", "account_type", "custodian_code").rows() == [
        ("0090001", "other", "CD")
    ]
    assert night.table("balances").select("market_value", "source_line").rows() == [(Decimal("951.25"), 10)]
    rows = night.table("transactions").sort("source_line")
    assert rows.select("transaction_type", "custodian_code", "amount", "description", "source_line").rows() == [
        ("market", "STMTTRN INT", Decimal("1.25"), "Caf\u00e9", 8),
        ("unclassified", "STMTTRN XFER", Decimal("50.00"), None, 9),
    ]


def test_flex_sections_and_attributes_nobody_knows_are_told_once(tmp_path: Path) -> None:
    content = flex().replace(
        "<Transfers>", '<OpenThings><OpenThing a="1"/><OpenThing a="2"/></OpenThings>\n<Transfers>'
    )
    content = content.replace('amount="-41.2"', 'amount="-41.2" mood="good"')
    night = night_of(tmp_path, content)
    assert night.files["message"][0] == (
        "sections not used: OpenThing, OpenThings; attributes not used: CashTransaction.mood"
    )
    assert night.table("transactions").height == 4


def test_flex_values_trades_sums_and_shares(tmp_path: Path) -> None:
    extra = (
        '<EquitySummaryInBase>\n<EquitySummaryByReportDateInBase accountId="U0000101" currency="USD"\n'
        '  reportDate="20260227" total="91204.55" />\n</EquitySummaryInBase>\n<Trades>\n'
        '<Trade accountId="U0000101" currency="USD" tradeDate="20260227" dateTime="20260227;101500" quantity="5" '
        'netCash="-512.35" transactionID="9" />\n</Trades>\n'
    )
    content = flex().replace("<CashTransactions>", extra + "<CashTransactions>")
    summary = '<CashTransaction accountId="U0000101" currency="USD" amount="0" type="Advisor Fees" '
    content = content.replace("</CashTransactions>", summary + 'levelOfDetail="SUMMARY" />\n</CashTransactions>')
    content = content.replace('cashTransfer="7500"', 'cashTransfer="0"')
    night = night_of(tmp_path, content)
    assert night.table("balances").select("as_of", "market_value", "source_line").rows() == [
        (pl.Series(["2026-02-27"]).str.to_date()[0], Decimal("91204.55"), 6)
    ]
    trade = night.table("transactions").filter(pl.col("custodian_code") == "Trade")
    assert trade.select("transaction_type", "amount").rows() == [("market", Decimal("512.35"))]
    assert night.rejects.select("rule", "account_number", "blocks").rows() == [("amount_not_known", "U0000101", True)]
    row = night.files.row(0, named=True)
    assert (row["lines_subtotal"], row["lines_data"]) == (1, 8)
    assert row["lines_total"] == sum(row[f"lines_{c}"] for c in CLASSES[1:])


LAUGHS = '<!DOCTYPE FlexQueryResponse [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n'


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda t: LAUGHS + t.replace("ADVISOR FEES", "&b;"), "dtd_refused"),
        (lambda t: '<!DOCTYPE other SYSTEM "file:///etc/hostname">\n' + t, "dtd_refused"),
        (lambda t: t[: t.index("</Transfers>")], "not_well_formed"),
        (lambda t: t.replace('count="1"', 'count="2"'), "count_differs"),
        (lambda t: t.replace("QUINTERO-VALE", "&nobody;"), "not_well_formed"),
    ],
    ids=["entities", "external", "cut", "count", "undeclared entity"],
)
def test_flex_that_can_not_be_trusted(tmp_path: Path, change, rule: str) -> None:  # type: ignore[no-untyped-def]
    refused(night_of(tmp_path, change(flex())), rule)


def test_check_reads_them_too(tmp_path: Path) -> None:
    path = tmp_path / "statement.qfx"
    path.write_text(qfx(), encoding="utf-8")
    found = check_file(path, KEY)
    assert found.ok
    assert found.lines() == [
        "statement.qfx: ofx-vanguard (OFX statements)",
        "  lines: 30 total, 8 preamble, 9 header, 12 data, 1 blank",
        "  rows: 7 read, 7 accepted, 0 set aside; gives 1 accounts, 1 balances, 5 transactions",
        "  note: not used: INV401KBAL",
    ]


def test_profiles_of_nested_formats_load_and_a_typo_is_named() -> None:
    assert [tree_profile(name).profile.name for name in ("ofx", "ibkr-flex")] == ["ofx", "ibkr-flex"]
    good = {"name": "x", "grade": "B", "kind": "x", "layout": "x", "format": "tree", "encoding": "utf-8"}
    with pytest.raises(ProfileError, match=r"^x\.toml: institution\[1\]\.borker: "):
        parse_tree("x.toml", {**good, "institution": [{"custodian": "c", "org": [], "fid": [], "borker": []}]})
    with pytest.raises(ProfileError, match=r"^x\.toml: formt: "):
        parse_tree("x.toml", {**good, "formt": "tree"})
