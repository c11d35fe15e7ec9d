"""A drafted profile loads, binds names, gives no code a meaning, and holds nothing of a client."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from schemas.profile import load_profile, parse, profiles
from schemas.tables import UNCLASSIFIED
from tests.intake.nights import GOLDEN
from tests.intake.test_samples import SAMPLES
from transforms.intake.draft import DELIMITERS, Draft, draft
from transforms.intake.lines import FileSetAside, decode, scan

NAMES = (
    "Trade Date,Account Number,Account Name,Transaction Type,Description,Qty,Net Amount,Advisor\n"
    "2026-02-27,887700551234,Zebulon Quackenbush,Contribution,from Zebulon,1,7000.00,A\n"
    "2026-02-26,887700551234,Zebulon Quackenbush,Transfer to Quackenbush 887700551234,x,1,-5.00,A\n"
    "2026-02-25,887700551234,Zebulon Quackenbush,Zebulon Quackenbush,x,1,-5.00,A\n"
    "2026-02-25,887700551234,Zebulon Quackenbush,Check 4711 paid,x,1,-5.00,A\n"
    "2026-02-25,887700551234,Zebulon Quackenbush,900-11-2345,x,1,-5.00,A\n"
    "2026-02-24,887700551234,Zebulon Quackenbush,XBQ,x,1,-5.00,A\n"
)
SECRETS = ("Zebulon", "Quackenbush", "8877", "4711", "900-11", "7000")


def parsed(made: Draft):  # type: ignore[no-untyped-def]
    return parse("draft.toml", tomllib.loads(made.text))


#: Records run together on one line show no length, and a delimited file without a header nothing to bind to.
UNDRAFTED = ("1099r_5498_ty2025.run_together.txt", "SUPER_OMNI_NEWR_PARTSRCVAL_DAILY_NG_PRD.DAT")
DRAFTED = [s for s in SAMPLES if s[1] not in UNDRAFTED]


@pytest.mark.parametrize(("profile", "name"), [s for s in SAMPLES if s[1] in UNDRAFTED])
def test_what_shows_no_layout_says_so(profile: str, name: str) -> None:
    with pytest.raises(FileSetAside, match="nothing to draft from"):
        draft((GOLDEN / profile / name).read_bytes())


@pytest.mark.parametrize(("profile", "name"), DRAFTED, ids=[n for _, n in DRAFTED])
def test_every_sample_gives_a_draft_that_loads_and_means_nothing(profile: str, name: str) -> None:
    found = parsed(draft((GOLDEN / profile / name).read_bytes()))
    assert {a.type for a in found.actions} <= {UNCLASSIFIED}
    assert {a.meaning for a in found.actions} <= {"ambiguous"}
    assert set(found.money_sources.values()) <= {""}
    assert found.account_types == ()
    known = next(p for p in profiles() if p.name == profile)
    assert found.format == known.format
    line_ends = 2 if profile == "irs-pub1220" else 0  # they are part of its records
    assert (found.delimiter, found.record_length + line_ends) == (known.delimiter, known.record_length)


BOUND = {
    "schwab-transactions", "schwab-transactions-banner", "fidelity-history", "fidelity-history-single",
    "fidelity-positions",
}  # fmt: skip


@pytest.mark.parametrize(("profile", "name"), [s for s in SAMPLES if s[0] in BOUND])
def test_the_columns_a_finished_profile_reads_are_bound_by_name(profile: str, name: str) -> None:
    found = parsed(draft((GOLDEN / profile / name).read_bytes())).sections[0]
    known = next(p for p in profiles() if p.name == profile).sections[0]
    assert found.shape == known.shape
    needed = {"date", "action", "amount", "value", "account", "symbol"} & set(known.fields)
    assert {f: found.fields[f][0] in known.fields[f] for f in needed} == dict.fromkeys(needed, True)


def test_a_payroll_draft_lists_money_columns_as_agreed_per_plan() -> None:
    found = parsed(draft((GOLDEN / "ascensus-payroll" / "AP_NWT_0226_02272026.180501.csv").read_bytes()))
    assert found.kind == "payroll_contributions"
    assert found.sections[0].fields["tax_id"] == ("SOCIAL SECURITY",)
    assert {"EMPLOYEE 401(K)", "ROTH 401(K)", "MATCH", "SAFE HARBOR NEC"} - set(found.money_sources) <= {
        "SAFE HARBOR NEC"
    }


def test_no_cell_of_a_client_gets_into_a_draft() -> None:
    made = draft(NAMES.encode(), "mine")
    told = made.text + "\n".join(made.decisions)
    assert [secret for secret in SECRETS if secret in told] == []
    found = parsed(made)
    assert {(a.match, a.exact) for a in found.actions} == {
        ("Contribution", True), ("Transfer to", False), ("Check", False), ("XBQ", True),
    }  # fmt: skip
    assert any("2 texts of the column of codes" in d for d in made.decisions)
    assert (found.name, found.custodian, found.dates) == ("mine", "FILL-IN", ("%Y-%m-%d",))


def test_guesses_are_marked_and_what_is_left_to_decide_is_at_the_end() -> None:
    made = draft(NAMES.encode())
    bindings = made.text.split("[section.fields]")[1].split("\n\n")[0].strip().splitlines()
    assert len(bindings) >= 6
    assert all("# guess" in line for line in bindings)
    end = made.text.split("# To decide before this is a profile:\n")[1].strip().splitlines()
    assert end == [f"# {n}. {what}" for n, what in enumerate(made.decisions, 1)]


def test_more_than_fifty_codes_are_no_codes() -> None:
    rows = "".join(f"2026-02-27,1111,Wire {'abcdefghij'[n % 10] * (n + 1)},5.00\n" for n in range(60))
    made = draft(("Trade Date,Account Number,Action,Amount\n" + rows).encode())
    assert "[[action]]" not in made.text
    assert any("more than 50" in d for d in made.decisions)


@pytest.mark.parametrize("delimiter", DELIMITERS, ids=["comma", "semicolon", "tab", "pipe"])
def test_dialect_and_a_header_below_a_preamble(delimiter: str) -> None:
    text = NAMES.replace(",", delimiter)
    made = draft(
        ("Activity of Zebulon Quackenbush\r\n\r\n" + text.replace("\n", "\r\n")).encode("cp1252") + "é".encode("cp1252")
    )
    found = parsed(made)
    assert (found.delimiter, found.encoding) == (delimiter, "cp1252")
    assert any("lines 1 to 2" in d for d in made.decisions)
    assert [secret for secret in SECRETS if secret in made.text] == []


def test_a_draft_reads_its_own_sample_line_by_line() -> None:
    found = parsed(draft(NAMES.encode()))
    seen = scan(found, decode(NAMES.encode(), found.encoding), {})
    assert dict(seen.counts) == {"header": 1, "data": 6}


def test_both_orders_of_day_and_month_are_told() -> None:
    text = "Date,Account Number,Market Value,As of Date\n,1111,5.00,01/02/2026\n"
    made = draft(text.encode())
    assert parsed(made).dates == ("%m/%d/%Y", "%d/%m/%Y")
    assert any("order of day and month" in d for d in made.decisions)


def test_a_fixed_width_draft_has_length_and_sentinels() -> None:
    found = parsed(draft((GOLDEN / "pershing-gcus" / "GCUS.txt").read_bytes()))
    assert found.record_length == 750
    assert [(rule.line_class, rule.match.pattern) for rule in found.lines] == [("header", "^BOF"), ("trailer", "^EOF")]


def test_fixed_records_that_begin_with_a_name_show_nothing() -> None:
    text = "\n".join(f"QUACKENBUSH ZEBULON {n:012}".ljust(80) for n in range(887700551234, 887700551244))
    made = draft(text.encode())
    assert [secret for secret in ("QUACK", "ZEBU", "8877") if secret in made.text] == []


@pytest.mark.parametrize("data", [b"", b"a\0b", b"one\nanother line\nthird, longer than both\n", b"1" * 900])
def test_nothing_to_draft_from(data: bytes) -> None:
    with pytest.raises(FileSetAside):
        draft(data)


def test_a_draft_on_disk_is_a_profile_file(tmp_path: Path) -> None:
    path = tmp_path / "draft.toml"
    path.write_text(draft(NAMES.encode()).text, encoding="utf-8")
    assert load_profile(path).sections[0].shape == "transactions"
    assert re.search(r"^# A draft, not a profile", path.read_text(encoding="utf-8"))
