"""Recordkeepers' files go wrong in their own ways: repeated rows, totals, test markers, slots nobody has named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from schemas.profile import PROFILES, ProfileError, parse
from schemas.tables import INPUT_TABLES
from tests.intake.nights import GOLDEN, KEY, Book, Night, sample, shown
from transforms.intake import check_file
from transforms.intake.register import tax_key

PAYKONNECT = ("paykonnect-contributions", "paykonnect.csv")
EMPOWER = ("empower-pdi", "pdi_payroll.txt")
SCHWAB = ("schwab-rps", "schwab_rps.csv")
TAPE = ("fidelity-401k-tape", "payroll.txt")
PRUDENTIAL = ("prudential-701", "combined_701.txt")
OMNIPLUS = ("omniplus-partsrcval", "SUPER_OMNI_NEWR_PARTSRCVAL_DAILY_NG_PRD.DAT")
RELIUS = ("relius-participant-contribution", "PARTICIPANT_CONTRIBUTION_VNQ_WC.TXT")
SSN = ("omniplus-ssn-change", "ssn_change.txt")
VOYA = ("voya-history", "history.tsv")
NETBENEFITS = ("fidelity-netbenefits", "transaction_history.csv")
EVERY = (PAYKONNECT, EMPOWER, SCHWAB, TAPE, PRUDENTIAL, OMNIPLUS, RELIUS, SSN, VOYA, NETBENEFITS)

#: Marisol, Priya and Odette of the samples.
MARISOL, PRIYA, ODETTE = (tax_key(t, KEY) for t in ("901147721", "903314459", "905126634"))


def text(which: tuple[str, str]) -> str:
    return sample(*which).decode("cp1252")


def night(tmp_path: Path, which: tuple[str, str], change: Callable[[str], str] = str, name: str | None = None) -> Night:
    changed = change(text(which)).encode("cp1252")
    return Book(tmp_path).drop(name or which[1], changed).night()


def money(found: Night, person: str, amount_is: str | None = "period") -> dict[str, Decimal]:
    """A person's amounts by source column, summed over lines."""
    rows = found.table("payroll_contributions").filter(
        pl.col("owner_tax_id") == person, pl.col("amount_is").eq_missing(pl.lit(amount_is))
    )
    return dict(rows.group_by("source_column").agg(pl.col("amount").sum()).iter_rows())


def refused(found: Night, rule: str) -> str:
    assert found.files["state"].to_list() == ["rejected"]
    assert found.rules() == [rule]
    assert sum(found.counts.tables.values()) == 0
    return str(found.files["message"][0])


def test_the_tape_has_records_without_money_and_every_line_a_class(tmp_path: Path) -> None:
    found = night(tmp_path, TAPE)
    row = found.files.row(0, named=True)
    assert (row["profile"], row["state"], row["rows"]) == ("fidelity-401k-tape", "accepted", 6)
    assert (row["lines_total"], row["lines_data"], row["lines_unknown"]) == (10, 10, 0)
    golden = GOLDEN / TAPE[0] / f"{TAPE[1]}.payroll_contributions.csv"
    rows = shown("payroll_contributions", found.table("payroll_contributions"))
    assert rows.to_dicts() == pl.read_csv(golden, infer_schema=False).to_dicts()


def test_one_row_per_loan_repeats_contributions_that_count_once(tmp_path: Path) -> None:
    found = night(tmp_path, PAYKONNECT)
    assert money(found, MARISOL) == {
        "CONT_401K": Decimal("0.00"), "CONT_ROTH_401K": Decimal("769.23"), "CONT_Company_Match": Decimal("384.62"),
        "LOAN_Amount": Decimal("157.40"),
    }  # fmt: skip
    assert money(found, ODETTE)["CONT_401K"] == Decimal("346.15")
    assert money(found, ODETTE, "year_to_date")["CONT_401K"] == Decimal("1384.60")
    assert "2 rows repeat" in found.files["message"][0]


def test_two_pay_runs_of_one_day_are_not_repetitions(tmp_path: Path) -> None:
    found = night(tmp_path, PAYKONNECT, lambda t: t.replace('"346.15","1384.60"', '"100.00","1484.60"', 1))
    assert money(found, ODETTE)["CONT_401K"] == Decimal("446.15")


def test_a_contribution_column_nobody_has_seen_is_kept_and_unstated(tmp_path: Path) -> None:
    def widen(t: str) -> str:
        lines = t.splitlines()
        more = ['"CONT_AFTER_TAX_401K","CONT_YTD_AFTER_TAX_401K","CONT_HARDSHIP","CONT_YTD_HARDSHIP"']
        more += ['"1500.00","6000.00","5.00","20.00"'] * (len(lines) - 1)
        return "\n".join(f"{line},{cells}" for line, cells in zip(lines, more, strict=True)) + "\n"

    found = night(tmp_path, PAYKONNECT, widen)
    assert found.files["state"].to_list() == ["accepted"]
    assert money(found, PRIYA)["CONT_AFTER_TAX_401K"] == Decimal("1500.00")
    assert money(found, PRIYA, "year_to_date")["CONT_HARDSHIP"] == Decimal("20.00")
    meaning = dict(found.table("payroll_contributions").select("source_column", "money_source").iter_rows())
    assert (meaning["CONT_AFTER_TAX_401K"], meaning["CONT_HARDSHIP"]) == ("after_tax_contributions", None)


def test_a_tax_id_without_its_leading_nought_is_set_aside(tmp_path: Path) -> None:
    found = night(tmp_path, PAYKONNECT, lambda t: t.replace('"903314459"', '"03314459"'))
    assert found.rules() == ["line_not_understood"]
    assert found.files.select("lines_unknown", "accepted", "rejected").rows() == [(1, 4, 1)]


def test_one_more_client_specific_column_is_not_passed_over(tmp_path: Path) -> None:
    which = ("ascensus-payroll", "AP_NWT_0226_02272026.180501.csv")

    def one_and_only(t: str) -> str:
        return t.replace("CLIENT SPECIFIC,CLIENT SPECIFIC,CLIENT SPECIFIC", "CLIENT SPECIFIC,OTHER,ANOTHER")

    assert money(night(tmp_path, which, one_and_only), PRIYA)["CLIENT SPECIFIC"] == Decimal("1500.00")


def test_empower_slots_are_read_whatever_they_hold_and_corrections_stay_negative(tmp_path: Path) -> None:
    def fill(t: str) -> str:
        first = t.splitlines(keepends=True)[0]
        assert first[384:394].strip() == ""
        return t.replace(first, first[:384] + "    123.45" + first[394:])

    found = night(tmp_path, EMPOWER, fill)
    assert money(found, PRIYA)["Contribution Amount 8"] == Decimal("123.45")
    assert money(found, tax_key("902231180", KEY))["Contribution Amount 1"] == Decimal("-250.00")
    assert found.table("payroll_contributions")["money_source"].null_count() == 23


@pytest.mark.parametrize("which", [EMPOWER, PRUDENTIAL, TAPE], ids=lambda w: w[0])
def test_a_name_in_another_alphabet_moves_no_position(tmp_path: Path, which: tuple[str, str]) -> None:
    found = night(tmp_path, which, lambda t: t.replace("QUINTERO-VALE", "QUIÑTERO-VÁLE"))
    assert found.files["state"].to_list() == ["accepted"]
    assert money(found, MARISOL) == money(night(tmp_path / "plain", which), MARISOL)


@pytest.mark.parametrize("which", [EMPOWER, PRUDENTIAL, TAPE], ids=lambda w: w[0])
def test_records_run_together_are_the_same_records(tmp_path: Path, which: tuple[str, str]) -> None:
    found = night(tmp_path, which, lambda t: t.replace("\r\n", ""))
    assert found.files["state"].to_list() == ["accepted"]
    assert money(found, MARISOL) == money(night(tmp_path / "lines", which), MARISOL)


@pytest.mark.parametrize("which", [EMPOWER, TAPE, SSN], ids=lambda w: w[0])
def test_a_record_of_another_length_is_set_aside(tmp_path: Path, which: tuple[str, str]) -> None:
    whole = night(tmp_path / "whole", which)
    cut = night(tmp_path / "cut", which, lambda t: t.rstrip()[:-30])
    assert cut.rules() == ["line_not_understood"]
    assert cut.files["lines_total"][0] == whole.files["lines_total"][0]
    assert cut.files["rows"][0] - 1 == cut.files["accepted"][0]


@pytest.mark.parametrize("which", [EMPOWER, TAPE, PAYKONNECT, OMNIPLUS], ids=lambda w: w[0])
def test_a_line_cut_short_still_says_whom_it_was_about(tmp_path: Path, which: tuple[str, str]) -> None:
    last = 4 if which is PAYKONNECT else 20  # a cell of quoted text, not part of one
    cut = night(tmp_path, which, lambda t: t.rstrip()[:-last])
    whose = {EMPOWER[0]: tax_key("904400912", KEY), PAYKONNECT[0]: ODETTE}.get(which[0], MARISOL)
    told = cut.rejects.select("rule", "owner_tax_id", "blocks", pl.col("trade_date").cast(pl.String)).rows()
    assert told == [("line_not_understood", whose, True, "2026-03-01")]


def test_a_slot_without_a_point_may_be_cents_or_dollars_and_is_set_aside(tmp_path: Path) -> None:
    found = night(tmp_path, EMPOWER, lambda t: t.replace("    942.31", "     94231"))
    assert found.rejects.select("rule", "column", "owner_tax_id").rows() == [
        ("not_a_number", "source Contribution Amount 1", PRIYA)
    ]
    assert money(found, PRIYA) == {}


def test_a_first_record_without_a_date_is_set_aside_alone(tmp_path: Path) -> None:
    found = night(tmp_path, EMPOWER, lambda t: t.replace("02/27/2026", " " * 10, 1))
    assert found.rules() == ["as_of_not_known"]
    assert found.files.select("accepted", "rejected").rows() == [(4, 1)]


@pytest.mark.parametrize("which", [OMNIPLUS, RELIUS, PAYKONNECT, SCHWAB], ids=lambda w: w[0])
def test_a_row_with_a_cell_too_many_is_set_aside_alone(tmp_path: Path, which: tuple[str, str]) -> None:
    def widen(t: str) -> str:
        lines = t.splitlines()
        delimiter = "|" if "|" in lines[-1] else ","
        return "\n".join([*lines[:-1], lines[-1] + delimiter + "x"]) + "\n"

    found = night(tmp_path, which, widen)
    assert found.rules() == ["line_not_understood"]
    assert found.files.select("lines_unknown", "rejected").rows() == [(1, 1)]


@pytest.mark.parametrize("day", ["20260227", "2026-02-27", "02272026.180501"])
def test_schwab_has_period_and_year_to_date_by_slot_and_its_date_in_the_file_name(tmp_path: Path, day: str) -> None:
    found = night(tmp_path, SCHWAB, name=f"NWT_0226_{day}.csv")
    rows = found.table("payroll_contributions")
    assert rows["pay_date"].cast(pl.String).unique().to_list() == ["2026-02-27"]
    assert found.files["message"].to_list() == [None]
    assert money(found, PRIYA)["Contribution Source 4"] == Decimal("1500.00")
    assert money(found, PRIYA, "year_to_date")["Contribution Source 4"] == Decimal("6000.00")


def test_schwab_without_any_date_keeps_its_rows_undated_and_says_so(tmp_path: Path) -> None:
    found = night(tmp_path, SCHWAB)
    assert found.table("payroll_contributions")["pay_date"].null_count() == 100
    assert "pay date" in found.files["message"][0]


def test_a_dash_of_another_encoding_in_schwabs_header_hides_no_money(tmp_path: Path) -> None:
    # the bytes of a UTF-8 dash read as cp1252 are other names, of columns that hold no money
    changed = text(SCHWAB).encode("utf-8")
    found = Book(tmp_path).drop("contributions_20260227.csv", changed).night()
    assert money(found, PRIYA)["Contribution Source 4"] == Decimal("1500.00")


def test_a_repeated_schwab_row_counts_once(tmp_path: Path) -> None:
    found = night(tmp_path, SCHWAB, lambda t: t + t.splitlines(keepends=True)[1])
    assert money(found, PRIYA)["Contribution Source 1"] == Decimal("942.31")
    assert "1 row repeats" in found.files["message"][0]


def test_a_tape_that_says_it_is_a_test_is_refused(tmp_path: Path) -> None:
    for first in ("TESTEDT" + " " * 73 + "\r\n", "TESTEDT\r\n"):
        found = night(tmp_path / str(len(first)), TAPE, lambda t, first=first: first + t)  # type: ignore[misc]
        assert "test" in refused(found, "test_file")


def test_a_tape_record_19_of_another_kind_is_not_read_as_a_contribution(tmp_path: Path) -> None:
    found = night(tmp_path, TAPE, lambda t: t.replace("19    220  2001", "19    221  2001", 1))
    assert found.rules() == ["line_not_understood"]
    assert "20" not in money(found, PRIYA)


def test_two_amounts_of_one_source_on_the_tape_are_two_rows(tmp_path: Path) -> None:
    found = night(tmp_path, TAPE, lambda t: t + t.splitlines(keepends=True)[4])
    assert money(found, PRIYA)["20"] == Decimal("3000.00")


def _prudential(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(t: str) -> str:
        lines = t.splitlines(keepends=True)
        after = change(lines[number])
        assert after != lines[number]
        return "".join([*lines[:number], after, *lines[number + 1 :]])

    return changed


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (lambda t: "".join(t.splitlines(keepends=True)[:-1]), "incomplete_file", ["999"]),
        (_prudential(2, lambda _line: ""), "count_differs", ["4", "3"]),
        (_prudential(1, lambda x: x.replace("A000094231", "A000094331")), "total_differs", ["5326.93", "5327.93"]),
        (_prudential(4, lambda x: x.replace("000011240", "000011140")), "total_differs", ["112.40", "111.40"]),
        (_prudential(5, lambda x: x.replace("00000011240", "00000011250")), "total_differs", ["112.50", "112.40"]),
        (_prudential(5, lambda x: x.replace("00000532693", "0000053269X")), "total_differs", ["5326.93"]),
        (_prudential(1, lambda x: x.replace("A000094231", "A00009423}")), "total_differs", ["5326.93", "4384.62"]),
        (_prudential(5, lambda x: x.replace("20260227", "20260228")), "contradicts_itself", ["created"]),
    ],
    ids=["no trailer", "record lost", "amount", "loan", "loan total", "total unreadable", "overpunch", "other day"],
)
def test_prudential_count_and_both_totals_must_hold(
    tmp_path: Path, change: Callable[[str], str], rule: str, said: list[str]
) -> None:
    message = refused(night(tmp_path, PRUDENTIAL, change), rule)
    assert [number for number in said if number not in message] == []


def test_prudential_keeps_money_whose_source_letter_is_blank(tmp_path: Path) -> None:
    found = night(tmp_path, PRUDENTIAL, lambda t: t.replace("00G000150000", "00 000150000"))
    assert money(found, PRIYA)["blank"] == Decimal("1500.00")
    assert "blank" not in money(found, ODETTE)


def test_a_negative_amount_in_cents_is_a_correction(tmp_path: Path) -> None:
    def correct(t: str) -> str:
        return t.replace("A000034615", "A-00034615").replace("00000532693", "00000463463")

    assert money(night(tmp_path, PRUDENTIAL, correct), ODETTE)["A"] == Decimal("-346.15")


def test_omniplus_adds_funds_up_once_each_and_reads_the_calendar_year(tmp_path: Path) -> None:
    def more(t: str) -> str:
        first = t.splitlines()[0]
        other_fund = first.split("|")
        other_fund[3], other_fund[13], other_fund[14] = "02", "30.76", "9999.99"
        return t + "|".join(other_fund) + "\n" + first + "\n"

    found = night(tmp_path, OMNIPLUS, more)
    assert money(found, PRIYA, "year_to_date") == {
        "A": Decimal("3800.00"), "6": Decimal("1846.16"), "G": Decimal("6000.00"), "J": Decimal("0.00"),
    }  # fmt: skip
    assert "1 row repeats" in found.files["message"][0]


def test_an_unreadable_fund_takes_the_persons_source_out_and_nothing_else(tmp_path: Path) -> None:
    def more(t: str) -> str:
        cells = t.splitlines()[0].split("|")
        cells[3], cells[13] = "02", "30,76"
        return t + "|".join(cells) + "\n"

    found = night(tmp_path, OMNIPLUS, more)
    assert found.rejects.select("line_number", "rule", "owner_tax_id").rows() == [
        (1, "sum_incomplete", PRIYA),
        (7, "not_a_number", PRIYA),
    ]
    assert sorted(money(found, PRIYA, "year_to_date")) == ["6", "G", "J"]


@pytest.mark.parametrize("marker", ["_UAT", "_INT", "_uat_20260227"])
@pytest.mark.parametrize("which", [OMNIPLUS, RELIUS, SSN], ids=lambda w: w[0])
def test_the_environment_in_the_name_says_what_is_a_test(tmp_path: Path, which: tuple[str, str], marker: str) -> None:
    stem, suffix = which[1].replace("_PRD", "").rsplit(".", 1)
    refused(night(tmp_path, which, name=f"{stem}{marker}.{suffix}"), "test_file")


def test_relius_amounts_cover_no_stated_period(tmp_path: Path) -> None:
    found = night(tmp_path, RELIUS)
    rows = found.table("payroll_contributions")
    assert rows["amount_is"].null_count() == rows.height == 5
    assert "period" in found.files["message"][0]
    # a participant id is no tax id and can't be taken for one
    assert tax_key("000101", KEY) not in rows["owner_tax_id"].to_list()
    assert rows["owner_tax_id"].n_unique() == 2


def test_ssn_changes_are_hashed_like_every_tax_id(tmp_path: Path) -> None:
    book = Book(tmp_path).drop(SSN[1], sample(*SSN))
    book.drop("house.csv", "old_tax_id,new_tax_id,changed_on,source\n905-12-6643,905126634,2026-02-26,omniplus\n")
    found = book.night()
    rows = found.table("tax_id_changes").select("old_tax_id", "new_tax_id", "changed_on").rows()
    assert [(r[0], r[1], str(r[2])) for r in rows] == sorted([
        (tax_key("905126643", KEY), ODETTE, "2026-02-26"),
        (tax_key("999000101", KEY), PRIYA, "2026-02-26"),
    ])  # fmt: skip


def test_an_ssn_change_on_no_day_is_set_aside(tmp_path: Path) -> None:
    found = night(tmp_path, SSN, lambda t: t.replace("20260226", "20260231", 1))
    assert found.rejects.select("kind", "rule", "line_number").rows() == [("tax_id_changes", "not_a_date", 1)]
    assert found.table("tax_id_changes").height == 1


@pytest.mark.parametrize(
    ("which", "said"),
    [(NETBENEFITS, "2 contributions of 1500.00, 8 rows"), (VOYA, "3 contributions of 725.90, 5 rows")],
    ids=["netbenefits", "voya"],
)
def test_a_file_that_names_nobody_is_a_control_total_and_no_row(
    tmp_path: Path, which: tuple[str, str], said: str
) -> None:
    found = night(tmp_path, which)
    assert sum(found.counts.tables.values()) == 0
    assert found.files.select("state", "kind").rows() == [("accepted", "control_total")]
    assert said in found.files["message"][0]
    assert "no person" in found.files["message"][0]


def test_a_control_total_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = night(tmp_path, NETBENEFITS, lambda t: t.replace('"250.00","250.000"', '"25O.00","250.000"'))
    assert found.rejects.select("rule", "line_number").rows() == [("not_a_number", 8)]
    assert found.files["state"].to_list() == ["partial"]


@pytest.mark.parametrize("which", EVERY, ids=lambda w: w[0])
def test_the_same_bytes_again_change_nothing_and_a_resend_does_not_double(
    tmp_path: Path, which: tuple[str, str]
) -> None:
    book = Book(tmp_path).drop(which[1], sample(*which))
    first = book.night()
    again = book.drop(f"again-{which[1]}", sample(*which)).night("2026-03-02")
    assert again.files["state"].to_list().count("duplicate") == 2
    stem, suffix = which[1].rsplit(".", 1)
    resent = book.clear().drop(f"{stem}-R.{suffix}", sample(*which) + b"\r\n").night("2026-03-03")
    for table in ("payroll_contributions", "tax_id_changes"):
        hidden = ["source_sha256", "source_file", "received_at", "pay_date"]
        assert again.table(table).equals(first.table(table))
        assert resent.table(table).drop(hidden, strict=False).equals(first.table(table).drop(hidden, strict=False))


@pytest.mark.parametrize("which", EVERY, ids=lambda w: w[0])
def test_a_sample_is_recognised_by_one_profile_and_accounts_for_every_line(
    tmp_path: Path, which: tuple[str, str]
) -> None:
    path = tmp_path / which[1]
    path.write_bytes(sample(*which))
    found = check_file(path, KEY)
    assert found.reading.profile == which[0]
    lines = found.reading.lines
    assert lines["total"] == sum(count for kind, count in lines.items() if kind != "total")
    # a line end inside a quoted cell is no record, but it is a line
    assert lines["total"] == len(re.findall(rb"\r\n|\n|\r", path.read_bytes()))
    assert not [line for line in found.lines() if re.search(r"\d{9}|\d{3}-\d{2}-\d{4}", line)]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("payroll", {"pairs": [["source", "cents"]]}, r"payroll.pairs: names no entry of fields"),
        ("payroll", {"pairs_are": "monthly"}, r"payroll.pairs_are: expected one of period, year_to_date"),
        ("payroll", {"perod": "x"}, r"payroll.perod: is not a key"),
        ("payroll", {"period": "("}, r"payroll.period: not a regular expression"),
        ("totals", {"loans": ["nothing"]}, r"totals: names no entry of fields"),
    ],
)
def test_a_typo_in_a_payroll_section_names_the_key(key: str, value: object, said: str) -> None:
    table = tomllib.loads((PROFILES / "fidelity-401k-tape.toml").read_text())
    table["section"][0][key] = value
    with pytest.raises(ProfileError, match=r"^mine\.toml: section\[1\]\." + said):
        parse("mine.toml", table)


def test_no_tax_id_in_clear_reaches_a_table_or_a_message(tmp_path: Path) -> None:
    book = Book(tmp_path)
    for which in EVERY:
        book.drop(f"{which[0]}/{which[1]}", sample(*which))
    book.drop("bad.txt", text(TAPE).replace("0000000094231", "00000000942X1").encode())
    found = book.night()
    assert found.rejects.height
    for name in (*INPUT_TABLES, "rejects", "files"):
        written = found.table(name).write_ndjson()
        assert not re.search(r"(?<!\d)90[1-5]-?\d\d-?\d{4}(?!\d)", written), name
